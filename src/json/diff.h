/*-------------------------------------------------------------------------
 *
 * diff.h
 *	  The walk over two documents that stops where they differ.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_DIFF_H
#define DTMODEL_JSON_DIFF_H

#include "fmgr.h"
#include "json/format.h"

/*
 * One step on the way from the root to a place: into the member of that key,
 * or, where there is no key, into the element of that number.  The steps live
 * on the stack of the walk and are linked upwards; the root has none.
 */
typedef struct DiffStep
{
	struct DiffStep *up;
	RawValue	key;			/* data is NULL in a list */
	uint32		index;
	void	   *caller_data;	/* what the walk's caller keeps of the place;
								 * NULL at first */
} DiffStep;

/*
 * What a caller wants of the walk.  A caller with more to keep makes this the
 * first member of a struct of its own.
 */
typedef struct DiffWalk DiffWalk;

struct DiffWalk
{
	/*
	 * Called for each difference, in the order of the keys.  A value that one
	 * document lacks is NULL.
	 */
	void		(*report) (DiffWalk *walk, DiffStep *at,
						   const RawValue *old_value, const RawValue *new_value);

	/*
	 * Called for each pair of lists whose bytes differ, after so many that are
	 * the same; they may still be equal.
	 */
	void		(*compare_lists) (DiffWalk *walk, DiffStep *at,
								  const RawValue *old_list,
								  const RawValue *new_list, uint32 same);
};

extern void dtmodel_diff_values(DiffWalk *walk, DiffStep *at,
								const RawValue *old_value,
								const RawValue *new_value);
extern void dtmodel_diff_values_from(DiffWalk *walk, DiffStep *at,
									 const RawValue *old_value,
									 const RawValue *new_value, uint32 same);
extern void dtmodel_diff_lists_as_wholes(DiffWalk *walk, DiffStep *at,
										 const RawValue *old_list,
										 const RawValue *new_list, uint32 same);

extern PGDLLEXPORT Datum dtmodel_get_difference_between_dictionaries(PG_FUNCTION_ARGS);

#endif							/* DTMODEL_JSON_DIFF_H */
