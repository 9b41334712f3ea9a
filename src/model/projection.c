/*-------------------------------------------------------------------------
 *
 * projection.c
 *	  The work of row triggers, done where the executor projects the new row.
 *
 * For a table with a BEFORE UPDATE trigger the server locks each row, fetches
 * it again, makes a tuple of the new row and, if the trigger changes it,
 * another one.  That costs more than the triggers themselves, and the lock is
 * stronger than that of the UPDATE.  None of it is needed: the new row is the
 * result of a projection, and what our triggers do with it can be done right
 * after that.  So when the executor is ready to run a statement, we put a
 * projection of our own around that of the server, and take the triggers out
 * of the executor's copy.  If the row has changed meanwhile the executor
 * projects it again.  An INSERT saves less: a tuple or two for each row.
 *
 * A trigger of ours that fires after an UPDATE may have a step too.  It has to
 * wait until it is certain that the row was updated, which shows in the old
 * row when the next one is projected, or when the statement ends.
 *
 * This is done only if every trigger that would fire before the event is one
 * of ours, so that no other trigger can see a difference.  COPY has no plan,
 * and rows that are routed to a partition get no projection: they fire the
 * triggers.  Whether a trigger fires for the current session_replication_role,
 * and everything else that can change during a statement, is found out for
 * each row, as in a trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "compat.h"
#include "executor/executor.h"
#include "guc.h"
#include "model/model.h"
#include "model/projection.h"
#include "model/row.h"
#include "model/row_move.h"
#include "model/sender.h"
#include "nodes/nodeFuncs.h"
#include "server/formed_row.h"
#include "server/updated_row.h"
#include "utils/rel.h"

/* A trigger whose work the projection does. */
typedef struct Step
{
	const Trigger *trigger;
	const DtRowAction *action;
	void	   *state;			/* NULL until the first row */
	bool		waits;			/* until the row that was projected last is
								 * updated */
} Step;

/*
 * The steps for an event on a table, in the order in which its triggers would
 * fire.
 */
typedef struct Steps
{
	bool		is_insert;
	bool		has_after;		/* a step for a trigger that fires after */
	int			count;
	Step	   *steps;
	Bitmapset  *changeable;		/* columns that the statement or a step may
								 * change */
} Steps;

typedef struct Projection
{
	ProjectionInfo outer;		/* the executor's handle; must be the first */
	ProjectionInfo *inner;		/* of the server; NULL until the first row,
								 * and for an INSERT, which has none */
	ModifyTableState *update;
	Relation	rel;
	TriggerDesc *triggers;		/* the executor's copy */
	List	   *assigned;		/* for the inner projection */
	bool		notes_moves;
	bool		forms_row;		/* see formed_row.c */
	Steps		steps;
	TupleTableSlot *old_slot;	/* the row that was projected last, if a step
								 * waits for it */
	DtRow		row;			/* the one that is projected */
} Projection;

/* Whether a trigger may ask if a row moves to another partition. */
static bool
may_see_moves(const ResultRelInfo *target)
{
	return target->ri_RelationDesc->rd_rel->relispartition &&
		target->ri_TrigDesc->trig_delete_before_row;
}

/* As ExecInitUpdateProjection() does it. */
static ProjectionInfo *
make_inner(const Projection *projection)
{
	ModifyTableState *update = projection->update;
	MemoryContext caller = MemoryContextSwitchTo(update->ps.state->es_query_cxt);
	ProjectionInfo *inner;

	inner = ExecBuildUpdateProjection(outerPlan(update->ps.plan)->targetlist,
									  false, projection->assigned,
									  RelationGetDescr(projection->rel),
									  projection->outer.pi_exprContext,
									  projection->outer.pi_state.resultslot,
									  &update->ps);
	MemoryContextSwitchTo(caller);
	return inner;
}

static void *
make_state(const Step *step, const Projection *projection)
{
	MemoryContext caller;
	void	   *state;

	if (!projection->steps.is_insert)
		dtmodel_check_sent(projection->rel);
	caller = MemoryContextSwitchTo(projection->update->ps.state->es_query_cxt);
	state = step->action->make_state(projection->rel, step->trigger);

	MemoryContextSwitchTo(caller);
	return state;
}

static void
run_action(Step *step, const Projection *projection, DtRow *row)
{
	const DtRowAction *action = step->action;

	if (step->state == NULL)
		step->state = make_state(step, projection);
	row->trigger = step->trigger;
	if (projection->steps.is_insert)
		action->insert(row, step->state);
	else if (action->note_update != NULL)
		step->waits = action->note_update(row, step->state);
	else
		action->update(row, step->state);
	row->is_timed |= action->times_changes;
}

