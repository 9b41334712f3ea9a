/*-------------------------------------------------------------------------
 *
 * query.c
 *	  The queries of a purge: which rows are still to be purged, and what
 *	  references them.
 *
 * Each query is run for many rows at once, and again for every batch and
 * every level of a tree.  So the plans are saved.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/purge/purge.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "guc.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/soft_delete.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#define CHILD "c"

/*
 * The parameters of all queries: the time ($1), and the places of rows
 * ($2...).
 */
#define CUTOFF "$1"
#define PLACES "$2"

/*
 * Runs a query on rows of one table; the result is SPI's.
 *
 * If the planner knew the places, it would assume that each is on a different
 * page, and scan whole tables for every batch: so all plans are generic.  It
 * would also not use an index on a foreign key while the tables are small or
 * not analyzed, so sequential scans are turned off.  If there is no index,
 * the high cost of the disabled scan would make the server compile the plan
 * by JIT.  And to estimate merge joins, which are not useful here, the
 * planner would read the ends of an index, through the entries of all rows
 * that were purged already.
 */
static void
query_rows(const DtPurge *purge, const DtPlaceSet *set, SPIPlanPtr plan)
{
	Datum		values[] = {
		TimestampTzGetDatum(purge->cutoff),
		dtmodel_places_array(set),
	};
	int			level = NewGUCNestLevel();

	dtmodel_set_guc("enable_seqscan", "off");
	dtmodel_set_guc("enable_mergejoin", "off");
	dtmodel_set_guc("jit", "off");
	dtmodel_run_plan(plan, values, NULL);
	AtEOXact_GUC(true, level);
}

static SPIPlanPtr
save_plan(const DtPlan *plan)
{
	Oid			types[] = {TIMESTAMPTZOID, TIDARRAYOID};

	return dtmodel_save_generic_plan(plan, lengthof(types), types);
}

/* "The row was deleted softly, and long enough ago", as SQL. */
char *
dtmodel_expired_text(const DtSoftDelete *columns, const char *alias)
{
	return psprintf("%s AND %s.%s OPERATOR(pg_catalog.<) %s",
					dtmodel_deleted_text(columns, alias), alias,
					quote_identifier(NameStr(columns->deleted_at.name)),
					columns->deleted_at.typid == TIMESTAMPOID ?
					"pg_catalog.timezone('UTC', " CUTOFF ")" : CUTOFF);
}

static SPIPlanPtr
lock_plan(const DtPurge *purge, Relation rel)
{
	DtPlanPurpose purpose = purge->dry_run ? DT_PLAN_PURGE_LOOK : DT_PLAN_PURGE_LOCK;
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel), purpose, NULL);
	DtSoftDelete columns;

	if (plan.saved != NULL)
		return plan.saved;
	columns = dtmodel_usable_soft_delete(rel);
	appendStringInfo(&plan.query, "SELECT " DT_ROW_ALIAS ".tableoid, " DT_ROW_ALIAS ".ctid FROM ONLY %s AS " DT_ROW_ALIAS
					 " WHERE " DT_ROW_ALIAS ".ctid OPERATOR(pg_catalog.=) ANY (" PLACES ") AND %s%s",
					 dtmodel_qualified_name(rel),
					 dtmodel_expired_text(&columns, DT_ROW_ALIAS),
					 purge->dry_run ? "" : " FOR UPDATE SKIP LOCKED");
	return save_plan(&plan);
}

/*
 * The rows of the set that are still to be purged, locked unless this is a
 * dry run.  A user who may delete a row may lock it; but SELECT ... FOR
 * UPDATE needs the privilege to update, so it is run as the owner of the
 * table.
 */
DtPlaceSet *
dtmodel_lock_rows(const DtPurge *purge, const DtPlaceSet *set)
{
	Relation	rel = dtmodel_open(set->relid, RowExclusiveLock);
	List	   *sets;
	DtCaller	caller;

	caller = dtmodel_act_as_owner(rel);
	query_rows(purge, set, lock_plan(purge, rel));
	dtmodel_act_as(&caller);
	table_close(rel, NoLock);
	sets = dtmodel_returned_rows(1);
	return dtmodel_set_of_table(&sets, set->relid);
}

/* "The child references one of the rows", as SQL. */
static char *
reference_text(const DtPurgeReference *reference)
{
	StringInfoData text;

	initStringInfo(&text);
	dtmodel_append_reference(&text, reference->key, DT_ROW_ALIAS, CHILD);
	return text.data;
}

static SPIPlanPtr
holders_plan(Relation rel, const DtPurgeReference *reference)
{
	DtPlan		plan = dtmodel_find_plan(reference->key->constraint,
										 DT_PLAN_PURGE_HOLDERS, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT " DT_ROW_ALIAS ".tableoid, " DT_ROW_ALIAS ".ctid FROM ONLY %s AS " DT_ROW_ALIAS
					 " WHERE " DT_ROW_ALIAS ".ctid OPERATOR(pg_catalog.=) ANY (" PLACES ")"
					 " AND EXISTS (SELECT FROM %s AS " CHILD " WHERE %s AND (%s) IS NOT TRUE)",
					 dtmodel_qualified_name(rel), reference->child,
					 reference_text(reference),
					 reference->soft ?
					 dtmodel_expired_text(&reference->columns, CHILD) : "false");
	return save_plan(&plan);
}

/*
 * Which of these rows are referenced by others than rows to be purged:
 * tableoid and ctid, in SPI's result.
 */
void
dtmodel_query_holders(const DtPurge *purge, Relation rel, const DtPlaceSet *set,
					  const DtPurgeReference *reference)
{
	query_rows(purge, set, holders_plan(rel, reference));
}

static SPIPlanPtr
children_plan(Relation rel, const DtPurgeReference *reference)
{
	DtPlan		plan = dtmodel_find_plan(reference->key->constraint,
										 DT_PLAN_PURGE_CHILDREN, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT " DT_ROW_ALIAS ".ctid, " CHILD ".tableoid, " CHILD ".ctid"
					 " FROM ONLY %s AS " DT_ROW_ALIAS " JOIN %s AS " CHILD " ON %s"
					 " WHERE " DT_ROW_ALIAS ".ctid OPERATOR(pg_catalog.=) ANY (" PLACES ") AND %s",
					 dtmodel_qualified_name(rel), reference->child,
					 reference_text(reference),
					 dtmodel_expired_text(&reference->columns, CHILD));
	return save_plan(&plan);
}

/*
 * The rows to be purged that reference these rows: the ctid of the referenced
 * row, and tableoid and ctid of the referencing one, in SPI's result.
 */
void
dtmodel_query_children(const DtPurge *purge, Relation rel, const DtPlaceSet *set,
					   const DtPurgeReference *reference)
{
	query_rows(purge, set, children_plan(rel, reference));
}
