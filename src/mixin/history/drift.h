/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What is out of order with a history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_DRIFT_H
#define DTMODEL_HISTORY_DRIFT_H

#include "lib/stringinfo.h"
#include "utils/rel.h"

extern void dtmodel_find_history_drift(StringInfo drift, Relation rel,
									   const void *options);
extern void dtmodel_drift_of_lost_history(StringInfo drift, Relation rel);

#endif							/* DTMODEL_HISTORY_DRIFT_H */
