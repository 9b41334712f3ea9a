/*-------------------------------------------------------------------------
 *
 * row_trigger.h
 *	  Common code of all row triggers: the checks of the trigger protocol, and
 *	  state that lasts for a statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_TRIGGER_H
#define DTMODEL_ROW_TRIGGER_H

#include "commands/trigger.h"
#include "fmgr.h"

/* The events for which a trigger function may be fired, as bits. */
#define DT_ON_INSERT	(1 << 0)
#define DT_ON_UPDATE	(1 << 1)
#define DT_ON_DELETE	(1 << 2)

/* When it is fired, if not before the event. */
#define DT_FIRED_AFTER	(1 << 3)
#define DT_FIRED_INSTEAD (1 << 4)

/* The row that is about to be written. */
static inline HeapTuple
dtmodel_new_row(const TriggerData *trigdata)
{
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

extern TriggerData *dtmodel_row_trigger(FunctionCallInfo fcinfo,
										const char *function, int events);
extern void *dtmodel_trigger_state(FunctionCallInfo fcinfo,
								   void *(*make) (Relation rel,
												  const Trigger *trigger));

#endif							/* DTMODEL_ROW_TRIGGER_H */
