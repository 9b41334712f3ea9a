/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  Adding the history mixin to a table, and removing it.
 *
 * The past belongs to the user: removing the mixin keeps it, and adding the
 * mixin again continues it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/history/arguments.h"
#include "mixin/history/as_of.h"
#include "mixin/history/partition.h"
#include "mixin/history/setup.h"
#include "mixin/history/table.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/timestamps/mixin.h"
#include "model/inheritance.h"
#include "model/key.h"
#include "server/collation.h"
#include "server/relation.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(dtmodel_add_history);
PG_FUNCTION_INFO_V1(dtmodel_remove_history);

/* What add_history() asks for. */
typedef struct Request
{
	ArrayType  *exclude;		/* NULL: none */
	bool		by_month;		/* partitions */
} Request;

/* Whether the time that a version begins and ends with is exact. */
bool
dtmodel_is_history_time(const DtColumn *updated_at)
{
	return updated_at->typid == TIMESTAMPTZOID && dtmodel_is_precise(updated_at) &&
		updated_at->is_not_null;
}

/* The statement that makes it such a time. */
char *
dtmodel_history_time_statement(Relation rel, const DtColumn *updated_at)
{
	const char *name = quote_identifier(NameStr(updated_at->name));
	bool		has_type = updated_at->typid == TIMESTAMPTZOID &&
		dtmodel_is_precise(updated_at);
	StringInfoData statement;

	initStringInfo(&statement);
	appendStringInfo(&statement, "ALTER TABLE %s", dtmodel_qualified_name(rel));
	if (!has_type)
		appendStringInfo(&statement, " ALTER COLUMN %s TYPE timestamptz%s", name,
						 updated_at->typid != TIMESTAMPOID ? "" :
						 psprintf(" USING %s AT TIME ZONE 'UTC'", name));
	if (!updated_at->is_not_null)
		appendStringInfo(&statement, "%s ALTER COLUMN %s SET NOT NULL",
						 has_type ? "" : ",", name);
	return statement.data;
}

static void
check_time(Relation rel, const DtModel *model)
{
	const DtTimestamps *timestamps = dtmodel_timestamps_of(model);
	const DtColumn *updated_at = timestamps == NULL ? NULL :
		&timestamps->updated_at;

	if (updated_at == NULL || !dtmodel_column_is_used(updated_at))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no updated_at",
						RelationGetRelationName(rel)),
				 errdetail("In a history, a version begins with the time when its row was changed."),
				 errhint("Call %s.add_timestamps(%s) first.", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(rel)),
				 errtable(rel)));
	if (!dtmodel_is_history_time(updated_at))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of table \"%s\" must be of type timestamptz, with microsecond precision, and NOT NULL",
						NameStr(updated_at->name), RelationGetRelationName(rel)),
				 errdetail("In a history, a version begins with this time, and ends when the next one begins."),
				 errhint("Use %s.", dtmodel_history_time_statement(rel, updated_at)),
				 errtablecol(rel, updated_at->attnum)));
}

static void
check_is_no_history(Relation rel)
{
	if (!dtmodel_is_history_table(RelationGetRelid(rel)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("table \"%s\" is a history",
					RelationGetRelationName(rel)),
			 errdetail("The past is not changed, and has no past of its own."),
			 errtable(rel)));
}

static void
check_key(Relation rel, const DtModel *model)
{
	if (model->key.ncolumns > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no primary key",
					RelationGetRelationName(rel)),
			 errdetail("In a history, the key says which versions are of the same row."),
			 errhint("Use ALTER TABLE %s ADD PRIMARY KEY (...) first.",
					 dtmodel_qualified_name(rel)),
			 errtable(rel)));
}

/* The names that the history table needs for itself. */
void
dtmodel_check_history_names(Relation rel)
{
	for (int i = 0; i < DT_HISTORY_COLUMNS; i++)
	{
		DtColumn	column;

		dtmodel_find_column(RelationGetDescr(rel),
							dtmodel_history_columns[i].name, &column);
		if (AttributeNumberIsValid(column.attnum))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" of table \"%s\" has a name that the history needs",
							NameStr(column.name), RelationGetRelationName(rel)),
					 errhint("Rename the column."),
					 errtablecol(rel, column.attnum)));
	}
}

