/*-------------------------------------------------------------------------
 *
 * result_receiver.h
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RESULT_RECEIVER_H
#define DTMODEL_RESULT_RECEIVER_H

#include "fmgr.h"
#include "tcop/dest.h"
#include "utils/tuplestore.h"

typedef struct DtResultReceiver DtResultReceiver;

struct DtResultReceiver
{
	DestReceiver receiver;		/* for the query; must be first */
	Tuplestorestate *store;		/* the result of the function */

	/* Called for each row; by default it adds the row to the result. */
	void		(*take) (DtResultReceiver *result, Datum row);

	/* Called when there are no more rows; may be NULL. */
	void		(*done) (DtResultReceiver *result);
	void	   *caller;			/* for these two functions */
};

extern DtResultReceiver *dtmodel_make_result_receiver(FunctionCallInfo fcinfo);
extern void dtmodel_add_row(DtResultReceiver *result, Datum row);

#endif							/* DTMODEL_RESULT_RECEIVER_H */
