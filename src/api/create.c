/*-------------------------------------------------------------------------
 *
 * create.c
 *	  Inserting and updating one row with a JSON object.
 *
 * Only the columns that the object gives are named in the statement, so that
 * defaults, identities and generated columns work as in any INSERT or UPDATE.
 * Each set of columns has a separate plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/create.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "model/distributed.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/*
 * The callback parameters of an UPDATE whose data gives the version that was
 * read: it reads one of them for the row that it finds.
 */
enum
{
	ROW_IS_FRESH,
	ROW_IS_STALE,
	ROW_PARAMETERS
};

PG_FUNCTION_INFO_V1(dtmodel_create);
PG_FUNCTION_INFO_V1(dtmodel_update_row);
PG_FUNCTION_INFO_V1(dtmodel_update_by_id);
PG_FUNCTION_INFO_V1(dtmodel_update_by_text);
PG_FUNCTION_INFO_V1(dtmodel_create_by_name);

static void
append_insert(StringInfo query, Relation rel, const DtData *data, DtPlanPurpose purpose)
{
	appendStringInfo(query, "INSERT INTO %s AS " DT_ROW_ALIAS " ",
					 dtmodel_qualified_name(rel));
	if (data->count == 0)
		appendStringInfoString(query, "DEFAULT VALUES");
	else
	{
		appendStringInfoString(query, "(");
		dtmodel_append_columns(query, data);
		appendStringInfoString(query, ") VALUES (");
		dtmodel_append_values(query, data);
		appendStringInfoString(query, ")");
	}
	if (purpose == DT_PLAN_INSERT_IF_NONE)
		appendStringInfoString(query, " ON CONFLICT DO NOTHING");
	appendStringInfoString(query, " RETURNING ");
	dtmodel_append_row(query, rel);
}

static SPIPlanPtr
insert_plan(Relation rel, const DtData *data, DtPlanPurpose purpose)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel), purpose,
										 data->columns);
	Oid		   *types;

	if (plan.saved != NULL)
		return plan.saved;
	append_insert(&plan.query, rel, data, purpose);
	types = palloc(sizeof(Oid) * Max(data->count, 1));
	dtmodel_data_types(data, types);
	return dtmodel_save_plan(&plan, data->count, types);
}

/*
 * Inserts a row with the values of the data; with the purpose
 * DT_PLAN_INSERT_IF_NONE, only if it is not in conflict with another row.
 * Returns whether it was inserted.  Within SPI.
 */
bool
dtmodel_insert_row(const DtRowCall *call, const DtDataPlace *place,
				   const DtData *data, DtPlanPurpose purpose, Datum *row)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(data->count, 1));
	char	   *nulls = palloc(Max(data->count, 1));
	MemoryContext caller = CurrentMemoryContext;
	volatile bool inserted = false;

	dtmodel_data_values(place, data, values, nulls);
	PG_TRY();
	{
		inserted = dtmodel_fetch_row(call, insert_plan(call->rel, data, purpose),
									 values, nulls, false, row);
	}
	PG_CATCH();
	{
		dtmodel_rethrow(place, data, caller);
	}
	PG_END_TRY();
	return inserted;
}

/*
 * create(model anyelement, data jsonb, strict boolean DEFAULT false)
 * returns anyelement
 *
 * Inserts a row with the values that data, an object (22023), has for the
 * table's columns and settings, and returns it with its defaults; NULL if a
 * trigger has prevented the INSERT.  Other keys are ignored, or with strict
 * an error (22023).  A value is read as its column's type reads it, and fails
 * as it does.  JSON null is NULL.
 *
 * Source: ModelBase.create and ConfigurableMixin.create of the reference
 * document dtpyfw.db.model.
 */
Datum
dtmodel_create(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	DtDataPlace place = {call.rel, "data", -1};
	DtRawValue	object = dtmodel_data_argument(fcinfo, 1, place.argument);
	DtData		data = dtmodel_read_data(&place, &object,
										 dtmodel_flag_argument(fcinfo, 2, false));
	bool		inserted;
	Datum		row;

	SPI_connect();
	inserted = dtmodel_insert_row(&call, &place, &data, DT_PLAN_INSERT, &row);
	SPI_finish();
	return dtmodel_end_row_call(&call, fcinfo, row, !inserted);
}

/*
 * create(model text, data jsonb, strict boolean DEFAULT false) returns void
 *
 * Raises an error (42804): the row is returned in the type of the model, and
 * the name of a table has another type.  It does not return a record, so that
 * "SELECT * FROM" raises this error and not another one.
 */