static bool
marks_deleted(const DtMixinColumn *column)
{
	return column->marks_deleted;
}

/* Whether versions cannot do without the column. */
static bool
is_needed(const DtModel *model, AttrNumber attnum)
{
	return dtmodel_is_in_key(&model->key, attnum) ||
		dtmodel_is_managed(model, attnum, marks_deleted) ||
		dtmodel_timestamps_of(model)->updated_at.attnum == attnum;
}

static void
check_excluded_column(Relation rel, const char *name)
{
	DtColumn	column;

	dtmodel_check_listed_column(rel, name, "exclude");
	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (is_needed(dtmodel_get_model(rel), column.attnum))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of table \"%s\" cannot be left out of the history",
						name, RelationGetRelationName(rel)),
				 errdetail("A history needs the primary key, updated_at and what marks a deleted row."),
				 errtablecol(rel, column.attnum)));
}

static void
check_excluded(Relation rel, ArrayType *array)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;

	if (array == NULL)
		return;
	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("exclude must not contain nulls")));
		check_excluded_column(rel, NameStr(*DatumGetName(names[i])));
	}
}

/* The history as it will be: with the names that it has, or new ones. */
static DtHistory
requested_history(Relation rel, ArrayType *exclude)
{
	const DtHistory *former = dtmodel_history_of(dtmodel_get_model(rel));
	const char *name = RelationGetRelationName(rel);
	DtHistory	history = {0};

	if (former != NULL)
		history = *former;
	else
	{
		namestrcpy(&history.table, makeObjectName(name, "history", NULL));
		namestrcpy(&history.as_of, makeObjectName(name, "as_of", NULL));
	}
	history.excluded =
		dtmodel_find_columns(RelationGetDescr(rel), exclude == NULL ? NULL :
							 OidOutputFunctionCall(F_ARRAY_OUT,
												   PointerGetDatum(exclude)),
							 &history.nexcluded);
	return history;
}

/* Adds a statement that does not change the model, and is not worth a NOTICE. */
static void
add_silently(DtChange *change, char *statement)
{
	dtmodel_add_statement(change, DT_VIEW_LOCK, NULL, statement);
}

static char *
schema_name(Relation rel)
{
	return get_namespace_name(RelationGetNamespace(rel));
}

static char *
table_name(Relation rel, const DtHistory *history)
{
	return quote_qualified_identifier(schema_name(rel), NameStr(history->table));
}

/* The column as the history table has it: nothing but its name and type. */
char *
dtmodel_history_column(Form_pg_attribute att)
{
	const char *type = dtmodel_history_type(att);

	if (!OidIsValid(att->attcollation) ||
		att->attcollation == get_typcollation(att->atttypid))
		return psprintf("%s %s", quote_identifier(NameStr(att->attname)), type);
	return psprintf("%s %s COLLATE %s", quote_identifier(NameStr(att->attname)),
					type, dtmodel_collation_name(att->attcollation));
}

/* The histories of the tables that the table inherits from. */
static List *
parent_histories(Relation rel)
{
	List	   *tables = NIL;
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return NIL;
	foreach(cell, dtmodel_parents(RelationGetRelid(rel)))
	{
		Relation	parent = relation_open(lfirst_oid(cell), AccessShareLock);
		const DtHistory *history = dtmodel_history_of(dtmodel_get_model(parent));

		if (history != NULL)
			tables = lappend_oid(tables,
								 dtmodel_find_history_table(parent, history));
		relation_close(parent, NoLock);
	}
	return tables;
}

static List *
table_names(const List *tables)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, tables)
		names = lappend(names,
						dtmodel_qualified_name_of(lfirst_oid(cell)));
	return names;
}

/* A parent may exclude a column that the table does not. */
static bool
is_inherited(const List *parents, const char *column)
{
	ListCell   *cell;

	foreach(cell, parents)
	{
		if (get_attnum(lfirst_oid(cell), column) != InvalidAttrNumber)
			return true;
	}
	return false;
}

