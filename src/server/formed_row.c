/*-------------------------------------------------------------------------
 *
 * formed_row.c
 *	  Forming the tuple of a row where the executor projects the row.
 *
 * The first thing that the server does with a projected row is to form its
 * tuple, and the slot forgets the values of the columns.  Those that are NOT
 * NULL are then read from the tuple to be checked, one after the other, each in
 * a call of its own; in a small table two or three of these calls take as long
 * as to read all columns at once.  So the projection forms the tuple itself,
 * which the server then takes as it is, and reads all columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "server/formed_row.h"

/* So many columns are read in the time of a call. */
#define COLUMNS_PER_CALL 3

/*
 * Whether it takes less time to read all columns than to call the server for
 * each that is NOT NULL.
 */
bool
dtmodel_gains_by_forming(TupleDesc desc)
{
	int			ncalls = 0;
	int			last = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (compat_is_not_null(desc, i))
		{
			ncalls++;
			last = i + 1;
		}
	}
	return desc->natts - last < (ncalls - 1) * COLUMNS_PER_CALL;
}

/* For a slot that is empty but for the values of its columns. */
void
dtmodel_form_row(TupleTableSlot *slot)
{
	ExecStoreVirtualTuple(slot);
	ExecMaterializeSlot(slot);
	slot_getallattrs(slot);
}
