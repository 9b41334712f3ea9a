/*-------------------------------------------------------------------------
 *
 * record.h
 *	  The columns of a row that is given as a value.
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
	bool		pinned;			/* desc is to be released */
	HeapTupleData tuple;		/* of a row that lies in a slot */
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
