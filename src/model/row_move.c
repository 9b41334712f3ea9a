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
 * So on partitioned models such a trigger fires on UPDATE and DELETE, too,
 * and notes the row that is being updated.  If the same trigger then fires in
 * the same statement for a DELETE of that same tuple, it is a move; any other
 * DELETE is a deletion.  A note lasts until the executor goes on to the next
 * row and resets the memory context of its triggers: a later trigger may
 * cancel the UPDATE, and a MERGE may find the row again.
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

/* For a BEFORE UPDATE trigger, in the memory context that it is called in. */
void
dtmodel_note_update(DtUpdateNote *note, const TriggerData *trigdata)
{
	note->tid = trigdata->tg_trigtuple->t_self;
	note->new_row = trigdata->tg_newslot;
	note_for_row(&note->made);
}

/* For a BEFORE DELETE trigger: whether the row moves to another partition. */
bool
dtmodel_row_moves_out(DtUpdateNote *note, const TriggerData *trigdata)
{
	return note->made &&
		ItemPointerEquals(&note->tid, &trigdata->tg_trigtuple->t_self);
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
