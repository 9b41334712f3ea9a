/*-------------------------------------------------------------------------
 *
 * updated_row.c
 *	  Whether a row was updated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "server/updated_row.h"
#include "storage/bufmgr.h"

static bool
is_updated(HeapTupleHeader header)
{
	uint16		infomask = header->t_infomask;

	return (infomask & HEAP_XMAX_INVALID) == 0 &&
		!HEAP_XMAX_IS_LOCKED_ONLY(infomask) &&
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header)) &&
		!HeapTupleHeaderIndicatesMovedPartitions(header);
}

/*
 * Whether the current transaction has updated this version of a row, which the
 * slot has on a page of a heap, and not moved it to another partition.  Other
 * transactions may be locking it.
 */
bool
dtmodel_was_updated_here(TupleTableSlot *slot)
{
	const BufferHeapTupleTableSlot *place = (BufferHeapTupleTableSlot *) slot;
	bool		result;

	Assert(TTS_IS_BUFFERTUPLE(slot) && BufferIsValid(place->buffer));
	LockBuffer(place->buffer, BUFFER_LOCK_SHARE);
	result = is_updated(place->base.tuple->t_data);
	LockBuffer(place->buffer, BUFFER_LOCK_UNLOCK);
	return result;
}
