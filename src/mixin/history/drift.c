/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  What is out of order with a history: what keeps the next change from
 *	  being written, or the past from being read, or shows more of it than
 *	  the model shows.
 *
 * The event triggers refuse or follow the commands that would do that, so most
 * of it happens only where they do not fire: as they are disabled, or in a
 * dump that is restored in parts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/history/arguments.h"
#include "mixin/history/as_of.h"
#include "mixin/history/drift.h"
#include "mixin/history/partition.h"
#include "mixin/history/policy.h"
#include "mixin/history/setup.h"
#include "mixin/history/table.h"
#include "mixin/timestamps/mixin.h"
#include "model/constraint.h"
#include "model/drift.h"
#include "model/key.h"
#include "model/mixin_call.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

static char *
repair(Relation rel)
{
	return dtmodel_repair_statement(rel, &dtmodel_history_mixin);
}

/* A history begins its versions with updated_at. */
static void
drift_of_time(DtDrift *drift, Relation rel)
{
	const DtTimestamps *timestamps = dtmodel_timestamps_of(dtmodel_get_model(rel));
	const DtColumn *updated_at = timestamps == NULL ? NULL :
		&timestamps->updated_at;

	if (updated_at == NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel,
													  &dtmodel_timestamps_mixin),
							 "the history needs timestamps");
	else if (!dtmodel_column_is_used(updated_at) &&
			 dtmodel_column_is_used(&timestamps->created_at))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("SELECT %s",
									  dtmodel_mixin_call(rel,
														 &dtmodel_timestamps_mixin,
														 "updated_at",
														 "updated_at")),
							 "the history needs timestamps with an updated_at");
	else if (AttributeNumberIsValid(updated_at->attnum) &&
			 dtmodel_column_fits(updated_at, &dtmodel_use_time) &&
			 !dtmodel_is_history_time(updated_at))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_history_time_statement(rel, updated_at),
							 "the history needs an updated_at of type timestamptz that is NOT NULL");
}

/* The columns of the index before valid_to, if they are columns of the model. */
static char *
key_of_index(Oid indexid, Oid table, Relation rel)
{
	Relation	index = index_open(indexid, AccessShareLock);
	const FormData_pg_index *form = index->rd_index;
	int			ncolumns = form->indnkeyatts - 1;
	AttrNumber	columns[INDEX_MAX_KEYS];
	bool		fits = ncolumns > 0 &&
		form->indkey.values[ncolumns] == get_attnum(table, dtmodel_history_columns[DT_VALID_TO].name);

	for (int i = 0; fits && i < ncolumns; i++)
	{
		const char *name = get_attname(table, form->indkey.values[i], true);

		columns[i] = name == NULL ? InvalidAttrNumber :
			get_attnum(RelationGetRelid(rel), name);
		fits = AttributeNumberIsValid(columns[i]);
	}
	index_close(index, AccessShareLock);
	return fits ? dtmodel_column_list(RelationGetRelid(rel), ncolumns, columns,
									  ", ", true) : NULL;
}

/* The primary key that the model had, by the index of its history, or NULL. */
static char *
former_key(Relation rel, Oid table)
{
	Relation	history = OidIsValid(table) ?
		try_relation_open(table, AccessShareLock) : NULL;
	char	   *key = NULL;
	ListCell   *cell;

	if (history == NULL)
		return NULL;
	foreach(cell, RelationGetIndexList(history))
	{
		if (key == NULL)
			key = key_of_index(lfirst_oid(cell), table, rel);
	}
	relation_close(history, AccessShareLock);
	return key;
}

static void
drift_of_missing_key(DtDrift *drift, Relation rel, Oid table)
{
	char	   *key = former_key(rel, table);

	dtmodel_append_drift(drift, key == NULL ? DT_ADVICE : DT_REPAIR,
						 key == NULL ? "give the table one" :
						 psprintf("ALTER TABLE %s ADD PRIMARY KEY (%s)",
								  dtmodel_qualified_name(rel), key),
						 "the history needs a primary key, which says which versions are of the same row");
}

/* The statement that adds the history without this column in "exclude". */
static char *
include_statement(Relation rel, const DtHistory *history, const char *name)
{
	DtHistory	changed = dtmodel_copy_history(history);

	changed.nexcluded = 0;
	for (int i = 0; i < history->nexcluded; i++)
	{
		if (namestrcmp(&history->excluded[i].name, name) != 0)
			changed.excluded[changed.nexcluded++] = history->excluded[i];
	}
	return psprintf("SELECT %s.add_history(%s%s)", DTMODEL_SCHEMA,
					dtmodel_quoted_name(rel), changed.nexcluded == 0 ? "" :
					psprintf(", exclude => %s",
							 quote_literal_cstr(dtmodel_excluded_literal(&changed))));
}

