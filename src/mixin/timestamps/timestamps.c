/*-------------------------------------------------------------------------
 *
 * timestamps.c
 *	  The timestamp mixin: created_at and updated_at.
 *
 * A new row gets its times from the DEFAULT of the columns, unless INSERT
 * gives them; with on_insert "stamp" the trigger overrides what INSERT gives.
 * Afterwards created_at keeps its value, whatever an UPDATE assigns, and
 * updated_at is set to the clock when the row changes, but always forward.
 * Columns of type timestamp without time zone hold UTC; then both types have
 * the same representation.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/timestamps/default.h"
#include "mixin/timestamps/mixin.h"
#include "mixin/timestamps/timestamps.h"
#include "model/inheritance.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "model/sender.h"
#include "model/stamp.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The state of the trigger, created once in each statement. */
typedef struct TimestampsState
{
	DtStamp		stamp;			/* for created_at and updated_at */
	DtTimestamps columns;
	bool		is_shard;		/* of a table of Citus, where new rows were
								 * stamped before they were sent to it */
} TimestampsState;

PG_FUNCTION_INFO_V1(dtmodel_timestamps_trigger);
PG_FUNCTION_INFO_V1(dtmodel_add_timestamps);
PG_FUNCTION_INFO_V1(dtmodel_remove_timestamps);

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	TimestampsState *state = palloc0(sizeof(TimestampsState));
	AttrNumber	written[2];

	if (dtmodel_timestamps_of(model) == NULL)
		dtmodel_report_unknown_trigger(rel);
	state->columns = *dtmodel_timestamps_of(model);
	dtmodel_check_mixin_columns(rel, &dtmodel_timestamps_mixin, &state->columns);
	state->is_shard = dtmodel_is_shard(&model->citus);
	written[0] = state->columns.created_at.attnum;
	written[1] = state->columns.updated_at.attnum;
	dtmodel_init_stamp(&state->stamp, model, written, lengthof(written));
	return state;
}

/* The time that a row gets when it changes now. */
TimestampTz
dtmodel_read_clock(DtClock clock)
{
	switch (clock)
	{
		case DT_CLOCK_TRANSACTION:
			break;
		case DT_CLOCK_STATEMENT:
			return dtmodel_statement_time();
		case DT_CLOCK_CLOCK:
			return GetCurrentTimestamp();
	}
	return dtmodel_transaction_time();
}

static void
set_time(DtRow *row, const DtColumn *column, TimestampTz time)
{
	dtmodel_set_value(row, column->attnum,
					  TimestampTzGetDatum(dtmodel_time_for_column(time, column)), false);
}

static void
stamp_new_row(DtRow *row, void *argument)
{
	const TimestampsState *state = argument;
	const DtTimestamps *columns = &state->columns;
	TimestampTz now;

	if (!columns->stamps_inserts || state->is_shard)
		return;
	now = dtmodel_read_clock(columns->clock);
	if (dtmodel_column_is_used(&columns->created_at))
		set_time(row, &columns->created_at, now);
	if (dtmodel_column_is_used(&columns->updated_at))
		set_time(row, &columns->updated_at, now);
}

/* Restores the old value of created_at. */
static void
pin_created_at(DtRow *row, const DtColumnPair *created_at)
{
	if (created_at->new_isnull ||
		DatumGetTimestampTz(created_at->old_value) !=
		DatumGetTimestampTz(created_at->new_value))
		dtmodel_set_pair(row, created_at, created_at->old_value);
}

/*
 * The earliest time that an UPDATE may set.  A transaction that began earlier
 * may update later, and clocks are set back: a client that polls for newer
 * rows must not miss this one.  And no two transactions leave the same time in
 * a row, where the column can tell them apart, so the time identifies what
 * others have read.  That the transaction has written the old row does not say
 * that its time is new: the UPDATE may have changed nothing.
 */
static TimestampTz
earliest_update(const DtRow *row, const DtColumn *column, TimestampTz former,
				TimestampTz now)
{
	if (TIMESTAMP_NOT_FINITE(former) || !dtmodel_is_precise(column) ||
		(former == now && dtmodel_old_row_is_ours(row)))
		return former;
	return former + 1;
}

