/*-------------------------------------------------------------------------
 *
 * live.h
 *	  What holds for live rows only: uniqueness, parents, views.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LIVE_H
#define DTMODEL_LIVE_H

#include "fmgr.h"
#include "mixin/live/mixin.h"
#include "mixin/soft_delete/live.h"

extern AttrNumber *dtmodel_columns_argument(FunctionCallInfo fcinfo,
											Relation rel, int *ncolumns);

#endif							/* DTMODEL_LIVE_H */
