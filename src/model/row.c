/*-------------------------------------------------------------------------
 *
 * row.c
 *	  The row that an INSERT or UPDATE is about to write.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "guc.h"
#include "model/row.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "server/tuple_walk.h"

static void
put_old_row(DtRow *row)
{
	int			natts = RelationGetNumberOfAttributes(row->rel);

	slot_getallattrs(row->old_slot);
	memcpy(row->slot->tts_values, row->old_slot->tts_values,
		   natts * sizeof(Datum));
	memcpy(row->slot->tts_isnull, row->old_slot->tts_isnull,
		   natts * sizeof(bool));
}

/*
 * Whether the statement can go on with a newer version of the row, or without
 * the row.  If not, this is the error of the executor, which would check
 * constraints first.
 */
static void
check_may_follow(TM_Result result)
{
	if (!IsolationUsesXactSnapshot())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 result == TM_Deleted ?
			 errmsg("could not serialize access due to concurrent delete") :
			 errmsg("could not serialize access due to concurrent update")));
}

/*
 * Locks the row that is updated, as the server does before it fires a trigger.
 * An action calls this before it raises an error, or does anything that is not
 * undone with the projection.
 *
 * False if the row has changed meanwhile, or was updated by the statement
 * already.  Then the executor does not store what is projected now, and
 * projects the row again if the UPDATE is still about it.  Until it notices
 * that, it checks constraints, so the new row is the old one.
 */
bool
dtmodel_hold_row(DtRow *row)
{
	ItemPointerData tid;
	TupleTableSlot *slot;
	TM_FailureData failure;
	TM_Result	result;

	if (!dtmodel_is_projected(row) || row->old_slot == NULL)
		return true;
	tid = row->old_slot->tts_tid;
	slot = table_slot_create(row->rel, NULL);
	result = table_tuple_lock(row->rel, &tid, row->estate->es_snapshot, slot,
							  row->estate->es_output_cid,
							  LockTupleNoKeyExclusive, LockWaitBlock, 0,
							  &failure);
	ExecDropSingleTupleTableSlot(slot);
	if (result == TM_Updated || result == TM_Deleted)
		check_may_follow(result);
	if (result != TM_Ok)
		put_old_row(row);
	return result == TM_Ok;
}

/* The old row as a tuple, which may be on a page of the table. */
HeapTuple
dtmodel_old_row(const DtRow *row)
{
	return dtmodel_is_projected(row) ?
		ExecFetchSlotHeapTuple(row->old_slot, false, NULL) : row->old_tuple;
}

/* Whether the current transaction has written the old row. */
bool
dtmodel_old_row_is_ours(const DtRow *row)
{
	HeapTupleHeader header = dtmodel_old_row(row)->t_data;

	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header));
}

static TriggerData *
trigger_data(const DtRow *row)
{
	return (TriggerData *) row->fcinfo->context;
}

static TupleTableSlot *
trigger_slot(const DtRow *row)
{
	const TriggerData *trigdata = trigger_data(row);

	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newslot : trigdata->tg_trigslot;
}

/* Whether the tuple belongs to the slot, and is not on a shared page. */
static bool
slot_owns_tuple(TupleTableSlot *slot, HeapTuple tuple)
{
	return (TTS_IS_HEAPTUPLE(slot) || TTS_IS_BUFFERTUPLE(slot)) &&
		TTS_SHOULDFREE(slot) &&
		((HeapTupleTableSlot *) slot)->tuple == tuple;
}

/* Whether the value has exactly the size of the stored one. */
static bool
fits_in_place(Form_pg_attribute att, const char *place, Datum value)
{
	if (att->attlen > 0)
		return true;
	return att->attlen == -1 &&
		!VARATT_IS_EXTERNAL(place) && !VARATT_IS_COMPRESSED(place) &&
		!VARATT_IS_EXTENDED(DatumGetPointer(value)) &&
		VARSIZE_ANY_EXHDR(place) == VARSIZE_ANY_EXHDR(DatumGetPointer(value));
}

static void
write_in_place(char *place, Form_pg_attribute att, Datum value)
{
	if (att->attbyval)
		store_att_byval(place, value, att->attlen);
	else if (att->attlen > 0)
		memcpy(place, DatumGetPointer(value), att->attlen);
	else
		memcpy(VARDATA_ANY(place), VARDATA_ANY(DatumGetPointer(value)),
			   VARSIZE_ANY_EXHDR(place));
}