static void
move_updated_at(DtRow *row, const DtTimestamps *columns,
				const DtColumnPair *updated_at)
{
	TimestampTz time = dtmodel_time_for_column(dtmodel_read_clock(columns->clock),
											   &columns->updated_at);
	TimestampTz former = DatumGetTimestampTz(updated_at->old_value);

	if (!updated_at->old_isnull && former >= time)
		time = earliest_update(row, &columns->updated_at, former, time);
	dtmodel_set_pair(row, updated_at, TimestampTzGetDatum(time));
}

static void
stamp_changed_row(DtRow *row, void *argument)
{
	TimestampsState *state = argument;
	bool		changed = dtmodel_row_changes(&state->stamp, row);
	const DtColumnPair *created_at = &state->stamp.pairs[0];
	const DtColumnPair *updated_at = &state->stamp.pairs[1];

	if (!created_at->old_isnull)
		pin_created_at(row, created_at);
	if (changed && dtmodel_column_is_used(&state->columns.updated_at))
		move_updated_at(row, &state->columns, updated_at);
}

const DtRowAction dtmodel_timestamps_action = {
	.function = "timestamps_trigger",
	.events = DT_ON_INSERT | DT_ON_UPDATE | DT_ON_DELETE,
	.stamps = true,
	.times_changes = true,
	.make_state = make_state,
	.insert = stamp_new_row,
	.update = stamp_changed_row,
};

/*
 * timestamps_trigger() returns trigger
 *
 * BEFORE UPDATE, FOR EACH ROW, or BEFORE INSERT OR UPDATE.  Its arguments,
 * each "key=value": created_at, updated_at (names of columns, of type
 * timestamptz, or timestamp in UTC), clock (transaction, statement or clock),
 * ignore_columns (an array literal of columns whose changes do not set
 * updated_at), on_insert (stamp).
 *
 * INSERT sets both columns if on_insert is stamp.  UPDATE restores the value
 * of created_at, unless it was null, and sets updated_at if a column that
 * counts changes.  An assignment to updated_at counts as a change, but the
 * value is that of the clock.  A row that an UPDATE moves to another
 * partition is not treated as a new row there.  While
 * dtmodel.preserve_timestamps is on, the row is not changed.  A column that
 * does not exist (42703) or has another type (42804) is an error.
 *
 * Source: TimestampMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_timestamps_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_timestamps_action);
}

static void
check_request(const DtTimestampsRequest *request)
{
	if (request->created_at == NULL && request->updated_at == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timestamps need at least one column"),
				 errhint("Name created_at, updated_at or both.")));
	dtmodel_check_different(request->created_at, "created_at",
							request->updated_at, "updated_at");
}

static void
check_ignored_columns(Relation rel, ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			nnames;

	if (array == NULL)
		return;
	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, &nulls, &nnames);
	for (int i = 0; i < nnames; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("ignore_columns must not contain nulls")));
		dtmodel_check_listed_column(rel, NameStr(*DatumGetName(names[i])),
									"ignore_columns");
	}
}

static List *
trigger_options(const DtTimestampsRequest *request)
{
	List	   *options = NIL;

	if (request->created_at != NULL)
		options = lappend(options, psprintf("created_at=%s", request->created_at));
	if (request->updated_at != NULL)
		options = lappend(options, psprintf("updated_at=%s", request->updated_at));
	if (request->ignore_columns != NULL && ARR_NDIM(request->ignore_columns) > 0)
		options = lappend(options, psprintf("ignore_columns=%s",
											OidOutputFunctionCall(F_ARRAY_OUT,
																  PointerGetDatum(request->ignore_columns))));
	if (request->clock != DT_CLOCK_TRANSACTION)
		options = lappend(options, psprintf("clock=%s",
											dtmodel_clock_name(request->clock)));
	if (request->stamps_inserts)
		options = lappend(options, "on_insert=stamp");
	return options;
}

/* In a column that is added, existing rows get the current time. */
static void
change_column(DtChange *change, const char *name, const char *parameter,
			  DtClock clock)
{
	DtColumn	column;

	dtmodel_change_column(change, name, &dtmodel_use_time,
						  "pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()",
						  &dtmodel_timestamps_mixin, parameter, &column);
	dtmodel_change_time_default(change, &column, clock);
}

/* The requested columns, which may not exist yet. */
static DtTimestamps
asked_columns(const DtTimestampsRequest *request)
{
	DtTimestamps columns = {0};

	if (request->created_at != NULL)
		namestrcpy(&columns.created_at.name, request->created_at);
	if (request->updated_at != NULL)
		namestrcpy(&columns.updated_at.name, request->updated_at);
	return columns;
}

