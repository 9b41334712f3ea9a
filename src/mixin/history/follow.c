/*-------------------------------------------------------------------------
 *
 * follow.c
 *	  Carrying changes of a model's definition over to its history.
 *
 * The history of a model has its columns, by name, and those that it had
 * before; its name, schema, and what its functions show depend on the model
 * too.  As far as possible both are simply compared.  What the catalogs do not
 * tell any more once the command is done is in a DtSchemaChange.
 *
 * Everything is done as the user who runs the command, and needs the same
 * privileges; an error undoes the whole command.  A history that is not in
 * order is left alone: the next change of a row reports it, and so does
 * "drift".
 *
 * A column that the history inherits follows with the history that it comes
 * from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "mixin/history/arguments.h"
#include "mixin/history/as_of.h"
#include "mixin/history/follow.h"
#include "mixin/history/partition.h"
#include "mixin/history/policy.h"
#include "mixin/history/setup.h"
#include "mixin/history/table.h"
#include "mixin/timestamps/mixin.h"
#include "model/inheritance.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "server/event.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/* A model and its history, which is as the triggers of the model say. */
typedef struct Follower
{
	Relation	model;
	DtHistory	history;
	Oid			table;
	Oid			as_of;			/* InvalidOid: the user has dropped it */
} Follower;

/* The schema where the history still is. */
static Oid
schema_of_history(Relation model, const DtSchemaChange *change)
{
	return OidIsValid(change->old_schema) ? change->old_schema :
		RelationGetNamespace(model);
}

/* False if the table has no history, or one that is out of order. */
static bool
find_history(Follower *follower, const DtSchemaChange *change)
{
	Relation	model = follower->model;
	const DtHistory *history = dtmodel_history_of(dtmodel_get_model(model));
	Oid			schema = schema_of_history(model, change);

	if (history == NULL || model->rd_rel->relispartition)
		return false;
	follower->history = dtmodel_copy_history(history);
	follower->table = dtmodel_owned_history(RelationGetRelid(model),
											NameStr(follower->history.table),
											schema);
	follower->as_of = dtmodel_owned_as_of(RelationGetRelid(model),
										  NameStr(follower->history.as_of),
										  schema);
	return OidIsValid(follower->table);
}

/* The command has locked the table. */
static bool
open_follower(Follower *follower, Oid model, const DtSchemaChange *change)
{
	follower->model = try_relation_open(model, AccessShareLock);
	if (follower->model == NULL)
		return false;
	if ((follower->model->rd_rel->relkind == RELKIND_RELATION ||
		 follower->model->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		find_history(follower, change))
		return true;
	relation_close(follower->model, NoLock);
	return false;
}

static void
close_follower(Follower *follower)
{
	relation_close(follower->model, NoLock);
}

static bool
is_named(const Follower *follower, const DtSchemaChange *change)
{
	return RelationGetRelid(follower->model) == change->table;
}

/* Whether the history has a column of its own by that name. */
static bool
has_own_column(Oid table, const char *name)
{
	HeapTuple	tuple = SearchSysCacheAttName(table, name);
	bool		own;

	if (!HeapTupleIsValid(tuple))
		return false;
	own = ((Form_pg_attribute) GETSTRUCT(tuple))->attinhcount == 0;
	ReleaseSysCache(tuple);
	return own;
}

static bool
has_column(Oid table, const char *name)
{
	return get_attnum(table, name) != InvalidAttrNumber;
}

static void
report_time(Relation model, const DtColumn *updated_at)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table \"%s\" must remain of type timestamptz, with microsecond precision",
					NameStr(updated_at->name), RelationGetRelationName(model)),
			 errdetail("In a history, a version begins with this time, and ends when the next one begins."),
			 errhint("Call %s.remove_history(%s) first, which keeps the past.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(model)),
			 errtablecol(model, updated_at->attnum)));
}

