/*-------------------------------------------------------------------------
 *
 * ending.c
 *	  How versions of rows end.
 *
 * With the transaction's clock, a version that the transaction has written
 * itself ends when it began.  No other transaction has seen it, and nothing is
 * kept, unless it would be forgotten how the row was deleted or restored: then
 * a version of no length is kept.  So is what changes without a new
 * updated_at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "dtmodel.h"
#include "mixin/history/ending.h"
#include "mixin/history/mixin.h"

static void
report_no_updated_at(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has a history, but no timestamps",
					RelationGetRelationName(rel)),
			 errdetail("A version is valid from the updated_at of its row on."),
			 errhint("Call %s.add_timestamps(%s), or %s.remove_history(%s).",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel),
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

/* The state of a trigger of ours. */
void *
dtmodel_history_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	const DtTimestamps *timestamps = dtmodel_timestamps_of(model);
	DtHistoryState *state = palloc0(sizeof(DtHistoryState));

	if (dtmodel_history_of(model) == NULL)
		dtmodel_report_unknown_trigger(rel);
	if (timestamps == NULL ||
		!AttributeNumberIsValid(timestamps->updated_at.attnum) ||
		!dtmodel_column_fits(&timestamps->updated_at, &dtmodel_use_time))
		report_no_updated_at(rel);
	state->context = CurrentMemoryContext;
	state->timestamps = *timestamps;
	if (dtmodel_soft_delete_of(model) != NULL)
	{
		state->has_soft_delete = true;
		state->soft_delete = *dtmodel_soft_delete_of(model);
	}
	return state;
}

/* Since when a row is valid; a row without a time was always valid. */
TimestampTz
dtmodel_valid_from(const DtTimestamps *timestamps, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		time = heap_getattr(row, timestamps->updated_at.attnum, desc,
									&isnull);

	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(time);
}

DtOperation
dtmodel_update_operation(bool was_deleted, bool becomes_deleted)
{
	if (was_deleted == becomes_deleted)
		return DT_UPDATED;
	return becomes_deleted ? DT_DELETED : DT_RESTORED;
}

static bool
is_ours(HeapTuple row)
{
	return TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data));
}

/*
 * Whether the version began in this transaction.  If an UPDATE that changed
 * nothing has written the row, it is the same version as before.
 */
bool
dtmodel_began_here(HeapTuple row, TimestampTz from)
{
	return is_ours(row) && from >= GetCurrentTransactionStartTimestamp();
}

/*
 * Whether the row may be the result of an UPDATE rather than of an INSERT.  An
 * UPDATE that moves a row inserts it into the other partition.
 */
bool
dtmodel_was_updated(Relation rel, HeapTuple row)
{
	return (row->t_data->t_infomask & HEAP_UPDATED) != 0 ||
		rel->rd_rel->relispartition;
}

/* An updated_at that goes back is an error. */
void
dtmodel_check_time(Relation rel, const DtHistoryState *state,
				   TimestampTz from, TimestampTz to)
{
	if (to >= from)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table \"%s\" cannot be set to an earlier time",
					NameStr(state->timestamps.updated_at.name),
					RelationGetRelationName(rel)),
			 errdetail("It would go from %s back to %s, and the versions of the row would overlap in its history.",
					   timestamptz_to_str(from), pstrdup(timestamptz_to_str(to))),
			 errhint("Assign a later time, or none."),
			 errtablecol(rel, state->timestamps.updated_at.attnum)));
}

/* Until when a row that is deleted now was valid. */
static TimestampTz
valid_to(const DtHistoryState *state, TimestampTz from, bool is_ours)
{
	TimestampTz now = dtmodel_read_clock(state->timestamps.clock);

	if (now > from)
		return now;
	return (is_ours && now == from) || TIMESTAMP_NOT_FINITE(from) ? from :
		from + 1;
}

/* For a row that DELETE or TRUNCATE deletes. */
void
dtmodel_keep_deleted(const DtHistoryState *state, Relation rel, HeapTuple row,
					 DtOperation operation)
{
	DtPastVersion version = {.row = row,.operation = operation};

	version.valid_from = dtmodel_valid_from(&state->timestamps, row,
											RelationGetDescr(rel));
	version.valid_to = valid_to(state, version.valid_from, is_ours(row));
	if (version.valid_to > version.valid_from || !is_ours(row) ||
		dtmodel_was_updated(rel, row))
		dtmodel_keep_version(rel, &version);
}
