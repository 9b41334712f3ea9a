/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  Functions for soft delete and restore of one row, given as a row or by
 *	  its id.
 *
 * Each runs, as the caller, the statement that a user would write: a DELETE,
 * or an UPDATE of flag and time, by primary key and returning the row.  So
 * privileges, policies and triggers are those of that statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "mixin/soft_delete/soft_delete.h"
#include "server/record.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* The length of a millisecond. */
#define USECS_IN_MSEC 1000

/* A call of one of these functions. */
typedef struct SoftCall
{
	DtRowCall	call;
	DtSoftDelete columns;
} SoftCall;

PG_FUNCTION_INFO_V1(dtmodel_soft_delete_row);
PG_FUNCTION_INFO_V1(dtmodel_soft_delete_by_id);
PG_FUNCTION_INFO_V1(dtmodel_restore_row);
PG_FUNCTION_INFO_V1(dtmodel_restore_by_id);
PG_FUNCTION_INFO_V1(dtmodel_restore_deletion);

static SoftCall
begin_call(FunctionCallInfo fcinfo)
{
	SoftCall	soft = {.call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock)};

	soft.columns = dtmodel_usable_soft_delete(soft.call.rel);
	return soft;
}

static SoftCall
begin_call_with_row(FunctionCallInfo fcinfo)
{
	SoftCall	soft = {.call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock)};

	soft.columns = dtmodel_usable_soft_delete(soft.call.rel);
	dtmodel_set_row(&soft.call, PG_GETARG_DATUM(0));
	return soft;
}

static SoftCall
begin_call_with_id(FunctionCallInfo fcinfo)
{
	SoftCall	soft = begin_call(fcinfo);

	dtmodel_set_row_by_id(&soft.call, fcinfo);
	return soft;
}

static void
write_query(StringInfo query, const SoftCall *soft, DtPlanPurpose purpose)
{
	Relation	rel = soft->call.rel;
	char	   *table = dtmodel_qualified_name(rel);

	switch (purpose)
	{
		case DT_PLAN_SELECT_DELETED:
			appendStringInfoString(query, "SELECT ");
			dtmodel_append_row(query, rel);
			appendStringInfo(query, " FROM %s AS " DT_ROW_ALIAS " WHERE %s AND ", table,
							 dtmodel_deleted_text(&soft->columns, DT_ROW_ALIAS));
			break;
		case DT_PLAN_SOFT_DELETE:
			appendStringInfo(query, "DELETE FROM %s AS " DT_ROW_ALIAS " WHERE ", table);
			break;
		case DT_PLAN_RESTORE:
			appendStringInfo(query, DT_MARKS_LIVE "UPDATE %s AS " DT_ROW_ALIAS " SET %s WHERE %s AND ",
							 table, dtmodel_restore_assignments(&soft->columns),
							 dtmodel_deleted_text(&soft->columns, DT_ROW_ALIAS));
			break;
		default:
			elog(ERROR, "no query on a row has purpose %d", (int) purpose);
	}
	dtmodel_append_key_condition(query, &soft->call.key, DT_ROW_ALIAS);
	if (purpose != DT_PLAN_SELECT_DELETED)
	{
		appendStringInfoString(query, " RETURNING ");
		dtmodel_append_row(query, rel);
	}
}

/* The plan for a purpose. */
static SPIPlanPtr
get_plan(const SoftCall *soft, DtPlanPurpose purpose)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(soft->call.rel), purpose,
										 NULL);

	if (plan.saved != NULL)
		return plan.saved;
	write_query(&plan.query, soft, purpose);
	return dtmodel_save_plan(&plan, soft->call.key.ncolumns,
							 dtmodel_key_types(&soft->call.key));
}

/*
 * Runs the call's query for the purpose.  Returns whether it returned a row.
 */
static bool
run_query(const SoftCall *soft, DtPlanPurpose purpose, Datum *row)
{
	return dtmodel_fetch_row(&soft->call, get_plan(soft, purpose),
							 soft->call.id.values, soft->call.id.nulls, false, row);
}

/* Refuses if the trigger will not fire, since the DELETE would be physical. */
void
dtmodel_check_soft_delete_fires(Relation rel, const DtSoftDelete *soft_delete)
{
	if (dtmodel_soft_delete_fires(soft_delete))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the soft-delete trigger of table \"%s\" does not fire in this session",
					RelationGetRelationName(rel)),
			 errdetail("It is disabled, or does not fire with the current session_replication_role."),
			 errhint("Use ALTER TABLE %s ENABLE TRIGGER %s.",
					 dtmodel_qualified_name(rel),
					 dtmodel_soft_delete_triggers[DT_SOFT_DELETE].name),
			 errtable(rel)));
}

