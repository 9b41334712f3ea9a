/*-------------------------------------------------------------------------
 *
 * row_move.c
 *	  Rows that move from one partition to another.
 *
 * An UPDATE that changes the partition of a row is executed as a DELETE and
 * an INSERT, and fires row triggers for all three: BEFORE UPDATE and then
 * BEFORE DELETE of the same tuple, then BEFORE INSERT into the other
 * partition.  For soft delete the second looks like a deletion, for audit the
 * third looks like a new row.
 *
 * So on partitioned models such a trigger fires on UPDATE and DELETE, too.
 * The row that is being updated is noted, by the trigger or where the new row
 * is projected.  If a trigger then fires in the same statement for a DELETE of
 * that same tuple, it is a move; any other DELETE is a deletion.  A note lasts
 * until the executor goes on to the next row and resets the memory context in
 * which it was made: a later trigger may cancel the UPDATE, and a MERGE may
 * find the row again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "model/row_move.h"
#include "server/statement.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The row that a statement is about to update. */
typedef struct Update
{
	bool		pending;
	Oid			relid;
	ItemPointerData tid;
	TupleTableSlot *new_row;
} Update;

/*
 * A row that a trigger function has seen leave a partition, and not yet
 * arrive.
 */
typedef struct Departure
{
	bool		pending;
	Oid			relid;
	ItemPointerData tid;
} Departure;

static void
forget(void *note)
{
	*(bool *) note = false;
}

/* Sets a note that is cleared when the executor goes on to the next row. */
static void
note_for_row(bool *note)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	*note = true;
	callback->func = forget;
	callback->arg = note;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}

/*
 * Notes that the statement is about to update a row, in a memory context that
 * is reset before its next row.  "new_row" is the executor's slot.
 */
void
dtmodel_note_update(MemoryContext statement, Relation rel, ItemPointer tid,
					TupleTableSlot *new_row)
{
	Update	   *update;

	if (!rel->rd_rel->relispartition)
		return;
	update = dtmodel_make_note(statement, DT_NOTE_UPDATE, InvalidOid,
							   sizeof(Update));
	update->relid = RelationGetRelid(rel);
	update->tid = *tid;
	update->new_row = new_row;
	note_for_row(&update->pending);
}

/*
 * For a BEFORE DELETE trigger: the new row, with the changes of all triggers,
 * if the row moves to another partition; otherwise NULL.
 */
TupleTableSlot *
dtmodel_row_moves_out(FunctionCallInfo fcinfo)
{
	const TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const Update *update;

	if (!trigdata->tg_relation->rd_rel->relispartition)
		return NULL;
	update = dtmodel_find_note(fcinfo->flinfo->fn_mcxt, DT_NOTE_UPDATE,
							   InvalidOid);
	return update != NULL && update->pending &&
		update->relid == RelationGetRelid(trigdata->tg_relation) &&
		ItemPointerEquals((ItemPointer) &update->tid,
						  &trigdata->tg_trigtuple->t_self) ? update->new_row : NULL;
}

/*
 * For a BEFORE DELETE trigger: notes that the row moves to another partition,
 * where the same trigger function calls dtmodel_row_moves_in().
 */
void
dtmodel_note_departure(FunctionCallInfo fcinfo)
{
	const TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Departure  *departure = dtmodel_make_note(fcinfo->flinfo->fn_mcxt,
											  DT_NOTE_MOVE,
											  fcinfo->flinfo->fn_oid,
											  sizeof(Departure));

	departure->relid = RelationGetRelid(trigdata->tg_relation);
	departure->tid = trigdata->tg_trigtuple->t_self;
	note_for_row(&departure->pending);
}

/*
 * For a BEFORE INSERT trigger: whether the row arrives from another
 * partition.
 */
bool
dtmodel_row_moves_in(FunctionCallInfo fcinfo)
{
	Departure  *departure = dtmodel_find_note(fcinfo->flinfo->fn_mcxt,
											  DT_NOTE_MOVE,
											  fcinfo->flinfo->fn_oid);
	bool		moves_in = departure != NULL && departure->pending;

	if (moves_in)
		departure->pending = false;
	return moves_in;
}

/*
 * The value of this column in a row that has moved in, from before the move.
 * The partitions may have their columns in different orders.
 */
Datum
dtmodel_departed_value(FunctionCallInfo fcinfo, const char *column,
					   bool *isnull)
{
	const Departure *departure = dtmodel_find_note(fcinfo->flinfo->fn_mcxt,
												   DT_NOTE_MOVE,
												   fcinfo->flinfo->fn_oid);
	AttrNumber	attnum = get_attnum(departure->relid, column);
	ItemPointerData tid = departure->tid;
	Relation	rel = table_open(departure->relid, NoLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Datum		value = (Datum) 0;

	*isnull = true;
	if (AttributeNumberIsValid(attnum) &&
		table_tuple_fetch_row_version(rel, &tid, SnapshotAny, slot))
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

		value = slot_getattr(slot, attnum, isnull);
		if (!*isnull)
			value = datumCopy(value, att->attbyval, att->attlen);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	return value;
}

/* The events of a trigger that must detect moves. */
const char *
dtmodel_events_with_moves(Relation rel, const char *events)
{
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return events;
	return strcmp(events, "DELETE") == 0 ? "UPDATE OR DELETE" :
		psprintf("%s OR DELETE", events);
}
