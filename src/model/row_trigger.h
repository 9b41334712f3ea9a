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

extern TriggerData *dtmodel_row_trigger(FunctionCallInfo fcinfo,
										const char *function, int events);

extern HeapTuple dtmodel_new_row(const TriggerData *trigdata);
extern HeapTuple dtmodel_store_column(const TriggerData *trigdata,
									  HeapTuple row, AttrNumber attnum,
									  Datum value, bool isnull);
extern bool dtmodel_row_changed(HeapTuple old_row, HeapTuple new_row,
								TupleDesc desc, const Bitmapset *ignored);

#endif							/* DTMODEL_ROW_TRIGGER_H */
