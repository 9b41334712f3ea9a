/*-------------------------------------------------------------------------
 *
 * rewrite.h
 *	  Soft delete in the planner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_REWRITE_H
#define DTMODEL_SOFT_DELETE_REWRITE_H

#include "nodes/pathnodes.h"

extern bool dtmodel_rewrite_query(Query *query, PlannerGlobal *hiding);

#endif							/* DTMODEL_SOFT_DELETE_REWRITE_H */
