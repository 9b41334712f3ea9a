/*-------------------------------------------------------------------------
 *
 * inline.h
 *	  Inlining of set-returning SQL functions in FROM, as the planner does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_INLINE_H
#define DTMODEL_INLINE_H

#include "nodes/pathnodes.h"

extern Oid	dtmodel_called_sql_function(const RangeTblEntry *rte);
extern bool dtmodel_calls_sql_function(const Query *query);
extern void dtmodel_inline_functions(Query *query, PlannerGlobal **global,
									 ParamListInfo params);
extern void dtmodel_depend_on_inlined(PlannedStmt *plan,
									  const PlannerGlobal *global);

#endif							/* DTMODEL_INLINE_H */
