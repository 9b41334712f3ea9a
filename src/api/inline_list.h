/*-------------------------------------------------------------------------
 *
 * inline_list.h
 *	  get_all() in the plan of its caller.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_INLINE_LIST_H
#define DTMODEL_INLINE_LIST_H

#include "nodes/pathnodes.h"

extern PlannerGlobal *dtmodel_inline_lists(Query *query, ParamListInfo params);

#endif							/* DTMODEL_INLINE_LIST_H */
