/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the soft-delete mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "mixin/soft_delete/guard.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/unique.h"
#include "utils/builtins.h"

static void
read_options(void *options, Relation rel pg_attribute_unused(),
			 const Trigger *trigger)
{
	DtSoftDelete *soft_delete = options;
	const char *flag_means = dtmodel_trigger_option(trigger, "flag_means");

	soft_delete->flag_is_live =
		flag_means != NULL && strcmp(flag_means, "live") == 0;
	soft_delete->hide = dtmodel_trigger_option(trigger, "hide") != NULL;
	soft_delete->refuses_flag_writes =
		dtmodel_trigger_option(trigger, "flag_writes") != NULL;
	soft_delete->trigger_tier = dtmodel_trigger_option(trigger, "tier") != NULL;
	soft_delete->tgenabled = trigger->tgenabled;
}

static void
describe(StringInfo json, Relation rel, const void *options)
{
	const DtSoftDelete *soft_delete = options;
	const char *flag_means = soft_delete->flag_is_live ? "live" : "deleted";
	bool		is_protected =
		dtmodel_find_trigger(rel, &dtmodel_soft_delete_triggers[DT_PROTECT_TRUNCATE]) != NULL;

	appendStringInfoChar(json, '{');
	dtmodel_append_mixin_columns(json, &dtmodel_soft_delete_mixin, options);
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "flag_means",
						  dtmodel_column_is_used(&soft_delete->flag) ?
						  flag_means : NULL);
	appendStringInfo(json, ", \"hide\": %s, \"protect_truncate\": %s, ",
					 soft_delete->hide ? "true" : "false",
					 is_protected ? "true" : "false");
	dtmodel_append_member(json, "flag_writes",
						  soft_delete->refuses_flag_writes ? "error" : "follow");
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "tier",
						  soft_delete->trigger_tier ? "trigger" : "any");
	appendStringInfoChar(json, '}');
}

static char *
alter_column(Relation rel, const DtColumn *column, const char *action)
{
	return psprintf("ALTER TABLE %s ALTER COLUMN %s %s",
					dtmodel_qualified_name(rel),
					quote_identifier(NameStr(column->name)), action);
}

/* Reports an existing flag that may be null or has no default. */
static void
drift_of_flag(StringInfo drift, Relation rel, const DtSoftDelete *soft_delete)
{
	const DtColumn *flag = &soft_delete->flag;

	if (!AttributeNumberIsValid(flag->attnum))
		return;
	if (!flag->is_not_null)
		dtmodel_append_drift(drift, "column \"%s\" can be null, and a row in which it is null is live: %s",
							 NameStr(flag->name),
							 alter_column(rel, flag, "SET NOT NULL"));
	if (!flag->has_default)
		dtmodel_append_drift(drift, "column \"%s\" has no default: %s",
							 NameStr(flag->name),
							 alter_column(rel, flag, soft_delete->flag_is_live ?
										  "SET DEFAULT true" :
										  "SET DEFAULT false"));
}

static void
drift_of_hidden_rows(StringInfo drift, Relation rel,
					 const DtSoftDelete *soft_delete)
{
	ListCell   *cell;

	foreach(cell, dtmodel_drift_of_hidden_rows(rel, soft_delete))
		dtmodel_append_drift(drift, "%s", (const char *) lfirst(cell));
}

static void
drift_of_missing(StringInfo drift, Relation rel, DtSoftDeleteTrigger which)
{
	dtmodel_drift_of_missing_trigger(drift, rel,
									 &dtmodel_soft_delete_triggers[which]);
}

/* Whether the trigger has the rows, one by one or in a transition table. */
static bool
gets_rows(const Trigger *trigger)
{
	return TRIGGER_FOR_ROW(trigger->tgtype) || trigger->tgoldtable != NULL ||
		trigger->tgnewtable != NULL;
}

/*
 * Whether it is a trigger of the user that has the rows of a DELETE.  Up to
 * 14, triggers of partitions are marked as internal like those of a foreign
 * key; so their function is checked.
 */
static bool
is_delete_trigger(const Trigger *trigger)
{
	return gets_rows(trigger) &&
		TRIGGER_FOR_DELETE(trigger->tgtype) &&
		RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_NONE &&
		(trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
		 trigger->tgenabled == TRIGGER_FIRES_ALWAYS) &&
		dtmodel_trigger_type(trigger) == NULL;
}

/*
 * Whether the trigger also has the rows of a soft DELETE, which it updates.
 * In the trigger tier they are updated for a DELETE, so that statement
 * triggers for UPDATE are not fired.
 */
