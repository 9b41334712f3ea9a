/*-------------------------------------------------------------------------
 *
 * soft_flag.c
 *	  Writes to the columns of a soft delete: what follows from them.
 *
 * An application may write is_deleted or deleted_at itself.  Whichever it
 * writes, the other one follows, so that both always say the same.  And
 * whoever writes them, DELETE among others, deleted_by tells who it was.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "dtmodel.h"
#include "mixin/soft_delete.h"
#include "model/actor.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "utils/datum.h"
#include "utils/timestamp.h"

/* What the trigger needs to know, found out once in each statement. */
typedef struct SoftFlagState
{
	DtSoftDelete columns;
	TimestampTz time;			/* 0 until a row needs it */
	DtActorColumn *deleted_by;	/* NULL on a model without it */
} SoftFlagState;

/* What the two columns of one row say. */
typedef struct Mark
{
	bool		flag;			/* the flag says "deleted" */
	bool		timed;			/* there is a time of deletion */
	TimestampTz time;
} Mark;

PG_FUNCTION_INFO_V1(dtmodel_soft_delete_flag_trigger);

static Mark
read_mark(const DtSoftDelete *columns, HeapTuple row, TupleDesc desc)
{
	Mark		mark = {0};
	Datum		value;
	bool		isnull;

	mark.flag = dtmodel_is_deleted(columns, row, desc);
	value = heap_getattr(row, columns->deleted_at.attnum, desc, &isnull);
	mark.timed = !isnull;
	if (mark.timed)
		mark.time = DatumGetTimestampTz(value);
	return mark;
}

static void
report_contradiction(const TriggerData *trigdata, const DtSoftDelete *columns)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a row of table \"%s\" cannot be restored and given a time of deletion at once",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("The UPDATE sets \"%s\" to %s and \"%s\" to a new time.",
					   NameStr(columns->flag.name),
					   columns->flag_is_live ? "true" : "false",
					   NameStr(columns->deleted_at.name)),
			 errhint("Write one of the two columns; the other one follows."),
			 errtable(trigdata->tg_relation)));
}

static HeapTuple
follow_flag(const TriggerData *trigdata, HeapTuple row, SoftFlagState *state,
			bool deleted)
{
	AttrNumber	attnum = state->columns.deleted_at.attnum;

	if (!deleted)
		return dtmodel_store_column(trigdata, row, attnum, (Datum) 0, true);
	if (state->time == 0)
		state->time = dtmodel_deletion_time(&state->columns);
	return dtmodel_store_column(trigdata, row, attnum,
								TimestampTzGetDatum(state->time), false);
}

static HeapTuple
follow_time(const TriggerData *trigdata, HeapTuple row,
			const SoftFlagState *state, bool deleted)
{
	bool		value = (deleted != state->columns.flag_is_live);

	return dtmodel_store_column(trigdata, row, state->columns.flag.attnum,
								BoolGetDatum(value), false);
}

/* The columns disagree: the one that the UPDATE changed is right. */
static HeapTuple
settle_update(const TriggerData *trigdata, HeapTuple row, SoftFlagState *state,
			  const Mark *mark)
{
	Mark		old_mark = read_mark(&state->columns, trigdata->tg_trigtuple,
									 RelationGetDescr(trigdata->tg_relation));
	bool		flag_changed = mark->flag != old_mark.flag;

	if (flag_changed && mark->timed &&
		(!old_mark.timed || mark->time != old_mark.time))
		report_contradiction(trigdata, &state->columns);
	if (flag_changed)
		return follow_flag(trigdata, row, state, mark->flag);
	return follow_time(trigdata, row, state, mark->timed);
}

static HeapTuple
settle_insert(const TriggerData *trigdata, HeapTuple row, SoftFlagState *state,
			  const Mark *mark)
{
	/* A flag that says "live" may be just the default: the time knows more. */
	if (mark->timed)
		return follow_time(trigdata, row, state, true);
	return follow_flag(trigdata, row, state, true);
}

static HeapTuple
settle(const TriggerData *trigdata, HeapTuple row, SoftFlagState *state)
{
	Mark		mark = read_mark(&state->columns, row,
								 RelationGetDescr(trigdata->tg_relation));

	if (mark.flag == mark.timed)
		return row;
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return settle_insert(trigdata, row, state, &mark);
	return settle_update(trigdata, row, state, &mark);
}

/* Writes down who deleted the row, and forgets it when it is restored. */
static HeapTuple
follow_actor(const TriggerData *trigdata, HeapTuple row,
			 const SoftFlagState *state)
{
	AttrNumber	deleted_by = state->columns.deleted_by.attnum;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (!dtmodel_is_deleted(&state->columns, row, desc))
		return dtmodel_store_column(trigdata, row, deleted_by, value, isnull);
	if (dtmodel_preserve_timestamps && !heap_attisnull(row, deleted_by, desc))
		return row;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		dtmodel_is_deleted(&state->columns, trigdata->tg_trigtuple, desc))
		value = heap_getattr(trigdata->tg_trigtuple, deleted_by, desc, &isnull);
	else
		value = dtmodel_actor_value(state->deleted_by, &isnull);
	return dtmodel_store_column(trigdata, row, deleted_by, value, isnull);
}

static SoftFlagState *
get_state(FunctionCallInfo fcinfo, Relation rel)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	SoftFlagState *state = fcinfo->flinfo->fn_extra;

	if (state != NULL)
		return state;

	state = MemoryContextAllocZero(context, sizeof(SoftFlagState));
	state->columns = dtmodel_usable_soft_delete(rel);
	if (dtmodel_column_is_used(&state->columns.deleted_by))
		state->deleted_by = dtmodel_make_actor_column(rel,
													  &state->columns.deleted_by,
													  context);
	fcinfo->flinfo->fn_extra = state;
	return state;
}

/*
 * soft_delete_flag_trigger() returns trigger
 *
 * BEFORE INSERT OR UPDATE OF flag, deleted_at, deleted_by, FOR EACH ROW, with the
 * arguments of soft_delete_trigger.
 *
 * Makes the column that was not written follow the one that was: a flag that
 * is set gives the row the time of this statement, a flag that is taken back
 * clears the time, and a time that is set or cleared moves the flag.  To take
 * the flag back and set a time in one UPDATE is a contradiction (23514).
 * deleted_by, on a model that has it, is who acts when the row is deleted,
 * whatever the statement writes there, and null in a live row.  While
 * dtmodel.preserve_timestamps is on, whom the statement names is kept.
 */
Datum
dtmodel_soft_delete_flag_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "soft_delete_flag_trigger",
												DT_ON_INSERT | DT_ON_UPDATE);
	SoftFlagState *state = get_state(fcinfo, trigdata->tg_relation);
	HeapTuple	row = dtmodel_new_row(trigdata);

	/* A row that comes from another partition was seen to there. */
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) &&
		dtmodel_row_moves_in(trigdata))
		return PointerGetDatum(row);

	row = settle(trigdata, row, state);
	if (state->deleted_by != NULL)
		row = follow_actor(trigdata, row, state);
	return PointerGetDatum(row);
}
