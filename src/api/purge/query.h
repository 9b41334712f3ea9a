/*-------------------------------------------------------------------------
 *
 * query.h
 *	  What a purge asks of tables, and the sets of rows that it asks about.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PURGE_QUERY_H
#define DTMODEL_PURGE_QUERY_H

#include "api/purge/purge.h"
#include "model/foreign_key.h"

/* A foreign key that references the rows in question. */
typedef struct DtReference
{
	DtForeignKey *key;
	bool		soft;			/* the child is a soft-delete model */
	DtSoftDelete columns;		/* of the child, if it is */
	char	   *child;			/* its name in a FROM */
	DtTally    *tally;			/* the rows that it holds */
} DtReference;

/* set.c */
extern void dtmodel_add_place(DtPlaceSet *set, ItemPointer place);
extern Datum dtmodel_places_array(const DtPlaceSet *set);
extern DtPlaceSet *dtmodel_set_of_table(List **sets, Oid relid);

/* query.c */
extern DtPlaceSet *dtmodel_lock_rows(const DtPurge *purge, const DtPlaceSet *set);
extern void dtmodel_query_holders(const DtPurge *purge, Relation rel,
								  const DtPlaceSet *set,
								  const DtReference *reference);
extern void dtmodel_query_children(const DtPurge *purge, Relation rel,
								   const DtPlaceSet *set,
								   const DtReference *reference);

#endif							/* DTMODEL_PURGE_QUERY_H */
