/*-------------------------------------------------------------------------
 *
 * diff.h
 *	  Walks through two documents and reports where they differ.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_DIFF_H
#define DTMODEL_JSON_DIFF_H

#include "fmgr.h"
#include "json/format.h"

/*
 * One step of the path from the root to a place: into the member with that key
 * or, if there is no key, into the element with that number.  The steps are
 * on the stack of the walk and are linked upwards; the root has none.
 */
typedef struct DtDiffStep
{
	struct DtDiffStep *up;
	DtRawValue	key;			/* data is NULL in a list */
	uint32		index;
	void	   *caller_data;	/* for the caller of the walk; NULL at first */
} DtDiffStep;

/*
 * The callbacks of a walk.  A caller that needs data of its own makes this the
 * first member of its own struct.
 */
typedef struct DtDiffWalk DtDiffWalk;

struct DtDiffWalk
{
	/*
	 * Called for each difference, in the order of the keys.  A value that a
	 * document does not have is NULL.
	 */
	void		(*report) (DtDiffWalk *walk, DtDiffStep *at,
						   const DtRawValue *old_value, const DtRawValue *new_value);

	/*
	 * Called for each pair of lists whose bytes differ.  The first "same"
	 * bytes are the same.  The lists may still be equal.
	 */
	void		(*compare_lists) (DtDiffWalk *walk, DtDiffStep *at,
								  const DtRawValue *old_list,
								  const DtRawValue *new_list, uint32 same);
};

extern void dtmodel_diff_values(DtDiffWalk *walk, DtDiffStep *at,
								const DtRawValue *old_value,
								const DtRawValue *new_value);
extern void dtmodel_diff_values_from(DtDiffWalk *walk, DtDiffStep *at,
									 const DtRawValue *old_value,
									 const DtRawValue *new_value, uint32 same);
extern void dtmodel_diff_lists_as_wholes(DtDiffWalk *walk, DtDiffStep *at,
										 const DtRawValue *old_list,
										 const DtRawValue *new_list, uint32 same);

extern PGDLLEXPORT Datum dtmodel_get_difference_between_dictionaries(PG_FUNCTION_ARGS);

#endif							/* DTMODEL_JSON_DIFF_H */
