/*-------------------------------------------------------------------------
 *
 * data.c
 *	  JSON objects as the data of rows: which columns and settings they give,
 *	  with which values.
 *
 * The keys of an object and the columns of a table are both sorted, so that
 * one pass matches them.  A key that is not a column may be a setting; other
 * keys are ignored, or with "strict" an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/data.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "json/object.h"
#include "mixin/settings/mixin.h"
#include "mixin/settings/settings.h"
#include "model/row_call.h"
#include "server/error.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

/*
 * A member of the set of a plan for removed settings, greater than any column
 * and than the members that callers add.
 */
#define REMOVED_SETTINGS (3 * MaxHeapAttributeNumber)

/* The settings that an object gives, while they are collected. */
typedef struct GivenSettings
{
	const DtDataPlace *place;
	const DtSettings *settings; /* NULL: the table has none */
	bool		strict;
	DtRawMember *members;
	uint32		count;
	uint32		size;
	List	   *removed;		/* names of settings to remove, as texts */
} GivenSettings;

/* The value that is being read, for the context of an error. */
typedef struct ValueContext
{
	const DtDataPlace *place;
	const DtField *field;
} ValueContext;

/* "data", or "data[3]" in a list */
static const char *
place_name(const DtDataPlace *place)
{
	if (place->index < 0)
		return place->argument;
	return psprintf("%s[" INT64_FORMAT "]", place->argument, place->index);
}

static void
report_no_object(const char *name, const DtRawValue *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be an object", name),
			 errdetail("It is %s.", dtmodel_raw_kind(value)),
			 errhint("Pass a JSON object whose keys are columns, as in {\"name\": \"John\"}.")));
}

/* An argument that must be a JSON document. */
DtRawValue
dtmodel_data_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Pass a JSON object; it can be empty.")));
	return dtmodel_raw_root(PG_GETARG_JSONB_P(argument));
}

static void
report_unknown_key(const DtDataPlace *place, const DtRawValue *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown key \"%.*s\" in %s", (int) key->len, key->data,
					place_name(place)),
			 errdetail("Table \"%s\" has no column and no setting of that name.",
					   RelationGetRelationName(place->rel)),
			 errhint("Correct the key, or leave it out."),
			 errtable(place->rel)));
}

static void
add_setting(GivenSettings *given, const DtRawValue *key, const DtRawValue *value)
{
	if (given->count == given->size)
	{
		given->size = given->size == 0 ? 16 : given->size * 2;
		given->members = given->members == NULL ?
			palloc(sizeof(DtRawMember) * given->size) :
			repalloc(given->members, sizeof(DtRawMember) * given->size);
	}
	given->members[given->count].key = *key;
	given->members[given->count++].value = *value;
}

/*
 * Adds a setting that is given in the member for all settings, valid or not.
 */
static void
read_given_setting(GivenSettings *given, const DtRawValue *key, const DtRawValue *value)
{
	DtRawValue	rule;

	if (dtmodel_is_setting(given->settings, key, &rule) ||
		given->settings->on_unknown == DT_UNKNOWN_ALLOW)
		add_setting(given, key, value);
	else if (given->strict)
		report_unknown_key(given->place, key);
}

static void
report_wrong_settings(const DtDataPlace *place, const DtSettings *settings,
					  const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" in %s must be an object or an array of settings",
					NameStr(settings->column.name), place_name(place)),
			 errdetail("%s", detail),
			 errhint("Write {\"name\": value} or [{\"key\": \"name\", \"value\": value}]; {\"key\": \"name\", \"remove\": true} removes a setting."),
			 errtablecol(place->rel, settings->column.attnum)));
}

/*
 * Adds a setting to remove; unless the caller is strict, it need not be valid
 * any more.  An earlier value for it in the list is dropped.
 */
