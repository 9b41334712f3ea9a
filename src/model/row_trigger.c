/*-------------------------------------------------------------------------
 *
 * row_trigger.c
 *	  Common code of all row triggers: the checks of the trigger protocol, and
 *	  state that lasts for a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "model/row_trigger.h"
#include "model/sender.h"
#include "utils/rel.h"

static bool
event_is_among(TriggerEvent event, int events)
{
	return ((events & DT_ON_INSERT) != 0 && TRIGGER_FIRED_BY_INSERT(event)) ||
		((events & DT_ON_UPDATE) != 0 && TRIGGER_FIRED_BY_UPDATE(event)) ||
		((events & DT_ON_DELETE) != 0 && TRIGGER_FIRED_BY_DELETE(event));
}

static bool
timing_is_right(TriggerEvent event, int events)
{
	if ((events & DT_FIRED_AFTER) != 0)
		return TRIGGER_FIRED_AFTER(event);
	if ((events & DT_FIRED_INSTEAD) != 0)
		return TRIGGER_FIRED_INSTEAD(event);
	return TRIGGER_FIRED_BEFORE(event);
}

/*
 * A foreign table may have row triggers, as a partition of a model, or
 * created by its owner.  But it has no tuples that we could lock, update in
 * place or find again.
 */
static void
check_is_table(Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("foreign table \"%s\" cannot be a model",
					RelationGetRelationName(rel)),
			 errdetail("Triggers of %s work only on tables that are stored in this database.",
					   DTMODEL_SCHEMA),
			 rel->rd_rel->relispartition ?
			 errhint("Detach the partition, or make the table a model on the server that holds its rows.") :
			 errhint("Drop the trigger, and make the table a model on the server that holds its rows."),
			 errtable(rel)));
}

/*
 * Checks that a function was called as the row trigger that it is, at the
 * right time and for one of its events, and returns its TriggerData.
 */
TriggerData *
dtmodel_row_trigger(FunctionCallInfo fcinfo, const char *function, int events)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.%s must be called as a trigger",
						DTMODEL_INTERNAL_SCHEMA, function)));

	if (!timing_is_right(trigdata->tg_event, events) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!event_is_among(trigdata->tg_event, events))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of table \"%s\" has the wrong timing, level or events for %s.%s",
						trigdata->tg_trigger->tgname,
						RelationGetRelationName(trigdata->tg_relation),
						DTMODEL_INTERNAL_SCHEMA, function),
				 errhint("Drop the trigger and let the add_* function of the mixin create it.")));

	check_is_table(trigdata->tg_relation);
	return trigdata;
}

/*
 * The state of a trigger for the current statement.  "make" creates it at the
 * first call, in memory that lasts until the end of the statement.
 */
void *
dtmodel_trigger_state(FunctionCallInfo fcinfo,
					  void *(*make) (Relation rel,
									 const Trigger *trigger))
{
	const TriggerData *trigdata = (const TriggerData *) fcinfo->context;
	FmgrInfo   *function = fcinfo->flinfo;
	MemoryContext caller;

	if (function->fn_extra == NULL)
	{
		if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
			dtmodel_check_sent(trigdata->tg_relation);
		caller = MemoryContextSwitchTo(function->fn_mcxt);
		function->fn_extra = make(trigdata->tg_relation, trigdata->tg_trigger);
		MemoryContextSwitchTo(caller);
	}
	return function->fn_extra;
}
