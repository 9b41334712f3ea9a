/*-------------------------------------------------------------------------
 *
 * fields.c
 *	  The columns of a row type in the order in which jsonb keeps its keys,
 *	  and JSON values read as what those columns hold.
 *
 * A value is read as jsonb_populate_record would read it: JSON null is NULL,
 * and values other than strings are converted through their text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "model/fields.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

static DtFieldKind
kind_of_type(Oid type)
{
	Oid			base = getBaseType(type);

	if (type == JSONOID)
		return DT_FIELD_JSON;
	if (type == JSONBOID)
		return DT_FIELD_JSONB;
	if (OidIsValid(get_base_element_type(base)) ||
		get_typtype(base) == TYPTYPE_COMPOSITE ||
		base == JSONOID || base == JSONBOID)
		return DT_FIELD_NESTED;
	return DT_FIELD_TEXT;
}

/* Compares by name, and columns of the same name by their position. */
static int
compare_fields(const void *a, const void *b)
{
	const DtField *x = a;
	const DtField *y = b;
	DtRawValue	name_x = dtmodel_field_key(x);
	DtRawValue	name_y = dtmodel_field_key(y);
	int			order = dtmodel_raw_compare_keys(&name_x, &name_y);

	return order != 0 ? order : x->attnum - y->attnum;
}

/*
 * Keeps one of the sorted columns for each name.  The rows of a join may have
 * a name twice; an object has a key once, and as in to_jsonb the last one
 * wins.
 */
static void
keep_last_of_name(DtFields *fields)
{
	int			kept = 0;

	for (int i = 0; i < fields->count; i++)
	{
		const DtField *field = &fields->fields[i];
		const DtField *next = i + 1 < fields->count ? field + 1 : NULL;

		if (next == NULL || strcmp(NameStr(field->name), NameStr(next->name)) != 0)
			fields->fields[kept++] = *field;
	}
	fields->count = kept;
}

/*
 * The columns of a row type, without dropped columns, and of several with the
 * same name only the last.
 */
DtFields
dtmodel_read_fields(TupleDesc desc)
{
	DtFields	fields = {0};

	fields.fields = palloc(sizeof(DtField) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DtField    *field = &fields.fields[fields.count];

		if (att->attisdropped)
			continue;
		field->name = att->attname;
		field->length = strlen(NameStr(att->attname));
		field->attnum = att->attnum;
		field->typid = att->atttypid;
		field->typmod = att->atttypmod;
		field->kind = kind_of_type(att->atttypid);
		getTypeInputInfo(att->atttypid, &field->input, &field->input_parameter);
		fields.count++;
	}
	qsort(fields.fields, fields.count, sizeof(DtField), compare_fields);
	keep_last_of_name(&fields);
	return fields;
}

/* The type of the query parameter for the column's value. */
Oid
dtmodel_field_parameter(const DtField *field)
{
	return field->kind == DT_FIELD_NESTED ? JSONBOID : field->typid;
}

/* A value as text: a string without its quotes, any other value as JSON. */
char *
dtmodel_raw_text(const DtRawValue *value)
{
	Jsonb	   *document;

	switch (value->type)
	{
		case JENTRY_ISSTRING:
			return pnstrdup(value->data, value->len);
		case JENTRY_ISNUMERIC:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   PointerGetDatum(value->data)));
		case JENTRY_ISBOOL_TRUE:
			return pstrdup("true");
		case JENTRY_ISBOOL_FALSE:
			return pstrdup("false");
		default:
			document = dtmodel_raw_document(value);
			return JsonbToCString(NULL, &document->root, VARSIZE(document));
	}
}

/* {"column": value}, for jsonb_to_record, whose errors then name the key. */
static Datum
wrapped_value(const DtField *field, const DtRawValue *value)
{
	DtRawBuffer buffer;
	DtRawWriter writer;
	DtRawValue	key = dtmodel_field_key(field);

	dtmodel_begin_document(&buffer, value->len + NAMEDATALEN + 32);
	dtmodel_write_container(&writer, &buffer, JB_FOBJECT, 1);
	dtmodel_write_value(&writer, &key);
	dtmodel_write_value(&writer, value);
	return JsonbPGetDatum(dtmodel_finish_document(&buffer));
}

static Datum
read_text(const DtField *field, const DtRawValue *value)
{
	if (field->typid == TEXTOID && value->type == JENTRY_ISSTRING)
		return PointerGetDatum(cstring_to_text_with_len(value->data, value->len));
	return OidInputFunctionCall(field->input, dtmodel_raw_text(value),
								field->input_parameter, field->typmod);
}

/* NULL as the column's value, which a domain may refuse. */
static Datum
read_null(const DtField *field)
{
	if (get_typtype(field->typid) != TYPTYPE_DOMAIN)
		return (Datum) 0;
	return OidInputFunctionCall(field->input, NULL, field->input_parameter,
								field->typmod);
}

/*
 * A JSON value as the query parameter for a column.  A value that the
 * column's type cannot read is that type's own error.
 */
Datum
dtmodel_field_value(const DtField *field, const DtRawValue *value, bool *isnull)
{
	*isnull = false;
	if (field->kind == DT_FIELD_NESTED)
		return wrapped_value(field, value);
	if (value->type == JENTRY_ISNULL)
	{
		*isnull = true;
		return read_null(field);
	}
	switch (field->kind)
	{
		case DT_FIELD_JSONB:
			return JsonbPGetDatum(dtmodel_raw_document(value));
		case DT_FIELD_JSON:
			return CStringGetTextDatum(JsonbToCString(NULL, &dtmodel_raw_document(value)->root,
													  value->len));
		default:
			return read_text(field, value);
	}
}
