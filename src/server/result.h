/*-------------------------------------------------------------------------
 *
 * result.h
 *	  The result of a set-returning function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RESULT_H
#define DTMODEL_RESULT_H

#include "fmgr.h"
#include "nodes/execnodes.h"

extern ReturnSetInfo *dtmodel_begin_result(FunctionCallInfo fcinfo);

#endif							/* DTMODEL_RESULT_H */
