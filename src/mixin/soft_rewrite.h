/*-------------------------------------------------------------------------
 *
 * soft_rewrite.h
 *	  Soft delete as the planner does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_REWRITE_H
#define DTMODEL_SOFT_REWRITE_H

#include "model/model.h"
#include "nodes/parsenodes.h"

/* A table in a query's range table that is deleted from softly. */
typedef struct DtSoftTarget
{
	int			rtindex;
	RangeTblEntry *rte;
	DtSoftDelete columns;
} DtSoftTarget;

extern bool dtmodel_find_soft_target(Query *query, int rtindex,
									 DtSoftTarget *target);
extern Node *dtmodel_live_condition(const DtSoftTarget *target);
extern bool dtmodel_rewrite_query(Query *query, bool hide);

/* soft_hide.c */
extern void dtmodel_hide_deleted(Query *query);

#endif							/* DTMODEL_SOFT_REWRITE_H */
