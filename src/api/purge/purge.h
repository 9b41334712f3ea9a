/*-------------------------------------------------------------------------
 *
 * purge.h
 *	  Deleting for good: what the procedure and its batches share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PURGE_H
#define DTMODEL_PURGE_H

#include "fmgr.h"
#include "model/model.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

/* Rows that are counted together, for a NOTICE at the end. */
typedef struct DtTally
{
	char	   *table;
	char	   *constraint;		/* NULL: rows that went; else rows it holds */
	uint64		rows;
} DtTally;

typedef struct DtPurge
{
	Oid			model;
	char	   *table;			/* its name, for messages */
	TimestampTz cutoff;			/* deleted before that */
	int			batch_size;
	bool		dry_run;
	MemoryContext context;		/* lasts over commits */
	HTAB	   *known;			/* rows that need not be looked at again */
	uint64		total;
	uint64		looked_at;
	uint64		done;
	uint64		held;
	List	   *tallies;
	TimestampTz started;
	TimestampTz told;
} DtPurge;

/* Rows of one table, by their places. */
typedef struct DtPlaceSet
{
	Oid			relid;
	int			count;
	int			space;
	ItemPointerData *places;
} DtPlaceSet;

/* What purge has in common with other procedures that go in batches. */
extern void dtmodel_check_batch_size(int batch_size);
extern void dtmodel_check_may_commit(FunctionCallInfo fcinfo,
									 const char *procedure, const char *hint);

extern HTAB *dtmodel_make_known_rows(MemoryContext context);
extern char *dtmodel_old_text(const DtSoftDelete *columns, const char *alias);
extern List *dtmodel_returned_rows(int column);
extern void dtmodel_purge_rows(DtPurge *purge, const DtPlaceSet *set);

#endif							/* DTMODEL_PURGE_H */
