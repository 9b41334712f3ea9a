/*-------------------------------------------------------------------------
 *
 * soft_delete.c
 *	  The soft-delete mixin: a DELETE that marks the row.
 *
 * The BEFORE DELETE trigger updates flag and time itself, with the executor's
 * function for a single row, and then suppresses the DELETE.  It does not run
 * a query: the DELETE is authorized already, and a query would also need the
 * privileges of UPDATE and SELECT, and their policies.  Triggers, constraints
 * and indexes are handled as in an UPDATE.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "guc.h"
#include "mixin/soft_delete/hard_delete.h"
#include "miscadmin.h"
#include "mixin/soft_delete/cascade.h"
#include "mixin/soft_delete/conflict.h"
#include "mixin/soft_delete/executor.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/foreign_key.h"
#include "model/mixin_call.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "model/sender.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

DtSoftDeletion *dtmodel_soft_deletion = NULL;

/* The state of single-row updates, kept for all rows of one statement. */
typedef struct RowUpdate
{
	EState	   *estate;
	ResultRelInfo *target;
	EPQState	epqstate;
	TupleTableSlot *slot;		/* the row, marked as deleted */
	bool		has_other_before_triggers;	/* other triggers change rows
											 * BEFORE UPDATE */
	ResourceOwner owner;		/* of the resources of everything above */
	SubTransactionId subtransaction;	/* in which it is one */
	MemoryContextCallback callback;
} RowUpdate;

/* The state of the trigger, created once in each statement. */
typedef struct SoftDeleteState
{
	DtSoftDelete columns;
	TimestampTz time;			/* identifies this deletion */
	bool		hard_allowed;	/* rows may be deleted for good */
	RowUpdate  *update;			/* NULL until a row is marked */
} SoftDeleteState;

PG_FUNCTION_INFO_V1(dtmodel_soft_delete_trigger);
PG_FUNCTION_INFO_V1(dtmodel_protect_truncate_trigger);

/*
 * The table's soft-delete columns, which are checked to exist and to have
 * their types.
 */
DtSoftDelete
dtmodel_usable_soft_delete(Relation rel)
{
	const DtSoftDelete *columns = dtmodel_soft_delete_of(dtmodel_get_model(rel));

	if (columns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" has no soft delete",
						RelationGetRelationName(rel)),
				 errhint("Call %s.", dtmodel_mixin_call(rel, &dtmodel_soft_delete_mixin,
														NULL, NULL)),
				 errtable(rel)));
	dtmodel_check_mixin_columns(rel, &dtmodel_soft_delete_mixin, columns);
	return *columns;
}

/*
 * The time at which a row was deleted.  It is not NULL in a deleted row, unless
 * a CHECK was dropped: then it is the same for all such rows, so that those
 * below them are restored with them.
 */
TimestampTz
dtmodel_row_deleted_at(const DtSoftDelete *soft_delete, HeapTuple row,
					   TupleDesc desc)
{
	bool		isnull;
	Datum		time = heap_getattr(row, soft_delete->deleted_at.attnum, desc,
									&isnull);

	return isnull ? 0 : DatumGetTimestampTz(time);
}

/*
 * The time of the transaction's deletion, which identifies it: everything
 * that one transaction deletes, with any number of statements, is one
 * deletion.  A column without time zone holds UTC, so that both types have
 * the same representation.
 */
TimestampTz
dtmodel_new_deletion_time(const DtSoftDelete *soft_delete)
{
	return dtmodel_time_for_column(dtmodel_transaction_time(),
								   &soft_delete->deleted_at);
}

/* Whether the trigger fires in this session, so that a DELETE is soft. */
bool
dtmodel_soft_delete_fires(const DtSoftDelete *soft_delete)
{
	return dtmodel_trigger_fires(soft_delete->tgenabled);
}

/*
 * Releases indexes and slots when the statement's memory is freed.  After an
 * error the resource owner has released them already, and is gone itself.  The
 * memory of a statement can last longer than the subtransaction in which it has
 * failed.
 */
static void
end_row_update(void *argument)
{
	RowUpdate  *update = (RowUpdate *) argument;
	ResourceOwner caller = CurrentResourceOwner;

	if (!IsTransactionState() || !SubTransactionIsActive(update->subtransaction))
		return;

	CurrentResourceOwner = update->owner;
	ExecClearTuple(update->slot);
	ExecResetTupleTable(update->estate->es_tupleTable, false);
	ExecCloseIndices(update->target);
	CurrentResourceOwner = caller;
}

