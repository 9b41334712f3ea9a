/*-------------------------------------------------------------------------
 *
 * lookup.h
 *	  Looking up rows through an index, without a query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LOOKUP_H
#define DTMODEL_LOOKUP_H

#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

/* A look-up that has begun. */
typedef struct DtLookup
{
	IndexScanDesc scan;
	TupleTableSlot *slot;		/* the row that was found */
} DtLookup;

extern void dtmodel_init_scan_key(ScanKey scan_key, Relation index, int column,
								  Datum value);
extern DtLookup dtmodel_begin_lookup(Relation rel, Relation index,
									 Snapshot snapshot, int nkeys,
									 ScanKey scan_keys);
extern bool dtmodel_find_next(DtLookup *lookup);
extern void dtmodel_end_lookup(DtLookup *lookup);

#endif							/* DTMODEL_LOOKUP_H */
