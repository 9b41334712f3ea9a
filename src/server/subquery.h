/*-------------------------------------------------------------------------
 *
 * subquery.h
 *	  A subquery in the place of a table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SUBQUERY_H
#define DTMODEL_SUBQUERY_H

#include "nodes/parsenodes.h"

extern void dtmodel_replace_by_subquery(RangeTblEntry *rte, Query *subquery);

#endif							/* DTMODEL_SUBQUERY_H */
