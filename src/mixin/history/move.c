/*-------------------------------------------------------------------------
 *
 * move.c
 *	  Versions of rows that an UPDATE moves to another partition.
 *
 * The server deletes the row from one partition and inserts it into the other.
 * To its history this is an UPDATE.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mixin/history/ending.h"
#include "mixin/soft_delete/live.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "server/statement.h"
#include "utils/memutils.h"

/* Where a row is.  A hash key, so there is no padding. */
typedef struct Place
{
	Oid			relid;
	BlockNumber block;
	uint32		offset;
} Place;

StaticAssertDecl(sizeof(Place) == 3 * sizeof(uint32), "Place has padding");

/* A row that an UPDATE moves to another partition. */
typedef struct Departure
{
	Place		place;			/* hash key */
	TimestampTz valid_from;		/* of the new row */
	DtOperation operation;
} Departure;

PG_FUNCTION_INFO_V1(dtmodel_history_move_trigger);

/* Whether the row is soft-deleted. */
static bool
is_deleted(const DtHistoryState *state, HeapTuple row, TupleDesc desc)
{
	return state->has_soft_delete &&
		dtmodel_is_deleted(&state->soft_delete, row, desc);
}

/*
 * The rows that are moving.  Those that ON UPDATE CASCADE moves have BEFORE
 * triggers in the statement of the foreign key, and AFTER triggers in the one
 * that changed the parent.  So this is kept with the transaction.
 */
static HTAB **
find_departures(void)
{
	return dtmodel_make_note(TopTransactionContext, DT_NOTE_DEPARTURES,
							 InvalidOid, sizeof(HTAB *));
}

static HTAB *
make_departures(void)
{
	HASHCTL		control = {
		.keysize = sizeof(Place),
		.entrysize = sizeof(Departure),
		.hcxt = TopTransactionContext,
	};

	return hash_create("dtmodel departures", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Place
place_of(const TriggerData *trigdata)
{
	ItemPointer tid = &trigdata->tg_trigtuple->t_self;
	Place		place = {
		.relid = RelationGetRelid(trigdata->tg_relation),
		.block = ItemPointerGetBlockNumber(tid),
		.offset = ItemPointerGetOffsetNumber(tid),
	};

	return place;
}

static void
note_departure(const TriggerData *trigdata, const DtHistoryState *state,
			   TupleTableSlot *new_row)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HTAB	  **departures = find_departures();
	Place		place = place_of(trigdata);
	Departure  *departure;
	bool		should_free;
	HeapTuple	row = ExecFetchSlotHeapTuple(new_row, false, &should_free);

	if (*departures == NULL)
		*departures = make_departures();
	departure = hash_search(*departures, &place, HASH_ENTER, NULL);
	departure->valid_from = dtmodel_valid_from(&state->timestamps, row, desc);
	departure->operation =
		dtmodel_update_operation(is_deleted(state, trigdata->tg_trigtuple, desc),
								 is_deleted(state, row, desc));
	if (should_free)
		heap_freetuple(row);
}

/* What was noted of the row when it began to move. */
static bool
take_departure(const TriggerData *trigdata, Departure *departure)
{
	HTAB	  **departures = find_departures();
	Place		place = place_of(trigdata);
	const Departure *noted = *departures == NULL ? NULL :
		hash_search(*departures, &place, HASH_FIND, NULL);

	if (noted == NULL)
		return false;
	*departure = *noted;
	hash_search(*departures, &place, HASH_REMOVE, NULL);
	if (hash_get_num_entries(*departures) == 0)
	{
		hash_destroy(*departures);
		*departures = NULL;
	}
	return true;
}

/*
 * For a row that its DELETE has only moved to another partition: the server
 * marks the old row.  What was noted of a row that another trigger kept from
 * moving is of no importance.
 */
bool
dtmodel_keep_moved(const TriggerData *trigdata, const DtHistoryState *state)
{
	HeapTuple	row = trigdata->tg_trigtuple;
	Departure	departure;
	DtPastVersion version = {.row = row};

	if (!HeapTupleHeaderIndicatesMovedPartitions(row->t_data) ||
		!take_departure(trigdata, &departure))
		return false;
	version.valid_from = dtmodel_valid_from(&state->timestamps, row,
											RelationGetDescr(trigdata->tg_relation));
	version.valid_to = departure.valid_from;
	version.operation = departure.operation;
	dtmodel_check_time(trigdata->tg_relation, state, version.valid_from,
					   version.valid_to);
	if (version.valid_to > version.valid_from ||
		!dtmodel_began_here(row, version.valid_from))
		dtmodel_keep_version(trigdata->tg_relation, &version);
	return true;
}

/*
 * history_move_trigger() returns trigger
 *
 * BEFORE DELETE, FOR EACH ROW, on a partitioned table.  Notes that an UPDATE
 * moves the row to another partition, so that history_trigger() does not take
 * it for a deletion.
 */
Datum
dtmodel_history_move_trigger(PG_FUNCTION_ARGS)
{
	const TriggerData *trigdata = dtmodel_row_trigger(fcinfo,
													  "history_move_trigger",
													  DT_ON_DELETE);
	const DtHistoryState *state = dtmodel_trigger_state(fcinfo,
														dtmodel_history_state);
	TupleTableSlot *new_row = dtmodel_row_moves_out(fcinfo);

	if (new_row != NULL)
		note_departure(trigdata, state, new_row);
	return PointerGetDatum(trigdata->tg_trigtuple);
}
