/*-------------------------------------------------------------------------
 *
 * criteria.h
 *	  Finding a row by criteria, and restoring it if it is deleted.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CRITERIA_H
#define DTMODEL_CRITERIA_H

#include "api/data.h"
#include "model/row_call.h"

/* How many times to try while other transactions insert and delete the row. */
#define DT_MAX_TRIES 10

/* What the caller wants if the row is deleted. */
typedef enum DtOnDeleted
{
	DT_DELETED_IGNORE,
	DT_DELETED_RETURN,
	DT_DELETED_RESTORE,
	DT_DELETED_ERROR
} DtOnDeleted;

typedef enum DtFound
{
	DT_FOUND_NONE,
	DT_FOUND_LIVE,
	DT_FOUND_DELETED
} DtFound;

extern DtOnDeleted dtmodel_on_deleted_argument(FunctionCallInfo fcinfo,
											   int argument);
extern DtFound dtmodel_find_by_criteria(const DtRowCall *call,
										const DtDataPlace *place,
										const DtData *criteria, Datum *row);
extern DtFound dtmodel_find_live_by_criteria(const DtRowCall *call,
											 const DtDataPlace *place,
											 const DtData *criteria, Datum *row);
extern DtFound dtmodel_restore_found(const DtRowCall *call,
									 const DtDataPlace *place,
									 const DtData *criteria, Datum *row,
									 bool *restored);
extern void dtmodel_lock_criteria(const DtDataPlace *place,
								  const DtData *criteria);
pg_noreturn extern void dtmodel_report_deleted_row(const DtRowCall *call,
												   Datum row, Oid index);

#endif							/* DTMODEL_CRITERIA_H */
