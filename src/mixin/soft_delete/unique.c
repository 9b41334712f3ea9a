/*-------------------------------------------------------------------------
 *
 * unique.c
 *	  Unique indexes that include hidden rows.
 *
 * If a hidden row has the same values, an INSERT is refused, or skipped by ON
 * CONFLICT DO NOTHING, and no query can show why.  An index of live rows
 * avoids that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/unique.h"
#include "model/constraint.h"
#include "model/drift.h"
#include "model/key.h"
#include "server/dependents.h"
#include "server/relation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/* Whether it is a key WITHOUT OVERLAPS, which PostgreSQL 18 has. */
bool
dtmodel_is_without_overlaps(Relation index)
{
	return index->rd_index->indisunique && index->rd_index->indisexclusion;
}

/* Whether a table, which need not be locked, is partitioned by a column. */
static bool
is_partitioned_by(Oid relid, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(relid));
	Form_pg_partitioned_table key;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	key = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	result = dtmodel_is_among(get_attnum(relid, name), key->partnatts,
							  key->partattrs.values);
	ReleaseSysCache(tuple);
	return result;
}

/* Whether the table, or one that it is a partition of, is partitioned by it. */
static bool
is_in_partition_key(Relation rel, AttrNumber attnum)
{
	Oid			relid = RelationGetRelid(rel);
	List	   *tables = rel->rd_rel->relispartition ?
		get_partition_ancestors(relid) : NIL;
	char	   *name = get_attname(relid, attnum, false);
	ListCell   *cell;

	foreach(cell, lcons_oid(relid, tables))
	{
		if (is_partitioned_by(lfirst_oid(cell), name))
			return true;
	}
	return false;
}

/*
 * Whether the primary key is of one column, not counting those of partition
 * keys.  It is usually generated then, so that its values are not used again.
 */
static bool
is_generated(Relation rel, const DtKey *key)
{
	int			count = 0;

	for (int i = 0; i < key->ncolumns; i++)
	{
		if (!is_in_partition_key(rel, key->columns[i].attnum))
			count++;
	}
	return key->ncolumns > 0 && count <= 1 && dtmodel_is_btree(key->index);
}

/* Whether the index is unique on all columns of the key, and maybe on others. */
static bool
has_columns_of(Relation index, const DtKey *key)
{
	Form_pg_index form = index->rd_index;

	for (int i = 0; i < key->ncolumns; i++)
	{
		if (!dtmodel_is_among(key->columns[i].attnum, form->indnkeyatts,
							  form->indkey.values))
			return false;
	}
	return form->indisunique && !form->indisexclusion;
}

/*
 * Whether values of hidden rows prevent new rows.  An index of a partition that
 * is part of one of its table is replaced with that.
 */
static bool
counts_hidden_rows(Relation rel, Relation index, const DtKey *generated,
				   const DtSoftDelete *columns)
{
	return !index->rd_rel->relispartition &&
		(index->rd_index->indisunique || index->rd_index->indisexclusion) &&
		(generated == NULL || !has_columns_of(index, generated)) &&
		dtmodel_counts_deleted_rows(rel, index, columns);
}

/* Columns that are missing come first: no index can have them in a condition. */
static bool
has_columns(const DtSoftDelete *columns)
{
	return AttributeNumberIsValid(columns->deleted_at.attnum) &&
		(!dtmodel_column_is_used(&columns->flag) ||
		 AttributeNumberIsValid(columns->flag.attnum));
}

/* The indexes that count hidden rows, opened. */
static List *
open_indexes(Relation rel, const DtSoftDelete *columns)
{
	DtKey		key = dtmodel_key_if_any(rel);
	const DtKey *generated = is_generated(rel, &key) ? &key : NULL;
	List	   *indexes = NIL;
	ListCell   *cell;

	if (!has_columns(columns))
		return NIL;
	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (counts_hidden_rows(rel, index, generated, columns))
			indexes = lappend(indexes, index);
		else
			index_close(index, AccessShareLock);
	}
	return indexes;
}

static void
close_indexes(List *indexes)
{
	ListCell   *cell;

	foreach(cell, indexes)
		index_close(lfirst(cell), AccessShareLock);
}

/* What makes the same index as a primary key has for live rows. */
static char *
unique_live_call(Relation rel, Relation index)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "%s.unique_live(%s", DTMODEL_SCHEMA,
					 dtmodel_quoted_name(rel));
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		AttrNumber	attnum = index->rd_index->indkey.values[i];
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

		appendStringInfo(&call, ", %s",
						 quote_literal_cstr(NameStr(att->attname)));
	}
	appendStringInfoChar(&call, ')');
	return call.data;
}

/*
 * The definition of the index or, for an exclusion, of its constraint.  The user
 * may run it with another search_path, so that names are qualified as if it
 * were empty.
 */
