/*-------------------------------------------------------------------------
 *
 * hide.h
 *	  Hidden rows: queries on a model that asks for it see live rows only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_HIDE_H
#define DTMODEL_SOFT_DELETE_HIDE_H

#include "nodes/parsenodes.h"

extern bool dtmodel_hides_from(const char *query_string);
extern bool dtmodel_hides_from_policies(void);
extern Oid	dtmodel_copied_by_query(const CopyStmt *copy);
extern bool dtmodel_selects_conflict(const Query *query);
extern void dtmodel_hide_deleted(Query *query);

#endif							/* DTMODEL_SOFT_DELETE_HIDE_H */