/* Takes the steps for a row; true if one of them waits. */
static bool
take_steps(Projection *projection, DtRow *row)
{
	bool		waits = false;

	for (int i = 0; i < projection->steps.count; i++)
	{
		Step	   *step = &projection->steps.steps[i];

		step->waits = false;
		if (dtmodel_trigger_fires(step->trigger->tgenabled) &&
			!(step->action->stamps && dtmodel_preserve_timestamps))
			run_action(step, projection, row);
		waits |= step->waits;
	}
	return waits;
}

/*
 * Lets the steps wait for the old row, unless the statement has updated it
 * already, or a function that it calls: then the statement does not update it.
 */
static void
wait_for_row(Projection *projection, TupleTableSlot *old_slot)
{
	if (!dtmodel_was_updated_here(old_slot))
		ExecCopySlot(projection->old_slot, old_slot);
}

/* Completes the steps that have waited for a row, if it was updated. */
static void
complete_steps(Projection *projection)
{
	TupleTableSlot *old_slot = projection->old_slot;
	bool		is_updated = dtmodel_was_updated_here(old_slot);

	for (int i = 0; is_updated && i < projection->steps.count; i++)
	{
		const Step *step = &projection->steps.steps[i];

		if (step->waits)
			step->action->after_update(projection->rel, old_slot, step->state);
	}
	ExecClearTuple(old_slot);
}

static bool
has_waiting_row(const Projection *projection)
{
	return projection->steps.has_after && !TTS_EMPTY(projection->old_slot);
}

/*
 * The server projects a row again that the statement finds twice.  It would
 * check constraints and policies of the new row before it finds out that it has
 * to leave the row alone.  Where there are BEFORE triggers it finds that out
 * first, and so it does here: it looks for triggers after the projection, and
 * at the row before it fires one.
 */
static bool
leave_to_server(Projection *projection, TupleTableSlot *old_slot)
{
	bool		has_ended = dtmodel_has_ended_here(old_slot);

	projection->triggers->trig_update_before_row = has_ended;
	return has_ended;
}

/* The function of the server's projection is replaced when it is first called. */
static Datum
project_inner(Projection *projection, ExprContext *econtext, bool *isnull)
{
	ExprState  *inner;

	if (projection->inner == NULL)
		projection->inner = make_inner(projection);
	inner = &projection->inner->pi_state;
	return inner->evalfunc(inner, econtext, isnull);
}

/* Called by ExecProject() instead of the function of the server's projection. */
static Datum
project(ExprState *state, ExprContext *econtext, bool *isnull)
{
	Projection *projection = (Projection *)
		((char *) state - offsetof(Projection, outer.pi_state));
	bool		is_insert = projection->steps.is_insert;
	DtRow	   *row = &projection->row;
	Datum		result;

	if (has_waiting_row(projection))
		complete_steps(projection);
	result = project_inner(projection, econtext, isnull);

	row->old_slot = is_insert ? NULL : econtext->ecxt_scantuple;
	row->is_timed = false;
	if (!is_insert && leave_to_server(projection, row->old_slot))
		return result;
	if (projection->notes_moves)
		dtmodel_note_update(row->estate->es_query_cxt, row->rel,
							dtmodel_old_tid(row), row->slot);
	if (take_steps(projection, row))
		wait_for_row(projection, row->old_slot);
	if (projection->forms_row)
		dtmodel_form_row(row->slot);
	return result;
}

/* The same for an UPDATE for which there is nothing else to do. */
static Datum
project_formed(ExprState *state, ExprContext *econtext, bool *isnull)
{
	Projection *projection = (Projection *)
		((char *) state - offsetof(Projection, outer.pi_state));
	Datum		result = project_inner(projection, econtext, isnull);

	dtmodel_form_row(state->resultslot);
	return result;
}

/* The same for an INSERT, whose rows the server does not project. */
static Datum
project_inserted(ExprState *state, ExprContext *econtext,
				 bool *isnull pg_attribute_unused())
{
	Projection *projection = (Projection *)
		((char *) state - offsetof(Projection, outer.pi_state));
	TupleTableSlot *planned = econtext->ecxt_outertuple;
	DtRow		row = {.rel = projection->rel,.slot = state->resultslot};
	int			natts = RelationGetDescr(projection->rel)->natts;

	slot_getallattrs(planned);
	memcpy(row.slot->tts_values, planned->tts_values, natts * sizeof(Datum));
	memcpy(row.slot->tts_isnull, planned->tts_isnull, natts * sizeof(bool));
	(void) take_steps(projection, &row);
	return (Datum) 0;
}