static char *
joined(List *items)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, items)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "",
						 (const char *) lfirst(cell));
	return text.data;
}

static List *
own_names(void)
{
	List	   *names = NIL;

	for (int i = 0; i < DT_HISTORY_COLUMNS; i++)
		names = lappend(names, (char *) dtmodel_history_columns[i].name);
	return names;
}

static List *
all_definitions(Relation rel, const DtHistory *history, const List *parents)
{
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *definitions = NIL;

	for (int i = 0; parents == NIL && i < DT_HISTORY_COLUMNS; i++)
		definitions = lappend(definitions,
							  psprintf("%s %s", dtmodel_history_columns[i].name,
									   dtmodel_history_columns[i].definition));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (dtmodel_has_past(rel, history, att->attnum) &&
			!is_inherited(parents, NameStr(att->attname)))
			definitions = lappend(definitions, dtmodel_history_column(att));
	}
	return definitions;
}

/* For CREATE TABLE: what a crash or the end of the session empties. */
const char *
dtmodel_history_persistence(Relation model)
{
	switch (model->rd_rel->relpersistence)
	{
		case RELPERSISTENCE_TEMP:
			return "TEMPORARY ";
		case RELPERSISTENCE_UNLOGGED:
			return "UNLOGGED ";
		default:
			return "";
	}
}

/*
 * The statement for the index of a history: the versions of a row are found by
 * its key, in the order of their ends.
 */
char *
dtmodel_history_index(Relation rel, const char *table)
{
	DtKey		key = dtmodel_key_if_any(rel);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < key.ncolumns; i++)
		appendStringInfo(&columns, "%s, ",
						 quote_identifier(NameStr(key.columns[i].name)));
	return psprintf("CREATE INDEX ON %s (%s%s)", table, columns.data,
					dtmodel_history_columns[DT_VALID_TO].name);
}

/* Whether the index begins with the columns of the key, in any order. */
static bool
begins_with_key(const FormData_pg_index *index, Oid table, const DtKey *key)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		AttrNumber	attnum = get_attnum(table, NameStr(key->columns[i].name));
		bool		found = false;

		for (int j = 0; j < key->ncolumns; j++)
			found |= index->indkey.values[j] == attnum;
		if (!AttributeNumberIsValid(attnum) || !found)
			return false;
	}
	return true;
}

/* The lock on the history keeps its indexes, which other sessions may have locked. */
static bool
finds_versions(Oid indexid, Oid table, const DtKey *key)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	AttrNumber	valid_to = get_attnum(table,
									  dtmodel_history_columns[DT_VALID_TO].name);
	Form_pg_index form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", indexid);
	form = (Form_pg_index) GETSTRUCT(tuple);
	result = form->indisvalid && dtmodel_is_btree(indexid) &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
		form->indnkeyatts > key->ncolumns &&
		form->indkey.values[key->ncolumns] == valid_to &&
		begins_with_key(form, table, key);
	ReleaseSysCache(tuple);
	return result;
}

static bool
has_index(Oid table, const DtKey *key)
{
	Relation	rel = relation_open(table, AccessShareLock);
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
		found = found || finds_versions(lfirst_oid(cell), table, key);
	relation_close(rel, NoLock);
	return found;
}

/* The first column of the key that versions do not have; NULL for none. */
const char *
dtmodel_key_column_without_past(const DtKey *key, const DtHistory *history,
								Oid table)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		const char *name = NameStr(key->columns[i].name);

		if (dtmodel_is_excluded(history, name) ||
			get_attnum(table, name) == InvalidAttrNumber)
			return name;
	}
	return NULL;
}

/*
 * Whether the history can have that index, and does not.  A table may have got
 * another primary key.
 */
bool
dtmodel_lacks_history_index(Relation rel, const DtHistory *history, Oid table)
{
	DtKey		key = dtmodel_key_if_any(rel);

	return key.ncolumns > 0 &&
		dtmodel_key_column_without_past(&key, history, table) == NULL &&
		!has_index(table, &key);
}