/* Versions cannot be told apart by any other time. */
static void
check_time(const Follower *follower, const DtSchemaChange *change)
{
	const DtTimestamps *timestamps =
		dtmodel_timestamps_of(dtmodel_get_model(follower->model));
	ListCell   *cell;

	foreach(cell, change->retyped)
	{
		if (timestamps != NULL &&
			namestrcmp((Name) &timestamps->updated_at.name,
					   lfirst_node(AlterTableCmd, cell)->name) == 0 &&
			!dtmodel_is_history_time(&timestamps->updated_at))
			report_time(follower->model, &timestamps->updated_at);
	}
}

/*
 * Columns of the past that no longer have one in the model
 */

/*
 * The error of a command on the history says where it comes from.  A position
 * would be one in what the user has written for the model.
 */
static void
add_context(void *name)
{
	errposition(0);
	errcontext("change of history table \"%s\", which follows its model",
			   (const char *) name);
}

/* The history that the column comes from: only there can it be renamed. */
static Oid
origin_of(Oid table, const char *column)
{
	ListCell   *cell;

	foreach(cell, dtmodel_parents(table))
	{
		if (has_column(lfirst_oid(cell), column))
			return origin_of(lfirst_oid(cell), column);
	}
	return table;
}

/*
 * The past of a column that was dropped must not become that of another one
 * with its name.
 */
static void
move_away(const Follower *follower, const char *name)
{
	Oid			table;
	char	   *chosen;

	if (dtmodel_is_excluded(&follower->history, name) || !has_column(follower->table, name))
		return;
	table = origin_of(follower->table, name);
	chosen = dtmodel_free_history_column(RelationGetRelid(follower->model),
										 table, name);
	dtmodel_run_command(psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s",
								 dtmodel_qualified_name_of(table), quote_identifier(name),
								 quote_identifier(chosen)));
	ereport(NOTICE,
			(errmsg("column \"%s\" of table \"%s\" is now named \"%s\"",
					name, get_rel_name(table), chosen),
			 errdetail("It holds the past of a column that table \"%s\" no longer has.",
					   RelationGetRelationName(follower->model))));
}

/* Whether the command has added the column, here or to a parent. */
static bool
is_new(Form_pg_attribute att, const DtSchemaChange *change)
{
	ListCell   *cell;

	foreach(cell, change->added)
	{
		const ObjectAddress *added = lfirst(cell);

		if (added->objectId == att->attrelid)
		{
			if (added->objectSubId == att->attnum)
				return true;
		}
		else if (att->attinhcount == 1 && !att->attislocal &&
				 namestrcmp(&att->attname,
							get_attname(added->objectId, added->objectSubId, false)) == 0)
			return true;
	}
	return false;
}

static bool
is_renamed(const Follower *follower, const DtSchemaChange *change)
{
	Oid			model = RelationGetRelid(follower->model);

	return change->old_column != NULL && has_column(model, change->new_column) &&
		!has_column(model, change->old_column);
}

/*
 * Refuses what a history cannot follow, and gives other names to columns of the
 * past that stand in the way of those that the command has added or renamed.
 * To be called for the tables that inherit from a model before it is called for
 * the model.
 */
void
dtmodel_prepare_to_follow(Oid model, const DtSchemaChange *change)
{
	Follower	follower;
	TupleDesc	desc;

	if (!open_follower(&follower, model, change))
		return;
	dtmodel_check_history_names(follower.model);
	check_time(&follower, change);
	desc = RelationGetDescr(follower.model);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && is_new(att, change))
			move_away(&follower, NameStr(att->attname));
	}
	if (is_renamed(&follower, change) &&
		!dtmodel_is_excluded(&follower.history, change->old_column))
		move_away(&follower, change->new_column);
	close_follower(&follower);
}

/*
 * The columns of the model
 */

static void
follow_rename_column(const Follower *follower, const DtSchemaChange *change)
{
	if (is_renamed(follower, change) &&
		!dtmodel_is_excluded(&follower->history, change->old_column) &&
		has_own_column(follower->table, change->old_column))
		dtmodel_run_command(psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s",
									 dtmodel_qualified_name_of(follower->table),
									 quote_identifier(change->old_column),
									 quote_identifier(change->new_column)));
}

