/*-------------------------------------------------------------------------
 *
 * record.c
 *	  The columns of a row that is given as a value.
 *
 * A trigger in PL/pgSQL hands over its OLD and NEW as expanded records.  To
 * flatten one would copy the row and fetch what is stored out of line, so it
 * is read where it lies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "model/record.h"
#include "utils/expandedrecord.h"
#include "utils/typcache.h"

static void
open_expanded(ExpandedRecordHeader *header, DtRecord *record)
{
	deconstruct_expanded_record(header);
	record->desc = expanded_record_get_tupdesc(header);
	record->values = header->dvalues;
	record->nulls = header->dnulls;
	record->pinned = false;
}

static void
open_flat(HeapTupleHeader header, DtRecord *record)
{
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(header),
		.t_data = header,
	};

	record->desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
										  HeapTupleHeaderGetTypMod(header));
	record->values = palloc(sizeof(Datum) * Max(record->desc->natts, 1));
	record->nulls = palloc(sizeof(bool) * Max(record->desc->natts, 1));
	record->pinned = true;
	heap_deform_tuple(&tuple, record->desc, record->values, record->nulls);
}

/* Opens a composite value.  Values that are stored out of line stay there. */
void
dtmodel_open_record(Datum value, DtRecord *record)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) &&
		((ExpandedRecordHeader *) DatumGetEOHP(value))->er_magic == ER_MAGIC)
		open_expanded((ExpandedRecordHeader *) DatumGetEOHP(value), record);
	else
		open_flat(DatumGetHeapTupleHeader(value), record);
}

void
dtmodel_close_record(DtRecord *record)
{
	if (record->pinned)
		ReleaseTupleDesc(record->desc);
}
