/*-------------------------------------------------------------------------
 *
 * difference.h
 *	  What differs between two versions of a row, as columns and as JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_DIFFERENCE_H
#define DTMODEL_HISTORY_DIFFERENCE_H

#include "api/history/past.h"
#include "model/json_value.h"

/* The columns that are compared, prepared once in a call. */
typedef struct DtComparison
{
	TupleDesc	desc;
	int			count;
	DtJsonField *fields;		/* in the order of a jsonb object's keys */
} DtComparison;

typedef struct DtDifference
{
	Datum		columns;		/* text[] */
	Datum		changes;		/* jsonb */
} DtDifference;

extern DtComparison dtmodel_prepare_comparison(const DtPast *past);
extern DtDifference dtmodel_compare_versions(const DtComparison *comparison,
											 HeapTuple old_row,
											 HeapTuple new_row);

#endif							/* DTMODEL_HISTORY_DIFFERENCE_H */
