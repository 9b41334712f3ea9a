/*-------------------------------------------------------------------------
 *
 * parent_setup.c
 *	  A live row needs a live parent: creating and dropping the triggers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/live/live.h"
#include "mixin/live/parent.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/change.h"
#include "model/drift.h"
#include "model/foreign_key.h"
#include "model/shown_key.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The aliases of both tables in the queries below. */
#define CHILD "c"
#define PARENT "p"

/* An error shows this many orphans, and says so if there are more. */
#define SHOWN_ORPHANS 3

PG_FUNCTION_INFO_V1(dtmodel_require_live_parent);
PG_FUNCTION_INFO_V1(dtmodel_remove_live_parent);

static void
report_no_key(Relation rel, const DtLiveParent *asked)
{
	char	   *columns = dtmodel_column_list(RelationGetRelid(rel),
											  asked->ncolumns, asked->columns,
											  ", ", true);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("table \"%s\" has no foreign key on (%s)",
					RelationGetRelationName(rel), columns),
			 errdetail("The parent is the row that a foreign key on exactly these columns references."),
			 errhint("Use ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES ... first.",
					 dtmodel_qualified_name(rel), columns),
			 errtable(rel)));
}

static void
check_not_temporal(Relation rel, const DtForeignKey *key)
{
	if (!dtmodel_is_temporal(key))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a foreign key of table \"%s\" references periods",
					RelationGetRelationName(rel)),
			 errdetail("Its parent is not a single row that can be live or deleted."),
			 errtable(rel)));
}

/* "FROM child JOIN parent WHERE the child is live and the parent deleted" */
static char *
orphans_query(const DtChange *change, const DtForeignKey *key,
			  Relation parent)
{
	const DtSoftDelete *child = dtmodel_soft_delete_of(dtmodel_get_model(change->rel));
	DtSoftDelete columns;
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "FROM %s%s AS " CHILD " JOIN %s%s AS " PARENT " ON ",
					 dtmodel_only(change->rel), change->table,
					 dtmodel_only(parent), dtmodel_qualified_name(parent));
	dtmodel_append_reference(&query, key, PARENT, CHILD);
	columns = dtmodel_usable_soft_delete(parent);
	appendStringInfo(&query, " WHERE %s",
					 dtmodel_deleted_text(&columns, PARENT));
	if (child != NULL)
	{
		columns = dtmodel_usable_soft_delete(change->rel);
		appendStringInfo(&query, " AND %s", dtmodel_live_text(&columns, CHILD));
	}
	return query.data;
}

static char *
describe_orphans(const DtForeignKey *key)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint64 i = 0; i < Min(SPI_processed, SHOWN_ORPHANS); i++)
		appendStringInfo(&text, "%s(%s)", i > 0 ? ", " : "",
						 dtmodel_shown_values(SPI_tuptable->vals[i],
											  SPI_tuptable->tupdesc, key->ncolumns,
											  NULL));
	if (SPI_processed > SHOWN_ORPHANS)
		appendStringInfoString(&text, " and others");
	return text.data;
}

static void
report_orphans(const DtChange *change, const DtForeignKey *key,
			   Relation parent, const char *query, const char *orphans)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("table \"%s\" has live rows under deleted rows of table \"%s\"",
					RelationGetRelationName(change->rel),
					RelationGetRelationName(parent)),
			 errdetail("Their key (%s) is %s.",
					   dtmodel_column_list(key->child, key->ncolumns, key->child_columns,
										   ", ", false), orphans),
			 errhint("Delete them, or restore their parents. To find them: SELECT " CHILD ".* %s;",
					 query),
			 dtmodel_errforeignkey(key)));
}

/*
 * Checks that there are no orphans among the live rows yet.  Runs as the
 * caller, who must be able to read the parents for it.
 */