/* The names in "exclude" are those of the model; false if none has changed. */
static bool
follow_excluded(Follower *follower, const DtSchemaChange *change)
{
	DtHistory  *history = &follower->history;
	bool		renamed = is_renamed(follower, change);
	bool		changed = false;
	int			count = 0;

	for (int i = 0; i < history->nexcluded; i++)
	{
		NameData	name = history->excluded[i].name;

		if (renamed && namestrcmp(&name, change->old_column) == 0)
			namestrcpy(&name, change->new_column);
		changed |= namestrcmp(&name, NameStr(history->excluded[i].name)) != 0;
		if (has_column(RelationGetRelid(follower->model), NameStr(name)))
			history->excluded[count++].name = name;
	}
	changed |= count < history->nexcluded;
	history->nexcluded = count;
	return changed;
}

/*
 * A USING expression may say "users.name", but here the table has another
 * name.
 */
static bool
remove_qualifiers(Node *node, void *table_name)
{
	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef))
	{
		ColumnRef  *ref = (ColumnRef *) node;
		int			count = list_length(ref->fields);

		if (count >= 2 && IsA(llast(ref->fields), String) &&
			strcmp(strVal(list_nth(ref->fields, count - 2)), table_name) == 0)
			ref->fields = list_make1(llast(ref->fields));
		return false;
	}
	return raw_expression_tree_walker(node, remove_qualifiers, table_name);
}

/* The commands that change types of columns of this history. */
static List *
type_commands(const Follower *follower, const DtSchemaChange *change)
{
	List	   *commands = NIL;
	ListCell   *cell;

	foreach(cell, change->retyped)
	{
		AlterTableCmd *command = copyObject(lfirst_node(AlterTableCmd, cell));

		if (dtmodel_is_excluded(&follower->history, command->name) ||
			!has_column(RelationGetRelid(follower->model), command->name) ||
			!has_own_column(follower->table, command->name))
			continue;
		(void) remove_qualifiers(castNode(ColumnDef, command->def)->raw_default,
								 RelationGetRelationName(follower->model));
		commands = lappend(commands, command);
	}
	return commands;
}

/* All together, since an expression means the values before the command. */
static void
follow_types(const Follower *follower, const DtSchemaChange *change)
{
	List	   *commands = type_commands(follower, change);
	AlterTableStmt *statement;

	if (commands == NIL)
		return;
	statement = makeNode(AlterTableStmt);
	statement->relation =
		makeRangeVar(get_namespace_name(get_rel_namespace(follower->table)),
					 get_rel_name(follower->table), -1);
	statement->cmds = commands;
	statement->objtype = OBJECT_TABLE;
	dtmodel_run_node((Node *) statement);
}

/*
 * What the command has given to all rows in a column that it has added, as SQL.
 * NULL if that is null, or not the same in all of them.
 */
static const char *
added_value(const Follower *follower, Form_pg_attribute att,
			const DtSchemaChange *change)
{
	Node	   *value;

	if (!is_new(att, change) || att->attgenerated != '\0' ||
		att->attidentity != '\0')
		return NULL;
	value = build_column_default(follower->model, att->attnum);
	return value == NULL || contain_volatile_functions(value) ? NULL :
		deparse_expression(value, NIL, false, false);
}

static void
add_column(const Follower *follower, Form_pg_attribute att, const char *value)
{
	char	   *table = dtmodel_qualified_name_of(follower->table);

	dtmodel_run_command(psprintf("ALTER TABLE %s ADD COLUMN %s%s%s", table,
								 dtmodel_history_column(att),
								 value == NULL ? "" : " DEFAULT ",
								 value == NULL ? "" : value));
	if (value != NULL)
		dtmodel_run_command(psprintf("ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT",
									 table, quote_identifier(NameStr(att->attname))));
}

/*
 * The current row has the default of a new column from its updated_at on, which
 * was before.  The versions before it get it too: else the change between the
 * two would seem to have set it.
 */
static void
follow_new_columns(const Follower *follower, const DtSchemaChange *change)
{
	TupleDesc	desc = RelationGetDescr(follower->model);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (dtmodel_has_past(follower->model, &follower->history, att->attnum) &&
			!has_column(follower->table, NameStr(att->attname)))
			add_column(follower, att, added_value(follower, att, change));
	}
}

