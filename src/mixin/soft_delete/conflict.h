/*-------------------------------------------------------------------------
 *
 * conflict.h
 *	  ON CONFLICT that meets a hidden row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_CONFLICT_H
#define DTMODEL_SOFT_DELETE_CONFLICT_H

#include "mixin/soft_delete/mixin.h"
#include "nodes/execnodes.h"

extern void dtmodel_refuse_hidden_conflicts(ModifyTableState *insert);
extern void dtmodel_check_conflict(MemoryContext statement, Relation rel,
								   HeapTuple row, const DtSoftDelete *columns);

#endif							/* DTMODEL_SOFT_DELETE_CONFLICT_H */
