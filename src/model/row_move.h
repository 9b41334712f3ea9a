/*-------------------------------------------------------------------------
 *
 * row_move.h
 *	  Rows that move from one partition to another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_MOVE_H
#define DTMODEL_ROW_MOVE_H

#include "commands/trigger.h"
#include "model/ddl.h"

extern void dtmodel_change_move_trigger(DtChange *change);
extern void dtmodel_drop_move_trigger(DtChange *change, int removed);
extern bool dtmodel_row_moves_out(const TriggerData *trigdata);
extern bool dtmodel_row_moves_in(const TriggerData *trigdata);

#endif							/* DTMODEL_ROW_MOVE_H */