/*
 * A projection around "inner", or around one that is made later for an UPDATE
 * that assigns these columns.
 */
static ProjectionInfo *
wrap(ModifyTableState *update, ResultRelInfo *target, const Steps *steps,
	 List *assigned, ProjectionInfo *inner, ExprContext *econtext,
	 TupleTableSlot *slot)
{
	Projection *projection = palloc0(sizeof(Projection));
	ListCell   *cell;

	NodeSetTag(&projection->outer, T_ProjectionInfo);
	NodeSetTag(&projection->outer.pi_state, T_ExprState);
	projection->outer.pi_state.evalfunc = project;
	projection->outer.pi_state.resultslot = slot;
	projection->outer.pi_exprContext = econtext;
	projection->inner = inner;
	projection->update = update;
	projection->rel = target->ri_RelationDesc;
	projection->triggers = target->ri_TrigDesc;
	projection->assigned = assigned;
	projection->notes_moves = !steps->is_insert && may_see_moves(target);
	projection->forms_row = dtmodel_gains_by_forming(RelationGetDescr(projection->rel));
	projection->steps = *steps;
	projection->steps.steps = memcpy(palloc(sizeof(Step) * steps->count),
									 steps->steps, sizeof(Step) * steps->count);
	if (steps->has_after)
		projection->old_slot = table_slot_create(projection->rel,
												 &update->ps.state->es_tupleTable);
	foreach(cell, assigned)
		projection->steps.changeable =
			bms_add_member(projection->steps.changeable, lfirst_int(cell));
	projection->row.rel = projection->rel;
	projection->row.estate = update->ps.state;
	projection->row.slot = slot;
	projection->row.changeable = projection->steps.changeable;
	return &projection->outer;
}

/* As ExecInitInsertProjection() does it. */
static void
wrap_insert(ModifyTableState *update, ResultRelInfo *target, const Steps *steps)
{
	EState	   *estate = update->ps.state;

	if (update->ps.ps_ExprContext == NULL)
		ExecAssignExprContext(estate, &update->ps);
	target->ri_newTupleSlot = table_slot_create(target->ri_RelationDesc,
												&estate->es_tupleTable);
	target->ri_projectNew = wrap(update, target, steps, NIL, NULL,
								 update->ps.ps_ExprContext,
								 target->ri_newTupleSlot);
	target->ri_projectNew->pi_state.evalfunc = project_inserted;
	target->ri_projectNewInfoValid = true;
}

static void
wrap_existing(ModifyTableState *update, ResultRelInfo *target,
			  const Steps *steps, ProjectionInfo **place)
{
	*place = wrap(update, target, steps, NIL, *place, (*place)->pi_exprContext,
				  (*place)->pi_state.resultslot);
}

/* The server makes slots and projection with the first row. */
static void
wrap_update(ModifyTableState *update, ResultRelInfo *target, int which,
			const Steps *steps)
{
	EState	   *estate = update->ps.state;

	if (update->ps.ps_ExprContext == NULL)
		ExecAssignExprContext(estate, &update->ps);
	target->ri_oldTupleSlot = table_slot_create(target->ri_RelationDesc,
												&estate->es_tupleTable);
	target->ri_newTupleSlot = table_slot_create(target->ri_RelationDesc,
												&estate->es_tupleTable);
	target->ri_projectNew = wrap(update, target, steps,
								 compat_assigned_columns(update, which), NULL,
								 update->ps.ps_ExprContext,
								 target->ri_newTupleSlot);
	target->ri_projectNewInfoValid = true;
}

static void
wrap_merge(ModifyTableState *update pg_attribute_unused(),
		   ResultRelInfo *target pg_attribute_unused(),
		   const Steps *steps pg_attribute_unused())
{
#ifdef COMPAT_HAS_MERGE
	CmdType		type = steps->is_insert ? CMD_INSERT : CMD_UPDATE;
	ListCell   *cell;

	foreach(cell, compat_merge_actions(target))
	{
		MergeActionState *action = lfirst(cell);

		if (action->mas_action->commandType == type)
			wrap_existing(update, target, steps, &action->mas_proj);
	}
#endif
}

