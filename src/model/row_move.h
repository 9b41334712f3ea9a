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

/*
 * The row that an UPDATE is about to write, kept by a trigger until the end
 * of its statement.
 */
typedef struct DtUpdateNote
{
	bool		made;
	ItemPointerData tid;
	TupleTableSlot *new_row;	/* the executor's slot, with the changes of
								 * later triggers */
} DtUpdateNote;

extern void dtmodel_note_update(DtUpdateNote *note,
								const TriggerData *trigdata);
extern bool dtmodel_row_moves_out(DtUpdateNote *note,
								  const TriggerData *trigdata);
extern void dtmodel_note_departure(FunctionCallInfo fcinfo);
extern bool dtmodel_row_moves_in(FunctionCallInfo fcinfo);
extern Datum dtmodel_departed_value(FunctionCallInfo fcinfo,
									const char *column, bool *isnull);

extern const char *dtmodel_events_with_moves(Relation rel, const char *events);

#endif							/* DTMODEL_ROW_MOVE_H */
