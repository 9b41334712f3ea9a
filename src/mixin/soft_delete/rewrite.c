/*-------------------------------------------------------------------------
 *
 * rewrite.c
 *	  Soft delete in the planner: a DELETE becomes an UPDATE.
 *
 * After the server's rewriter has applied views and row-level security, and
 * before it plans, a DELETE on a soft-delete model becomes an UPDATE of its
 * flag and time.  It still needs the DELETE privilege, and the DELETE
 * policies apply, since they are in the query by then; it counts and returns
 * its rows; and USING, CTEs, cursors and partitions work as in any UPDATE,
 * because it is one.
 *
 * Rows that are deleted already are not found, so that a second DELETE counts
 * none.  Queries of the server's own foreign keys are not changed: their
 * deletions are physical, and handled by the trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/soft_delete/hide.h"
#include "mixin/soft_delete/merge.h"
#include "mixin/soft_delete/rewrite.h"
#include "mixin/soft_delete/target.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "server/inline.h"

/* The parameters and the result of one pass over a query. */
typedef struct RewriteContext
{
	PlannerGlobal *hiding;		/* NULL: do not hide rows */
	bool		top_is_update;	/* the outermost DELETE became an UPDATE */
} RewriteContext;

static void rewrite_level(Query *query, RewriteContext *context);

/*
 * A model may leave DELETE to its triggers.  So does a foreign table, where
 * they refuse it.
 */
static bool
is_for_triggers(const DtSoftTarget *target)
{
	return target->columns.trigger_tier ||
		target->rte->relkind == RELKIND_FOREIGN_TABLE;
}

/*
 * Leaves a DELETE to the triggers, which need not see rows that the model
 * hides.
 */
static void
leave_to_triggers(Query *query, const DtSoftTarget *target, bool hide)
{
	if (hide && target->columns.hide)
		query->jointree->quals = make_and_qual(query->jointree->quals,
											   dtmodel_live_condition(target));
}

static bool
rewrite_delete(Query *query, bool hide)
{
	DtSoftTarget target;

	if (!dtmodel_find_soft_target(query, query->resultRelation, &target))
		return false;
	if (is_for_triggers(&target))
	{
		leave_to_triggers(query, &target, hide);
		return false;
	}

	query->commandType = CMD_UPDATE;
	query->targetList = list_concat(query->targetList,
									dtmodel_target_assignments(query, &target));
	query->jointree->quals = make_and_qual(query->jointree->quals,
										   dtmodel_live_condition(&target));
	return true;
}

static bool
rewrite_sublinks(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		rewrite_level((Query *) node, context);
		return false;
	}
	return expression_tree_walker(node, rewrite_sublinks, context);
}

/* The subqueries and CTEs of this query. */
static void
rewrite_inner(Query *query, RewriteContext *context)
{
	ListCell   *cell;

	foreach(cell, query->cteList)
		rewrite_level(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery),
					  context);
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_SUBQUERY)
			rewrite_level(rte->subquery, context);
	}
	if (query->hasSubLinks)
		query_tree_walker(query, rewrite_sublinks, context,
						  QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

static void
rewrite_level(Query *query, RewriteContext *context)
{
	check_stack_depth();
	if (context->hiding != NULL)
		dtmodel_inline_functions(query, context->hiding);
	rewrite_inner(query, context);
	if (context->hiding != NULL)
		dtmodel_hide_deleted(query);
	context->top_is_update = false;
	if (dtmodel_hard_delete)
		return;
	if (query->commandType == CMD_DELETE)
		context->top_is_update = rewrite_delete(query, context->hiding != NULL);
#ifdef COMPAT_HAS_MERGE
	else if (query->commandType == CMD_MERGE)
		dtmodel_rewrite_merge(query);
#endif
}

/*
 * Makes the deletions of a query soft, on all its levels, and hides rows
 * unless "hiding" is NULL.  True if the query itself was a DELETE and is an
 * UPDATE now.
 */
bool
dtmodel_rewrite_query(Query *query, PlannerGlobal *hiding)
{
	RewriteContext context = {.hiding = hiding};

	rewrite_level(query, &context);
	return context.top_is_update;
}
