/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  Soft delete by a MERGE in the planner: its DELETE actions become UPDATE
 *	  actions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "mixin/soft_delete/merge.h"
#include "mixin/soft_delete/target.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"

#ifdef COMPAT_HAS_MERGE
/* "The row is deleted", the negation of the condition for live rows. */
static Node *
deleted_condition(const DtSoftTarget *target)
{
	return (Node *) makeBoolExpr(NOT_EXPR,
								 list_make1(dtmodel_live_condition(target)), -1);
}

/*
 * Rewrites an action of a MERGE that deletes.  A row that is deleted already
 * must match it too, or it would go on to the next action, but must not be
 * changed.  So an action that does nothing comes first.
 */
static List *
rewrite_merge_action(Query *query, const DtSoftTarget *target,
					 MergeAction *action)
{
	MergeAction *nothing = copyObject(action);

	nothing->commandType = CMD_NOTHING;
	nothing->qual = make_and_qual(deleted_condition(target), nothing->qual);
	action->commandType = CMD_UPDATE;
	action->targetList = dtmodel_target_assignments(query, target);
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
 * A trigger cannot distinguish the actions of a MERGE.  If an UPDATE may not
 * flip the flag, then an action that assigns the flag is refused beside one
 * that deletes.
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
					 errmsg("a MERGE cannot both delete rows of table \"%s\" and write its soft-delete columns",
							get_rel_name(target->rte->relid)),
					 errdetail("The model was made with flag_writes => 'error'."),
					 errhint("Leave the columns out of the UPDATE, or use two statements.")));
	}
}

/*
 * Whether the executor has to check updated or deleted rows against policies.
 */
static bool
has_policies(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->withCheckOptions)
	{
		WCOKind		kind = lfirst_node(WithCheckOption, cell)->kind;

		if (kind == WCO_RLS_UPDATE_CHECK || kind == WCO_RLS_MERGE_UPDATE_CHECK ||
			kind == WCO_RLS_MERGE_DELETE_CHECK)
			return true;
	}
	return false;
}

/*
 * Whether written rows must meet the conditions of a view.  A deleted row
 * need not, but the executor checks each row that a MERGE updates.
 */
static bool
has_check_option(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->withCheckOptions)
	{
		if (lfirst_node(WithCheckOption, cell)->kind == WCO_VIEW_CHECK)
			return true;
	}
	return false;
}

static bool
updates(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->mergeActionList)
	{
		if (lfirst_node(MergeAction, cell)->commandType == CMD_UPDATE)
			return true;
	}
	return false;
}

/*
 * The policies for DELETE apply to the rewritten action; those for UPDATE are
 * not meant for rows that are deleted.
 */
static void
use_delete_policies(Query *query)
{
	List	   *checks = NIL;
	ListCell   *cell;

	foreach(cell, query->withCheckOptions)
	{
		WithCheckOption *check = lfirst_node(WithCheckOption, cell);

		if (check->kind == WCO_RLS_UPDATE_CHECK ||
			check->kind == WCO_RLS_MERGE_UPDATE_CHECK)
			continue;
		if (check->kind == WCO_RLS_MERGE_DELETE_CHECK)
			check->kind = WCO_RLS_MERGE_UPDATE_CHECK;
		checks = lappend(checks, check);
	}
	query->withCheckOptions = checks;
}

/*
 * Whether the executor could not distinguish which policies and conditions
 * apply to a row.
 */
static bool
mixes_checks(const Query *query)
{
	return has_check_option(query) || (has_policies(query) && updates(query));
}

/*
 * Makes the deletions of a MERGE soft, or leaves them to the triggers if its
 * other actions have checks that are not meant for deleted rows.
 */
void
dtmodel_rewrite_merge(Query *query)
{
	DtSoftTarget target;
	List	   *actions = NIL;
	ListCell   *cell;

	if (!deletes(query) ||
		!dtmodel_find_soft_target(query, query->resultRelation, &target) ||
		target.columns.trigger_tier || mixes_checks(query))
		return;
	if (target.columns.refuses_flag_writes)
		check_flag_writes(query, &target);
	if (updates(query))
		compat_split_update_privileges(query, target.rte, DT_UPDATES_OF_MERGE);
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
	if (has_policies(query))
		use_delete_policies(query);
}
#endif							/* COMPAT_HAS_MERGE */
