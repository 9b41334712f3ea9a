/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  What a table is, told as JSON, and what is out of order with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "api/names.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mixin/live_parent.h"
#include "mixin/settings.h"
#include "mixin/slug_index.h"
#include "mixin/soft_delete.h"
#include "mixin/soft_unique.h"
#include "mixin/timestamps_default.h"
#include "model/heirs.h"
#include "model/model.h"
#include "model/scope.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_describe);
PG_FUNCTION_INFO_V1(dtmodel_get_fields);

/* The events of a row trigger, as bits of tgtype. */
#define EVENT_BITS (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)

static void
append_string(StringInfo json, const char *value)
{
	if (value == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, value);
}

static void
append_member(StringInfo json, const char *key, const char *value)
{
	appendStringInfo(json, "\"%s\": ", key);
	append_string(json, value);
}

static void
append_column(StringInfo json, const char *key, const DtColumn *column)
{
	append_member(json, key, dtmodel_column_is_used(column) ?
				  NameStr(column->name) : NULL);
}

static void
append_key(StringInfo json, const DtKey *key)
{
	appendStringInfoString(json, "\"primary_key\": [");
	for (int i = 0; i < key->ncolumns; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		append_string(json, NameStr(key->columns[i].name));
	}
	appendStringInfoString(json, "]");
}

static void
append_timestamps(StringInfo json, const DtTimestamps *timestamps)
{
	appendStringInfoString(json, ", \"timestamps\": {");
	append_column(json, "created_at", &timestamps->created_at);
	appendStringInfoString(json, ", ");
	append_column(json, "updated_at", &timestamps->updated_at);
	appendStringInfoString(json, ", ");
	append_member(json, "clock", dtmodel_clock_name(timestamps->clock));
	appendStringInfoString(json, ", ");
	append_member(json, "on_insert",
				  timestamps->stamps_inserts ? "stamp" : "default");
	appendStringInfoString(json, ", \"ignore_columns\": [");
	for (int i = 0; i < timestamps->nignored; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		append_string(json, NameStr(timestamps->ignored[i].name));
	}
	appendStringInfoString(json, "]}");
}

static void
append_soft_delete(StringInfo json, const DtModel *model)
{
	const DtSoftDelete *soft_delete = model->soft_delete;
	const char *flag_means = soft_delete->flag_is_live ? "live" : "deleted";

	appendStringInfoString(json, ", \"soft_delete\": {");
	append_column(json, "flag", &soft_delete->flag);
	appendStringInfoString(json, ", ");
	append_member(json, "flag_means",
				  dtmodel_column_is_used(&soft_delete->flag) ? flag_means : NULL);
	appendStringInfoString(json, ", ");
	append_column(json, "deleted_at", &soft_delete->deleted_at);
	appendStringInfoString(json, ", ");
	append_column(json, "deleted_by", &soft_delete->deleted_by);
	appendStringInfo(json, ", \"hide\": %s, \"protect_truncate\": %s, ",
					 soft_delete->hide ? "true" : "false",
					 model->protect_truncate ? "true" : "false");
	append_member(json, "flag_writes",
				  soft_delete->refuses_flag_writes ? "error" : "follow");
	appendStringInfoString(json, ", ");
	append_member(json, "tier", soft_delete->trigger_tier ? "trigger" : "any");
	appendStringInfoString(json, "}");
}

static void
append_audit(StringInfo json, const DtAudit *audit)
{
	appendStringInfoString(json, ", \"audit\": {");
	append_column(json, "created_by", &audit->created_by);
	appendStringInfoString(json, ", ");
	append_column(json, "updated_by", &audit->updated_by);
	appendStringInfoString(json, "}");
}

static void
append_slug(StringInfo json, const DtSlug *slug)
{
	appendStringInfoString(json, ", \"slug\": {");
	append_column(json, "source", &slug->source);
	appendStringInfoString(json, ", ");
	append_column(json, "slug", &slug->slug);
	appendStringInfo(json, ", \"max_length\": %d, \"on_update\": %s}",
					 slug->max_length, slug->on_update ? "true" : "false");
}

