/*-------------------------------------------------------------------------
 *
 * fields.h
 *	  The columns of a row type in the order in which jsonb keeps its keys,
 *	  and JSON values read as what those columns hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_FIELDS_H
#define DTMODEL_FIELDS_H

#include "access/tupdesc.h"
#include "json/format.h"

/* How a JSON value becomes a value of the column. */
typedef enum DtFieldKind
{
	DT_FIELD_TEXT,				/* its text, through the type's input function */
	DT_FIELD_JSON,				/* its text, unchanged */
	DT_FIELD_JSONB,				/* unchanged */
	DT_FIELD_NESTED				/* an array or a composite: by the server's
								 * own jsonb_to_record, in the query */
} DtFieldKind;

typedef struct DtField
{
	NameData	name;
	uint32		length;			/* of the name */
	AttrNumber	attnum;
	Oid			typid;
	int32		typmod;
	DtFieldKind kind;
	Oid			input;			/* the type's input function */
	Oid			input_parameter;	/* ... and its second argument */
} DtField;

typedef struct DtFields
{
	int			count;
	DtField    *fields;			/* sorted as the keys of a jsonb object are */
} DtFields;

static inline DtRawValue
dtmodel_field_key(const DtField *field)
{
	return dtmodel_raw_string(NameStr(field->name), field->length);
}

extern DtFields dtmodel_read_fields(TupleDesc desc);
extern Oid	dtmodel_field_parameter(const DtField *field);
extern Datum dtmodel_field_value(const DtField *field, const DtRawValue *value,
								 bool *isnull);
extern char *dtmodel_raw_text(const DtRawValue *value);

#endif							/* DTMODEL_FIELDS_H */
