/*-------------------------------------------------------------------------
 *
 * history.c
 *	  The history mixin: every version of a row that has ended, with the time,
 *	  the operation and the actor that ended it.
 *
 * The current version is in the model alone; it is valid from its updated_at
 * on.  So an INSERT costs nothing.  When a row changes, the old row is kept,
 * which was valid until the new updated_at.
 *
 * The trigger does it after the event, when it is certain that the row was
 * changed, but the server has to fetch both rows again.  Where the executor
 * projects the new row of an UPDATE, both are at hand: the old one is noted
 * there, and kept when the new one was stored.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mixin/history/ending.h"
#include "mixin/history/mixin.h"
#include "mixin/soft_delete/live.h"
#include "model/actor.h"
#include "model/row_trigger.h"

PG_FUNCTION_INFO_V1(dtmodel_history_trigger);

static void
make_stamp(DtHistoryState *state, Relation rel)
{
	MemoryContext caller = MemoryContextSwitchTo(state->context);

	state->stamp = palloc0(sizeof(DtStamp));
	dtmodel_init_stamp(state->stamp, dtmodel_get_model(rel),
					   &state->timestamps.updated_at.attnum, 1);
	MemoryContextSwitchTo(caller);
}

/*
 * Whether an UPDATE that leaves updated_at as it was has changed something
 * that counts.  That is possible with dtmodel.preserve_timestamps, without the
 * trigger of the timestamps, and if the time cannot grow.
 */
static bool
changes_unnoticed(DtHistoryState *state, const DtRow *row, TimestampTz time)
{
	if (row->is_timed && !TIMESTAMP_NOT_FINITE(time))
		return false;
	if (state->stamp == NULL)
		make_stamp(state, row->rel);
	return dtmodel_row_changes(state->stamp, row);
}

static DtOperation
operation(const DtHistoryState *state, const DtRow *row)
{
	if (!state->has_soft_delete)
		return DT_UPDATED;
	return dtmodel_update_operation(dtmodel_was_deleted(&state->soft_delete, row),
									dtmodel_becomes_deleted(&state->soft_delete, row));
}

static TimestampTz
new_valid_from(const DtHistoryState *state, const DtRow *row)
{
	bool		isnull;
	Datum		time = dtmodel_new_value(row, state->timestamps.updated_at.attnum,
										 &isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(time);
}

/*
 * The version that an UPDATE of the row ends; false if nothing of it is kept.
 */
static bool
find_version(DtHistoryState *state, const DtRow *row, DtPastVersion *version)
{
	version->row = dtmodel_old_row(row);
	version->ended_by = NULL;
	version->valid_from = dtmodel_valid_from(&state->timestamps, version->row,
											 RelationGetDescr(row->rel));
	version->valid_to = new_valid_from(state, row);
	version->operation = operation(state, row);
	if (version->valid_to != version->valid_from)
		return true;
	if (dtmodel_began_here(version->row, version->valid_from))
		return version->operation != DT_UPDATED &&
			dtmodel_was_updated(row->rel, version->row);
	return version->operation != DT_UPDATED ||
		changes_unnoticed(state, row, version->valid_from);
}

static void
keep_updated(const DtHistoryState *state, Relation rel,
			 const DtPastVersion *version)
{
	dtmodel_check_time(rel, state, version->valid_from, version->valid_to);
	dtmodel_keep_version(rel, version);
}

/*
 * The actor of the row that is projected.  When its version is kept, another
 * trigger may have set another actor.
 */
static const char *
noted_actor(DtHistoryState *state)
{
	const char *actor = dtmodel_actor();

	if (state->actor != NULL && strcmp(state->actor, actor) == 0)
		return state->actor;
	if (state->actor != NULL)
		pfree(state->actor);
	state->actor = MemoryContextStrdup(state->context, actor);
	return state->actor;
}

static bool
note_version(DtRow *row, void *argument)
{
	DtHistoryState *state = argument;

	if (!find_version(state, row, &state->pending))
		return false;
	state->pending.ended_by = noted_actor(state);
	return true;
}

static void
keep_noted_version(Relation rel, TupleTableSlot *old_slot, void *argument)
{
	DtHistoryState *state = argument;

	state->pending.row = ExecFetchSlotHeapTuple(old_slot, false, NULL);
	keep_updated(state, rel, &state->pending);
}

const DtRowAction dtmodel_history_action = {
	.function = "history_trigger",
	.events = DT_ON_UPDATE | DT_ON_DELETE | DT_FIRED_AFTER,
	.only_assigned = true,
	.make_state = dtmodel_history_state,
	.note_update = note_version,
	.after_update = keep_noted_version,
};

static void
keep_old_row(FunctionCallInfo fcinfo, DtHistoryState *state)
{
	const TriggerData *trigdata = (const TriggerData *) fcinfo->context;
	DtRow		row = {
		.rel = trigdata->tg_relation,
		.fcinfo = fcinfo,
		.old_tuple = trigdata->tg_trigtuple,
		.tuple = trigdata->tg_newtuple,
	};
	DtPastVersion version;

	if (find_version(state, &row, &version))
		keep_updated(state, row.rel, &version);
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
	const TriggerData *trigdata = dtmodel_row_trigger(fcinfo,
													  dtmodel_history_action.function,
													  dtmodel_history_action.events);
	Relation	rel = trigdata->tg_relation;
	DtHistoryState *state = dtmodel_trigger_state(fcinfo, dtmodel_history_state);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		keep_old_row(fcinfo, state);
	else if (!dtmodel_keep_moved(trigdata, state))
		dtmodel_keep_deleted(state, rel, trigdata->tg_trigtuple,
							 state->has_soft_delete ? DT_HARD_DELETED : DT_DELETED);
	return PointerGetDatum(NULL);
}
