/*-------------------------------------------------------------------------
 *
 * soft_cascade.h
 *	  What follows along foreign keys when a row is deleted or restored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_CASCADE_H
#define DTMODEL_SOFT_CASCADE_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "model/model.h"

extern void dtmodel_note_flip(FunctionCallInfo fcinfo,
							  const DtSoftDelete *columns, HeapTuple row);

/* soft_restore.c */

/* References that a restore follows, to tables with soft delete alone. */
typedef struct DtRestoreKeys
{
	List	   *children;
	List	   *parents;		/* those that a live row must have live */
} DtRestoreKeys;

extern DtRestoreKeys dtmodel_restore_keys(Relation rel);
extern void dtmodel_follow_restore(Relation rel, const DtRestoreKeys *keys,
								   HeapTuple row, HeapTuple referenced,
								   TimestampTz time);

#endif							/* DTMODEL_SOFT_CASCADE_H */
