/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  Soft delete by a MERGE, as the planner does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_MERGE_H
#define DTMODEL_SOFT_DELETE_MERGE_H

#include "nodes/parsenodes.h"

extern void dtmodel_rewrite_merge(Query *query);

#endif							/* DTMODEL_SOFT_DELETE_MERGE_H */
