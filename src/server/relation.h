/*-------------------------------------------------------------------------
 *
 * relation.h
 *	  Tables: opening them, naming them independently of search_path, and
 *	  acting as their owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_RELATION_H
#define DTMODEL_RELATION_H

#include "compat.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* The current user and security context. */
typedef struct DtCaller
{
	Oid			user;
	int			context;
} DtCaller;

extern Relation dtmodel_try_open(Oid relid, LOCKMODE lockmode);
extern Relation dtmodel_open(Oid relid, LOCKMODE lockmode);
pg_noreturn extern void dtmodel_report_missing_table(Oid relid);
extern DtCaller dtmodel_act_as_owner(Relation rel);
extern DtCaller dtmodel_act_as_root_owner(Relation rel);
extern void dtmodel_act_as(const DtCaller *caller);
extern void dtmodel_check_sees_all(Relation rel, const char *why,
								   const char *function);
extern TriggerDesc *dtmodel_triggers(Relation rel);
extern const char *dtmodel_only(Relation rel);
extern char *dtmodel_qualified_name(Relation rel);
extern char *dtmodel_qualified_name_of(Oid relid);
extern Oid	dtmodel_owner_of(Oid relid);
extern bool dtmodel_is_btree(Oid index);
extern Oid	dtmodel_root_of(Relation rel);
extern Oid	dtmodel_whole_of(Oid relid);
extern const char *dtmodel_shown_constraint(Oid relid, const char *name);
extern const char *dtmodel_shown_name(Relation rel);
extern char *dtmodel_quoted_name(Relation rel);

#endif							/* DTMODEL_RELATION_H */
