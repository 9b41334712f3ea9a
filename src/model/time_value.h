/*-------------------------------------------------------------------------
 *
 * time_value.h
 *	  A time as the value of a column, in a query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIME_VALUE_H
#define DTMODEL_TIME_VALUE_H

#include "model/column.h"
#include "nodes/primnodes.h"

extern Expr *dtmodel_time_value(Expr *time, const DtColumn *column);

#endif							/* DTMODEL_TIME_VALUE_H */
