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

/* The parameters and the results of rewriting a query. */
typedef struct DtRewrite
{
	const char *text;			/* of the statement */
	const Query *top;			/* the statement itself */
	ParamListInfo params;
	bool		is_part;		/* of a statement that was rewritten as a
								 * whole, and that Citus plans in parts */
	bool		is_known;		/* the next two are */
	bool		deletes_softly;
	bool		hides;
	List	   *own_queries;	/* subqueries in place of functions of mixins */
	PlannerGlobal *inlined;		/* what the plan will depend on, if functions
								 * were inlined */
	bool		top_is_update;	/* the outermost DELETE became an UPDATE */
	Const	   *sender;			/* what the plan is to keep, if the statement
								 * writes a shard */
} DtRewrite;

extern void dtmodel_rewrite_query(Query *query, DtRewrite *rewrite);

#endif							/* DTMODEL_SOFT_DELETE_REWRITE_H */
