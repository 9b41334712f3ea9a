/*-------------------------------------------------------------------------
 *
 * row_set.h
 *	  A receiver of a query's rows that adds them to the result of a function.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_SET_H
#define DTMODEL_ROW_SET_H

#include "fmgr.h"
#include "tcop/dest.h"
#include "utils/tuplestore.h"

typedef struct DtRowSet DtRowSet;

struct DtRowSet
{
	DestReceiver receiver;		/* for the query; must be first */
	Tuplestorestate *store;		/* the result of the function */

	/* Called for each row; by default it adds the row to the result. */
	void		(*take) (DtRowSet *set, Datum row);

	/* Called when there are no more rows; may be NULL. */
	void		(*done) (DtRowSet *set);
	void	   *caller;			/* for these two functions */
};

extern DtRowSet *dtmodel_begin_row_set(FunctionCallInfo fcinfo);
extern void dtmodel_add_row(DtRowSet *set, Datum row);

#endif							/* DTMODEL_ROW_SET_H */