static void
wrap_target(ModifyTableState *update, ResultRelInfo *target, int which,
			const Steps *steps)
{
	if (update->operation == CMD_UPDATE)
		wrap_update(update, target, which, steps);
	else if (compat_is_merge(update->operation))
		wrap_merge(update, target, steps);
	else if (steps->is_insert)
		wrap_insert(update, target, steps);
	else
		wrap_existing(update, target, steps, compat_conflict_projection(target));
}

static bool
has_conflict_update(const ModifyTableState *update)
{
	return castNode(ModifyTable, update->ps.plan)->onConflictAction == ONCONFLICT_UPDATE;
}

/* Whether the statement updates rows of this table, with a projection. */
static bool
has_update_projection(const ModifyTableState *update, const ResultRelInfo *target)
{
	if (update->operation == CMD_UPDATE)
		return !target->ri_projectNewInfoValid;
	if (update->operation == CMD_INSERT)
		return has_conflict_update(update) && target->ri_onConflict != NULL;
	return compat_is_merge(update->operation);
}

/*
 * Whether the plan's rows have exactly the columns of the table.  If not, the
 * server reports it.
 */
static bool
gives_whole_rows(const ModifyTableState *update, const ResultRelInfo *target)
{
	TupleDesc	desc = RelationGetDescr(target->ri_RelationDesc);
	List	   *columns = outerPlan(update->ps.plan)->targetlist;
	ListCell   *cell;

	if (list_length(columns) != desc->natts)
		return false;
	foreach(cell, columns)
	{
		const TargetEntry *column = lfirst_node(TargetEntry, cell);
		Form_pg_attribute att = TupleDescAttr(desc, foreach_current_index(cell));

		if (column->resjunk ||
			(!att->attisdropped &&
			 exprType((Node *) column->expr) != att->atttypid))
			return false;
	}
	return true;
}

/*
 * Whether the statement inserts rows into this table, and we can project them.
 * MERGE inserts into the table that it names.
 */
static bool
has_insert_projection(const ModifyTableState *update, const ResultRelInfo *target)
{
	if (update->operation == CMD_INSERT)
		return !target->ri_projectNewInfoValid && gives_whole_rows(update, target);
	return compat_is_merge(update->operation) && target == update->rootResultRelInfo;
}

/*
 * The columns that the statement updates, generated ones included.  Not by
 * ExecGetAllUpdatedCols(), which makes memory that is then reset for each row.
 */
static Bitmapset *
updated_columns(const ModifyTableState *update, ResultRelInfo *target)
{
	EState	   *estate = update->ps.state;
	Bitmapset  *members = bms_union(ExecGetUpdatedCols(target, estate),
									ExecGetExtraUpdatedCols(target, estate));
	Bitmapset  *columns = NULL;
	int			member = -1;

	while ((member = bms_next_member(members, member)) >= 0)
	{
		int			attnum = member + FirstLowInvalidHeapAttributeNumber;

		if (attnum > 0)
			columns = bms_add_member(columns, attnum);
	}
	return columns;
}

/* Whether the trigger's list of columns lets it fire for this UPDATE. */
static bool
is_of_update(const Trigger *trigger, const Bitmapset *updated)
{
	for (int i = 0; i < trigger->tgnattr; i++)
	{
		if (bms_is_member(trigger->tgattr[i], updated))
			return true;
	}
	return trigger->tgnattr == 0;
}

/*
 * A second trigger of a type has the options of the first, which only it can
 * report.
 */
static bool
has_step(const Steps *steps, const DtRowAction *action)
{
	for (int i = 0; i < steps->count; i++)
	{
		if (steps->steps[i].action == action)
			return true;
	}
	return false;
}

/* A column to which a mixin gives no new value changes if the UPDATE assigns it. */
static void
add_changeable(Steps *steps, const DtModel *model, const DtMixin *mixin)
{
	const void *options = dtmodel_options_of(model, mixin);

	for (int i = 0; options != NULL && i < mixin->ncolumns; i++)
	{
		if (!mixin->columns[i].is_pinned)
			dtmodel_add_own_column(&steps->changeable,
								   dtmodel_mixin_column(&mixin->columns[i], options));
	}
}

