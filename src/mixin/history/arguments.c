/*-------------------------------------------------------------------------
 *
 * arguments.c
 *	  The arguments of the triggers of histories, in the catalog.
 *
 * A command on one table may need to know which model it belongs to, or has to
 * rename what the trigger of another names.  Here the triggers are read without
 * a lock on their tables, and changed in place: so each stays as the user has
 * enabled, renamed or restricted it, on partitions too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/history/arguments.h"
#include "mixin/history/table.h"
#include "server/dependents.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define TABLE_KEY "history="
#define AS_OF_KEY "as_of="
#define EXCLUDE_KEY "exclude="

/* The function of the triggers; InvalidOid without the extension. */
static Oid
history_function(void)
{
	Oid			schema = get_namespace_oid(DTMODEL_INTERNAL_SCHEMA, true);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(dtmodel_history_triggers[DT_HISTORY].function),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(schema));
}

static bool
is_history_trigger(HeapTuple tuple)
{
	const char *function =
		dtmodel_function_name(((Form_pg_trigger) GETSTRUCT(tuple))->tgfoid,
							  DTMODEL_INTERNAL_SCHEMA);

	return function != NULL &&
		strcmp(function, dtmodel_history_triggers[DT_HISTORY].function) == 0;
}

/* The arguments are stored one after another, each with its final zero. */
static List *
arguments_of(Relation catalog, HeapTuple tuple)
{
	int			count = ((Form_pg_trigger) GETSTRUCT(tuple))->tgnargs;
	List	   *arguments = NIL;
	bool		isnull;
	bytea	   *bytes;
	const char *argument;

	if (count == 0)
		return NIL;
	bytes = DatumGetByteaPCopy(fastgetattr(tuple, Anum_pg_trigger_tgargs,
										   RelationGetDescr(catalog), &isnull));
	argument = VARDATA(bytes);
	for (int i = 0; i < count; i++)
	{
		arguments = lappend(arguments, pstrdup(argument));
		argument += strlen(argument) + 1;
	}
	return arguments;
}

/* What follows the key in an argument; NULL for any other argument. */
static const char *
value_of(const char *argument, const char *key)
{
	return strncmp(argument, key, strlen(key)) == 0 ? argument + strlen(key) : NULL;
}

static const char *
find_value(List *arguments, const char *key)
{
	ListCell   *cell;

	foreach(cell, arguments)
	{
		const char *value = value_of(lfirst(cell), key);

		if (value != NULL)
			return value;
	}
	return "";
}

static DtHistoryNames *
read_names(Relation catalog, HeapTuple tuple)
{
	List	   *arguments = arguments_of(catalog, tuple);
	DtHistoryNames *names = palloc(sizeof(DtHistoryNames));

	names->model = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
	names->table = find_value(arguments, TABLE_KEY);
	names->as_of = find_value(arguments, AS_OF_KEY);
	return names;
}

/* Begins a scan of the triggers with this value in a column of an index. */
static SysScanDesc
begin_scan(Relation catalog, AttrNumber column, Oid index, Oid value)
{
	ScanKeyData key;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(value));
	return systable_beginscan(catalog, index, true, NULL, 1, &key);
}

/* The history of a table, or of a partition's root; NULL for none. */
DtHistoryNames *
dtmodel_history_names(Oid model)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = begin_scan(catalog, Anum_pg_trigger_tgrelid,
								  TriggerRelidNameIndexId, model);
	DtHistoryNames *names = NULL;
	HeapTuple	tuple;

	while (names == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (is_history_trigger(tuple))
			names = read_names(catalog, tuple);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return names;
}

/* Adds the trigger's model, unless it is a clone on a partition. */
static void
add_names(List **all, Relation catalog, Oid trigger)
{
	SysScanDesc scan = begin_scan(catalog, Anum_pg_trigger_oid,
								  TriggerOidIndexId, trigger);
	HeapTuple	tuple = systable_getnext(scan);

	if (HeapTupleIsValid(tuple) &&
		!OidIsValid(((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid))
		*all = lappend(*all, read_names(catalog, tuple));
	systable_endscan(scan);
}

/* The DtHistoryNames of all models of the database. */
List *
dtmodel_all_histories(void)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	List	   *all = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_dependents(ProcedureRelationId, history_function(),
									 TriggerRelationId))
		add_names(&all, catalog, lfirst_oid(cell));
	table_close(catalog, AccessShareLock);
	return all;
}