static void
remove_setting(GivenSettings *given, const DtRawValue *key)
{
	uint32		kept = 0;
	DtRawValue	rule;

	if (given->strict && given->settings->on_unknown != DT_UNKNOWN_ALLOW &&
		!dtmodel_is_setting(given->settings, key, &rule))
		report_unknown_key(given->place, key);

	for (uint32 i = 0; i < given->count; i++)
	{
		if (dtmodel_raw_compare_keys(&given->members[i].key, key) != 0)
			given->members[kept++] = given->members[i];
	}
	given->count = kept;
	given->removed = lappend(given->removed,
							 cstring_to_text_with_len(key->data, key->len));
}

static bool
find_member(const DtRawValue *object, const char *name, DtRawValue *value)
{
	DtRawValue	key = dtmodel_raw_string(name, strlen(name));

	return dtmodel_raw_find(object, &key, value, NULL);
}

/* What is wrong with an element of a list. */
static const char *
wrong_element(const DtRawValue *element)
{
	DtRawValue	key;
	DtRawValue	value;
	bool		has_value;

	if (!dtmodel_raw_is_object(element))
		return psprintf("is %s", dtmodel_raw_kind(element));
	if (!find_member(element, "key", &key))
		return "has no \"key\"";
	if (key.type != JENTRY_ISSTRING)
		return psprintf("has a \"key\" that is %s", dtmodel_raw_kind(&key));
	has_value = find_member(element, "value", &value);
	if (!find_member(element, "remove", &value))
		return "has neither \"value\" nor \"remove\"";
	return has_value ? "has both \"value\" and \"remove\"" :
		"has a \"remove\" that is not true";
}

/* One {"key": ..., "value": ...} of a list, or {"key": ..., "remove": true}. */
static void
read_settings_element(GivenSettings *given, const DtRawValue *pair, int number)
{
	DtRawValue	key;
	DtRawValue	value;

	if (dtmodel_raw_is_object(pair) && find_member(pair, "key", &key) &&
		key.type == JENTRY_ISSTRING)
	{
		bool		has_value = find_member(pair, "value", &value);
		DtRawValue	removes;

		if (has_value && !find_member(pair, "remove", &removes))
		{
			read_given_setting(given, &key, &value);
			return;
		}
		if (!has_value && find_member(pair, "remove", &removes) &&
			removes.type == JENTRY_ISBOOL_TRUE)
		{
			remove_setting(given, &key);
			return;
		}
	}
	report_wrong_settings(given->place, given->settings,
						  psprintf("%s[%d] %s.",
								   NameStr(given->settings->column.name),
								   number, wrong_element(pair)));
}

/* The member for all settings.  JSON null gives none. */
static void
read_given_settings(GivenSettings *given, const DtRawValue *value)
{
	DtRawObjectWalk object;
	DtRawMember member;
	DtRawArrayWalk array;
	DtRawValue	element;
	int			number = 0;

	if (value->type == JENTRY_ISNULL)
		return;
	if (dtmodel_raw_is_object(value))
	{
		object = dtmodel_raw_walk_object(value);
		while (dtmodel_raw_next_member(&object, &member))
			read_given_setting(given, &member.key, &member.value);
		return;
	}
	if (!dtmodel_raw_is_array(value))
		report_wrong_settings(given->place, given->settings,
							  psprintf("It is %s.", dtmodel_raw_kind(value)));
	array = dtmodel_raw_walk_array(value);
	while (dtmodel_raw_next_element(&array, &element))
		read_settings_element(given, &element, number++);
}

static void
read_settings_member(GivenSettings *given, const DtRawValue *object)
{
	const char *name = NameStr(given->settings->column.name);
	DtRawValue	key = dtmodel_raw_string(name, strlen(name));
	DtRawValue	value;

	if (dtmodel_raw_find(object, &key, &value, NULL))
		read_given_settings(given, &value);
}