static void
check_rows(const DtChange *change, const DtForeignKey *key,
		   Relation parent)
{
	char	   *query = orphans_query(change, key, parent);
	StringInfoData select;
	MemoryContext caller = CurrentMemoryContext;
	char	   *orphans = NULL;

	dtmodel_check_sees_all(parent, "Not all live rows under deleted rows could be found.",
						   "require_live_parent");
	initStringInfo(&select);
	appendStringInfoString(&select, DT_OWN_QUERY "SELECT DISTINCT ");
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(&select, "%s" CHILD ".%s", i > 0 ? ", " : "",
						 dtmodel_column_list(key->child, 1, &key->child_columns[i],
											 "", true));
	appendStringInfo(&select, " %s ORDER BY 1", query);

	SPI_connect();
	dtmodel_read_under_lock(select.data, SHOWN_ORPHANS + 1);
	if (SPI_processed > 0)
		orphans = MemoryContextStrdup(caller, describe_orphans(key));
	SPI_finish();
	if (orphans != NULL)
		report_orphans(change, key, parent, query, orphans);
}

static void
check_key(const DtChange *change, const DtForeignKey *key)
{
	Relation	parent = table_open(key->parent, AccessShareLock);

	(void) dtmodel_usable_soft_delete(parent);
	check_not_temporal(change->rel, key);
	if (dtmodel_checks_rows(change))
		check_rows(change, key, parent);
	table_close(parent, NoLock);
}

/* The trigger for exactly these columns, in any order. */
static const Trigger *
find_trigger(Relation rel, const DtLiveParent *asked)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		DtLiveParent live_parent;

		if (dtmodel_trigger_type(trigger) != &dtmodel_live_triggers[DT_LIVE_PARENT])
			continue;
		live_parent = dtmodel_read_live_parent(trigger);
		if (dtmodel_same_columns(live_parent.ncolumns, live_parent.columns,
								 asked->ncolumns, asked->columns))
			return trigger;
	}
	return NULL;
}

static bool
has_trigger_name(Relation rel, const char *name)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			return true;
	}
	return false;
}

/* zz_dtmodel_live_parent_<column>..., with a number if that is in use. */
static char *
choose_name(Relation rel, const DtLiveParent *asked)
{
	const char *stem = dtmodel_live_triggers[DT_LIVE_PARENT].name;
	char	   *columns = dtmodel_column_list(RelationGetRelid(rel),
											  asked->ncolumns, asked->columns,
											  "_", false);
	char	   *name = makeObjectName(stem, columns, NULL);

	for (int i = 1; has_trigger_name(rel, name); i++)
		name = makeObjectName(stem, columns, psprintf("%d", i));
	return name;
}

static void
set_trigger(DtChange *change, const DtLiveParent *asked, const char *name)
{
	dtmodel_add_statement(change, DT_TRIGGER_LOCK,
						  psprintf("set trigger \"%s\"", name),
						  psprintf("CREATE OR REPLACE TRIGGER %s AFTER INSERT OR UPDATE OF %s ON %s "
								   "FOR EACH ROW EXECUTE FUNCTION %s.%s()",
								   quote_identifier(name),
								   dtmodel_column_list(RelationGetRelid(change->rel),
													   asked->ncolumns, asked->columns,
													   ", ", true),
								   change->table, DTMODEL_INTERNAL_SCHEMA,
								   dtmodel_live_triggers[DT_LIVE_PARENT].function));
}

/* Makes sure that the table has the trigger. */
static void
change_trigger(DtChange *change, const DtLiveParent *asked)
{
	const Trigger *trigger = find_trigger(change->rel, asked);

	if (trigger == NULL)
		set_trigger(change, asked, choose_name(change->rel, asked));
	else if (trigger->tgenabled == TRIGGER_DISABLED)
		set_trigger(change, asked, trigger->tgname);
}

/* The keys of the table's triggers, except those of one trigger. */
static List *
required_keys(Relation rel, const Trigger *except)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);
	List	   *keys = NIL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		DtLiveParent live_parent;

		if (dtmodel_trigger_type(trigger) != &dtmodel_live_triggers[DT_LIVE_PARENT] ||
			(except != NULL && trigger->tgoid == except->tgoid))
			continue;
		live_parent = dtmodel_read_live_parent(trigger);
		keys = list_concat(keys, dtmodel_live_parent_keys(rel, &live_parent));
	}
	return keys;
}

/*
 * Appends "OR the key has changed", for each of its columns.  If a column is
 * null, the row has no parent.
 */
static void
append_new_key(StringInfo when, const DtForeignKey *key)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		appendStringInfo(when, "%s(NEW.%s IS NOT NULL AND (",
						 when->len > 0 ? " OR " : "",
						 dtmodel_column_list(key->child, 1, &key->child_columns[i],
											 "", true));
		dtmodel_append_same_parent(when, key, i, "OLD", "NEW");
		appendStringInfoString(when, ") IS NOT TRUE)");
	}
}

