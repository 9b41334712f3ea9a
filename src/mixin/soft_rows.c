/*-------------------------------------------------------------------------
 *
 * soft_rows.c
 *	  Soft delete and restore of one row, given as a row or by its id.
 *
 * Both run, as the caller, the statement that a person would write: a DELETE,
 * or an UPDATE of the mark, found by the primary key and returning the row.
 * Privileges, policies and triggers are therefore those of that statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/soft_delete.h"
#include "model/key.h"
#include "model/plan_cache.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* The alias of the table in the queries below. */
#define ROW "t"

/* One call: the table, what it is, and the row that is meant. */
typedef struct RowCall
{
	Relation	rel;
	DtSoftDelete columns;
	DtKey		key;
	DtKeyValues id;
	MemoryContext context;		/* for the result */
} RowCall;

PG_FUNCTION_INFO_V1(dtmodel_soft_delete_row);
PG_FUNCTION_INFO_V1(dtmodel_soft_delete_by_id);
PG_FUNCTION_INFO_V1(dtmodel_restore_row);
PG_FUNCTION_INFO_V1(dtmodel_restore_by_id);
PG_FUNCTION_INFO_V1(dtmodel_restore_deletion);

static RowCall
begin_call(FunctionCallInfo fcinfo)
{
	Oid			relid = dtmodel_table_argument(fcinfo, 0);
	RowCall		call = {.context = CurrentMemoryContext};

	call.rel = dtmodel_open(relid, RowExclusiveLock);
	call.columns = dtmodel_usable_soft_delete(call.rel);
	return call;
}

static RowCall
begin_call_with_row(FunctionCallInfo fcinfo)
{
	RowCall		call = begin_call(fcinfo);

	call.key = dtmodel_usable_key(call.rel);
	call.id = dtmodel_key_of_row(&call.key, PG_GETARG_DATUM(0));
	return call;
}

static RowCall
begin_call_with_id(FunctionCallInfo fcinfo)
{
	RowCall		call = begin_call(fcinfo);

	call.key = dtmodel_usable_key(call.rel);
	call.id = dtmodel_key_of_id(&call.key, PG_GETARG_DATUM(1),
								get_fn_expr_argtype(fcinfo->flinfo, 1));
	return call;
}

/* "the row is deleted", as SQL on a table whose alias is "t" */
char *
dtmodel_deleted_clause(const DtSoftDelete *columns)
{
	if (!dtmodel_column_is_used(&columns->flag))
		return psprintf(ROW ".%s IS NOT NULL",
						quote_identifier(NameStr(columns->deleted_at.name)));
	return psprintf(ROW ".%s IS %s",
					quote_identifier(NameStr(columns->flag.name)),
					columns->flag_is_live ? "FALSE" : "TRUE");
}

/* The assignments that take the mark off. */
static char *
restore_assignments(const DtSoftDelete *columns)
{
	char	   *clear = psprintf("%s = NULL",
								 quote_identifier(NameStr(columns->deleted_at.name)));

	if (!dtmodel_column_is_used(&columns->flag))
		return clear;
	return psprintf("%s, %s = %s", clear,
					quote_identifier(NameStr(columns->flag.name)),
					columns->flag_is_live ? "true" : "false");
}

/*
 * The query for a purpose.  The cast keeps "t.*" one value, the row itself
 * with what dropped columns have left in it.
 */
static char *
build_query(const RowCall *call, DtPlanPurpose purpose)
{
	char	   *table = dtmodel_qualified_name(call->rel);
	StringInfoData query;

	initStringInfo(&query);
	switch (purpose)
	{
		case DT_PLAN_SELECT:
			appendStringInfo(&query, "SELECT " ROW ".*::%s FROM %s AS " ROW " WHERE ",
							 table, table);
			break;
		case DT_PLAN_SELECT_DELETED:
			appendStringInfo(&query, "SELECT " ROW ".*::%s FROM %s AS " ROW " WHERE %s AND ",
							 table, table, dtmodel_deleted_clause(&call->columns));
			break;
		case DT_PLAN_SOFT_DELETE:
			appendStringInfo(&query, "DELETE FROM %s AS " ROW " WHERE ", table);
			break;
		case DT_PLAN_RESTORE:
			appendStringInfo(&query, "UPDATE %s AS " ROW " SET %s WHERE %s AND ",
							 table, restore_assignments(&call->columns),
							 dtmodel_deleted_clause(&call->columns));
			break;
		default:
			elog(ERROR, "no query on a row has purpose %d", (int) purpose);
	}
	dtmodel_append_key_condition(&query, &call->key, ROW);
	if (purpose == DT_PLAN_SOFT_DELETE || purpose == DT_PLAN_RESTORE)
		appendStringInfo(&query, " RETURNING " ROW ".*::%s", table);
	return query.data;
}

