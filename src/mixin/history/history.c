/*-------------------------------------------------------------------------
 *
 * history.c
 *	  The history mixin: every version of a row that has ended, with the time,
 *	  the operation and the actor that ended it.
 *
 * The current version is in the model alone; it is valid from its updated_at
 * on.  So an INSERT costs nothing.  When a row changes, the trigger keeps the
 * old row, which was valid until the new updated_at.
 *
 * With the transaction's clock, a version that the transaction has written
 * itself ends when it began.  No other transaction has seen it, and nothing is
 * kept, unless it would be forgotten how the row was deleted or restored: then
 * a version of no length is kept.  So is what changes without a new
 * updated_at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/history/mixin.h"
#include "mixin/history/past.h"
#include "mixin/history/version.h"
#include "mixin/soft_delete/live.h"
#include "mixin/timestamps/mixin.h"
#include "model/actor.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "model/stamp.h"
#include "server/statement.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* What ends a version. */
static const char updated[] = "update";
static const char deleted[] = "delete";
static const char restored[] = "restore";
static const char hard_deleted[] = "hard_delete";
static const char truncated[] = "truncate";

/* The state of a trigger, created once in each statement. */
typedef struct HistoryState
{
	DtTimestamps timestamps;
	bool		has_soft_delete;
	DtSoftDelete soft_delete;
	DtStamp		stamp;			/* tells whether a row changes */
} HistoryState;

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
	const char *how;
} Departure;

PG_FUNCTION_INFO_V1(dtmodel_history_trigger);
PG_FUNCTION_INFO_V1(dtmodel_history_move_trigger);
PG_FUNCTION_INFO_V1(dtmodel_history_truncate_trigger);

static void
report_no_updated_at(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has a history, but no timestamps",
					RelationGetRelationName(rel)),
			 errdetail("A version is valid from the updated_at of its row on."),
			 errhint("Call %s.add_timestamps(%s), or %s.remove_history(%s).",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	const DtTimestamps *timestamps = dtmodel_timestamps_of(model);
	HistoryState *state = palloc0(sizeof(HistoryState));

	if (dtmodel_history_of(model) == NULL)
		dtmodel_report_unknown_trigger(rel);
	if (timestamps == NULL ||
		!AttributeNumberIsValid(timestamps->updated_at.attnum) ||
		!dtmodel_column_fits(&timestamps->updated_at, &dtmodel_use_time))
		report_no_updated_at(rel);
	state->timestamps = *timestamps;
	if (dtmodel_soft_delete_of(model) != NULL)
	{
		state->has_soft_delete = true;
		state->soft_delete = *dtmodel_soft_delete_of(model);
	}
	dtmodel_init_stamp(&state->stamp, model,
					   &state->timestamps.updated_at.attnum, 1);
	return state;
}

/* Since when a row is valid; a row without a time was always valid. */
TimestampTz
dtmodel_valid_from(const DtTimestamps *timestamps, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		time = heap_getattr(row, timestamps->updated_at.attnum, desc,
									&isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(time);
}

/* Until when a row that is deleted now was valid. */
static TimestampTz
valid_to(const HistoryState *state, TimestampTz from, bool is_ours)
{
	TimestampTz now = dtmodel_read_clock(state->timestamps.clock);

	if (now > from)
		return now;
	return (is_ours && now == from) || TIMESTAMP_NOT_FINITE(from) ? from :
		from + 1;
}

/* Whether the row is soft-deleted. */
static bool
is_deleted(const HistoryState *state, HeapTuple row, TupleDesc desc)
{
	return state->has_soft_delete &&
		dtmodel_is_deleted(&state->soft_delete, row, desc);
}

static const char *
operation(bool was_deleted, bool becomes_deleted)
{
	if (was_deleted == becomes_deleted)
		return updated;
	return becomes_deleted ? deleted : restored;
}

static bool
is_ours(HeapTuple row)
{
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
}

/*
 * Whether the version began in this transaction.  If an UPDATE that changed
 * nothing has written the row, it is the same version as before.
 */
static bool
began_here(HeapTuple row, TimestampTz from)
{
	return is_ours(row) && from >= GetCurrentTransactionStartTimestamp();
}

/*
 * Whether the row may be the result of an UPDATE rather than of an INSERT.  An
 * UPDATE that moves a row inserts it into the other partition.
 */
static bool
was_updated(Relation rel, HeapTuple row)
{
	return (row->t_data->t_infomask & HEAP_UPDATED) != 0 ||
		rel->rd_rel->relispartition;
}

static void
keep(Relation rel, HeapTuple row, TimestampTz from, TimestampTz to,
	 const char *operation)
{
	DtPastVersion version = {
		.row = row,
		.valid_from = from,
		.valid_to = to,
		.operation = operation,
		.ended_by = dtmodel_actor(),
	};

	dtmodel_keep_version(rel, &version);
}

static void
report_time_goes_back(Relation rel, const HistoryState *state,
					  TimestampTz from, TimestampTz to)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table \"%s\" cannot go back",
					NameStr(state->timestamps.updated_at.name),
					RelationGetRelationName(rel)),
			 errdetail("It would go from %s back to %s, and the versions of the row would overlap in its history.",
					   timestamptz_to_str(from), pstrdup(timestamptz_to_str(to))),
			 errhint("Assign a later time, or none."),
			 errtablecol(rel, state->timestamps.updated_at.attnum)));
}