static bool
sees_mark(const Trigger *trigger, const DtSoftDelete *soft_delete)
{
	if (!TRIGGER_FOR_UPDATE(trigger->tgtype) || !gets_rows(trigger) ||
		(!TRIGGER_FOR_ROW(trigger->tgtype) && soft_delete->trigger_tier))
		return false;
	return trigger->tgnattr == 0 ||
		dtmodel_is_among(soft_delete->flag.attnum, trigger->tgnattr,
						 trigger->tgattr) ||
		dtmodel_is_among(soft_delete->deleted_at.attnum, trigger->tgnattr,
						 trigger->tgattr);
}

/*
 * Whether this or another trigger with the same function has: auditing often
 * has one trigger for each event.
 */
static bool
function_sees_mark(TriggerDesc *triggers, const Trigger *trigger,
				   const DtSoftDelete *soft_delete)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *other = &triggers->triggers[i];

		if (other->tgfoid == trigger->tgfoid &&
			other->tgenabled != TRIGGER_DISABLED &&
			sees_mark(other, soft_delete))
			return true;
	}
	return false;
}

/* The columns that a soft DELETE updates. */
static char *
mark_columns(const DtSoftDelete *soft_delete)
{
	const char *deleted_at = quote_identifier(NameStr(soft_delete->deleted_at.name));

	if (!dtmodel_column_is_used(&soft_delete->flag))
		return pstrdup(deleted_at);
	return psprintf("%s, %s", quote_identifier(NameStr(soft_delete->flag.name)),
					deleted_at);
}

/*
 * Reports triggers for DELETE that a soft one does not fire, or fires with an
 * empty transition table.  In the planner's tier it fires none of them, in
 * the trigger tier only BEFORE row triggers and statement triggers; AFTER row
 * triggers are fired when the row is deleted for good.
 */
static void
drift_of_delete_triggers(StringInfo drift, Relation rel,
						 const DtSoftDelete *soft_delete)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_delete_trigger(trigger) ||
			function_sees_mark(triggers, trigger, soft_delete))
			continue;
		if (!TRIGGER_FOR_ROW(trigger->tgtype))
			dtmodel_append_drift(drift, "trigger \"%s\" has no rows of a soft DELETE in its transition table: create a row trigger for AFTER DELETE OR UPDATE OF %s instead",
								 trigger->tgname,
								 mark_columns(soft_delete));
		else if (!TRIGGER_FOR_BEFORE(trigger->tgtype))
			dtmodel_append_drift(drift, "trigger \"%s\" is not fired by a soft DELETE: create it for AFTER UPDATE OF %s too",
								 trigger->tgname,
								 mark_columns(soft_delete));
		else if (!soft_delete->trigger_tier)
			dtmodel_append_drift(drift, "trigger \"%s\" is not fired by a soft DELETE in sessions that preload the library: call %s.add_soft_delete with tier => 'trigger'",
								 trigger->tgname, DTMODEL_SCHEMA);
	}
}

static bool
is_validated(Relation rel, const char *check)
{
	const TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; i < constr->num_check; i++)
	{
		if (strcmp(constr->check[i].ccname, check) == 0)
			return constr->check[i].ccvalid;
	}
	return false;
}

/* Reports a CHECK that is missing, or that the rows were not checked for. */
static void
drift_of_check(StringInfo drift, Relation rel, const DtSoftDelete *soft_delete)
{
	const char *check = dtmodel_find_soft_delete_check(rel, &soft_delete->flag,
													   &soft_delete->deleted_at);

	if (check == NULL)
		dtmodel_append_drift(drift, "no CHECK keeps \"%s\" and \"%s\" consistent",
							 NameStr(soft_delete->flag.name),
							 NameStr(soft_delete->deleted_at.name));
	else if (!is_validated(rel, check))
		dtmodel_append_drift(drift, "the rows were not checked for constraint \"%s\": ALTER TABLE %s VALIDATE CONSTRAINT %s",
							 check, dtmodel_qualified_name(rel),
							 quote_identifier(check));
}

static void
find_drift(StringInfo drift, Relation rel, const void *options)
{
	const DtSoftDelete *soft_delete = options;

	if (AttributeNumberIsValid(soft_delete->deleted_at.attnum) &&
		!dtmodel_is_precise(&soft_delete->deleted_at))
		dtmodel_append_drift(drift, "column \"%s\" does not hold microseconds, so deletions that get the same time are restored together",
							 NameStr(soft_delete->deleted_at.name));
	drift_of_flag(drift, rel, soft_delete);
	if (soft_delete->deleted_at.has_default)
		dtmodel_append_drift(drift, "column \"%s\" has a default, so that new rows are deleted: %s",
							 NameStr(soft_delete->deleted_at.name),
							 alter_column(rel, &soft_delete->deleted_at,
										  "DROP DEFAULT"));
	if (soft_delete->hide)
		drift_of_hidden_rows(drift, rel, soft_delete);
	drift_of_missing(drift, rel, DT_SOFT_DELETE_FLAG);
	drift_of_missing(drift, rel, DT_SOFT_CASCADE);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		drift_of_missing(drift, rel, DT_SOFT_CASCADE_MOVE);
	if (dtmodel_column_is_used(&soft_delete->flag))
		drift_of_check(drift, rel, soft_delete);
	drift_of_delete_triggers(drift, rel, soft_delete);
}