static char *
definition(Relation index)
{
	Oid			constraint = index->rd_index->indisexclusion ?
		get_index_constraint(RelationGetRelid(index)) : InvalidOid;
	int			level = NewGUCNestLevel();
	char	   *result;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = OidIsValid(constraint) ?
		TextDatumGetCString(DirectFunctionCall1(pg_get_constraintdef,
												ObjectIdGetDatum(constraint))) :
		pg_get_indexdef_string(RelationGetRelid(index));
	AtEOXact_GUC(true, level);
	return result;
}

/* An index with the same name for live rows; a condition comes last. */
static char *
index_replacement(Relation rel, Relation index, const DtSoftDelete *columns)
{
	return psprintf("%s; %s %s (%s)", dtmodel_drop_index_text(rel, RelationGetRelid(index)),
					definition(index),
					dtmodel_has_index_predicate(index) ? "AND" : "WHERE",
					dtmodel_live_text(columns, NULL));
}

/* The columns that are in the index besides its key. */
static void
append_included(StringInfo text, Relation rel, Relation index)
{
	Form_pg_index form = index->rd_index;

	for (int i = form->indnkeyatts; i < form->indnatts; i++)
		appendStringInfo(text, "%s%s", i == form->indnkeyatts ? " INCLUDE (" : ", ",
						 quote_identifier(get_attname(RelationGetRelid(rel),
													  form->indkey.values[i], false)));
	if (form->indnatts > form->indnkeyatts)
		appendStringInfoChar(text, ')');
}

/* "EXCLUDE ...", which may have a condition. */
static char *
as_exclusion(Relation rel, Relation index)
{
	StringInfoData text;
	Oid		   *operators;
	Oid		   *functions;
	uint16	   *strategies;

	RelationGetExclusionInfo(index, &operators, &functions, &strategies);
	initStringInfo(&text);
	appendStringInfo(&text, "EXCLUDE USING %s (",
					 get_am_name(index->rd_rel->relam));
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		appendStringInfo(&text, "%s%s WITH %s", i > 0 ? ", " : "",
						 quote_identifier(get_attname(RelationGetRelid(rel),
													  index->rd_index->indkey.values[i], false)),
						 dtmodel_qualified_operator(operators[i]));
	appendStringInfoChar(&text, ')');
	append_included(&text, rel, index);
	return text.data;
}

static const char *
deferrability(Relation index)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID,
										ObjectIdGetDatum(get_index_constraint(RelationGetRelid(index))));
	Form_pg_constraint constraint;
	const char *words;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint of index %u",
			 RelationGetRelid(index));
	constraint = (Form_pg_constraint) GETSTRUCT(tuple);
	words = constraint->condeferred ? " DEFERRABLE INITIALLY DEFERRED" :
		constraint->condeferrable ? " DEFERRABLE" : "";
	ReleaseSysCache(tuple);
	return words;
}

/*
 * What replaces a key WITHOUT OVERLAPS, which cannot have a condition, by an
 * exclusion constraint for live rows.  An index of unique_live would accept rows
 * that overlap.
 */
char *
dtmodel_overlaps_advice(Relation rel, Relation index,
						const DtSoftDelete *columns)
{
	return psprintf("%suse %s, ADD CONSTRAINT %s %s WHERE (%s)%s, which accepts empty ranges and cannot be referenced by a foreign key",
					index->rd_index->indisprimary ?
					"give the table a primary key of one column instead, and " : "",
					dtmodel_drop_index_text(rel, RelationGetRelid(index)),
					quote_identifier(RelationGetRelationName(index)),
					as_exclusion(rel, index), dtmodel_live_text(columns, NULL),
					deferrability(index));
}

/* An exclusion constraint; what follows its condition cannot be moved. */
static char *
exclusion_replacement(Relation rel, Relation index, const DtSoftDelete *columns,
					  DtRemedy *kind)
{
	char	   *live = dtmodel_live_text(columns, NULL);

	if (dtmodel_has_index_predicate(index) || !index->rd_index->indimmediate)
	{
		*kind = DT_ADVICE;
		return psprintf("create it again with AND %s in its WHERE clause", live);
	}
	return psprintf("%s, ADD CONSTRAINT %s %s WHERE (%s)",
					dtmodel_drop_index_text(rel, RelationGetRelid(index)),
					quote_identifier(RelationGetRelationName(index)),
					definition(index), live);
}

/*
 * Whether something depends on the constraint of the index: a rule or a
 * function that names it in ON CONFLICT.
 */
static bool
is_named(Relation index)
{
	Oid			constraint = get_index_constraint(RelationGetRelid(index));

	return OidIsValid(constraint) &&
		(dtmodel_dependents(ConstraintRelationId, constraint, RewriteRelationId) != NIL ||
		 dtmodel_dependents(ConstraintRelationId, constraint, ProcedureRelationId) != NIL);
}

