/*-------------------------------------------------------------------------
 *
 * truncate.c
 *	  Versions of rows that TRUNCATE deletes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/history/ending.h"
#include "mixin/history/mixin.h"
#include "mixin/history/past.h"
#include "mixin/history/table.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(dtmodel_history_truncate_trigger);

/*
 * TRUNCATE deletes all rows, also those that the transaction's snapshot does
 * not show.
 */
static void
keep_all_rows(Relation rel)
{
	const DtHistoryState *state = dtmodel_history_state(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = compat_table_beginscan(rel, snapshot);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		dtmodel_keep_deleted(state, rel,
							 ExecFetchSlotHeapTuple(slot, false, NULL),
							 DT_TRUNCATED);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
}

static bool
has_truncate_trigger(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	bool		result = dtmodel_find_trigger(rel,
											  &dtmodel_history_triggers[DT_HISTORY_TRUNCATE]) != NULL;

	table_close(rel, NoLock);
	return result;
}

/*
 * The table whose trigger keeps the rows of a partition: the partition itself,
 * or the nearest partitioned table above it that has one.  The server does not
 * give statement triggers to new partitions.
 */
static Oid
keeper_of(Oid partition)
{
	List	   *candidates = lcons_oid(partition, get_partition_ancestors(partition));
	ListCell   *cell;

	foreach(cell, candidates)
	{
		if (has_truncate_trigger(lfirst_oid(cell)))
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/* TRUNCATE has locked all of them. */
static void
keep_rows_of_partitions(Oid relid)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		Relation	rel = table_open(lfirst_oid(cell), NoLock);

		if (rel->rd_rel->relkind == RELKIND_RELATION &&
			keeper_of(RelationGetRelid(rel)) == relid)
			keep_all_rows(rel);
		table_close(rel, NoLock);
	}
}

/*
 * history_truncate_trigger() returns trigger
 *
 * BEFORE TRUNCATE, FOR EACH STATEMENT, on a model and on each of its
 * partitions.  Writes the current version of every row of that table into the
 * history table, and those of the partitions that have no such trigger.
 */
Datum
dtmodel_history_truncate_trigger(PG_FUNCTION_ARGS)
{
	const TriggerData *trigdata = (const TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.history_truncate_trigger must be called as a trigger before TRUNCATE",
						DTMODEL_INTERNAL_SCHEMA)));
	if (dtmodel_as_of != NULL)
		dtmodel_refuse_past_write(trigdata->tg_relation);
	dtmodel_check_can_have_history(trigdata->tg_relation);
	if (trigdata->tg_relation->rd_rel->relkind == RELKIND_RELATION)
		keep_all_rows(trigdata->tg_relation);
	else
		keep_rows_of_partitions(RelationGetRelid(trigdata->tg_relation));

	/* TRUNCATE is not run by the executor. */
	dtmodel_finish_history();
	return PointerGetDatum(NULL);
}
