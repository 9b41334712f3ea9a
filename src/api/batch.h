/*-------------------------------------------------------------------------
 *
 * batch.h
 *	  Common code of procedures that commit after each batch of rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_BATCH_H
#define DTMODEL_BATCH_H

#include "fmgr.h"

extern void dtmodel_check_batch_size(int batch_size);
extern void dtmodel_check_may_commit(FunctionCallInfo fcinfo,
									 const char *procedure, const char *hint);

#endif							/* DTMODEL_BATCH_H */
