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

#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/actor.h"
#include "model/row_trigger.h"
#include "utils/datum.h"
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
make_mark(bool flag, Datum time, bool isnull)
{
	Mark		mark = {.flag = flag,.timed = !isnull};

	if (mark.timed)
		mark.time = DatumGetTimestampTz(time);
	return mark;
}

static Mark
read_old_mark(const DtSoftDelete *columns, const DtRow *row)
{
	bool		isnull;
	Datum		time = dtmodel_old_value(row, columns->deleted_at.attnum, &isnull);

	return make_mark(dtmodel_was_deleted(columns, row), time, isnull);
}

static Mark
read_new_mark(const DtSoftDelete *columns, const DtRow *row)
{
	bool		isnull;
	Datum		time = dtmodel_new_value(row, columns->deleted_at.attnum, &isnull);

	return make_mark(dtmodel_becomes_deleted(columns, row), time, isnull);
}

static void
report_contradiction(Relation rel, const DtSoftDelete *columns)
{
	const char *check = dtmodel_find_soft_delete_check(rel, &columns->flag,
													   &columns->deleted_at);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("cannot restore a row of table \"%s\" and set its time of deletion in the same UPDATE",
					dtmodel_shown_name(rel)),
			 errdetail("The UPDATE sets \"%s\" to %s and \"%s\" to a new time.",
					   NameStr(columns->flag.name),
					   columns->flag_is_live ? "true" : "false",
					   NameStr(columns->deleted_at.name)),
			 errhint("Write one of the two columns; the other one follows."),
			 check != NULL ?
			 errtableconstraint(rel, check) :
			 errtablecol(rel, columns->deleted_at.attnum)));
}

static void
report_refused_write(Relation rel, const DtSoftDelete *columns, bool deleted)
{
	const DtColumn *column = dtmodel_column_is_used(&columns->flag) ?
		&columns->flag : &columns->deleted_at;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("an UPDATE of \"%s\" cannot %s a row of table \"%s\"",
					NameStr(column->name), deleted ? "delete" : "restore",
					dtmodel_shown_name(rel)),
			 errdetail("The model was made with flag_writes => 'error'."),
			 deleted ?
			 errhint("Use DELETE or %s.soft_delete.", DTMODEL_SCHEMA) :
			 errhint("Use %s.restore. An object that was read before the row was deleted must be read again.",
					 DTMODEL_SCHEMA),
			 errtablecol(rel, column->attnum)));
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

static void
set_time(DtRow *row, const DtSoftDelete *columns, bool timed, TimestampTz time)
{
	dtmodel_set_value(row, columns->deleted_at.attnum, TimestampTzGetDatum(time),
					  !timed);
}

/* Deletes or restores the row. */
static void
delete_or_restore(DtRow *row, const DtSoftDelete *columns, const Mark *mark, bool deleted)
{
	TimestampTz time = 0;

	if (deleted && dtmodel_preserve_timestamps && mark->timed)
		time = mark->time;
	else if (deleted)
		time = dtmodel_new_deletion_time(columns);
	if (mark->timed != deleted || (deleted && mark->time != time))
		set_time(row, columns, deleted, time);

	/* Without a flag the mark says what the time says, and so it agrees. */
	if (mark->flag != deleted)
		dtmodel_set_value(row, columns->flag.attnum,
						  BoolGetDatum(deleted != columns->flag_is_live), false);
}

/* Makes flag and time agree with what the UPDATE does to the row. */
static void
match_flag_and_time(DtRow *row, const DtSoftDelete *columns)
{
	Mark		old_mark = read_old_mark(columns, row);
	Mark		mark = read_new_mark(columns, row);
	bool		deleted = is_left_deleted(&old_mark, &mark);
	bool		new_time = mark.timed &&
		(!old_mark.timed || mark.time != old_mark.time);

	if (deleted != old_mark.flag)
	{
		bool		contradicts = !deleted && new_time;

		if ((contradicts || columns->refuses_flag_writes) &&
			!dtmodel_hold_row(row))
			return;
		if (contradicts)
			report_contradiction(row->rel, columns);
		if (columns->refuses_flag_writes)
			report_refused_write(row->rel, columns, deleted);
		delete_or_restore(row, columns, &mark, deleted);
	}
	else if (old_mark.timed && new_time && !dtmodel_preserve_timestamps)
		set_time(row, columns, true, old_mark.time);
}

/*
 * Whether an UPDATE of a live row leaves alone what is in the column, such as a
 * value from before it was the model's.  A MERGE that also deletes fires the
 * trigger for its other actions too.
 */
static bool
is_left_alone(DtRow *row, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(row->rel), attnum - 1);
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value = dtmodel_old_value(row, attnum, &old_isnull);
	Datum		new_value = dtmodel_new_value(row, attnum, &new_isnull);

	return !old_isnull && !new_isnull &&
		datum_image_eq(old_value, new_value, att->attbyval, att->attlen);
}

/* Records who deleted the row, and clears it when the row is restored. */
static void
follow_actor(DtRow *row, const SoftFlagState *state)
{
	AttrNumber	deleted_by = state->columns.deleted_by.attnum;
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (dtmodel_becomes_deleted(&state->columns, row))
	{
		(void) dtmodel_new_value(row, deleted_by, &isnull);
		if (dtmodel_preserve_timestamps && !isnull)
			return;
		if (dtmodel_was_deleted(&state->columns, row))
			value = dtmodel_old_value(row, deleted_by, &isnull);
		else if (dtmodel_actor_is_missing(&state->columns.deleted_by) &&
				 !dtmodel_hold_row(row))
			return;
		else
			value = dtmodel_actor_value(state->deleted_by, &isnull);
	}
	else if (!dtmodel_was_deleted(&state->columns, row) &&
			 is_left_alone(row, deleted_by))
		return;
	dtmodel_set_value(row, deleted_by, value, isnull);
}

static void
follow_update(DtRow *row, void *argument)
{
	SoftFlagState *state = argument;

	if (!dtmodel_is_our_update(row->trigger))
		match_flag_and_time(row, &state->columns);
	if (state->deleted_by != NULL)
		follow_actor(row, state);
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	SoftFlagState *state = palloc0(sizeof(SoftFlagState));

	state->columns = dtmodel_usable_soft_delete(rel);
	if (dtmodel_column_is_used(&state->columns.deleted_by))
		state->deleted_by = dtmodel_make_actor_column(rel,
													  &state->columns.deleted_by,
													  CurrentMemoryContext);
	return state;
}

const DtRowAction dtmodel_soft_delete_flag_action = {
	.function = "soft_delete_flag_trigger",
	.events = DT_ON_UPDATE,
	.make_state = make_state,
	.update = follow_update,
};

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
 * is deleted, and null when it is restored; no UPDATE sets it in a live row.
 * While dtmodel.preserve_timestamps is on, the time and deleted_by that the
 * UPDATE gives are kept.
 *
 * What DELETE, a cascade or restore() assign is correct, and not changed.
 */
Datum
dtmodel_soft_delete_flag_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_soft_delete_flag_action);
}