static void
append_settings(StringInfo json, const DtSettings *settings)
{
	RawValue	rules = raw_root(settings->rules);
	RawObject	walk = raw_object(&rules);
	RawMember	rule;
	const char *comma = "";

	appendStringInfoString(json, ", \"settings\": {");
	append_column(json, "settings", &settings->column);
	appendStringInfoString(json, ", \"valid_settings\": [");
	while (raw_object_next(&walk, &rule))
	{
		appendStringInfoString(json, comma);
		append_string(json, pnstrdup(rule.key.data, rule.key.len));
		comma = ", ";
	}
	appendStringInfo(json, "], \"combined\": %s, ",
					 settings->combined ? "true" : "false");
	append_member(json, "on_unknown",
				  dtmodel_on_unknown_name(settings->on_unknown));
	appendStringInfo(json, ", \"schema\": %s}",
					 JsonbToCString(NULL, &settings->rules->root,
									VARSIZE(settings->rules)));
}

/* The keys whose parents must be live, each a list of its columns. */
static void
append_live_parents(StringInfo json, Relation rel)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);
	const char *before = ", \"live_parents\": [";

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		DtLiveParent live_parent;

		if (dtmodel_trigger_kind(&triggers->triggers[i]) != DT_TRIGGER_LIVE_PARENT)
			continue;
		live_parent = dtmodel_read_live_parent(&triggers->triggers[i]);
		appendStringInfoString(json, before);
		for (int j = 0; j < live_parent.ncolumns; j++)
		{
			appendStringInfoString(json, j == 0 ? "[" : ", ");
			append_string(json, get_attname(RelationGetRelid(rel),
											live_parent.columns[j], false));
		}
		appendStringInfoString(json, "]");
		before = ", ";
	}
	if (strcmp(before, ", ") == 0)
		appendStringInfoString(json, "]");
}

/* Appends one more thing that is out of order. */
static void
append_drift(StringInfo drift, const char *message)
{
	if (drift->len > 0)
		appendStringInfoString(drift, ", ");
	escape_json(drift, message);
}

static void
drift_of_column(StringInfo drift, const DtColumn *column, DtColumnUse use)
{
	if (!dtmodel_column_is_used(column))
		return;
	if (!AttributeNumberIsValid(column->attnum))
		append_drift(drift, psprintf("column \"%s\" does not exist",
									 NameStr(column->name)));
	else if (!dtmodel_column_fits(column, use))
		append_drift(drift, psprintf("column \"%s\" is of type %s instead of %s",
									 NameStr(column->name),
									 format_type_be(column->typid),
									 dtmodel_column_types(use)));
}

static void
drift_of_default(StringInfo drift, Relation rel, const DtColumn *column)
{
	char	   *message = dtmodel_drift_of_time_default(rel, column);

	if (message != NULL)
		append_drift(drift, message);
}

static void
drift_of_timestamps(StringInfo drift, Relation rel,
					const DtTimestamps *timestamps)
{
	drift_of_column(drift, &timestamps->created_at, DT_COLUMN_TIME);
	drift_of_column(drift, &timestamps->updated_at, DT_COLUMN_TIME);
	if (!timestamps->stamps_inserts)
	{
		drift_of_default(drift, rel, &timestamps->created_at);
		drift_of_default(drift, rel, &timestamps->updated_at);
	}
	for (int i = 0; i < timestamps->nignored; i++)
	{
		if (!AttributeNumberIsValid(timestamps->ignored[i].attnum))
			append_drift(drift, psprintf("column \"%s\" of ignore_columns does not exist",
										 NameStr(timestamps->ignored[i].name)));
	}
}

