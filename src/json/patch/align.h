/*-------------------------------------------------------------------------
 *
 * align.h
 *	  Finds the elements of a list that another list has as well.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PATCH_ALIGN_H
#define DTMODEL_PATCH_ALIGN_H

#include "json/format.h"
#include "json/hash.h"

typedef struct DtListAlignment DtListAlignment;

/*
 * A run of old elements and a run of new ones, between elements that both
 * lists have.  Either may be empty, but not both.
 */
typedef struct DtListRuns
{
	const DtRawValue *old_elements;
	uint32		old_count;
	const DtRawValue *new_elements;
	uint32		new_count;
	uint32		new_start;		/* number of the first one in the new list */
	bool		same_known;		/* is "same" known? */
	uint32		same;			/* leading bytes that are the same in the
								 * first elements of both, whose bytes differ */
} DtListRuns;

extern DtListAlignment *dtmodel_align_begin(const DtRawValue *old_list,
											const DtRawValue *new_list,
											uint32 same, DtHashMemo *memo);
extern bool dtmodel_align_next(DtListAlignment *alignment, DtListRuns *runs);
extern void dtmodel_align_end(DtListAlignment *alignment);

#endif							/* DTMODEL_PATCH_ALIGN_H */