Datum
dtmodel_create_by_name(PG_FUNCTION_ARGS)
{
	const char *name = PG_ARGISNULL(0) ? "" :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	bool		is_name = name[0] != '\0' &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz_.0123456789") == strlen(name);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the model must be a row of a table"),
			 errdetail("It is %s.", PG_ARGISNULL(0) ? "null" : "a text"),
			 errhint("Pass NULL cast to the table: %s.create(NULL::%s, data).",
					 DTMODEL_SCHEMA, is_name ? name : "users")));
	PG_RETURN_NULL();
}

/* The version is assigned only if data gives nothing else. */
static bool
is_assigned(const DtData *data, const DtDataItem *given)
{
	return !given->is_row_version || data->count == 1;
}

static void
append_assignments(StringInfo query, const DtData *data, int first)
{
	const char *comma = "";

	for (int i = 0; i < data->count; i++)
	{
		const DtDataItem *given = &data->items[i];
		const char *column = quote_identifier(NameStr(given->field.name));

		if (!is_assigned(data, given))
			continue;
		appendStringInfo(query, "%s%s = ", comma, column);
		comma = ", ";
		if (given->is_settings)
			dtmodel_append_merge(query, data, column,
								 psprintf("$%d", first + i), first);
		else
			dtmodel_append_value(query, &given->field,
								 psprintf("$%d", first + i));
	}
}

/*
 * "AND the row is the one that was read"; the callback parameters report
 * whether it is.  The row may change while the statement waits for a lock.
 *
 * They must be read only for the row with the key, and only if policies let
 * the caller update it.  The server evaluates cheap conditions first, and those
 * made of leakproof functions before the policies.  A comparison of texts is neither,
 * since the output function of a number is not leakproof.
 *
 * A server that has rows of a distributed table cannot call back.
 */
static void
append_version_condition(StringInfo query, Relation rel, const DtData *data,
						 int first)
{
	int			version = dtmodel_find_row_version(data);
	int			callback = first + dtmodel_update_count(data);

	if (version < 0)
		return;
	if (dtmodel_is_distributed(rel))
		appendStringInfo(query, " AND " DT_ROW_ALIAS ".%s::pg_catalog.text OPERATOR(pg_catalog.=) $%d::pg_catalog.text",
						 quote_identifier(NameStr(data->items[version].field.name)),
						 first + version);
	else
		appendStringInfo(query, " AND CASE WHEN " DT_ROW_ALIAS ".%s::pg_catalog.text OPERATOR(pg_catalog.=) $%d::pg_catalog.text THEN $%d ELSE $%d END",
						 quote_identifier(NameStr(data->items[version].field.name)),
						 first + version, callback + ROW_IS_FRESH, callback + ROW_IS_STALE);
}

static void
append_update(StringInfo query, Relation rel, const DtKey *key, const DtData *data)
{
	appendStringInfo(query, "UPDATE %s AS " DT_ROW_ALIAS " SET ",
					 dtmodel_qualified_name(rel));
	append_assignments(query, data, key->ncolumns + 1);
	appendStringInfoString(query, " WHERE ");
	dtmodel_append_key_condition(query, key, DT_ROW_ALIAS);
	append_version_condition(query, rel, data, key->ncolumns + 1);
	appendStringInfoString(query, " RETURNING ");
	dtmodel_append_row(query, rel);
}

/* The number of callback parameters of the UPDATE. */
static int
callback_count(Relation rel, const DtData *data)
{
	return dtmodel_find_row_version(data) < 0 || dtmodel_is_distributed(rel) ?
		0 : ROW_PARAMETERS;
}

static SPIPlanPtr
update_plan(Relation rel, const DtKey *key, const DtData *data)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel), DT_PLAN_UPDATE,
										 dtmodel_update_set(data));
	int			count = key->ncolumns + dtmodel_update_count(data);
	int			callbacks = callback_count(rel, data);
	Oid		   *types;

	if (plan.saved != NULL)
		return plan.saved;
	append_update(&plan.query, rel, key, data);
	types = palloc(sizeof(Oid) * (count + callbacks));
	memcpy(types, dtmodel_key_types(key), sizeof(Oid) * key->ncolumns);
	dtmodel_update_types(data, types + key->ncolumns);
	for (int i = 0; i < callbacks; i++)
		types[count + i] = BOOLOID;
	return dtmodel_save_plan(&plan, count + callbacks, types);
}

/* Notes whether the row is the one that was read; only then it is updated. */
static bool
note_row(void *caller, int which)
{
	bool	   *is_stale = caller;

	*is_stale = (which == ROW_IS_STALE);
	return !*is_stale;
}

/*
 * Whether the row of a distributed table, which was not updated, has another
 * version than the data: the same has a policy or a trigger that prevents it.
 */
