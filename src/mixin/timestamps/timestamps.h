/*-------------------------------------------------------------------------
 *
 * timestamps.h
 *	  The timestamp mixin: declarations for add_model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIMESTAMPS_H
#define DTMODEL_TIMESTAMPS_H

#include "mixin/timestamps/mixin.h"
#include "model/ddl.h"
#include "utils/array.h"

/* The arguments of add_timestamps; a NULL name stands for no column. */
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
