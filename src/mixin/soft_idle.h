/*-------------------------------------------------------------------------
 *
 * soft_idle.h
 *	  Sparing the marking of rows the triggers that have nothing to do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_IDLE_H
#define DTMODEL_SOFT_IDLE_H

#include "executor/execdesc.h"

extern void dtmodel_leave_out_idle_triggers(ResultRelInfo *target);
extern void dtmodel_leave_out_idle_triggers_of(QueryDesc *query);

#endif							/* DTMODEL_SOFT_IDLE_H */
