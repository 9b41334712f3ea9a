/*-------------------------------------------------------------------------
 *
 * mixin_call.c
 *	  The call of add_* that made a mixin what it is, for hints.
 *
 * An option that such a call leaves out has its default again.  So a hint that
 * names one option must name all the others too, and these are the arguments
 * of the mixin's trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "model/mixin_call.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#define NEW_NAME "its new name"

#define MOST_OPTIONS 8

typedef enum OptionKind
{
	OPTION_NONE,				/* there are no more */
	OPTION_COLUMN,				/* a column, or NULL for none */
	OPTION_COLUMNS,				/* an array of columns */
	OPTION_TEXT,
	OPTION_PLAIN,				/* a number or a boolean */
	OPTION_PROTECT				/* a trigger of its own */
} OptionKind;

/* An argument of add_*, and of the trigger, which has it unless it is NULL. */
typedef struct Option
{
	OptionKind	kind;
	const char *name;
	const char *default_value;	/* NULL: there is none, or it is NULL */
} Option;

typedef struct MixinCall
{
	const char *add;
	DtTriggerKind trigger;
	Option		options[MOST_OPTIONS + 1];
} MixinCall;

static const MixinCall calls[] = {
	{"add_timestamps", DT_TRIGGER_TIMESTAMPS, {
			{OPTION_COLUMN, "created_at", "created_at"},
			{OPTION_COLUMN, "updated_at", "updated_at"},
			{OPTION_COLUMNS, "ignore_columns", NULL},
			{OPTION_TEXT, "clock", NULL},
			{OPTION_TEXT, "on_insert", NULL},
	}},
	{"add_soft_delete", DT_TRIGGER_SOFT_DELETE, {
			{OPTION_COLUMN, "flag", "is_deleted"},
			{OPTION_COLUMN, "deleted_at", "deleted_at"},
			{OPTION_COLUMN, "deleted_by", NULL},
			{OPTION_TEXT, "flag_means", NULL},
			{OPTION_PLAIN, "hide", NULL},
			{OPTION_PROTECT, "protect_truncate", NULL},
			{OPTION_TEXT, "flag_writes", NULL},
			{OPTION_TEXT, "tier", NULL},
	}},
	{"add_audit", DT_TRIGGER_AUDIT, {
			{OPTION_COLUMN, "created_by", "created_by"},
			{OPTION_COLUMN, "updated_by", "updated_by"},
	}},
	{"add_slug", DT_TRIGGER_SLUG, {
			{OPTION_COLUMN, "source", NULL},
			{OPTION_COLUMN, "slug", "slug"},
			{OPTION_PLAIN, "max_length", "80"},
			{OPTION_PLAIN, "on_update", NULL},
	}},
	{"add_settings", DT_TRIGGER_SETTINGS, {
			{OPTION_TEXT, "valid_settings", NULL},
			{OPTION_PLAIN, "combined", NULL},
			{OPTION_COLUMN, "settings", "settings"},
			{OPTION_TEXT, "schema", NULL},
			{OPTION_TEXT, "on_unknown", NULL},
	}},
};

/* The table as a literal; of a partition, the partitioned table above all. */
char *
dtmodel_quoted_root(Relation rel)
{
	Oid			root = RelationGetRelid(rel);
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(root) : NIL;
	char	   *schema;

	/* One that is being detached has none any more. */
	if (ancestors != NIL)
		root = llast_oid(ancestors);
	schema = get_namespace_name(get_rel_namespace(root));
	return quote_literal_cstr(quote_qualified_identifier(schema,
														 get_rel_name(root)));
}

static const MixinCall *
find_call(const DtMixin *mixin)
{
	for (size_t i = 0; i < lengthof(calls); i++)
	{
		if (strcmp(calls[i].add, mixin->add) == 0)
			return &calls[i];
	}
	return NULL;
}

static bool
is_missing(Relation rel, const char *name)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return !AttributeNumberIsValid(column.attnum);
}

/* An array of columns, with the new name in the place of those that are gone. */
static char *
new_names(Relation rel, const char *literal)
{
	ArrayType  *array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
																pstrdup(literal),
																TEXTOID, -1));
	Datum	   *names;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		if (is_missing(rel, TextDatumGetCString(names[i])))
			names[i] = CStringGetTextDatum(NEW_NAME);
	}
	array = construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
	return OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));
}

/* What the table has for an option; NULL for nothing. */
static const char *
option_value(Relation rel, const Trigger *trigger, const Option *option)
{
	if (option->kind == OPTION_PROTECT)
		return dtmodel_find_trigger(rel, DT_TRIGGER_PROTECT_TRUNCATE) == NULL ?
			NULL : "true";
	return dtmodel_trigger_option(trigger, option->name);
}

/* The same where columns that are gone have new names. */
static const char *
new_value(Relation rel, const Trigger *trigger, const Option *option)
{
	const char *value = option_value(rel, trigger, option);

	if (value == NULL)
		return NULL;
	if (option->kind == OPTION_COLUMN && is_missing(rel, value))
		return NEW_NAME;
	if (option->kind == OPTION_COLUMNS)
		return new_names(rel, value);
	return value;
}

static void
append_option(StringInfo call, const Option *option, const char *value)
{
	if (value == NULL && option->default_value != NULL)
		appendStringInfo(call, ", %s => NULL", option->name);
	if (value == NULL || (option->default_value != NULL &&
						  strcmp(value, option->default_value) == 0))
		return;
	appendStringInfo(call, ", %s => %s", option->name,
					 option->kind == OPTION_PLAIN ||
					 option->kind == OPTION_PROTECT ? value :
					 quote_literal_cstr(value));
}

static void
append_options(StringInfo call, Relation rel, const MixinCall *mixin,
			   const char *parameter, const char *value)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, mixin->trigger);

	for (const Option *option = mixin->options; option->kind != OPTION_NONE; option++)
	{
		if (parameter != NULL && strcmp(option->name, parameter) == 0)
			appendStringInfo(call, ", %s => '%s'", parameter, value);
		else if (trigger != NULL)
			append_option(call, option, parameter == NULL ?
						  option_value(rel, trigger, option) :
						  new_value(rel, trigger, option));
	}
}

/*
 * The call that makes the table the model that it is; with a parameter, the one
 * that gives this another value, or "its new name" if the value is NULL, and
 * so all columns that are gone.  Of a table without the mixin it has no other
 * option.
 */
char *
dtmodel_mixin_call(Relation rel, const DtMixin *mixin, const char *parameter,
				   const char *value)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "%s.%s(%s", DTMODEL_SCHEMA, mixin->add,
					 dtmodel_quoted_root(rel));
	append_options(&call, rel, find_call(mixin), parameter,
				   value == NULL ? NEW_NAME : value);
	appendStringInfoChar(&call, ')');
	return call.data;
}
