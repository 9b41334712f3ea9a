/*-------------------------------------------------------------------------
 *
 * result_receiver.c
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/result_receiver.h"
#include "server/record.h"
#include "server/result.h"

/*
 * Whether the row is the query's only column, as it is for a table without
 * columns; otherwise the query's columns are those of the row.
 */
static bool
is_composite(const DtResultReceiver *result, TupleTableSlot *slot)
{
	return TupleDescAttr(slot->tts_tupleDescriptor, 0)->atttypid == result->type;
}

/* A copy of the row in a slot; NULL if there is no row of the table. */
HeapTuple
dtmodel_copy_result_row(const DtResultReceiver *result, TupleTableSlot *slot)
{
	HeapTupleData tuple;
	bool		isnull;
	Datum		row;

	if (!is_composite(result, slot))
		return ExecCopySlotHeapTuple(slot);
	row = slot_getattr(slot, 1, &isnull);
	if (isnull)
		return NULL;
	tuple = dtmodel_tuple_of_row(row);
	return heap_copytuple(&tuple);
}

/* Adds the row in a slot to the result. */
static void
add_row(DtResultReceiver *result, TupleTableSlot *slot)
{
	HeapTuple	tuple;

	if (!is_composite(result, slot))
		tuplestore_puttupleslot(result->store, slot);
	else if ((tuple = dtmodel_copy_result_row(result, slot)) != NULL)
		tuplestore_puttuple(result->store, tuple);
}

static void
start(DestReceiver *self pg_attribute_unused(),
	  int operation pg_attribute_unused(),
	  TupleDesc desc pg_attribute_unused())
{
}

static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	DtResultReceiver *result = (DtResultReceiver *) self;

	result->take(result, slot);
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
	ReturnSetInfo *info = dtmodel_begin_result(fcinfo);

	result->store = info->setResult;
	result->type = info->setDesc->tdtypeid;
	result->receiver.receiveSlot = receive;
	result->receiver.rStartup = start;
	result->receiver.rShutdown = stop;
	result->receiver.rDestroy = destroy;
	result->receiver.mydest = DestTuplestore;
	result->take = add_row;
	return result;
}
