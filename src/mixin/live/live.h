/*-------------------------------------------------------------------------
 *
 * live.h
 *	  Rules and views for live rows only: uniqueness, parents, live views.
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

/* live_view.c */
extern void dtmodel_drift_of_live_views(struct DtDrift *drift, Relation rel,
										const DtModel *model);

#endif							/* DTMODEL_LIVE_H */
