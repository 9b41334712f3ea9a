/*-------------------------------------------------------------------------
 *
 * executor.c
 *	  Changes to the executor's state for statements that delete or restore
 *	  rows.
 *
 * The triggers of soft delete are made for UPDATEs by the application.  In an
 * UPDATE that is the deletion or the restore itself they must not interfere,
 * and most have nothing to do.  So when the executor is ready to run such a
 * statement, its own copy of the table's triggers is changed: triggers
 * without work are removed from it, since they are most of the cost of a
 * deletion, and the trigger on flag and time is marked, so that it knows that
 * the UPDATE is ours.  The copy is freed when the statement ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "guc.h"
#include "mixin/soft_delete/conflict.h"
#include "mixin/soft_delete/executor.h"
#include "mixin/soft_delete/hide.h"
#include "mixin/soft_delete/merge.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/model.h"
#include "server/plan_cache.h"
#include "server/query_text.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* What an UPDATE of ours does. */
typedef enum Purpose
{
	PURPOSE_NONE,				/* it is not ours */
	PURPOSE_DELETE,
	PURPOSE_MERGE,				/* it deletes some rows and updates others */
	PURPOSE_RESTORE,			/* one row, whose cascade restores others */
	PURPOSE_RESTORE_SET			/* those other rows */
} Purpose;

/*
 * Whether a trigger of ours has nothing to do.  In a deletion the flag
 * trigger finds that flag and time already agree, unless another trigger
 * fires before it, and has no deleted_by to record; the row does not move to
 * another partition; and the cascade finds no references.  A table that
 * inherits may have lost its soft delete, which the flag trigger reports; and
 * all triggers refuse a foreign table.
 */
static bool
is_idle(const DtTriggerType *type, const DtModel *model, Purpose purpose)
{
	const DtSoftDelete *columns = dtmodel_soft_delete_of(model);
	bool		others_act = model->has_other_before_triggers ||
		purpose != PURPOSE_DELETE;

	if (columns == NULL)
		return false;
	if (type == &dtmodel_soft_delete_triggers[DT_SOFT_DELETE])
		return !others_act;
	if (type == &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_FLAG])
		return !others_act && !dtmodel_column_is_used(&columns->deleted_by);
	if (type == &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE])
		return purpose == PURPOSE_RESTORE_SET ||
			(purpose == PURPOSE_DELETE && !model->is_referenced);
	return false;
}

/* The type of the executor's trigger at this place; NULL if it is not ours. */
static const DtTriggerType *
type_of(const TriggerDesc *triggers, int which, const DtModel *model)
{
	const DtModelTrigger *own = dtmodel_own_trigger(model, which,
													&triggers->triggers[which]);

	return own == NULL ? NULL : own->type;
}

/*
 * If no trigger is left, the server need not lock and fetch the row for
 * triggers, nor queue AFTER triggers.
 */
static void
leave_out_idle_triggers(TriggerDesc *triggers, const DtModel *model,
						Purpose purpose)
{
	triggers->trig_update_before_row = false;
	triggers->trig_update_after_row = false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (is_idle(type_of(triggers, i, model), model, purpose))
			trigger->tgenabled = TRIGGER_DISABLED;
		else if (TRIGGER_FOR_ROW(trigger->tgtype) &&
				 TRIGGER_FOR_UPDATE(trigger->tgtype))
		{
			triggers->trig_update_before_row |= TRIGGER_FOR_BEFORE(trigger->tgtype);
			triggers->trig_update_after_row |= TRIGGER_FOR_AFTER(trigger->tgtype);
		}
	}
}

/*
 * Only AFTER triggers can be deferred.  So for the flag trigger, a BEFORE
 * trigger, the executor does not use tginitdeferred, and its copy of that
 * field can mark the UPDATE as ours.
 */
static void
say_update_is_ours(TriggerDesc *triggers, const DtModel *model)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (type_of(triggers, i, model) ==
			&dtmodel_soft_delete_triggers[DT_SOFT_DELETE_FLAG])
			triggers->triggers[i].tginitdeferred = true;
	}
}

/* For the flag trigger: whether the UPDATE that fires it is ours. */
bool
dtmodel_is_our_update(const Trigger *trigger)
{
	return trigger->tginitdeferred;
}

