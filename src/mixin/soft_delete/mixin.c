/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the soft-delete mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "mixin/soft_delete/guard.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/partition_key.h"
#include "mixin/soft_delete/soft_delete.h"
#include "mixin/soft_delete/unique.h"
#include "model/drift.h"
#include "model/inheritance.h"
#include "model/mixin_call.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

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

/* Whether the DEFAULT of the flag is the constant for deleted rows. */
static bool
makes_deleted_rows(Relation rel, const DtSoftDelete *soft_delete)
{
	const DtColumn *flag = &soft_delete->flag;
	Node	   *expr = build_column_default(rel, flag->attnum);

	return expr != NULL && IsA(expr, Const) &&
		((Const *) expr)->consttype == BOOLOID &&
		!((Const *) expr)->constisnull &&
		DatumGetBool(((Const *) expr)->constvalue) != soft_delete->flag_is_live;
}

/* Reports an existing flag that may be null or has no default. */
static void
drift_of_flag(DtDrift *drift, Relation rel, const DtSoftDelete *soft_delete)
{
	const DtColumn *flag = &soft_delete->flag;
	const char *set_default = soft_delete->flag_is_live ?
		"SET DEFAULT true" : "SET DEFAULT false";

	if (!AttributeNumberIsValid(flag->attnum))
		return;
	if (!flag->is_not_null)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, flag, "SET NOT NULL"),
							 "column \"%s\" can be null, and a row in which it is null is live",
							 NameStr(flag->name));
	if (!flag->has_default)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, flag, set_default),
							 "column \"%s\" has no default",
							 NameStr(flag->name));
	else if (makes_deleted_rows(rel, soft_delete))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, flag, set_default),
							 "the default of column \"%s\" makes new rows deleted",
							 NameStr(flag->name));
}

/* What a parent refuses to be null, only the parent can allow to be. */
static bool
is_not_null_in_parent(Relation rel, const DtColumn *column)
{
	bool		is_not_null = false;
	ListCell   *cell;

	foreach(cell, dtmodel_parents(RelationGetRelid(rel)))
	{
		HeapTuple	tuple = SearchSysCacheAttName(lfirst_oid(cell),
												  NameStr(column->name));

		if (!HeapTupleIsValid(tuple))
			continue;
		is_not_null |= ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
		ReleaseSysCache(tuple);
	}
	return is_not_null;
}

/* Whether the column is in the index by which a subscriber finds rows. */
static bool
is_in_replica_identity(Relation rel, AttrNumber attnum)
{
	Bitmapset  *columns = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_IDENTITY_KEY);

	return rel->rd_rel->relreplident == REPLICA_IDENTITY_INDEX &&
		bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, columns);
}

/*
 * Reports a column that must have a value, also in rows that are not deleted.
 * In a primary key or a replica identity it cannot be null.
 */
static void
drift_of_not_null(DtDrift *drift, Relation rel, const DtColumn *column)
{
	const DtModel *model = dtmodel_get_model(rel);
	DtRemedy	kind = DT_ADVICE;
	const char *remedy;

	if (!column->is_not_null || is_not_null_in_parent(rel, column))
		return;
	if (dtmodel_is_in_key(&model->key, column->attnum))
		remedy = "leave it out of the primary key";
	else if (is_in_replica_identity(rel, column->attnum))
		remedy = "leave it out of the replica identity";
	else
	{
		kind = DT_REPAIR;
		remedy = dtmodel_alter_column(rel, column, "DROP NOT NULL");
	}
	dtmodel_append_drift(drift, kind, remedy,
						 "column \"%s\" cannot be null, as it is in live rows",
						 NameStr(column->name));
}

static void
drift_of_hidden_rows(DtDrift *drift, Relation rel)
{
	char	   *statement = dtmodel_hiding_statement();

	if (statement != NULL)
		dtmodel_append_drift(drift, DT_SESSION, statement,
							 "the deleted rows are not hidden in this session");
	dtmodel_drift_of_hidden_rows(drift, rel);
}

