/*-------------------------------------------------------------------------
 *
 * history.c
 *	  Deleting versions from a history that ended a while ago.
 *
 * It works as purge() does: one scan lists the places of the versions, and
 * each batch checks again what is at its places.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/history/past.h"
#include "api/purge/purge.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_purge_history);

#define ENDED "v.valid_to OPERATOR(pg_catalog.<) $1"

#define WHY "Versions are purged by their age, whichever rows they are of."

/* Checks the privileges, and lists the versions as the owner of the history. */
static Portal
open_list(DtPurge *purge)
{
	Relation	rel = dtmodel_open(purge->model, AccessShareLock);
	DtPast		past = dtmodel_open_past(rel);
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(purge->cutoff)};
	DtCaller	caller;
	Portal		list;

	dtmodel_check_may_purge(rel, "purge the history of");
	dtmodel_check_sees_all(rel, WHY, "purge_history");
	dtmodel_check_sees_all(past.table, WHY, "purge_history");
	purge->table = MemoryContextStrdup(purge->context,
									   RelationGetRelationName(past.table));
	caller = dtmodel_act_as_owner(past.table);
	list = SPI_cursor_open_with_args(NULL,
									 psprintf(DT_OWN_QUERY "SELECT v.tableoid, v.ctid FROM %s AS v WHERE " ENDED,
											  dtmodel_qualified_name(past.table)),
									 lengthof(values), types, values, NULL,
									 false, CURSOR_OPT_SCROLL);
	dtmodel_act_as(&caller);
	dtmodel_close_past(&past);
	table_close(rel, AccessShareLock);
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
	caller = dtmodel_act_as_owner(table);
	dtmodel_run_plan(purge_plan(table), values, NULL);
	purge->done += SPI_processed;
	dtmodel_act_as(&caller);
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
 * transaction.  What is left is complete from that time on.  A dry run says
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
	Portal		list = open_list(&purge);

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
