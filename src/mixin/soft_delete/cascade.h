/*-------------------------------------------------------------------------
 *
 * cascade.h
 *	  What follows along foreign keys when a row is deleted or restored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_CASCADE_H
#define DTMODEL_SOFT_DELETE_CASCADE_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "executor/execdesc.h"
#include "fmgr.h"
#include "mixin/soft_delete/mixin.h"
#include "nodes/pg_list.h"

extern void dtmodel_note_flip(FunctionCallInfo fcinfo,
							  const DtSoftDelete *columns, HeapTuple row);
extern void dtmodel_finish_restores(QueryDesc *query);

/* restore.c */

/* References that a restore follows, to tables with soft delete alone. */
typedef struct DtRestoreKeys
{
	List	   *children;
	List	   *parents;		/* those that a live row must have live */
} DtRestoreKeys;

/* A row that is restored, whatever does it. */
typedef struct DtRestoreRoot
{
	Oid			relid;
	const DtRestoreKeys *keys;
	HeapTuple	row;
	HeapTuple	referenced;		/* has the key that rows below it still have */
	TimestampTz time;			/* of the deletion that is undone */
} DtRestoreRoot;

extern DtRestoreKeys dtmodel_restore_keys(Relation rel);
extern bool dtmodel_restore_below_row(const DtRestoreRoot *root);
extern void dtmodel_restore_below_rows(List *roots);

#endif							/* DTMODEL_SOFT_DELETE_CASCADE_H */