/* Adds the work of a trigger; false if it cannot be done in a projection. */
static bool
add_step(Steps *steps, const DtModel *model, int which, const Trigger *trigger,
		 const ModifyTableState *update, const Bitmapset *updated)
{
	const DtModelTrigger *own = dtmodel_own_trigger(model, which, trigger);
	const DtRowAction *action = own == NULL ? NULL : own->type->action;
	Step	   *step;

	if (action == NULL || trigger->tgqual != NULL || has_step(steps, action) ||
		(action->after_update != NULL) != TRIGGER_FOR_AFTER(trigger->tgtype) ||
		(steps->is_insert ? action->insert == NULL :
		 action->update == NULL && action->note_update == NULL))
		return false;
	if (action->may_project != NULL &&
		(has_conflict_update(update) ||
		 !(steps->is_insert || action->may_project(model, updated))))
		return false;
	step = &steps->steps[steps->count++];
	step->trigger = trigger;
	step->action = action;
	if (!action->only_assigned)
		add_changeable(steps, model, own->mixin);
	return true;
}

/* Whether the trigger would fire for a row, for some role. */
static bool
fires(const Trigger *trigger, bool is_insert, const Bitmapset *updated)
{
	if (!TRIGGER_FOR_ROW(trigger->tgtype) ||
		trigger->tgenabled == TRIGGER_DISABLED)
		return false;
	return is_insert ? TRIGGER_FOR_INSERT(trigger->tgtype) :
		TRIGGER_FOR_UPDATE(trigger->tgtype) && is_of_update(trigger, updated);
}

/*
 * The steps that do the work of all triggers before the event.  False if there
 * are triggers that have to be fired.
 */
static bool
find_steps(Steps *steps, const DtModel *model, TriggerDesc *triggers,
		   const ModifyTableState *update, const Bitmapset *updated)
{
	steps->steps = palloc0(sizeof(Step) * triggers->numtriggers);
	steps->changeable = bms_copy(updated);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_BEFORE(trigger->tgtype) &&
			fires(trigger, steps->is_insert, updated) &&
			!add_step(steps, model, i, trigger, update, updated))
			return false;
	}
	return true;
}

/* Adds steps for triggers that fire after an UPDATE of a heap. */
static void
find_steps_after(Steps *steps, const DtModel *model, TriggerDesc *triggers,
				 const ModifyTableState *update, const ResultRelInfo *target,
				 const Bitmapset *updated)
{
	if (target->ri_RelationDesc->rd_tableam != GetHeapamTableAmRoutine())
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_AFTER(trigger->tgtype) &&
			fires(trigger, false, updated) &&
			add_step(steps, model, i, trigger, update, updated))
			steps->has_after = true;
	}
}

static bool
is_idle(const DtModel *model, int which, const Trigger *trigger,
		const Bitmapset *updated)
{
	const DtModelTrigger *own = dtmodel_own_trigger(model, which, trigger);
	const void *options = own == NULL ? NULL :
		dtmodel_options_of(model, own->mixin);

	return options != NULL && own->type->is_idle != NULL &&
		own->type->is_idle(options, updated);
}

static bool
is_done_by_step(const Steps *steps, const Trigger *trigger)
{
	for (int i = 0; i < steps->count; i++)
	{
		if (steps->steps[i].trigger == trigger)
			return true;
	}
	return false;
}

/*
 * Takes the triggers for UPDATE out of the executor's copy: those that fire
 * BEFORE all together, and those of ours that fire AFTER and have nothing to
 * do, or a step.  They stay triggers for INSERT and DELETE.
 */
static void
leave_out_triggers(TriggerDesc *triggers, const DtModel *model,
				   const Steps *steps, const Bitmapset *updated)
{
	triggers->trig_update_before_row = false;
	triggers->trig_update_after_row = false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_ROW(trigger->tgtype) ||
			!TRIGGER_FOR_AFTER(trigger->tgtype) ||
			!TRIGGER_FOR_UPDATE(trigger->tgtype) ||
			trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		if (is_idle(model, i, trigger, updated) || is_done_by_step(steps, trigger))
			trigger->tgtype &= ~TRIGGER_TYPE_UPDATE;
		else
			triggers->trig_update_after_row = true;
	}
}

static void
prepare_update(ModifyTableState *update, ResultRelInfo *target, int which)
{
	TriggerDesc *triggers = target->ri_TrigDesc;

	/* This may run functions, which look up models, so it comes first. */
	Bitmapset  *updated = updated_columns(update, target);
	const DtModel *model = dtmodel_get_model(target->ri_RelationDesc);
	Steps		steps = {.is_insert = false};

	if (!find_steps(&steps, model, triggers, update, updated))
		return;
	find_steps_after(&steps, model, triggers, update, target, updated);
	if (steps.count > 0 || may_see_moves(target))
		wrap_target(update, target, which, &steps);
	leave_out_triggers(triggers, model, &steps, updated);
}

