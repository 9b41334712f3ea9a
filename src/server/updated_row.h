/*-------------------------------------------------------------------------
 *
 * updated_row.h
 *	  Whether a row was updated, and its newest version.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_UPDATED_ROW_H
#define DTMODEL_UPDATED_ROW_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

extern bool dtmodel_was_updated_here(TupleTableSlot *slot);
extern bool dtmodel_has_ended_here(TupleTableSlot *slot);
extern HeapTuple dtmodel_newest_version(Relation rel, HeapTuple row);

#endif							/* DTMODEL_UPDATED_ROW_H */
