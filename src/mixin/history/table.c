/*-------------------------------------------------------------------------
 *
 * table.c
 *	  The table that holds the past of a model.
 *
 * It is in the schema of the model, has the model's owner, and one row for
 * each version that is not the current one.  Its first columns say when and
 * how the version ended; then come those of the model, which are found by
 * their names.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/history/table.h"
#include "mixin/soft_delete/mixin.h"
#include "model/distributed.h"
#include "model/mixin_call.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* So often we wait for a single partition, see lock_inheritors(). */
#define MOST_ATTEMPTS 10

const DtHistoryColumnType dtmodel_history_columns[DT_HISTORY_COLUMNS] = {
	[DT_VALID_FROM] = {"valid_from", TIMESTAMPTZOID, "pg_catalog.timestamptz NOT NULL"},
	[DT_VALID_TO] = {"valid_to", TIMESTAMPTZOID, "pg_catalog.timestamptz NOT NULL"},
	[DT_OPERATION] = {"operation", TEXTOID, "pg_catalog.text NOT NULL"},
	[DT_ENDED_BY] = {"ended_by", TEXTOID, "pg_catalog.text NOT NULL"},
	[DT_TRANSACTION_ID] = {"transaction_id", XID8OID, "pg_catalog.xid8 NOT NULL"},
};

/*
 * Whether the table has the columns of a history; it may be that of a model
 * that was dropped.
 */
bool
dtmodel_is_history_table(Oid relid)
{
	for (int i = 0; i < DT_HISTORY_COLUMNS; i++)
	{
		AttrNumber	attnum = get_attnum(relid, dtmodel_history_columns[i].name);

		if (attnum == InvalidAttrNumber ||
			get_atttype(relid, attnum) != dtmodel_history_columns[i].type)
			return false;
	}
	return true;
}

/* Whether a relation of this kind can hold a history. */
static bool
is_table(char relkind)
{
	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

/*
 * The history of this name in a schema, if it is one: what has the name and
 * another owner than the model may be a trap.
 */
Oid
dtmodel_owned_history(Oid model, const char *name, Oid schema)
{
	Oid			table = get_relname_relid(name, schema);

	return OidIsValid(table) && is_table(get_rel_relkind(table)) &&
		dtmodel_owner_of(table) == dtmodel_owner_of(model) ? table : InvalidOid;
}

/*
 * Locks a table and all that inherit from it, or none of them and returns one
 * that another session has locked.
 */
static Oid
lock_or_find_busy(Oid table, LOCKMODE lockmode)
{
	List	   *tables;
	Oid			busy = InvalidOid;

	LockRelationOid(table, lockmode);
	tables = find_all_inheritors(table, NoLock, NULL);
	for (int i = 0; i < list_length(tables); i++)
	{
		Oid			relid = list_nth_oid(tables, i);

		if (relid == table || ConditionalLockRelationOid(relid, lockmode))
			continue;
		busy = relid;
		while (--i >= 0)
			UnlockRelationOid(list_nth_oid(tables, i), lockmode);
		break;
	}
	list_free(tables);
	return busy;
}

/*
 * A table and all that inherit from it, locked.  A query and ALTER INDEX lock
 * the partitioned table before a partition, but a COPY into a partition, as
 * jobs of pg_restore do it, locks that one first.  So one that is in use is
 * waited for without a lock on the others, unless the transaction has had it.
 *
 * At last they are locked in the order of the queries: others may use a
 * partition all the time, and one that we have locked in another mode already
 * stays busy for us while another session waits for it.
 */
static List *
lock_inheritors(Oid table, LOCKMODE lockmode)
{
	for (int attempts = 0; attempts < MOST_ATTEMPTS; attempts++)
	{
		Oid			busy = lock_or_find_busy(table, lockmode);

		if (!OidIsValid(busy))
			return find_all_inheritors(table, lockmode, NULL);
		CHECK_FOR_INTERRUPTS();
		LockRelationOid(busy, lockmode);
		UnlockRelationOid(busy, lockmode);
	}
	LockRelationOid(table, lockmode);
	return find_all_inheritors(table, lockmode, NULL);
}

/*
 * The history table and its partitions, on every level, all locked unless the
 * lock mode is NoLock.  Tables that inherit from it are histories of other
 * models.
 */
List *
dtmodel_history_tables(Oid table, LOCKMODE lockmode)
{
	if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
	{
		if (lockmode != NoLock)
			LockRelationOid(table, lockmode);
		return list_make1_oid(table);
	}
	return lockmode == NoLock ? find_all_inheritors(table, NoLock, NULL) :
		lock_inheritors(table, lockmode);
}

/* Its rows would be on other servers than those of which they are versions. */
void
dtmodel_check_can_have_history(Relation model)
{
	dtmodel_check_not_distributed(model, "add_history",
								  "Versions are written to a table on the same server as the row.",
								  psprintf("Call %s.remove_history for it, and keep changes in a table of your own.",
										   DTMODEL_SCHEMA));
}

const DtHistory *
dtmodel_usable_history(Relation model)
{
	const DtHistory *history = dtmodel_history_of(dtmodel_get_model(model));

	if (history == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" has no history",
						RelationGetRelationName(model)),
				 errhint("Call %s.add_history(%s).", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(model)),
				 errtable(model)));
	return history;
}

