/*-------------------------------------------------------------------------
 *
 * shown_key.c
 *	  Values of rows in errors, if the caller may read them.
 *
 * The rule is that of the server for errors of unique indexes and foreign
 * keys: values are shown to a user who may SELECT the table or all of the
 * columns, and if no row-level security applies.
 *
 * Triggers, and what they run, may run as the owner of a table.  So both the
 * current user and the outer user must be allowed to see the values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/column.h"
#include "model/shown_key.h"
#include "utils/acl.h"
#include "utils/rls.h"

/* The maximum number of bytes of a value. */
#define SHOWN_LENGTH 60

static bool
may_read_table(Oid user, Relation rel)
{
	return check_enable_rls(RelationGetRelid(rel), user, true) != RLS_ENABLED &&
		pg_class_aclcheck(RelationGetRelid(rel), user,
						  ACL_SELECT) == ACLCHECK_OK;
}

static bool
may_read(Oid user, Relation rel, int ncolumns, const AttrNumber *columns)
{
	Oid			relid = RelationGetRelid(rel);

	if (may_read_table(user, rel))
		return true;
	if (check_enable_rls(relid, user, true) == RLS_ENABLED)
		return false;
	for (int i = 0; i < ncolumns; i++)
	{
		if (pg_attribute_aclcheck(relid, columns[i], user,
								  ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/* Whether an error may show the values of these columns. */
bool
dtmodel_may_show(Relation rel, int ncolumns, const AttrNumber *columns)
{
	return may_read(GetUserId(), rel, ncolumns, columns) &&
		may_read(GetOuterUserId(), rel, ncolumns, columns);
}

/*
 * "1, some text, null": values that the caller has selected, or may see.
 * Without a list of columns, the first ones.
 */
char *
dtmodel_shown_values(HeapTuple row, TupleDesc desc, int ncolumns,
					 const AttrNumber *columns)
{
	StringInfoData values;

	initStringInfo(&values);
	for (int i = 0; i < ncolumns; i++)
	{
		char	   *value = SPI_getvalue(row, desc,
										 columns == NULL ? i + 1 : columns[i]);
		int			length;
		int			shown;

		if (i > 0)
			appendStringInfoString(&values, ", ");
		if (value == NULL)
			value = "null";
		length = strlen(value);
		shown = pg_mbcliplen(value, length, SHOWN_LENGTH);
		appendBinaryStringInfo(&values, value, shown);
		if (shown < length)
			appendStringInfoString(&values, "...");
	}
	return values.data;
}

/* "Key (a, b)=(1, 2)", or just "Key". */
char *
dtmodel_shown_key(Relation rel, int ncolumns, const AttrNumber *columns,
				  HeapTuple row)
{
	if (!dtmodel_may_show(rel, ncolumns, columns))
		return "Key";
	return psprintf("Key (%s)=(%s)",
					dtmodel_column_list(RelationGetRelid(rel), ncolumns,
										columns, ", ", false),
					dtmodel_shown_values(row, RelationGetDescr(rel), ncolumns,
										 columns));
}

/*
 * The server's own errors of constraints show the row if the current user may
 * see it; here that is the table's owner.
 */
static void
hide_values(void *argument)
{
	const DtOwnerContext *owner = argument;

	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
		!(may_read_table(owner->caller.user, owner->rel) &&
		  may_read_table(GetOuterUserId(), owner->rel)))
		errdetail("The row belongs to table \"%s\", which you do not have permission to read.",
				  RelationGetRelationName(owner->rel));
}

/*
 * Switches to the owner of the table, as dtmodel_act_as_owner() does, to
 * write its rows.  If they violate a constraint, the error does not show rows
 * that the caller may not read.
 */
void
dtmodel_enter_owner_context(DtOwnerContext *owner, Relation rel)
{
	owner->rel = rel;
	owner->callback.callback = hide_values;
	owner->callback.arg = owner;
	owner->callback.previous = error_context_stack;
	error_context_stack = &owner->callback;
	owner->caller = dtmodel_act_as_owner(rel);
}

void
dtmodel_leave_owner_context(DtOwnerContext *owner)
{
	dtmodel_act_as(&owner->caller);
	error_context_stack = owner->callback.previous;
}
