/*-------------------------------------------------------------------------
 *
 * shown_key.c
 *	  Values of rows in errors, as far as the caller may read them.
 *
 * The rule is the server's own for the errors of unique indexes and foreign
 * keys: values are shown to a user who may SELECT the table or all of the
 * columns, and to whom no row-level security applies.
 *
 * Triggers, and what follows from them, may run as the owner of a table.  So
 * the rule holds for the current user and for the one outside of functions.
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

/* Of a value, so many bytes at most. */
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

/* Whether an error may show what rows of the table hold in these columns. */
bool
dtmodel_may_show(Relation rel, int ncolumns, const AttrNumber *columns)
{
	return may_read(GetUserId(), rel, ncolumns, columns) &&
		may_read(GetOuterUserId(), rel, ncolumns, columns);
}

/*
 * "1, some text, null": values that the caller has selected, or may see.
 * Without columns they are the first ones.
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
 * The server's own errors of constraints show the row to the current user,
 * who is the table's owner.
 */
static void
hide_values(void *argument)
{
	const DtOwnersWork *work = argument;

	if (ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION &&
		!(may_read_table(work->caller.user, work->rel) &&
		  may_read_table(GetOuterUserId(), work->rel)))
		errdetail("The row is of table \"%s\", which you may not read.",
				  RelationGetRelationName(work->rel));
}

/*
 * Goes on as the owner of the table, as dtmodel_act_as_owner() does, to write
 * rows of it.  If a constraint is violated by them, the error has no details
 * of rows that the caller may not read.
 */
void
dtmodel_begin_owners_work(DtOwnersWork *work, Relation rel)
{
	work->rel = rel;
	work->callback.callback = hide_values;
	work->callback.arg = work;
	work->callback.previous = error_context_stack;
	error_context_stack = &work->callback;
	work->caller = dtmodel_act_as_owner(rel);
}

void
dtmodel_end_owners_work(DtOwnersWork *work)
{
	dtmodel_act_as(&work->caller);
	error_context_stack = work->callback.previous;
}
