/*-------------------------------------------------------------------------
 *
 * criteria.c
 *	  Finding a row by criteria, and restoring it if it is deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/criteria.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/shown_key.h"
#include "server/record.h"
#include "server/subtransaction.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

static const char *const on_deleted_names[] = {
	[DT_DELETED_IGNORE] = "ignore",
	[DT_DELETED_RETURN] = "return",
	[DT_DELETED_RESTORE] = "restore",
	[DT_DELETED_ERROR] = "error",
};

/*
 * A transaction locks up to this many different criteria separately, and then
 * the whole table: the server has room for about 64 locks per transaction.
 */
#define MAX_CRITERIA_LOCKS 32

/*
 * The parts of a table's lock.  The first is for the table: transactions that
 * lock criteria share it, one that locks the whole table has it exclusively.
 */
#define TABLE_PART 1
#define FIRST_CRITERIA_PART 2
#define CRITERIA_PARTS (PG_INT16_MAX - FIRST_CRITERIA_PART + 1)

/* Added to a column in the set of a plan: the column must be null. */
#define NULL_COLUMN MaxHeapAttributeNumber

DtOnDeleted
dtmodel_on_deleted_argument(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;

	if (PG_ARGISNULL(argument))
		return DT_DELETED_IGNORE;
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	for (size_t i = 0; i < lengthof(on_deleted_names); i++)
	{
		if (strcmp(name, on_deleted_names[i]) == 0)
			return (DtOnDeleted) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown on_deleted \"%s\"", name),
			 errhint("on_deleted is \"ignore\", \"return\", \"restore\" or \"error\".")));
}

static Oid
equality_of(const DtDataPlace *place, const DtField *field)
{
	Oid			operator = lookup_type_cache(field->typid,
											 TYPECACHE_EQ_OPR)->eq_opr;

	if (!OidIsValid(operator))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("rows of table \"%s\" cannot be found by column \"%s\"",
						RelationGetRelationName(place->rel),
						NameStr(field->name)),
				 errdetail("Values of type %s cannot be compared.",
						   format_type_be(field->typid)),
				 errhint("Find the row by other columns."),
				 errtablecol(place->rel, field->attnum)));
	return operator;
}

static void
append_criterion(StringInfo query, const DtDataPlace *place,
				 const DtDataItem *given, int parameter)
{
	const char *column = quote_identifier(NameStr(given->field.name));

	/*
	 * "IS NULL" is also true of a composite value whose fields are all null.
	 */
	if (given->value.type == JENTRY_ISNULL)
	{
		appendStringInfo(query, DT_ROW_ALIAS ".%s IS NOT DISTINCT FROM NULL", column);
		return;
	}
	appendStringInfo(query, DT_ROW_ALIAS ".%s %s ", column,
					 dtmodel_qualified_operator(equality_of(place, &given->field)));
	dtmodel_append_value(query, &given->field, psprintf("$%d", parameter));
}

/*
 * "SELECT row, deleted FROM (SELECT ... WHERE ...) ORDER BY key LIMIT 1"
 *
 * The subquery finds the rows before they are sorted.  Otherwise the planner
 * might scan the whole index of the key, for its order, to find no row.
 */
static void
append_search(StringInfo query, const DtDataPlace *place,
			  const DtData *criteria, bool deleted, const char *condition)
{
	char	   *table = dtmodel_qualified_name(place->rel);
	DtKey		key = dtmodel_key_if_any(place->rel);

	appendStringInfo(query, "SELECT f.r, %s FROM (SELECT " DT_ROW_ALIAS ".*::%s AS r",
					 deleted ? "true" : "false", table);
	for (int i = 0; i < key.ncolumns; i++)
		appendStringInfo(query, ", " DT_ROW_ALIAS ".%s AS k%d",
						 quote_identifier(NameStr(key.columns[i].name)), i);
	appendStringInfo(query, " FROM %s AS " DT_ROW_ALIAS " WHERE ", table);
	for (int i = 0; i < criteria->count; i++)
	{
		append_criterion(query, place, &criteria->items[i], i + 1);
		appendStringInfoString(query, " AND ");
	}
	appendStringInfo(query, "%s OFFSET 0) AS f", condition);
	for (int i = 0; i < key.ncolumns; i++)
		appendStringInfo(query, "%s f.k%d", i == 0 ? " ORDER BY" : ",", i);
	appendStringInfoString(query, " LIMIT 1");
}

/*
 * Appends the query for a live row or, if there is none and that is wanted,
 * for a deleted one.  An index of live rows can be used for the first, one of
 * deleted rows for the second.  It is a single query, so that a row that is
 * restored meanwhile is not missed by both.
 */
