/*-------------------------------------------------------------------------
 *
 * row_trigger.h
 *	  What the row triggers of all mixins share: the protocol checks, the
 *	  in-place column store, and whether a row changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_TRIGGER_H
#define DTMODEL_ROW_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"

/* The events a trigger function may be fired for, as bits. */
#define DT_ON_INSERT	(1 << 0)
#define DT_ON_UPDATE	(1 << 1)
#define DT_ON_DELETE	(1 << 2)

/* When it is fired for them, if not before the event. */
#define DT_FIRED_AFTER	(1 << 3)
#define DT_FIRED_INSTEAD (1 << 4)

/* A column of both rows of an UPDATE. */
typedef struct DtColumnPair
{
	AttrNumber	attnum;			/* InvalidAttrNumber: null in both */
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value;
	Datum		new_value;
	char	   *new_place;		/* where the new row stores it */
} DtColumnPair;

/* The row that is about to be written. */
static inline HeapTuple
dtmodel_new_row(const TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

extern TriggerData *dtmodel_row_trigger(FunctionCallInfo fcinfo,
										const char *function, int events);

extern HeapTuple dtmodel_store_column(const TriggerData *trigdata,
									  HeapTuple row, AttrNumber attnum,
									  Datum value, bool isnull);
extern HeapTuple dtmodel_store_pair(const TriggerData *trigdata,
									HeapTuple row, const DtColumnPair *pair,
									Datum value);
extern bool dtmodel_row_changed(HeapTuple old_row, HeapTuple new_row,
								TupleDesc desc, const Bitmapset *ignored,
								DtColumnPair *pairs, int npairs);
extern bool dtmodel_text_changed(const DtColumnPair *pair);

#endif							/* DTMODEL_ROW_TRIGGER_H */