/*
 * Versions are found by the key, in the order of their ends.  A session that
 * restores a dump gets the index from it: pg_restore -j may add the key after
 * the triggers of the model and before that index, which would find its name
 * taken.  Dumps of all kinds turn check_function_bodies off.
 */
static void
follow_key(const Follower *follower, const DtSchemaChange *change)
{
	if (change->changes_key && check_function_bodies &&
		dtmodel_lacks_history_index(follower->model, &follower->history,
									follower->table))
		dtmodel_run_command(dtmodel_history_index(follower->model,
												  dtmodel_qualified_name_of(follower->table)));
}

/*
 * The table, and the function
 */

static void
report_kept_name(const Follower *follower, const char *kind, const char *name,
				 const char *new_name)
{
	ereport(NOTICE,
			(errmsg("%s \"%s\" keeps its name", kind, name),
			 errdetail("The name \"%s\" is taken.", new_name),
			 errtable(follower->model)));
}

static bool
is_free_for_as_of(const char *name, Oid schema)
{
	Oid			type = TIMESTAMPTZOID;

	return !SearchSysCacheExists3(PROCNAMEARGSNSP, CStringGetDatum(name),
								  PointerGetDatum(buildoidvector(&type, 1)),
								  ObjectIdGetDatum(schema));
}

/* A name that follows from that of the model, and has not been changed. */
static char *
follow_name(const Follower *follower, const DtSchemaChange *change,
			const char *name, const char *suffix)
{
	if (strcmp(name, makeObjectName(change->old_name, suffix, NULL)) != 0)
		return NULL;
	return makeObjectName(RelationGetRelationName(follower->model), suffix, NULL);
}

static void
rename_to(Oid table, const char *name)
{
	dtmodel_run_command(psprintf("ALTER TABLE %s RENAME TO %s",
								 dtmodel_qualified_name_of(table),
								 quote_identifier(name)));
}

/* A partition whose name follows from that of the history. */
static void
rename_partition(const Follower *follower, Oid partition, const char *old_name)
{
	char	   *name = get_rel_name(partition);
	const char *label = dtmodel_partition_label(name);
	char	   *new_name;

	if (strcmp(name, makeObjectName(old_name, label, NULL)) != 0)
		return;
	new_name = makeObjectName(NameStr(follower->history.table), label, NULL);
	if (strcmp(new_name, name) == 0)
		return;
	if (dtmodel_is_free_for_table(new_name, get_rel_namespace(partition)))
		rename_to(partition, new_name);
	else
		report_kept_name(follower, "table", name, new_name);
}

static void
rename_partitions(const Follower *follower, List *tables, const char *old_name)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (lfirst_oid(cell) != follower->table)
			rename_partition(follower, lfirst_oid(cell), old_name);
	}
}

static bool
rename_table(Follower *follower, const DtSchemaChange *change)
{
	Name		name = &follower->history.table;
	char	   *new_name = follow_name(follower, change, NameStr(*name), "history");
	char	   *old_name = pstrdup(NameStr(*name));
	List	   *tables;

	if (new_name == NULL || strcmp(new_name, NameStr(*name)) == 0)
		return false;
	if (!dtmodel_is_free_for_table(new_name, get_rel_namespace(follower->table)))
	{
		report_kept_name(follower, "table", NameStr(*name), new_name);
		return false;
	}
	tables = dtmodel_history_tables(follower->table, AccessExclusiveLock);
	rename_to(follower->table, new_name);
	namestrcpy(name, new_name);
	rename_partitions(follower, tables, old_name);
	return true;
}

static char *
as_of_call(const Follower *follower, Oid schema)
{
	return psprintf("%s(pg_catalog.timestamptz)",
					quote_qualified_identifier(get_namespace_name(schema),
											   NameStr(follower->history.as_of)));
}

static bool
rename_as_of(Follower *follower, const DtSchemaChange *change)
{
	Name		name = &follower->history.as_of;
	Oid			schema = RelationGetNamespace(follower->model);
	char	   *new_name = follow_name(follower, change, NameStr(*name), "as_of");

	if (new_name == NULL || strcmp(new_name, NameStr(*name)) == 0 ||
		!OidIsValid(follower->as_of))
		return false;
	if (!is_free_for_as_of(new_name, schema))
	{
		report_kept_name(follower, "function", NameStr(*name), new_name);
		return false;
	}
	dtmodel_run_command(psprintf("ALTER FUNCTION %s RENAME TO %s",
								 as_of_call(follower, schema), quote_identifier(new_name)));
	namestrcpy(name, new_name);
	return true;
}

