/*-------------------------------------------------------------------------
 *
 * foreign_key.c
 *	  The foreign keys from and to a table, conditions on them as SQL that
 *	  does not depend on search_path, and whether the parent of a row exists.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "model/foreign_key.h"
#include "server/collation.h"
#include "server/plan_cache.h"
#include "server/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

static DtForeignKey *
read_key(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	DtForeignKey *key = palloc0(sizeof(DtForeignKey));
	Form_pg_constraint form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	key->constraint = constraint;
	key->name = form->conname;
	key->child = form->conrelid;
	key->parent = form->confrelid;
	key->on_delete = form->confdeltype;
	key->origin = form->conparentid;
	key->index = form->conindid;
	compat_deconstruct_foreign_key(tuple, &key->ncolumns, key->child_columns,
								   key->parent_columns, key->equality,
								   key->child_equality);
	ReleaseSysCache(tuple);
	return key;
}

/*
 * The foreign keys that reference the table.  pg_constraint has no index to
 * find them by, but each key has triggers on this table.  On a partition they
 * are those of keys that reference its partitioned table.
 */
List *
dtmodel_keys_to(Relation parent)
{
	TriggerDesc *triggers = dtmodel_triggers(parent);
	List	   *keys = NIL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_DELETE(trigger->tgtype) &&
			RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK)
			keys = lappend(keys, read_key(trigger->tgconstraint));
	}
	return keys;
}

/*
 * Whether the key only repeats another key of the same table: for a key that
 * references a partitioned table the server adds one for each of its
 * partitions, and a row has its parent in only one of them.
 */
static bool
is_repeated(const DtForeignKey *key, List *constraints)
{
	return OidIsValid(key->origin) && list_member_oid(constraints, key->origin);
}

/*
 * The foreign keys by which the table references others.  Keys that are not
 * enforced are left out: deleting a parent does not affect the child.
 */
List *
dtmodel_keys_from(Relation child)
{
	List	   *constraints = NIL;
	List	   *keys = NIL;
	ListCell   *cell;

	/*
	 * The relcache's list may be freed while we read: collect the oids first.
	 */
	foreach(cell, RelationGetFKeyList(child))
	{
		const ForeignKeyCacheInfo *key = lfirst_node(ForeignKeyCacheInfo, cell);

		if (compat_is_enforced(key))
			constraints = lappend_oid(constraints, key->conoid);
	}
	foreach(cell, constraints)
	{
		DtForeignKey *key = read_key(lfirst_oid(cell));

		if (!is_repeated(key, constraints))
			keys = lappend(keys, key);
	}
	return keys;
}

static SPIPlanPtr
parent_plan(const DtForeignKey *key, Relation parent)
{
	DtPlan		plan = dtmodel_find_plan(key->constraint, DT_PLAN_PARENT_EXISTS,
										 NULL);
	Oid			types[INDEX_MAX_KEYS];

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT FROM %s%s WHERE ",
					 dtmodel_only(parent), dtmodel_qualified_name(parent));
	dtmodel_append_parent_key(&plan.query, key, NULL);
	for (int i = 0; i < key->ncolumns; i++)
		types[i] = get_atttype(key->child, key->child_columns[i]);
	return dtmodel_save_plan(&plan, key->ncolumns, types);
}

/* Whether the row references a parent through this key that does not exist. */
static bool
reference_dangles(const DtForeignKey *key, Relation rel, HeapTuple row)
{
	Datum		values[INDEX_MAX_KEYS];
	Relation	parent;
	DtCaller	caller;
	bool		dangles;

	for (int i = 0; i < key->ncolumns; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->child_columns[i],
								 RelationGetDescr(rel), &isnull);
		if (isnull)
			return false;
	}

	parent = table_open(key->parent, AccessShareLock);
	SPI_connect();
	caller = dtmodel_act_as_owner(parent);
	dtmodel_run_plan_in_trigger(parent_plan(key, parent), values, 1);
	dtmodel_act_as(&caller);
	dangles = (SPI_processed == 0);
	SPI_finish();
	table_close(parent, AccessShareLock);
	return dangles;
}

/* The key that was declared, from which those of partitions were made. */
static const DtForeignKey *
declared_key(const DtForeignKey *key)
{
	while (OidIsValid(key->origin))
		key = read_key(key->origin);
	return key;
}

/*
 * Whether a parent that the row references with ON DELETE CASCADE no longer
 * exists.
 *
 * A physical DELETE of a parent reaches its children through the server's own
 * cascade.  Such a child must be deleted physically too, or its reference
 * would dangle.  But a trigger may run any other DELETE inside that cascade,
 * and that DELETE stays soft.  They are distinguished by the row itself, and
 * by the current user: a cascade runs as the owner of the child.
 */
