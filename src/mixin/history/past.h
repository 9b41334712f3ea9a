/*-------------------------------------------------------------------------
 *
 * past.h
 *	  Queries on models as they were.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_PAST_H
#define DTMODEL_HISTORY_PAST_H

#include "nodes/pathnodes.h"
#include "utils/rel.h"

/* The parameters and the result of showing the past to a query. */
typedef struct DtPast
{
	const char *text;			/* of the statement */
	ParamListInfo params;
	List	   *own_queries;	/* subqueries in place of functions of mixins,
								 * which show the time that they are given */
	PlannerGlobal *inlined;		/* what the plan will depend on, if functions
								 * were inlined */
	bool		is_shown;		/* to this statement; set by the function */
	bool		depends_on_role;	/* the plan, since histories have policies */
} DtPast;

extern void dtmodel_show_past(Query *query, DtPast *past);
extern void dtmodel_check_past_utility(const Node *statement);
extern void dtmodel_refuse_past_write(Relation model);

#endif							/* DTMODEL_HISTORY_PAST_H */
