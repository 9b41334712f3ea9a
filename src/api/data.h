/*-------------------------------------------------------------------------
 *
 * data.h
 *	  JSON objects as the data of rows: which columns and settings they give,
 *	  with which values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DATA_H
#define DTMODEL_DATA_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/model.h"

/* A column for which an object has a value. */
typedef struct DtDataItem
{
	DtField		field;
	DtRawValue	value;
	bool		is_settings;	/* settings, to be merged into the stored ones */
	bool		is_row_version; /* compared by an update, not assigned */
} DtDataItem;

/*
 * The data of an object for a table.  The same columns are always in the same
 * order, since a plan is saved for each set of them.
 */
typedef struct DtData
{
	int			count;
	DtDataItem *items;
	Bitmapset  *columns;		/* attnums of what is given */
	List	   *removed;		/* names of settings to remove, as texts */
	DtRawValue	object;
} DtData;

/* The place of an object in the caller's data, for errors. */
typedef struct DtDataPlace
{
	Relation	rel;
	const char *argument;		/* "data" */
	int64		index;			/* of the object in a list, or -1 */
} DtDataPlace;

extern DtRawValue dtmodel_data_argument(FunctionCallInfo fcinfo, int argument,
										const char *name);
extern DtData dtmodel_read_data(const DtDataPlace *place,
								const DtRawValue *object, bool strict);
pg_noreturn extern void dtmodel_rethrow(const DtDataPlace *place,
										const DtData *data,
										MemoryContext caller);
extern const DtDataItem *dtmodel_find_data_item(const DtData *data, AttrNumber attnum);
extern int	dtmodel_find_row_version(const DtData *data);
pg_noreturn extern void dtmodel_report_stale_data(const DtDataPlace *place,
												  const DtData *data);

extern void dtmodel_data_values(const DtDataPlace *place, const DtData *data,
								Datum *values, char *nulls);
extern void dtmodel_data_types(const DtData *data, Oid *types);

extern Bitmapset *dtmodel_update_set(const DtData *data);
extern int	dtmodel_update_count(const DtData *data);
extern void dtmodel_update_types(const DtData *data, Oid *types);
extern void dtmodel_update_values(const DtDataPlace *place, const DtData *data,
								  Datum *values, char *nulls);
extern void dtmodel_append_merge(StringInfo query, const DtData *data,
								 const char *column, const char *given,
								 int first);

extern void dtmodel_append_columns(StringInfo query, const DtData *data);
extern void dtmodel_append_values(StringInfo query, const DtData *data);
extern void dtmodel_append_value(StringInfo query, const DtField *field,
								 const char *value);

#endif							/* DTMODEL_DATA_H */