/*
 * Whether an UPDATE that leaves updated_at as it was has changed something
 * that counts.  Only dtmodel.preserve_timestamps, or a trigger that is
 * missing, lets it.
 */
static bool
changes_unnoticed(FunctionCallInfo fcinfo, HistoryState *state)
{
	const TriggerData *trigdata = (const TriggerData *) fcinfo->context;
	DtRow		row = {
		.rel = trigdata->tg_relation,
		.fcinfo = fcinfo,
		.old_tuple = trigdata->tg_trigtuple,
		.tuple = trigdata->tg_newtuple,
	};

	return dtmodel_row_changes(&state->stamp, &row);
}

static void
keep_updated(FunctionCallInfo fcinfo, HistoryState *state)
{
	const TriggerData *trigdata = (const TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	HeapTuple	row = trigdata->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(rel);
	TimestampTz from = dtmodel_valid_from(&state->timestamps, row, desc);
	TimestampTz to = dtmodel_valid_from(&state->timestamps, trigdata->tg_newtuple, desc);
	const char *how = operation(is_deleted(state, row, desc),
								is_deleted(state, trigdata->tg_newtuple, desc));

	if (to < from)
		report_time_goes_back(rel, state, from, to);
	if (to == from &&
		(began_here(row, from) ? how == updated || !was_updated(rel, row) :
		 how == updated && !changes_unnoticed(fcinfo, state)))
		return;
	keep(rel, row, from, to, how);
}

/* Also for a row that TRUNCATE deletes. */
static void
keep_deleted(const HistoryState *state, Relation rel, HeapTuple row,
			 const char *how)
{
	TimestampTz from = dtmodel_valid_from(&state->timestamps, row, RelationGetDescr(rel));
	TimestampTz to = valid_to(state, from, is_ours(row));

	if (to > from || !is_ours(row) || was_updated(rel, row))
		keep(rel, row, from, to, how);
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
note_departure(const TriggerData *trigdata, const HistoryState *state,
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
	departure->how = operation(is_deleted(state, trigdata->tg_trigtuple, desc),
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
static bool
keep_moved(const TriggerData *trigdata, const HistoryState *state)
{
	HeapTuple	row = trigdata->tg_trigtuple;
	TimestampTz from = dtmodel_valid_from(&state->timestamps, row,
										  RelationGetDescr(trigdata->tg_relation));
	Departure	departure;

	if (!HeapTupleHeaderIndicatesMovedPartitions(row->t_data) ||
		!take_departure(trigdata, &departure))
		return false;
	if (departure.valid_from < from)
		report_time_goes_back(trigdata->tg_relation, state, from,
							  departure.valid_from);
	if (departure.valid_from > from || !began_here(row, from))
		keep(trigdata->tg_relation, row, from, departure.valid_from,
			 departure.how);
	return true;
}

/*
 * history_trigger() returns trigger
 *
 * AFTER UPDATE OR DELETE, FOR EACH ROW.  Its arguments, each "key=value":
 * history (the table that holds the past), as_of (the function that shows
 * it), exclude (an array literal of columns that have no past).
 *
 * Writes the version that an UPDATE or DELETE has ended into the history
 * table, as the owner of both tables.  The version was valid from its
 * updated_at to that of the new row; for a DELETE, to the model's clock, but
 * at least a microsecond.  An updated_at that goes back is an error (55000),
 * and so is a model without timestamps (55000), or a history table that lacks
 * a column (42703) or has it with another type (42804).
 */
Datum
dtmodel_history_trigger(PG_FUNCTION_ARGS)
{
	const TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "history_trigger",
													  DT_ON_UPDATE | DT_ON_DELETE |
													  DT_FIRED_AFTER);
	HistoryState *state = dtmodel_trigger_state(fcinfo, make_state);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		keep_updated(fcinfo, state);
	else if (!keep_moved(trigdata, state))
		keep_deleted(state, trigdata->tg_relation, trigdata->tg_trigtuple,
					 state->has_soft_delete ? hard_deleted : deleted);
	return PointerGetDatum(NULL);
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
	const HistoryState *state = dtmodel_trigger_state(fcinfo, make_state);
	TupleTableSlot *new_row = dtmodel_row_moves_out(fcinfo);

	if (new_row != NULL)
		note_departure(trigdata, state, new_row);
	return PointerGetDatum(trigdata->tg_trigtuple);
}

/*
 * TRUNCATE deletes all rows, also those that the transaction's snapshot does
 * not show.
 */
static void
keep_all_rows(Relation rel)
{
	const HistoryState *state = make_state(rel, NULL);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = compat_table_beginscan(rel, snapshot);
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		keep_deleted(state, rel, ExecFetchSlotHeapTuple(slot, false, NULL),
					 truncated);
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
						DTMODEL_SCHEMA)));
	if (dtmodel_as_of != NULL)
		dtmodel_refuse_past_write(trigdata->tg_relation);
	if (trigdata->tg_relation->rd_rel->relkind == RELKIND_RELATION)
		keep_all_rows(trigdata->tg_relation);
	else
		keep_rows_of_partitions(RelationGetRelid(trigdata->tg_relation));

	/* TRUNCATE is not run by the executor. */
	dtmodel_finish_history();
	return PointerGetDatum(NULL);
}