static const char *
find_check(Relation rel, const void *options)
{
	const DtSoftDelete *columns = options;

	return dtmodel_find_soft_delete_check(rel, &columns->flag, &columns->deleted_at);
}

static bool
keeps_marks(const void *options, const Bitmapset *updated)
{
	return dtmodel_keeps_marks(options, updated);
}

#define BEFORE_ROW (TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW)
#define BEFORE_STATEMENT TRIGGER_TYPE_BEFORE
#define AFTER_ROW TRIGGER_TYPE_ROW

const DtTriggerType dtmodel_soft_delete_triggers[DT_SOFT_DELETE_TRIGGERS] = {
	[DT_SOFT_DELETE] = {
		.name = "zz_dtmodel_soft_delete",
		.function = "soft_delete_trigger",
		.timing = BEFORE_ROW,
		.move_events = TRIGGER_TYPE_UPDATE,
		.action = &dtmodel_soft_delete_action,
	},
	[DT_SOFT_DELETE_FLAG] = {
		.name = "zz_dtmodel_soft_delete_flag",
		.function = "soft_delete_flag_trigger",
		.timing = BEFORE_ROW,
		.action = &dtmodel_soft_delete_flag_action,
	},
	[DT_SOFT_CASCADE] = {
		.name = "zz_dtmodel_soft_cascade",
		.function = "soft_cascade_trigger",
		.timing = AFTER_ROW,
		.is_idle = keeps_marks,
	},
	[DT_SOFT_CASCADE_MOVE] = {
		.name = "zz_dtmodel_soft_cascade_move",
		.function = "soft_cascade_move_trigger",
		.timing = AFTER_ROW,
		.move_events = TRIGGER_TYPE_DELETE,
	},
	[DT_SOFT_DELETE_GUARD] = {
		.name = "zz_dtmodel_soft_delete_guard",
		.function = "soft_delete_guard_trigger",
		.timing = BEFORE_STATEMENT,
	},
	[DT_PROTECT_TRUNCATE] = {
		.name = "zz_dtmodel_protect_truncate",
		.function = "protect_truncate_trigger",
		.timing = BEFORE_STATEMENT,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "flag",
		.use = &dtmodel_use_flag,
		.offset = offsetof(DtSoftDelete, flag),
		.optional = true,
		.marks_deleted = true,
		.in_template = "is_deleted",
		.has_to_match = true,
	},
	{
		.option = "deleted_at",
		.use = &dtmodel_use_time,
		.offset = offsetof(DtSoftDelete, deleted_at),
		.marks_deleted = true,
		.in_template = "deleted_at",
	},
	{
		.option = "deleted_by",
		.use = &dtmodel_use_actor,
		.offset = offsetof(DtSoftDelete, deleted_by),
		.optional = true,
		.is_stamped = true,
	},
};

/* It determines which rows are live, as the flag does. */
static const char *const options_to_match[] = {"flag_means", NULL};

static const DtOption options[] = {
	{DT_OPTION_COLUMN, "flag", "is_deleted", NULL},
	{DT_OPTION_COLUMN, "deleted_at", "deleted_at", NULL},
	{DT_OPTION_COLUMN, "deleted_by", NULL, NULL},
	{DT_OPTION_TEXT, "flag_means", NULL, NULL},
	{DT_OPTION_UNQUOTED, "hide", NULL, NULL},
	{DT_OPTION_TRIGGER, "protect_truncate", NULL, &dtmodel_soft_delete_triggers[DT_PROTECT_TRUNCATE]},
	{DT_OPTION_TEXT, "flag_writes", NULL, NULL},
	{DT_OPTION_TEXT, "tier", NULL, NULL},
	{0}
};

const DtMixin dtmodel_soft_delete_mixin = {
	.name = "soft_delete",
	.title = "soft delete",
	.add = "add_soft_delete",
	.remove = "remove_soft_delete",
	.must_be_inherited = true,
	.implied_by_columns = true,
	.triggers = dtmodel_soft_delete_triggers,
	.ntriggers = DT_SOFT_DELETE_TRIGGERS,
	.options = options,
	.options_to_match = options_to_match,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtSoftDelete),
	.read = read_options,
	.describe = describe,
	.find_drift = find_drift,
	.find_check = find_check,
	.after_detach = dtmodel_change_guard_trigger,
};