/* A unique index or constraint; what it serves for besides is for the user to decide. */
static char *
unique_replacement(Relation rel, Relation index, const DtSoftDelete *columns,
				   DtRemedy *kind)
{
	char	   *statements = index_replacement(rel, index, columns);

	*kind = DT_ADVICE;
	if (dtmodel_dependents(RelationRelationId, RelationGetRelid(index),
						   ConstraintRelationId) != NIL)
		return psprintf("drop the foreign keys that reference it, since none can reference an index of live rows, and use %s",
						statements);
	if (is_named(index))
		return psprintf("drop the rules and functions that name it in ON CONFLICT, and use %s",
						statements);
	if (index->rd_index->indisreplident)
		return psprintf("choose another replica identity, since an index of live rows cannot be one, and use %s",
						statements);
	if (!index->rd_index->indimmediate)
		return psprintf("use %s, which cannot be deferred", statements);
	*kind = DT_REPAIR;
	return statements;
}

/* What replaces the index; "kind" says whether that is a statement. */
static char *
replacement(Relation rel, Relation index, const DtSoftDelete *columns,
			DtRemedy *kind)
{
	if (dtmodel_is_without_overlaps(index))
	{
		*kind = DT_ADVICE;
		return dtmodel_overlaps_advice(rel, index, columns);
	}
	*kind = DT_REPAIR;
	if (index->rd_index->indisexclusion)
		return exclusion_replacement(rel, index, columns, kind);
	if (!index->rd_index->indisprimary)
		return unique_replacement(rel, index, columns, kind);
	*kind = DT_ADVICE;
	return psprintf("give the table a primary key of one column instead, and use SELECT %s",
					unique_live_call(rel, index));
}

static void
drift_of_index(DtDrift *drift, Relation rel, Relation index,
			   const DtSoftDelete *columns)
{
	DtRemedy	kind;
	char	   *remedy = replacement(rel, index, columns, &kind);

	dtmodel_append_drift(drift, kind, remedy, "%s \"%s\"%s counts hidden rows",
						 index->rd_index->indisprimary ? "primary key" : "index",
						 RelationGetRelationName(index),
						 rel->rd_rel->relispartition ?
						 psprintf(" of partition \"%s\"", RelationGetRelationName(rel)) : "");
}

/* The indexes of a table or a partition. */
static void
drift_of_table(DtDrift *drift, Relation rel, Relation root pg_attribute_unused())
{
	const DtSoftDelete *soft_delete = dtmodel_soft_delete_of(dtmodel_get_model(rel));
	DtSoftDelete columns;
	List	   *indexes;
	ListCell   *cell;

	if (soft_delete == NULL)
		return;
	columns = *soft_delete;
	indexes = open_indexes(rel, &columns);
	foreach(cell, indexes)
		drift_of_index(drift, rel, lfirst(cell), &columns);
	close_indexes(indexes);
}

/* Whether a partition has an index to look at, which is only its own. */
static bool
has_own_index(Oid partition)
{
	Relation	catalog = table_open(IndexRelationId, AccessShareLock);
	bool		found = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(partition));
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

		found = (index->indisunique || index->indisexclusion) &&
			!get_rel_relispartition(index->indexrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* Reports the indexes, each with the command that replaces it. */
void
dtmodel_drift_of_hidden_rows(DtDrift *drift, Relation rel)
{
	drift_of_table(drift, rel, NULL);
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_drift_of_suspects(drift, rel, has_own_index, drift_of_table);
}

static char *
index_names(List *indexes)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, indexes)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 RelationGetRelationName((Relation) lfirst(cell)));
	return names.data;
}

static void
report_table(Relation rel)
{
	DtSoftDelete columns = *dtmodel_soft_delete_of(dtmodel_get_model(rel));
	List	   *indexes = open_indexes(rel, &columns);

	if (indexes != NIL)
		ereport(NOTICE,
				(errmsg("table \"%s\" has unique indexes that count hidden rows: %s",
						RelationGetRelationName(rel), index_names(indexes)),
				 errdetail("An INSERT with the values of a hidden row fails, or does nothing with ON CONFLICT DO NOTHING."),
				 errhint("Use SELECT * FROM %s.drift(%s) to see the statements that replace them by indexes of live rows.",
						 DTMODEL_SCHEMA, dtmodel_quoted_name(rel))));
	close_indexes(indexes);
}

/*
 * Reports the indexes of a model that was just made to hide its rows, of its
 * partitions, which may have indexes of their own, and of the tables that
 * inherit from it.
 */
void
dtmodel_report_hidden_rows(Oid relid)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation	rel = table_open(lfirst_oid(cell), AccessShareLock);

		report_table(rel);
		table_close(rel, NoLock);
	}
}
