/*-------------------------------------------------------------------------
 *
 * default.h
 *	  The DEFAULT of the timestamp columns, which INSERT uses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIMESTAMPS_DEFAULT_H
#define DTMODEL_TIMESTAMPS_DEFAULT_H

#include "mixin/timestamps/mixin.h"
#include "model/ddl.h"

extern void dtmodel_change_time_default(DtChange *change,
										const DtColumn *column, DtClock clock);
extern void dtmodel_drift_of_time_default(struct DtDrift *drift, Relation rel,
										  const DtColumn *column, DtClock clock);

#endif							/* DTMODEL_TIMESTAMPS_DEFAULT_H */