static void
prepare_insert(ModifyTableState *update, ResultRelInfo *target, int which)
{
	const DtModel *model = dtmodel_get_model(target->ri_RelationDesc);
	Steps		steps = {.is_insert = true};

	if (!find_steps(&steps, model, target->ri_TrigDesc, update, NULL))
		return;
	wrap_target(update, target, which, &steps);
	target->ri_TrigDesc->trig_insert_before_row = false;
}

/*
 * Whether the server is to project the rows of an UPDATE by itself, and it is
 * worth doing that here.  For a row or two it is not.
 */
static bool
gains_by_forming(const ModifyTableState *update, const ResultRelInfo *target)
{
	return update->operation == CMD_UPDATE &&
		!target->ri_projectNewInfoValid &&
		!target->ri_TrigDesc->trig_update_before_row &&
		outerPlan(update->ps.plan)->plan_rows > 2.0 * update->mt_nrels &&
		dtmodel_gains_by_forming(RelationGetDescr(target->ri_RelationDesc));
}

static void
prepare_formed(ModifyTableState *update, ResultRelInfo *target, int which)
{
	Steps		steps = {.is_insert = false};

	wrap_update(update, target, which, &steps);
	target->ri_projectNew->pi_state.evalfunc = project_formed;
}

/*
 * A row of a partitioned table is updated as one of its partition, and
 * inserted where it belongs.
 */
static void
prepare_target(ModifyTableState *update, int which)
{
	ResultRelInfo *target = &update->resultRelInfo[which];
	TriggerDesc *triggers = target->ri_TrigDesc;
	bool		updates;
	bool		inserts;

	if (triggers == NULL ||
		target->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION)
		return;
	updates = triggers->trig_update_before_row &&
		has_update_projection(update, target);
	inserts = triggers->trig_insert_before_row &&
		has_insert_projection(update, target);
	if (!updates && !inserts && !gains_by_forming(update, target))
		return;
	if (dtmodel_get_model(target->ri_RelationDesc)->ntriggers == 0)
		return;
	if (updates)
		prepare_update(update, target, which);
	if (inserts)
		prepare_insert(update, target, which);
	if (gains_by_forming(update, target))
		prepare_formed(update, target, which);
}

static void
complete_projection(ProjectionInfo *projection)
{
	if (projection != NULL && projection->pi_state.evalfunc == project &&
		has_waiting_row((Projection *) projection))
		complete_steps((Projection *) projection);
}

static void
complete_target(const ModifyTableState *update, ResultRelInfo *target)
{
#ifdef COMPAT_HAS_MERGE
	ListCell   *cell;

	if (compat_is_merge(update->operation))
	{
		foreach(cell, compat_merge_actions(target))
			complete_projection(((MergeActionState *) lfirst(cell))->mas_proj);
		return;
	}
#endif
	if (update->operation == CMD_UPDATE)
		complete_projection(target->ri_projectNew);
	else if (update->operation == CMD_INSERT && target->ri_onConflict != NULL)
		complete_projection(*compat_conflict_projection(target));
}

static void
complete_node(ModifyTableState *update)
{
	for (int i = 0; i < update->mt_nrels; i++)
		complete_target(update, &update->resultRelInfo[i]);
}

static void
prepare_node(ModifyTableState *update)
{
	for (int i = 0; i < update->mt_nrels; i++)
		prepare_target(update, i);
}

static void
for_each_node(QueryDesc *query, void (*do_work) (ModifyTableState *update))
{
	ListCell   *cell;

	if (query->planstate != NULL && IsA(query->planstate, ModifyTableState))
		do_work((ModifyTableState *) query->planstate);
	foreach(cell, query->estate->es_auxmodifytables)
		do_work(lfirst_node(ModifyTableState, cell));
}

/*
 * Called when the executor is ready to run a statement, with its CTEs, and
 * after others have taken out triggers that do not fire in it.
 */
void
dtmodel_project_row_actions(QueryDesc *query)
{
	MemoryContext caller = MemoryContextSwitchTo(query->estate->es_query_cxt);

	for_each_node(query, prepare_node);
	MemoryContextSwitchTo(caller);
}

/* Called when the statement has updated its last row. */
void
dtmodel_complete_row_actions(QueryDesc *query)
{
	for_each_node(query, complete_node);
}