/* Adds timestamps to the open table as the request says. */
void
dtmodel_change_timestamps(DtChange *change, const DtTimestampsRequest *request)
{
	DtTimestamps columns = asked_columns(request);

	dtmodel_check_no_partition(change->rel);
	check_request(request);
	check_ignored_columns(change->rel, request->ignore_columns);
	dtmodel_extend_change(change, &dtmodel_timestamps_mixin, &columns);
	change_column(change, request->created_at, "created_at", request->clock);
	change_column(change, request->updated_at, "updated_at", request->clock);
	dtmodel_change_trigger(change, dtmodel_timestamps_mixin.triggers,
						   request->stamps_inserts ?
						   dtmodel_events_with_moves(change->rel,
													 "INSERT OR UPDATE") : "UPDATE",
						   trigger_options(request));
}

static void
change_timestamps(DtChange *change, const void *request)
{
	dtmodel_change_timestamps(change, request);
}

/* The defaults stay with the columns: they do not need the extension. */
void
dtmodel_drop_timestamps(DtChange *change, bool drop_columns)
{
	const DtModel *model = dtmodel_get_model(change->rel);
	DtTimestamps timestamps;

	if (dtmodel_timestamps_of(model) == NULL)
		return;
	timestamps = *dtmodel_timestamps_of(model);
	dtmodel_extend_change(change, &dtmodel_timestamps_mixin, NULL);
	if (drop_columns)
	{
		dtmodel_drop_own_column(change, &timestamps.created_at);
		dtmodel_drop_own_column(change, &timestamps.updated_at);
	}
	dtmodel_drop_trigger(change, dtmodel_timestamps_mixin.triggers);
}

static DtClock
clock_argument(const char *name)
{
	DtClock		clock;

	if (!dtmodel_parse_clock(name, &clock))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown clock \"%s\"", name),
				 errhint("The clocks are \"transaction\", \"statement\" and \"clock\".")));
	return clock;
}

/*
 * add_timestamps(model regclass, created_at name DEFAULT 'created_at',
 *				  updated_at name DEFAULT 'updated_at',
 *				  ignore_columns name[] DEFAULT '{}',
 *				  clock text DEFAULT 'transaction',
 *				  on_insert text DEFAULT 'default') returns void
 *
 * Adds timestamps to a table: the missing columns, a DEFAULT for those that
 * have none, and the trigger; calling it again changes the options.  A
 * DEFAULT that reads another of the clocks is replaced, any other stays.  A
 * NULL column name stands for no column, but a history needs updated_at
 * (2BP01); a NULL ignore_columns, clock or on_insert is the default.
 * on_insert "stamp" makes the trigger override the times that INSERT gives,
 * which are kept otherwise.  Tables that inherit from this one get the trigger
 * too.
 *
 * Source: TimestampMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_add_timestamps(PG_FUNCTION_ARGS)
{
	DtTimestampsRequest request = {0};
	Oid			relid = dtmodel_model_argument(fcinfo);

	if (!PG_ARGISNULL(1))
		request.created_at = NameStr(*PG_GETARG_NAME(1));
	if (!PG_ARGISNULL(2))
		request.updated_at = NameStr(*PG_GETARG_NAME(2));
	if (!PG_ARGISNULL(3))
		request.ignore_columns = PG_GETARG_ARRAYTYPE_P(3);
	if (!PG_ARGISNULL(4))
		request.clock = clock_argument(text_to_cstring(PG_GETARG_TEXT_PP(4)));
	request.stamps_inserts =
		dtmodel_is_second_word(fcinfo, 5, "on_insert", "default", "stamp");

	dtmodel_change_with_inheritors(relid, &dtmodel_timestamps_mixin, change_timestamps,
								   &request);
	PG_RETURN_VOID();
}

/*
 * remove_timestamps(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the trigger, and with drop_columns the two columns too, also on
 * tables that inherit from this one.  Refused where a history needs them
 * (2BP01).  Does nothing to a table without timestamps.
 */
Datum
dtmodel_remove_timestamps(PG_FUNCTION_ARGS)
{
	dtmodel_drop_with_inheritors(dtmodel_model_argument(fcinfo),
								 &dtmodel_timestamps_mixin, dtmodel_drop_timestamps,
								 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}
