/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the timestamp mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/timestamps/default.h"
#include "mixin/timestamps/mixin.h"
#include "model/drift.h"
#include "model/mixin_call.h"
#include "model/time_value.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

static const char *const clock_names[] = {
	[DT_CLOCK_TRANSACTION] = "transaction",
	[DT_CLOCK_STATEMENT] = "statement",
	[DT_CLOCK_CLOCK] = "clock",
};

const char *
dtmodel_clock_name(DtClock clock)
{
	return clock_names[clock];
}

bool
dtmodel_parse_clock(const char *name, DtClock *clock)
{
	for (size_t i = 0; i < lengthof(clock_names); i++)
	{
		if (strcmp(name, clock_names[i]) == 0)
		{
			*clock = (DtClock) i;
			return true;
		}
	}
	return false;
}

static void
read_options(void *options, Relation rel, const Trigger *trigger)
{
	DtTimestamps *timestamps = options;
	const char *clock = dtmodel_trigger_option(trigger, "clock");

	timestamps->ignored =
		dtmodel_find_columns(RelationGetDescr(rel),
							 dtmodel_trigger_option(trigger, "ignore_columns"),
							 &timestamps->nignored);
	if (clock != NULL)
		(void) dtmodel_parse_clock(clock, &timestamps->clock);
	timestamps->stamps_inserts =
		dtmodel_trigger_option(trigger, "on_insert") != NULL;
}

static void
add_own_columns(const void *options, DtOwnColumns *own)
{
	const DtTimestamps *timestamps = options;

	dtmodel_add_own_column(&own->pinned, &timestamps->created_at);
	for (int i = 0; i < timestamps->nignored; i++)
		dtmodel_add_own_column(&own->uncounted, &timestamps->ignored[i]);
}

static void
describe(StringInfo json, Relation rel pg_attribute_unused(),
		 const void *options)
{
	const DtTimestamps *timestamps = options;

	appendStringInfoChar(json, '{');
	dtmodel_append_mixin_columns(json, &dtmodel_timestamps_mixin, options);
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "clock", dtmodel_clock_name(timestamps->clock));
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "on_insert",
						  timestamps->stamps_inserts ? "stamp" : "default");
	appendStringInfoString(json, ", \"ignore_columns\": [");
	for (int i = 0; i < timestamps->nignored; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		dtmodel_append_string(json, NameStr(timestamps->ignored[i].name));
	}
	appendStringInfoString(json, "]}");
}

/* The trigger stamps new rows only if it is fired for them. */
static void
drift_of_inserts(DtDrift *drift, Relation rel)
{
	const Trigger *trigger = dtmodel_find_trigger(rel,
												  dtmodel_timestamps_mixin.triggers);

	if (!TRIGGER_FOR_INSERT(trigger->tgtype))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel,
													  &dtmodel_timestamps_mixin),
							 "trigger \"%s\" is not fired when it must be",
							 trigger->tgname);
}

static void
find_drift(DtDrift *drift, Relation rel, const void *options)
{
	const DtTimestamps *timestamps = options;

	if (timestamps->stamps_inserts)
		drift_of_inserts(drift, rel);
	else
	{
		dtmodel_drift_of_time_default(drift, rel, &timestamps->created_at,
									  timestamps->clock);
		dtmodel_drift_of_time_default(drift, rel, &timestamps->updated_at,
									  timestamps->clock);
	}
	for (int i = 0; i < timestamps->nignored; i++)
	{
		if (!AttributeNumberIsValid(timestamps->ignored[i].attnum))
			dtmodel_append_drift(drift, DT_ADVICE,
								 psprintf("if it was renamed, call %s.add_timestamps with its new name, and otherwise %s",
										  DTMODEL_SCHEMA,
										  dtmodel_repair_statement(rel,
																   &dtmodel_timestamps_mixin)),
								 "column \"%s\" of ignore_columns does not exist",
								 NameStr(timestamps->ignored[i].name));
	}
}

static const DtTriggerType triggers[] = {
	{
		.name = "zz_dtmodel_timestamps",
		.function = "timestamps_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_UPDATE,
		.move_events = TRIGGER_TYPE_DELETE,
		.action = &dtmodel_timestamps_action,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "created_at",
		.use = &dtmodel_use_time,
		.offset = offsetof(DtTimestamps, created_at),
		.optional = true,
		.in_template = "created_at",
		.is_stamped = true,
		.is_pinned = true,
	},
	{
		.option = "updated_at",
		.use = &dtmodel_use_time,
		.offset = offsetof(DtTimestamps, updated_at),
		.optional = true,
		.in_template = "updated_at",
		.is_stamped = true,
	},
};

static const DtOption options[] = {
	{DT_OPTION_COLUMN, "created_at", "created_at", NULL},
	{DT_OPTION_COLUMN, "updated_at", "updated_at", NULL},
	{DT_OPTION_COLUMNS, "ignore_columns", NULL, NULL},
	{DT_OPTION_TEXT, "clock", NULL, NULL},
	{DT_OPTION_TEXT, "on_insert", NULL, NULL},
	{0}
};

static Oid
function_of(DtClock clock)
{
	switch (clock)
	{
		case DT_CLOCK_TRANSACTION:
			break;
		case DT_CLOCK_STATEMENT:
			return F_STATEMENT_TIMESTAMP;
		case DT_CLOCK_CLOCK:
			return F_CLOCK_TIMESTAMP;
	}
	return F_NOW;
}

static Expr *
inserted_value(Oid relid pg_attribute_unused(), const void *options,
			   const DtColumn *column)
{
	const DtTimestamps *timestamps = options;

	if (!timestamps->stamps_inserts)
		return NULL;
	return dtmodel_time_value((Expr *) makeFuncExpr(function_of(timestamps->clock),
													TIMESTAMPTZOID, NIL,
													InvalidOid, InvalidOid,
													COERCE_EXPLICIT_CALL),
							  column);
}

const DtMixin dtmodel_timestamps_mixin = {
	.name = "timestamps",
	.title = "timestamps",
	.add = "add_timestamps",
	.remove = "remove_timestamps",
	.must_be_inherited = true,
	.implied_by_columns = true,
	.triggers = triggers,
	.ntriggers = lengthof(triggers),
	.options = options,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtTimestamps),
	.read = read_options,
	.add_own_columns = add_own_columns,
	.inserted_value = inserted_value,
	.describe = describe,
	.find_drift = find_drift,
};
