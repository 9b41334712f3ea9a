/*-------------------------------------------------------------------------
 *
 * conflict.h
 *	  ON CONFLICT DO UPDATE that meets a hidden row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_CONFLICT_H
#define DTMODEL_SOFT_DELETE_CONFLICT_H

#include "nodes/execnodes.h"

extern void dtmodel_refuse_hidden_conflicts(ModifyTableState *insert);

#endif							/* DTMODEL_SOFT_DELETE_CONFLICT_H */
