/*-------------------------------------------------------------------------
 *
 * row_call.c
 *	  Calls of functions on rows: the table that a call is about, the row that
 *	  it is about, and the row that it returns.
 *
 * Each of these functions runs, as the caller, the statement that a user
 * would write, with a saved plan.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "model/distributed.h"
#include "model/row_call.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* Receives the result of a query that returns one row. */
typedef struct RowReceiver
{
	DestReceiver receiver;		/* must be first */
	const DtRowCall *call;
	Datum		row;
	bool		found;
	bool		has_flag;		/* the query has a second column */
	bool		flag;			/* the value of that column */
} RowReceiver;

static DtRowCall
open_call(Oid relid, LOCKMODE lockmode)
{
	DtRowCall	call = {.lockmode = lockmode,.context = CurrentMemoryContext};

	call.rel = dtmodel_open(relid, lockmode);
	return call;
}

/* Begins a call about a table. */
DtRowCall
dtmodel_begin_call(Oid relid, LOCKMODE lockmode)
{
	DtRowCall	call = open_call(relid, lockmode);

	dtmodel_check_not_shard(call.rel);
	return call;
}

/* Begins the call of a function whose first argument is a model or a row. */
DtRowCall
dtmodel_begin_row_call(FunctionCallInfo fcinfo, LOCKMODE lockmode)
{
	return dtmodel_begin_call(dtmodel_table_argument(fcinfo, 0), lockmode);
}

static void
report_null_instance(FunctionCallInfo fcinfo, Relation rel)
{
	const char *table = dtmodel_qualified_name(rel);
	const char *function = get_func_name(fcinfo->flinfo->fn_oid);

	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("the instance must not be null"),
			 errdetail("NULL::%s stands for the table, not for a row. A row that an outer join did not find is also null.",
					   table),
			 strcmp(function, "new_slug") == 0 ?
			 errhint("Pass a row, and exclude null rows with WHERE.") :
			 errhint("Pass the id, as in %s.%s(NULL::%s, id%s), or exclude null rows with WHERE.",
					 DTMODEL_SCHEMA, function, table,
					 strcmp(function, "update") == 0 ? ", data" :
					 strcmp(function, "revert") == 0 ? ", time" : ""),
			 errtable(rel)));
}

/*
 * Begins the call of a function that only shows the row that it is given, of a
 * table, of a shard or of a view of live rows.
 */
DtRowCall
dtmodel_begin_showing_call(FunctionCallInfo fcinfo, LOCKMODE lockmode)
{
	Oid			relid = dtmodel_table_argument(fcinfo, 0);
	DtLiveView *view = dtmodel_open_live_view(relid);
	DtRowCall	call = open_call(view == NULL ? relid : view->source.relid, lockmode);

	if (PG_ARGISNULL(0))
		report_null_instance(fcinfo, call.rel);
	call.view = view;
	return call;
}

/*
 * Begins the call of a function whose first argument is a row, of a table or
 * of a view of its live rows.
 */
DtRowCall
dtmodel_begin_instance_call(FunctionCallInfo fcinfo, LOCKMODE lockmode)
{
	DtRowCall	call = dtmodel_begin_showing_call(fcinfo, lockmode);

	dtmodel_check_not_shard(call.rel);
	return call;
}

/* The call is about this row, given as a composite value. */
void
dtmodel_set_row(DtRowCall *call, Datum row)
{
	DtKey		given;

	call->key = given = dtmodel_usable_key(call->rel);
	if (call->view != NULL)
	{
		dtmodel_check_live_view(call->view);
		given = dtmodel_key_of_view(call->view, &call->key);
	}
	call->id = dtmodel_key_of_row(&given, row);
}

/* The call is about the row with the id in the function's second argument. */
void
dtmodel_set_row_by_id(DtRowCall *call, FunctionCallInfo fcinfo)
{
	call->key = dtmodel_usable_key(call->rel);
	call->id = dtmodel_key_of_id(&call->key, PG_GETARG_DATUM(1),
								 get_fn_expr_argtype(fcinfo->flinfo, 1));
}

static void
start(DestReceiver *self pg_attribute_unused(),
	  int operation pg_attribute_unused(),
	  TupleDesc desc pg_attribute_unused())
{
}

/*
 * Makes a row of a slot that has its columns.  The tuple in the slot is
 * copied unchanged, unless columns were added after it was stored.
 */