/* The plan for a purpose. */
static SPIPlanPtr
get_plan(const RowCall *call, DtPlanPurpose purpose)
{
	Oid			relid = RelationGetRelid(call->rel);
	SPIPlanPtr	plan = dtmodel_find_plan(relid, purpose);

	if (plan == NULL)
		plan = dtmodel_save_plan(relid, purpose, build_query(call, purpose),
								 call->key.ncolumns,
								 dtmodel_key_types(&call->key));
	return plan;
}

/* Runs the call's query for the purpose; the result is SPI's. */
static void
run_query(const RowCall *call, DtPlanPurpose purpose)
{
	dtmodel_run_plan(get_plan(call, purpose), call->id.values, call->id.nulls);
}

/* The row that the last query returned, or NULL. */
static Datum
returned_row(const RowCall *call, bool *isnull)
{
	MemoryContext caller;
	Datum		row;

	*isnull = SPI_processed == 0;
	if (*isnull)
		return (Datum) 0;
	row = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
	if (*isnull)
		return (Datum) 0;
	caller = MemoryContextSwitchTo(call->context);
	row = datumCopy(row, false, -1);
	MemoryContextSwitchTo(caller);
	return row;
}

/* A trigger that will not fire would let the DELETE be physical. */
void
dtmodel_check_soft_delete_fires(Relation rel, const DtSoftDelete *soft_delete)
{
	if (dtmodel_soft_delete_fires(soft_delete))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the soft-delete trigger of table \"%s\" does not fire in this session",
					RelationGetRelationName(rel)),
			 errdetail("It is disabled, or session_replication_role is not the one that it fires for."),
			 errhint("Call ALTER TABLE %s ENABLE TRIGGER %s.",
					 dtmodel_qualified_name(rel),
					 dtmodel_trigger_names[DT_TRIGGER_SOFT_DELETE].trigger),
			 errtable(rel)));
}

/*
 * Runs a DELETE of one row, which is not to be physical.  The trigger may
 * suppress what it would return, and then hands the row over itself.
 */
void
dtmodel_run_soft_delete(SPIPlanPtr plan, const DtKeyValues *id,
						DtSoftDeletion *deletion)
{
	DtSoftDeletion *outer = dtmodel_soft_deletion;

	dtmodel_soft_deletion = deletion;
	PG_TRY();
	{
		dtmodel_run_plan(plan, id->values, id->nulls);
	}
	PG_CATCH();
	{
		dtmodel_soft_deletion = outer;
		PG_RE_THROW();
	}
	PG_END_TRY();
	dtmodel_soft_deletion = outer;
}

/*
 * The row after the DELETE.  Where the planner made it an UPDATE it returned
 * the row, unless that was deleted already; where the trigger suppressed it,
 * the trigger has handed the row over.
 */
static Datum
deleted_row(const RowCall *call, const DtSoftDeletion *deletion, bool *isnull)
{
	MemoryContext caller;
	Datum		row = returned_row(call, isnull);

	if (!*isnull)
		return row;
	if (deletion->row == NULL)
	{
		run_query(call, DT_PLAN_SELECT_DELETED);
		return returned_row(call, isnull);
	}
	caller = MemoryContextSwitchTo(call->context);
	row = heap_copy_tuple_as_datum(deletion->row, RelationGetDescr(call->rel));
	MemoryContextSwitchTo(caller);
	*isnull = false;
	return row;
}

static Datum
delete_row(FunctionCallInfo fcinfo, const RowCall *call)
{
	DtSoftDeletion deletion = {
		.relid = RelationGetRelid(call->rel),
		.depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) + 1,
		.context = call->context,
	};
	Datum		row = (Datum) 0;

	bool		isnull = true;

	if (call->id.complete)
	{
		dtmodel_check_soft_delete_fires(call->rel, &call->columns);
		SPI_connect();
		dtmodel_run_soft_delete(get_plan(call, DT_PLAN_SOFT_DELETE), &call->id,
								&deletion);
		row = deleted_row(call, &deletion, &isnull);
		SPI_finish();
	}
	table_close(call->rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(row);
}

