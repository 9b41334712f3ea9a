/*-------------------------------------------------------------------------
 *
 * row_set.c
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/row_set.h"
#include "server/record.h"
#include "server/result.h"

/* Adds a row, a composite value, to the result. */
void
dtmodel_add_row(DtRowSet *set, Datum row)
{
	HeapTupleData tuple = dtmodel_tuple_of_row(row);

	tuplestore_puttuple(set->store, &tuple);
}

static void
start(DestReceiver *self pg_attribute_unused(),
	  int operation pg_attribute_unused(),
	  TupleDesc desc pg_attribute_unused())
{
}

/* The row is the query's only column; NULL if there is no row of the table. */
static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	DtRowSet   *set = (DtRowSet *) self;
	bool		isnull;
	Datum		row = slot_getattr(slot, 1, &isnull);

	if (!isnull)
		set->take(set, row);
	return true;
}

static void
stop(DestReceiver *self)
{
	DtRowSet   *set = (DtRowSet *) self;

	if (set->done != NULL)
		set->done(set);
}

static void
destroy(DestReceiver *self pg_attribute_unused())
{
}

/* A receiver for the result of this function, which is empty so far. */
DtRowSet *
dtmodel_begin_row_set(FunctionCallInfo fcinfo)
{
	DtRowSet   *set = palloc0(sizeof(DtRowSet));

	set->store = dtmodel_begin_result(fcinfo)->setResult;
	set->receiver.receiveSlot = receive;
	set->receiver.rStartup = start;
	set->receiver.rShutdown = stop;
	set->receiver.rDestroy = destroy;
	set->receiver.mydest = DestTuplestore;
	set->take = dtmodel_add_row;
	return set;
}
