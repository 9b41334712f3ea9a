/*-------------------------------------------------------------------------
 *
 * read.c
 *	  Reading rows: by key, in pages, and counting them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/read.h"
#include "api/result_receiver.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(dtmodel_get_by_id);
PG_FUNCTION_INFO_V1(dtmodel_exists);
PG_FUNCTION_INFO_V1(dtmodel_count);
PG_FUNCTION_INFO_V1(dtmodel_get_all);
PG_FUNCTION_INFO_V1(dtmodel_get_deleted);

/* Members of the sets that distinguish plans of one purpose. */
#define LIVE_ROWS 1
#define AFTER_KEY 2

/* Members of the set of a plan for deleted rows: its conditions. */
#define DELETED_AT 1
#define DELETED_SINCE 2

/*
 * get_by_id(model anyelement, id anycompatible) returns anyelement
 *
 * The row with this primary key, deleted or not.  NULL if there is none that
 * the caller may see, and for a NULL id; an id that the key's type cannot
 * read is that type's error.
 *
 * Source: ModelBase.get_by_id of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_by_id(PG_FUNCTION_ARGS)
{
	DtRowCall	call;
	bool		found;
	Datum		row = (Datum) 0;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	dtmodel_set_row_by_id(&call, fcinfo);
	found = dtmodel_select_row(&call, &row);
	return dtmodel_end_row_call(&call, fcinfo, row, !found);
}

/* The table's soft delete if only live rows are wanted; otherwise NULL. */
static const DtSoftDelete *
live_rows(Relation rel, bool include_deleted, DtSoftDelete *columns)
{
	if (include_deleted || dtmodel_soft_delete_of(dtmodel_get_model(rel)) == NULL)
		return NULL;
	*columns = dtmodel_usable_soft_delete(rel);
	return columns;
}

/* Distinguishes plans for live rows from those for all. */
static Bitmapset *
live_set(const DtSoftDelete *live)
{
	return live == NULL ? NULL : bms_make_singleton(LIVE_ROWS);
}

static SPIPlanPtr
exists_plan(Relation rel, const DtKey *key, const DtSoftDelete *live)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel), DT_PLAN_EXISTS,
										 live_set(live));

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT FROM %s AS " DT_ROW_ALIAS " WHERE ",
					 dtmodel_qualified_name(rel));
	dtmodel_append_key_condition(&plan.query, key, DT_ROW_ALIAS);
	if (live != NULL)
		appendStringInfo(&plan.query, " AND %s", dtmodel_live_text(live, DT_ROW_ALIAS));
	return dtmodel_save_plan(&plan, key->ncolumns, dtmodel_key_types(key));
}

/*
 * exists(model anyelement, id anycompatible,
 *		  include_deleted boolean DEFAULT false) returns boolean
 *
 * Whether there is a row with this primary key that the caller may see; a
 * deleted row counts only with include_deleted.  False for a NULL id; an id
 * that the key's type cannot read is that type's error.
 *
 * Source: ModelBase.exists of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_exists(PG_FUNCTION_ARGS)
{
	DtRowCall	call;
	DtSoftDelete columns;
	const DtSoftDelete *live;
	bool		found = false;

	if (PG_ARGISNULL(1))
		PG_RETURN_BOOL(false);
	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	live = live_rows(call.rel, dtmodel_flag_argument(fcinfo, 2, false), &columns);
	dtmodel_set_row_by_id(&call, fcinfo);
	if (call.id.complete)
	{
		SPI_connect();
		dtmodel_read_plan(exists_plan(call.rel, &call.key, live),
						  call.id.values, call.id.nulls);
		found = SPI_processed > 0;
		SPI_finish();
	}
	dtmodel_close_row_call(&call);
	PG_RETURN_BOOL(found);
}

static SPIPlanPtr
count_plan(Relation rel, const DtSoftDelete *live)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel), DT_PLAN_COUNT,
										 live_set(live));

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT pg_catalog.count(*) FROM %s AS " DT_ROW_ALIAS " WHERE %s",
					 dtmodel_qualified_name(rel),
					 live == NULL ? "true" : dtmodel_live_text(live, DT_ROW_ALIAS));
	return dtmodel_save_plan(&plan, 0, NULL);
}

/*
 * count(model anyelement, include_deleted boolean DEFAULT false)
 * returns bigint
 *
 * The number of rows; deleted rows count only with include_deleted.
 *
 * Source: ModelBase.count of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_count(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	DtSoftDelete columns;
	const DtSoftDelete *live = live_rows(call.rel,
										 dtmodel_flag_argument(fcinfo, 1, false),
										 &columns);
	bool		isnull;
	Datum		count;

	SPI_connect();
	dtmodel_read_plan(count_plan(call.rel, live), NULL, NULL);
	count = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull);
	/* If it is passed by reference, it would be freed with SPI's memory. */
	count = Int64GetDatum(DatumGetInt64(count));
	SPI_finish();
	dtmodel_close_row_call(&call);
	return count;
}