/* A column that was added later hides the setting of its name. */
static void
drift_of_settings(StringInfo drift, Relation rel, const DtSettings *settings)
{
	TupleDesc	desc = RelationGetDescr(rel);

	drift_of_column(drift, &settings->column, DT_COLUMN_DOCUMENT);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		RawValue	name = raw_string(NameStr(att->attname),
									  strlen(NameStr(att->attname)));
		RawValue	rule;

		if (!att->attisdropped && dtmodel_is_setting(settings, &name, &rule))
			append_drift(drift, psprintf("setting \"%s\" has the name of a column",
										 NameStr(att->attname)));
	}
}

static void
drift_of_stored_settings(StringInfo drift, Relation rel,
						 const DtSettings *settings)
{
	char	   *message = dtmodel_drift_of_stored_settings(rel, settings);

	if (message != NULL)
		append_drift(drift, message);
}

/* The mixins that tables have to share with those that inherit from them. */
typedef struct SharedMixins
{
	bool		timestamps;
	bool		soft_delete;
	bool		audit;
} SharedMixins;

static SharedMixins
shared_mixins(const DtModel *model)
{
	SharedMixins mixins = {
		.timestamps = model->timestamps != NULL,
		.soft_delete = model->soft_delete != NULL,
		.audit = model->audit != NULL,
	};

	return mixins;
}

static void
drift_of_heir(StringInfo drift, Relation heir, bool expected, bool present,
			  const char *mixin)
{
	if (expected && !present)
		append_drift(drift, psprintf("table \"%s\" inherits but has no %s",
									 RelationGetRelationName(heir), mixin));
}

static void
drift_of_heirs(StringInfo drift, Relation rel, SharedMixins expected)
{
	ListCell   *cell;

	foreach(cell, dtmodel_heirs(rel))
	{
		Relation	heir = relation_open(lfirst_oid(cell), AccessShareLock);
		SharedMixins present = shared_mixins(dtmodel_get_model(heir));

		drift_of_heir(drift, heir, expected.timestamps, present.timestamps,
					  "timestamps");
		drift_of_heir(drift, heir, expected.soft_delete, present.soft_delete,
					  "soft delete");
		drift_of_heir(drift, heir, expected.audit, present.audit, "audit");
		relation_close(heir, AccessShareLock);
	}
}

static void
drift_of_missing_trigger(StringInfo drift, Relation rel, DtTriggerKind kind)
{
	if (dtmodel_find_trigger(rel, kind) == NULL)
		append_drift(drift, psprintf("trigger \"%s\" does not exist",
									 dtmodel_trigger_names[kind].trigger));
}

static char *
alter_column(Relation rel, const DtColumn *column, const char *action)
{
	return psprintf("ALTER TABLE %s ALTER COLUMN %s %s",
					dtmodel_qualified_name(rel),
					quote_identifier(NameStr(column->name)), action);
}

/* A flag that is there, but need not have a value. */
static void
drift_of_flag(StringInfo drift, Relation rel, const DtSoftDelete *soft_delete)
{
	const DtColumn *flag = &soft_delete->flag;

	if (!AttributeNumberIsValid(flag->attnum))
		return;
	if (!flag->is_not_null)
		append_drift(drift, psprintf("column \"%s\" may be null; a row without it is live: %s",
									 NameStr(flag->name),
									 alter_column(rel, flag, "SET NOT NULL")));
	if (!flag->has_default)
		append_drift(drift, psprintf("column \"%s\" has no default: %s",
									 NameStr(flag->name),
									 alter_column(rel, flag, soft_delete->flag_is_live ?
												  "SET DEFAULT true" :
												  "SET DEFAULT false")));
}

static void
drift_of_hidden_rows(StringInfo drift, Relation rel,
					 const DtSoftDelete *soft_delete)
{
	ListCell   *cell;

	foreach(cell, dtmodel_drift_of_hidden_rows(rel, soft_delete))
		append_drift(drift, lfirst(cell));
}

