/*-------------------------------------------------------------------------
 *
 * size.c
 *	  How large a table is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "optimizer/plancat.h"
#include "server/size.h"
#include "storage/bufmgr.h"

/* Reading a table up to this size takes some milliseconds. */
#define LARGE_TABLE_BYTES (8 * 1024 * 1024)

/* About how many rows a table has; the planner overestimates small ones. */
double
dtmodel_estimate_rows(Relation rel)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(rel);
	BlockNumber pages;
	double		tuples;
	double		visible;

	estimate_rel_size(rel, NULL, &pages, &tuples, &visible);
	return pages > blocks ? tuples * blocks / pages : tuples;
}

static void
count_table(DtTableSize *size, Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return;
	size->rows += dtmodel_estimate_rows(rel);
	size->bytes += (int64) RelationGetNumberOfBlocks(rel) * BLCKSZ;
}

/*
 * The size of a table with its partitions and those that inherit from it, as
 * far as they are here.
 */
DtTableSize
dtmodel_table_size(Relation rel)
{
	DtTableSize size = {0};
	ListCell   *cell;

	foreach(cell, find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL))
	{
		Relation	part = relation_open(lfirst_oid(cell), NoLock);

		count_table(&size, part);
		relation_close(part, NoLock);
	}
	return size;
}

/* Whether other sessions would notice that the table is read. */
bool
dtmodel_is_large(Relation rel)
{
	return dtmodel_table_size(rel).bytes > LARGE_TABLE_BYTES;
}