static Datum
row_of_columns(TupleTableSlot *slot, TupleDesc desc)
{
	HeapTuple	stored = TTS_IS_BUFFERTUPLE(slot) ?
		ExecFetchSlotHeapTuple(slot, false, NULL) : NULL;

	if (stored != NULL && HeapTupleHeaderGetNatts(stored->t_data) == desc->natts)
		return heap_copy_tuple_as_datum(stored, desc);
	slot_getallattrs(slot);
	return HeapTupleGetDatum(heap_form_tuple(desc, slot->tts_values,
											 slot->tts_isnull));
}

/*
 * Makes a row of a slot whose first columns, or whose first column, are the
 * row.
 */
static Datum
row_of_slot(TupleTableSlot *slot, Relation rel, bool *isnull)
{
	Datum		row;

	if (TupleDescAttr(slot->tts_tupleDescriptor, 0)->atttypid == rel->rd_rel->reltype)
	{
		row = slot_getattr(slot, 1, isnull);
		return *isnull ? (Datum) 0 : datumCopy(row, false, -1);
	}
	*isnull = false;
	return row_of_columns(slot, RelationGetDescr(rel));
}

/* Keeps the first row. */
static bool
receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext caller;
	bool		isnull;

	if (receiver->found)
		return true;
	caller = MemoryContextSwitchTo(receiver->call->context);
	receiver->row = row_of_slot(slot, receiver->call->rel, &isnull);
	MemoryContextSwitchTo(caller);
	receiver->found = !isnull;
	if (receiver->has_flag)
		receiver->flag = DatumGetBool(slot_getattr(slot, 2, &isnull));
	return true;
}

static void
stop(DestReceiver *self pg_attribute_unused())
{
}

static RowReceiver
make_receiver(const DtRowCall *call, bool has_flag)
{
	RowReceiver receiver = {
		.receiver = {
			.receiveSlot = receive,
			.rStartup = start,
			.rShutdown = stop,
			.rDestroy = stop,
			.mydest = DestTuplestore,
		},
		.call = call,
		.has_flag = has_flag,
	};

	return receiver;
}

/*
 * Runs a plan that returns a row, and fetches it without SPI's tuple table,
 * which takes longer to make than the row.  Returns whether there is a row.
 * Within SPI.
 */
bool
dtmodel_fetch_row(const DtRowCall *call, SPIPlanPtr plan, Datum *values,
				  const char *nulls, bool read_only, Datum *row)
{
	RowReceiver receiver = make_receiver(call, false);

	dtmodel_run_plan_into(plan, values, nulls, read_only, &receiver.receiver);
	*row = receiver.row;
	return receiver.found;
}

/* The same for a plan whose columns are the row and a flag. */
bool
dtmodel_fetch_row_and_flag(const DtRowCall *call, SPIPlanPtr plan,
						   Datum *values, const char *nulls,
						   Datum *row, bool *flag)
{
	RowReceiver receiver = make_receiver(call, true);

	dtmodel_run_plan_into(plan, values, nulls, false, &receiver.receiver);
	*row = receiver.row;
	*flag = receiver.flag;
	return receiver.found;
}

/* The same for a plan whose last parameters are callbacks. */
bool
dtmodel_fetch_row_with_callback(const DtRowCall *call, SPIPlanPtr plan,
								Datum *values, const char *nulls,
								DtCallbackParameters *callbacks, Datum *row)
{
	RowReceiver receiver = make_receiver(call, false);

	dtmodel_run_plan_with_callback(plan, values, nulls, callbacks,
								   &receiver.receiver);
	*row = receiver.row;
	return receiver.found;
}

/*
 * Closes the table and releases the call's own lock.  The statements that it
 * has run keep theirs.  A call that has not run any, and so has not been
 * checked for privileges, must not block others.
 */
void
dtmodel_close_row_call(const DtRowCall *call)
{
	dtmodel_close_live_view(call->view);
	table_close(call->rel, call->lockmode);
}

/* A model may be given as a domain over the row type, with CHECKs. */
static void
check_domain(const DtRowCall *call, FunctionCallInfo fcinfo, Datum row,
			 bool isnull)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (type != call->rel->rd_rel->reltype && get_typtype(type) == TYPTYPE_DOMAIN)
		domain_check(row, isnull, type, NULL, NULL);
}

/* Ends the call; returns the row, or NULL. */
Datum
dtmodel_end_row_call(const DtRowCall *call, FunctionCallInfo fcinfo,
					 Datum row, bool isnull)
{
	if (call->view != NULL && !isnull)
		row = dtmodel_row_of_view(call->view, call->rel, row);
	check_domain(call, fcinfo, row, isnull);
	dtmodel_close_row_call(call);
	fcinfo->isnull = isnull;
	return isnull ? (Datum) 0 : row;
}