/*
 * The table of the past, in the model's schema.  The trigger of another role's
 * table may name it too, but then it is not that table's.
 */
Oid
dtmodel_named_history(const DtHistoryNames *names)
{
	return dtmodel_owned_history(names->model, names->table,
								 get_rel_namespace(names->model));
}

/* The model whose history this is; NULL for any other table. */
const DtHistoryNames *
dtmodel_model_of_history(Oid table)
{
	ListCell   *cell;

	/* Most tables are not histories; for these, no model is searched. */
	if (!OidIsValid(table) || !dtmodel_is_history_table(table))
		return NULL;
	foreach(cell, dtmodel_all_histories())
	{
		const DtHistoryNames *names = lfirst(cell);

		if (dtmodel_named_history(names) == table)
			return names;
	}
	return NULL;
}

/* The columns without a past as an array literal. */
char *
dtmodel_excluded_literal(const DtHistory *history)
{
	Datum	   *names = palloc(sizeof(Datum) * history->nexcluded);

	for (int i = 0; i < history->nexcluded; i++)
		names[i] = CStringGetTextDatum(NameStr(history->excluded[i].name));
	return OidOutputFunctionCall(F_ARRAY_OUT,
								 PointerGetDatum(construct_array(names, history->nexcluded,
																 TEXTOID, -1, false,
																 TYPALIGN_INT)));
}

/* The argument with its new value; NULL if it is to be removed. */
static const char *
new_argument(const char *argument, const DtHistory *history)
{
	if (value_of(argument, TABLE_KEY) != NULL)
		return psprintf(TABLE_KEY "%s", NameStr(history->table));
	if (value_of(argument, AS_OF_KEY) != NULL)
		return psprintf(AS_OF_KEY "%s", NameStr(history->as_of));
	if (value_of(argument, EXCLUDE_KEY) == NULL)
		return argument;
	return history->nexcluded == 0 ? NULL :
		psprintf(EXCLUDE_KEY "%s", dtmodel_excluded_literal(history));
}

static void
update_trigger(Relation catalog, HeapTuple tuple, const DtHistory *history)
{
	Datum		values[Natts_pg_trigger] = {0};
	bool		nulls[Natts_pg_trigger] = {0};
	bool		replace[Natts_pg_trigger] = {0};
	StringInfoData bytes;
	int16		count = 0;
	ListCell   *cell;

	initStringInfo(&bytes);
	foreach(cell, arguments_of(catalog, tuple))
	{
		const char *argument = new_argument(lfirst(cell), history);

		if (argument == NULL)
			continue;
		appendBinaryStringInfo(&bytes, argument, strlen(argument) + 1);
		count++;
	}
	values[Anum_pg_trigger_tgnargs - 1] = Int16GetDatum(count);
	replace[Anum_pg_trigger_tgnargs - 1] = true;
	values[Anum_pg_trigger_tgargs - 1] =
		PointerGetDatum(cstring_to_text_with_len(bytes.data, bytes.len));
	replace[Anum_pg_trigger_tgargs - 1] = true;
	tuple = heap_modify_tuple(tuple, RelationGetDescr(catalog), values, nulls,
							  replace);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
}

static void
update_triggers(Relation catalog, Oid relid, const DtHistory *history)
{
	SysScanDesc scan = begin_scan(catalog, Anum_pg_trigger_tgrelid,
								  TriggerRelidNameIndexId, relid);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (is_history_trigger(tuple))
			update_trigger(catalog, tuple, history);
	}
	systable_endscan(scan);
	CacheInvalidateRelcacheByRelid(relid);
}

/* Changes the arguments of the model's trigger, and of those of its partitions. */
void
dtmodel_set_history_arguments(Relation model, const DtHistory *history)
{
	Relation	catalog = table_open(TriggerRelationId, RowExclusiveLock);
	List	   *tables = list_make1_oid(RelationGetRelid(model));
	ListCell   *cell;

	if (model->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		tables = find_all_inheritors(RelationGetRelid(model),
									 ShareRowExclusiveLock, NULL);
	foreach(cell, tables)
		update_triggers(catalog, lfirst_oid(cell), history);
	table_close(catalog, RowExclusiveLock);
	CommandCounterIncrement();
}
