/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the settings mixin: the valid settings of a table and
 *	  their rules, read from the options of its trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "json/object.h"
#include "mixin/settings/mixin.h"
#include "mixin/settings/settings.h"
#include "model/drift.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

static const char *const on_unknown_names[] = {
	[DT_UNKNOWN_ERROR] = "error",
	[DT_UNKNOWN_IGNORE] = "ignore",
	[DT_UNKNOWN_ALLOW] = "allow",
};

const char *
dtmodel_on_unknown_name(DtOnUnknown on_unknown)
{
	return on_unknown_names[on_unknown];
}

bool
dtmodel_parse_on_unknown(const char *name, DtOnUnknown *on_unknown)
{
	for (size_t i = 0; i < lengthof(on_unknown_names); i++)
	{
		if (strcmp(name, on_unknown_names[i]) == 0)
		{
			*on_unknown = (DtOnUnknown) i;
			return true;
		}
	}
	return false;
}

static Jsonb *
read_schema(const char *schema)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
											  CStringGetDatum(schema != NULL ? schema : "{}")));
}

/* All valid settings with their rules; the rule is empty if there is none. */
static Jsonb *
read_rules(const char *valid_settings, const DtRawValue *schema)
{
	ArrayType  *array;
	Datum	   *names;
	int			count;
	DtRawMember *rules;

	array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
													pstrdup(valid_settings != NULL ? valid_settings : "{}"),
													TEXTOID, -1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	rules = palloc(sizeof(DtRawMember) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		text	   *name = DatumGetTextPP(names[i]);

		rules[i].key = dtmodel_raw_string(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		if (!dtmodel_raw_find(schema, &rules[i].key, &rules[i].value, NULL))
			rules[i].value = dtmodel_raw_empty_object;
	}
	return dtmodel_make_object(rules, count);
}

/* The settings that have a default, with their defaults. */
static Jsonb *
read_defaults(const Jsonb *rules)
{
	DtRawValue	root = dtmodel_raw_root(rules);
	DtRawObjectWalk walk = dtmodel_raw_walk_object(&root);
	DtRawValue	word = dtmodel_raw_string("default", strlen("default"));
	DtRawMember *defaults = palloc(sizeof(DtRawMember) * Max(walk.left, 1));
	DtRawMember rule;
	uint32		count = 0;

	while (dtmodel_raw_next_member(&walk, &rule))
	{
		if (!dtmodel_raw_is_object(&rule.value) ||
			!dtmodel_raw_find(&rule.value, &word, &defaults[count].value, NULL))
			continue;
		defaults[count++].key = rule.key;
	}
	return count == 0 ? NULL : dtmodel_make_object(defaults, count);
}

/* The options were checked when the trigger was made. */
static void
read_options(void *options, Relation rel pg_attribute_unused(),
			 const Trigger *trigger)
{
	DtSettings *settings = options;
	const char *combined = dtmodel_trigger_option(trigger, "combined");
	const char *on_unknown = dtmodel_trigger_option(trigger, "on_unknown");
	DtRawValue	schema = dtmodel_raw_root(read_schema(dtmodel_trigger_option(trigger,
																			 "schema")));

	if (!dtmodel_raw_is_object(&schema))
		schema = dtmodel_raw_empty_object;
	settings->combined = combined == NULL || strcmp(combined, "false") != 0;
	if (on_unknown != NULL)
		(void) dtmodel_parse_on_unknown(on_unknown, &settings->on_unknown);
	settings->rules = read_rules(dtmodel_trigger_option(trigger, "valid_settings"),
								 &schema);
	settings->defaults = read_defaults(settings->rules);
}

static Jsonb *
copy_document(const Jsonb *document)
{
	Jsonb	   *copy = palloc(VARSIZE(document));

	memcpy(copy, document, VARSIZE(document));
	return copy;
}

/* A copy in the current context. */
DtSettings *
dtmodel_copy_settings(const DtSettings *settings)
{
	DtSettings *copy = palloc(sizeof(DtSettings));

	*copy = *settings;
	copy->rules = copy_document(settings->rules);
	if (settings->defaults != NULL)
		copy->defaults = copy_document(settings->defaults);
	return copy;
}

/* Whether the model has a setting of that name, and its rule. */
bool
dtmodel_is_setting(const DtSettings *settings, const DtRawValue *key,
				   DtRawValue *rule)
{
	DtRawValue	rules = dtmodel_raw_root(settings->rules);

	return dtmodel_raw_find(&rules, key, rule, NULL);
}

static void
describe(StringInfo json, Relation rel pg_attribute_unused(),
		 const void *options)
{
	const DtSettings *settings = options;
	DtRawValue	rules = dtmodel_raw_root(settings->rules);
	DtRawObjectWalk walk = dtmodel_raw_walk_object(&rules);
	DtRawMember rule;
	const char *comma = "";

	appendStringInfoChar(json, '{');
	dtmodel_append_mixin_columns(json, &dtmodel_settings_mixin, options);
	appendStringInfoString(json, ", \"valid_settings\": [");
	while (dtmodel_raw_next_member(&walk, &rule))
	{
		appendStringInfoString(json, comma);
		dtmodel_append_string(json, pnstrdup(rule.key.data, rule.key.len));
		comma = ", ";
	}
	appendStringInfo(json, "], \"combined\": %s, ",
					 settings->combined ? "true" : "false");
	dtmodel_append_member(json, "on_unknown",
						  dtmodel_on_unknown_name(settings->on_unknown));
	appendStringInfo(json, ", \"schema\": %s}",
					 JsonbToCString(NULL, &settings->rules->root,
									VARSIZE(settings->rules)));
}

/* Reports columns that were added later and hide settings of the same name. */
static void
drift_of_hidden_settings(DtDrift *drift, TupleDesc desc,
						 const DtSettings *settings)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DtRawValue	name = dtmodel_raw_string(NameStr(att->attname),
											  strlen(NameStr(att->attname)));
		DtRawValue	rule;

		if (!att->attisdropped && dtmodel_is_setting(settings, &name, &rule))
			dtmodel_append_drift(drift, DT_ADVICE, "rename one of the two",
								 "setting \"%s\" has the name of a column",
								 NameStr(att->attname));
	}
}