static void
drift_of_missing(DtDrift *drift, Relation rel, DtSoftDeleteTrigger which)
{
	dtmodel_drift_of_missing_trigger(drift, rel, &dtmodel_soft_delete_mixin,
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
drift_of_delete_triggers(DtDrift *drift, Relation rel,
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
			dtmodel_append_drift(drift, DT_ADVICE,
								 psprintf("create a row trigger for AFTER DELETE OR UPDATE OF %s instead",
										  mark_columns(soft_delete)),
								 "trigger \"%s\" has no rows of a soft DELETE in its transition table",
								 trigger->tgname);
		else if (!TRIGGER_FOR_BEFORE(trigger->tgtype))
			dtmodel_append_drift(drift, DT_ADVICE,
								 psprintf("create it for AFTER UPDATE OF %s too",
										  mark_columns(soft_delete)),
								 "trigger \"%s\" is not fired by a soft DELETE",
								 trigger->tgname);
		else if (!soft_delete->trigger_tier)
			dtmodel_append_drift(drift, DT_REPAIR,
								 psprintf("SELECT %s",
										  dtmodel_mixin_call(rel,
															 &dtmodel_soft_delete_mixin,
															 "tier", "trigger")),
								 "trigger \"%s\" is not fired by a soft DELETE in sessions that preload the library",
								 trigger->tgname);
	}
}

static const ConstrCheck *
find_constraint(Relation rel, const char *check)
{
	const TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; i < constr->num_check; i++)
	{
		if (strcmp(constr->check[i].ccname, check) == 0)
			return &constr->check[i];
	}
	elog(ERROR, "constraint \"%s\" does not exist", check);
	return NULL;
}

/* Reports a CHECK that is missing, or that the rows were not checked for. */
static void
drift_of_check(DtDrift *drift, Relation rel, const DtSoftDelete *soft_delete)
{
	const char *check;

	if (!AttributeNumberIsValid(soft_delete->flag.attnum) ||
		!AttributeNumberIsValid(soft_delete->deleted_at.attnum))
		return;
	check = dtmodel_find_soft_delete_check(rel, &soft_delete->flag,
										   &soft_delete->deleted_at);
	if (check == NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel,
													  &dtmodel_soft_delete_mixin),
							 "no CHECK keeps \"%s\" and \"%s\" consistent",
							 NameStr(soft_delete->flag.name),
							 NameStr(soft_delete->deleted_at.name));
	else if (!compat_check_is_enforced(find_constraint(rel, check)))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s DROP CONSTRAINT %s; %s",
									  dtmodel_qualified_name(rel),
									  quote_identifier(check),
									  dtmodel_repair_statement(rel,
															   &dtmodel_soft_delete_mixin)),
							 "constraint \"%s\" is not enforced", check);
	else if (!find_constraint(rel, check)->ccvalid)
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s",
									  dtmodel_qualified_name(rel),
									  quote_identifier(check)),
							 "the rows were not checked for constraint \"%s\"",
							 check);
}

/*
 * The type of a column that a trigger lists cannot be changed, so the triggers
 * are dropped meanwhile.
 */
static void
drift_of_precision(DtDrift *drift, Relation rel, const DtColumn *deleted_at)
{
	if (!AttributeNumberIsValid(deleted_at->attnum) ||
		!dtmodel_column_fits(deleted_at, &dtmodel_use_time) ||
		dtmodel_is_precise(deleted_at))
		return;
	dtmodel_append_drift(drift, DT_REPAIR,
						 psprintf("SELECT %s.remove_soft_delete(%s); %s; %s",
								  DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
								  dtmodel_alter_column(rel, deleted_at,
													   psprintf("TYPE %s",
																format_type_be_qualified(deleted_at->typid))),
								  dtmodel_repair_statement(rel,
														   &dtmodel_soft_delete_mixin)),
						 "column \"%s\" does not hold microseconds, so deletions that get the same time are restored together",
						 NameStr(deleted_at->name));
}

/* The statements for a trigger that add_soft_delete would not replace. */
static char *
replace_statements(Relation rel, const Trigger *trigger)
{
	return psprintf("DROP TRIGGER %s ON %s; %s", quote_identifier(trigger->tgname),
					dtmodel_qualified_name(rel),
					dtmodel_repair_statement(rel, &dtmodel_soft_delete_mixin));
}

static bool
has_same_arguments(const Trigger *a, const Trigger *b)
{
	if (a->tgnargs != b->tgnargs)
		return false;
	for (int i = 0; i < a->tgnargs; i++)
	{
		if (strcmp(a->tgargs[i], b->tgargs[i]) != 0)
			return false;
	}
	return true;
}

/* Whether the trigger is fired for an UPDATE of this column, if it is used. */
static bool
lists_column(const Trigger *trigger, const DtColumn *column)
{
	return trigger->tgnattr == 0 || !AttributeNumberIsValid(column->attnum) ||
		dtmodel_is_among(column->attnum, trigger->tgnattr, trigger->tgattr);
}

