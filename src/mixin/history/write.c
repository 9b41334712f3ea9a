/*-------------------------------------------------------------------------
 *
 * write.c
 *	  Writing past versions into the history table, as its owner.
 *
 * No role needs a privilege on the history table to change the model.  Several
 * versions are inserted together, as COPY does, unless the table has triggers
 * or generated columns of the user: then the server inserts one after
 * another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "mixin/history/partition.h"
#include "mixin/history/table.h"
#include "mixin/history/version.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/xid8.h"

static const char *const operations[] = {
	[DT_UPDATED] = "update",
	[DT_DELETED] = "delete",
	[DT_RESTORED] = "restore",
	[DT_HARD_DELETED] = "hard_delete",
	[DT_TRUNCATED] = "truncate",
};

typedef struct Writer
{
	Relation	model;
	Relation	table;			/* the history table, or a partition of it */
	DtHistoryMap map;
	EState	   *estate;
	ResultRelInfo *target;
	TupleDesc	desc;			/* of the history table; not counted, which
								 * costs much with many slots */
	Datum	   *values;			/* of a row of the model */
	bool	   *nulls;
	Datum		transaction_id;
} Writer;

/* Runs in a memory context that lasts until the versions are written. */
static void
open_writer(Writer *writer, Relation model, Relation table)
{
	/* Opening a table may have read the model again. */
	const DtHistory *history = dtmodel_history_of(dtmodel_get_model(model));
	int			natts;

	writer->model = model;
	writer->table = table;
	writer->map = dtmodel_map_history(writer->model, history, writer->table);
	compat_init_range_table(writer->estate, writer->table, NULL);
	writer->target = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->target, writer->table, 1, NULL, 0);
	ExecOpenIndices(writer->target, false);
	writer->desc = CreateTupleDescCopy(RelationGetDescr(writer->table));
	natts = RelationGetNumberOfAttributes(writer->model);
	writer->values = palloc(sizeof(Datum) * natts);
	writer->nulls = palloc(sizeof(bool) * natts);
	writer->transaction_id =
		FullTransactionIdGetDatum(GetTopFullTransactionId());
}

static void
set_own(TupleTableSlot *slot, const DtHistoryMap *map, DtHistoryColumn column,
		Datum value)
{
	slot->tts_values[map->own[column] - 1] = value;
	slot->tts_isnull[map->own[column] - 1] = false;
}

/* Fills the slot with a row of the history table. */
static void
fill_slot(TupleTableSlot *slot, const Writer *writer,
		  const DtPastVersion *version)
{
	const DtHistoryMap *map = &writer->map;
	TupleDesc	desc = RelationGetDescr(writer->model);

	ExecClearTuple(slot);
	memset(slot->tts_values, 0,
		   sizeof(Datum) * slot->tts_tupleDescriptor->natts);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	heap_deform_tuple(version->row, desc, writer->values, writer->nulls);
	for (int i = 0; i < desc->natts; i++)
	{
		int			place = map->places[i] - 1;

		if (place < 0)
			continue;
		slot->tts_values[place] = writer->values[i];
		slot->tts_isnull[place] = writer->nulls[i];
	}
	set_own(slot, map, DT_VALID_FROM, TimestampTzGetDatum(version->valid_from));
	set_own(slot, map, DT_VALID_TO, TimestampTzGetDatum(version->valid_to));
	set_own(slot, map, DT_OPERATION, CStringGetTextDatum(operations[version->operation]));
	set_own(slot, map, DT_ENDED_BY, CStringGetTextDatum(version->ended_by));
	set_own(slot, map, DT_TRANSACTION_ID, writer->transaction_id);
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(writer->table);
}

/* Triggers and generated columns are the server's to deal with. */
static bool
can_insert_together(const Writer *writer)
{
	const TupleConstr *constraints = RelationGetDescr(writer->table)->constr;

	return writer->target->ri_TrigDesc == NULL &&
		(constraints == NULL || !constraints->has_generated_stored);
}

static void
insert_each(const Writer *writer, const DtPastVersion *versions, int count)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(writer->desc, &TTSOpsVirtual);

	AfterTriggerBeginQuery();
	for (int i = 0; i < count; i++)
	{
		fill_slot(slot, writer, &versions[i]);
		ExecSimpleRelationInsert(writer->target, writer->estate, slot);
		ResetPerTupleExprContext(writer->estate);
	}
	AfterTriggerEndQuery(writer->estate);
	ExecResetTupleTable(writer->estate->es_tupleTable, false);
	ExecCloseResultRelations(writer->estate);
}

/*
 * A single version.  The server's own function would check each time that the
 * partition is the right one, for which it has to plan its bounds.
 */
static void
insert_one(const Writer *writer, const DtPastVersion *version)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(writer->desc, &TTSOpsVirtual);

	fill_slot(slot, writer, version);
	if (RelationGetDescr(writer->table)->constr != NULL)
		ExecConstraints(writer->target, slot, writer->estate);
	simple_table_tuple_insert(writer->table, slot);
	if (writer->target->ri_NumIndices > 0)
		compat_insert_index_entries(writer->target, slot, writer->estate);
}

static void
insert_together(const Writer *writer, const DtPastVersion *versions, int count)
{
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * count);
	BulkInsertState bulk = GetBulkInsertState();

	for (int i = 0; i < count; i++)
	{
		slots[i] = MakeSingleTupleTableSlot(writer->desc, &TTSOpsVirtual);
		fill_slot(slots[i], writer, &versions[i]);
		if (RelationGetDescr(writer->table)->constr != NULL)
			ExecConstraints(writer->target, slots[i], writer->estate);
	}
	table_multi_insert(writer->table, slots, count, GetCurrentCommandId(true),
					   0, bulk);
	for (int i = 0; i < count; i++)
	{
		if (writer->target->ri_NumIndices > 0)
			compat_insert_index_entries(writer->target, slots[i], writer->estate);
		ResetPerTupleExprContext(writer->estate);
	}
	FreeBulkInsertState(bulk);
}

/* Writes versions into one table: the history table, or a partition of it. */
static void
write_versions(Relation model, Relation table, const DtPastVersion *versions,
			   int count)
{
	Writer		writer = {.estate = CreateExecutorState()};
	MemoryContext caller = MemoryContextSwitchTo(writer.estate->es_query_cxt);

	open_writer(&writer, model, table);
	if (!can_insert_together(&writer))
		insert_each(&writer, versions, count);
	else if (count == 1)
		insert_one(&writer, versions);
	else
		insert_together(&writer, versions, count);
	ExecCloseIndices(writer.target);
	MemoryContextSwitchTo(caller);
	FreeExecutorState(writer.estate);
}

/*
 * Writes versions of rows of this table, or partition.  As the owner of the
 * history also in partitions of other owners, since these have its triggers
 * and constraints.
 */
void
dtmodel_write_versions(Oid relid, const DtPastVersion *versions, int count)
{
	Relation	model = table_open(relid, NoLock);
	Relation	table = dtmodel_open_history_table(model,
												   dtmodel_history_of(dtmodel_get_model(model)),
												   RowExclusiveLock);
	DtCaller	caller = dtmodel_act_as_owner(table);

	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_write_to_partitions(model, table, versions, count,
									write_versions);
	else
		write_versions(model, table, versions, count);
	dtmodel_act_as(&caller);
	table_close(table, NoLock);
	table_close(model, NoLock);
}