static void
drift_of_soft_delete(StringInfo drift, Relation rel,
					 const DtSoftDelete *soft_delete)
{
	drift_of_column(drift, &soft_delete->flag, DT_COLUMN_FLAG);
	drift_of_column(drift, &soft_delete->deleted_at, DT_COLUMN_TIME);
	drift_of_column(drift, &soft_delete->deleted_by, DT_COLUMN_ACTOR);
	if (AttributeNumberIsValid(soft_delete->deleted_at.attnum) &&
		!dtmodel_is_precise(&soft_delete->deleted_at))
		append_drift(drift, psprintf("column \"%s\" does not hold microseconds, so deletions that get the same time are restored together",
									 NameStr(soft_delete->deleted_at.name)));
	drift_of_flag(drift, rel, soft_delete);
	if (soft_delete->deleted_at.has_default)
		append_drift(drift, psprintf("column \"%s\" has a default, so that new rows are deleted: %s",
									 NameStr(soft_delete->deleted_at.name),
									 alter_column(rel, &soft_delete->deleted_at,
												  "DROP DEFAULT")));
	if (soft_delete->hide)
		drift_of_hidden_rows(drift, rel, soft_delete);
	drift_of_missing_trigger(drift, rel, DT_TRIGGER_SOFT_DELETE_FLAG);
	drift_of_missing_trigger(drift, rel, DT_TRIGGER_SOFT_CASCADE);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		drift_of_missing_trigger(drift, rel, DT_TRIGGER_SOFT_CASCADE_MOVE);
	if (dtmodel_column_is_used(&soft_delete->flag) &&
		dtmodel_find_tie(rel, &soft_delete->flag, &soft_delete->deleted_at) == NULL)
		append_drift(drift, psprintf("no CHECK ties \"%s\" and \"%s\" together",
									 NameStr(soft_delete->flag.name),
									 NameStr(soft_delete->deleted_at.name)));
}

static bool
fires_before_row(const Trigger *trigger)
{
	return TRIGGER_TYPE_MATCHES(trigger->tgtype & ~EVENT_BITS, TRIGGER_TYPE_ROW,
								TRIGGER_TYPE_BEFORE, 0);
}

static void
drift_of_audit(StringInfo drift, const DtAudit *audit)
{
	drift_of_column(drift, &audit->created_by, DT_COLUMN_ACTOR);
	drift_of_column(drift, &audit->updated_by, DT_COLUMN_ACTOR);
}

static void
drift_of_slug(StringInfo drift, Relation rel, const DtModel *model)
{
	const DtSlug *slug = model->slug;

	drift_of_column(drift, &slug->source, DT_COLUMN_ANY);
	drift_of_column(drift, &slug->slug, DT_COLUMN_SLUG);
	if (AttributeNumberIsValid(slug->slug.attnum) &&
		!dtmodel_slug_is_unique(rel, model))
		append_drift(drift, psprintf("no unique index on \"%s\" keeps the slugs of live rows apart",
									 NameStr(slug->slug.name)));
}

/* Whether the other trigger sees and may change what ours has done. */
static bool
runs_after(const Trigger *other, const Trigger *ours)
{
	return fires_before_row(other) && fires_before_row(ours) &&
		(other->tgtype & ours->tgtype & EVENT_BITS) != 0 &&
		other->tgenabled != TRIGGER_DISABLED &&
		strcmp(other->tgname, ours->tgname) > 0;
}

static void
drift_of_trigger(StringInfo drift, TriggerDesc *triggers, const Trigger *ours)
{
	if (ours->tgenabled == TRIGGER_DISABLED)
		append_drift(drift, psprintf("trigger \"%s\" is disabled", ours->tgname));
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *other = &triggers->triggers[i];

		if (dtmodel_trigger_kind(other) == DT_TRIGGER_NONE &&
			runs_after(other, ours))
			append_drift(drift, psprintf("trigger \"%s\" runs after \"%s\"",
										 other->tgname, ours->tgname));
	}
}