/* False also if there is nothing of that name. */
static bool
is_table(Oid table)
{
	char		relkind = get_rel_relkind(table);

	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

/* What keeps the past of a row from being found. */
static void
drift_of_key(DtDrift *drift, Relation rel, const DtHistory *history, Oid table)
{
	DtKey		key = dtmodel_key_if_any(rel);
	const char *missing;

	if (key.ncolumns == 0)
		drift_of_missing_key(drift, rel, table);
	if (key.ncolumns == 0 || !is_table(table))
		return;
	missing = dtmodel_key_column_without_past(&key, history, table);
	if (missing != NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 include_statement(rel, history, missing),
							 "column \"%s\" of the primary key has no past",
							 missing);
}

static void
drift_of_index(DtDrift *drift, Relation rel, const DtHistory *history, Oid table)
{
	DtKey		key = dtmodel_key_if_any(rel);

	if (key.ncolumns > 0 &&
		dtmodel_key_column_without_past(&key, history, table) == NULL &&
		dtmodel_lacks_history_index(rel, history, table))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_history_index(rel,
												   dtmodel_qualified_name_of(table)),
							 "table \"%s\" has no index on the primary key and valid_to",
							 NameStr(history->table));
}

/* Gives another name to a table that cannot be the history, for a new one. */
static char *
replace_statement(Relation rel, Oid table, const char *name)
{
	return psprintf("SELECT %s.remove_history(%s); ALTER TABLE %s RENAME TO %s; %s",
					DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
					dtmodel_qualified_name_of(table),
					quote_identifier(dtmodel_choose_name(get_rel_namespace(table),
														 name, "old", InvalidOid)),
					repair(rel));
}

/* Whether versions can be written as far as its partitions are concerned. */
static bool
drift_of_partition(DtDrift *drift, Relation rel, Oid relid)
{
	Relation	table = try_relation_open(relid, AccessShareLock);
	bool		is_partitioned;
	bool		has_key;

	if (table == NULL)
		return false;
	is_partitioned = table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	has_key = !is_partitioned || dtmodel_has_partition_key(table);
	if (!has_key)
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statement(rel, relid, RelationGetRelationName(table)),
							 "table \"%s\" is not partitioned by RANGE (%s)",
							 RelationGetRelationName(table),
							 dtmodel_history_columns[DT_VALID_TO].name);
	else if (is_partitioned &&
			 !dtmodel_has_partition_for(table, GetCurrentTimestamp()))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("SELECT %s.add_history_partitions(%s)",
									  DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
							 "table \"%s\" has no partition for the current month",
							 RelationGetRelationName(table));
	relation_close(table, AccessShareLock);
	return has_key;
}

/* While it is a history, its columns cannot be changed. */
static char *
type_statement(Relation rel, Oid table, Form_pg_attribute att)
{
	const char *column = quote_identifier(NameStr(att->attname));
	const char *type = dtmodel_history_type(att);

	return psprintf("SELECT %s.remove_history(%s); ALTER TABLE %s ALTER COLUMN %s TYPE %s USING %s::%s; %s",
					DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
					dtmodel_qualified_name_of(table), column, type, column, type,
					repair(rel));
}

/* A write that has no place for a column is an error. */
static void
drift_of_columns(DtDrift *drift, Relation rel, const DtHistory *history, Oid table)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		AttrNumber	place;

		if (!dtmodel_has_past(rel, history, att->attnum))
			continue;
		place = get_attnum(table, NameStr(att->attname));
		if (!AttributeNumberIsValid(place))
			dtmodel_append_drift(drift, DT_REPAIR, repair(rel),
								 "table \"%s\" has no column \"%s\"",
								 NameStr(history->table),
								 NameStr(att->attname));
		else if (get_atttype(table, place) != att->atttypid)
		{
			dtmodel_append_drift(drift, DT_ADVICE,
								 psprintf("check what its USING makes of the past, and use %s",
										  type_statement(rel, table, att)),
								 "column \"%s\" of table \"%s\" is of type %s instead of %s",
								 NameStr(att->attname),
								 NameStr(history->table),
								 format_type_be(get_atttype(table, place)),
								 format_type_be(att->atttypid));
			/* Without that, add_history gives the past a new column. */
			drift->undecided = true;
		}
	}
}

