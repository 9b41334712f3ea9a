/*-------------------------------------------------------------------------
 *
 * soft_rewrite.c
 *	  Soft delete as the planner does it: a DELETE that becomes an UPDATE.
 *
 * After the server's rewriter has applied views and row-level security, and
 * before it plans, a DELETE on a soft-delete model becomes an UPDATE of its
 * flag and time.  It still needs the DELETE privilege and obeys the DELETE
 * policies, which are in the query by then; it counts and returns its rows;
 * and whatever surrounds it, USING, CTEs, cursors, partitions, goes on as it
 * would for any UPDATE, because it is one.
 *
 * Rows that are deleted already are not found, so that a second DELETE counts
 * none.  Queries of the server's own foreign keys are left alone: their
 * deletions are physical, and the trigger sees to them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/soft_hide.h"
#include "mixin/soft_rewrite.h"
#include "mixin/soft_target.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "server/inline.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* What one run through a query does, and what it did. */
typedef struct RewriteContext
{
	PlannerGlobal *hiding;		/* hidden rows are to be hidden, if not NULL */
	bool		top_is_update;	/* the outermost DELETE became an UPDATE */
} RewriteContext;

static void rewrite_level(Query *query, RewriteContext *context);

static Expr *
current_timestamp(void)
{
	SQLValueFunction *now = makeNode(SQLValueFunction);

	now->op = SVFOP_CURRENT_TIMESTAMP;
	now->type = TIMESTAMPTZOID;
	now->typmod = -1;
	now->location = -1;
	return (Expr *) now;
}

static Expr *
in_utc(Expr *time)
{
	Const	   *zone = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
								 CStringGetTextDatum("UTC"), false, false);

	return (Expr *) makeFuncExpr(F_TIMEZONE_TEXT_TIMESTAMPTZ, TIMESTAMPOID,
								 list_make2(zone, time), InvalidOid,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* The time of the transaction, as the column holds it. */
static Expr *
deletion_time(const DtColumn *deleted_at)
{
	Expr	   *time = current_timestamp();

	if (deleted_at->typid == TIMESTAMPOID)
		time = in_utc(time);
	return (Expr *) coerce_to_target_type(NULL, (Node *) time,
										  deleted_at->typid, deleted_at->typid,
										  deleted_at->typmod,
										  COERCION_ASSIGNMENT,
										  COERCE_IMPLICIT_CAST, -1);
}

static TargetEntry *
assign(Query *query, const DtSoftTarget *target, const DtColumn *column,
	   Expr *value)
{
	compat_add_updated_column(query, target->rte, column->attnum);
	return makeTargetEntry(value, column->attnum,
						   pstrdup(NameStr(column->name)), false);
}

/* The assignments that mark a row; "time" is what deleted_at gets. */
static List *
mark_assignments(Query *query, const DtSoftTarget *target, Expr *time)
{
	const DtSoftDelete *columns = &target->columns;
	List	   *assignments;

	assignments = list_make1(assign(query, target, &columns->deleted_at, time));
	if (dtmodel_column_is_used(&columns->flag))
		assignments = lappend(assignments,
							  assign(query, target, &columns->flag,
									 (Expr *) makeBoolConst(!columns->flag_is_live, false)));
	return assignments;
}

/*
 * A model may leave DELETE to its triggers.  They need not see the rows that
 * it hides.
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
	List	   *assignments;

	if (!dtmodel_find_soft_target(query, query->resultRelation, &target))
		return false;
	if (target.columns.trigger_tier)
	{
		leave_to_triggers(query, &target, hide);
		return false;
	}

	assignments = mark_assignments(query, &target,
								   deletion_time(&target.columns.deleted_at));
	query->commandType = CMD_UPDATE;
	query->targetList = list_concat(query->targetList, assignments);
	query->jointree->quals = make_and_qual(query->jointree->quals,
										   dtmodel_live_condition(&target));
	return true;
}

#ifdef COMPAT_HAS_MERGE
/* "The row is deleted": what the condition of live rows says of no row. */
static Node *
deleted_condition(const DtSoftTarget *target)
{
	return (Node *) makeBoolExpr(NOT_EXPR,
								 list_make1(dtmodel_live_condition(target)), -1);
}

/*
 * An action of a MERGE that deletes.  A row that is deleted already has to
 * match, too, or it would fall through to the next action; but nothing is
 * done to it.  So an action that does nothing goes first.
 */
static List *
rewrite_merge_action(Query *query, const DtSoftTarget *target,
					 MergeAction *action)
{
	MergeAction *nothing = copyObject(action);

	nothing->commandType = CMD_NOTHING;
	nothing->qual = make_and_qual(deleted_condition(target), nothing->qual);
	action->commandType = CMD_UPDATE;
	action->targetList = mark_assignments(query, target,
										  deletion_time(&target->columns.deleted_at));
	return list_make2(nothing, action);
}

static bool
assigns_mark(const MergeAction *action, const DtSoftDelete *columns)
{
	ListCell   *cell;

	if (action->commandType != CMD_UPDATE)
		return false;
	foreach(cell, action->targetList)
	{
		AttrNumber	attnum = lfirst_node(TargetEntry, cell)->resno;

		if (attnum == columns->deleted_at.attnum ||
			(dtmodel_column_is_used(&columns->flag) &&
			 attnum == columns->flag.attnum))
			return true;
	}
	return false;
}

static bool
deletes(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->mergeActionList)
	{
		if (lfirst_node(MergeAction, cell)->commandType == CMD_DELETE)
			return true;
	}
	return false;
}

