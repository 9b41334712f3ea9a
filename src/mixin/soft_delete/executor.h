/*-------------------------------------------------------------------------
 *
 * executor.h
 *	  Changes to the executor's state for statements that delete or restore
 *	  rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_EXECUTOR_H
#define DTMODEL_SOFT_DELETE_EXECUTOR_H

#include "executor/execdesc.h"
#include "nodes/execnodes.h"

extern bool dtmodel_is_soft_deletion(const ModifyTableState *update);
extern void dtmodel_prepare_deletion(ResultRelInfo *target);
extern void dtmodel_prepare_statement(QueryDesc *query);

#endif							/* DTMODEL_SOFT_DELETE_EXECUTOR_H */