static void
append_query(StringInfo query, const DtDataPlace *place,
			 const DtData *criteria, bool only_live)
{
	Relation	rel = place->rel;
	bool		is_soft = dtmodel_soft_delete_of(dtmodel_get_model(rel)) != NULL;
	DtSoftDelete columns = {0};

	if (is_soft)
		columns = dtmodel_usable_soft_delete(rel);
	if (is_soft && !only_live)
		appendStringInfoString(query, "WITH live AS (");
	append_search(query, place, criteria, false, is_soft ?
				  dtmodel_live_lookup_text(rel, &columns, DT_ROW_ALIAS) : "true");
	if (is_soft && !only_live)
	{
		appendStringInfoString(query, ") SELECT * FROM live UNION ALL (");
		append_search(query, place, criteria, true,
					  psprintf("%s AND NOT EXISTS (SELECT FROM live)",
							   dtmodel_deleted_lookup_text(rel, &columns, DT_ROW_ALIAS)));
		appendStringInfoString(query, ")");
	}
}

static SPIPlanPtr
find_plan(const DtDataPlace *place, const DtData *criteria, bool only_live)
{
	DtPlanPurpose purpose = only_live ? DT_PLAN_FIND_LIVE : DT_PLAN_FIND;
	Bitmapset  *set = bms_copy(criteria->columns);
	Oid		   *types;
	DtPlan		plan;

	for (int i = 0; i < criteria->count; i++)
	{
		if (criteria->items[i].value.type == JENTRY_ISNULL)
			set = bms_add_member(set, NULL_COLUMN + criteria->items[i].field.attnum);
	}
	plan = dtmodel_find_plan(RelationGetRelid(place->rel), purpose, set);
	if (plan.saved != NULL)
		return plan.saved;
	append_query(&plan.query, place, criteria, only_live);
	types = palloc(sizeof(Oid) * criteria->count);
	dtmodel_data_types(criteria, types);
	return dtmodel_save_plan(&plan, criteria->count, types);
}

static DtFound
find_row(const DtRowCall *call, const DtDataPlace *place,
		 const DtData *criteria, bool only_live, Datum *row)
{
	Datum	   *values = palloc(sizeof(Datum) * criteria->count);
	char	   *nulls = palloc(criteria->count);
	bool		deleted;

	dtmodel_data_values(place, criteria, values, nulls);
	if (!dtmodel_fetch_row_and_flag(call, find_plan(place, criteria, only_live),
									values, nulls, row, &deleted))
		return DT_FOUND_NONE;
	return deleted ? DT_FOUND_DELETED : DT_FOUND_LIVE;
}

/*
 * Finds the row whose columns have the values of the criteria: a live one
 * rather than a deleted one, and of several the one with the smallest key.
 * Sees what other transactions have committed by now.  Within SPI.
 */
DtFound
dtmodel_find_by_criteria(const DtRowCall *call, const DtDataPlace *place,
						 const DtData *criteria, Datum *row)
{
	return find_row(call, place, criteria, false, row);
}

/* The same for callers that ignore deleted rows. */
DtFound
dtmodel_find_live_by_criteria(const DtRowCall *call, const DtDataPlace *place,
							  const DtData *criteria, Datum *row)
{
	return find_row(call, place, criteria, true, row);
}

/* The state of an attempt to restore a row. */
typedef struct Restoration
{
	const DtRowCall *call;
	Datum	   *row;
	bool		found;
	bool		restored;
} Restoration;

static void
restore(void *argument)
{
	Restoration *restoration = argument;

	restoration->found = dtmodel_restore(restoration->call, restoration->row,
										 &restoration->restored);
}

/*
 * Restores the deleted row that was found.  Meanwhile another transaction may
 * have inserted a live one, which was not visible until it committed, and
 * prevented the restore: then the result is that row, unless it is deleted by
 * now.  Or it may have restored the row itself; "restored" says that we did.
 * Within SPI.
 */
DtFound
dtmodel_restore_found(const DtRowCall *call, const DtDataPlace *place,
					  const DtData *criteria, Datum *row, bool *restored)
{
	Restoration restoration = {.call = call,.row = row};
	ErrorData  *error = NULL;
	DtFound		found = DT_FOUND_DELETED;

	*restored = false;
	for (int i = 0; found == DT_FOUND_DELETED; i++)
	{
		if (i == DT_MAX_TRIES)
			ReThrowError(error);
		error = dtmodel_try_in_subtransaction(restore, &restoration);
		if (error == NULL)
		{
			*restored = restoration.restored;
			return restoration.found ? DT_FOUND_LIVE : DT_FOUND_NONE;
		}
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
			ReThrowError(error);
		found = dtmodel_find_by_criteria(call, place, criteria, row);
	}
	return found;
}