/* A key that is not a column. */
static void
read_other_key(GivenSettings *given, const DtRawMember *member)
{
	DtRawValue	rule;

	if (given->settings != NULL && given->settings->combined &&
		dtmodel_is_setting(given->settings, &member->key, &rule))
		add_setting(given, &member->key, &member->value);
	else if (given->strict)
		report_unknown_key(given->place, &member->key);
}

/*
 * The column by which a mixin of the model detects data that was made for an
 * older version of the row; InvalidAttrNumber for none.
 */
static AttrNumber
row_version_column(const DtModel *model)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		for (int j = 0; model->options[i] != NULL && j < mixins[i]->ncolumns; j++)
		{
			const DtMixinColumn *kept = &mixins[i]->columns[j];
			const DtColumn *column = dtmodel_mixin_column(kept, model->options[i]);

			if (kept->is_row_version && dtmodel_column_fits(column, kept->use))
				return column->attnum;
		}
	}
	return InvalidAttrNumber;
}

static void
read_column(DtData *data, AttrNumber version, const DtField *field,
			const DtRawValue *value)
{
	DtDataItem *given = &data->items[data->count];
	bool		is_row_version = field->attnum == version;

	/* A client that does not have a version yet gives null. */
	if (is_row_version && value->type == JENTRY_ISNULL)
		return;
	data->count++;
	given->field = *field;
	given->value = *value;
	given->is_settings = false;
	given->is_row_version = is_row_version;
	data->columns = bms_add_member(data->columns, field->attnum);
}

/* The field for that key; the search continues where the last one ended. */
static const DtField *
next_field(const DtFields *fields, int *next, const DtRawValue *key)
{
	for (; *next < fields->count; (*next)++)
	{
		DtRawValue	name = dtmodel_field_key(&fields->fields[*next]);
		int			order = dtmodel_raw_compare_keys(&name, key);

		if (order == 0)
			return &fields->fields[*next];
		if (order > 0)
			break;
	}
	return NULL;
}

/* Goes through the keys and the columns in parallel. */
static void
read_members(DtData *data, GivenSettings *given, const DtModel *model,
			 const DtRawValue *object)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(object);
	AttrNumber	version = row_version_column(model);
	DtRawMember member;
	int			next = 0;

	while (dtmodel_raw_next_member(&walk, &member))
	{
		const DtField *field = next_field(&model->fields, &next, &member.key);

		if (field == NULL)
			read_other_key(given, &member);
		else if (given->settings == NULL ||
				 field->attnum != given->settings->column.attnum)
			read_column(data, version, field, &member.value);
	}
}

/* Adds the settings that were given, as one more column. */
static void
add_settings_column(DtData *data, const GivenSettings *given)
{
	DtDataItem *column = &data->items[data->count];
	const DtColumn *settings = &given->settings->column;

	dtmodel_check_column(given->place->rel, settings, &dtmodel_use_document,
						 &dtmodel_settings_mixin, "settings");
	data->count++;
	column->field.name = settings->name;
	column->field.length = strlen(NameStr(settings->name));
	column->field.attnum = settings->attnum;
	column->field.typid = settings->typid;
	column->field.typmod = settings->typmod;
	column->field.kind = DT_FIELD_JSONB;
	column->value = dtmodel_raw_root(dtmodel_make_object(given->members, given->count));
	column->is_settings = true;
	column->is_row_version = false;
	data->columns = bms_add_member(data->columns, settings->attnum);
	data->removed = given->removed;
}

/*
 * The values that an object gives for the table's columns and settings.  With
 * strict, a key that is neither is an error (22023).  The values still point
 * into the object.
 */
