/*-------------------------------------------------------------------------
 *
 * distributed.h
 *	  What functions refuse to do with tables that Citus distributes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DISTRIBUTED_H
#define DTMODEL_DISTRIBUTED_H

#include "access/attnum.h"
#include "utils/rel.h"

extern bool dtmodel_is_distributed(Relation rel);
extern void dtmodel_check_not_shard(Relation rel);
extern void dtmodel_check_not_distributed(Relation rel, const char *function,
										  const char *why, const char *hint);
extern void dtmodel_check_has_distribution_column(Relation rel,
												  const char *function,
												  int ncolumns,
												  const AttrNumber *columns);

#endif							/* DTMODEL_DISTRIBUTED_H */
