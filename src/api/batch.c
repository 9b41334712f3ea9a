/*-------------------------------------------------------------------------
 *
 * batch.c
 *	  Common code of procedures that commit after each batch of rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/batch.h"
#include "dtmodel.h"
#include "nodes/parsenodes.h"

void
dtmodel_check_batch_size(int batch_size)
{
	if (batch_size < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be at least 1"),
				 errdetail("It is %d.", batch_size)));
}

/*
 * Checks that the procedure can commit: that it is not run inside a
 * transaction block or a function.
 */
void
dtmodel_check_may_commit(FunctionCallInfo fcinfo, const char *procedure,
						 const char *hint)
{
	CallContext *context = (CallContext *) fcinfo->context;

	if (context != NULL && IsA(context, CallContext) && !context->atomic)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("%s.%s cannot run inside a transaction block or a function",
					DTMODEL_SCHEMA, procedure),
			 errdetail("It commits after each batch."),
			 errhint("%s", hint)));
}
