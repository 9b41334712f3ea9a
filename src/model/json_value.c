/*-------------------------------------------------------------------------
 *
 * json_value.c
 *	  Values of columns, written into a JSON document as to_jsonb writes them.
 *
 * The common types are written directly, all others through the server's own
 * to_jsonb.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "model/json_value.h"
#include "nodes/makefuncs.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Prepares to write values of a column; allocates in the current context. */
void
dtmodel_init_json_field(DtJsonField *json, const DtField *field)
{
	Expr	   *argument = (Expr *) makeNullConst(field->typid, field->typmod,
												  InvalidOid);

	json->field = *field;
	json->base = getBaseType(field->typid);
	fmgr_info(F_TO_JSONB, &json->to_jsonb);
	/* to_jsonb takes any type, and reads the type from its call expression. */
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL),
					   &json->to_jsonb);
}

static void
write_string(DtRawWriter *writer, const char *string, uint32 length)
{
	memcpy(dtmodel_buffer_extend(writer->buffer, length), string, length);
	dtmodel_write_entry(writer, JENTRY_ISSTRING);
}

static void
write_text(DtRawWriter *writer, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	write_string(writer, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

static void
write_number(DtRawWriter *writer, Numeric number)
{
	DtRawValue	value = {JENTRY_ISNUMERIC, VARSIZE(number), (const char *) number};

	dtmodel_write_value(writer, &value);
}

static void
write_uuid(DtRawWriter *writer, Datum value)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = DatumGetUUIDP(value)->data;
	char	   *place = dtmodel_buffer_extend(writer->buffer, 36);

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*place++ = '-';
		*place++ = digits[bytes[i] >> 4];
		*place++ = digits[bytes[i] & 15];
	}
	dtmodel_write_entry(writer, JENTRY_ISSTRING);
}

static void
write_time(DtRawWriter *writer, Datum value, Oid type)
{
	char		buffer[MAXDATELEN + 1];

	JsonEncodeDateTime(buffer, value, type, NULL);
	write_string(writer, buffer, strlen(buffer));
}

static void
write_document(DtRawWriter *writer, Datum value)
{
	DtRawValue	root = dtmodel_raw_root(DatumGetJsonbP(value));

	dtmodel_write_value(writer, &root);
}

/* JSON has no such numbers; to_jsonb makes strings of them. */
static bool
is_special(Numeric number)
{
	return numeric_is_nan(number) || numeric_is_inf(number);
}

/* Writes a value, which is not NULL, as the next child of the writer. */
void
dtmodel_write_field(DtRawWriter *writer, DtJsonField *json, Datum value)
{
	switch (json->base)
	{
		case BOOLOID:
			dtmodel_write_entry(writer, DatumGetBool(value) ?
								JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE);
			return;
		case INT2OID:
			write_number(writer, int64_to_numeric(DatumGetInt16(value)));
			return;
		case INT4OID:
			write_number(writer, int64_to_numeric(DatumGetInt32(value)));
			return;
		case INT8OID:
			write_number(writer, int64_to_numeric(DatumGetInt64(value)));
			return;
		case NUMERICOID:
			if (is_special(DatumGetNumeric(value)))
				break;
			write_number(writer, DatumGetNumeric(value));
			return;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			write_text(writer, value);
			return;
		case UUIDOID:
			write_uuid(writer, value);
			return;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			write_time(writer, value, json->base);
			return;
		case JSONBOID:
			write_document(writer, value);
			return;
	}
	write_document(writer, FunctionCall1(&json->to_jsonb, value));
}
