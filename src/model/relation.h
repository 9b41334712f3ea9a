/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  Tables: opened, and named so that no search_path matters.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RELATION_H
#define DTMODEL_RELATION_H

#include "compat.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

extern Relation dtmodel_try_open(Oid relid, LOCKMODE lockmode);
extern Relation dtmodel_open(Oid relid, LOCKMODE lockmode);
pg_noreturn extern void dtmodel_report_missing_table(Oid relid);
extern char *dtmodel_qualified_name(Relation rel);
extern char *dtmodel_quoted_name(Relation rel);

#endif							/* DTMODEL_RELATION_H */
