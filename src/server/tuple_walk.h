/*-------------------------------------------------------------------------
 *
 * tuple_walk.h
 *	  Steps through the columns of a stored tuple without deforming it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_TUPLE_WALK_H
#define DTMODEL_TUPLE_WALK_H

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "access/tupmacs.h"
#include "compat.h"

typedef struct DtTupleWalk
{
	HeapTupleHeader header;
	TupleDesc	desc;
	char	   *data;
	uint32		offset;
	int			next;			/* index of the next column */
} DtTupleWalk;

static inline void
dtmodel_start_walk(DtTupleWalk *walk, HeapTuple tuple, TupleDesc desc)
{
	walk->header = tuple->t_data;
	walk->desc = desc;
	walk->data = (char *) tuple->t_data + tuple->t_data->t_hoff;
	walk->offset = 0;
	walk->next = 0;
}

/* The stored bytes of the next column, or NULL if it is null. */
static pg_attribute_always_inline char *
dtmodel_walk_column(DtTupleWalk *walk)
{
	Form_pg_attribute att = TupleDescAttr(walk->desc, walk->next);
	char	   *value;

	if ((walk->header->t_infomask & HEAP_HASNULL) != 0 &&
		att_isnull(walk->next, walk->header->t_bits))
	{
		walk->next++;
		return NULL;
	}

	walk->offset = att_align_pointer(walk->offset, att->attalign, att->attlen,
									 walk->data + walk->offset);
	value = walk->data + walk->offset;
	walk->offset = att_addlength_pointer(walk->offset, att->attlen, value);
	walk->next++;
	return value;
}

/* The stored bytes of a column, or NULL if it is null or not in the tuple. */
static inline char *
dtmodel_locate_column(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	DtTupleWalk walk;

	if (attnum > HeapTupleHeaderGetNatts(tuple->t_data))
		return NULL;

	dtmodel_start_walk(&walk, tuple, desc);
	while (walk.next < attnum - 1)
		(void) dtmodel_walk_column(&walk);
	return dtmodel_walk_column(&walk);
}

#endif							/* DTMODEL_TUPLE_WALK_H */