static void
append_list(StringInfo query, Relation rel, const DtKey *key,
			const DtSoftDelete *live, bool after)
{
	appendStringInfoString(query, "SELECT ");
	dtmodel_append_row(query, rel);
	appendStringInfo(query, " FROM %s AS " DT_ROW_ALIAS " WHERE %s",
					 dtmodel_qualified_name(rel),
					 live == NULL ? "true" : dtmodel_live_text(live, DT_ROW_ALIAS));
	if (after)
	{
		appendStringInfoString(query, " AND ");
		dtmodel_append_key_after(query, key, DT_ROW_ALIAS, DT_LIST_PAGE + 1);
	}
	if (key->ncolumns > 0)
	{
		appendStringInfoString(query, " ORDER BY ");
		dtmodel_append_key_order(query, key, DT_ROW_ALIAS);
	}
	appendStringInfoString(query, " LIMIT $1 OFFSET $2");
}

/* Not within SPI, which the planner does not need if there is a plan. */
static SPIPlanPtr
list_plan(Relation rel, const DtKey *key, const DtSoftDelete *live, bool after)
{
	Bitmapset  *set = live_set(live);
	int			count = DT_LIST_PAGE + (after ? key->ncolumns : 0);
	Oid		   *types;
	DtPlan		plan;

	if (after)
		set = bms_add_member(set, AFTER_KEY);
	plan = dtmodel_find_plan(RelationGetRelid(rel), DT_PLAN_LIST, set);
	if (plan.saved != NULL)
		return plan.saved;
	append_list(&plan.query, rel, key, live, after);
	types = palloc(sizeof(Oid) * count);
	types[0] = types[1] = INT8OID;
	memcpy(types + DT_LIST_PAGE, dtmodel_key_types(key),
		   sizeof(Oid) * (count - DT_LIST_PAGE));
	SPI_connect();
	plan.saved = dtmodel_save_plan(&plan, count, types);
	SPI_finish();
	return plan.saved;
}

/*
 * What a call of get_all lists.  Without "after", the key to begin after,
 * there need not be a primary key, and so no order.
 */
DtList
dtmodel_list(Relation rel, bool include_deleted, const DtListAfter *after)
{
	DtSoftDelete columns;
	const DtSoftDelete *live = live_rows(rel, include_deleted, &columns);
	DtList		list = {0};

	if (after == NULL)
		list.key = dtmodel_key_if_any(rel);
	else
	{
		list.key = dtmodel_usable_key(rel);
		list.after = dtmodel_key_of_id(&list.key, after->id, after->type);
		list.nafter = list.key.ncolumns;
	}
	list.plan = list_plan(rel, &list.key, live, after != NULL);
	return list;
}

/*
 * get_all(model anyelement, "limit" bigint DEFAULT NULL,
 *		   "offset" bigint DEFAULT NULL, after_id anycompatible DEFAULT NULL,
 *		   include_deleted boolean DEFAULT false) returns setof anyelement
 *
 * The rows in the order of the primary key, only live ones unless
 * include_deleted is true: at most "limit" rows, after skipping "offset" rows
 * and the rows up to the key after_id.  NULL means no limit.  A table without
 * a primary key has no order, and no after_id (42P16).
 *
 * In FROM it usually becomes a part of the caller's query; see inline_list.c.
 *
 * Source: ModelBase.get_all of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_all(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	DtResultReceiver *result = dtmodel_make_result_receiver(fcinfo);
	DtListAfter after = {
		PG_GETARG_DATUM(DT_LIST_AFTER),
		get_fn_expr_argtype(fcinfo->flinfo, DT_LIST_AFTER),
	};
	DtList		list = dtmodel_list(call.rel,
									dtmodel_flag_argument(fcinfo, DT_LIST_INCLUDE_DELETED, false),
									PG_ARGISNULL(DT_LIST_AFTER) ? NULL : &after);
	Datum	   *values = palloc0(sizeof(Datum) * (DT_LIST_PAGE + list.nafter));
	char	   *nulls = palloc(DT_LIST_PAGE + list.nafter);

	for (int i = 0; i < DT_LIST_PAGE; i++)
	{
		values[i] = PG_ARGISNULL(i + 1) ? (Datum) 0 : PG_GETARG_DATUM(i + 1);
		nulls[i] = PG_ARGISNULL(i + 1) ? 'n' : ' ';
	}
	if (list.nafter > 0)
	{
		memcpy(values + DT_LIST_PAGE, list.after.values, sizeof(Datum) * list.nafter);
		memcpy(nulls + DT_LIST_PAGE, list.after.nulls, list.nafter);
	}
	SPI_connect();
	dtmodel_run_plan_into(list.plan, values, nulls, true, &result->receiver);
	SPI_finish();
	dtmodel_close_row_call(&call);
	return (Datum) 0;
}

/* Appends "deleted_at <operator> $n", unless its argument is NULL. */
static void
append_time_condition(StringInfo query, const DtSoftDelete *columns,
					  const char *operator, int parameter)
{
	appendStringInfo(query, " AND " DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.%s) $%d",
					 quote_identifier(NameStr(columns->deleted_at.name)),
					 operator, parameter);
}

