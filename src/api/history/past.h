/*-------------------------------------------------------------------------
 *
 * past.h
 *	  The past versions of rows, read from the history table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_PAST_H
#define DTMODEL_HISTORY_PAST_H

#include "mixin/history/table.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/timestamps/mixin.h"
#include "model/row_call.h"

/* A model with its history table, while a call reads both. */
typedef struct DtPast
{
	Relation	rel;
	Relation	table;
	DtHistoryMap map;
	DtKey		key;
	DtTimestamps timestamps;
	bool		has_soft_delete;
	DtSoftDelete soft_delete;
	AttrNumber	created_by;		/* InvalidAttrNumber: not known */
} DtPast;

/* A version of a row; the current one has no end. */
typedef struct DtRowVersion
{
	HeapTuple	row;			/* as a row of the model */
	TimestampTz valid_from;
	TimestampTz valid_to;
	char	   *operation;		/* what ended it; NULL: it is current */
	char	   *ended_by;
	Datum		transaction_id;
} DtRowVersion;

/* The alias of the history table in queries. */
#define DT_PAST_ALIAS "h"

extern DtPast dtmodel_open_past(Relation rel);
extern void dtmodel_close_past(const DtPast *past);
extern DtRowVersion dtmodel_past_version(const DtPast *past, Datum past_row);
extern DtRowVersion dtmodel_current_version(const DtPast *past, Datum row);
extern bool dtmodel_version_continues(const DtPast *past,
									  const DtRowVersion *before,
									  const DtRowVersion *version);
extern TimestampTz dtmodel_clock_tolerance(const DtPast *past);
extern bool dtmodel_version_is_new(const DtPast *past,
								   const DtRowVersion *before,
								   const DtRowVersion *version);
extern bool dtmodel_is_stamped(Relation rel, AttrNumber attnum);

/* Parts of queries. */
extern void dtmodel_append_key_join(StringInfo query, const DtKey *key,
									const char *a, const char *b);
extern char *dtmodel_version_order(const char *alias, const char *direction);
extern char *dtmodel_version_place(const char *alias);

#endif							/* DTMODEL_HISTORY_PAST_H */