/*
 * A trigger cannot tell the actions of a MERGE apart.  Where an UPDATE must not
 * flip the flag, one that assigns it cannot stand beside one that deletes.
 */
static void
check_flag_writes(const Query *query, const DtSoftTarget *target)
{
	ListCell   *cell;

	foreach(cell, query->mergeActionList)
	{
		if (assigns_mark(lfirst_node(MergeAction, cell), &target->columns))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a MERGE cannot both delete rows of table \"%s\" and write the columns of its soft delete",
							get_rel_name(target->rte->relid)),
					 errdetail("The model was made with flag_writes => 'error'."),
					 errhint("Leave the columns out of the UPDATE, or use two statements.")));
	}
}

/*
 * Whether policies look after the rows that the MERGE deletes.  The executor
 * chooses the policies by the action, so that as an UPDATE it would be judged
 * by those of UPDATE.
 */
static bool
policies_apply(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->withCheckOptions)
	{
		if (lfirst_node(WithCheckOption, cell)->kind == WCO_RLS_MERGE_DELETE_CHECK)
			return true;
	}
	return false;
}

/* What it does not rewrite is left to the triggers. */
static void
rewrite_merge(Query *query)
{
	DtSoftTarget target;
	List	   *actions = NIL;
	ListCell   *cell;

	if (!deletes(query) ||
		!dtmodel_find_soft_target(query, query->resultRelation, &target) ||
		target.columns.trigger_tier || policies_apply(query))
		return;
	if (target.columns.refuses_flag_writes)
		check_flag_writes(query, &target);
	foreach(cell, query->mergeActionList)
	{
		MergeAction *action = lfirst_node(MergeAction, cell);

		if (action->commandType == CMD_DELETE)
			actions = list_concat(actions,
								  rewrite_merge_action(query, &target, action));
		else
			actions = lappend(actions, action);
	}
	query->mergeActionList = actions;
}
#endif

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

/* The queries inside of this one. */
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
		rewrite_merge(query);
#endif
}

/*
 * Makes the deletions of a query soft, in all its levels, and hides what is
 * to be hidden, unless "hiding" is NULL.  True when the query itself was a
 * DELETE and is an UPDATE.
 */
bool
dtmodel_rewrite_query(Query *query, PlannerGlobal *hiding)
{
	RewriteContext context = {.hiding = hiding};

	rewrite_level(query, &context);
	return context.top_is_update;
}