static Bitmapset *
updated_columns(const DtSoftDelete *columns)
{
	Bitmapset  *updated;

	updated = bms_make_singleton(columns->deleted_at.attnum -
								 FirstLowInvalidHeapAttributeNumber);
	if (dtmodel_column_is_used(&columns->flag))
		updated = bms_add_member(updated, columns->flag.attnum -
								 FirstLowInvalidHeapAttributeNumber);
	return updated;
}

static RowUpdate *
begin_row_update(Relation rel, const DtSoftDelete *columns,
				 MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	EState	   *estate = CreateExecutorState();
	RowUpdate  *update;

	MemoryContextSwitchTo(estate->es_query_cxt);
	update = palloc0(sizeof(RowUpdate));
	update->estate = estate;
	update->owner = CurrentResourceOwner;
	update->subtransaction = GetCurrentSubTransactionId();
	compat_init_range_table(estate, rel, updated_columns(columns));
	update->target = makeNode(ResultRelInfo);
	InitResultRelInfo(update->target, rel, 1, NULL, 0);
	dtmodel_prepare_deletion(update->target);
	update->has_other_before_triggers = dtmodel_get_model(rel)->has_other_before_triggers;
	compat_eval_plan_qual_init(&update->epqstate, estate);
	update->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(rel)),
											table_slot_callbacks(rel));

	/* From here on there are resources to release. */
	update->callback.func = end_row_update;
	update->callback.arg = update;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &update->callback);
	ExecOpenIndices(update->target, false);
	MemoryContextSwitchTo(caller);
	return update;
}

/* Fills the slot with the row, marked as deleted. */
static void
store_marked_row(TupleTableSlot *slot, TupleTableSlot *live,
				 const SoftDeleteState *state)
{
	const DtSoftDelete *columns = &state->columns;
	int			flag = columns->flag.attnum - 1;
	int			deleted_at = columns->deleted_at.attnum - 1;
	int			natts = slot->tts_tupleDescriptor->natts;

	slot_getallattrs(live);
	ExecClearTuple(slot);
	memcpy(slot->tts_values, live->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, live->tts_isnull, natts * sizeof(bool));
	if (dtmodel_column_is_used(&columns->flag))
	{
		slot->tts_values[flag] = BoolGetDatum(!columns->flag_is_live);
		slot->tts_isnull[flag] = false;
	}
	slot->tts_values[deleted_at] = TimestampTzGetDatum(state->time);
	slot->tts_isnull[deleted_at] = false;
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = live->tts_tableOid;
	ItemPointerSetInvalid(&slot->tts_tid);
}

/*
 * Refuses, as the server does, to delete a row that a trigger of this DELETE
 * has changed meanwhile: one of the two changes would be lost.
 */
static void
check_untouched(const TriggerData *trigdata, TupleTableSlot *slot)
{
	if (table_tuple_fetch_row_version(trigdata->tg_relation,
									  &trigdata->tg_trigtuple->t_self,
									  SnapshotSelf, slot))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("tuple to be deleted was already modified by an operation triggered by the current command"),
			 errhint("Consider using an AFTER trigger instead of a BEFORE trigger to propagate changes to other rows."),
			 errtable(trigdata->tg_relation)));
}

/*
 * Marks the row.  Returns whether that was done: a BEFORE UPDATE trigger of
 * the user may have skipped the row.
 */
static bool
mark_deleted(const TriggerData *trigdata, const SoftDeleteState *state)
{
	RowUpdate  *update = state->update;
	EState	   *estate = update->estate;
	MemoryContext caller;

	if (update->has_other_before_triggers)
		check_untouched(trigdata, update->slot);

	/*
	 * The row's triggers keep what they look up in the current context, so it
	 * must live as long.
	 */
	caller = MemoryContextSwitchTo(estate->es_query_cxt);
	store_marked_row(update->slot, trigdata->tg_trigslot, state);
	estate->es_output_cid = GetCurrentCommandId(true);
	estate->es_snapshot = GetActiveSnapshot();
	ExecSimpleRelationUpdate(update->target, estate, &update->epqstate,
							 trigdata->tg_trigslot, update->slot);
	ResetPerTupleExprContext(estate);
	MemoryContextSwitchTo(caller);
	return ItemPointerIsValid(&update->slot->tts_tid) &&
		!ItemPointerEquals(&update->slot->tts_tid,
						   &trigdata->tg_trigtuple->t_self);
}

