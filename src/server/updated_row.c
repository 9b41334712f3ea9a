/*-------------------------------------------------------------------------
 *
 * updated_row.c
 *	  Whether a row was updated, and its newest version.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "server/updated_row.h"
#include "storage/bufmgr.h"
#include "utils/snapmgr.h"

/* The page must be locked: others may be locking the row. */
static bool
has_ended(HeapTupleHeader header)
{
	uint16		infomask = header->t_infomask;

	return (infomask & HEAP_XMAX_INVALID) == 0 &&
		!HEAP_XMAX_IS_LOCKED_ONLY(infomask) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header));
}

static bool
is_updated(HeapTupleHeader header)
{
	return has_ended(header) && !HeapTupleHeaderIndicatesMovedPartitions(header);
}

static bool
check_on_page(const BufferHeapTupleTableSlot *place,
			  bool (*is_so) (HeapTupleHeader header))
{
	bool		result;

	Assert(BufferIsValid(place->buffer));
	LockBuffer(place->buffer, BUFFER_LOCK_SHARE);
	result = is_so(place->base.tuple->t_data);
	LockBuffer(place->buffer, BUFFER_LOCK_UNLOCK);
	return result;
}

/*
 * Whether the current transaction has updated this version of a row, which the
 * slot has on a page of a heap, and not moved it to another partition.  Other
 * transactions may be locking it.
 */
bool
dtmodel_was_updated_here(TupleTableSlot *slot)
{
	Assert(TTS_IS_BUFFERTUPLE(slot));
	return check_on_page((BufferHeapTupleTableSlot *) slot, is_updated);
}

/*
 * Whether the current transaction has updated this version of a row, or moved
 * or deleted it.  False if the table is not a heap.  Called for each row: most
 * have never been locked, and that needs no look at the page.
 */
bool
dtmodel_has_ended_here(TupleTableSlot *slot)
{
	const BufferHeapTupleTableSlot *place = (BufferHeapTupleTableSlot *) slot;

	if (!TTS_IS_BUFFERTUPLE(slot) || !BufferIsValid(place->buffer) ||
		(place->base.tuple->t_data->t_infomask & HEAP_XMAX_INVALID) != 0)
		return false;
	return check_on_page(place, has_ended);
}

/*
 * Follows a row to its newest version.  False if the row is gone: deleted, or
 * moved to another partition.
 */
static bool
fetch_newest_version(Relation rel, ItemPointerData tid, TupleTableSlot *slot)
{
	TableScanDesc scan = table_beginscan_tid(rel, SnapshotSelf);

	table_tuple_get_latest_tid(scan, &tid);
	table_endscan(scan);
	return table_tuple_fetch_row_version(rel, &tid, SnapshotSelf, slot);
}

/*
 * The newest version of a row that the current transaction has written: itself,
 * also if it is gone, or a copy.
 */
HeapTuple
dtmodel_newest_version(Relation rel, HeapTuple row)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	HeapTuple	newest = row;

	if (!table_tuple_fetch_row_version(rel, &row->t_self, SnapshotSelf, slot) &&
		fetch_newest_version(rel, row->t_self, slot))
		newest = ExecCopySlotHeapTuple(slot);
	ExecDropSingleTupleTableSlot(slot);
	return newest;
}
