/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  Deleting versions from a history that ended a while ago.
 *
 * Partitions that have nothing but such versions are dropped as a whole.  For
 * the rest it works as purge() does: one scan lists the places of the versions,
 * and each batch checks again what is at its places.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/history/past.h"
#include "api/purge/purge.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/history/partition.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_purge_history);

#define ENDED "v.valid_to OPERATOR(pg_catalog.<) $1"

#define WHY "Versions are purged by age, whichever rows they belong to."

/* Checks the privileges. */
static DtPast
open_history(DtPurge *purge)
{
	Relation	rel = dtmodel_open(purge->model, AccessShareLock);
	DtPast		past = dtmodel_open_past(rel);

	dtmodel_check_may_purge(rel, "purge the history of");
	dtmodel_check_sees_all(rel, WHY, "purge_history");
	dtmodel_check_sees_all(past.table, WHY, "purge_history");
	return past;
}

static void
close_history(const DtPast *past)
{
	dtmodel_close_past(past);
	table_close(past->rel, AccessShareLock);
}

/* The partitions that have nothing but versions that ended long ago. */
static List *
old_partitions(const DtPurge *purge, const DtPast *past)
{
	List	   *tables = NIL;
	ListCell   *cell;

	if (past->table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NIL;
	dtmodel_check_partition_key(past->table);
	foreach(cell, dtmodel_partitions_before(past->table, purge->cutoff))
	{
		if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_FOREIGN_TABLE)
			tables = lappend_oid(tables, lfirst_oid(cell));
	}
	return tables;
}

static void
report_partition(const DtPurge *purge, const char *table, const char *partition)
{
	ereport(NOTICE,
			(errmsg("table \"%s\": %s partition \"%s\"", table,
					purge->dry_run ? "would drop" : "dropped", partition)));
}

static void
drop_partition(Oid partition)
{
	Relation	rel = table_open(partition, AccessExclusiveLock);
	char	   *name = dtmodel_qualified_name(rel);
	DtCaller	caller = dtmodel_act_as_owner(rel);

	table_close(rel, NoLock);
	(void) SPI_execute(psprintf("DROP TABLE %s", name), false, 0);
	dtmodel_act_as(&caller);
}

/*
 * Drops the oldest of the partitions, in a transaction of its own; false if
 * there is none.  Under the lock that DROP needs what is old is looked up
 * again: the owner may have detached it meanwhile, to keep it.  The model is
 * locked before its history, as by commands that change both.
 */
static bool
drop_oldest(DtPurge *purge)
{
	DtPast		past;
	Oid			table;
	List	   *old;
	char	   *name;

	LockRelationOid(purge->model, AccessShareLock);
	past = open_history(purge);
	table = RelationGetRelid(past.table);
	old = old_partitions(purge, &past);
	close_history(&past);
	if (old == NIL)
		return false;
	LockRelationOid(table, AccessExclusiveLock);
	past = open_history(purge);
	name = pstrdup(RelationGetRelationName(past.table));
	old = RelationGetRelid(past.table) == table ?
		old_partitions(purge, &past) : NIL;
	close_history(&past);
	if (old != NIL)
	{
		char	   *partition = get_rel_name(linitial_oid(old));

		drop_partition(linitial_oid(old));
		report_partition(purge, name, partition);
	}
	SPI_commit();
	return true;
}

/* Says what would be dropped, and returns these tables as an array. */
static Datum
report_old_partitions(const DtPurge *purge, const DtPast *past)
{
	List	   *tables = NIL;
	Datum	   *oids;
	int			count = 0;
	ListCell   *cell;

	foreach(cell, purge->dry_run ? old_partitions(purge, past) : NIL)
	{
		report_partition(purge, RelationGetRelationName(past->table),
						 get_rel_name(lfirst_oid(cell)));
		tables = list_concat(tables, find_all_inheritors(lfirst_oid(cell),
														 AccessShareLock, NULL));
	}
	oids = palloc(sizeof(Datum) * Max(list_length(tables), 1));
	foreach(cell, tables)
		oids[count++] = ObjectIdGetDatum(lfirst_oid(cell));
	return PointerGetDatum(construct_array(oids, count, OIDOID, sizeof(Oid), true,
										   TYPALIGN_INT));
}

