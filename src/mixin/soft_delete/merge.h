/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  Soft delete by a MERGE in the planner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_MERGE_H
#define DTMODEL_SOFT_DELETE_MERGE_H

#include "nodes/parsenodes.h"

/*
 * The name of the range-table entry that checks the UPDATE privileges of a
 * MERGE that was rewritten: the MERGE's own updates need them, ours do not.
 */
#define DT_UPDATES_OF_MERGE "dtmodel: updates of a MERGE"

extern void dtmodel_rewrite_merge(Query *query);

#endif							/* DTMODEL_SOFT_DELETE_MERGE_H */
