/*-------------------------------------------------------------------------
 *
 * live.h
 *	  "The row is live" and "the row is deleted", in every form.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_LIVE_H
#define DTMODEL_SOFT_DELETE_LIVE_H

#include "access/htup.h"
#include "mixin/soft_delete/mixin.h"
#include "nodes/nodes.h"

/* For a row in memory. */
extern bool dtmodel_is_deleted(const DtSoftDelete *columns, HeapTuple row,
							   TupleDesc desc);
extern bool dtmodel_was_deleted(const DtSoftDelete *columns, const DtRow *row);
extern bool dtmodel_becomes_deleted(const DtSoftDelete *columns,
									const DtRow *row);

/* As a node, for the planner. */
extern Node *dtmodel_live_node(const DtSoftDelete *columns, int rtindex);

/* As SQL; the alias may be NULL. */
extern char *dtmodel_live_text(const DtSoftDelete *columns, const char *alias);
extern char *dtmodel_live_lookup_text(Relation rel, const DtSoftDelete *columns,
									  const char *alias);
extern char *dtmodel_deleted_text(const DtSoftDelete *columns,
								  const char *alias);
extern char *dtmodel_deleted_lookup_text(Relation rel,
										 const DtSoftDelete *columns,
										 const char *alias);
extern char *dtmodel_flagged_text(const DtSoftDelete *columns);
extern char *dtmodel_timed_text(const DtSoftDelete *columns);
extern char *dtmodel_mark_assignments(const DtSoftDelete *columns,
									  const char *time);
extern char *dtmodel_restore_assignments(const DtSoftDelete *columns);

/* The name of the CHECK that flag and time agree: ck_<table>_<this>. */
#define DT_SOFT_DELETE_CHECK "soft_delete"

extern const char *dtmodel_find_soft_delete_check(Relation rel, const DtColumn *flag,
												  const DtColumn *deleted_at);

/* As the condition of a view. */
extern bool dtmodel_implies_live(Relation rel, const Node *condition,
								 int rtindex, const DtSoftDelete *columns);

/* As the predicate of an index. */
extern bool dtmodel_has_index_predicate(Relation index);
extern bool dtmodel_is_of_live_rows(Relation rel, Relation index,
									const DtSoftDelete *columns);
extern bool dtmodel_counts_deleted_rows(Relation rel, Relation index,
										const DtSoftDelete *columns);

#endif							/* DTMODEL_SOFT_DELETE_LIVE_H */
