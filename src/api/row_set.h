/*-------------------------------------------------------------------------
 *
 * row_set.h
 *	  Rows on their way from a query to the result of a function.
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

	/* Called for each row; what is here at first adds it to the result. */
	void		(*take) (DtRowSet *set, Datum row);

	/* Called when there are no more rows; NULL if nobody wants to know. */
	void		(*done) (DtRowSet *set);
	void	   *caller;			/* for whoever sets these */
};

extern DtRowSet *dtmodel_begin_row_set(FunctionCallInfo fcinfo);
extern void dtmodel_add_row(DtRowSet *set, Datum row);

#endif							/* DTMODEL_ROW_SET_H */