/*
 * "A live row gets another parent, or becomes live".  The time is used even
 * if there is a flag, since it means the same and is never inverted.
 */
static char *
update_condition(List *keys, const char *deleted_at)
{
	DtSoftDelete by_time = {0};
	StringInfoData when;
	ListCell   *cell;

	initStringInfo(&when);
	foreach(cell, keys)
		append_new_key(&when, lfirst(cell));
	if (deleted_at == NULL)
		return when.data;
	namestrcpy(&by_time.deleted_at.name, deleted_at);
	return psprintf("%s AND (%s OR %s)", dtmodel_live_text(&by_time, "NEW"),
					dtmodel_deleted_text(&by_time, "OLD"), when.data);
}

/* The columns of the new row that the condition uses. */
static Bitmapset *
expected_columns(Relation rel, List *keys, const char *deleted_at)
{
	Bitmapset  *columns = NULL;
	DtColumn	column;
	ListCell   *cell;

	foreach(cell, keys)
	{
		const DtForeignKey *key = lfirst(cell);

		for (int i = 0; i < key->ncolumns; i++)
			columns = bms_add_member(columns, key->child_columns[i] -
									 FirstLowInvalidHeapAttributeNumber);
	}
	dtmodel_find_column(RelationGetDescr(rel), deleted_at, &column);
	if (dtmodel_column_is_used(&column))
		columns = bms_add_member(columns, column.attnum -
								 FirstLowInvalidHeapAttributeNumber);
	return columns;
}

/*
 * Whether the trigger is fired when it must be.  Its condition always has the
 * same form, so it is enough to compare its columns.
 */
static bool
fires_as_needed(Relation rel, const Trigger *trigger, List *keys,
				const char *deleted_at)
{
	Bitmapset  *columns = NULL;

	if (trigger->tgqual == NULL)
		return true;
	pull_varattnos(stringToNode(trigger->tgqual), PRS2_NEW_VARNO, &columns);
	return trigger->tgnattr == 0 &&
		bms_equal(columns, expected_columns(rel, keys, deleted_at));
}

/*
 * Creates or drops the trigger for UPDATE, as needed for these keys.  It is
 * created after the triggers that name the keys.
 */
static void
change_update_trigger(DtChange *change, List *keys, const char *deleted_at)
{
	const DtTriggerType *type = &dtmodel_live_triggers[DT_LIVE_PARENT_UPDATE];
	const Trigger *trigger = dtmodel_find_trigger(change->rel, type);

	if (keys == NIL)
		dtmodel_drop_trigger(change, type);
	else if (trigger == NULL || trigger->tgenabled == TRIGGER_DISABLED ||
			 !fires_as_needed(change->rel, trigger, keys, deleted_at))
		dtmodel_set_after_trigger(change, type, "UPDATE",
								  update_condition(keys, deleted_at));
}

/*
 * For a table to which soft delete is added, with this name of deleted_at, or
 * from which it is removed, with NULL.
 */
void
dtmodel_change_live_parents(DtChange *change, const char *deleted_at)
{
	change_update_trigger(change, required_keys(change->rel, NULL), deleted_at);
}

/* The table's own deleted_at; NULL if all its rows are live. */
static const char *
own_deleted_at(Relation rel)
{
	const DtSoftDelete *columns = dtmodel_soft_delete_of(dtmodel_get_model(rel));

	return columns == NULL ? NULL : pstrdup(NameStr(columns->deleted_at.name));
}

/* The call of a function for the rule on these columns. */
static char *
rule_call(Relation rel, const char *function, int ncolumns,
		  const AttrNumber *columns)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "SELECT %s.%s(%s", DTMODEL_SCHEMA, function,
					 dtmodel_quoted_name(rel));
	for (int i = 0; i < ncolumns; i++)
		appendStringInfo(&call, ", %s",
						 quote_literal_cstr(get_attname(RelationGetRelid(rel),
														columns[i], false)));
	appendStringInfoChar(&call, ')');
	return call.data;
}

static char *
require_call(Relation rel, int ncolumns, const AttrNumber *columns)
{
	return rule_call(rel, "require_live_parent", ncolumns, columns);
}

