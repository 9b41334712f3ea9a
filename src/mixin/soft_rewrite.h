/*-------------------------------------------------------------------------
 *
 * soft_rewrite.h
 *	  Soft delete as the planner does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_REWRITE_H
#define DTMODEL_SOFT_REWRITE_H

#include "nodes/parsenodes.h"

extern bool dtmodel_rewrite_query(Query *query, bool hide);

#endif							/* DTMODEL_SOFT_REWRITE_H */
