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

typedef struct ListAlignment ListAlignment;

/*
 * A run of old elements and a run of new ones, between elements that both
 * lists have.  Either may be empty, but not both.
 */
typedef struct ListRuns
{
	const RawValue *old_elements;
	uint32		old_count;
	const RawValue *new_elements;
	uint32		new_count;
	uint32		new_start;		/* number of the first one in the new list */
	bool		same_known;		/* is "same" known? */
	uint32		same;			/* leading bytes that are the same in the
								 * first elements of both, whose bytes differ */
} ListRuns;

extern ListAlignment *dtmodel_align_begin(const RawValue *old_list,
										  const RawValue *new_list,
										  uint32 same, HashMemo *memo);
extern bool dtmodel_align_next(ListAlignment *alignment, ListRuns *runs);
extern void dtmodel_align_end(ListAlignment *alignment);

#endif							/* DTMODEL_PATCH_ALIGN_H */
