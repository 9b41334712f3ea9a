/*-------------------------------------------------------------------------
 *
 * row_set.c
 *	  Rows on their way from a query to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/row_set.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "server/record.h"

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

/* The row is the query's only column; it is NULL for no row of the table. */
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

static void
report_no_rows_accepted(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("function returning rows called where no rows are accepted"),
			 errhint("Call it in FROM.")));
}

/* Makes what the function returns its rows in, none so far. */
DtRowSet *
dtmodel_begin_row_set(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DtRowSet   *set = palloc0(sizeof(DtRowSet));
	MemoryContext caller;
	TupleDesc	desc = NULL;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0 ||
		get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		report_no_rows_accepted();

	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	set->store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
									   false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = set->store;
	result->setDesc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(caller);

	set->receiver.receiveSlot = receive;
	set->receiver.rStartup = start;
	set->receiver.rShutdown = stop;
	set->receiver.rDestroy = destroy;
	set->receiver.mydest = DestTuplestore;
	set->take = dtmodel_add_row;
	return set;
}
