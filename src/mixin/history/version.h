/*-------------------------------------------------------------------------
 *
 * version.h
 *	  Past versions of rows, on their way to the history table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_VERSION_H
#define DTMODEL_HISTORY_VERSION_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "utils/rel.h"

/* What has ended a version. */
typedef enum DtOperation
{
	DT_UPDATED,
	DT_DELETED,
	DT_RESTORED,
	DT_HARD_DELETED,
	DT_TRUNCATED
} DtOperation;

/* A version that has ended. */
typedef struct DtPastVersion
{
	HeapTuple	row;
	TimestampTz valid_from;
	TimestampTz valid_to;
	DtOperation operation;
	const char *ended_by;		/* NULL: the current actor */
} DtPastVersion;

extern void dtmodel_keep_version(Relation rel, const DtPastVersion *version);
extern void dtmodel_finish_history(void);
extern void dtmodel_start_history(void);

extern void dtmodel_write_versions(Oid relid, const DtPastVersion *versions,
								   int count);

#endif							/* DTMODEL_HISTORY_VERSION_H */