static void
give_to_owner(DtChange *change, const char *kind, const char *object)
{
	Oid			owner = change->rel->rd_rel->relowner;

	if (owner != GetUserId())
		add_silently(change, psprintf("ALTER %s %s OWNER TO %s", kind,
									  object,
									  quote_identifier(GetUserNameFromId(owner, false))));
}

/*
 * A history inherits from those of the tables that its model inherits from,
 * which a partitioned table can neither do nor let others do.
 */
static void
check_does_not_inherit(Relation rel, List *parents)
{
	bool		has_children = rel->rd_rel->relkind == RELKIND_RELATION &&
		find_inheritance_children(RelationGetRelid(rel), NoLock) != NIL;

	if (parents == NIL && !has_children)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the history of table \"%s\" cannot be partitioned",
					RelationGetRelationName(rel)),
			 has_children ?
			 errdetail("Tables inherit from it, so their histories would have to inherit from a partitioned table.") :
			 errdetail("The table inherits from others, so its history has to inherit from theirs."),
			 errtable(rel)));
}

static void
check_may_inherit(Relation rel, List *parents)
{
	ListCell   *cell;

	foreach(cell, parents)
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_PARTITIONED_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("table \"%s\" cannot have a history",
							RelationGetRelationName(rel)),
					 errdetail("It would have to inherit from table \"%s\", which is partitioned.",
							   get_rel_name(lfirst_oid(cell))),
					 errtable(rel)));
	}
}

/* A partitioned table has no rows, which could be unlogged. */
static char *
create_statement(Relation rel, const DtHistory *history, const char *table,
				 List *parents, bool by_month)
{
	char	   *columns = joined(all_definitions(rel, history, parents));

	if (by_month)
		return psprintf("CREATE %sTABLE %s (%s) PARTITION BY RANGE (%s)",
						rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP ?
						"TEMPORARY " : "", table, columns,
						dtmodel_history_columns[DT_VALID_TO].name);
	return psprintf("CREATE %sTABLE %s (%s)%s", dtmodel_history_persistence(rel),
					table, columns, parents == NIL ? "" :
					psprintf(" INHERITS (%s)", joined(table_names(parents))));
}

static void
create_table(DtChange *change, const DtHistory *history, bool by_month)
{
	List	   *parents = parent_histories(change->rel);
	char	   *table = table_name(change->rel, history);

	if (by_month)
		check_does_not_inherit(change->rel, parents);
	else
		check_may_inherit(change->rel, parents);
	dtmodel_add_statement(change, DT_VIEW_LOCK,
						  psprintf("created table \"%s\"%s", NameStr(history->table),
								   by_month ? " with partitions" : ""),
						  create_statement(change->rel, history, table, parents,
										   by_month));
	add_silently(change, dtmodel_history_index(change->rel, table));

	/* Versions have no key, and a publication of all tables includes them. */
	add_silently(change, psprintf("ALTER TABLE %s REPLICA IDENTITY FULL", table));
	give_to_owner(change, "TABLE", table);
}

/* A column of the past that is not the one that the model has now. */
static void
move_away(DtChange *change, const DtHistory *history, Relation table,
		  const char *name)
{
	char	   *chosen = dtmodel_free_history_column(RelationGetRelid(change->rel),
													 RelationGetRelid(table), name);

	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("renamed column \"%s\" of table \"%s\" to \"%s\"",
								   name, NameStr(history->table), chosen),
						  psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s",
								   table_name(change->rel, history),
								   quote_identifier(name),
								   quote_identifier(chosen)));
}

static void
report_not_partitioned(Relation rel, Relation table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("history table \"%s\" of table \"%s\" is not partitioned",
					RelationGetRelationName(table),
					RelationGetRelationName(rel)),
			 errdetail("Only a history table that this call creates can be partitioned."),
			 errhint("Call %s.remove_history(%s), rename table \"%s\", call this function again, and insert its rows into the new table.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
					 RelationGetRelationName(table)),
			 errtable(table)));
}

