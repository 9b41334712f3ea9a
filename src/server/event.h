/*-------------------------------------------------------------------------
 *
 * event.h
 *	  Event triggers: how they are called, what their command has done, and
 *	  commands of their own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_EVENT_H
#define DTMODEL_EVENT_H

#include "commands/event_trigger.h"
#include "fmgr.h"
#include "tcop/deparse_utility.h"

extern const EventTriggerData *dtmodel_event_data(FunctionCallInfo fcinfo,
												  const char *function,
												  const char *event);
extern Datum *dtmodel_read_event(const char *query, int *count);
extern List *dtmodel_collected_commands(void);
extern void dtmodel_run_node(Node *statement);
extern void dtmodel_run_command(const char *sql);

#endif							/* DTMODEL_EVENT_H */