static void
replace_tuple(DtRow *row, AttrNumber attnum, Datum value, bool isnull)
{
	int			column = attnum;

	row->tuple = heap_modify_tuple_by_cols(row->tuple, RelationGetDescr(row->rel),
										   1, &column, &value, &isnull);
}

/*
 * Sets one column of a trigger's new row to a value that is not null.
 * "place" is where the row stores the column, or NULL.
 *
 * If a trigger returns another tuple than it was given, the executor copies
 * it, which costs more than everything else that we do.  So a value that fits
 * is written into the slot's own tuple, if there is one, and the same pointer
 * is returned.  If the slot has already deformed the column (a WHEN clause
 * does that), its copy of the value must be changed too: index entries are
 * made from it.
 */
static void
set_in_tuple(DtRow *row, AttrNumber attnum, char *place, Datum value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(row->rel), attnum - 1);
	TupleTableSlot *slot = trigger_slot(row);
	bool		is_private = (row->tuple != dtmodel_new_row(trigger_data(row)));

	if (place == NULL || !fits_in_place(att, place, value) ||
		!(is_private || slot_owns_tuple(slot, row->tuple)))
	{
		replace_tuple(row, attnum, value, false);
		return;
	}
	write_in_place(place, att, value);
	if (!is_private && slot->tts_nvalid >= attnum)
		slot->tts_values[attnum - 1] = fetchatt(att, place);
}

/* Sets one column of the new row; see dtmodel_set_projected(). */
void
dtmodel_set_value(DtRow *row, AttrNumber attnum, Datum value, bool isnull)
{
	if (dtmodel_is_projected(row))
		dtmodel_set_projected(row, attnum, value, isnull);
	else if (isnull)
		replace_tuple(row, attnum, value, true);
	else
		set_in_tuple(row, attnum,
					 dtmodel_locate_column(row->tuple, RelationGetDescr(row->rel),
										   attnum),
					 value);
}

/* Sets several columns of a new row at once, so that it is copied only once. */
void
dtmodel_set_values(DtRow *row, int count, int *attnums,
				   Datum *values, bool *nulls)
{
	if (!dtmodel_is_projected(row))
		row->tuple = heap_modify_tuple_by_cols(row->tuple,
											   RelationGetDescr(row->rel), count,
											   attnums, values, nulls);
	else
	{
		for (int i = 0; i < count; i++)
			dtmodel_set_value(row, attnums[i], values[i], nulls[i]);
	}
}

/*
 * The same in a trigger for a value that is not null, and a column of which the
 * caller knows the place in the tuple that the trigger was given.
 */
void
dtmodel_set_value_at(DtRow *row, AttrNumber attnum, char *place, Datum value)
{
	if (row->tuple != dtmodel_new_row(trigger_data(row)))
		dtmodel_set_value(row, attnum, value, false);
	else
		set_in_tuple(row, attnum, place, value);
}

/*
 * Runs a trigger of ours.  On a partitioned table it is also fired by DELETE,
 * to detect rows that move: these are not new rows in the other partition.
 */
Datum
dtmodel_run_row_action(FunctionCallInfo fcinfo, const DtRowAction *action)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, action->function,
												action->events);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	DtRow		row = {
		.rel = trigdata->tg_relation,
		.trigger = trigdata->tg_trigger,
		.fcinfo = fcinfo,
		.old_tuple = is_update ? trigdata->tg_trigtuple : NULL,
		.tuple = dtmodel_new_row(trigdata),
	};
	void	   *state = dtmodel_trigger_state(fcinfo, action->make_state);

	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (dtmodel_row_moves_out(fcinfo))
			dtmodel_note_departure(fcinfo);
		return PointerGetDatum(row.tuple);
	}
	if (is_update)
		dtmodel_note_update(fcinfo->flinfo->fn_mcxt, row.rel,
							dtmodel_old_tid(&row), trigdata->tg_newslot);
	else
		row.moves_in = dtmodel_row_moves_in(fcinfo);
	if (action->stamps && (dtmodel_preserve_timestamps || row.moves_in))
		return PointerGetDatum(row.tuple);
	if (is_update)
		action->update(&row, state);
	else
		action->insert(&row, state);
	return PointerGetDatum(row.tuple);
}