/* Adds what a history table that exists already does not have. */
static void
add_missing_columns(DtChange *change, const DtHistory *history, bool by_month)
{
	Relation	table = dtmodel_open_history_table(change->rel, history,
												   change->lockmode);
	TupleDesc	desc = RelationGetDescr(change->rel);
	DtColumn	column;

	if (!dtmodel_is_history_table(RelationGetRelid(table)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists",
						RelationGetRelationName(table)),
				 errdetail("It is not a history: it lacks some of the columns %s.",
						   joined(own_names())),
				 errhint("Rename it."),
				 errtable(table)));
	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_check_partition_key(table);
	else if (by_month)
		report_not_partitioned(change->rel, table);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!dtmodel_has_past(change->rel, history, att->attnum))
			continue;
		dtmodel_find_column(RelationGetDescr(table), NameStr(att->attname), &column);
		if (AttributeNumberIsValid(column.attnum) && column.typid != att->atttypid)
			move_away(change, history, table, NameStr(att->attname));
		if (column.typid != att->atttypid)
			dtmodel_add_statement(change, AccessExclusiveLock,
								  psprintf("added column \"%s\" to table \"%s\"",
										   NameStr(att->attname),
										   NameStr(history->table)),
								  psprintf("ALTER TABLE %s ADD COLUMN %s",
										   table_name(change->rel, history),
										   dtmodel_history_column(att)));
	}
	relation_close(table, NoLock);
}

static void
add_missing_index(DtChange *change, const DtHistory *history)
{
	DtKey		key = dtmodel_key_if_any(change->rel);

	if (!has_index(dtmodel_find_history_table(change->rel, history), &key))
		dtmodel_add_statement(change, DT_TRIGGER_LOCK,
							  psprintf("created an index on table \"%s\"",
									   NameStr(history->table)),
							  dtmodel_history_index(change->rel,
													table_name(change->rel, history)));
}

/* The table whose history has this name, in the schema of the other one. */
static Oid
find_model_of(Relation rel, const DtHistory *history)
{
	ListCell   *cell;

	foreach(cell, dtmodel_all_histories())
	{
		const DtHistoryNames *names = lfirst(cell);

		if (strcmp(names->table, NameStr(history->table)) == 0 &&
			get_rel_namespace(names->model) == RelationGetNamespace(rel))
			return names->model;
	}
	return InvalidOid;
}

/*
 * Names that are too long are cut off, and a table can be renamed: another one
 * may have its history under this name.
 */
static void
check_is_own(Relation rel, const DtHistory *history)
{
	Oid			model = find_model_of(rel, history);

	if (OidIsValid(model) && model != RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_TABLE),
				 errmsg("relation \"%s\" already exists",
						NameStr(history->table)),
				 errdetail("It is the history of table \"%s\".",
						   get_rel_name(model)),
				 errhint("Rename one of the two tables."),
				 errtable(rel)));
}

static void
set_row_security(DtChange *change, const char *table, LOCKMODE lockmode,
				 const char *action)
{
	dtmodel_add_statement(change, lockmode, NULL,
						  psprintf("ALTER TABLE %s %s ROW LEVEL SECURITY", table,
								   action));
}

/*
 * No role sees more of the past than of the present.  "existing" is NULL for a
 * history that is being created.
 */
static void
secure_rows(DtChange *change, const char *table, Relation existing)
{
	LOCKMODE	lockmode = existing == NULL ? DT_VIEW_LOCK : AccessExclusiveLock;

	if (change->rel->rd_rel->relrowsecurity &&
		(existing == NULL || !existing->rd_rel->relrowsecurity))
		set_row_security(change, table, lockmode, "ENABLE");
	if (change->rel->rd_rel->relforcerowsecurity &&
		(existing == NULL || !existing->rd_rel->relforcerowsecurity))
		set_row_security(change, table, lockmode, "FORCE");
}

static void
secure_rows_of_all(DtChange *change, Oid table)
{
	ListCell   *cell;

	foreach(cell, dtmodel_history_tables(table, AccessShareLock))
	{
		Relation	existing = table_open(lfirst_oid(cell), NoLock);

		if (existing->rd_rel->relkind != RELKIND_FOREIGN_TABLE)
			secure_rows(change, dtmodel_qualified_name(existing), existing);
		table_close(existing, NoLock);
	}
}

