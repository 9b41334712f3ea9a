/*-------------------------------------------------------------------------
 *
 * timestamps.h
 *	  The timestamp mixin, as far as other mixins are made of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIMESTAMPS_H
#define DTMODEL_TIMESTAMPS_H

#include "model/ddl.h"

/* What add_timestamps is asked for; NULL names go without the column. */
typedef struct DtTimestampsRequest
{
	const char *created_at;
	const char *updated_at;
	const char *ignore_columns; /* an array literal, NULL for none */
	DtClock		clock;
} DtTimestampsRequest;

extern void dtmodel_change_timestamps(DtChange *change,
									  const DtTimestampsRequest *request);
extern void dtmodel_drop_timestamps(DtChange *change, bool drop_columns);

#endif							/* DTMODEL_TIMESTAMPS_H */
