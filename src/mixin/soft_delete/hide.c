/*-------------------------------------------------------------------------
 *
 * hide.c
 *	  Hidden rows: queries on a model that asks for it see live rows only.
 *
 * Each reference to such a table is wrapped in a FromExpr with the condition
 * that the row is live, like a subquery that was pulled up: the condition
 * stays below outer joins, and every index can be used, which a security
 * barrier would prevent for operators that are not leakproof.
 *
 * The target of an INSERT, and so of ON CONFLICT, is not in FROM; it includes
 * all rows, as unique indexes do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/hide.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/target.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"
#include "replication/walsender.h"
#include "server/plan_cache.h"
#include "server/query_text.h"

static Node *wrap_node(Query *query, Node *node);

/*
 * Whether rows that models hide are hidden from this query.  They are not
 * hidden from our own queries, which have the conditions that they need, nor
 * from queries that need every row: dumps, and the initial copy of a
 * subscription.
 */
bool
dtmodel_hides_from(const char *query_string)
{
	return dtmodel_hides_from_policies() &&
		!dtmodel_is_own_query(query_string) &&
		!dtmodel_is_dump_query(query_string);
}

/* The same for what policies add to a query of ours. */
bool
dtmodel_hides_from_policies(void)
{
	return !dtmodel_with_deleted && !am_walsender;
}

/* Whether the reference is to a table whose deleted rows are hidden. */
static bool
find_hidden(Query *query, int rtindex, DtSoftTarget *target)
{
	const DtSoftDelete *columns =
		dtmodel_soft_delete_of_entry(rt_fetch(rtindex, query->rtable));

	return columns != NULL && columns->hide &&
		dtmodel_find_soft_target(query, rtindex, target);
}

/*
 * The target of a DELETE: a hard DELETE must find deleted rows, and a soft
 * one skips them anyway.
 */
static bool
is_exempt(Query *query, int rtindex)
{
	return query->commandType == CMD_DELETE && rtindex == query->resultRelation;
}

static Node *
wrap_reference(Query *query, RangeTblRef *reference)
{
	DtSoftTarget target;

	if (is_exempt(query, reference->rtindex) ||
		!find_hidden(query, reference->rtindex, &target))
		return (Node *) reference;
	return (Node *) makeFromExpr(list_make1(reference),
								 dtmodel_live_condition(&target));
}

static void
wrap_list(Query *query, List *nodes)
{
	ListCell   *cell;

	foreach(cell, nodes)
		lfirst(cell) = wrap_node(query, lfirst(cell));
}

static Node *
wrap_node(Query *query, Node *node)
{
	if (IsA(node, RangeTblRef))
		return wrap_reference(query, (RangeTblRef *) node);
	if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;

		join->larg = wrap_node(query, join->larg);
		join->rarg = wrap_node(query, join->rarg);
	}
	else if (IsA(node, FromExpr))
		wrap_list(query, ((FromExpr *) node)->fromlist);
	return node;
}

#ifdef COMPAT_HAS_MERGE
/*
 * The planner joins the target of a MERGE later, by the condition of the
 * MERGE. The condition that the row is live is added there: a deleted row
 * does not match, and does not count as missing in the source either.
 */
static void
hide_merge_target(Query *query)
{
	Node	  **condition = compat_merge_condition(query);
	DtSoftTarget target;
	ListCell   *cell;

	if (!find_hidden(query, query->resultRelation, &target))
		return;
	*condition = make_and_qual(*condition, dtmodel_live_condition(&target));
	foreach(cell, query->mergeActionList)
	{
		MergeAction *action = lfirst_node(MergeAction, cell);

		if (compat_is_unmatched_target(action))
			action->qual = make_and_qual(action->qual,
										 dtmodel_live_condition(&target));
	}
}
#endif

/* Hides deleted rows in one level of a query. */
void
dtmodel_hide_deleted(Query *query)
{
	if (query->jointree != NULL)
		wrap_list(query, query->jointree->fromlist);
#ifdef COMPAT_HAS_MERGE
	if (query->commandType == CMD_MERGE)
		hide_merge_target(query);
#endif
}
