/*-------------------------------------------------------------------------
 *
 * sharded.h
 *	  Statements on tables that Citus keeps in shards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_SHARDED_H
#define DTMODEL_SOFT_DELETE_SHARDED_H

#include "mixin/soft_delete/target.h"
#include "nodes/parsenodes.h"

extern bool dtmodel_reads_system_columns(Query *query, const DtSoftTarget *target);
extern void dtmodel_select_live(Query *query, DtSoftTarget *target);
extern void dtmodel_rewrite_for_shards(Query *query);
extern void dtmodel_check_written_view(const Query *query);
extern bool dtmodel_rewrite_on_shard(Query *query, const char *text,
									 Const **kept);

#endif							/* DTMODEL_SOFT_DELETE_SHARDED_H */