static void
change_table(DtChange *change, const DtHistory *history, bool by_month)
{
	Oid			table;

	check_is_own(change->rel, history);
	table = dtmodel_find_history_table(change->rel, history);
	if (OidIsValid(table))
	{
		add_missing_columns(change, history, by_month);
		add_missing_index(change, history);
		secure_rows_of_all(change, table);
	}
	else
	{
		create_table(change, history, by_month);
		secure_rows(change, table_name(change->rel, history), NULL);
	}
}

/*
 * Whether a function may be replaced: it is that of the history, or one of ours
 * that was left without the extension, and of the model's owner.  Another role
 * could later make it do what it likes.
 */
static bool
is_replaceable(Relation rel, Oid function)
{
	return dtmodel_owner_of_as_of(function) == rel->rd_rel->relowner &&
		(dtmodel_history_of(dtmodel_get_model(rel)) != NULL ||
		 dtmodel_is_own_as_of(RelationGetRelid(rel), function));
}

static void
change_as_of(DtChange *change, const DtHistory *history)
{
	char	   *name = quote_qualified_identifier(schema_name(change->rel),
												  NameStr(history->as_of));
	Oid			former = dtmodel_find_as_of(change->rel, NameStr(history->as_of));

	if (OidIsValid(former) && !is_replaceable(change->rel, former))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_FUNCTION),
				 errmsg("function \"%s\" already exists with same argument types",
						NameStr(history->as_of)),
				 errdetail("It would show table \"%s\" as it was.",
						   RelationGetRelationName(change->rel)),
				 errhint("Rename it.")));
	add_silently(change, psprintf("CREATE OR REPLACE FUNCTION %s(at pg_catalog.timestamptz) "
								  "RETURNS SETOF %s LANGUAGE sql STABLE AS %s",
								  name, change->table,
								  quote_literal_cstr(dtmodel_as_of_text(change->rel, history))));
	give_to_owner(change, "FUNCTION", psprintf("%s(pg_catalog.timestamptz)", name));
}

static List *
trigger_options(const DtHistory *history)
{
	List	   *options = list_make2(psprintf("history=%s", NameStr(history->table)),
									 psprintf("as_of=%s", NameStr(history->as_of)));

	if (history->nexcluded > 0)
		options = lappend(options, psprintf("exclude=%s",
											dtmodel_excluded_literal(history)));
	return options;
}

/* Statement triggers are not cloned to partitions. */
static void
change_truncate_trigger(DtChange *change, Oid relid, bool drop)
{
	const DtTriggerType *type = &dtmodel_history_triggers[DT_HISTORY_TRUNCATE];
	Relation	rel = relation_open(relid, NoLock);
	const Trigger *trigger = dtmodel_find_trigger(rel, type);
	bool		is_sound = trigger != NULL && dtmodel_is_fired(trigger->tgenabled) &&
		dtmodel_has_usual_name(trigger, type);
	char	   *name = dtmodel_qualified_name(rel);

	if (trigger != NULL && (drop || !is_sound))
		dtmodel_add_statement(change, AccessExclusiveLock, NULL,
							  psprintf("DROP TRIGGER %s ON %s",
									   quote_identifier(trigger->tgname), name));
	if (!drop && !is_sound)
		dtmodel_add_statement(change, DT_TRIGGER_LOCK, NULL,
							  psprintf("CREATE TRIGGER %s BEFORE TRUNCATE ON %s "
									   "EXECUTE FUNCTION %s.%s()",
									   type->name, name, DTMODEL_INTERNAL_SCHEMA,
									   type->function));
	relation_close(rel, NoLock);
}

