/*-------------------------------------------------------------------------
 *
 * flag.c
 *	  Soft delete and restore by an UPDATE of the flag or the time.
 *
 * An application may assign is_deleted or deleted_at itself.  If that flips
 * the row, it is a deletion or a restore like any other: the other column
 * follows, the time is the transaction's, and deleted_by records the actor.
 * Other changes of these columns are reverted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/actor.h"
#include "model/row_trigger.h"
#include "model/stamp.h"
#include "utils/timestamp.h"

/* The state of the trigger, created once in each statement. */
typedef struct SoftFlagState
{
	DtSoftDelete columns;
	DtActorColumn *deleted_by;	/* NULL: the model does without it */
} SoftFlagState;

/* The values of the flag and the time in one row. */
typedef struct Mark
{
	bool		flag;			/* the flag means "deleted" */
	bool		timed;			/* the time is not null */
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
	const char *check = dtmodel_find_soft_delete_check(trigdata->tg_relation, &columns->flag,
													   &columns->deleted_at);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a row of table \"%s\" cannot be restored and given a time of deletion at once",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("The UPDATE sets \"%s\" to %s and \"%s\" to a new time.",
					   NameStr(columns->flag.name),
					   columns->flag_is_live ? "true" : "false",
					   NameStr(columns->deleted_at.name)),
			 errhint("Write one of the two columns; the other one follows."),
			 check != NULL ?
			 errtableconstraint(trigdata->tg_relation, check) :
			 errtablecol(trigdata->tg_relation, columns->deleted_at.attnum)));
}

static void
report_flip(const TriggerData *trigdata, const DtSoftDelete *columns,
			bool deleted)
{
	const DtColumn *column = dtmodel_column_is_used(&columns->flag) ?
		&columns->flag : &columns->deleted_at;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("an UPDATE of \"%s\" cannot %s a row of table \"%s\"",
					NameStr(column->name), deleted ? "delete" : "restore",
					RelationGetRelationName(trigdata->tg_relation)),
			 errdetail("The model was made with flag_writes => 'error'."),
			 deleted ?
			 errhint("Use DELETE or %s.soft_delete.", DTMODEL_SCHEMA) :
			 errhint("Use %s.restore. An object that was read before the row was deleted must be read again.",
					 DTMODEL_SCHEMA),
			 errtablecol(trigdata->tg_relation, column->attnum)));
}

/*
 * Whether the UPDATE leaves the row deleted.  The column that it changes
 * decides, or the flag if it changes both.
 */
static bool
is_left_deleted(const Mark *old_mark, const Mark *mark)
{
	if (mark->flag != old_mark->flag)
		return mark->flag;
	if (mark->timed != old_mark->timed)
		return mark->timed;
	return old_mark->flag;
}

static HeapTuple
store_flag(const TriggerData *trigdata, HeapTuple row,
		   const DtSoftDelete *columns, bool deleted)
{
	return dtmodel_store_column(trigdata, row, columns->flag.attnum,
								BoolGetDatum(deleted != columns->flag_is_live),
								false);
}

static HeapTuple
store_time(const TriggerData *trigdata, HeapTuple row,
		   const DtSoftDelete *columns, bool timed, TimestampTz time)
{
	return dtmodel_store_column(trigdata, row, columns->deleted_at.attnum,
								TimestampTzGetDatum(time), !timed);
}

/* Deletes or restores the row. */
static HeapTuple
flip(const TriggerData *trigdata, HeapTuple row, const DtSoftDelete *columns,
	 const Mark *mark, bool deleted)
{
	TimestampTz time = 0;

	if (deleted && dtmodel_preserve_timestamps && mark->timed)
		time = mark->time;
	else if (deleted)
		time = dtmodel_new_deletion_time(columns);
	if (mark->timed != deleted || (deleted && mark->time != time))
		row = store_time(trigdata, row, columns, deleted, time);
	if (mark->flag != deleted && dtmodel_column_is_used(&columns->flag))
		row = store_flag(trigdata, row, columns, deleted);
	return row;
}

/* Makes flag and time agree with what the UPDATE does to the row. */
static HeapTuple
settle(const TriggerData *trigdata, HeapTuple row, const DtSoftDelete *columns)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Mark		old_mark = read_mark(columns, trigdata->tg_trigtuple, desc);
	Mark		mark = read_mark(columns, row, desc);
	bool		deleted = is_left_deleted(&old_mark, &mark);
	bool		new_time = mark.timed &&
		(!old_mark.timed || mark.time != old_mark.time);

	if (deleted != old_mark.flag)
	{
		if (!deleted && new_time)
			report_contradiction(trigdata, columns);
		if (columns->refuses_flag_writes)
			report_flip(trigdata, columns, deleted);
		return flip(trigdata, row, columns, &mark, deleted);
	}
	if (old_mark.timed && new_time && !dtmodel_preserve_timestamps)
		return store_time(trigdata, row, columns, true, old_mark.time);
	return row;
}

/* Records who deleted the row, and clears it when the row is restored. */
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
	if (dtmodel_is_deleted(&state->columns, trigdata->tg_trigtuple, desc))
		value = heap_getattr(trigdata->tg_trigtuple, deleted_by, desc, &isnull);
	else
		value = dtmodel_actor_value(state->deleted_by, &isnull);
	return dtmodel_store_column(trigdata, row, deleted_by, value, isnull);
}

static void *
make_state(const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	SoftFlagState *state = palloc0(sizeof(SoftFlagState));

	state->columns = dtmodel_usable_soft_delete(rel);
	if (dtmodel_column_is_used(&state->columns.deleted_by))
		state->deleted_by = dtmodel_make_actor_column(rel,
													  &state->columns.deleted_by,
													  CurrentMemoryContext);
	return state;
}

/*
 * soft_delete_flag_trigger() returns trigger
 *
 * BEFORE UPDATE OF flag, deleted_at, deleted_by, FOR EACH ROW, with the
 * arguments of soft_delete_trigger.
 *
 * An UPDATE that sets or clears one of flag and time deletes or restores the
 * row: the other column follows, and a row that is deleted gets the time of
 * the transaction, whatever the UPDATE assigns.  To clear the flag and set a
 * time in one UPDATE is an error (23514).  A row that is deleted already
 * keeps its time.  With flag_writes=error the UPDATE cannot delete or restore
 * (55000).  deleted_by, on a model that has it, is the actor when the row
 * is deleted, and null in a live row.  While dtmodel.preserve_timestamps
 * is on, the time and deleted_by that the UPDATE gives are kept.
 *
 * What DELETE, a cascade or restore() assign is correct, and not changed.
 */
Datum
dtmodel_soft_delete_flag_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "soft_delete_flag_trigger",
												DT_ON_UPDATE);
	SoftFlagState *state = dtmodel_trigger_state(fcinfo, make_state);
	HeapTuple	row = dtmodel_new_row(trigdata);

	if (!dtmodel_is_our_update(trigdata))
		row = settle(trigdata, row, &state->columns);
	if (state->deleted_by != NULL)
		row = follow_actor(trigdata, row, state);
	return PointerGetDatum(row);
}