/* The two triggers with options must have the same. */
static void
drift_of_flag_trigger(DtDrift *drift, Relation rel,
					  const DtSoftDelete *soft_delete)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_FLAG]);
	const Trigger *first = dtmodel_find_trigger(rel, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE]);

	if (trigger == NULL)
		return;
	if (!has_same_arguments(trigger, first))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel,
													  &dtmodel_soft_delete_mixin),
							 "trigger \"%s\" has other arguments than \"%s\"",
							 trigger->tgname, first->tgname);
	else if (!lists_column(trigger, &soft_delete->flag) ||
			 !lists_column(trigger, &soft_delete->deleted_at) ||
			 !lists_column(trigger, &soft_delete->deleted_by))
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statements(rel, trigger),
							 "trigger \"%s\" is not fired when it must be",
							 trigger->tgname);
}

/* Its condition always has the same form, so its columns are compared. */
static void
drift_of_cascade_trigger(DtDrift *drift, Relation rel,
						 const DtSoftDelete *soft_delete)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE]);
	Bitmapset  *columns = NULL;

	if (trigger == NULL || trigger->tgqual == NULL ||
		!AttributeNumberIsValid(soft_delete->deleted_at.attnum))
		return;
	pull_varattnos(stringToNode(trigger->tgqual), PRS2_NEW_VARNO, &columns);
	if (bms_membership(columns) != BMS_SINGLETON ||
		!bms_is_member(soft_delete->deleted_at.attnum - FirstLowInvalidHeapAttributeNumber,
					   columns))
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statements(rel, trigger),
							 "trigger \"%s\" is not fired when it must be",
							 trigger->tgname);
}

static void
find_drift(DtDrift *drift, Relation rel, const void *options)
{
	const DtSoftDelete *soft_delete = options;

	drift_of_precision(drift, rel, &soft_delete->deleted_at);
	drift_of_flag(drift, rel, soft_delete);
	if (soft_delete->deleted_at.has_default)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel,
												  &soft_delete->deleted_at,
												  "DROP DEFAULT"),
							 "column \"%s\" has a default, so that new rows are deleted",
							 NameStr(soft_delete->deleted_at.name));
	drift_of_not_null(drift, rel, &soft_delete->deleted_at);
	drift_of_not_null(drift, rel, &soft_delete->deleted_by);
	if (soft_delete->hide)
		drift_of_hidden_rows(drift, rel);
	drift_of_missing(drift, rel, DT_SOFT_DELETE_FLAG);
	drift_of_missing(drift, rel, DT_SOFT_CASCADE);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		drift_of_missing(drift, rel, DT_SOFT_CASCADE_MOVE);
	else if (!rel->rd_rel->relispartition)
		drift_of_missing(drift, rel, DT_SOFT_DELETE_GUARD);
	drift_of_flag_trigger(drift, rel, soft_delete);
	drift_of_cascade_trigger(drift, rel, soft_delete);
	drift_of_check(drift, rel, soft_delete);
	dtmodel_drift_of_partition_keys(drift, rel, soft_delete);
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
		.events = TRIGGER_TYPE_DELETE,
		.move_events = TRIGGER_TYPE_UPDATE,
		.action = &dtmodel_soft_delete_action,
	},
	[DT_SOFT_DELETE_FLAG] = {
		.name = "zz_dtmodel_soft_delete_flag",
		.function = "soft_delete_flag_trigger",
		.timing = BEFORE_ROW,
		.events = TRIGGER_TYPE_UPDATE,
		.lists_columns = true,
		.action = &dtmodel_soft_delete_flag_action,
	},
	[DT_SOFT_CASCADE] = {
		.name = "zz_dtmodel_soft_cascade",
		.function = "soft_cascade_trigger",
		.timing = AFTER_ROW,
		.events = TRIGGER_TYPE_UPDATE,
		.has_condition = true,
		.is_idle = keeps_marks,
	},
	[DT_SOFT_CASCADE_MOVE] = {
		.name = "zz_dtmodel_soft_cascade_move",
		.function = "soft_cascade_move_trigger",
		.timing = AFTER_ROW,
		.events = TRIGGER_TYPE_DELETE,
		.move_events = TRIGGER_TYPE_DELETE,
	},
	[DT_SOFT_DELETE_GUARD] = {
		.name = "zz_dtmodel_soft_delete_guard",
		.function = "soft_delete_guard_trigger",
		.timing = BEFORE_STATEMENT,
		.events = TRIGGER_TYPE_DELETE,
	},
	[DT_PROTECT_TRUNCATE] = {
		.name = "zz_dtmodel_protect_truncate",
		.function = "protect_truncate_trigger",
		.timing = BEFORE_STATEMENT,
		.events = TRIGGER_TYPE_TRUNCATE,
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