bool
dtmodel_parent_is_gone(Relation rel, HeapTuple row)
{
	ListCell   *cell;

	foreach(cell, dtmodel_keys_from(rel))
	{
		const DtForeignKey *key = lfirst(cell);

		if (key->on_delete == FKCONSTR_ACTION_CASCADE &&
			dtmodel_owner_of(declared_key(key)->child) == GetUserId() &&
			reference_dangles(key, rel, row))
			return true;
	}
	return false;
}

/* Adds the key to an error, as the server's own foreign keys do. */
int
dtmodel_errforeignkey(const DtForeignKey *key)
{
	char	   *schema = get_namespace_name(get_rel_namespace(key->child));

	if (schema != NULL)
		err_generic_string(PG_DIAG_SCHEMA_NAME, schema);
	err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(key->child));
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, NameStr(key->name));
}

/*
 * Whether the key references periods of time.  Then its parent is not a
 * single row, and its index is not a btree.
 */
bool
dtmodel_is_temporal(const DtForeignKey *key)
{
	return !dtmodel_is_btree(key->index);
}

/*
 * The name with which the key was declared: the server generates those of
 * partitions.
 */
char *
dtmodel_declared_name(const DtForeignKey *key)
{
	return pstrdup(NameStr(declared_key(key)->name));
}

static char *
column_text(const char *alias, Oid relid, AttrNumber attnum)
{
	const char *name = quote_identifier(get_attname(relid, attnum, false));

	return alias == NULL ? pstrdup(name) : psprintf("%s.%s", alias, name);
}

static Oid
column_collation(Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	return collation;
}

/*
 * Appends "parent = child" for one column of the key.  The foreign key
 * compares under the collation of the parent's column.  If the child's column
 * has another one, the collation must be named; a parameter has none of its
 * own, so there it is only named where the child's column would be compared
 * under its own and equality depends on that.
 */
static void
append_comparison(StringInfo query, const DtForeignKey *key, int column,
				  const char *parent, const char *child, bool both_are_columns)
{
	AttrNumber	parent_column = key->parent_columns[column];
	AttrNumber	child_column = key->child_columns[column];
	Oid			collation = column_collation(key->parent, parent_column);

	if (column > 0)
		appendStringInfoString(query, " AND ");
	generate_operator_clause(query, parent,
							 get_atttype(key->parent, parent_column),
							 key->equality[column], child,
							 get_atttype(key->child, child_column));
	if (OidIsValid(collation) &&
		collation != column_collation(key->child, child_column) &&
		(both_are_columns || !get_collation_isdeterministic(collation)))
		appendStringInfo(query, " COLLATE %s", dtmodel_collation_name(collation));
}

/*
 * Appends "parent.key = $1 AND ...": the parent of a child whose key is in
 * the parameters.  Aliases may be NULL, here and below.
 */
void
dtmodel_append_parent_key(StringInfo query, const DtForeignKey *key,
						  const char *parent)
{
	for (int i = 0; i < key->ncolumns; i++)
		append_comparison(query, key, i,
						  column_text(parent, key->parent, key->parent_columns[i]),
						  psprintf("$%d", i + 1), false);
}

/*
 * Appends "$1 = child.key AND ...": the children of a parent whose key is in
 * the parameters.
 */
void
dtmodel_append_child_key(StringInfo query, const DtForeignKey *key,
						 const char *child)
{
	for (int i = 0; i < key->ncolumns; i++)
		append_comparison(query, key, i, psprintf("$%d", i + 1),
						  column_text(child, key->child, key->child_columns[i]),
						  false);
}

/* Appends "parent.key = child.key AND ...". */
void
dtmodel_append_reference(StringInfo query, const DtForeignKey *key,
						 const char *parent, const char *child)
{
	for (int i = 0; i < key->ncolumns; i++)
		append_comparison(query, key, i,
						  column_text(parent, key->parent, key->parent_columns[i]),
						  column_text(child, key->child, key->child_columns[i]),
						  true);
}

/*
 * Appends "child = other child" for one column of the key: whether two rows
 * of the child have the same parent, as far as this column is concerned.
 */
void
dtmodel_append_same_parent(StringInfo query, const DtForeignKey *key,
						   int column, const char *child,
						   const char *other_child)
{
	AttrNumber	attnum = key->child_columns[column];
	Oid			type = get_atttype(key->child, attnum);
	Oid			collation = column_collation(key->parent,
											 key->parent_columns[column]);

	generate_operator_clause(query, column_text(child, key->child, attnum), type,
							 key->child_equality[column],
							 column_text(other_child, key->child, attnum), type);
	if (OidIsValid(collation) && collation != column_collation(key->child, attnum))
		appendStringInfo(query, " COLLATE %s", dtmodel_collation_name(collation));
}
