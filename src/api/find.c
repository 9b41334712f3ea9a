/*-------------------------------------------------------------------------
 *
 * find.c
 *	  The row that an object describes, and what to do when it is deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/find.h"
#include "catalog/pg_class.h"
#include "common/hashfn.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "mixin/soft_delete.h"
#include "model/scope.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static const char *const on_deleted_names[] = {
	[DT_DELETED_IGNORE] = "ignore",
	[DT_DELETED_RETURN] = "return",
	[DT_DELETED_RESTORE] = "restore",
	[DT_DELETED_ERROR] = "error",
};

/* So many locks for the criteria of one table, however many criteria. */
#define LOCKS 1024

/* In the set of a plan, a column that is to be null is as far from itself. */
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
				 const DtGiven *given, int parameter)
{
	const char *column = quote_identifier(NameStr(given->field.name));

	if (given->value.type == JENTRY_ISNULL)
	{
		appendStringInfo(query, DT_ROW ".%s IS NULL", column);
		return;
	}
	appendStringInfo(query, DT_ROW ".%s %s ", column,
					 dtmodel_qualified_operator(equality_of(place, &given->field)));
	dtmodel_append_value(query, &given->field, psprintf("$%d", parameter));
}

/* The query also tells whether the row is deleted; it prefers a live one. */
static char *
find_query(const DtDataPlace *place, const DtData *criteria)
{
	Relation	rel = place->rel;
	char	   *table = dtmodel_qualified_name(rel);
	DtKey		key = dtmodel_key_if_any(rel);
	const char *deleted = "false";
	DtSoftDelete columns;
	StringInfoData query;

	if (dtmodel_get_model(rel)->soft_delete != NULL)
	{
		columns = dtmodel_usable_soft_delete(rel);
		deleted = dtmodel_deleted_text(&columns, DT_ROW);
	}
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT " DT_ROW ".*::%s, %s FROM %s AS " DT_ROW " WHERE ",
					 table, deleted, table);
	for (int i = 0; i < criteria->count; i++)
	{
		appendStringInfoString(&query, i == 0 ? "" : " AND ");
		append_criterion(&query, place, &criteria->given[i], i + 1);
	}
	appendStringInfoString(&query, " ORDER BY 2");
	if (key.ncolumns > 0)
	{
		appendStringInfoString(&query, ", ");
		dtmodel_append_key_order(&query, &key, DT_ROW);
	}
	appendStringInfoString(&query, " LIMIT 1");
	return query.data;
}

static SPIPlanPtr
find_plan(const DtDataPlace *place, const DtData *criteria)
{
	Oid			relid = RelationGetRelid(place->rel);
	Bitmapset  *set = bms_copy(criteria->columns);
	Oid		   *types;
	SPIPlanPtr	plan;

	for (int i = 0; i < criteria->count; i++)
	{
		if (criteria->given[i].value.type == JENTRY_ISNULL)
			set = bms_add_member(set, NULL_COLUMN + criteria->given[i].field.attnum);
	}
	plan = dtmodel_find_plan_for(relid, DT_PLAN_FIND, set);
	if (plan != NULL)
		return plan;
	types = palloc(sizeof(Oid) * criteria->count);
	dtmodel_data_types(criteria, types);
	return dtmodel_save_plan_for(relid, DT_PLAN_FIND, set,
								 find_query(place, criteria),
								 criteria->count, types);
}

/*
 * Finds the row whose columns have the values of the criteria, a live one
 * rather than a deleted one, and of several the one with the least key.  What
 * others have committed by now is seen.  Within SPI.
 */
DtFound
dtmodel_find_row(const DtRowCall *call, const DtDataPlace *place,
				 const DtData *criteria, Datum *row)
{
	Datum	   *values = palloc(sizeof(Datum) * criteria->count);
	char	   *nulls = palloc(criteria->count);
	bool		deleted;

	dtmodel_data_values(place, criteria, values, nulls);
	if (!dtmodel_fetch_row_and_flag(call, find_plan(place, criteria), values,
									nulls, row, &deleted))
		return DT_FOUND_NONE;
	return deleted ? DT_FOUND_DELETED : DT_FOUND_LIVE;
}

/* What is tried to restore a row. */
typedef struct Restoration
{
	const DtRowCall *call;
	Datum	   *row;
	bool		found;
} Restoration;

static void
restore(void *argument)
{
	Restoration *restoration = argument;

	restoration->found = dtmodel_restore(restoration->call, restoration->row);
}

/*
 * Restores the deleted row that was found.  Beside it somebody else may have
 * made a live one, which we could not see until it was committed and kept
 * ours from being restored: then that is the row, unless it is deleted by now.
 * Within SPI.
 */
DtFound
dtmodel_restore_found(const DtRowCall *call, const DtDataPlace *place,
					  const DtData *criteria, Datum *row)
{
	Restoration restoration = {.call = call,.row = row};
	ErrorData  *error = NULL;
	DtFound		found = DT_FOUND_DELETED;

	for (int i = 0; found == DT_FOUND_DELETED; i++)
	{
		if (i == DT_TRIES)
			ReThrowError(error);
		error = dtmodel_try(restore, &restoration);
		if (error == NULL)
			return restoration.found ? DT_FOUND_LIVE : DT_FOUND_NONE;
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION)
			ReThrowError(error);
		found = dtmodel_find_row(call, place, criteria, row);
	}
	return found;
}

/* The same for criteria that the column's type holds to be the same. */
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

/* Keeps others who look for the same row out until our transaction ends. */
void
dtmodel_lock_criteria(const DtDataPlace *place, const DtData *criteria)
{
	Datum	   *values = palloc(sizeof(Datum) * criteria->count);
	char	   *nulls = palloc(criteria->count);
	uint32		hash = 0;

	dtmodel_data_values(place, criteria, values, nulls);
	for (int i = 0; i < criteria->count; i++)
	{
		uint32		part = nulls[i] == 'n' ? 0 :
			hash_of_value(place->rel, &criteria->given[i].field, values[i]);

		hash = hash_combine(hash, hash_combine(criteria->given[i].field.attnum,
											   part));
	}
	LockDatabaseObject(RelationRelationId, RelationGetRelid(place->rel),
					   (uint16) (hash % LOCKS) + 1, ExclusiveLock);
}

static char *
key_text(const DtKey *key, Datum row)
{
	DtKeyValues id = dtmodel_key_of_row(key, row);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(&text, "%s%s = %s", i == 0 ? "" : ", ",
						 NameStr(key->columns[i].name),
						 id.nulls[i] == 'n' ? "NULL" :
						 dtmodel_value_text(id.values[i], key->columns[i].typid));
	return text.data;
}

/* For a deleted row that stands in the way of a live one. */
void
dtmodel_report_deleted_row(const DtRowCall *call, Datum row)
{
	DtKey		key = dtmodel_key_if_any(call->rel);

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("a deleted row of table \"%s\" stands in the way",
					RelationGetRelationName(call->rel)),
			 key.ncolumns > 0 ?
			 errdetail("It is the one with %s.", key_text(&key, row)) : 0,
			 errhint("Let on_deleted be \"restore\" or \"return\", or make the unique index one of live rows alone."),
			 errtable(call->rel)));
}