/* All partitions of a model have one history. */
Oid
dtmodel_find_history_table(Relation model, const DtHistory *history)
{
	return get_relname_relid(NameStr(history->table),
							 get_rel_namespace(dtmodel_root_of(model)));
}

static void
report_missing_table(Relation model, const DtHistory *history)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("history table \"%s\" of table \"%s\" does not exist",
					NameStr(history->table), RelationGetRelationName(model)),
			 errhint("Call %s.add_history(%s), or %s.remove_history(%s).",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(model),
					 DTMODEL_SCHEMA, dtmodel_quoted_name(model)),
			 errtable(model)));
}

/*
 * A table that another role has created under this name must not get the
 * rows.  A partition may have another owner than the model.
 */
static void
check_is_owners(Relation model, Relation table)
{
	if (is_table(table->rd_rel->relkind) &&
		table->rd_rel->relowner == dtmodel_owner_of(dtmodel_root_of(model)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("\"%s\" cannot hold the history of table \"%s\"",
					RelationGetRelationName(table),
					RelationGetRelationName(model)),
			 !is_table(table->rd_rel->relkind) ?
			 errdetail("It is not a table.") :
			 errdetail("The two tables have different owners."),
			 errhint("Rename it."),
			 errtable(table)));
}

/* The history table of a model, or of a partition of one. */
Relation
dtmodel_open_history_table(Relation model, const DtHistory *history,
						   LOCKMODE lockmode)
{
	Oid			relid = dtmodel_find_history_table(model, history);
	Relation	table;

	dtmodel_check_can_have_history(model);
	table = OidIsValid(relid) ? try_relation_open(relid, lockmode) : NULL;
	if (table == NULL)
		report_missing_table(model, history);
	check_is_owners(model, table);
	return table;
}

/* The type of a column, as the model and its history have it. */
char *
dtmodel_history_type(Form_pg_attribute att)
{
	return format_type_extended(att->atttypid, att->atttypmod,
								FORMAT_TYPE_TYPEMOD_GIVEN |
								FORMAT_TYPE_FORCE_QUALIFY);
}

/* A copy, which stays valid when the model is read again. */
DtHistory
dtmodel_copy_history(const DtHistory *history)
{
	DtHistory	copy = *history;

	copy.excluded = palloc(sizeof(DtColumn) * Max(copy.nexcluded, 1));
	for (int i = 0; i < copy.nexcluded; i++)
		copy.excluded[i] = history->excluded[i];
	return copy;
}

