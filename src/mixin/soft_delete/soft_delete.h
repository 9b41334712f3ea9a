/*-------------------------------------------------------------------------
 *
 * soft_delete.h
 *	  The soft-delete mixin: declarations for its own files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_H
#define DTMODEL_SOFT_DELETE_H

#include "access/htup.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mixin/soft_delete/live.h"
#include "model/row_call.h"

/*
 * What the function soft_delete(row) needs of the DELETE that it runs: the
 * row as it is afterwards, and that the DELETE is never physical.
 */
typedef struct DtSoftDeletion
{
	Oid			relid;
	int			depth;			/* the trigger depth at which our DELETE fires
								 * its triggers */
	MemoryContext context;		/* for the row */
	HeapTuple	row;			/* NULL until the trigger has fired for the
								 * row */
} DtSoftDeletion;

extern DtSoftDeletion *dtmodel_soft_deletion;

extern DtSoftDelete dtmodel_usable_soft_delete(Relation rel);
extern bool dtmodel_soft_delete_fires(const DtSoftDelete *soft_delete);
extern TimestampTz dtmodel_row_deleted_at(const DtSoftDelete *soft_delete,
										  HeapTuple row, TupleDesc desc);
extern TimestampTz dtmodel_new_deletion_time(const DtSoftDelete *soft_delete);

/* setup.c */
extern char *dtmodel_hiding_statement(void);

/* executor.c */
extern bool dtmodel_is_our_update(const Trigger *trigger);

/* restore.c */
pg_noreturn extern void dtmodel_rethrow_from_restore(Relation rel,
													 MemoryContext caller);

/* rows.c */
extern void dtmodel_check_soft_delete_fires(Relation rel,
											const DtSoftDelete *soft_delete);
extern bool dtmodel_run_soft_delete(const DtRowCall *call, SPIPlanPtr plan,
									Datum *row);
extern PGDLLEXPORT Datum dtmodel_soft_delete_row(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum dtmodel_soft_delete_by_id(PG_FUNCTION_ARGS);
extern bool dtmodel_restore(const DtRowCall *call, Datum *row, bool *restored);
extern void dtmodel_report_cut_time(Relation rel, const DtSoftDelete *columns,
									TimestampTz time);

#endif							/* DTMODEL_SOFT_DELETE_H */