static bool
has_other_version(const DtRowCall *call, const DtDataPlace *place, const DtData *data)
{
	int			version = dtmodel_find_row_version(data);
	const DtField *field = &data->items[version].field;
	Datum	   *values = palloc(sizeof(Datum) * data->count);
	char	   *nulls = palloc(data->count);
	Datum		row;
	Datum		current;
	bool		isnull;

	if (!dtmodel_select_row(call, &row))
		return false;
	dtmodel_data_values(place, data, values, nulls);
	current = GetAttributeByNum(DatumGetHeapTupleHeader(row), field->attnum, &isnull);
	return isnull || nulls[version] == 'n' ||
		strcmp(dtmodel_value_text(current, field->typid),
			   dtmodel_value_text(values[version], dtmodel_field_parameter(field))) != 0;
}

static bool
run_update(const DtRowCall *call, const DtDataPlace *place,
		   const DtData *data, Datum *row)
{
	const DtKey *key = &call->key;
	int			count = key->ncolumns + dtmodel_update_count(data);
	int			ncallbacks = callback_count(call->rel, data);
	Datum	   *values = palloc(sizeof(Datum) * (count + ncallbacks));
	char	   *nulls = palloc(count + ncallbacks);
	bool		is_stale = false;
	DtCallbackParameters callbacks = {ncallbacks, note_row, &is_stale};
	SPIPlanPtr	plan;
	bool		found;

	memcpy(values, call->id.values, sizeof(Datum) * key->ncolumns);
	memcpy(nulls, call->id.nulls, key->ncolumns);
	for (int i = 0; i < ncallbacks; i++)
	{
		values[count + i] = BoolGetDatum(true);
		nulls[count + i] = ' ';
	}
	SPI_connect();
	dtmodel_update_values(place, data, values + key->ncolumns,
						  nulls + key->ncolumns);
	plan = update_plan(call->rel, key, data);
	found = ncallbacks == 0 ?
		dtmodel_fetch_row(call, plan, values, nulls, false, row) :
		dtmodel_fetch_row_with_callback(call, plan, values, nulls, &callbacks, row);
	SPI_finish();
	if (!found && ncallbacks == 0 && dtmodel_find_row_version(data) >= 0)
		is_stale = has_other_version(call, place, data);
	if (!found && is_stale)
		dtmodel_report_stale_data(place, data);
	return found;
}

static Datum
update_row(FunctionCallInfo fcinfo, const DtRowCall *call, int data_argument)
{
	DtDataPlace place = {call->rel, "data", -1};
	DtRawValue	object = dtmodel_data_argument(fcinfo, data_argument,
											   place.argument);
	DtData		data = dtmodel_read_data(&place, &object,
										 dtmodel_flag_argument(fcinfo, data_argument + 1, false));
	bool		found = false;
	Datum		row = (Datum) 0;

	if (data.count == 0)
		found = dtmodel_select_row(call, &row);
	else if (call->id.complete)
		found = run_update(call, &place, &data, &row);
	return dtmodel_end_row_call(call, fcinfo, row, !found);
}

/*
 * update(instance anyelement, data jsonb, strict boolean DEFAULT false)
 * returns anyelement
 *
 * Gives the row's columns the values that data, an object (22023), has for
 * them, merges its settings into the stored ones, removes settings on request
 * ({"settings": [{"key": "name", "remove": true}]}), and returns the new row.
 * Only what data gives is written; data that gives nothing writes nothing.
 * With strict a key of data that is neither column nor setting is an error
 * (22023).  NULL for a row that does not exist any more, and for one whose
 * update a policy or a trigger prevents; an error (22004) for NULL.
 *
 * Source: ModelBase.update and ConfigurableMixin.update of the reference
 * document dtpyfw.db.model.
 */
Datum
dtmodel_update_row(PG_FUNCTION_ARGS)
{
	DtRowCall	call;

	call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock);
	dtmodel_set_row(&call, PG_GETARG_DATUM(0));
	return update_row(fcinfo, &call, 1);
}

/*
 * update(model anyelement, id anycompatible, data jsonb,
 *		  strict boolean DEFAULT false) returns anyelement
 *
 * The same for the row with this primary key; NULL for a NULL id.
 */
Datum
dtmodel_update_by_id(PG_FUNCTION_ARGS)
{
	DtRowCall	call;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	dtmodel_set_row_by_id(&call, fcinfo);
	return update_row(fcinfo, &call, 2);
}

/*
 * update(model anyelement, id text or jsonb, data text,
 *		  strict boolean DEFAULT false) returns anyelement
 *
 * The same for data without a type, which would otherwise be ambiguous with
 * "strict".
 */
Datum
dtmodel_update_by_text(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(call, 4);
	Datum		data = (Datum) 0;

	if (!PG_ARGISNULL(2))
		data = DirectFunctionCall1(jsonb_in,
								   CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(2))));
	memcpy(call, fcinfo, SizeForFunctionCallInfo(4));
	call->args[2].value = data;
	data = dtmodel_update_by_id(call);
	fcinfo->isnull = call->isnull;
	return data;
}
