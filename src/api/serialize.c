/*-------------------------------------------------------------------------
 *
 * serialize.c
 *	  A row as a JSON object.
 *
 * An object's keys must be in jsonb's own order.  The order of the columns
 * that the filters select is computed once for a call in a query, and then
 * each row is written in one pass.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/settings/settings.h"
#include "model/json_value.h"
#include "server/record.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(dtmodel_to_dict);
PG_FUNCTION_INFO_V1(dtmodel_get);

/* A list of names. */
typedef struct Names
{
	int			count;
	DtRawValue *names;
} Names;

/* The state of a call in a query, which is kept for its rows. */
typedef struct DictState
{
	MemoryContext context;		/* for all of this */
	uint64		type;			/* of the rows; from dtmodel_record_type() */
	uint64		changes;		/* dtmodel_relation_changes() when the
								 * settings were read */
	bytea	   *filters[2];		/* excludes and includes as given; NULL for
								 * NULL */
	Names	   *excluded;		/* excludes as a list; NULL for none */
	Names	   *included;
	TupleTableSlot *slot;		/* for rows of this type */
	int			ncolumns;		/* how many columns have to be read */
	int			count;
	DtJsonField *fields;		/* the wanted columns, in jsonb's order */
	DtRawBuffer keys;			/* an object with their names, without values */
	DtRawWriter after_keys;
	DtSettings *settings;		/* NULL: the table has none, or none is wanted */
	AttrNumber	list;			/* the column that is written as a list */
} DictState;

/* The parts of one row. */
typedef struct DictRow
{
	DtRecord	record;
	uint32		nsettings;
	DtRawMember *settings;		/* the wanted settings, in jsonb's order */
} DictRow;

static Names *
read_names(bytea *array)
{
	Names	   *list;
	Datum	   *names;
	bool	   *nulls;
	int			count;

	if (array == NULL)
		return NULL;
	list = palloc0(sizeof(Names));
	deconstruct_array((ArrayType *) array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, &nulls, &count);
	list->names = palloc(sizeof(DtRawValue) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		text	   *name;

		if (nulls[i])
			continue;
		name = DatumGetTextPP(names[i]);
		list->names[list->count++] = dtmodel_raw_string(VARDATA_ANY(name),
														VARSIZE_ANY_EXHDR(name));
	}
	return list;
}

static bool
is_among(const Names *list, const DtRawValue *name)
{
	for (int i = 0; i < list->count; i++)
	{
		if (dtmodel_raw_compare_keys(&list->names[i], name) == 0)
			return true;
	}
	return false;
}

static bool
is_wanted(const DictState *state, const DtRawValue *name)
{
	return (state->included == NULL || is_among(state->included, name)) &&
		(state->excluded == NULL || !is_among(state->excluded, name));
}

/* A setting is included by its own name, or by the column of all settings. */
static bool
is_setting_wanted(const DictState *state, const DtRawValue *name)
{
	const char *column = NameStr(state->settings->column.name);
	DtRawValue	all = dtmodel_raw_string(column, strlen(column));

	return is_wanted(state, name) ||
		(state->included != NULL && is_among(state->included, &all) &&
		 (state->excluded == NULL || !is_among(state->excluded, name)));
}

static bool
is_column(TupleDesc desc, const DtRawValue *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DtRawValue	column = dtmodel_raw_string(NameStr(att->attname),
												strlen(NameStr(att->attname)));

		if (!att->attisdropped && dtmodel_raw_compare_keys(&column, name) == 0)
			return true;
	}
	return false;
}

static void
report_unknown_name(TupleDesc desc, const DtRawValue *name, const char *argument)
{
	Oid			relid = get_typ_typrelid(desc->tdtypeid);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%.*s\" does not exist",
					(int) name->len, name->data),
			 OidIsValid(relid) ?
			 errdetail("%s names it, and rows of \"%s\" have no column and no setting of that name.",
					   argument, get_rel_name(relid)) :
			 errdetail("%s names it, and the row has no column of that name.",
					   argument),
			 errhint("Correct the name, or leave it out.")));
}

