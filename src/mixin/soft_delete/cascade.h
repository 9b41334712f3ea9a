/*-------------------------------------------------------------------------
 *
 * cascade.h
 *	  The cascade of a deletion or restore along foreign keys.
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

/* References that a restore follows; only to tables with soft delete. */
typedef struct DtRestoreKeys
{
	List	   *children;
	List	   *parents;		/* to rows that must be live for the row to be
								 * live */
} DtRestoreKeys;

/* A row that is being restored. */
typedef struct DtRestoreRoot
{
	Oid			relid;
	const DtSoftDelete *columns;
	const DtRestoreKeys *keys;
	HeapTuple	row;
	bool		has_moved;		/* to another partition; the row is not at its
								 * place */
	HeapTuple	referenced;		/* the version with the key that rows below it
								 * still have */
	TimestampTz time;			/* of the deletion that is undone */
	bool		is_replicated;	/* its parents may come later */
} DtRestoreRoot;

extern DtRestoreKeys dtmodel_restore_keys(Relation rel);
extern bool dtmodel_restore_below_row(const DtRestoreRoot *root);
extern void dtmodel_restore_below_rows(List *roots);

#endif							/* DTMODEL_SOFT_DELETE_CASCADE_H */