/* A row trigger of the user's that is fired by DELETE. */
static bool
is_delete_trigger(const Trigger *trigger)
{
	return TRIGGER_FOR_ROW(trigger->tgtype) &&
		TRIGGER_FOR_DELETE(trigger->tgtype) && !trigger->tgisinternal &&
		(trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
		 trigger->tgenabled == TRIGGER_FIRES_ALWAYS) &&
		dtmodel_trigger_kind(trigger) == DT_TRIGGER_NONE;
}

/* Whether the trigger is fired by the UPDATE that a soft DELETE is. */
static bool
sees_mark(const Trigger *trigger, const DtSoftDelete *soft_delete)
{
	if (!TRIGGER_FOR_UPDATE(trigger->tgtype))
		return false;
	return trigger->tgnattr == 0 ||
		dtmodel_is_among(soft_delete->flag.attnum, trigger->tgnattr,
						 trigger->tgattr) ||
		dtmodel_is_among(soft_delete->deleted_at.attnum, trigger->tgnattr,
						 trigger->tgattr);
}

/* Or another one that calls its function, as auditing has one for each event. */
static bool
function_sees_mark(TriggerDesc *triggers, const Trigger *trigger,
				   const DtSoftDelete *soft_delete)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *other = &triggers->triggers[i];

		if (other->tgfoid == trigger->tgfoid &&
			TRIGGER_FOR_ROW(other->tgtype) &&
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
 * Triggers for DELETE that a soft one passes by.  The planner's fires none of
 * them, the trigger's those BEFORE it; an AFTER trigger waits for the DELETE
 * that is for good.
 */
static void
drift_of_delete_triggers(StringInfo drift, TriggerDesc *triggers,
						 const DtSoftDelete *soft_delete)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_delete_trigger(trigger) ||
			function_sees_mark(triggers, trigger, soft_delete))
			continue;
		if (!TRIGGER_FOR_BEFORE(trigger->tgtype))
			append_drift(drift, psprintf("trigger \"%s\" is not fired by a soft DELETE: let it be fired AFTER UPDATE OF %s too",
										 trigger->tgname,
										 mark_columns(soft_delete)));
		else if (!soft_delete->trigger_tier)
			append_drift(drift, psprintf("trigger \"%s\" is not fired by a soft DELETE in sessions that preload the library: call %s.add_soft_delete with tier => 'trigger'",
										 trigger->tgname, DTMODEL_SCHEMA));
	}
}

static void
drift_of_live_parent(StringInfo drift, Relation rel, const Trigger *trigger)
{
	char	   *message = dtmodel_drift_of_live_parent(rel, trigger);

	if (message != NULL)
		append_drift(drift, message);
}

/*
 * The columns of a mixin's template, which a table may have without the
 * mixin: made by an ORM, for example, which knows of no triggers.
 */
static const struct
{
	DtTriggerKind kind;
	const char *mixin;			/* as drift calls it */
	const char *add;
	const char *names[2];
	DtColumnUse uses[2];
}			template_columns[] = {
	{DT_TRIGGER_TIMESTAMPS, "timestamps", "add_timestamps",
	{"created_at", "updated_at"}, {DT_COLUMN_TIME, DT_COLUMN_TIME}},
	{DT_TRIGGER_SOFT_DELETE, "soft delete", "add_soft_delete",
	{"is_deleted", "deleted_at"}, {DT_COLUMN_FLAG, DT_COLUMN_TIME}},
	{DT_TRIGGER_AUDIT, "audit", "add_audit",
	{"created_by", "updated_by"}, {DT_COLUMN_ACTOR, DT_COLUMN_ACTOR}},
};

/*
 * Whether it is a column of the table's own that could be the mixin's.  One
 * that is inherited is its parent's business.
 */
