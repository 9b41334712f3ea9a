/*-------------------------------------------------------------------------
 *
 * citus.h
 *	  What a table is to Citus, if the database has that extension.
 *
 * Citus spreads a table over several servers.  On every server that knows the
 * table there is an empty shell of it, with its name, triggers and policies:
 * this is what statements name, and what Citus plans.  The rows are in shards,
 * tables of their own whose names end with a number, and which have the same
 * triggers.
 *
 * None of it is needed to build or to load this library: the catalogs of Citus
 * say it, and a database without them costs one look-up in a cache of the
 * server for each table that is read into the cache of models.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CITUS_H
#define DTMODEL_CITUS_H

#include "utils/rel.h"

typedef enum DtCitusKind
{
	DT_CITUS_NONE,				/* Citus does not know the table */
	DT_CITUS_DISTRIBUTED,		/* by a column, over many shards */
	DT_CITUS_REFERENCE,			/* one shard, with a copy on every server */
	DT_CITUS_SINGLE_SHARD,		/* one shard, on one server */
	DT_CITUS_LOCAL,				/* one shard, on the coordinator */
	DT_CITUS_SHARD				/* a shard of one of these */
} DtCitusKind;

typedef struct DtCitus
{
	DtCitusKind kind;
	bool		may_become_shard;	/* DT_CITUS_NONE, and its name ends as
									 * those of shards do */
	AttrNumber	distribution_column;	/* of DT_CITUS_DISTRIBUTED */
	int32		colocation;		/* tables with equal numbers have the rows
								 * with equal distribution columns on the same
								 * server */
	Oid			table;			/* of DT_CITUS_SHARD: the shell of its table,
								 * for messages */
} DtCitus;

extern bool dtmodel_has_citus(void);
extern bool dtmodel_is_citus_backend(void);
extern DtCitus dtmodel_citus_of(Relation rel);

/* Whether the rows of the table are in shards: it is an empty shell here. */
static inline bool
dtmodel_is_shell(const DtCitus *citus)
{
	return citus->kind != DT_CITUS_NONE && citus->kind != DT_CITUS_SHARD;
}

static inline bool
dtmodel_is_shard(const DtCitus *citus)
{
	return citus->kind == DT_CITUS_SHARD;
}

#endif							/* DTMODEL_CITUS_H */
