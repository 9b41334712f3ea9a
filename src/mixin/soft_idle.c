/*-------------------------------------------------------------------------
 *
 * soft_idle.c
 *	  Sparing the marking of rows the triggers that have nothing to do.
 *
 * Two triggers of soft delete are there for a caller's own UPDATE, and see in
 * most deletions only that all is in order.  They are the greater part of
 * what a deletion costs, so it is told once in a statement, instead of once
 * in a row, that they need not be fired.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "mixin/soft_idle.h"
#include "model/model.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/*
 * Whether a trigger of our own has nothing to do when a row is marked.  The
 * flag trigger finds flag and time in step, unless a trigger of somebody
 * else's comes first, and nobody to write down; the cascade finds nothing to
 * follow.  A table that inherits may have lost its soft delete, and then the
 * flag trigger has that to say.
 */
static bool
is_idle(const Trigger *trigger, const DtModel *model)
{
	if (trigger->tgoid == model->flag_trigger)
		return model->soft_delete != NULL && !model->others_act_before &&
			!dtmodel_column_is_used(&model->soft_delete->deleted_by);
	return trigger->tgoid == model->cascade_trigger && !model->is_referenced;
}

/*
 * Takes idle triggers out of the copy of the table's that an executor has.
 * With none left the server need not lock the row and look at it once more,
 * nor come back to it later.
 */
void
dtmodel_leave_out_idle_triggers(ResultRelInfo *target)
{
	TriggerDesc *triggers = target->ri_TrigDesc;
	const DtModel *model = dtmodel_get_model(target->ri_RelationDesc);

	triggers->trig_update_before_row = false;
	triggers->trig_update_after_row = false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (is_idle(trigger, model))
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
 * The same for a DELETE that was planned as an UPDATE, once the executor is
 * ready to run it.
 */
void
dtmodel_leave_out_idle_triggers_of(QueryDesc *query)
{
	ModifyTableState *update = (ModifyTableState *) query->planstate;

	if (query->operation != CMD_DELETE || !IsA(update, ModifyTableState) ||
		update->operation != CMD_UPDATE)
		return;

	for (int i = 0; i < update->mt_nrels; i++)
	{
		if (update->resultRelInfo[i].ri_TrigDesc != NULL)
			dtmodel_leave_out_idle_triggers(&update->resultRelInfo[i]);
	}
}