/* Checks that everything named in a filter exists. */
static void
check_names(const Names *list, const char *argument, TupleDesc desc,
			const DtSettings *settings)
{
	DtRawValue	rule;

	if (list == NULL ||
		(settings != NULL && settings->on_unknown == DT_UNKNOWN_ALLOW))
		return;
	for (int i = 0; i < list->count; i++)
	{
		if (!is_column(desc, &list->names[i]) &&
			(settings == NULL ||
			 !dtmodel_is_setting(settings, &list->names[i], &rule)))
			report_unknown_name(desc, &list->names[i], argument);
	}
}

static void
read_settings(DictState *state, TupleDesc desc)
{
	DtSettings *settings = dtmodel_settings_of_rows(desc);
	DtRawValue	name;

	check_names(state->excluded, "excludes", desc, settings);
	check_names(state->included, "includes", desc, settings);
	if (settings == NULL)
		return;
	name = dtmodel_raw_string(NameStr(settings->column.name),
							  strlen(NameStr(settings->column.name)));
	if (state->excluded != NULL && is_among(state->excluded, &name))
		return;
	state->settings = settings;
	state->ncolumns = settings->column.attnum;
}

/* Whether includes names single settings. */
static bool
includes_settings(const DictState *state, TupleDesc desc)
{
	for (int i = 0; state->included != NULL && i < state->included->count; i++)
	{
		if (!is_column(desc, &state->included->names[i]))
			return true;
	}
	return false;
}

static void
read_wanted_fields(DictState *state, TupleDesc desc)
{
	DtFields	fields = dtmodel_read_fields(desc);

	state->fields = palloc(sizeof(DtJsonField) * Max(fields.count, 1));
	for (int i = 0; i < fields.count; i++)
	{
		const DtField *field = &fields.fields[i];
		DtRawValue	name = dtmodel_field_key(field);

		if (state->settings != NULL &&
			field->attnum == state->settings->column.attnum)
		{
			if (state->settings->combined)
				continue;
			state->list = field->attnum;
		}
		if (!is_wanted(state, &name) &&
			(field->attnum != state->list || !includes_settings(state, desc)))
			continue;
		dtmodel_init_json_field(&state->fields[state->count++], field);
		state->ncolumns = Max(state->ncolumns, field->attnum);
	}
}

/* The row's settings as a document; NULL if nothing is stored. */
static Jsonb *
effective_settings(const DictState *state, const DictRow *row)
{
	int			i = state->settings->column.attnum - 1;
	Jsonb	   *stored = row->record.nulls[i] ? NULL :
		DatumGetJsonbP(row->record.values[i]);

	if (state->settings->defaults == NULL && stored != NULL)
		return stored;
	return dtmodel_effective_settings(state->settings, stored);
}

/* Finds the wanted settings.  A column of the same name takes precedence. */
static void
find_settings(const DictState *state, DictRow *row)
{
	DtRawValue	root = dtmodel_raw_root(effective_settings(state, row));
	DtRawObjectWalk walk;
	int			next = 0;

	if (!dtmodel_raw_is_object(&root))
		return;
	walk = dtmodel_raw_walk_object(&root);
	row->settings = palloc(sizeof(DtRawMember) * (walk.left + 1));
	while (dtmodel_raw_next_member(&walk, &row->settings[row->nsettings]))
	{
		const DtRawValue *key = &row->settings[row->nsettings].key;
		int			order = 1;

		for (; next < state->count && order > 0; next += (order > 0))
		{
			DtRawValue	name = dtmodel_field_key(&state->fields[next].field);

			order = dtmodel_raw_compare_keys(key, &name);
		}
		if (order != 0 && is_setting_wanted(state, key))
			row->nsettings++;
	}
}

/* Writes {"key": ..., "value": ...}. */
static void
write_pair(DtRawBuffer *buffer, const DtRawMember *setting)
{
	DtRawValue	key = dtmodel_raw_string("key", strlen("key"));
	DtRawValue	value = dtmodel_raw_string("value", strlen("value"));
	DtRawWriter writer;

	dtmodel_write_container(&writer, buffer, JB_FOBJECT, 2);
	dtmodel_write_value(&writer, &key);
	dtmodel_write_value(&writer, &value);
	dtmodel_write_value(&writer, &setting->key);
	dtmodel_write_value(&writer, &setting->value);
}

