/*-------------------------------------------------------------------------
 *
 * record.h
 *	  Reading the columns of a composite value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RECORD_H
#define DTMODEL_RECORD_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"

typedef struct DtRecord
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	bool		pinned;			/* desc must be released */
	HeapTupleData tuple;		/* of a row in a slot */
} DtRecord;

extern HeapTupleData dtmodel_tuple_of_row(Datum row);
extern Datum dtmodel_fetch_record(Datum value);
extern uint64 dtmodel_record_type(Datum value);
extern TupleDesc dtmodel_copy_record_type(Datum value);
extern void dtmodel_open_record(Datum value, DtRecord *record);
extern void dtmodel_open_columns(Datum value, TupleTableSlot *slot,
								 int ncolumns, DtRecord *record);
extern void dtmodel_close_record(DtRecord *record);

#endif							/* DTMODEL_RECORD_H */
