/*-------------------------------------------------------------------------
 *
 * result_receiver.c
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/result_receiver.h"
#include "server/record.h"
#include "server/result.h"

/* Adds a row, a composite value, to the result. */
void
dtmodel_add_row(DtResultReceiver *result, Datum row)
{
	HeapTupleData tuple = dtmodel_tuple_of_row(row);

	tuplestore_puttuple(result->store, &tuple);
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
	DtResultReceiver *result = (DtResultReceiver *) self;
	bool		isnull;
	Datum		row = slot_getattr(slot, 1, &isnull);

	if (!isnull)
		result->take(result, row);
	return true;
}

static void
stop(DestReceiver *self)
{
	DtResultReceiver *result = (DtResultReceiver *) self;

	if (result->done != NULL)
		result->done(result);
}

static void
destroy(DestReceiver *self pg_attribute_unused())
{
}

/* A receiver for the result of this function, which is empty so far. */
DtResultReceiver *
dtmodel_make_result_receiver(FunctionCallInfo fcinfo)
{
	DtResultReceiver *result = palloc0(sizeof(DtResultReceiver));

	result->store = dtmodel_begin_result(fcinfo)->setResult;
	result->receiver.receiveSlot = receive;
	result->receiver.rStartup = start;
	result->receiver.rShutdown = stop;
	result->receiver.rDestroy = destroy;
	result->receiver.mydest = DestTuplestore;
	result->take = dtmodel_add_row;
	return result;
}