DtData
dtmodel_read_data(const DtDataPlace *place, const DtRawValue *object, bool strict)
{
	const DtModel *model = dtmodel_get_model(place->rel);
	DtData		data = {.object = *object};
	GivenSettings given = {
		.place = place,
		.settings = dtmodel_settings_of(model),
		.strict = strict,
	};

	if (!dtmodel_raw_is_object(object))
		report_no_object(place_name(place), object);
	data.items = palloc(sizeof(DtDataItem) * (Min((int) dtmodel_raw_count(object),
												  model->fields.count) + 1));

	/*
	 * A setting beside the columns overrides the member for all settings, so
	 * it is added later.
	 */
	if (dtmodel_settings_of(model) != NULL)
		read_settings_member(&given, object);
	read_members(&data, &given, model, object);
	if (given.count > 0 || given.removed != NIL)
		add_settings_column(&data, &given);
	return data;
}

static bool
is_ignored(const DtModel *model, const DtRawValue *key)
{
	const DtSettings *settings = dtmodel_settings_of(model);
	int			next = 0;
	DtRawValue	rule;

	return next_field(&model->fields, &next, key) == NULL &&
		(settings == NULL || !settings->combined ||
		 !dtmodel_is_setting(settings, key, &rule));
}

/* The object's keys that are ignored, as a list; NULL if there are none. */
static char *
ignored_keys(const DtModel *model, const DtRawValue *object)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(object);
	DtRawMember member;
	StringInfoData keys;

	initStringInfo(&keys);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		if (is_ignored(model, &member.key))
			appendStringInfo(&keys, "%s\"%.*s\"", keys.len > 0 ? ", " : "",
							 (int) member.key.len, member.key.data);
	}
	return keys.len > 0 ? keys.data : NULL;
}

/*
 * Adds the ignored keys to an error about a missing value, since one of them
 * may be meant for that column.
 */
static void
name_ignored_keys(const DtDataPlace *place, const DtData *data,
				  ErrorData *error)
{
	char	   *keys;

	if (error->hint != NULL || !dtmodel_is_error_of(error, place->rel))
		return;
	keys = ignored_keys(dtmodel_get_model(place->rel), &data->object);
	if (keys != NULL)
		error->hint = psprintf("Keys in %s that are neither a column nor a setting were ignored: %s.",
							   place_name(place), keys);
}

/* Rethrows an error that was caught, with more detail if there is some. */
void
dtmodel_rethrow(const DtDataPlace *place, const DtData *data,
				MemoryContext caller)
{
	ErrorData  *error = dtmodel_take_error(ERRCODE_NOT_NULL_VIOLATION, caller);

	name_ignored_keys(place, data, error);
	ReThrowError(error);
}

const DtDataItem *
dtmodel_find_data_item(const DtData *data, AttrNumber attnum)
{
	for (int i = 0; i < data->count; i++)
	{
		if (data->items[i].field.attnum == attnum)
			return &data->items[i];
	}
	return NULL;
}

/* The column of the data that an update compares with the row; -1: none. */
int
dtmodel_find_row_version(const DtData *data)
{
	for (int i = 0; i < data->count; i++)
	{
		if (data->items[i].is_row_version)
			return i;
	}
	return -1;
}

/* For data that was made for an older version of the row. */
void
dtmodel_report_stale_data(const DtDataPlace *place, const DtData *data)
{
	const DtDataItem *given = &data->items[dtmodel_find_row_version(data)];
	const char *name = NameStr(given->field.name);

	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("a row of table \"%s\" was changed since it was read",
					RelationGetRelationName(place->rel)),
			 errdetail("Its \"%s\" is no longer the one in %s.", name,
					   place_name(place)),
			 errhint("Read the row again and repeat the change, or omit \"%s\" to update any version of the row.",
					 name),
			 errtablecol(place->rel, given->field.attnum)));
}

static void
value_context(void *argument)
{
	ValueContext *context = (ValueContext *) argument;

	errcontext("column \"%s\" of table \"%s\", from %s",
			   NameStr(context->field->name),
			   RelationGetRelationName(context->place->rel),
			   place_name(context->place));
}