static bool
is_template_column(Relation rel, const char *name, DtColumnUse use)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return AttributeNumberIsValid(column.attnum) &&
		dtmodel_column_fits(&column, use) &&
		!dtmodel_is_inherited_column(rel, &column) &&
		TupleDescAttr(RelationGetDescr(rel),
					  column.attnum - 1)->attgenerated == '\0';
}

/* Tables that are no models and are not meant to become any. */
static bool
is_no_candidate(Relation rel)
{
	return RelationGetRelid(rel) < FirstNormalObjectId ||
		rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		rel->rd_rel->relispartition ||
		OidIsValid(getExtensionOfObject(RelationRelationId,
										RelationGetRelid(rel)));
}

static void
drift_of_missing_mixins(StringInfo drift, Relation rel)
{
	if (is_no_candidate(rel))
		return;
	for (size_t i = 0; i < lengthof(template_columns); i++)
	{
		const char *const *names = template_columns[i].names;

		if (is_template_column(rel, names[0], template_columns[i].uses[0]) &&
			is_template_column(rel, names[1], template_columns[i].uses[1]) &&
			dtmodel_find_trigger(rel, template_columns[i].kind) == NULL)
			append_drift(drift, psprintf("columns \"%s\" and \"%s\" but no %s: call %s.%s(%s)",
										 names[0], names[1],
										 template_columns[i].mixin,
										 DTMODEL_SCHEMA, template_columns[i].add,
										 dtmodel_quoted_name(rel)));
	}
}

static void
drift_of_live_parents(StringInfo drift, Relation rel,
					  const DtSoftDelete *columns)
{
	char	   *message = dtmodel_drift_of_live_parents(rel, columns);

	if (message != NULL)
		append_drift(drift, message);
}

/* All that is out of order with a table, as the members of a JSON array. */
static char *
find_drift(Relation rel, const DtModel *model)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);
	SharedMixins mixins = shared_mixins(model);
	DtSettings *settings = model->settings == NULL ? NULL :
		dtmodel_copy_settings(model->settings);
	StringInfoData drift;

	initStringInfo(&drift);
	if (model->timestamps != NULL)
		drift_of_timestamps(&drift, rel, model->timestamps);
	if (model->soft_delete != NULL)
		drift_of_soft_delete(&drift, rel, model->soft_delete);
	if (model->audit != NULL)
		drift_of_audit(&drift, model->audit);
	if (model->slug != NULL)
		drift_of_slug(&drift, rel, model);
	if (model->settings != NULL)
		drift_of_settings(&drift, rel, model->settings);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		DtTriggerKind kind = dtmodel_trigger_kind(trigger);

		if (kind != DT_TRIGGER_NONE)
			drift_of_trigger(&drift, triggers, trigger);
		if (kind == DT_TRIGGER_LIVE_PARENT)
			drift_of_live_parent(&drift, rel, trigger);
	}
	drift_of_live_parents(&drift, rel, model->soft_delete);

	if (model->soft_delete != NULL)
		drift_of_delete_triggers(&drift, triggers, model->soft_delete);
	drift_of_missing_mixins(&drift, rel);

	/* Last, since the cache may forget the model when it is asked for others. */
	drift_of_heirs(&drift, rel, mixins);
	if (settings != NULL)
		drift_of_stored_settings(&drift, rel, settings);
	return drift.data;
}

/* The table, and what there is to say of it. */
typedef struct Description
{
	Oid			relid;
	char	   *schema;
	char	   *table;			/* NULL: it is gone */
	StringInfoData json;
} Description;

static void
append_table(Description *description)
{
	StringInfo	json = &description->json;

	appendStringInfoChar(json, '{');
	append_member(json, "table",
				  quote_qualified_identifier(description->schema,
											 description->table));
	appendStringInfoString(json, ", ");
	append_member(json, "class", dtmodel_make_class_name(description->table));
	appendStringInfoString(json, ", ");
}

