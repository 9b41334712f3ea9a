/*-------------------------------------------------------------------------
 *
 * result_receiver.h
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RESULT_RECEIVER_H
#define DTMODEL_RESULT_RECEIVER_H

#include "executor/tuptable.h"
#include "fmgr.h"
#include "tcop/dest.h"
#include "utils/tuplestore.h"

typedef struct DtResultReceiver DtResultReceiver;

struct DtResultReceiver
{
	DestReceiver receiver;		/* for the query; must be first */
	Tuplestorestate *store;		/* the result of the function */
	Oid			type;			/* the type of its rows */

	/* Called for each row; by default it adds the row to the result. */
	void		(*take) (DtResultReceiver *result, TupleTableSlot *slot);

	/* Called when there are no more rows; may be NULL. */
	void		(*done) (DtResultReceiver *result);
	void	   *caller;			/* for these two functions */
};

extern DtResultReceiver *dtmodel_make_result_receiver(FunctionCallInfo fcinfo);
extern HeapTuple dtmodel_copy_result_row(const DtResultReceiver *result,
										 TupleTableSlot *slot);

#endif							/* DTMODEL_RESULT_RECEIVER_H */
