/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the history mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "dtmodel.h"
#include "mixin/history/as_of.h"
#include "mixin/history/drift.h"
#include "mixin/history/follow.h"
#include "mixin/history/setup.h"
#include "mixin/history/table.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/timestamps/mixin.h"
#include "model/ddl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static void
read_name(NameData *name, const char *value)
{
	namestrcpy(name, value == NULL ? "" : value);
}

static void
read_options(void *options, Relation rel, const Trigger *trigger)
{
	DtHistory  *history = options;

	read_name(&history->table, dtmodel_trigger_option(trigger, "history"));
	read_name(&history->as_of, dtmodel_trigger_option(trigger, "as_of"));
	history->excluded =
		dtmodel_find_columns(RelationGetDescr(rel),
							 dtmodel_trigger_option(trigger, "exclude"),
							 &history->nexcluded);
}

static bool
is_partitioned(Relation rel, const DtHistory *history)
{
	return get_rel_relkind(dtmodel_find_history_table(rel, history)) ==
		RELKIND_PARTITIONED_TABLE;
}

/*
 * The options, and then, in a member of their own, the names of the table and
 * the function, which cannot be chosen.
 */
static void
describe(StringInfo json, Relation rel, const void *options)
{
	const DtHistory *history = options;

	appendStringInfoString(json, "{\"exclude\": [");
	for (int i = 0; i < history->nexcluded; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		dtmodel_append_string(json, NameStr(history->excluded[i].name));
	}
	appendStringInfoString(json, "], ");
	dtmodel_append_member(json, "partition_by",
						  is_partitioned(rel, history) ? "month" : NULL);
	appendStringInfoString(json, "}, \"past\": {");
	dtmodel_append_member(json, "table", NameStr(history->table));
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "function", NameStr(history->as_of));
	appendStringInfoChar(json, '}');
}

/*
 * Refuses to take updated_at from a model with a history, alone or with the
 * timestamps ("options" is NULL): each change of a row would fail afterwards.
 */
static void
extend_change(DtChange *change, const DtMixin *other, const void *options)
{
	const DtTimestamps *timestamps = options;
	Relation	rel = change->rel;

	if (other != &dtmodel_timestamps_mixin ||
		dtmodel_history_of(dtmodel_get_model(rel)) == NULL ||
		(timestamps != NULL && dtmodel_column_is_used(&timestamps->updated_at)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot remove updated_at from table \"%s\" because its history needs it",
					RelationGetRelationName(rel)),
			 errdetail("A version is valid from the updated_at of its row on."),
			 errhint("Call %s.remove_history(%s) first, which keeps the past.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

/*
 * What the function shows depends on the updated_at of the timestamps, and on
 * whether soft delete hides rows.
 */
static void
after_change(Oid relid, const DtMixin *other)
{
	if (other == &dtmodel_history_mixin)
		dtmodel_follow_policies(relid, InvalidOid);
	if (other == &dtmodel_timestamps_mixin || other == &dtmodel_soft_delete_mixin)
		dtmodel_rewrite_as_of(relid);
}

const DtTriggerType dtmodel_history_triggers[DT_HISTORY_TRIGGERS] = {
	[DT_HISTORY] = {
		.name = "zz_dtmodel_history",
		.function = "history_trigger",
		.timing = TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE,
		.action = &dtmodel_history_action,
	},
	[DT_HISTORY_MOVE] = {
		.name = "zz_dtmodel_history_move",
		.function = "history_move_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_DELETE,
	},
	[DT_HISTORY_TRUNCATE] = {
		.name = "zz_dtmodel_history_truncate",
		.function = "history_truncate_trigger",
		.timing = TRIGGER_TYPE_BEFORE,
		.events = TRIGGER_TYPE_TRUNCATE,
	},
};

static const DtOption options[] = {
	{DT_OPTION_COLUMNS, "exclude", NULL, NULL},
	{0}
};

const DtMixin dtmodel_history_mixin = {
	.name = "history",
	.title = "history",
	.add = "add_history",
	.remove = "remove_history",
	.must_be_inherited = true,
	.triggers = dtmodel_history_triggers,
	.ntriggers = DT_HISTORY_TRIGGERS,
	.options = options,
	.size = sizeof(DtHistory),
	.read = read_options,
	.describe = describe,
	.find_drift = dtmodel_find_history_drift,
	.find_drift_of_any_table = dtmodel_drift_of_lost_history,
	.is_own_table = dtmodel_is_history_table,
	.own_entries = dtmodel_as_of_entries,
	.extend_change = extend_change,
	.after_change = after_change,
	.after_detach = dtmodel_leave_history,
	.check_attach = dtmodel_check_history_attach,
};
