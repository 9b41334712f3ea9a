/*-------------------------------------------------------------------------
 *
 * constraint.c
 *	  The names of constraints and indexes.
 *
 * CREATE TABLE (LIKE ... INCLUDING ALL) copies a CHECK with the name that it
 * has in the template, and names a primary key by the rules of the server. On
 * a model they are renamed to the names that add_* would give them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "model/constraint.h"
#include "model/distributed.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The maximum number of digits at the end of a name. */
#define MAX_DIGITS 9

/* The prefix of a CHECK's name in a template. */
#define TEMPLATE_PREFIX "ck_"

/* The name that a CHECK of a mixin has: ck_<table>_<name>. */
char *
dtmodel_check_name(Relation rel, const char *name)
{
	return makeObjectName("ck", RelationGetRelationName(rel), name);
}

/*
 * Refuses a name that the table has given to another constraint.  A mixin
 * finds its own ones by their names, so they cannot have others.
 */
void
dtmodel_check_free_name(const DtChange *change, const char *name)
{
	Relation	rel = change->rel;

	if (!OidIsValid(get_relation_constraint_oid(RelationGetRelid(rel), name, true)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("constraint \"%s\" of table \"%s\" already exists", name,
					RelationGetRelationName(rel)),
			 errdetail("It is not the one that this call would add under that name."),
			 errhint("Use ALTER TABLE %s RENAME CONSTRAINT %s TO ... first.",
					 change->table, quote_identifier(name)),
			 errtableconstraint(rel, name)));
}

/*
 * A free name for an index or a constraint that has one: "name1_name2",
 * truncated to the length of a name, with a number if the schema has another
 * relation of that name than "former", or a constraint.
 */
char *
dtmodel_choose_name(Oid schema, const char *name1, const char *name2, Oid former)
{
	char	   *name = makeObjectName(name1, name2, NULL);

	for (int i = 1;; i++)
	{
		Oid			holder = get_relname_relid(name, schema);

		if (OidIsValid(holder) ? holder == former :
			!ConstraintNameExists(name, schema))
			return name;
		name = makeObjectName(name1, name2, psprintf("%d", i));
	}
}

/*
 * Whether dtmodel_choose_name() may have made the name, with a number or
 * without.
 */
bool
dtmodel_is_chosen_name(const char *name, const char *name1, const char *name2)
{
	const char *number = strrchr(name, '_');
	size_t		length = number == NULL ? 0 : strlen(++number);

	if (strcmp(name, makeObjectName(name1, name2, NULL)) == 0)
		return true;
	/* With more digits there would be no room for the names. */
	if (length == 0 || length > MAX_DIGITS ||
		strspn(number, "0123456789") != length)
		return false;
	return strcmp(name, makeObjectName(name1, name2, number)) == 0;
}

/*
 * The number of tables from which the constraint is inherited; -1 if the
 * table has no such constraint.
 */
static int
parents_of(Oid relid, const char *name)
{
	Oid			constraint = get_relation_constraint_oid(relid, name, true);
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	int			parents;

	if (!HeapTupleIsValid(tuple))
		return -1;
	parents = ((Form_pg_constraint) GETSTRUCT(tuple))->coninhcount;
	ReleaseSysCache(tuple);
	return parents;
}

/*
 * Whether the server can rename the constraint.  It renames it on the tables
 * that inherit it too, but refuses if one of them also inherits it from
 * elsewhere.  Citus renames none on the tables that it distributes.
 */
static bool
can_rename(const DtChange *change, const char *name, const char *new_name)
{
	List	   *counts;
	List	   *tables = find_all_inheritors(RelationGetRelid(change->rel),
											 change->lockmode, &counts);
	ListCell   *table;
	ListCell   *count;

	if (dtmodel_is_distributed(change->rel))
		return false;
	forboth(table, tables, count, counts)
	{
		if (parents_of(lfirst_oid(table), name) > lfirst_int(count) ||
			parents_of(lfirst_oid(table), new_name) >= 0)
			return false;
	}
	return true;
}

/*
 * Renames a constraint, and with it its index, if any.  Does nothing if the
 * new name is in use, if the constraint is inherited, or if Citus distributes
 * the table.
 */
void
dtmodel_rename_constraint(DtChange *change, const char *name,
						  const char *new_name)
{
	if (strcmp(name, new_name) == 0 ||
		!can_rename(change, name, new_name))
		return;
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("renamed constraint \"%s\" to \"%s\"", name, new_name),
						  psprintf("ALTER TABLE %s RENAME CONSTRAINT %s TO %s",
								   change->table, quote_identifier(name),
								   quote_identifier(new_name)));
}

/* Renames a CHECK that still has the name of the template, ck_<name>. */
void
dtmodel_rename_template_check(DtChange *change, const char *check,
							  const char *name)
{
	if (strcmp(check, psprintf(TEMPLATE_PREFIX "%s", name)) == 0)
		dtmodel_rename_constraint(change, check,
								  dtmodel_check_name(change->rel, name));
}

/*
 * Renames a primary key that still has the name chosen by the server to
 * pk_<table>.  Its index has the same name, so no other relation may have it.
 */
void
dtmodel_rename_primary_key(DtChange *change, Oid constraint)
{
	const char *table = RelationGetRelationName(change->rel);
	char	   *name = get_constraint_name(constraint);
	char	   *new_name = makeObjectName("pk", table, NULL);

	if (name != NULL && strcmp(name, makeObjectName(table, NULL, "pkey")) == 0 &&
		!OidIsValid(get_relname_relid(new_name, RelationGetNamespace(change->rel))))
		dtmodel_rename_constraint(change, name, new_name);
}

/* The command that drops an index of the table or, if it has one, its constraint. */
char *
dtmodel_drop_index_text(Relation rel, Oid indexid)
{
	if (OidIsValid(get_index_constraint(indexid)))
		return psprintf("ALTER TABLE %s DROP CONSTRAINT %s",
						dtmodel_qualified_name(rel),
						quote_identifier(get_rel_name(indexid)));
	return psprintf("DROP INDEX %s", dtmodel_qualified_name_of(indexid));
}