/* The past has no more protection than its table and its partitions. */
static void
drift_of_security(DtDrift *drift, Relation rel, Oid table, Form_pg_class form)
{
	const char *name = dtmodel_qualified_name_of(table);

	if (form->relkind == RELKIND_FOREIGN_TABLE)
		return;
	if (rel->rd_rel->relrowsecurity && !form->relrowsecurity)
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s ENABLE ROW LEVEL SECURITY",
									  name),
							 "table \"%s\" does not have the row-level security of its model",
							 NameStr(form->relname));
	if (rel->rd_rel->relforcerowsecurity && !form->relforcerowsecurity)
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s FORCE ROW LEVEL SECURITY",
									  name),
							 "row-level security of table \"%s\" does not hold for its owner",
							 NameStr(form->relname));
}

/* A crash empties an unlogged table. */
static void
drift_of_persistence(DtDrift *drift, Relation rel, Oid table, Form_pg_class form)
{
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_PERMANENT &&
		form->relpersistence == RELPERSISTENCE_UNLOGGED &&
		form->relkind == RELKIND_RELATION)
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s SET LOGGED",
									  dtmodel_qualified_name_of(table)),
							 "table \"%s\" is unlogged, so a crash empties it",
							 NameStr(form->relname));
}

/* The history table and its partitions are not locked. */
static void
drift_of_tables(DtDrift *drift, Relation rel, Oid table)
{
	ListCell   *cell;

	foreach(cell, dtmodel_history_tables(table, NoLock))
	{
		HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(tuple))
			continue;
		drift_of_security(drift, rel, lfirst_oid(cell),
						  (Form_pg_class) GETSTRUCT(tuple));
		drift_of_persistence(drift, rel, lfirst_oid(cell),
							 (Form_pg_class) GETSTRUCT(tuple));
		ReleaseSysCache(tuple);
	}
}

/*
 * Whether versions can be written into the table at all.  The owner of the
 * model names its history in the arguments of a trigger, so no statement gives
 * that owner what belongs to another role, nor the reverse.
 */
static bool
is_usable(DtDrift *drift, Relation rel, const DtHistory *history, Oid table)
{
	Oid			owner = dtmodel_owner_of(dtmodel_root_of(rel));

	/* Before these are changed, add_history is an error. */
	if (!is_table(table))
	{
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("rename it, and call %s.add_history",
									  DTMODEL_SCHEMA),
							 "\"%s\" is not a table", NameStr(history->table));
		drift->undecided = true;
	}
	else if (dtmodel_owner_of(table) != owner)
	{
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("if it is the history, make the owners the same, and otherwise rename it and call %s.add_history",
									  DTMODEL_SCHEMA),
							 "table \"%s\" has another owner than its model",
							 NameStr(history->table));
		drift->undecided = true;
	}
	else if (!dtmodel_is_history_table(table))
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statement(rel, table, NameStr(history->table)),
							 "table \"%s\" lacks a column of every history",
							 NameStr(history->table));
	else
		return true;
	return false;
}

static void
drift_of_table(DtDrift *drift, Relation rel, const DtHistory *history, Oid table)
{
	if (!OidIsValid(table))
	{
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("if it was renamed, give it this name again, and otherwise %s",
									  repair(rel)),
							 "table \"%s\" does not exist",
							 NameStr(history->table));
		drift->undecided = true;
	}
	else if (is_usable(drift, rel, history, table) &&
			 drift_of_partition(drift, rel, table))
	{
		drift_of_index(drift, rel, history, table);
		drift_of_columns(drift, rel, history, table);
		drift_of_tables(drift, rel, table);
		dtmodel_drift_of_policies(drift, rel, history, table);
	}
}

/* The body of the function; NULL if it does not exist any more. */
static char *
body_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	char	   *body = NULL;
	bool		isnull;
	Datum		datum;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	datum = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	if (!isnull)
		body = TextDatumGetCString(datum);
	ReleaseSysCache(tuple);
	return body;
}

/*
 * Whether the text of the function depends on the session: a constant in the
 * expression of a virtual column may be a time in its time zone.
 */
static bool
depends_on_session(Relation rel)
{
	return quote_all_identifiers || dtmodel_has_virtual_columns(rel);
}

/* Whether the function shows the columns that the model has now. */
static bool
fits_model(Relation rel, const DtHistory *history, Oid function)
{
	const DtTimestamps *timestamps = dtmodel_timestamps_of(dtmodel_get_model(rel));
	char	   *body;

	if (timestamps == NULL ||
		!AttributeNumberIsValid(timestamps->updated_at.attnum) ||
		depends_on_session(rel))
		return true;
	body = body_of(function);
	return body == NULL || strcmp(body, dtmodel_as_of_text(rel, history)) == 0;
}

