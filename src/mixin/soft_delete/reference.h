/*-------------------------------------------------------------------------
 *
 * reference.h
 *	  Following a foreign key for soft delete and restore.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_REFERENCE_H
#define DTMODEL_SOFT_DELETE_REFERENCE_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "model/foreign_key.h"
#include "mixin/soft_delete/mixin.h"
#include "server/plan_cache.h"

/* A foreign key, seen from one of its two tables. */
typedef struct DtReference
{
	DtForeignKey *key;
	Oid			other;			/* the table at its other end */
	bool		to_child;		/* the other table is the referencing one */
	bool		is_soft;		/* the other table has soft delete */
	DtSoftDelete columns;		/* if so, its columns */
} DtReference;

extern DtReference *dtmodel_make_reference(DtForeignKey *key, bool to_child);
extern bool dtmodel_query_reference(const DtReference *reference,
									DtPlanPurpose purpose, Relation rel,
									HeapTuple row, TimestampTz time);
extern char *dtmodel_describe_key(const DtReference *reference, Relation rel,
								  HeapTuple row);

#endif							/* DTMODEL_SOFT_DELETE_REFERENCE_H */