static void
run_delete(const DtRowCall *call, SPIPlanPtr plan, DtSoftDeletion *deletion,
		   Datum *row)
{
	DtSoftDeletion *outer = dtmodel_soft_deletion;

	dtmodel_soft_deletion = deletion;
	PG_TRY();
	{
		(void) dtmodel_fetch_row(call, plan, call->id.values, call->id.nulls,
								 false, row);
	}
	PG_CATCH();
	{
		dtmodel_soft_deletion = outer;
		PG_RE_THROW();
	}
	PG_END_TRY();
	dtmodel_soft_deletion = outer;
}

static Datum
handed_row(const DtRowCall *call, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(call->rel);
	MemoryContext caller;
	Datum		copy;

	row = dtmodel_with_virtual_columns(call->rel, row);
	caller = MemoryContextSwitchTo(call->context);
	copy = heap_copy_tuple_as_datum(row, desc);
	MemoryContextSwitchTo(caller);
	return copy;
}

/*
 * Runs a DELETE of the row, which must not be physical.  Returns whether it
 * found a row and, if the DELETE has a RETURNING, the row as it is
 * afterwards.
 *
 * If the planner made it an UPDATE, that returned the row; if the trigger
 * suppressed it, the trigger has passed the row on.  Within SPI.
 */
bool
dtmodel_run_soft_delete(const DtRowCall *call, SPIPlanPtr plan, Datum *row)
{
	DtSoftDeletion deletion = {
		.relid = RelationGetRelid(call->rel),
		.depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)) + 1,
		.context = CurrentMemoryContext,
	};

	run_delete(call, plan, &deletion, row);
	if (SPI_processed > 0)
		return true;
	if (deletion.row == NULL)
		return false;
	*row = handed_row(call, deletion.row);
	return true;
}

static Datum
delete_row(FunctionCallInfo fcinfo, const SoftCall *soft)
{
	Datum		row = (Datum) 0;
	bool		found = false;

	if (soft->call.id.complete)
	{
		dtmodel_check_soft_delete_fires(soft->call.rel, &soft->columns);
		SPI_connect();
		/* The planner's UPDATE skips a row that is deleted already. */
		found = dtmodel_run_soft_delete(&soft->call,
										get_plan(soft, DT_PLAN_SOFT_DELETE),
										&row) ||
			run_query(soft, DT_PLAN_SELECT_DELETED, &row);
		SPI_finish();
	}
	return dtmodel_end_row_call(&soft->call, fcinfo, row, !found);
}

/* Finds the row if it is live: one that is still deleted was kept so. */
static bool
find_live(const SoftCall *soft, Datum *row)
{
	HeapTupleData tuple;

	if (!dtmodel_fetch_row(&soft->call, dtmodel_select_plan(&soft->call),
						   soft->call.id.values, soft->call.id.nulls, false, row))
		return false;
	tuple = dtmodel_tuple_of_row(*row);
	return !dtmodel_is_deleted(&soft->columns, &tuple,
							   RelationGetDescr(soft->call.rel));
}

static void
run_restoring_query(const SoftCall *soft, Datum *row, bool *found)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		*found = run_query(soft, DT_PLAN_RESTORE, row);
	}
	PG_CATCH();
	{
		dtmodel_rethrow_from_restore(soft->call.rel, caller);
	}
	PG_END_TRY();
}

/*
 * Restores the row, or finds it if it is not deleted.  Returns whether there
 * is one.
 */
static bool
run_restore(const SoftCall *soft, Datum *row, bool *restored)
{
	bool		found;

	*restored = false;
	if (!soft->call.id.complete)
		return false;
	SPI_connect();
	run_restoring_query(soft, row, restored);
	found = *restored || find_live(soft, row);
	SPI_finish();
	return found;
}

static Datum
restore_row(FunctionCallInfo fcinfo, const SoftCall *soft)
{
	Datum		row = (Datum) 0;
	bool		restored;
	bool		found = run_restore(soft, &row, &restored);

	return dtmodel_end_row_call(&soft->call, fcinfo, row, !found);
}

/*
 * The same for a row that another function has found.  A row that another
 * transaction has restored meanwhile is found, but not restored.
 */
bool
dtmodel_restore(const DtRowCall *call, Datum *row, bool *restored)
{
	SoftCall	soft = {.call = *call};

	soft.columns = dtmodel_usable_soft_delete(call->rel);
	dtmodel_set_row(&soft.call, *row);
	return run_restore(&soft, row, restored);
}

/*
 * soft_delete(instance anyelement) returns anyelement
 *
 * Deletes the row softly, never physically, even under dtmodel.hard_delete,
 * and returns it as it is afterwards.  A row that is deleted already is
 * returned as it is.  NULL for a row that does not exist any more, and for
 * one whose deletion a policy or a trigger prevents; an error (22004) for
 * NULL.
 *
 * Source: SoftDeleteMixin.soft_delete of the reference document
 * dtpyfw.db.model.
 */
Datum
dtmodel_soft_delete_row(PG_FUNCTION_ARGS)
{
	SoftCall	soft = begin_call_with_row(fcinfo);

	return delete_row(fcinfo, &soft);
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
	SoftCall	soft;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	soft = begin_call_with_id(fcinfo);
	return delete_row(fcinfo, &soft);
}

