/*-------------------------------------------------------------------------
 *
 * target.h
 *	  Finding soft-delete models in the query that the planner gets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_TARGET_H
#define DTMODEL_SOFT_DELETE_TARGET_H

#include "datatype/timestamp.h"
#include "mixin/soft_delete/mixin.h"
#include "nodes/parsenodes.h"

/* A table in a query's range table on which DELETE is soft. */
typedef struct DtSoftTarget
{
	int			rtindex;
	RangeTblEntry *rte;
	DtSoftDelete columns;
} DtSoftTarget;

extern const DtSoftDelete *dtmodel_soft_delete_of_entry(const RangeTblEntry *rte);
extern bool dtmodel_find_soft_target(Query *query, int rtindex,
									 DtSoftTarget *target);
extern bool dtmodel_find_soft_shard(Query *query, int rtindex,
									DtSoftTarget *target);
extern Node *dtmodel_live_condition(const DtSoftTarget *target);
extern List *dtmodel_target_assignments(Query *query,
										const DtSoftTarget *target);
extern List *dtmodel_target_assignments_at(Query *query,
										   const DtSoftTarget *target,
										   TimestampTz time);

#endif							/* DTMODEL_SOFT_DELETE_TARGET_H */