/* Writes settings that are not combined with the columns. */
static void
write_list(DtRawWriter *parent, const DictRow *row)
{
	DtRawWriter writer;

	dtmodel_write_container(&writer, parent->buffer, JB_FARRAY, row->nsettings);
	for (uint32 i = 0; i < row->nsettings; i++)
	{
		write_pair(parent->buffer, &row->settings[i]);
		dtmodel_write_entry(&writer, JENTRY_ISCONTAINER);
	}
	dtmodel_write_entry(parent, JENTRY_ISCONTAINER);
}

static void
write_field(DtRawWriter *writer, const DictState *state, const DictRow *row,
			DtJsonField *json)
{
	int			i = json->field.attnum - 1;

	if (json->field.attnum == state->list)
		write_list(writer, row);
	else if (row->record.nulls[i])
		dtmodel_write_entry(writer, JENTRY_ISNULL);
	else
		dtmodel_write_field(writer, json, row->record.values[i]);
}

/*
 * Writes the keys of columns and settings, each of which are sorted, in one
 * order; or, in the same order, the values.
 */
static void
write_members(DtRawWriter *writer, const DictState *state, const DictRow *row,
			  uint32 nsettings, bool keys)
{
	uint32		setting = 0;
	int			field = 0;

	while (field < state->count || setting < nsettings)
	{
		DtRawValue	name;
		bool		is_field = setting == nsettings;

		if (field < state->count)
		{
			name = dtmodel_field_key(&state->fields[field].field);
			is_field = is_field ||
				dtmodel_raw_compare_keys(&name, &row->settings[setting].key) < 0;
		}
		if (keys)
			dtmodel_write_value(writer, is_field ? &name : &row->settings[setting].key);
		else if (is_field)
			write_field(writer, state, row, &state->fields[field]);
		else
			dtmodel_write_value(writer, &row->settings[setting].value);
		if (is_field)
			field++;
		else
			setting++;
	}
}

/* Begins an object and writes its keys. */
static void
write_keys(DtRawWriter *writer, DtRawBuffer *buffer, const DictState *state,
		   const DictRow *row, uint32 nsettings)
{
	dtmodel_begin_document(buffer, 256 + 64 * (Size) state->count);
	dtmodel_write_container(writer, buffer, JB_FOBJECT,
							state->count + nsettings);
	write_members(writer, state, row, nsettings, true);
}

/*
 * The same if there are only the keys of columns, which are always the same.
 */
static void
copy_keys(DtRawWriter *writer, DtRawBuffer *buffer, const DictState *state)
{
	Size		length = state->keys.len;

	dtmodel_buffer_init(buffer, length + 64 * (Size) state->count);
	memcpy(dtmodel_buffer_extend(buffer, length), state->keys.data, length);
	*writer = state->after_keys;
	writer->buffer = buffer;
}

static Datum
write_dict(const DictState *state, DictRow *row)
{
	uint32		nsettings;
	DtRawBuffer buffer;
	DtRawWriter writer;

	if (state->settings != NULL)
		find_settings(state, row);
	nsettings = state->list == InvalidAttrNumber ? row->nsettings : 0;
	if (nsettings == 0)
		copy_keys(&writer, &buffer, state);
	else
		write_keys(&writer, &buffer, state, row, nsettings);
	write_members(&writer, state, row, nsettings, false);
	return JsonbPGetDatum(dtmodel_finish_document(&buffer));
}

static bytea *
copy_filter(bytea *array)
{
	return array == NULL ? NULL :
		(bytea *) DatumGetPointer(datumCopy(PointerGetDatum(array), false, -1));
}