/*
 * Whether dtmodel.hard_delete is in effect, checked once in each statement.  On
 * a shard the sender of the statement says so.
 */
static bool
is_hard_delete(Relation rel, SoftDeleteState *state)
{
	const DtSender *sender = dtmodel_sender();

	if (sender != NULL && sender->command == DT_SENT_HARD_DELETE)
	{
		dtmodel_check_hard_delete(rel);
		return true;
	}
	if (!dtmodel_hard_delete)
		return false;
	if (!state->hard_allowed)
		state->hard_allowed = dtmodel_may_delete_for_good(rel);
	return state->hard_allowed;
}

/*
 * Whether a foreign key deletes the row, because its parent does not exist
 * any more.
 */
static bool
is_cascade(const TriggerData *trigdata)
{
	return InNoForceRLSOperation() &&
		dtmodel_parent_is_gone(trigdata->tg_relation, trigdata->tg_trigtuple);
}

/*
 * Whether the row is deleted for good.  A deletion by a foreign key needs no
 * privilege, with dtmodel.hard_delete on or off.
 */
static bool
is_physical(const TriggerData *trigdata, SoftDeleteState *state)
{
	Relation	rel = trigdata->tg_relation;

	if (is_hard_delete(rel, state) || is_cascade(trigdata))
		return true;
	if (dtmodel_hard_delete)
		dtmodel_check_hard_delete(rel);
	return false;
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	SoftDeleteState *state = palloc0(sizeof(SoftDeleteState));

	state->columns = dtmodel_usable_soft_delete(rel);
	state->time = dtmodel_new_deletion_time(&state->columns);
	return state;
}

/* Whether the table is that table, a partition of it, or inherits from it. */
static bool
is_part_of(Relation rel, Oid relid)
{
	return RelationGetRelid(rel) == relid ||
		typeInheritsFrom(rel->rd_rel->reltype, get_rel_type_id(relid));
}

/*
 * The function that runs this DELETE, if one does.  A DELETE that another
 * trigger runs meanwhile is at another depth, and does not belong to it.
 */
static DtSoftDeletion *
deletion_of(Relation rel)
{
	DtSoftDeletion *deletion = dtmodel_soft_deletion;

	if (deletion == NULL || !is_part_of(rel, deletion->relid) ||
		deletion->depth != DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0)))
		return NULL;
	return deletion;
}

/*
 * The row as a row of the table that was asked for, rather than of its
 * partition.
 */
static HeapTuple
convert_row(Relation rel, HeapTuple row, Oid relid)
{
	Relation	table;
	TupleConversionMap *map;

	if (RelationGetRelid(rel) == relid)
		return heap_copytuple(row);

	table = table_open(relid, NoLock);
	map = convert_tuples_by_name(RelationGetDescr(rel), RelationGetDescr(table));
	row = map == NULL ? heap_copytuple(row) : execute_attr_map_tuple(row, map);
	/* A virtual column may be computed from it. */
	row->t_tableOid = RelationGetRelid(rel);
	table_close(table, NoLock);
	return row;
}

static void
hand_over(DtSoftDeletion *deletion, Relation rel, HeapTuple row)
{
	MemoryContext caller = MemoryContextSwitchTo(deletion->context);

	deletion->row = convert_row(rel, row, deletion->relid);
	MemoryContextSwitchTo(caller);
}

static void
soft_delete_row(const TriggerData *trigdata, SoftDeleteState *state,
				MemoryContext context, DtSoftDeletion *deletion)
{
	Relation	rel = trigdata->tg_relation;
	bool		should_free;
	HeapTuple	row;

	if (dtmodel_is_deleted(&state->columns, trigdata->tg_trigtuple,
						   RelationGetDescr(rel)))
	{
		if (deletion != NULL)
			hand_over(deletion, rel, trigdata->tg_trigtuple);
		return;
	}

	if (state->update == NULL)
		state->update = begin_row_update(rel, &state->columns, context);
	if (!mark_deleted(trigdata, state) || deletion == NULL)
		return;
	row = ExecFetchSlotHeapTuple(state->update->slot, false, &should_free);
	hand_over(deletion, rel, row);
}