/* The row, restored; NULL if it is gone. */
static Datum
run_restore(const RowCall *call, bool *isnull)
{
	Datum		row;

	*isnull = true;
	if (!call->id.complete)
		return (Datum) 0;
	SPI_connect();
	run_query(call, DT_PLAN_RESTORE);
	row = returned_row(call, isnull);
	if (*isnull)
	{
		/* Not deleted, then: the row as it is. */
		run_query(call, DT_PLAN_SELECT);
		row = returned_row(call, isnull);
	}
	SPI_finish();
	return row;
}

static Datum
restore_row(FunctionCallInfo fcinfo, const RowCall *call)
{
	bool		isnull;
	Datum		row = run_restore(call, &isnull);

	table_close(call->rel, NoLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(row);
}

/* The same for a row of a table that is open, and stays so. */
Datum
dtmodel_restore(Relation rel, Datum row, bool *isnull)
{
	RowCall		call = {.rel = rel,.context = CurrentMemoryContext};

	call.columns = dtmodel_usable_soft_delete(rel);
	call.key = dtmodel_usable_key(rel);
	call.id = dtmodel_key_of_row(&call.key, row);
	return run_restore(&call, isnull);
}

/*
 * soft_delete(instance anyelement) returns anyelement
 *
 * Deletes the row softly, never physically, whatever dtmodel.hard_delete
 * says, and returns it as it then is.  A row that is deleted already is
 * returned as it is.  NULL for NULL, for a row that is gone, and for one that
 * a policy or a trigger keeps from being deleted.
 *
 * Source: SoftDeleteMixin.soft_delete of the reference document
 * dtpyfw.db.model.
 */
Datum
dtmodel_soft_delete_row(PG_FUNCTION_ARGS)
{
	RowCall		call = begin_call_with_row(fcinfo);

	return delete_row(fcinfo, &call);
}

/*
 * soft_delete(model anyelement, id anycompatible) returns anyelement
 *
 * The same for the row with this primary key.  NULL if there is none, and for
 * a NULL id; an id that the key's type cannot read is that type's error.
 */
Datum
dtmodel_soft_delete_by_id(PG_FUNCTION_ARGS)
{
	RowCall		call;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = begin_call_with_id(fcinfo);
	return delete_row(fcinfo, &call);
}

/*
 * restore(instance anyelement) returns anyelement
 *
 * Makes a deleted row live again and returns it.  A live row is returned as
 * it is.  NULL for NULL, and for a row that is gone or that the caller may
 * not see.
 *
 * Source: SoftDeleteMixin.restore of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_restore_row(PG_FUNCTION_ARGS)
{
	RowCall		call = begin_call_with_row(fcinfo);

	return restore_row(fcinfo, &call);
}

/*
 * restore(model anyelement, id anycompatible) returns anyelement
 *
 * The same for the row with this primary key.
 */
Datum
dtmodel_restore_by_id(PG_FUNCTION_ARGS)
{
	RowCall		call;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = begin_call_with_id(fcinfo);
	return restore_row(fcinfo, &call);
}

static SPIPlanPtr
deletion_plan(const RowCall *call)
{
	Oid			relid = RelationGetRelid(call->rel);
	SPIPlanPtr	plan = dtmodel_find_plan(relid, DT_PLAN_RESTORE_DELETION);
	Oid			type = call->columns.deleted_at.typid;

	if (plan != NULL)
		return plan;
	return dtmodel_save_plan(relid, DT_PLAN_RESTORE_DELETION,
							 psprintf("UPDATE %s AS " ROW " SET %s WHERE %s AND "
									  ROW ".%s OPERATOR(pg_catalog.=) $1",
									  dtmodel_qualified_name(call->rel),
									  restore_assignments(&call->columns),
									  dtmodel_deleted_clause(&call->columns),
									  quote_identifier(NameStr(call->columns.deleted_at.name))),
							 1, &type);
}

/*
 * restore_deletion(model anyelement, deleted_at timestamptz) returns bigint
 *
 * Makes live again all rows of the table that one deletion took, which are
 * those with just this time, and along the foreign keys what went with them.
 * Returns how many rows of the table that were.  0 for NULL.
 */
Datum
dtmodel_restore_deletion(PG_FUNCTION_ARGS)
{
	RowCall		call = begin_call(fcinfo);
	int64		restored = 0;

	if (!PG_ARGISNULL(1))
	{
		/* Both types of the column have the same representation. */
		Datum		time = PG_GETARG_DATUM(1);

		SPI_connect();
		dtmodel_run_plan(deletion_plan(&call), &time, NULL);
		restored = (int64) SPI_processed;
		SPI_finish();
	}
	table_close(call.rel, NoLock);
	PG_RETURN_INT64(restored);
}
