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
 * all rows, as unique indexes do.  But DO SELECT returns none that is hidden.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/hide.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/sharded.h"
#include "mixin/soft_delete/target.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"
#include "replication/walsender.h"
#include "server/plan_cache.h"
#include "server/query_text.h"
#include "utils/rls.h"

static Node *wrap_node(Query *query, Node *node, Node **place);

/*
 * Whether rows that models hide are hidden from this query.  They are not
 * hidden from our own queries, which have the conditions that they need, nor
 * from queries that need every row: dumps, the initial copy of a
 * subscription, and the copy of a table that Citus distributes in another way.
 */
bool
dtmodel_hides_from(const char *query_string)
{
	return dtmodel_hides_from_policies() &&
		!dtmodel_is_own_query(query_string) &&
		!dtmodel_is_dump_query(query_string) &&
		!dtmodel_is_citus_copy_query(query_string);
}

/* The same for what policies add to a query of ours. */
bool
dtmodel_hides_from_policies(void)
{
	return !dtmodel_with_deleted && !am_walsender;
}

/*
 * The table that COPY ... TO reads by a query, since policies apply to the role,
 * if it does.  Hidden rows are not hidden from that query, as they are not where
 * the server reads the table itself.
 */
Oid
dtmodel_copied_by_query(const CopyStmt *copy)
{
	Oid			relid;

	if (copy->is_from || copy->relation == NULL)
		return InvalidOid;
	relid = RangeVarGetRelid(copy->relation, NoLock, true);
	return OidIsValid(relid) &&
		check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED ? relid : InvalidOid;
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

/*
 * Adds the condition where the reference is, or, for a table that Citus keeps
 * in shards, at the given place above it: Citus knows no FromExpr below
 * another.
 */
static Node *
wrap_reference(Query *query, RangeTblRef *reference, Node **place)
{
	DtSoftTarget target;

	if (is_exempt(query, reference->rtindex) ||
		!find_hidden(query, reference->rtindex, &target))
		return (Node *) reference;
	if (!dtmodel_has_citus())
		return (Node *) makeFromExpr(list_make1(reference),
									 dtmodel_live_condition(&target));
	if (place != NULL)
		*place = make_and_qual(*place, dtmodel_live_condition(&target));
	else
		dtmodel_select_live(query, &target);
	return (Node *) reference;
}

static void
wrap_list(Query *query, List *nodes, Node **place)
{
	ListCell   *cell;

	foreach(cell, nodes)
		lfirst(cell) = wrap_node(query, lfirst(cell), place);
}

/*
 * The condition of a join can have the condition on a table that it need not
 * preserve, unless Citus sends USING in its place.  Neither it nor one above can
 * have that on a table of a FULL JOIN.
 */
static void
wrap_join(Query *query, JoinExpr *join, Node **place)
{
	Node	  **own = join->usingClause == NIL ? &join->quals : NULL;
	Node	  **left = own;
	Node	  **right = own;

	if (join->jointype == JOIN_INNER && own == NULL)
		left = right = place;
	else if (join->jointype == JOIN_LEFT)
		left = place;
	else if (join->jointype == JOIN_RIGHT)
		right = place;
	else if (join->jointype == JOIN_FULL)
		left = right = NULL;
	join->larg = wrap_node(query, join->larg, left);
	join->rarg = wrap_node(query, join->rarg, right);
}

static Node *
wrap_node(Query *query, Node *node, Node **place)
{
	if (IsA(node, RangeTblRef))
		return wrap_reference(query, (RangeTblRef *) node, place);
	if (IsA(node, JoinExpr))
		wrap_join(query, (JoinExpr *) node, place);
	else if (IsA(node, FromExpr))
		wrap_list(query, ((FromExpr *) node)->fromlist,
				  &((FromExpr *) node)->quals);
	return node;
}

#ifdef COMPAT_HAS_MERGE
/*
 * Since 17 the planner refuses a MERGE whose source is a FromExpr, so it is a
 * subquery of the live rows.  Where the MERGE reads system columns, which a
 * subquery has not, the condition is put beside the policies of the table.
 */
static void
hide_merge_source(Query *query, RangeTblRef *source)
{
	DtSoftTarget target;

	if (!find_hidden(query, source->rtindex, &target))
		return;
	if (dtmodel_has_citus() || !dtmodel_reads_system_columns(query, &target))
		dtmodel_select_live(query, &target);
	else
		target.rte->securityQuals = lappend(target.rte->securityQuals,
											dtmodel_live_condition(&target));
}

/*
 * The WHERE of a MERGE is no place for a condition: before 17 it is that of the
 * join, and then nothing.
 */
static void
hide_merge_sources(Query *query)
{
	ListCell   *cell;

	foreach(cell, query->jointree->fromlist)
	{
		Node	   *source = lfirst(cell);

		if (IsA(source, RangeTblRef))
			hide_merge_source(query, (RangeTblRef *) source);
		else
			lfirst(cell) = wrap_node(query, source, NULL);
	}
}

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

/* Whether this is an INSERT ... ON CONFLICT DO SELECT. */
bool
dtmodel_selects_conflict(const Query *query)
{
	return query->onConflict != NULL &&
		compat_selects_conflict(query->onConflict->action);
}

/*
 * The executor raises an error before it evaluates this condition, but in
 * partitions whose columns have other places than those of the table.
 */
static void
hide_conflicts(Query *query)
{
	DtSoftTarget target;

	if (find_hidden(query, query->resultRelation, &target))
		query->onConflict->onConflictWhere =
			make_and_qual(query->onConflict->onConflictWhere,
						  dtmodel_live_condition(&target));
}

/* Hides deleted rows in one level of a query. */
void
dtmodel_hide_deleted(Query *query)
{
#ifdef COMPAT_HAS_MERGE
	if (query->commandType == CMD_MERGE)
	{
		hide_merge_sources(query);
		hide_merge_target(query);
		return;
	}
#endif
	if (query->jointree != NULL)
		wrap_list(query, query->jointree->fromlist, &query->jointree->quals);
	if (dtmodel_selects_conflict(query))
		hide_conflicts(query);
}