static void
prepare_target(ResultRelInfo *target, Purpose purpose)
{
	Relation	rel = target->ri_RelationDesc;
	const DtModel *model;
	const DtSoftDelete *columns;

	if (target->ri_TrigDesc == NULL ||
		rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
		return;
	model = dtmodel_get_model(rel);
	columns = dtmodel_soft_delete_of(model);
	leave_out_idle_triggers(target->ri_TrigDesc, model, purpose);
	/* rewrite.c checks what else a MERGE may write. */
	if (columns != NULL &&
		(purpose != PURPOSE_MERGE || columns->refuses_flag_writes))
		say_update_is_ours(target->ri_TrigDesc, model);
}

/* Prepares a table for the updates of the soft-delete trigger. */
void
dtmodel_prepare_deletion(ResultRelInfo *target)
{
	prepare_target(target, PURPOSE_DELETE);
}

/* Whether a MERGE that was rewritten has updates of its own. */
static bool
has_own_updates(Oid relid, EState *estate)
{
	ListCell   *cell;

	foreach(cell, estate->es_range_table)
	{
		const RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_RELATION && rte->relid == relid &&
			strcmp(rte->eref->aliasname, DT_UPDATES_OF_MERGE) == 0)
			return true;
	}
	return false;
}

/*
 * Finds a DELETE or MERGE that the planner has rewritten: the plan still
 * checks the privilege for DELETE, but does not delete.
 */
static Purpose
find_rewritten(const ModifyTableState *update, EState *estate)
{
	const ModifyTable *plan = castNode(ModifyTable, update->ps.plan);
	AclMode		privileges = compat_required_privileges(estate,
														plan->nominalRelation);

	if ((privileges & ACL_DELETE) == 0 || (privileges & ACL_UPDATE) != 0 ||
		compat_merge_deletes(plan))
		return PURPOSE_NONE;
	return has_own_updates(exec_rt_fetch(plan->nominalRelation, estate)->relid,
						   estate) ? PURPOSE_MERGE : PURPOSE_DELETE;
}

/* Whether the planner has made it of a DELETE, or of a MERGE that deletes. */
bool
dtmodel_is_soft_deletion(const ModifyTableState *update)
{
	return (update->operation == CMD_UPDATE ||
			compat_is_merge(update->operation)) &&
		find_rewritten(update, update->ps.state) != PURPOSE_NONE;
}

/* The purpose of an UPDATE of ours, from its text. */
static Purpose
purpose_of_text(const char *text)
{
	if (dtmodel_starts_with(text, DT_OWN_QUERY DT_MARKS_DELETED))
		return PURPOSE_DELETE;
	if (dtmodel_starts_with(text, DT_OWN_QUERY DT_MARKS_LIVE))
		return PURPOSE_RESTORE;
	if (dtmodel_starts_with(text, DT_OWN_QUERY DT_MARKS_SET_LIVE))
		return PURPOSE_RESTORE_SET;
	return PURPOSE_NONE;
}

/*
 * Whether the statement is the one that we run.  A statement added by a rule
 * has the same text, but there its table is not the first one.
 */
static bool
is_ours(const ModifyTableState *update, const char *text)
{
	return dtmodel_is_run_by_us(text) &&
		castNode(ModifyTable, update->ps.plan)->nominalRelation == 1;
}

static Purpose
find_purpose(const ModifyTableState *update, const QueryDesc *query)
{
	Purpose		purpose = PURPOSE_NONE;

	if (update->operation != CMD_UPDATE && !compat_is_merge(update->operation))
		return PURPOSE_NONE;
	if (is_ours(update, query->sourceText))
		purpose = purpose_of_text(query->sourceText);
	return purpose != PURPOSE_NONE ? purpose :
		find_rewritten(update, query->estate);
}

static void
prepare_node(PlanState *node, const QueryDesc *query)
{
	ModifyTableState *update = (ModifyTableState *) node;
	Purpose		purpose;

	if (!IsA(node, ModifyTableState))
		return;
	if (castNode(ModifyTable, node->plan)->onConflictAction != ONCONFLICT_NONE &&
		dtmodel_rewrites() && dtmodel_hides_from(query->sourceText))
		dtmodel_refuse_hidden_conflicts(update);
	purpose = find_purpose(update, query);
	if (purpose == PURPOSE_NONE)
		return;
	for (int i = 0; i < update->mt_nrels; i++)
		prepare_target(&update->resultRelInfo[i], purpose);
}

/*
 * Called when the executor is ready to run a statement that writes, with its
 * CTEs.
 */
void
dtmodel_prepare_statement(QueryDesc *query)
{
	MemoryContext caller = MemoryContextSwitchTo(query->estate->es_query_cxt);
	ListCell   *cell;

	if (query->planstate != NULL)
		prepare_node(query->planstate, query);
	foreach(cell, query->estate->es_auxmodifytables)
		prepare_node(lfirst(cell), query);
	MemoryContextSwitchTo(caller);
}