/*
 * The row moves to another partition.  If the UPDATE also deletes or restores
 * it, the cascade is run when it has arrived.
 */
static void
note_move(FunctionCallInfo fcinfo, const SoftDeleteState *state,
		  TupleTableSlot *new_row)
{
	bool		should_free;
	HeapTuple	row = ExecFetchSlotHeapTuple(new_row, false, &should_free);

	dtmodel_note_flip(fcinfo, &state->columns, row);
	if (should_free)
		heap_freetuple(row);
}

/* The update has been noted, for a DELETE that may follow. */
static void
leave_row(DtRow *row pg_attribute_unused(), void *state pg_attribute_unused())
{
}

const DtRowAction dtmodel_soft_delete_action = {
	.function = "soft_delete_trigger",
	.events = DT_ON_UPDATE | DT_ON_DELETE,
	.only_assigned = true,
	.make_state = make_state,
	.update = leave_row,
};

/*
 * soft_delete_trigger() returns trigger
 *
 * BEFORE DELETE, and UPDATE on a partitioned table, FOR EACH ROW.  Its arguments, each "key=value": flag (the
 * name of a boolean column, absent on a model that has none), deleted_at (a
 * column of type timestamptz, or timestamp in UTC), flag_means ("live" for a
 * flag such as is_active).
 *
 * Marks the row and suppresses the DELETE, which therefore reports 0 rows and
 * returns none.  A row that is already deleted stays as it is.  The DELETE is
 * physical under dtmodel.hard_delete, which needs the TRUNCATE privilege
 * (42501), and when a foreign-key cascade deletes the row because its parent
 * does not exist any more.  A row that an UPDATE moves to another partition
 * is not marked.  A column that does not exist (42703) or has another type
 * (42804) is an error, never a physical delete.
 *
 * Source: SoftDeleteMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_soft_delete_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo,
												dtmodel_soft_delete_action.function,
												dtmodel_soft_delete_action.events);
	Relation	rel = trigdata->tg_relation;
	SoftDeleteState *state = dtmodel_trigger_state(fcinfo, make_state);
	DtSoftDeletion *deletion = deletion_of(rel);
	TupleTableSlot *moved_row;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		dtmodel_check_conflict(fcinfo->flinfo->fn_mcxt, rel,
							   trigdata->tg_trigtuple, &state->columns);
		return dtmodel_run_row_action(fcinfo, &dtmodel_soft_delete_action);
	}
	moved_row = dtmodel_row_moves_out(fcinfo);
	if (moved_row != NULL)
	{
		note_move(fcinfo, state, moved_row);
		return PointerGetDatum(trigdata->tg_trigtuple);
	}
	if (deletion == NULL && is_physical(trigdata, state))
		return PointerGetDatum(trigdata->tg_trigtuple);

	soft_delete_row(trigdata, state, fcinfo->flinfo->fn_mcxt, deletion);
	return PointerGetDatum(NULL);
}

/*
 * protect_truncate_trigger() returns trigger
 *
 * BEFORE TRUNCATE, FOR EACH STATEMENT, on a model that asked for it.  Refuses
 * the TRUNCATE (55000), which fires no row trigger, unless
 * dtmodel.hard_delete is on, which needs the TRUNCATE privilege (42501).
 */
Datum
dtmodel_protect_truncate_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.protect_truncate_trigger must be called as a trigger on TRUNCATE",
						DTMODEL_INTERNAL_SCHEMA)));
	/*
	 * Citus empties a shard after the trigger of its table.  It refuses others,
	 * unless citus.enable_manual_changes_to_shards is set.
	 */
	if (dtmodel_is_shard(&dtmodel_get_model(trigdata->tg_relation)->citus))
		return PointerGetDatum(NULL);
	if (dtmodel_hard_delete)
		dtmodel_check_hard_delete(trigdata->tg_relation);
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is protected against TRUNCATE",
						RelationGetRelationName(trigdata->tg_relation)),
				 errdetail("Its rows are soft-deleted, and TRUNCATE would remove them for good."),
				 errhint("Use DELETE, or SET dtmodel.hard_delete = on first."),
				 errtable(trigdata->tg_relation)));
	return PointerGetDatum(NULL);
}
