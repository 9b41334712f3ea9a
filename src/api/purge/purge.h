/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Deleting for good: declarations for the procedure and its batches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PURGE_H
#define DTMODEL_PURGE_H

#include "mixin/soft_delete/mixin.h"
#include "model/foreign_key.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

/* A count of rows, for a NOTICE at the end. */
typedef struct DtRowCount
{
	char	   *table;
	char	   *constraint;		/* NULL: purged rows; else rows held by it */
	uint64		rows;
} DtRowCount;

typedef struct DtPurge
{
	Oid			model;
	char	   *table;			/* its name, for messages */
	TimestampTz cutoff;			/* rows that were deleted before that time are
								 * purged */
	int			batch_size;
	bool		dry_run;
	MemoryContext context;		/* for memory that lasts over commits */
	HTAB	   *checked;		/* rows that need not be checked again */
	uint64		total;
	uint64		looked_at;
	uint64		done;
	uint64		held;
	List	   *row_counts;
	TimestampTz started;
	TimestampTz reported_at;
} DtPurge;

/* Rows of one table, by their places (ctid). */
typedef struct DtPlaceSet
{
	Oid			relid;
	int			count;
	int			space;
	ItemPointerData *places;
} DtPlaceSet;

/* A foreign key that references the rows to be purged. */
typedef struct DtPurgeReference
{
	DtForeignKey *key;
	bool		soft;			/* the child is a soft-delete model */
	DtSoftDelete columns;		/* of the child, if it is */
	char	   *child;			/* its name in FROM */
	DtRowCount *count;			/* the rows that are held by it */
} DtPurgeReference;

/* purge.c: also for purge_history() */
extern DtPurge dtmodel_begin_purge(FunctionCallInfo fcinfo,
								   const char *procedure, const char *all);
extern void dtmodel_check_may_purge(Relation rel, const char *action);
extern void dtmodel_count_purge_list(DtPurge *purge, Portal list);
extern void dtmodel_report_purge(DtPurge *purge, bool at_end);

/* rows.c */
extern HTAB *dtmodel_make_checked_rows(MemoryContext context);
extern void dtmodel_purge_rows(DtPurge *purge, const DtPlaceSet *set);

/* set.c */
extern void dtmodel_add_place(DtPlaceSet *set, ItemPointer place);
extern Datum dtmodel_places_array(const DtPlaceSet *set);
extern DtPlaceSet *dtmodel_set_of_table(List **sets, Oid relid);
extern List *dtmodel_returned_rows(int column);

/* query.c: the queries of a purge */
extern char *dtmodel_expired_text(const DtSoftDelete *columns, const char *alias);
extern DtPlaceSet *dtmodel_lock_rows(const DtPurge *purge, const DtPlaceSet *set);
extern void dtmodel_query_holders(const DtPurge *purge, Relation rel,
								  const DtPlaceSet *set,
								  const DtPurgeReference *reference);
extern void dtmodel_query_children(const DtPurge *purge, Relation rel,
								   const DtPlaceSet *set,
								   const DtPurgeReference *reference);

#endif							/* DTMODEL_PURGE_H */