/* Whether rows of the table can be deleted softly. */
static bool
has_soft_delete(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		result;

	if (rel == NULL)
		return true;
	result = dtmodel_soft_delete_of(dtmodel_get_model(rel)) != NULL;
	relation_close(rel, AccessShareLock);
	return result;
}

/* The first parent that has no soft delete; InvalidOid for none. */
static Oid
parent_without_soft_delete(List *keys)
{
	ListCell   *cell;

	foreach(cell, keys)
	{
		const DtForeignKey *key = lfirst(cell);

		if (!has_soft_delete(key->parent))
			return key->parent;
	}
	return InvalidOid;
}

/* The statements that create a trigger for live parents again. */
static char *
replace_statements(Relation rel, const Trigger *trigger, int ncolumns,
				   const AttrNumber *columns)
{
	return psprintf("DROP TRIGGER %s ON %s; %s",
					quote_identifier(trigger->tgname),
					dtmodel_qualified_name(rel),
					require_call(rel, ncolumns, columns));
}

/* Reports what prevents a trigger that names keys from working. */
void
dtmodel_drift_of_live_parent(DtDrift *drift, Relation rel, const Trigger *trigger)
{
	DtLiveParent live_parent = dtmodel_read_live_parent(trigger);
	List	   *keys = dtmodel_live_parent_keys(rel, &live_parent);
	char	   *remove = rule_call(rel, "remove_live_parent",
								   live_parent.ncolumns, live_parent.columns);
	Oid			parent = parent_without_soft_delete(keys);

	if (keys == NIL)
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("create it again, or use %s", remove),
							 "trigger \"%s\" has no foreign key",
							 trigger->tgname);
	else if (OidIsValid(parent))
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("add it to that table, or use %s", remove),
							 "trigger \"%s\" checks nothing, since table \"%s\" has no soft delete",
							 trigger->tgname, get_rel_name(parent));
	else if (!TRIGGER_FOR_INSERT(trigger->tgtype) ||
			 !TRIGGER_FOR_ROW(trigger->tgtype) ||
			 !TRIGGER_FOR_AFTER(trigger->tgtype) || trigger->tgqual != NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statements(rel, trigger,
												live_parent.ncolumns,
												live_parent.columns),
							 "trigger \"%s\" is not fired when it must be",
							 trigger->tgname);
}

/*
 * The first foreign key that the condition of the trigger for UPDATE has, and
 * no trigger names: that trigger was dropped.  NULL if there is none.
 */
static const DtForeignKey *
lost_key(Relation rel, const Trigger *trigger, List *keys)
{
	Bitmapset  *columns = NULL;
	ListCell   *cell;

	if (trigger == NULL || trigger->tgqual == NULL)
		return NULL;
	pull_varattnos(stringToNode(trigger->tgqual), PRS2_NEW_VARNO, &columns);
	columns = bms_difference(columns, expected_columns(rel, keys, own_deleted_at(rel)));
	foreach(cell, dtmodel_keys_from(rel))
	{
		const DtForeignKey *key = lfirst(cell);
		bool		found = true;

		for (int i = 0; i < key->ncolumns; i++)
			found = found &&
				bms_is_member(key->child_columns[i] - FirstLowInvalidHeapAttributeNumber,
							  columns);
		if (found)
			return key;
	}
	return NULL;
}

/* False if the table has soft delete, and its deleted_at is missing. */
static bool
knows_deleted_at(Relation rel)
{
	const DtSoftDelete *columns = dtmodel_soft_delete_of(dtmodel_get_model(rel));

	return columns == NULL || AttributeNumberIsValid(columns->deleted_at.attnum);
}

static bool
fires_for_updates(const Trigger *trigger)
{
	return TRIGGER_FOR_UPDATE(trigger->tgtype) &&
		TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_AFTER(trigger->tgtype);
}

