/*-------------------------------------------------------------------------
 *
 * read.h
 *	  What a call of get_all lists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_READ_H
#define DTMODEL_READ_H

#include "model/row_call.h"

/* The arguments of get_all. */
enum
{
	DT_LIST_MODEL,
	DT_LIST_LIMIT,
	DT_LIST_OFFSET,
	DT_LIST_AFTER,
	DT_LIST_INCLUDE_DELETED,
	DT_LIST_ARGUMENTS
};

/* The first parameters of the query: limit and offset. */
#define DT_LIST_PAGE 2

/* The id to begin after, of any type. */
typedef struct DtListAfter
{
	Datum		id;
	Oid			type;
} DtListAfter;

/*
 * The plan of the query, the table's key, and the values for the other
 * parameters of the plan: the key to begin after, if there is one.
 */
typedef struct DtList
{
	SPIPlanPtr	plan;
	DtKey		key;
	DtKeyValues after;
	int			nafter;			/* 0 or the number of the key's columns */
} DtList;

extern DtList dtmodel_list(Relation rel, bool include_deleted,
						   const DtListAfter *after);

#endif							/* DTMODEL_READ_H */