/* False if nothing has another name now. */
static bool
follow_rename(Follower *follower, const DtSchemaChange *change)
{
	bool		renamed;

	if (change->old_name == NULL)
		return false;
	renamed = rename_table(follower, change);
	renamed |= rename_as_of(follower, change);
	return renamed;
}

static void
follow_schema(const Follower *follower, const DtSchemaChange *change)
{
	const char *schema;
	ListCell   *cell;

	if (!OidIsValid(change->old_schema))
		return;
	schema = quote_identifier(get_namespace_name(RelationGetNamespace(follower->model)));
	foreach(cell, dtmodel_history_tables(follower->table, AccessExclusiveLock))
	{
		if (get_rel_namespace(lfirst_oid(cell)) == change->old_schema)
			dtmodel_run_command(psprintf("ALTER TABLE %s SET SCHEMA %s",
										 dtmodel_qualified_name_of(lfirst_oid(cell)), schema));
	}
	if (OidIsValid(follower->as_of))
		dtmodel_run_command(psprintf("ALTER FUNCTION %s SET SCHEMA %s",
									 as_of_call(follower, change->old_schema), schema));
}

/* No role sees more of the past than of the present. */
static void
follow_row_security(const Follower *follower, const DtSchemaChange *change)
{
	Form_pg_class form = follower->model->rd_rel;
	ListCell   *cell;

	if (!change->secures_rows || !is_named(follower, change))
		return;
	foreach(cell, dtmodel_history_tables(follower->table, AccessExclusiveLock))
	{
		const char *name = dtmodel_qualified_name_of(lfirst_oid(cell));

		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			continue;
		if (form->relrowsecurity)
			dtmodel_run_command(psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", name));
		if (form->relforcerowsecurity)
			dtmodel_run_command(psprintf("ALTER TABLE %s FORCE ROW LEVEL SECURITY", name));
	}
}

/* A past that a crash would empty must not be that of a table that stays. */
static void
follow_persistence(const Follower *follower, const DtSchemaChange *change)
{
	ListCell   *cell;

	if (!change->is_made_permanent || !is_named(follower, change))
		return;
	foreach(cell, dtmodel_history_tables(follower->table, AccessExclusiveLock))
	{
		if (get_rel_persistence(lfirst_oid(cell)) == RELPERSISTENCE_UNLOGGED)
			dtmodel_run_command(psprintf("ALTER TABLE %s SET LOGGED",
										 dtmodel_qualified_name_of(lfirst_oid(cell))));
	}
}

/*
 * Inheritance
 */

/* The histories of the tables that the model inherits from. */
static List *
parents_histories(const Follower *follower)
{
	List	   *histories = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_parents(RelationGetRelid(follower->model)))
	{
		DtHistoryNames *names = dtmodel_history_names(lfirst_oid(cell));
		Oid			table = names == NULL ? InvalidOid :
			dtmodel_named_history(names);

		if (OidIsValid(table))
			histories = lappend_oid(histories, table);
	}
	return histories;
}

/* Columns of the past that the parent once had, but the model did not. */
static void
add_columns_of(Oid parent, Oid table)
{
	Relation	rel = relation_open(parent, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !has_column(table, NameStr(att->attname)))
			dtmodel_run_command(psprintf("ALTER TABLE %s ADD COLUMN %s",
										 dtmodel_qualified_name_of(table), dtmodel_history_column(att)));
	}
	relation_close(rel, NoLock);
}

static void
change_parents(Oid table, List *parents, const char *action)
{
	ListCell   *cell;

	foreach(cell, parents)
		dtmodel_run_command(psprintf("ALTER TABLE %s %s %s", dtmodel_qualified_name_of(table), action,
									 dtmodel_qualified_name_of(lfirst_oid(cell))));
}