/* Lists the versions as the owner of the history. */
static Portal
open_list(DtPurge *purge)
{
	DtPast		past = open_history(purge);
	Oid			types[] = {TIMESTAMPTZOID, OIDARRAYOID};
	Datum		values[] = {
		TimestampTzGetDatum(purge->cutoff),
		report_old_partitions(purge, &past),
	};
	DtCaller	caller;
	Portal		list;

	purge->table = MemoryContextStrdup(purge->context,
									   RelationGetRelationName(past.table));
	caller = dtmodel_act_as_owner(past.table);
	list = SPI_cursor_open_with_args(NULL,
									 psprintf(DT_OWN_QUERY "SELECT v.tableoid, v.ctid FROM %s AS v WHERE " ENDED
											  " AND v.tableoid OPERATOR(pg_catalog.<>) ALL ($2)",
											  dtmodel_qualified_name(past.table)),
									 lengthof(values), types, values, NULL,
									 false, CURSOR_OPT_SCROLL);
	dtmodel_act_as(&caller);
	close_history(&past);
	return list;
}

/* If the planner knew the places, it would expect each on another page. */
static SPIPlanPtr
purge_plan(Relation table)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(table),
										 DT_PLAN_PURGE_PAST, NULL);
	Oid			types[] = {TIMESTAMPTZOID, TIDARRAYOID};

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "DELETE FROM ONLY %s AS v WHERE v.ctid OPERATOR(pg_catalog.=) ANY ($2) AND " ENDED,
					 dtmodel_qualified_name(table));
	return dtmodel_save_generic_plan(&plan, lengthof(types), types);
}

/* Since the list was made, the owner may have detached it, to keep it. */
static bool
is_of_history(DtPurge *purge, Oid table)
{
	DtPast		past = open_history(purge);
	List	   *tables = find_all_inheritors(RelationGetRelid(past.table), NoLock,
											 NULL);

	close_history(&past);
	return list_member_oid(tables, table);
}

/* Deletes the versions at these places of one table. */
static void
purge_versions(DtPurge *purge, const DtPlaceSet *set)
{
	Relation	table = dtmodel_try_open(set->relid, RowExclusiveLock);
	Datum		values[] = {
		TimestampTzGetDatum(purge->cutoff),
		dtmodel_places_array(set),
	};
	DtCaller	caller;

	/* It may have been dropped since. */
	if (table == NULL)
		return;
	if (is_of_history(purge, set->relid))
	{
		caller = dtmodel_act_as_root_owner(table);
		dtmodel_run_plan(purge_plan(table), values, NULL);
		purge->done += SPI_processed;
		dtmodel_act_as(&caller);
	}
	table_close(table, NoLock);
}

static bool
purge_batch(DtPurge *purge, Portal list)
{
	uint64		versions;
	ListCell   *cell;

	SPI_connect();
	SPI_cursor_fetch(list, true, purge->batch_size);
	versions = SPI_processed;
	foreach(cell, dtmodel_returned_rows(1))
		purge_versions(purge, lfirst(cell));
	SPI_finish();
	purge->looked_at += versions;
	if (versions == 0)
		return false;
	SPI_commit();
	dtmodel_report_purge(purge, false);
	return true;
}

/*
 * CALL purge_history(model regclass, older_than interval,
 *					  batch_size int DEFAULT 1000, dry_run boolean DEFAULT false)
 *
 * Deletes the versions that ended longer ago than older_than from the history
 * of the table, in batches of batch_size versions, each in a separate
 * transaction.  A partition that has no others is dropped, which a NOTICE says.
 * What is left is complete from that time on.  A dry run says
 * what would be done.  An error for a NULL (22004), for a batch size or an age
 * that is out of range (22023), in a transaction block (25001), for a table
 * without a history and for a partition (42809), and without the DELETE and
 * TRUNCATE privileges on the table or if a policy applies to the caller
 * (42501).
 *
 * Source: none; the reference documents keep everything.
 */
Datum
dtmodel_purge_history(PG_FUNCTION_ARGS)
{
	DtPurge		purge = dtmodel_begin_purge(fcinfo, "purge_history", "past versions");
	Portal		list;

	while (!purge.dry_run && drop_oldest(&purge))
		CHECK_FOR_INTERRUPTS();
	list = open_list(&purge);
	dtmodel_count_purge_list(&purge, list);
	if (purge.dry_run)
		purge.done = purge.total;
	else
	{
		while (purge_batch(&purge, list))
			CHECK_FOR_INTERRUPTS();
	}
	UnpinPortal(list);
	SPI_cursor_close(list);
	dtmodel_report_purge(&purge, true);
	SPI_finish();
	PG_RETURN_VOID();
}
