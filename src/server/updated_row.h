/*-------------------------------------------------------------------------
 *
 * updated_row.h
 *	  Whether a row was updated, and what it is now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_UPDATED_ROW_H
#define DTMODEL_UPDATED_ROW_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

extern bool dtmodel_was_updated_here(TupleTableSlot *slot);
extern bool dtmodel_has_ended_here(TupleTableSlot *slot);
extern bool dtmodel_fetch_newest(Relation rel, TupleTableSlot *slot, TupleTableSlot *newest);

#endif							/* DTMODEL_UPDATED_ROW_H */
