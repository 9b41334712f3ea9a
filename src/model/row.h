/*-------------------------------------------------------------------------
 *
 * row.h
 *	  The row that an INSERT or UPDATE is about to write.
 *
 * A mixin reads and changes it in two places: in its BEFORE trigger, where the
 * rows are tuples, and where the executor projects the new row of an UPDATE,
 * where they are slots (see projection.c).  The code of the mixin is the same
 * for both.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_H
#define DTMODEL_ROW_H

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "model/model.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

typedef struct DtRow
{
	Relation	rel;
	const Trigger *trigger;		/* the one whose work is done */

	/* In a trigger. */
	FunctionCallInfo fcinfo;	/* NULL: in a projection */
	bool		moves_in;		/* the row that is inserted comes from another
								 * partition */
	HeapTuple	old_tuple;		/* NULL: the row is inserted */
	HeapTuple	tuple;			/* the new row, with the changes so far */

	/* In a projection. */
	EState	   *estate;
	TupleTableSlot *old_slot;	/* NULL: the row is inserted */
	TupleTableSlot *slot;
	const Bitmapset *changeable;	/* columns that the statement or a mixin
									 * may change */
	bool		is_timed;		/* an action that times changes has seen it */
} DtRow;

/*
 * What a row trigger of ours does with a row.  The functions get the state that
 * make_state returns, which lasts for the statement.
 */
typedef struct DtRowAction
{
	const char *function;		/* of the trigger */
	int			events;			/* for which it may be fired, DT_ON_... */
	bool		stamps;			/* does nothing under
								 * dtmodel.preserve_timestamps, nor with a row
								 * that moves to another partition */
	bool		only_assigned;	/* changes no column that the UPDATE does not
								 * assign */
	bool		times_changes;	/* a row that changes gets a later updated_at */
	void	   *(*make_state) (Relation rel, const Trigger *trigger);
	void		(*insert) (DtRow *row, void *state);
	void		(*update) (DtRow *row, void *state);

	/*
	 * For a trigger that fires after an UPDATE.  In a projection
	 * "note_update" is called, before it is certain that the row is updated,
	 * and says whether there is something to do when it was: then
	 * "after_update" is called, once for each row and before the next
	 * "note_update".
	 */
	bool		(*note_update) (DtRow *row, void *state);
	void		(*after_update) (Relation rel, TupleTableSlot *old_slot,
								 void *state);

	/*
	 * Whether "update" can run in the projection of an UPDATE of these
	 * columns, which is before the row is locked: see dtmodel_hold_row().
	 * NULL: always, and also in an INSERT that may continue as an UPDATE.
	 */
	bool		(*may_project) (const DtModel *model, const Bitmapset *updated);
} DtRowAction;

static inline bool
dtmodel_is_projected(const DtRow *row)
{
	return row->fcinfo == NULL;
}

static inline Datum
dtmodel_old_value(const DtRow *row, AttrNumber attnum, bool *isnull)
{
	if (dtmodel_is_projected(row))
		return slot_getattr(row->old_slot, attnum, isnull);
	return heap_getattr(row->old_tuple, attnum, RelationGetDescr(row->rel),
						isnull);
}

static inline Datum
dtmodel_new_value(const DtRow *row, AttrNumber attnum, bool *isnull)
{
	if (!dtmodel_is_projected(row))
		return heap_getattr(row->tuple, attnum, RelationGetDescr(row->rel),
							isnull);
	*isnull = row->slot->tts_isnull[attnum - 1];
	return row->slot->tts_values[attnum - 1];
}

/* False if it is certain that the column keeps its value. */
static inline bool
dtmodel_may_change(const DtRow *row, AttrNumber attnum)
{
	return !dtmodel_is_projected(row) || bms_is_member(attnum, row->changeable);
}

static inline ItemPointer
dtmodel_old_tid(const DtRow *row)
{
	return dtmodel_is_projected(row) ? &row->old_slot->tts_tid :
		&row->old_tuple->t_self;
}

/*
 * Sets a column in a projection.  The value must last until the executor has
 * stored the row.
 */
static inline void
dtmodel_set_projected(DtRow *row, AttrNumber attnum, Datum value, bool isnull)
{
	Assert(row->old_slot == NULL || bms_is_member(attnum, row->changeable));
	row->slot->tts_values[attnum - 1] = value;
	row->slot->tts_isnull[attnum - 1] = isnull;
}

extern HeapTuple dtmodel_old_row(const DtRow *row);
extern bool dtmodel_hold_row(DtRow *row);
extern bool dtmodel_old_row_is_ours(const DtRow *row);
extern void dtmodel_set_value(DtRow *row, AttrNumber attnum, Datum value,
							  bool isnull);
extern void dtmodel_set_values(DtRow *row, int count, int *attnums,
							   Datum *values, bool *nulls);
extern void dtmodel_set_value_at(DtRow *row, AttrNumber attnum, char *place,
								 Datum value);
extern Datum dtmodel_run_row_action(FunctionCallInfo fcinfo,
									const DtRowAction *action);

#endif							/* DTMODEL_ROW_H */