static void
find_drift(DtDrift *drift, Relation rel, const void *options)
{
	drift_of_hidden_settings(drift, RelationGetDescr(rel), options);

	/* A copy: while rows are read, the cache may free the model. */
	dtmodel_drift_of_stored_settings(drift, rel, dtmodel_copy_settings(options));
}

static const char *
find_check(Relation rel, const void *options)
{
	return dtmodel_find_settings_check(rel, &((const DtSettings *) options)->column);
}

static const DtTriggerType triggers[] = {
	{
		.name = "zz_dtmodel_settings",
		.function = "settings_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE,
		.move_events = TRIGGER_TYPE_DELETE,
		.action = &dtmodel_settings_action,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "settings",
		.use = &dtmodel_use_document,
		.offset = offsetof(DtSettings, column),
		.in_template = "settings",
	},
};

static const DtOption options[] = {
	{DT_OPTION_TEXT, "valid_settings", NULL, NULL},
	{DT_OPTION_UNQUOTED, "combined", NULL, NULL},
	{DT_OPTION_COLUMN, "settings", "settings", NULL},
	{DT_OPTION_TEXT, "schema", NULL, NULL},
	{DT_OPTION_TEXT, "on_unknown", NULL, NULL},
	{0}
};

const DtMixin dtmodel_settings_mixin = {
	.name = "settings",
	.title = "settings",
	.add = "add_settings",
	.remove = "remove_settings",
	.triggers = triggers,
	.ntriggers = lengthof(triggers),
	.options = options,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtSettings),
	.read = read_options,
	.describe = describe,
	.find_drift = find_drift,
	.find_check = find_check,
};