/* A partition has the function of its partitioned table. */
static void
drift_of_function(DtDrift *drift, Relation rel, const DtHistory *history)
{
	const char *name = NameStr(history->as_of);
	Oid			function = dtmodel_find_as_of(rel, name);
	Oid			owner = rel->rd_rel->relowner;
	char	   *signature = psprintf("%s(timestamptz)",
									 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
																name));

	if (!OidIsValid(function))
		dtmodel_append_drift(drift, DT_REPAIR, repair(rel),
							 "function \"%s\" does not exist", name);
	else if (rel->rd_rel->relispartition)
		return;
	else if (dtmodel_owner_of_as_of(function) != owner)
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("drop or rename it, and call %s.add_history",
									  DTMODEL_SCHEMA),
							 "function \"%s\" has another owner than its model",
							 name);
	else if (!dtmodel_is_own_as_of(RelationGetRelid(rel), function))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER FUNCTION %s RENAME TO %s; %s",
									  signature,
									  quote_identifier(makeObjectName(name,
																	  NULL,
																	  "old")),
									  repair(rel)),
							 "function \"%s\" was replaced by another", name);
	else if (!fits_model(rel, history, function))
		dtmodel_append_drift(drift, DT_REPAIR, repair(rel),
							 "function \"%s\" does not show the table as it is now",
							 name);
}

/* Statement triggers are not cloned to partitions. */
static void
drift_of_truncate_triggers(DtDrift *drift, Relation rel)
{
	const DtTriggerType *type = &dtmodel_history_triggers[DT_HISTORY_TRUNCATE];
	const char *partition = dtmodel_find_trigger(rel, type) == NULL ? NULL :
		dtmodel_partition_without_trigger(rel, type);

	dtmodel_drift_of_missing_trigger(drift, rel, &dtmodel_history_mixin, type);
	if (partition != NULL)
		dtmodel_append_drift(drift, DT_REPAIR, repair(rel),
							 "partition \"%s\" has no trigger \"%s\"",
							 partition, type->name);
}

/* The names of a trigger that was created by hand, and has none. */
static void
drift_of_arguments(DtDrift *drift, Relation rel)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, &dtmodel_history_triggers[DT_HISTORY]);

	dtmodel_append_drift(drift, DT_REPAIR,
						 psprintf("DROP TRIGGER %s ON %s; %s",
								  quote_identifier(trigger->tgname),
								  dtmodel_qualified_name_of(dtmodel_root_of(rel)),
								  repair(rel)),
						 "trigger \"%s\" does not name its history and function",
						 trigger->tgname);
}

void
dtmodel_find_history_drift(DtDrift *drift, Relation rel, const void *options)
{
	/* A copy, since what follows may read the model again. */
	DtHistory	history = dtmodel_copy_history(options);
	Oid			table = dtmodel_find_history_table(rel, &history);

	if (NameStr(history.table)[0] == '\0' || NameStr(history.as_of)[0] == '\0')
	{
		drift_of_arguments(drift, rel);
		return;
	}
	drift_of_time(drift, rel);
	drift_of_key(drift, rel, &history, table);
	drift_of_table(drift, rel, &history, table);
	drift_of_function(drift, rel, &history);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_drift_of_missing_trigger(drift, rel, &dtmodel_history_mixin,
										 &dtmodel_history_triggers[DT_HISTORY_MOVE]);
	drift_of_truncate_triggers(drift, rel);
	dtmodel_drift_of_event_trigger(drift, "dtmodel_history_protect",
								   "commands can break a history");
	dtmodel_drift_of_event_trigger(drift, "dtmodel_history_follow",
								   "a history does not follow its model");
	dtmodel_drift_of_event_trigger(drift, "dtmodel_history_drop",
								   "a history does not follow what its model loses");
}

/*
 * remove_history() drops the function, so where it is left without triggers,
 * these were dropped by hand, or with the extension.
 */
void
dtmodel_drift_of_lost_history(DtDrift *drift, Relation rel)
{
	char	   *name = makeObjectName(RelationGetRelationName(rel), "as_of", NULL);
	Oid			function = dtmodel_find_as_of(rel, name);

	if (rel->rd_rel->relispartition || !OidIsValid(function) ||
		dtmodel_find_any_trigger(rel, &dtmodel_history_mixin) != NULL ||
		!dtmodel_is_own_as_of(RelationGetRelid(rel), function))
		return;
	dtmodel_append_drift(drift, DT_ADVICE,
						 psprintf("with the columns in \"exclude\" that it had, %s",
								  repair(rel)),
						 "function \"%s\" but no history", name);
}