/* A hash that is the same for values that are equal for the column's type. */
static uint32
hash_of_value(Relation rel, const DtField *field, Datum value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  field->attnum - 1);
	TypeCacheEntry *type = lookup_type_cache(field->typid,
											 TYPECACHE_HASH_PROC_FINFO);

	if (field->kind == DT_FIELD_NESTED || !OidIsValid(type->hash_proc))
		return 0;
	return DatumGetUInt32(FunctionCall1Coll(&type->hash_proc_finfo,
											att->attcollation, value));
}

/* How many criteria the current transaction has locked; NULL for none. */
static int *criteria_locks = NULL;

static void
forget_criteria_locks(void *argument pg_attribute_unused())
{
	criteria_locks = NULL;
}

/*
 * Counts one more lock; returns whether it exceeds the maximum.  Locks that a
 * subtransaction has released are still counted, which does no harm.
 */
static bool
is_one_lock_too_many(void)
{
	if (criteria_locks == NULL)
	{
		MemoryContextCallback *callback =
			MemoryContextAllocZero(TopTransactionContext,
								   sizeof(MemoryContextCallback));

		criteria_locks = MemoryContextAllocZero(TopTransactionContext,
												sizeof(int));
		callback->func = forget_criteria_locks;
		MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	}
	return ++*criteria_locks > MAX_CRITERIA_LOCKS;
}

/*
 * For a partition, its partitioned table is locked, which other callers use.
 */
static bool
has_lock(Relation rel, uint16 part)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, RelationRelationId,
					   dtmodel_root_of(rel), part);
	return compat_lock_held_by_me(&tag, ExclusiveLock);
}

static void
lock_part(Relation rel, uint16 part, LOCKMODE lockmode)
{
	LockDatabaseObject(RelationRelationId, dtmodel_root_of(rel), part,
					   lockmode);
}

/*
 * Locks one part of the table until the end of the transaction, or the whole
 * table if the transaction has many locks already.
 */
static void
lock_criteria_part(Relation rel, uint16 part)
{
	if (has_lock(rel, TABLE_PART) || has_lock(rel, part))
		return;
	if (is_one_lock_too_many())
	{
		lock_part(rel, TABLE_PART, ExclusiveLock);
		return;
	}
	lock_part(rel, TABLE_PART, RowExclusiveLock);
	lock_part(rel, part, ExclusiveLock);
}

/* Uses the names of columns: partitions may have them in another order. */
static uint32
hash_of_criteria(const DtDataPlace *place, const DtData *criteria)
{
	Datum	   *values = palloc(sizeof(Datum) * criteria->count);
	char	   *nulls = palloc(criteria->count);
	uint32		hash = 0;

	dtmodel_data_values(place, criteria, values, nulls);
	for (int i = 0; i < criteria->count; i++)
	{
		const DtField *field = &criteria->items[i].field;
		uint32		value = nulls[i] == 'n' ? 0 :
			hash_of_value(place->rel, field, values[i]);

		hash = hash_combine(hash, hash_combine(string_hash(NameStr(field->name),
														   NAMEDATALEN), value));
	}
	return hash;
}

/*
 * Blocks other transactions that look for the same row until the end of ours.
 */
void
dtmodel_lock_criteria(const DtDataPlace *place, const DtData *criteria)
{
	uint32		hash = hash_of_criteria(place, criteria);

	lock_criteria_part(place->rel, FIRST_CRITERIA_PART + hash % CRITERIA_PARTS);
}

static AttrNumber *
key_columns(const DtKey *key)
{
	AttrNumber *columns = palloc(sizeof(AttrNumber) * Max(key->ncolumns, 1));

	for (int i = 0; i < key->ncolumns; i++)
		columns[i] = key->columns[i].attnum;
	return columns;
}

/*
 * The error for a deleted row that prevents a live one.  The index is the
 * unique one with which the new row would be in conflict, if there is one.
 */
void
dtmodel_report_deleted_row(const DtRowCall *call, Datum row, Oid index)
{
	DtKey		key = dtmodel_key_if_any(call->rel);
	AttrNumber *columns = key_columns(&key);
	HeapTupleData tuple = dtmodel_tuple_of_row(row);

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("a deleted row of table \"%s\" conflicts with the new row",
					RelationGetRelationName(call->rel)),
			 key.ncolumns > 0 &&
			 dtmodel_may_show(call->rel, key.ncolumns, columns) ?
			 errdetail("%s is deleted.",
					   dtmodel_shown_key(call->rel, key.ncolumns, columns, &tuple)) : 0,
			 errhint("Set on_deleted to \"restore\" or \"return\", or create the unique index for live rows only."),
			 OidIsValid(index) ?
			 errtableconstraint(call->rel, get_rel_name(index)) :
			 errtable(call->rel)));
}