/* The past of a model is a part of its parent's, as its rows are. */
static void
follow_parents(const Follower *follower, const DtSchemaChange *change)
{
	List	   *wanted;
	List	   *present;
	ListCell   *cell;

	if (!change->changes_parents || !is_named(follower, change))
		return;
	wanted = parents_histories(follower);
	present = dtmodel_parents(follower->table);
	change_parents(follower->table, list_difference_oid(present, wanted),
				   "NO INHERIT");
	wanted = list_difference_oid(wanted, present);
	foreach(cell, wanted)
		add_columns_of(lfirst_oid(cell), follower->table);
	change_parents(follower->table, wanted, "INHERIT");
}

/*
 * The function's text.  It is replaced in place: CREATE OR REPLACE would ask
 * for a privilege on the schema, which the command does not need, and forget
 * what the user has changed of the function.
 */
static void
set_as_of_text(Oid function, const char *text)
{
	Relation	catalog = table_open(ProcedureRelationId, RowExclusiveLock);
	HeapTuple	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(function));
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {0};
	bool		replace[Natts_pg_proc] = {0};

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	values[Anum_pg_proc_prosrc - 1] = CStringGetTextDatum(text);
	replace[Anum_pg_proc_prosrc - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls,
							  replace);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
}

static const char *
as_of_text_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Datum		body;
	bool		isnull;
	char	   *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	result = TextDatumGetCString(body);
	ReleaseSysCache(tuple);
	return result;
}

/* Without its updated_at the model does not work until it has one again. */
static void
rewrite_as_of(const Follower *follower)
{
	const DtTimestamps *timestamps =
		dtmodel_timestamps_of(dtmodel_get_model(follower->model));
	char	   *text;

	if (!OidIsValid(follower->as_of) || timestamps == NULL ||
		!AttributeNumberIsValid(timestamps->updated_at.attnum))
		return;
	text = dtmodel_as_of_text(follower->model, &follower->history);

	if (strcmp(text, as_of_text_of(follower->as_of)) != 0)
		set_as_of_text(follower->as_of, text);
}

/* For what changes nothing else, such as the name of the schema. */
void
dtmodel_rewrite_as_of(Oid model)
{
	DtSchemaChange none = {0};
	Follower	follower;

	if (!open_follower(&follower, model, &none))
		return;
	rewrite_as_of(&follower);
	close_follower(&follower);
}

static void
follow_all(Follower *follower, const DtSchemaChange *change)
{
	bool		changed;

	follow_schema(follower, change);
	changed = follow_rename(follower, change);
	follow_rename_column(follower, change);
	changed |= follow_excluded(follower, change);
	if (changed)
		dtmodel_set_history_arguments(follower->model, &follower->history);
	follow_types(follower, change);
	follow_new_columns(follower, change);
	follow_key(follower, change);
	follow_row_security(follower, change);
	follow_persistence(follower, change);
	follow_parents(follower, change);
	rewrite_as_of(follower);
}

static void
follow_policies(Follower *follower, const DtSchemaChange *change)
{
	dtmodel_copy_policies(RelationGetRelid(follower->model), &follower->history,
						  follower->table, change->policy);
}

/* Errors of the commands on the history say where they come from. */
static void
follow_with_context(Oid model, const DtSchemaChange *change,
					void (*follow) (Follower *, const DtSchemaChange *))
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = add_context,
	};
	Follower	follower;

	if (!open_follower(&follower, model, change))
		return;
	callback.arg = get_rel_name(follower.table);
	error_context_stack = &callback;
	follow(&follower, change);
	error_context_stack = callback.previous;
	close_follower(&follower);
}

/*
 * Does to the history of a table, if it has one, what the command has done to
 * the table.  To be called for a model before it is called for the tables that
 * inherit from it.
 */
void
dtmodel_follow_in_history(Oid model, const DtSchemaChange *change)
{
	follow_with_context(model, change, follow_all);
}

/*
 * Applies the policies of the model to its past, after this one has changed;
 * InvalidOid: any of them may have.
 */
void
dtmodel_follow_policies(Oid model, Oid policy)
{
	DtSchemaChange change = {.policy = policy};

	follow_with_context(model, &change, follow_policies);
}
