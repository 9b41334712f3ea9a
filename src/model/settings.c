/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  What a table's settings may be, read from the options of its trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "json/object.h"
#include "model/settings.h"
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

/*
 * Each valid setting with its rule; one without, or with what is none, has the
 * empty rule.
 */
static Jsonb *
read_rules(const char *valid_settings, const RawValue *schema)
{
	ArrayType  *array;
	Datum	   *names;
	int			count;
	RawMember  *rules;

	array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
													pstrdup(valid_settings != NULL ? valid_settings : "{}"),
													TEXTOID, -1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	rules = palloc(sizeof(RawMember) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		text	   *name = DatumGetTextPP(names[i]);

		rules[i].key = raw_string(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		if (!dtmodel_raw_find(schema, &rules[i].key, &rules[i].value, NULL) ||
			!raw_is_object(&rules[i].value))
			rules[i].value = dtmodel_raw_empty_object;
	}
	return dtmodel_object_of(rules, count);
}

/* The settings that have a default, with it. */
static Jsonb *
read_defaults(const Jsonb *rules)
{
	RawValue	root = raw_root(rules);
	RawObject	walk = raw_object(&root);
	RawValue	word = raw_string("default", strlen("default"));
	RawMember  *defaults = palloc(sizeof(RawMember) * Max(walk.left, 1));
	RawMember	rule;
	uint32		count = 0;

	while (raw_object_next(&walk, &rule))
	{
		if (!dtmodel_raw_find(&rule.value, &word, &defaults[count].value, NULL))
			continue;
		defaults[count++].key = rule.key;
	}
	return count == 0 ? NULL : dtmodel_object_of(defaults, count);
}

/* What the options say.  They were checked when the trigger was made. */
DtSettings *
dtmodel_read_settings(TupleDesc desc, const DtSettingsOptions *options)
{
	DtSettings *settings = palloc0(sizeof(DtSettings));
	RawValue	schema = raw_root(read_schema(options->schema));

	if (!raw_is_object(&schema))
		schema = dtmodel_raw_empty_object;
	dtmodel_find_column(desc, options->settings, &settings->column);
	settings->combined = options->combined == NULL ||
		strcmp(options->combined, "false") != 0;
	if (options->on_unknown != NULL)
		(void) dtmodel_parse_on_unknown(options->on_unknown,
										&settings->on_unknown);
	settings->rules = read_rules(options->valid_settings, &schema);
	settings->defaults = read_defaults(settings->rules);
	return settings;
}

static Jsonb *
copy_document(const Jsonb *document)
{
	Jsonb	   *copy = palloc(VARSIZE(document));

	memcpy(copy, document, VARSIZE(document));
	return copy;
}

/* A copy in the current context, for those who keep it. */
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

/* Whether the model has a setting of that name; if so, what its rule is. */
bool
dtmodel_is_setting(const DtSettings *settings, const RawValue *key,
				   RawValue *rule)
{
	RawValue	rules = raw_root(settings->rules);

	return dtmodel_raw_find(&rules, key, rule, NULL);
}
