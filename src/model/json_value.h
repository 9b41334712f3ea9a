/*-------------------------------------------------------------------------
 *
 * json_value.h
 *	  Values of columns, written into a JSON document as to_jsonb writes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_VALUE_H
#define DTMODEL_JSON_VALUE_H

#include "fmgr.h"
#include "json/format.h"
#include "model/fields.h"

/* A column whose values are written as JSON. */
typedef struct DtJsonField
{
	DtField		field;
	Oid			base;			/* its type, or what that is a domain over */
	FmgrInfo	to_jsonb;		/* for types that we do not write directly */
} DtJsonField;

extern void dtmodel_init_json_field(DtJsonField *json, const DtField *field);
extern void dtmodel_write_field(DtRawWriter *writer, DtJsonField *json,
								Datum value);

#endif							/* DTMODEL_JSON_VALUE_H */
