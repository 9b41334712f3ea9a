/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  Stamping rows: whether an UPDATE changes a row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_STAMP_H
#define DTMODEL_STAMP_H

#include "model/model.h"
#include "model/row.h"

/* A column of both rows of an UPDATE. */
typedef struct DtColumnPair
{
	AttrNumber	attnum;			/* InvalidAttrNumber: null in both */
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value;
	Datum		new_value;
	char	   *new_place;		/* where a trigger's new row stores it */
} DtColumnPair;

/* What a mixin that stamps rows keeps for a statement. */
typedef struct DtStamp
{
	MemoryContext context;
	Bitmapset  *ignored;		/* columns that are not simply compared */
	int			npairs;
	int			first_pinned;	/* the first pair of a column that counts when
								 * it is set */
	int			first_filled_in;	/* the first pair of a column that counts
									 * when it is replaced */
	DtColumnPair *pairs;		/* the mixin's own columns come first */

	/* In a projection, from the first row on. */
	int			ncompared;
	AttrNumber *compared;		/* columns to compare */
	int			nread;
	DtColumnPair **read;		/* pairs that may change */
	AttrNumber	last_read;		/* of all of these */
} DtStamp;

extern void dtmodel_init_stamp(DtStamp *stamp, const DtModel *model,
							   const AttrNumber *written, int nwritten);
extern void dtmodel_init_whole_row_stamp(DtStamp *stamp, AttrNumber written);
extern bool dtmodel_row_changes(DtStamp *stamp, const DtRow *row);

/* Sets a column that dtmodel_row_changes() has found to a value. */
static inline void
dtmodel_set_pair(DtRow *row, const DtColumnPair *pair, Datum value)
{
	if (dtmodel_is_projected(row))
		dtmodel_set_projected(row, pair->attnum, value, false);
	else
		dtmodel_set_value_at(row, pair->attnum, pair->new_place, value);
}

#endif							/* DTMODEL_STAMP_H */