static void
change_truncate_triggers(DtChange *change, bool drop)
{
	Oid			relid = RelationGetRelid(change->rel);
	ListCell   *cell;

	if (change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
	{
		foreach(cell, find_all_inheritors(relid, change->lockmode, NULL))
			change_truncate_trigger(change, lfirst_oid(cell), drop);
	}
	else
		change_truncate_trigger(change, relid, drop);
}

static void
add_truncate_trigger(Oid relid)
{
	Relation	rel = relation_open(relid, NoLock);
	DtCaller	caller = dtmodel_act_as_owner(rel);
	DtChange	change;

	relation_close(rel, NoLock);
	dtmodel_begin_change(&change, relid, DT_TRIGGER_LOCK);
	change_truncate_trigger(&change, relid, false);
	dtmodel_apply_change_silently(&change);
	dtmodel_act_as(&caller);
}

/*
 * Adds the trigger to a new partition of a model, and to its own partitions,
 * each as its owner: the role that attaches a table need not own these.
 */
void
dtmodel_add_truncate_triggers(Oid partition)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(partition, DT_TRIGGER_LOCK, NULL))
	{
		if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_FOREIGN_TABLE)
			add_truncate_trigger(lfirst_oid(cell));
	}
}

static void
change_history(DtChange *change, const void *request)
{
	const Request *asked = request;
	DtHistory	history;

	dtmodel_check_no_partition(change->rel);
	dtmodel_check_can_have_history(change->rel);
	check_is_no_history(change->rel);
	check_time(change->rel, dtmodel_get_model(change->rel));
	check_key(change->rel, dtmodel_get_model(change->rel));
	dtmodel_check_history_names(change->rel);
	check_excluded(change->rel, asked->exclude);
	history = requested_history(change->rel, asked->exclude);
	change_table(change, &history, asked->by_month);
	change_as_of(change, &history);
	dtmodel_change_trigger(change, &dtmodel_history_triggers[DT_HISTORY],
						   "UPDATE OR DELETE", trigger_options(&history));
	if (change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_change_trigger(change, &dtmodel_history_triggers[DT_HISTORY_MOVE],
							   "DELETE", NIL);
	change_truncate_triggers(change, false);
}

/* Whether the history is to have partitions. */
static bool
by_month_argument(FunctionCallInfo fcinfo)
{
	const char *word;

	if (PG_ARGISNULL(2))
		return false;
	word = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (strcmp(word, "month") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown partition_by \"%s\"", word),
				 errhint("partition_by is \"month\", or NULL for a table without partitions.")));
	return true;
}

/* For a history that has partitions already, too. */
static void
make_partitions(Oid relid)
{
	Relation	rel = relation_open(relid, NoLock);
	Oid			table = dtmodel_find_history_table(rel, dtmodel_usable_history(rel));
	int			made = 0;

	if (get_rel_relkind(table) == RELKIND_PARTITIONED_TABLE)
		made = list_length(dtmodel_make_history_partitions(rel, table,
														   DT_MONTHS_AHEAD));
	relation_close(rel, NoLock);
	if (made > 0)
		ereport(NOTICE,
				(errmsg_plural("table \"%s\": created %d partition",
							   "table \"%s\": created %d partitions",
							   made, get_rel_name(table), made)));
}

/*
 * add_history(model regclass, exclude name[] DEFAULT '{}',
 *			   partition_by text DEFAULT NULL) returns void
 *
 * Keeps every version of the table's rows: creates the table
 * <table>_history, with the model's columns and when, how and by whom each
 * version ended; the function <table>_as_of(timestamptz), which returns the
 * rows as they were; the triggers; and the model's policies on the history.  A
 * history table that exists already gets the columns and the index that it
 * lacks.  Calling it again changes the columns that have no past.
 *
 * With partition_by => 'month' a new history table is partitioned by the
 * months, in UTC, in which versions end, with partitions for the current month
 * and the next three, and a default partition.  A history that has partitions
 * gets those that it lacks; one that has none is an error (55000), and so is
 * inheritance (0A000).
 *
 * Needs timestamps with an updated_at of type timestamptz that
 * is NOT NULL, and a primary key (55000).  Names that are taken are an error
 * (42P07, 42723, 42701), and so are excluded columns that do not exist
 * (42703) or that a history needs (22023).  Tables that inherit from this one
 * get a history too.
 */