/* The same for the trigger for UPDATE, which a table may have without keys. */
void
dtmodel_drift_of_live_parents(DtDrift *drift, Relation rel)
{
	const DtTriggerType *type = &dtmodel_live_triggers[DT_LIVE_PARENT_UPDATE];
	const Trigger *trigger = dtmodel_find_trigger(rel, type);
	List	   *keys = required_keys(rel, NULL);
	const DtForeignKey *lost = lost_key(rel, trigger, keys);
	const DtForeignKey *key = lost != NULL || keys == NIL ? lost : linitial(keys);
	char	   *require;

	if (key == NULL)
		return;
	require = require_call(rel, key->ncolumns, key->child_columns);
	if (lost != NULL)
		dtmodel_append_drift(drift, DT_REPAIR, require,
							 "no trigger makes \"%s\" refer to live parents when a row is inserted",
							 dtmodel_column_list(key->child, key->ncolumns,
												 key->child_columns, ", ", false));
	else if (trigger == NULL)
		dtmodel_append_drift(drift, DT_REPAIR, require,
							 "trigger \"%s\" does not exist", type->name);
	else if (!fires_for_updates(trigger))
		dtmodel_append_drift(drift, DT_REPAIR,
							 replace_statements(rel, trigger, key->ncolumns,
												key->child_columns),
							 "trigger \"%s\" is not fired when it must be",
							 trigger->tgname);
	else if (knows_deleted_at(rel) &&
			 !fires_as_needed(rel, trigger, keys, own_deleted_at(rel)))
		dtmodel_append_drift(drift, DT_REPAIR, require,
							 "trigger \"%s\" is not fired by every UPDATE that gives a row another parent or restores it",
							 trigger->tgname);
}

static void
require_live_parent(DtChange *change, const void *arguments)
{
	FunctionCallInfo fcinfo = (FunctionCallInfo) arguments;
	DtLiveParent asked;
	List	   *keys;
	ListCell   *cell;

	asked.columns = dtmodel_columns_argument(fcinfo, change->rel, &asked.ncolumns);
	keys = dtmodel_live_parent_keys(change->rel, &asked);
	if (keys == NIL)
		report_no_key(change->rel, &asked);
	if (find_trigger(change->rel, &asked) == NULL)
		dtmodel_announce(change, DT_TRIGGER_LOCK,
						 "it is read, to see whether all parents are live", NULL);
	foreach(cell, keys)
		check_key(change, lfirst(cell));
	if (find_trigger(change->rel, &asked) == NULL)
		keys = list_concat(keys, required_keys(change->rel, NULL));
	else
		keys = required_keys(change->rel, NULL);
	change_trigger(change, &asked);
	change_update_trigger(change, keys, own_deleted_at(change->rel));
}

/*
 * require_live_parent(child regclass, VARIADIC fk_columns name[]) returns void
 *
 * Makes the table refuse live rows whose parent, by the foreign key on these
 * columns, is deleted.  Each foreign key gets a trigger, and the table one
 * more for UPDATE; calling it again repairs them.  An error for a NULL
 * (22004), for an unknown column (42703), where there is no such foreign key
 * (42704), where it references periods (0A000), for a parent without soft
 * delete (42809), for live rows that are under deleted ones now (23503), and
 * for a caller who may not read all parents (42501).
 *
 * Source: none; the reference document dtpyfw.db.model leaves references to
 * the application.
 */
Datum
dtmodel_require_live_parent(PG_FUNCTION_ARGS)
{
	dtmodel_change_table(dtmodel_model_argument(fcinfo), require_live_parent,
						 fcinfo);
	PG_RETURN_VOID();
}

static void
remove_live_parent(DtChange *change, const void *arguments)
{
	FunctionCallInfo fcinfo = (FunctionCallInfo) arguments;
	DtLiveParent asked;
	const Trigger *trigger;

	asked.columns = dtmodel_columns_argument(fcinfo, change->rel, &asked.ncolumns);
	trigger = find_trigger(change->rel, &asked);
	if (trigger == NULL)
		return;
	dtmodel_drop_named_trigger(change, trigger->tgname);
	change_update_trigger(change, required_keys(change->rel, trigger),
						  own_deleted_at(change->rel));
}

/*
 * remove_live_parent(child regclass, VARIADIC fk_columns name[]) returns void
 *
 * Drops the trigger for these columns, whether the foreign key still exists
 * or not.  Does nothing to a table without it.
 */
Datum
dtmodel_remove_live_parent(PG_FUNCTION_ARGS)
{
	dtmodel_change_table(dtmodel_model_argument(fcinfo), remove_live_parent,
						 fcinfo);
	PG_RETURN_VOID();
}
