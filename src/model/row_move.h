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
#include "storage/itemptr.h"
#include "utils/rel.h"

extern void dtmodel_note_update(MemoryContext statement, Relation rel,
								ItemPointer tid, TupleTableSlot *new_row);
extern TupleTableSlot *dtmodel_row_moves_out(FunctionCallInfo fcinfo);
extern void dtmodel_note_departure(FunctionCallInfo fcinfo);
extern bool dtmodel_row_moves_in(FunctionCallInfo fcinfo);
extern Datum dtmodel_departed_value(FunctionCallInfo fcinfo,
									const char *column, bool *isnull);

extern const char *dtmodel_events_with_moves(Relation rel, const char *events);

#endif							/* DTMODEL_ROW_MOVE_H */
