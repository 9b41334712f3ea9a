/*-------------------------------------------------------------------------
 *
 * shown_key.h
 *	  Values of rows in errors, if the caller may read them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SHOWN_KEY_H
#define DTMODEL_SHOWN_KEY_H

#include "access/htup.h"
#include "server/relation.h"

/* Writing a table as its owner, with errors that the caller may see. */
typedef struct DtOwnersWork
{
	DtCaller	caller;
	Relation	rel;
	ErrorContextCallback callback;
} DtOwnersWork;

extern bool dtmodel_may_show(Relation rel, int ncolumns,
							 const AttrNumber *columns);
extern char *dtmodel_shown_key(Relation rel, int ncolumns,
							   const AttrNumber *columns, HeapTuple row);
extern char *dtmodel_shown_values(HeapTuple row, TupleDesc desc, int ncolumns,
								  const AttrNumber *columns);

extern void dtmodel_begin_owners_work(DtOwnersWork *work, Relation rel);
extern void dtmodel_end_owners_work(DtOwnersWork *work);

#endif							/* DTMODEL_SHOWN_KEY_H */
