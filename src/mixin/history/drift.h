/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What is out of order with a history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_DRIFT_H
#define DTMODEL_HISTORY_DRIFT_H

#include "model/drift.h"

extern void dtmodel_find_history_drift(DtDrift *drift, Relation rel,
									   const void *options);
extern void dtmodel_drift_of_lost_history(DtDrift *drift, Relation rel);

#endif							/* DTMODEL_HISTORY_DRIFT_H */