static SPIPlanPtr
deleted_plan(Relation rel, const DtSoftDelete *columns, bool at, bool since)
{
	Oid			types[] = {columns->deleted_at.typid, columns->deleted_at.typid};
	DtKey		key = dtmodel_key_if_any(rel);
	Bitmapset  *set = at ? bms_make_singleton(DELETED_AT) : NULL;
	DtPlan		plan;

	if (since)
		set = bms_add_member(set, DELETED_SINCE);
	plan = dtmodel_find_plan(RelationGetRelid(rel), DT_PLAN_LIST_DELETED, set);
	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfoString(&plan.query, "SELECT ");
	dtmodel_append_row(&plan.query, rel);
	appendStringInfo(&plan.query, " FROM %s AS " DT_ROW_ALIAS " WHERE %s",
					 dtmodel_qualified_name(rel),
					 dtmodel_deleted_text(columns, DT_ROW_ALIAS));
	if (at)
		append_time_condition(&plan.query, columns, "=", 1);
	if (since)
		append_time_condition(&plan.query, columns, ">=", 2);
	appendStringInfo(&plan.query, " ORDER BY " DT_ROW_ALIAS ".%s DESC",
					 quote_identifier(NameStr(columns->deleted_at.name)));
	if (key.ncolumns > 0)
	{
		appendStringInfoString(&plan.query, ", ");
		dtmodel_append_key_order(&plan.query, &key, DT_ROW_ALIAS);
	}
	return dtmodel_save_plan(&plan, lengthof(types), types);
}

/*
 * get_deleted(model anyelement, deleted_at timestamptz DEFAULT NULL,
 *			   since interval DEFAULT NULL) returns setof anyelement
 *
 * The deleted rows, the last deletion first: all of them, or those of the
 * deletion at exactly this time, or those that were deleted within the
 * interval "since".  Rows that the model hides are included, rows that a
 * policy hides are not.  A NOTICE says if there is no row of that time, but the
 * time may have been cut to milliseconds.  An error (42809) for a table without
 * soft delete.
 *
 * Source: none; the reference document dtpyfw.db.model reads deleted rows by
 * their flag.
 */
Datum
dtmodel_get_deleted(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	DtResultReceiver *result = dtmodel_make_result_receiver(fcinfo);
	DtSoftDelete columns = dtmodel_usable_soft_delete(call.rel);
	bool		at = !PG_ARGISNULL(1);
	bool		since = !PG_ARGISNULL(2);
	Datum		values[2] = {0};
	char		nulls[] = {at ? ' ' : 'n', since ? ' ' : 'n'};

	/* Both types that the column may have are the same internally. */
	if (at)
		values[0] = PG_GETARG_DATUM(1);
	if (since)
		values[1] = DirectFunctionCall2(timestamptz_mi_interval,
										TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
										PG_GETARG_DATUM(2));
	SPI_connect();
	dtmodel_run_plan_into(deleted_plan(call.rel, &columns, at, since),
						  values, nulls, true, &result->receiver);
	if (at && SPI_processed == 0)
		dtmodel_report_cut_time(call.rel, &columns, PG_GETARG_TIMESTAMPTZ(1));
	SPI_finish();
	dtmodel_close_row_call(&call);
	return (Datum) 0;
}
