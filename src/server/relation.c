/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Tables: opened, named so that no search_path matters, and who acts on them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "server/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

/* The table's name as it can stand in any query, whatever the search_path. */
char *
dtmodel_qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/*
 * The partitioned table above all others.  The table itself if it is no
 * partition, or not one any more as soon as its DETACH CONCURRENTLY is
 * finished.
 */
Oid
dtmodel_root_of(Relation rel)
{
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;

	return ancestors == NIL ? RelationGetRelid(rel) : llast_oid(ancestors);
}

/*
 * The name as a literal, for a hint that calls a function on the table.  For a
 * partition that is to be called for its partitioned table.
 */
char *
dtmodel_quoted_name(Relation rel)
{
	Oid			root = dtmodel_root_of(rel);
	char	   *schema = get_namespace_name(get_rel_namespace(root));

	return quote_literal_cstr(quote_qualified_identifier(schema,
														 get_rel_name(root)));
}

/*
 * What stands before the table's name where its own rows are meant: a foreign
 * key does not reach the tables that inherit from it, but partitions it does.
 */
const char *
dtmodel_only(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ";
}

static const char *
relkind_name(char relkind)
{
	switch (relkind)
	{
		case RELKIND_VIEW:
			return "a view";
		case RELKIND_MATVIEW:
			return "a materialized view";
		case RELKIND_FOREIGN_TABLE:
			return "a foreign table";
		case RELKIND_SEQUENCE:
			return "a sequence";
		case RELKIND_COMPOSITE_TYPE:
			return "a composite type";
		default:
			return "an index";
	}
}

/* Refuses what can hold no rows of its own. */
static void
check_relkind(Relation rel)
{
	char		relkind = rel->rd_rel->relkind;

	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
			 errdetail("It is %s, and a model is a table.",
					   relkind_name(relkind)),
			 relkind == RELKIND_VIEW || relkind == RELKIND_FOREIGN_TABLE ?
			 errhint("Name the table that holds the rows.") : 0));
}

/*
 * Opens a table, or what may be one.  NULL when it is gone, as may happen to
 * one whose oid was read from the catalogues; an error (42809) when it is no
 * table.
 */
Relation
dtmodel_try_open(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = try_relation_open(relid, lockmode);

	if (rel != NULL)
		check_relkind(rel);
	return rel;
}

void
dtmodel_report_missing_table(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation with OID %u does not exist", relid)));
}

/* Opens a table that somebody named; it is an error when it is gone. */
Relation
dtmodel_open(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = dtmodel_try_open(relid, lockmode);

	if (rel == NULL)
		dtmodel_report_missing_table(relid);
	return rel;
}

/*
 * A copy of the table's triggers, NULL for none.  Whoever asks the catalogues
 * about one may find the relcache's own gone, since an invalidation, such as
 * VACUUM's, makes it read them again.
 */
TriggerDesc *
dtmodel_triggers(Relation rel)
{
	return CopyTriggerDesc(rel->trigdesc);
}

/*
 * Goes on as the owner of the table, with its row-level security not forced,
 * as the server's own foreign keys do.  An error ends that too; otherwise
 * dtmodel_act_as() does, given what this returns.
 */
DtCaller
dtmodel_act_as_owner(Relation rel)
{
	DtCaller	caller;

	GetUserIdAndSecContext(&caller.user, &caller.context);
	SetUserIdAndSecContext(rel->rd_rel->relowner,
						   caller.context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	return caller;
}

void
dtmodel_act_as(const DtCaller *caller)
{
	SetUserIdAndSecContext(caller->user, caller->context);
}

/*
 * Makes sure that no policy hides rows of the table from whoever calls the
 * function, which must see all of them; "why" is a sentence.
 */
void
dtmodel_check_sees_all(Relation rel, const char *why, const char *function)
{
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, true) != RLS_ENABLED)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("row-level security hides rows of table \"%s\" from role \"%s\"",
					RelationGetRelationName(rel),
					GetUserNameFromId(GetUserId(), false)),
			 errdetail("%s", why),
			 errhint("Call %s.%s as a role that the policies do not apply to.",
					 DTMODEL_SCHEMA, function),
			 errtable(rel)));
}