/* Whether the column of this name has no past. */
bool
dtmodel_is_excluded(const DtHistory *history, const char *name)
{
	for (int i = 0; i < history->nexcluded; i++)
	{
		if (namestrcmp(&history->excluded[i].name, name) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the column is a flag that is never null in the model.  In versions
 * that are older than soft delete it is: they were live, which is this value.
 */
bool
dtmodel_is_flag_of_past(Relation model, AttrNumber attnum, bool *live)
{
	const DtSoftDelete *soft_delete =
		dtmodel_soft_delete_of(dtmodel_get_model(model));

	if (soft_delete == NULL || soft_delete->flag.attnum != attnum ||
		!soft_delete->flag.is_not_null)
		return false;
	*live = soft_delete->flag_is_live;
	return true;
}

/*
 * Whether the history table has the column.  A virtual generated column is
 * computed from the others.
 */
bool
dtmodel_has_past(Relation model, const DtHistory *history, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(model), attnum - 1);

	return !att->attisdropped && !compat_is_virtual(att) &&
		!dtmodel_is_excluded(history, NameStr(att->attname));
}

static void
report_missing_column(Relation model, Relation table, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of table \"%s\" does not exist in history table \"%s\"",
					name, RelationGetRelationName(model),
					RelationGetRelationName(table)),
			 errhint("Call %s.add_history(%s), which adds what is missing.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(model)),
			 errtable(table)));
}

static void
report_other_type(Relation model, Relation table, const char *name, Oid type,
				  Oid expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of history table \"%s\" is of type %s instead of %s",
					name, RelationGetRelationName(table),
					format_type_be(type), format_type_be(expected)),
			 errhint("Call %s.remove_history(%s), which keeps the past, and then %s.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(model),
					 dtmodel_mixin_call(model, &dtmodel_history_mixin, NULL, NULL)),
			 errtable(table)));
}

/*
 * The place of a column in the history table.  The columns of both tables are
 * mostly in the same order, so the search goes on where the last one ended.
 */
static AttrNumber
find_place(Relation model, Relation table, const char *name, Oid type, int *next)
{
	TupleDesc	desc = RelationGetDescr(table);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, (*next + i) % desc->natts);

		if (att->attisdropped || namestrcmp(&att->attname, name) != 0)
			continue;
		if (att->atttypid != type)
			report_other_type(model, table, name, att->atttypid, type);
		*next = att->attnum;
		return att->attnum;
	}
	report_missing_column(model, table, name);
	return InvalidAttrNumber;
}

/*
 * Finds each column of the model, or of a partition, in the history table.  An
 * error if one is missing (42703) or has another type (42804): a version
 * without it would be wrong.
 */
DtHistoryMap
dtmodel_map_history(Relation model, const DtHistory *history, Relation table)
{
	TupleDesc	desc = RelationGetDescr(model);
	DtHistoryMap map;
	int			next = 0;

	for (int i = 0; i < DT_HISTORY_COLUMNS; i++)
		map.own[i] = find_place(model, table, dtmodel_history_columns[i].name,
								dtmodel_history_columns[i].type, &next);
	map.places = palloc0(sizeof(AttrNumber) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (dtmodel_has_past(model, history, att->attnum))
			map.places[i] = find_place(model, table, NameStr(att->attname),
									   att->atttypid, &next);
	}
	return map;
}

/* Whether a table can get the name: its row type has the same one. */
bool
dtmodel_is_free_for_table(const char *name, Oid schema)
{
	return !OidIsValid(get_relname_relid(name, schema)) &&
		!OidIsValid(GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									CStringGetDatum(name),
									ObjectIdGetDatum(schema)));
}

static bool
any_has_column(List *tables, const char *name)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (get_attnum(lfirst_oid(cell), name) != InvalidAttrNumber)
			return true;
	}
	return false;
}

/*
 * A name for a column of the past that has to give up its own: neither the
 * model nor the history has it, or what inherits from the history.
 */
char *
dtmodel_free_history_column(Oid model, Oid table, const char *name)
{
	List	   *tables = lock_inheritors(table, AccessExclusiveLock);
	char	   *chosen;
	int			number = 1;

	tables = lappend_oid(tables, model);
	do
		chosen = makeObjectName(name, psprintf("%d", number++), NULL);
	while (any_has_column(tables, chosen));
	return chosen;
}
