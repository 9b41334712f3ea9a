/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  Following a foreign key for soft delete and restore: queries for the
 *	  rows at the other end of the key.
 *
 * Like those of the server's own foreign keys they are saved plans, run as
 * the owner of the table that is read or written.  They do not include tables
 * that inherit from it, which the key does not cover.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/reference.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/shown_key.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* The key, to be followed from one of its tables to the other. */
DtReference *
dtmodel_make_reference(DtForeignKey *key, bool to_child)
{
	DtReference *reference = palloc0(sizeof(DtReference));
	Relation	other;
	const DtSoftDelete *columns;

	reference->key = key;
	reference->to_child = to_child;
	reference->other = to_child ? key->child : key->parent;
	other = table_open(reference->other, AccessShareLock);
	columns = dtmodel_soft_delete_of(dtmodel_get_model(other));
	reference->is_soft = columns != NULL && dtmodel_soft_delete_fires(columns);
	if (reference->is_soft)
		reference->columns = dtmodel_usable_soft_delete(other);
	table_close(other, AccessShareLock);
	return reference;
}

/*
 * Appends the condition of the key; the key of our row is in the parameters
 * from $1 on.
 */
static void
append_key(StringInfo query, const DtReference *reference)
{
	if (reference->to_child)
		dtmodel_append_child_key(query, reference->key, NULL);
	else
		dtmodel_append_parent_key(query, reference->key, NULL);
}

/* Appends the query before and after the condition of the key. */
static void
append_query(StringInfo query, const DtReference *reference,
			 DtPlanPurpose purpose, Relation other)
{
	const char *table = psprintf("%s%s", dtmodel_only(other),
								 dtmodel_qualified_name(other));
	const DtSoftDelete *columns = &reference->columns;
	const char *deleted_at = quote_identifier(NameStr(columns->deleted_at.name));
	int			time = reference->key->ncolumns + 1;

	switch (purpose)
	{
		case DT_PLAN_CASCADE_DELETE:
			appendStringInfo(query, DT_MARKS_DELETED "UPDATE %s SET %s WHERE ",
							 table,
							 dtmodel_mark_assignments(columns, psprintf("$%d", time)));
			append_key(query, reference);
			appendStringInfo(query, " AND %s",
							 dtmodel_live_lookup_text(other, columns, NULL));
			break;
		case DT_PLAN_LIVE_CHILD:
			appendStringInfo(query, "SELECT FROM %s WHERE ", table);
			append_key(query, reference);
			if (reference->is_soft)
				appendStringInfo(query, " AND %s",
								 dtmodel_live_lookup_text(other, columns, NULL));
			appendStringInfoString(query, " FOR SHARE");
			break;
		case DT_PLAN_RESTORE_CHILDREN:
			appendStringInfo(query, "SELECT tableoid, ctid FROM %s WHERE ", table);
			append_key(query, reference);
			appendStringInfo(query, " AND %s AND %s OPERATOR(pg_catalog.=) $%d FOR NO KEY UPDATE",
							 dtmodel_deleted_text(columns, NULL), deleted_at,
							 time);
			break;
		case DT_PLAN_RESTORE_PARENT:
			appendStringInfo(query, "SELECT tableoid, ctid, %s, %s FROM %s WHERE ",
							 dtmodel_live_text(columns, NULL), deleted_at, table);
			append_key(query, reference);
			appendStringInfoString(query, " FOR SHARE");
			break;
		default:
			elog(ERROR, "no query along a foreign key has purpose %d", (int) purpose);
	}
}

static bool
takes_time(DtPlanPurpose purpose)
{
	return purpose == DT_PLAN_CASCADE_DELETE ||
		purpose == DT_PLAN_RESTORE_CHILDREN;
}

/* The types of the parameters: our side of the key, and the time. */
static Oid *
parameter_types(const DtReference *reference)
{
	const DtForeignKey *key = reference->key;
	Oid		   *types = palloc(sizeof(Oid) * (key->ncolumns + 1));

	for (int i = 0; i < key->ncolumns; i++)
		types[i] = reference->to_child ?
			get_atttype(key->parent, key->parent_columns[i]) :
			get_atttype(key->child, key->child_columns[i]);
	types[key->ncolumns] = reference->columns.deleted_at.typid;
	return types;
}

static SPIPlanPtr
get_plan(const DtReference *reference, DtPlanPurpose purpose, Relation other)
{
	DtPlan		plan = dtmodel_find_plan(reference->key->constraint, purpose, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	append_query(&plan.query, reference, purpose, other);
	return dtmodel_save_plan(&plan,
							 reference->key->ncolumns + (takes_time(purpose) ? 1 : 0),
							 parameter_types(reference));
}

/* The column of our side for column i of the key. */
static AttrNumber
own_column(const DtReference *reference, int i)
{
	return reference->to_child ? reference->key->parent_columns[i] :
		reference->key->child_columns[i];
}

/*
 * The row's values of the key; false if one is null, so that nothing matches.
 */
static bool
key_values(const DtReference *reference, Relation rel, HeapTuple row,
		   Datum *values)
{
	for (int i = 0; i < reference->key->ncolumns; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, own_column(reference, i),
								 RelationGetDescr(rel), &isnull);
		if (isnull)
			return false;
	}
	return true;
}

/*
 * Runs the query for a purpose on the other table, as its owner and with its
 * row-level security not forced.  Returns whether it found or changed a row.
 * The result is in SPI, to which the caller has connected.
 */
bool
dtmodel_query_reference(const DtReference *reference, DtPlanPurpose purpose,
						Relation rel, HeapTuple row, TimestampTz time)
{
	Datum		values[INDEX_MAX_KEYS + 1];
	Relation	other;
	DtOwnerContext owner;

	if (!key_values(reference, rel, row, values))
		return false;
	if (takes_time(purpose))
		values[reference->key->ncolumns] =
			TimestampTzGetDatum(dtmodel_time_for_column(time, &reference->columns.deleted_at));

	other = table_open(reference->other, RowExclusiveLock);
	dtmodel_enter_owner_context(&owner, other);
	dtmodel_run_plan_in_trigger(get_plan(reference, purpose, other), values,
								purpose == DT_PLAN_LIVE_CHILD ? 1 : 0);
	dtmodel_leave_owner_context(&owner);
	table_close(other, NoLock);
	if (SPI_processed == 0)
		SPI_freetuptable(SPI_tuptable);
	return SPI_processed > 0;
}

/*
 * The key of a row on our side, for an error; shown if the caller may read
 * it.
 */
char *
dtmodel_describe_key(const DtReference *reference, Relation rel, HeapTuple row)
{
	const DtForeignKey *key = reference->key;

	return dtmodel_shown_key(rel, key->ncolumns, reference->to_child ?
							 key->parent_columns : key->child_columns, row);
}
