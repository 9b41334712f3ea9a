/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the timestamp mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TIMESTAMPS_MIXIN_H
#define DTMODEL_TIMESTAMPS_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef enum DtClock
{
	DT_CLOCK_TRANSACTION,
	DT_CLOCK_STATEMENT,
	DT_CLOCK_CLOCK
} DtClock;

typedef struct DtTimestamps
{
	DtColumn	created_at;
	DtColumn	updated_at;
	DtClock		clock;
	bool		stamps_inserts; /* the trigger stamps inserts, rather than the
								 * DEFAULT */
	int			nignored;
	DtColumn   *ignored;		/* columns whose changes do not count */
} DtTimestamps;

extern const DtRowAction dtmodel_timestamps_action;
extern const DtMixin dtmodel_timestamps_mixin;

static inline const DtTimestamps *
dtmodel_timestamps_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_timestamps_mixin);
}

extern const char *dtmodel_clock_name(DtClock clock);
extern bool dtmodel_parse_clock(const char *name, DtClock *clock);
extern TimestampTz dtmodel_read_clock(DtClock clock);

#endif							/* DTMODEL_TIMESTAMPS_MIXIN_H */
