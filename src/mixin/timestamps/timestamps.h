/*-------------------------------------------------------------------------
 *
 * timestamps.h
 *	  The timestamp mixin, as far as other mixins are made of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIMESTAMPS_H
#define DTMODEL_TIMESTAMPS_H

#include "mixin/timestamps/mixin.h"
#include "model/ddl.h"
#include "utils/array.h"

/* What add_timestamps is asked for; NULL names go without the column. */
typedef struct DtTimestampsRequest
{
	const char *created_at;
	const char *updated_at;
	ArrayType  *ignore_columns; /* of type name; NULL for none */
	DtClock		clock;
	bool		stamps_inserts;
} DtTimestampsRequest;

extern void dtmodel_change_timestamps(DtChange *change,
									  const DtTimestampsRequest *request);
extern void dtmodel_drop_timestamps(DtChange *change, bool drop_columns);

#endif							/* DTMODEL_TIMESTAMPS_H */