/* The values for the parameters of a query, one for each column. */
void
dtmodel_data_values(const DtDataPlace *place, const DtData *data,
					Datum *values, char *nulls)
{
	ValueContext context = {.place = place};
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = value_context,
		.arg = &context,
	};

	error_context_stack = &callback;
	for (int i = 0; i < data->count; i++)
	{
		bool		isnull;

		context.field = &data->items[i].field;
		values[i] = dtmodel_field_value(context.field, &data->items[i].value,
										&isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	error_context_stack = callback.previous;
}

void
dtmodel_data_types(const DtData *data, Oid *types)
{
	for (int i = 0; i < data->count; i++)
		types[i] = dtmodel_field_parameter(&data->items[i].field);
}

/*
 * The set for the plan of an UPDATE.  One that removes settings has one more
 * parameter, their names, and one more member in the set.
 */
Bitmapset *
dtmodel_update_set(const DtData *data)
{
	return data->removed == NIL ? data->columns :
		bms_add_member(bms_copy(data->columns), REMOVED_SETTINGS);
}

int
dtmodel_update_count(const DtData *data)
{
	return data->count + (data->removed == NIL ? 0 : 1);
}

void
dtmodel_update_types(const DtData *data, Oid *types)
{
	dtmodel_data_types(data, types);
	if (data->removed != NIL)
		types[data->count] = TEXTARRAYOID;
}

void
dtmodel_update_values(const DtDataPlace *place, const DtData *data,
					  Datum *values, char *nulls)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(list_length(data->removed), 1));
	ListCell   *cell;

	dtmodel_data_values(place, data, values, nulls);
	if (data->removed == NIL)
		return;
	foreach(cell, data->removed)
		names[foreach_current_index(cell)] = PointerGetDatum(lfirst(cell));
	values[data->count] =
		PointerGetDatum(construct_array(names, list_length(data->removed),
										TEXTOID, -1, false, TYPALIGN_INT));
	nulls[data->count] = ' ';
}

/*
 * Appends the row's settings, with the given ones merged into them and
 * without those to remove.  "first" is the number of the first parameter.
 */
void
dtmodel_append_merge(StringInfo query, const DtData *data, const char *column,
					 const char *given, int first)
{
	const char *stored = psprintf(DT_ROW_ALIAS ".%s", column);

	/* If they are not an object, merge_settings raises an error. */
	if (data->removed != NIL)
		stored = psprintf("CASE WHEN pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) 'object' THEN %s OPERATOR(pg_catalog.-) $%d ELSE %s END",
						  stored, stored, first + data->count, stored);
	appendStringInfo(query, DTMODEL_SCHEMA ".merge_settings(%s, %s)", stored,
					 given);
}

/* Appends "a, b". */
void
dtmodel_append_columns(StringInfo query, const DtData *data)
{
	for (int i = 0; i < data->count; i++)
		appendStringInfo(query, "%s%s", i == 0 ? "" : ", ",
						 quote_identifier(NameStr(data->items[i].field.name)));
}

/* Appends the expression that converts the parameter to the column's value. */
void
dtmodel_append_value(StringInfo query, const DtField *field, const char *value)
{
	const char *column = quote_identifier(NameStr(field->name));

	if (field->kind != DT_FIELD_NESTED)
	{
		appendStringInfoString(query, value);
		return;
	}
	appendStringInfo(query, "(SELECT x.%s FROM pg_catalog.jsonb_to_record(%s) AS x (%s %s))",
					 column, value, column,
					 format_type_extended(field->typid, field->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN |
										  FORMAT_TYPE_FORCE_QUALIFY));
}

/* Appends "$1, $2", or the expressions that convert them. */
void
dtmodel_append_values(StringInfo query, const DtData *data)
{
	for (int i = 0; i < data->count; i++)
	{
		appendStringInfoString(query, i == 0 ? "" : ", ");
		dtmodel_append_value(query, &data->items[i].field,
							 psprintf("$%d", i + 1));
	}
}
