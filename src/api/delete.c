/*-------------------------------------------------------------------------
 *
 * delete.c
 *	  Deleting a row: softly if the model has soft delete, otherwise for good.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/delete.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/hard_delete.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(dtmodel_delete_row);
PG_FUNCTION_INFO_V1(dtmodel_delete_by_id);

static SPIPlanPtr
delete_plan(const DtRowCall *call)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(call->rel),
										 DT_PLAN_HARD_DELETE, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "DELETE FROM %s AS " DT_ROW_ALIAS " WHERE ",
					 dtmodel_qualified_name(call->rel));
	dtmodel_append_key_condition(&plan.query, &call->key, DT_ROW_ALIAS);
	appendStringInfoString(&plan.query, " RETURNING ");
	dtmodel_append_row(&plan.query, call->rel);
	return dtmodel_save_plan(&plan, call->key.ncolumns,
							 dtmodel_key_types(&call->key));
}

/*
 * Runs the plan, and notes meanwhile that dtmodel.hard_delete is on because
 * of "soft => false".
 */
static bool
run_plan(const DtRowCall *call, SPIPlanPtr plan, bool soft_is_false, Datum *row)
{
	bool		outer = dtmodel_soft_is_false;
	volatile bool found = false;

	dtmodel_soft_is_false = soft_is_false;
	PG_TRY();
	{
		found = dtmodel_fetch_row(call, plan, call->id.values, call->id.nulls,
								  false, row);
	}
	PG_FINALLY();
	{
		dtmodel_soft_is_false = outer;
	}
	PG_END_TRY();
	return found;
}

/*
 * Deletes the call's row for good: runs the DELETE under dtmodel.hard_delete,
 * as a user would; the switch is reset after the statement, and after an
 * error.  Returns whether there was a row.  Within SPI.
 */
bool
dtmodel_delete_for_good(const DtRowCall *call, Datum *row)
{
	bool		soft_is_false = dtmodel_soft_is_false || !dtmodel_hard_delete;
	int			level = NewGUCNestLevel();
	bool		found;

	dtmodel_set_guc("dtmodel.hard_delete", "on");
	found = run_plan(call, delete_plan(call), soft_is_false, row);
	AtEOXact_GUC(true, level);
	return found;
}

static Datum
delete_for_good(FunctionCallInfo fcinfo, const DtRowCall *call)
{
	bool		found = false;
	Datum		row = (Datum) 0;

	if (call->id.complete)
	{
		SPI_connect();
		found = dtmodel_delete_for_good(call, &row);
		SPI_finish();
	}
	return dtmodel_end_row_call(call, fcinfo, row, !found);
}

/*
 * delete(instance anyelement, soft boolean DEFAULT true) returns anyelement
 *
 * Deletes the row and returns it: softly, as soft_delete does, or for good if
 * soft is false or the model has no soft delete.  To delete for good on a
 * soft-delete model needs the TRUNCATE privilege (42501).  NULL for a row
 * that does not exist any more, and for one whose deletion a policy or a
 * trigger prevents; an error (22004) for NULL.
 *
 * Source: ModelBase.delete of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_delete_row(PG_FUNCTION_ARGS)
{
	DtRowCall	call;

	call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock);
	if (dtmodel_flag_argument(fcinfo, 1, true) &&
		dtmodel_soft_delete_of(dtmodel_get_model(call.rel)) != NULL)
	{
		dtmodel_close_row_call(&call);
		return dtmodel_soft_delete_row(fcinfo);
	}
	dtmodel_set_row(&call, PG_GETARG_DATUM(0));
	return delete_for_good(fcinfo, &call);
}

/*
 * delete(model anyelement, id anycompatible, soft boolean DEFAULT true)
 * returns anyelement
 *
 * The same for the row with this primary key; NULL for a NULL id.
 */
Datum
dtmodel_delete_by_id(PG_FUNCTION_ARGS)
{
	DtRowCall	call;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	if (dtmodel_flag_argument(fcinfo, 2, true) &&
		dtmodel_soft_delete_of(dtmodel_get_model(call.rel)) != NULL)
	{
		dtmodel_close_row_call(&call);
		return dtmodel_soft_delete_by_id(fcinfo);
	}
	dtmodel_set_row_by_id(&call, fcinfo);
	return delete_for_good(fcinfo, &call);
}
