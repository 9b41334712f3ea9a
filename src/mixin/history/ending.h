/*-------------------------------------------------------------------------
 *
 * ending.h
 *	  How versions of rows end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_ENDING_H
#define DTMODEL_HISTORY_ENDING_H

#include "mixin/history/version.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/timestamps/mixin.h"
#include "model/stamp.h"

/* What is needed of a model, created once in each statement. */
typedef struct DtHistoryState
{
	MemoryContext context;
	DtTimestamps timestamps;
	bool		has_soft_delete;
	DtSoftDelete soft_delete;
	DtStamp    *stamp;			/* tells whether a row changes; NULL: not yet
								 * needed */

	/* In a projection: the version that the row may be about to end. */
	DtPastVersion pending;
	char	   *actor;			/* of the version that was last noted */
} DtHistoryState;

extern void *dtmodel_history_state(Relation rel, const Trigger *trigger);
extern TimestampTz dtmodel_valid_from(const DtTimestamps *timestamps,
									  HeapTuple row, TupleDesc desc);
extern DtOperation dtmodel_update_operation(bool was_deleted,
											bool becomes_deleted);
extern bool dtmodel_began_here(HeapTuple row, TimestampTz from);
extern bool dtmodel_was_updated(Relation rel, HeapTuple row);
extern void dtmodel_check_time(Relation rel, const DtHistoryState *state,
							   TimestampTz from, TimestampTz to);
extern void dtmodel_keep_deleted(const DtHistoryState *state, Relation rel,
								 HeapTuple row, DtOperation operation);

/* Whether the DELETE of a row has only moved it; if so, its version is kept. */
extern bool dtmodel_keep_moved(const TriggerData *trigdata,
							   const DtHistoryState *state);

#endif							/* DTMODEL_HISTORY_ENDING_H */
