/*-------------------------------------------------------------------------
 *
 * record.c
 *	  Reading the columns of a composite value.
 *
 * PL/pgSQL passes OLD and NEW of a trigger as expanded records.  Flattening
 * one would copy the row and fetch values that are stored out of line, so the
 * columns are read from the expanded record.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "server/record.h"
#include "utils/expandedrecord.h"
#include "utils/typcache.h"

/* The expanded record; NULL if the value is flat. */
static ExpandedRecordHeader *
expanded_record(Datum value)
{
	ExpandedRecordHeader *header;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
		return NULL;
	header = (ExpandedRecordHeader *) DatumGetEOHP(value);
	return header->er_magic == ER_MAGIC ? header : NULL;
}

static void
open_expanded(ExpandedRecordHeader *header, DtRecord *record)
{
	deconstruct_expanded_record(header);
	record->desc = expanded_record_get_tupdesc(header);
	record->values = header->dvalues;
	record->nulls = header->dnulls;
	record->pinned = false;
}

/* The tuple in a composite value, whose memory it shares. */
HeapTupleData
dtmodel_tuple_of_row(Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	HeapTupleData tuple = {
		.t_len = HeapTupleHeaderGetDatumLength(header),
		.t_data = header,
	};

	ItemPointerSetInvalid(&tuple.t_self);
	return tuple;
}

/* A composite value that is detoasted, for several of the functions below. */
Datum
dtmodel_fetch_record(Datum value)
{
	return expanded_record(value) != NULL ? value :
		PointerGetDatum(DatumGetHeapTupleHeader(value));
}

static void
open_flat(DtRecord *record)
{
	HeapTupleHeader header = record->tuple.t_data;

	record->desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
										  HeapTupleHeaderGetTypMod(header));
	record->values = palloc(sizeof(Datum) * Max(record->desc->natts, 1));
	record->nulls = palloc(sizeof(bool) * Max(record->desc->natts, 1));
	record->pinned = true;
	heap_deform_tuple(&record->tuple, record->desc, record->values,
					  record->nulls);
}

/*
 * A number for the row type of a composite value, which differs for different
 * types, and after the type was altered.  Anonymous row types of a query have
 * one too.
 */
uint64
dtmodel_record_type(Datum value)
{
	ExpandedRecordHeader *expanded = expanded_record(value);
	HeapTupleHeader header;

	if (expanded != NULL)
		return expanded->er_tupdesc_id;
	header = DatumGetHeapTupleHeader(value);
	return assign_record_type_identifier(HeapTupleHeaderGetTypeId(header),
										 HeapTupleHeaderGetTypMod(header));
}

/* A copy of the row type of a composite value. */
TupleDesc
dtmodel_copy_record_type(Datum value)
{
	ExpandedRecordHeader *expanded = expanded_record(value);
	HeapTupleHeader header;

	if (expanded != NULL)
		return CreateTupleDescCopyConstr(expanded_record_get_tupdesc(expanded));
	header = DatumGetHeapTupleHeader(value);
	return lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header),
									   HeapTupleHeaderGetTypMod(header));
}

/* Opens a composite value.  Columns that are stored out of line stay there. */
void
dtmodel_open_record(Datum value, DtRecord *record)
{
	ExpandedRecordHeader *expanded = expanded_record(value);

	if (expanded != NULL)
	{
		open_expanded(expanded, record);
		return;
	}
	record->tuple = dtmodel_tuple_of_row(value);
	open_flat(record);
}

/*
 * The same for one of many rows of one type, of which only the first
 * "ncolumns" columns are needed.  The slot is for heap tuples of that type,
 * and the record must stay in memory until the next row.
 */
void
dtmodel_open_columns(Datum value, TupleTableSlot *slot, int ncolumns,
					 DtRecord *record)
{
	ExpandedRecordHeader *expanded = expanded_record(value);

	if (expanded != NULL)
	{
		open_expanded(expanded, record);
		return;
	}
	record->tuple = dtmodel_tuple_of_row(value);
	ExecStoreHeapTuple(&record->tuple, slot, false);
	slot_getsomeattrs(slot, ncolumns);
	record->desc = slot->tts_tupleDescriptor;
	record->values = slot->tts_values;
	record->nulls = slot->tts_isnull;
	record->pinned = false;
}

void
dtmodel_close_record(DtRecord *record)
{
	if (record->pinned)
		ReleaseTupleDesc(record->desc);
}