/*
 * restore(instance anyelement) returns anyelement
 *
 * Makes a deleted row live again and returns it.  A live row is returned as
 * it is.  NULL for a row that does not exist any more or that the caller may
 * not see, and for one whose restore a policy or a trigger prevents; an error
 * (22004) for NULL.
 *
 * Source: SoftDeleteMixin.restore of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_restore_row(PG_FUNCTION_ARGS)
{
	SoftCall	soft = begin_call_with_row(fcinfo);

	return restore_row(fcinfo, &soft);
}

/*
 * restore(model anyelement, id anycompatible) returns anyelement
 *
 * The same for the row with this primary key.
 */
Datum
dtmodel_restore_by_id(PG_FUNCTION_ARGS)
{
	SoftCall	soft;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	soft = begin_call_with_id(fcinfo);
	return restore_row(fcinfo, &soft);
}

static SPIPlanPtr
deletion_plan(const SoftCall *soft)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(soft->call.rel),
										 DT_PLAN_RESTORE_DELETION, NULL);
	Oid			type = soft->columns.deleted_at.typid;

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, DT_MARKS_LIVE "UPDATE %s AS " DT_ROW_ALIAS " SET %s WHERE %s AND "
					 DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.=) $1",
					 dtmodel_qualified_name(soft->call.rel),
					 dtmodel_restore_assignments(&soft->columns),
					 dtmodel_deleted_text(&soft->columns, DT_ROW_ALIAS),
					 quote_identifier(NameStr(soft->columns.deleted_at.name)));
	return dtmodel_save_plan(&plan, 1, &type);
}

static void
run_deletion_plan(const SoftCall *soft, Datum time)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		dtmodel_run_plan(deletion_plan(soft), &time, NULL);
	}
	PG_CATCH();
	{
		dtmodel_rethrow_from_restore(soft->call.rel, caller);
	}
	PG_END_TRY();
}

static SPIPlanPtr
next_deletion_plan(Relation rel, const DtSoftDelete *columns)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel),
										 DT_PLAN_NEXT_DELETION, NULL);
	Oid			types[] = {columns->deleted_at.typid, columns->deleted_at.typid};
	const char *time = quote_identifier(NameStr(columns->deleted_at.name));

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT " DT_ROW_ALIAS ".%s FROM %s AS " DT_ROW_ALIAS " WHERE %s AND "
					 DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.>) $1 AND "
					 DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.<) $2 ORDER BY 1 LIMIT 1",
					 time, dtmodel_qualified_name(rel),
					 dtmodel_deleted_text(columns, DT_ROW_ALIAS), time, time);
	return dtmodel_save_plan(&plan, lengthof(types), types);
}

/*
 * Called when no row was deleted at exactly this time.  If it is one of whole
 * milliseconds, the client may have cut it to them: if rows were deleted in
 * the same millisecond, a NOTICE says when.  Within SPI.
 */
void
dtmodel_report_cut_time(Relation rel, const DtSoftDelete *columns,
						TimestampTz time)
{
	Datum		limits[2];
	Datum		next;
	bool		isnull;

	if (TIMESTAMP_NOT_FINITE(time) || time % USECS_IN_MSEC != 0)
		return;
	limits[0] = TimestampTzGetDatum(time);
	limits[1] = TimestampTzGetDatum(time + USECS_IN_MSEC);
	dtmodel_read_plan(next_deletion_plan(rel, columns), limits, NULL);
	if (SPI_processed == 0)
		return;
	next = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	ereport(NOTICE,
			(errmsg("no row of table \"%s\" was deleted at exactly %s",
					RelationGetRelationName(rel),
					pstrdup(timestamptz_to_str(time))),
			 errhint("In the same millisecond, rows were deleted at %s. If the client has cut that time, read it as text.",
					 pstrdup(timestamptz_to_str(DatumGetTimestampTz(next))))));
}

/*
 * restore_deletion(model anyelement, deleted_at timestamptz) returns bigint
 *
 * Restores all rows of the table that were deleted by one deletion, which are
 * those with exactly this time, and along the foreign keys the rows that were
 * deleted with them.  Returns the number of restored rows of the table.  0
 * for NULL.  A NOTICE says if there is none, but the time may have been cut.
 */
Datum
dtmodel_restore_deletion(PG_FUNCTION_ARGS)
{
	SoftCall	soft = begin_call(fcinfo);
	int64		restored = 0;

	if (!PG_ARGISNULL(1))
	{
		/* Both types that the column may have are the same internally. */
		Datum		time = PG_GETARG_DATUM(1);

		SPI_connect();
		run_deletion_plan(&soft, time);
		restored = (int64) SPI_processed;
		if (restored == 0)
			dtmodel_report_cut_time(soft.call.rel, &soft.columns,
									DatumGetTimestampTz(time));
		SPI_finish();
	}
	dtmodel_close_row_call(&soft.call);
	PG_RETURN_INT64(restored);
}