static void
append_mixins(StringInfo json, Relation rel, const DtModel *model)
{
	append_key(json, &model->key);
	if (model->timestamps != NULL)
		append_timestamps(json, model->timestamps);
	if (model->soft_delete != NULL)
		append_soft_delete(json, model);
	if (model->audit != NULL)
		append_audit(json, model->audit);
	if (model->slug != NULL)
		append_slug(json, model->slug);
	if (model->settings != NULL)
		append_settings(json, model->settings);
	append_live_parents(json, rel);
}

static void
describe_table(void *argument)
{
	Description *description = argument;
	Relation	rel = dtmodel_try_open(description->relid, AccessShareLock);
	const DtModel *model;

	if (rel == NULL)
		return;

	description->schema = get_namespace_name(RelationGetNamespace(rel));
	description->table = pstrdup(RelationGetRelationName(rel));
	model = dtmodel_get_model(rel);
	append_table(description);
	append_mixins(&description->json, rel, model);
	appendStringInfo(&description->json, ", \"drift\": [%s]}",
					 find_drift(rel, model));
	relation_close(rel, AccessShareLock);
}

/*
 * Whether the arguments of a trigger may be what is wrong.  They are checked by
 * add_*, but any user may create a trigger on a table of theirs.
 */
static bool
is_of_arguments(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/* What is said of a table when it cannot be described. */
static void
describe_error(Description *description, const ErrorData *error)
{
	StringInfo	json = &description->json;

	resetStringInfo(json);
	append_table(description);
	appendStringInfoString(json, "\"primary_key\": [], \"drift\": [");
	append_string(json, psprintf("the arguments of its triggers cannot be read: %s",
								 error->message));
	appendStringInfoString(json, "]}");
}

/*
 * describe(model regclass) returns jsonb
 *
 * What the table is: its name, class and primary key, each mixin with its
 * options, and under "drift" whatever keeps a mixin from doing its work.  A
 * table that is no model has no mixin.  NULL for NULL and for a table that is
 * gone; anything but a table is an error (42809).
 *
 * The view of all models runs it for each table.  So one that cannot be
 * described must not be an error.
 */
Datum
dtmodel_describe(PG_FUNCTION_ARGS)
{
	Description description = {.relid = PG_GETARG_OID(0)};
	ErrorData  *error;

	initStringInfo(&description.json);
	error = dtmodel_try(describe_table, &description);
	if (error != NULL && !is_of_arguments(error))
		ReThrowError(error);
	if (description.table == NULL)
		PG_RETURN_NULL();
	if (error != NULL)
		describe_error(&description, error);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(description.json.data));
}

/* Settings are not fields: they are read and written by their own names. */
static bool
is_field(Form_pg_attribute att, const DtSettings *settings)
{
	if (settings != NULL && att->attnum == settings->column.attnum)
		return false;
	return !att->attisdropped &&
		!(namestrcmp(&att->attname, "settings") == 0 &&
		  (att->atttypid == JSONBOID || att->atttypid == JSONOID));
}

/*
 * get_fields(model regclass) returns text[]
 *
 * The table's columns in their order, without the settings.  NULL for NULL
 * and for a table that is gone; anything but a table is an error (42809).
 *
 * Source: ModelBase.get_fields of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_fields(PG_FUNCTION_ARGS)
{
	Relation	rel = dtmodel_try_open(PG_GETARG_OID(0), AccessShareLock);
	const DtSettings *settings;
	TupleDesc	desc;
	Datum	   *names;
	int			count = 0;

	if (rel == NULL)
		PG_RETURN_NULL();

	desc = RelationGetDescr(rel);
	settings = dtmodel_get_model(rel)->settings;
	names = palloc(sizeof(Datum) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (is_field(att, settings))
			names[count++] = CStringGetTextDatum(NameStr(att->attname));
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false,
										  TYPALIGN_INT));
}