static DictState *
make_state(MemoryContext parent, Datum value, bytea **filters)
{
	MemoryContext context = AllocSetContextCreate(parent, "dtmodel to_dict",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	DictState  *state = palloc0(sizeof(DictState));
	DictRow		no_settings = {0};
	TupleDesc	desc = dtmodel_copy_record_type(value);

	state->context = context;
	state->type = dtmodel_record_type(value);
	state->changes = dtmodel_relation_changes();
	state->slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	for (int i = 0; i < 2; i++)
		state->filters[i] = copy_filter(filters[i]);
	state->excluded = read_names(state->filters[0]);
	state->included = read_names(state->filters[1]);
	read_settings(state, desc);
	read_wanted_fields(state, desc);
	write_keys(&state->after_keys, &state->keys, state, &no_settings, 0);
	MemoryContextSwitchTo(caller);
	return state;
}

static bool
same_filter(const bytea *a, const bytea *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) &&
		memcmp(VARDATA(a), VARDATA(b), VARSIZE(a) - VARHDRSZ) == 0;
}

/*
 * Whether the state fits the row and the filters.  An expression of PL/pgSQL
 * is one call for a whole transaction, in which the table's settings may
 * change.
 */
static bool
is_still_good(const DictState *state, Datum value, bytea **filters)
{
	return state != NULL && state->type == dtmodel_record_type(value) &&
		state->changes == dtmodel_relation_changes() &&
		same_filter(state->filters[0], filters[0]) &&
		same_filter(state->filters[1], filters[1]);
}

static DictState *
get_state(FunctionCallInfo fcinfo, Datum value)
{
	DictState  *state = fcinfo->flinfo->fn_extra;
	bytea	   *filters[2] = {NULL, NULL};

	for (int i = 0; i < 2; i++)
	{
		if (!PG_ARGISNULL(i + 1))
			filters[i] = PG_GETARG_BYTEA_P(i + 1);
	}
	if (is_still_good(state, value, filters))
		return state;
	fcinfo->flinfo->fn_extra = NULL;
	if (state != NULL)
		MemoryContextDelete(state->context);
	state = make_state(fcinfo->flinfo->fn_mcxt, value, filters);
	fcinfo->flinfo->fn_extra = state;
	return state;
}

/* Accepts any composite value, of a table or not. */
static void
check_is_row(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (type_is_rowtype(type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("the instance must be a row"),
			 errdetail("It is of type %s.", format_type_be(type)),
			 errhint("Pass a row, such as u in FROM users AS u.")));
}

/*
 * to_dict(instance anyelement, excludes text[] DEFAULT NULL,
 *		   includes text[] DEFAULT NULL) returns jsonb
 *
 * The row as a JSON object, its values as to_jsonb makes them; with includes
 * only the columns and settings that it names, without those in excludes.
 * Settings are beside the columns, with defaults for those that the row
 * lacks; if they are not combined with the columns, they are a list of
 * {"key": ..., "value": ...}.  The name of the column of settings stands for
 * all of them.  A column takes precedence over a setting of the same name.  A
 * name that is neither a column nor a setting is an error (42703), unless the
 * model allows settings of any name.  NULL for NULL.
 *
 * Source: ModelBase.to_dict and ConfigurableMixin.to_dict of the reference
 * document dtpyfw.db.model.
 */
Datum
dtmodel_to_dict(PG_FUNCTION_ARGS)
{
	DictRow		row;
	DictState  *state;
	Datum		value;
	Datum		dict;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (fcinfo->flinfo->fn_extra == NULL)
		check_is_row(fcinfo);
	memset(&row, 0, sizeof(row));
	value = dtmodel_fetch_record(PG_GETARG_DATUM(0));
	state = get_state(fcinfo, value);
	dtmodel_open_columns(value, state->slot, state->ncolumns, &row.record);
	dict = write_dict(state, &row);
	dtmodel_close_record(&row.record);
	PG_RETURN_DATUM(dict);
}

/*
 * get(instance anyelement, excludes text[] DEFAULT NULL,
 *	   includes text[] DEFAULT NULL) returns jsonb
 *
 * Another name for to_dict; warns (01P01) that it is deprecated.
 *
 * Source: ModelBase.get of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get(PG_FUNCTION_ARGS)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING_DEPRECATED_FEATURE),
				 errmsg("function %s.get is deprecated", DTMODEL_SCHEMA),
				 errhint("Call %s.to_dict instead.", DTMODEL_SCHEMA)));
	return dtmodel_to_dict(fcinfo);
}
