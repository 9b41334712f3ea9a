/*-------------------------------------------------------------------------
 *
 * stamp.h
 *	  Stamping rows: whether an UPDATE changes a row, and columns stored in the
 *	  row that is about to be written.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_STAMP_H
#define DTMODEL_STAMP_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "model/model.h"
#include "model/row_move.h"

/* A column of both rows of an UPDATE. */
typedef struct DtColumnPair
{
	AttrNumber	attnum;			/* InvalidAttrNumber: null in both */
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value;
	Datum		new_value;
	char	   *new_place;		/* where the new row stores it */
} DtColumnPair;

/* The state of a trigger that stamps rows, for its statement. */
typedef struct DtStamp
{
	DtUpdateNote note;
	Bitmapset  *ignored;		/* columns that are not simply compared */
	int			npairs;
	int			first_pinned;	/* the first pair of a column that counts when
								 * it is set */
	int			first_filled_in;	/* the first pair of a column that counts
									 * when it is replaced */
	DtColumnPair *pairs;		/* the trigger's own columns come first */
} DtStamp;

/* A trigger that stamps rows; its state is a struct that begins with DtStamp. */
typedef struct DtStamper
{
	const char *function;
	void	   *(*make_state) (const TriggerData *trigdata);
	HeapTuple	(*stamp_new_row) (const TriggerData *trigdata, HeapTuple row,
								  void *state);
	HeapTuple	(*stamp_changed_row) (const TriggerData *trigdata,
									  HeapTuple row, void *state);
} DtStamper;

extern void dtmodel_init_stamp(DtStamp *stamp, const DtModel *model,
							   const AttrNumber *written, int nwritten);
extern void dtmodel_init_whole_row_stamp(DtStamp *stamp, AttrNumber written);
extern Datum dtmodel_stamp_row(FunctionCallInfo fcinfo,
							   const DtStamper *stamper);
extern bool dtmodel_row_changes(DtStamp *stamp, const TriggerData *trigdata,
								HeapTuple row);
extern HeapTuple dtmodel_store_column(const TriggerData *trigdata,
									  HeapTuple row, AttrNumber attnum,
									  Datum value, bool isnull);
extern HeapTuple dtmodel_store_pair(const TriggerData *trigdata,
									HeapTuple row, const DtColumnPair *pair,
									Datum value);

#endif							/* DTMODEL_STAMP_H */
