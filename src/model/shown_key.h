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
typedef struct DtOwnerContext
{
	DtCaller	caller;
	Relation	rel;
	ErrorContextCallback callback;
} DtOwnerContext;

extern bool dtmodel_may_show(Relation rel, int ncolumns,
							 const AttrNumber *columns);
extern char *dtmodel_shown_key(Relation rel, int ncolumns,
							   const AttrNumber *columns, HeapTuple row);
extern char *dtmodel_shown_values(HeapTuple row, TupleDesc desc, int ncolumns,
								  const AttrNumber *columns);

extern void dtmodel_enter_owner_context(DtOwnerContext *owner, Relation rel);
extern void dtmodel_leave_owner_context(DtOwnerContext *owner);

#endif							/* DTMODEL_SHOWN_KEY_H */