/* The same for a function that returns the row and a flag. */
Datum
dtmodel_end_row_call_with_flag(const DtRowCall *call, FunctionCallInfo fcinfo,
							   Datum row, bool isnull, bool flag)
{
	Datum		values[2] = {row, BoolGetDatum(flag)};
	bool		nulls[2] = {isnull, false};
	TupleDesc	desc = NULL;

	check_domain(call, fcinfo, row, isnull);
	dtmodel_close_row_call(call);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning a record called where none is accepted"),
				 errhint("Call it in FROM.")));
	desc = BlessTupleDesc(desc);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* A boolean argument; "otherwise" for NULL. */
bool
dtmodel_flag_argument(FunctionCallInfo fcinfo, int argument, bool otherwise)
{
	return PG_NARGS() <= argument || PG_ARGISNULL(argument) ? otherwise :
		PG_GETARG_BOOL(argument);
}

/* Whether "t.*" has exactly the columns of a row. */
static bool
has_plain_columns(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			return false;
	}
	return true;
}

static void
append_column(StringInfo query, Form_pg_attribute att)
{
	if (att->attisdropped)
		appendStringInfoString(query, "NULL");
	else
		appendStringInfo(query, DT_ROW_ALIAS ".%s", quote_identifier(NameStr(att->attname)));
}

/*
 * Appends the columns of the row as a part of a target list, with a NULL in
 * the place of each dropped column.  That takes less time than one composite
 * value, which is needed only for a table without columns, since RETURNING
 * must have at least one.
 */
void
dtmodel_append_row(StringInfo query, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	if (desc->natts == 0)
		appendStringInfo(query, DT_ROW_ALIAS ".*::%s", dtmodel_qualified_name(rel));
	else if (has_plain_columns(desc))
		appendStringInfoString(query, DT_ROW_ALIAS ".*");
	else
	{
		for (int i = 0; i < desc->natts; i++)
		{
			appendStringInfoString(query, i == 0 ? "" : ", ");
			append_column(query, TupleDescAttr(desc, i));
		}
	}
}

static HeapTuple
compute_virtual_columns(Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	EState	   *estate = CreateExecutorState();
	ExprContext *econtext = GetPerTupleExprContext(estate);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);

	econtext->ecxt_scantuple = ExecStoreHeapTuple(row, slot, false);
	for (int i = 0; i < desc->natts; i++)
	{
		Node	   *expression = compat_virtual_expression(rel, i + 1);
		int			attnum = i + 1;
		Datum		value;
		bool		isnull;

		if (expression == NULL)
			continue;
		value = ExecEvalExpr(ExecPrepareExpr((Expr *) expression, estate),
							 econtext, &isnull);
		row = heap_modify_tuple_by_cols(row, desc, 1, &attnum, &value, &isnull);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return row;
}

/* Computes the virtual columns, if any, of a row that was not selected. */
HeapTuple
dtmodel_with_virtual_columns(Relation rel, HeapTuple row)
{
	return compat_has_virtual_columns(RelationGetDescr(rel)) ?
		compute_virtual_columns(rel, row) : row;
}

/* The SELECT of a row by its key.  Within SPI. */
SPIPlanPtr
dtmodel_select_plan(const DtRowCall *call)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(call->rel), DT_PLAN_GET,
										 NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfoString(&plan.query, "SELECT ");
	dtmodel_append_row(&plan.query, call->rel);
	appendStringInfo(&plan.query, " FROM %s AS " DT_ROW_ALIAS " WHERE ",
					 dtmodel_qualified_name(call->rel));
	dtmodel_append_key_condition(&plan.query, &call->key, DT_ROW_ALIAS);
	return dtmodel_save_plan(&plan, call->key.ncolumns,
							 dtmodel_key_types(&call->key));
}

/* The same for callers that do not need SPI for anything else. */
static SPIPlanPtr
get_select_plan(const DtRowCall *call)
{
	SPIPlanPtr	plan = dtmodel_find_plan(RelationGetRelid(call->rel), DT_PLAN_GET,
										 NULL).saved;

	if (plan != NULL)
		return plan;
	SPI_connect();
	plan = dtmodel_select_plan(call);
	SPI_finish();
	return plan;
}

/*
 * Fetches the row that the call is about, as the caller's own query would see
 * it.  Returns whether it exists.
 */
bool
dtmodel_select_row(const DtRowCall *call, Datum *row)
{
	RowReceiver receiver = make_receiver(call, false);

	if (!call->id.complete)
		return false;
	dtmodel_read_first_row(get_select_plan(call), call->id.values,
						   call->id.nulls, &receiver.receiver);
	*row = receiver.row;
	return receiver.found;
}
