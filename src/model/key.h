/*-------------------------------------------------------------------------
 *
 * key.h
 *	  Finding the row that a call is about: its table from the type of an
 *	  argument, its primary key from a row or from an id.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_KEY_H
#define DTMODEL_KEY_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/model.h"

/* The values of a primary key, as arguments of a plan. */
typedef struct DtKeyValues
{
	Datum	   *values;
	char	   *nulls;			/* as in SPI: 'n' or ' ' */
	bool		complete;		/* none is null, so such a row may exist */
} DtKeyValues;

extern Oid	dtmodel_table_argument(FunctionCallInfo fcinfo, int argument);
extern DtKey dtmodel_key_if_any(Relation rel);
extern DtKey dtmodel_usable_key(Relation rel);
extern DtKeyValues dtmodel_key_of_row(const DtKey *key, Datum row);
extern DtKeyValues dtmodel_key_of_id(const DtKey *key, Datum id, Oid type);
extern bool dtmodel_is_key_constant(const DtKey *key, Oid type);
extern Oid *dtmodel_key_types(const DtKey *key);
extern void dtmodel_append_key_condition(StringInfo query, const DtKey *key,
										 const char *alias);
extern void dtmodel_append_key_after(StringInfo query, const DtKey *key,
									 const char *alias, int first);
extern void dtmodel_append_key_order(StringInfo query, const DtKey *key,
									 const char *alias);
extern char *dtmodel_value_text(Datum value, Oid type);
extern char *dtmodel_qualified_operator(Oid operator);

#endif							/* DTMODEL_KEY_H */
