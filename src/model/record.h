/*-------------------------------------------------------------------------
 *
 * record.h
 *	  The columns of a row that is given as a value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RECORD_H
#define DTMODEL_RECORD_H

#include "access/tupdesc.h"

typedef struct DtRecord
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	bool		pinned;			/* desc is to be released */
} DtRecord;

extern void dtmodel_open_record(Datum value, DtRecord *record);
extern void dtmodel_close_record(DtRecord *record);

#endif							/* DTMODEL_RECORD_H */
