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
#include "mixin/soft_delete/sharded.h"
#include "mixin/soft_delete/target.h"
#include "model/send.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "server/inline.h"
#include "server/plan_cache.h"
#include "server/query_text.h"

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
rewrite_sublinks(Node *node, void *rewrite)
{
	/* Most nodes are leaves; the walker need not be called for them. */
	if (node == NULL || IsA(node, Var) || IsA(node, Const))
		return false;
	if (IsA(node, Query))
	{
		dtmodel_rewrite_query((Query *) node, rewrite);
		return false;
	}
	return expression_tree_walker(node, rewrite_sublinks, rewrite);
}

/*
 * The conditions of policies, in a query of ours.  They are not ours: a row
 * that a policy looks for must be hidden from it as in any other query, or
 * our functions would show rows that the policy hides.
 */
static void
rewrite_policies(Query *query, DtRewrite *rewrite)
{
	DtRewrite	policies = *rewrite;
	ListCell   *cell;

	if (!query->hasRowSecurity || !dtmodel_is_own_query(rewrite->text) ||
		!dtmodel_hides_from_policies())
		return;
	policies.is_known = policies.hides = true;
	policies.deletes_softly = false;
	foreach(cell, query->rtable)
		(void) rewrite_sublinks((Node *) lfirst_node(RangeTblEntry, cell)->securityQuals,
								&policies);
	(void) rewrite_sublinks((Node *) query->withCheckOptions, &policies);
	rewrite->inlined = policies.inlined;
}

/*
 * The query of a mixin's function is ours.  That of one that shows a model as
 * it was has its own condition for hidden rows, outside of a UNION ALL, whose
 * arms must have none.
 */
static void
rewrite_own(Query *query, DtRewrite *rewrite)
{
	DtRewrite	own = *rewrite;

	own.text = DT_OWN_QUERY;
	own.is_known = false;
	dtmodel_rewrite_query(query, &own);
	rewrite->inlined = own.inlined;
	rewrite->own_queries = own.own_queries;
}

static void
rewrite_subquery(Query *query, DtRewrite *rewrite)
{
	if (list_member_ptr(rewrite->own_queries, query))
		rewrite_own(query, rewrite);
	else
		dtmodel_rewrite_query(query, rewrite);
}

/* The subqueries and CTEs of this query. */
static void
rewrite_inner(Query *query, DtRewrite *rewrite)
{
	ListCell   *cell;

	rewrite_policies(query, rewrite);
	foreach(cell, query->cteList)
		dtmodel_rewrite_query(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery),
							  rewrite);
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_SUBQUERY)
			rewrite_subquery(rte->subquery, rewrite);
	}
	if (query->hasSubLinks)
		query_tree_walker(query, rewrite_sublinks, rewrite,
						  QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

/*
 * What is to be done depends on who runs the statement, which is read from its
 * text.  Most statements contain nothing to rewrite, so the text is not read
 * before the first such thing is found.  The server's own foreign keys must
 * see and delete all rows.
 */
static void
read_text(DtRewrite *rewrite)
{
	bool		is_foreign_key;

	if (rewrite->is_known)
		return;
	is_foreign_key = dtmodel_is_foreign_key_query(rewrite->text);
	rewrite->deletes_softly = !is_foreign_key && !dtmodel_hard_delete;
	rewrite->hides = !is_foreign_key && dtmodel_hides_from(rewrite->text);
	rewrite->is_known = true;
}

/* The entries that call functions of mixins. */
static List *
own_entries(const Query *query)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	List	   *entries = NIL;

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->own_entries != NULL)
			entries = list_concat(entries, mixins[i]->own_entries(query));
	}
	return entries;
}

/* Inlines the functions, and notes the queries of those that are ours. */
static void
inline_and_note(Query *query, DtRewrite *rewrite)
{
	List	   *entries = own_entries(query);
	ListCell   *cell;

	dtmodel_inline_functions(query, &rewrite->inlined, rewrite->params);
	foreach(cell, entries)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_SUBQUERY)
			rewrite->own_queries = lappend(rewrite->own_queries, rte->subquery);
	}
}

static void
inline_functions(Query *query, DtRewrite *rewrite)
{
	if (rewrite->is_part || !dtmodel_calls_sql_function(query))
		return;
	read_text(rewrite);
	if (rewrite->hides)
		inline_and_note(query, rewrite);
}

/*
 * Whether there is anything to do in one level of a query.  There is not in
 * the target of an INSERT that returns no row but its own.
 */
static bool
has_soft_delete(const Query *query)
{
	int			ignored = query->commandType == CMD_INSERT &&
		!dtmodel_selects_conflict(query) ? query->resultRelation : 0;
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		if (foreach_current_index(cell) + 1 != ignored &&
			dtmodel_soft_delete_of_entry(lfirst_node(RangeTblEntry, cell)) != NULL)
			return true;
	}
	return false;
}

static void
hide(Query *query, DtRewrite *rewrite)
{
	read_text(rewrite);
	if (rewrite->hides)
		dtmodel_hide_deleted(query);
}

/*
 * Whether the query writes a table that Citus keeps in shards, or one of these;
 * then this is all there is to do with it.
 */
static bool
rewrite_sharded(Query *query, DtRewrite *rewrite)
{
	const DtModel *model = dtmodel_written_model(query);

	if (model == NULL)
	{
		dtmodel_check_written_view(query);
		return false;
	}
	if (model->citus.kind == DT_CITUS_NONE)
		return false;
	if (dtmodel_is_shard(&model->citus))
		rewrite->top_is_update =
			dtmodel_rewrite_on_shard(query, rewrite->text,
									 query == rewrite->top ? &rewrite->sender : NULL);
	else if (!rewrite->is_part)
	{
		hide(query, rewrite);
		if (!dtmodel_is_citus_copy_query(rewrite->text))
			dtmodel_rewrite_for_shards(query);
	}
	return true;
}

/*
 * Makes the deletions of a query soft, and hides deleted rows from it where
 * models ask for it, on all its levels.
 */
void
dtmodel_rewrite_query(Query *query, DtRewrite *rewrite)
{
	check_stack_depth();
	inline_functions(query, rewrite);
	rewrite_inner(query, rewrite);
	rewrite->top_is_update = false;
	if (rewrite_sharded(query, rewrite) || rewrite->is_part ||
		!has_soft_delete(query))
		return;

	hide(query, rewrite);
	if (!rewrite->deletes_softly)
		return;
	if (query->commandType == CMD_DELETE)
		rewrite->top_is_update = rewrite_delete(query, rewrite->hides);
#ifdef COMPAT_HAS_MERGE
	else if (query->commandType == CMD_MERGE)
		dtmodel_rewrite_merge(query);
#endif
}