Datum
dtmodel_add_history(PG_FUNCTION_ARGS)
{
	Oid			relid = dtmodel_model_argument(fcinfo);
	Request		request = {
		.exclude = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1),
		.by_month = by_month_argument(fcinfo),
	};

	dtmodel_change_with_inheritors(relid, &dtmodel_history_mixin,
								   change_history, &request);
	make_partitions(relid);
	PG_RETURN_VOID();
}

/* Without its triggers, a table goes on without a history. */
static void
drop_history_triggers(DtChange *change)
{
	change_truncate_triggers(change, true);
	dtmodel_drop_trigger(change, &dtmodel_history_triggers[DT_HISTORY_MOVE]);
	dtmodel_drop_trigger(change, &dtmodel_history_triggers[DT_HISTORY]);
}

/*
 * Without a history, the model does not say which table holds the past: the one
 * with the name that add_history gives may be left from it.
 */
static void
report_left_table(const DtChange *change)
{
	Relation	rel = change->rel;
	const char *name = makeObjectName(RelationGetRelationName(rel), "history",
									  NULL);
	Oid			table = dtmodel_owned_history(RelationGetRelid(rel), name,
											  RelationGetNamespace(rel));

	if (change->phase != DT_BEFORE_LOCK || !OidIsValid(table) ||
		!dtmodel_is_history_table(table) || dtmodel_model_of_history(table) != NULL)
		return;
	ereport(NOTICE,
			(errmsg("table \"%s\" has no history, and table \"%s\" stays",
					RelationGetRelationName(rel), name),
			 errhint("To drop what an earlier call has left, use DROP TABLE %s.",
					 dtmodel_qualified_name_of(table))));
}

static void
drop_history(DtChange *change, bool drop_table)
{
	const DtHistory *former = dtmodel_history_of(dtmodel_get_model(change->rel));
	DtHistory	history;

	if (former == NULL)
	{
		if (drop_table)
			report_left_table(change);
		return;
	}
	history = *former;
	drop_history_triggers(change);
	if (OidIsValid(dtmodel_find_as_of(change->rel, NameStr(history.as_of))))
		dtmodel_add_statement(change, AccessExclusiveLock,
							  psprintf("dropped function \"%s\"", NameStr(history.as_of)),
							  psprintf("DROP FUNCTION %s(pg_catalog.timestamptz)",
									   quote_qualified_identifier(schema_name(change->rel),
																  NameStr(history.as_of))));
	if (drop_table &&
		OidIsValid(dtmodel_owned_history(RelationGetRelid(change->rel),
										 NameStr(history.table),
										 RelationGetNamespace(change->rel))))
		dtmodel_add_statement(change, AccessExclusiveLock,
							  psprintf("dropped table \"%s\"", NameStr(history.table)),
							  psprintf("DROP TABLE %s", table_name(change->rel, &history)));
}

/*
 * remove_history(model regclass, drop_history boolean DEFAULT false)
 * returns void
 *
 * Drops the triggers and the function, and with drop_history the history
 * table too, also on tables that inherit from this one.  Does nothing to a
 * table without a history.
 */
Datum
dtmodel_remove_history(PG_FUNCTION_ARGS)
{
	dtmodel_drop_with_inheritors(dtmodel_model_argument(fcinfo),
								 &dtmodel_history_mixin, drop_history,
								 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/*
 * A detached table is not a part of the model any more, and has no past of its
 * own.
 */
void
dtmodel_leave_history(DtChange *change)
{
	const DtHistory *history = dtmodel_history_of(dtmodel_get_model(change->rel));

	ereport(NOTICE,
			(errmsg("table \"%s\" no longer has a history",
					RelationGetRelationName(change->rel)),
			 errdetail("The past of its rows stays in table \"%s\".",
					   NameStr(history->table)),
			 errtable(change->rel)));
	drop_history_triggers(change);
}

/* The rows of a partition have the history of its partitioned table. */
void
dtmodel_check_history_attach(Relation rel, Relation parent)
{
	if (dtmodel_find_trigger(rel, dtmodel_history_triggers) == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has a history of its own",
					RelationGetRelationName(rel)),
			 errdetail("A partition has the history of its partitioned table, so this one would be lost."),
			 errhint("Call %s.remove_history(%s) first, which keeps the table of the past.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(parent)));
}
