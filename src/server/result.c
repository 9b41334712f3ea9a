/*-------------------------------------------------------------------------
 *
 * result.c
 *	  The result of a set-returning function.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "server/result.h"
#include "utils/tuplestore.h"

static void
report_no_rows_accepted(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("function returning rows called where no rows are accepted"),
			 errhint("Call it in FROM.")));
}

/*
 * Creates the empty tuplestore in which the function returns its rows.  It is
 * setResult of the returned struct, and the row type is setDesc.
 */
ReturnSetInfo *
dtmodel_begin_result(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	TupleDesc	desc = NULL;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0 ||
		get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		report_no_rows_accepted();

	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	result->returnMode = SFRM_Materialize;
	result->setResult =
		tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
							  false, work_mem);
	result->setDesc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(caller);
	return result;
}
