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

/*
 * The entry of the range table that asks for the UPDATE privileges of a MERGE
 * which was rewritten, by this name: its own updates need them, not ours.
 */
#define DT_UPDATES_OF_MERGE "dtmodel: updates of a MERGE"

extern void dtmodel_rewrite_merge(Query *query);

#endif							/* DTMODEL_SOFT_DELETE_MERGE_H */
