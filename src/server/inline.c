/*-------------------------------------------------------------------------
 *
 * inline.c
 *	  Inlining of set-returning SQL functions in FROM, as the planner does it.
 *
 * The planner inlines such functions after it has called its hook, so the
 * tables that they read are not in the query yet.  A hook that needs to see
 * those tables inlines the functions first, with the planner's own code,
 * which then finds nothing left to inline.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "optimizer/prep.h"
#include "server/inline.h"
#include "utils/syscache.h"

static bool
is_sql_function(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	bool		is_sql;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	is_sql = ((Form_pg_proc) GETSTRUCT(tuple))->prolang == SQLlanguageId;
	ReleaseSysCache(tuple);
	return is_sql;
}

/*
 * The function that this entry calls, if the planner may be able to inline it.
 * The server's own functions read no table of a user.
 */
Oid
dtmodel_called_sql_function(const RangeTblEntry *rte)
{
	const FuncExpr *call;

	if (rte->rtekind != RTE_FUNCTION || list_length(rte->functions) != 1)
		return InvalidOid;
	call = (FuncExpr *) linitial_node(RangeTblFunction, rte->functions)->funcexpr;
	return IsA(call, FuncExpr) && call->funcid >= FirstNormalObjectId &&
		is_sql_function(call->funcid) ? call->funcid : InvalidOid;
}

/* Whether one level of a query calls a function that may be inlined. */
bool
dtmodel_calls_sql_function(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		if (OidIsValid(dtmodel_called_sql_function(lfirst_node(RangeTblEntry, cell))))
			return true;
	}
	return false;
}

/*
 * Inlines the functions in one level of a query.  "global" has the values of
 * parameters, and collects what the plan will depend on; it is created if it
 * is still NULL.
 */
void
dtmodel_inline_functions(Query *query, PlannerGlobal **global,
						 ParamListInfo params)
{
	PlannerInfo *root = makeNode(PlannerInfo);

	if (*global == NULL)
	{
		*global = makeNode(PlannerGlobal);
		(*global)->boundParams = params;
	}
	root->parse = query;
	root->glob = *global;
	root->query_level = 1;
	root->planner_cxt = CurrentMemoryContext;
	preprocess_function_rtes(root);
}

/* Makes the plan depend on the functions that were inlined. */
void
dtmodel_depend_on_inlined(PlannedStmt *plan, const PlannerGlobal *global)
{
	plan->invalItems = list_concat(plan->invalItems, global->invalItems);
	plan->dependsOnRole |= global->dependsOnRole;
}
