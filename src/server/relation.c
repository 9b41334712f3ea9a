/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Tables: opening them, naming them independently of search_path, and
 *	  acting as their owner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/partition.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "server/citus.h"
#include "server/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

/* The table's qualified name, for use in any query with any search_path. */
char *
dtmodel_qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/* The same for a table that is not open. */
char *
dtmodel_qualified_name_of(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/* The table that Citus has divided, if this is one of its shards. */
static Oid
whole_of(Relation rel)
{
	DtCitus		citus = dtmodel_citus_of(rel);

	return dtmodel_is_shard(&citus) ? citus.table : RelationGetRelid(rel);
}

/* The same for a table that is locked, but perhaps not open. */
Oid
dtmodel_whole_of(Oid relid)
{
	Relation	rel = relation_open(relid, NoLock);
	Oid			whole = whole_of(rel);

	relation_close(rel, NoLock);
	return whole;
}

/*
 * The name of the table for messages: the users of a distributed table do not
 * know its shards.
 */
const char *
dtmodel_shown_name(Relation rel)
{
	const char *name = get_rel_name(whole_of(rel));

	return name != NULL ? name : RelationGetRelationName(rel);
}

/*
 * The name of a constraint of the table for messages: on a shard it ends with
 * the number of the shard.
 */
const char *
dtmodel_shown_constraint(Oid relid, const char *name)
{
	const char *suffix = strrchr(get_rel_name(relid), '_');
	size_t		length = suffix == NULL ? 0 : strlen(suffix);
	size_t		rest = strlen(name) - Min(length, strlen(name));

	if (length == 0 || strcmp(name + rest, suffix) != 0 ||
		dtmodel_whole_of(relid) == relid)
		return name;
	return pnstrdup(name, rest);
}

/* InvalidOid if there is no such table any more. */
Oid
dtmodel_owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/*
 * Whether the index is a btree.  It need not be locked: a lock on its table
 * keeps it from being dropped.
 */
bool
dtmodel_is_btree(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool		is_btree;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", index);
	is_btree = ((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;
	ReleaseSysCache(tuple);
	return is_btree;
}

/*
 * The topmost partitioned table.  The table itself if it is not a partition,
 * or will not be one any more when its DETACH CONCURRENTLY has finished.
 */
Oid
dtmodel_root_of(Relation rel)
{
	List	   *ancestors = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;

	return ancestors == NIL ? RelationGetRelid(rel) : llast_oid(ancestors);
}

/*
 * The name as a literal, for a hint that calls a function on the table.  For
 * a partition, the name of its partitioned table, for which it must be
 * called, and for a shard that of its table.
 */
char *
dtmodel_quoted_name(Relation rel)
{
	Oid			root = dtmodel_root_of(rel);

	return quote_literal_cstr(dtmodel_qualified_name_of(root == RelationGetRelid(rel) ?
														whole_of(rel) : root));
}

/*
 * "ONLY " where only the table's own rows are meant: a foreign key does not
 * cover the tables that inherit from its table, but it does cover partitions.
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

/* Refuses relations that cannot be models. */
static void
check_relkind(Relation rel)
{
	char		relkind = rel->rd_rel->relkind;

	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
			 errdetail("It is %s, but a model must be a table.",
					   relkind_name(relkind)),
			 relkind == RELKIND_VIEW || relkind == RELKIND_FOREIGN_TABLE ?
			 errhint("Name the table that holds the rows.") : 0));
}

/*
 * Opens a table, or what may be one.  NULL if it does not exist any more, as
 * may happen if its oid was read from the catalogs; an error (42809) if it is
 * not a table.
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

/*
 * Opens a table that the user named; an error if it does not exist any more.
 */
Relation
dtmodel_open(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = dtmodel_try_open(relid, lockmode);

	if (rel == NULL)
		dtmodel_report_missing_table(relid);
	return rel;
}

/*
 * A copy of the table's triggers, NULL for none.  The relcache's own may be
 * freed while a caller reads the catalogs, since an invalidation, such as
 * VACUUM's, makes it read them again.
 */
TriggerDesc *
dtmodel_triggers(Relation rel)
{
	return CopyTriggerDesc(rel->trigdesc);
}

static DtCaller
act_as_role(Oid role)
{
	DtCaller	caller;

	GetUserIdAndSecContext(&caller.user, &caller.context);
	SetUserIdAndSecContext(role,
						   caller.context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	return caller;
}

/*
 * Switches to the owner of the table, with its row-level security not forced,
 * as the server's own foreign keys do.  An error switches back; otherwise
 * dtmodel_act_as() does, with the result of this function.
 */
DtCaller
dtmodel_act_as_owner(Relation rel)
{
	return act_as_role(rel->rd_rel->relowner);
}

/*
 * The same for a table that may be a partition: its triggers and constraints
 * may be those of its partitioned table, whose owner must not make the owner of
 * the partition run them.
 */
DtCaller
dtmodel_act_as_root_owner(Relation rel)
{
	return act_as_role(dtmodel_owner_of(dtmodel_root_of(rel)));
}

void
dtmodel_act_as(const DtCaller *caller)
{
	SetUserIdAndSecContext(caller->user, caller->context);
}

/*
 * Checks that no policy hides rows of the table from the caller of the
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
			 errhint("Call %s.%s as a role to which the policies do not apply.",
					 DTMODEL_SCHEMA, function),
			 errtable(rel)));
}
