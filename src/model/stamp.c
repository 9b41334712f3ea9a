/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  Stamping rows: whether an UPDATE changes a row, and columns stored in the
 *	  row that is about to be written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "executor/tuptable.h"
#include "guc.h"
#include "model/row_trigger.h"
#include "model/stamp.h"
#include "utils/datum.h"
#include "utils/rel.h"

/* Steps through the columns of a stored tuple without deforming it. */
typedef struct TupleWalk
{
	HeapTupleHeader header;
	TupleDesc	desc;
	char	   *data;
	uint32		offset;
	int			next;			/* index of the next column */
} TupleWalk;

static void
start_walk(TupleWalk *walk, HeapTuple tuple, TupleDesc desc)
{
	walk->header = tuple->t_data;
	walk->desc = desc;
	walk->data = (char *) tuple->t_data + tuple->t_data->t_hoff;
	walk->offset = 0;
	walk->next = 0;
}

/* The stored bytes of the next column, or NULL if it is null. */
static pg_attribute_always_inline char *
walk_column(TupleWalk *walk)
{
	Form_pg_attribute att = TupleDescAttr(walk->desc, walk->next);
	char	   *value;

	if ((walk->header->t_infomask & HEAP_HASNULL) != 0 &&
		att_isnull(walk->next, walk->header->t_bits))
	{
		walk->next++;
		return NULL;
	}

	walk->offset = att_align_pointer(walk->offset, att->attalign, att->attlen,
									 walk->data + walk->offset);
	value = walk->data + walk->offset;
	walk->offset = att_addlength_pointer(walk->offset, att->attlen, value);
	walk->next++;
	return value;
}

/* The stored bytes of a column, or NULL if it is null or not in the tuple. */
static char *
locate_column(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	TupleWalk	walk;

	if (attnum > HeapTupleHeaderGetNatts(tuple->t_data))
		return NULL;

	start_walk(&walk, tuple, desc);
	while (walk.next < attnum - 1)
		(void) walk_column(&walk);
	return walk_column(&walk);
}

static TupleTableSlot *
new_slot(const TriggerData *trigdata)
{
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
store_value(char *place, Form_pg_attribute att, Datum value)
{
	if (att->attbyval)
		store_att_byval(place, value, att->attlen);
	else if (att->attlen > 0)
		memcpy(place, DatumGetPointer(value), att->attlen);
	else
		memcpy(VARDATA_ANY(place), VARDATA_ANY(DatumGetPointer(value)),
			   VARSIZE_ANY_EXHDR(place));
}

/*
 * Sets one column of the row that is about to be written, and returns the row
 * for the next store or for the executor.  "place" is where the row stores
 * the column, or NULL.
 *
 * If a trigger returns another tuple than it was given, the executor copies
 * it, which costs more than everything else that we do.  So a value that fits
 * is written into the slot's own tuple, if there is one, and the same pointer
 * is returned.  If the slot has already deformed the column (a WHEN clause
 * does that), its copy of the value must be changed too: index entries are
 * made from it.
 */
static HeapTuple
store_at(const TriggerData *trigdata, HeapTuple row, AttrNumber attnum,
		 char *place, Datum value, bool isnull)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	TupleTableSlot *slot = new_slot(trigdata);
	bool		is_private = (row != dtmodel_new_row(trigdata));
	int			column = attnum;

	if (isnull || place == NULL || !fits_in_place(att, place, value) ||
		!(is_private || slot_owns_tuple(slot, row)))
		return heap_modify_tuple_by_cols(row, desc, 1, &column, &value,
										 &isnull);

	store_value(place, att, value);
	if (!is_private && slot->tts_nvalid >= attnum)
		slot->tts_values[attnum - 1] = fetchatt(att, place);
	return row;
}

HeapTuple
dtmodel_store_column(const TriggerData *trigdata, HeapTuple row,
					 AttrNumber attnum, Datum value, bool isnull)
{
	return store_at(trigdata, row, attnum,
					locate_column(row, RelationGetDescr(trigdata->tg_relation), attnum),
					value, isnull);
}

/* The same for a column that dtmodel_row_changes() has found. */
HeapTuple
dtmodel_store_pair(const TriggerData *trigdata, HeapTuple row,
				   const DtColumnPair *pair, Datum value)
{
	if (row != dtmodel_new_row(trigdata))
		return dtmodel_store_column(trigdata, row, pair->attnum, value, false);
	return store_at(trigdata, row, pair->attnum, pair->new_place, value, false);
}

static bool
same_body(HeapTuple a, HeapTuple b)
{
	HeapTupleHeader x = a->t_data;
	HeapTupleHeader y = b->t_data;

	/*
	 * Compare from the null bitmap on; the server has changed what precedes
	 * it.
	 */
	return a->t_len == b->t_len && x->t_hoff == y->t_hoff &&
		HeapTupleHeaderGetNatts(x) == HeapTupleHeaderGetNatts(y) &&
		((x->t_infomask ^ y->t_infomask) & HEAP_HASNULL) == 0 &&
		memcmp(x->t_bits, y->t_bits,
			   a->t_len - offsetof(HeapTupleHeaderData, t_bits)) == 0;
}

/* Whether a difference in this column changes the row. */
static bool
counts(Form_pg_attribute att, const Bitmapset *ignored)
{
	/*
	 * A generated column is computed later, from columns that count
	 * themselves.
	 */
	return !att->attisdropped && att->attgenerated == '\0' &&
		!bms_is_member(att->attnum, ignored);
}

static bool
same_stored_value(Form_pg_attribute att, const char *a, const char *b)
{
	Size		length;

	if (a == NULL || b == NULL)
		return a == b;
	if (att->attbyval)
		return fetchatt(att, a) == fetchatt(att, b);

	length = att_addlength_pointer(0, att->attlen, a);
	if (length == (Size) att_addlength_pointer(0, att->attlen, b) &&
		memcmp(a, b, length) == 0)
		return true;

	/* The same value may be stored compressed, out of line or plain. */
	return att->attlen == -1 &&
		datum_image_eq(PointerGetDatum(a), PointerGetDatum(b), false, -1);
}

/*
 * For a row that was written before a column was added, and does not have it.
 */
static bool
short_row_changed(HeapTuple old_row, HeapTuple new_row, TupleDesc desc,
				  const Bitmapset *ignored)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Datum		old_value;
		Datum		new_value;
		bool		old_isnull;
		bool		new_isnull;

		if (!counts(att, ignored))
			continue;
		old_value = heap_getattr(old_row, i + 1, desc, &old_isnull);
		new_value = heap_getattr(new_row, i + 1, desc, &new_isnull);
		if (old_isnull != new_isnull)
			return true;
		if (!old_isnull && !datum_image_eq(old_value, new_value,
										   att->attbyval, att->attlen))
			return true;
	}
	return false;
}

static void
read_short_rows(HeapTuple old_row, HeapTuple new_row, TupleDesc desc,
				DtColumnPair *pair)
{
	if (!AttributeNumberIsValid(pair->attnum))
		return;
	pair->old_value = heap_getattr(old_row, pair->attnum, desc,
								   &pair->old_isnull);
	pair->new_value = heap_getattr(new_row, pair->attnum, desc,
								   &pair->new_isnull);
	pair->new_place = locate_column(new_row, desc, pair->attnum);
}

static inline void
read_pair(DtColumnPair *pair, Form_pg_attribute att, char *old_place,
		  char *new_place)
{
	pair->old_isnull = (old_place == NULL);
	if (old_place != NULL)
		pair->old_value = fetchatt(att, old_place);
	pair->new_isnull = (new_place == NULL);
	if (new_place != NULL)
		pair->new_value = fetchatt(att, new_place);
	pair->new_place = new_place;
}

/* One pass over both rows, which ends when the result is known. */
static bool
full_row_changed(HeapTuple old_row, HeapTuple new_row, TupleDesc desc,
				 const Bitmapset *ignored, DtColumnPair *pairs, int npairs)
{
	TupleWalk	old_walk;
	TupleWalk	new_walk;
	bool		changed = false;
	int			last_pair = 0;

	for (int i = 0; i < npairs; i++)
		last_pair = Max(last_pair, pairs[i].attnum);

	start_walk(&old_walk, old_row, desc);
	start_walk(&new_walk, new_row, desc);
	for (int attnum = 1; attnum <= (changed ? last_pair : desc->natts); attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
		char	   *old_place = walk_column(&old_walk);
		char	   *new_place = walk_column(&new_walk);

		for (int i = 0; i < npairs; i++)
		{
			if (pairs[i].attnum == attnum)
				read_pair(&pairs[i], att, old_place, new_place);
		}
		if (!changed && !same_stored_value(att, old_place, new_place))
			changed = counts(att, ignored);
	}
	return changed;
}

/*
 * Whether an UPDATE changes the row: whether any column that is not ignored
 * gets another value.  Values are compared byte by byte, not with the type's
 * operator: 1.0 to 1.00 is a change that a reader can see.
 *
 * Also fills in the pairs.  If nothing at all changes they stay null.
 */
static bool
row_changed(HeapTuple old_row, HeapTuple new_row, TupleDesc desc,
			const Bitmapset *ignored, DtColumnPair *pairs, int npairs)
{
	for (int i = 0; i < npairs; i++)
		pairs[i].old_isnull = pairs[i].new_isnull = true;

	if (same_body(old_row, new_row))
		return false;
	if (HeapTupleHeaderGetNatts(old_row->t_data) >= desc->natts &&
		HeapTupleHeaderGetNatts(new_row->t_data) >= desc->natts)
		return full_row_changed(old_row, new_row, desc, ignored, pairs, npairs);

	for (int i = 0; i < npairs; i++)
		read_short_rows(old_row, new_row, desc, &pairs[i]);
	return short_row_changed(old_row, new_row, desc, ignored);
}

/* Whether an UPDATE sets the column for the first time. */
static bool
is_set(const DtColumnPair *pair)
{
	return pair->old_isnull && !pair->new_isnull;
}

/*
 * Whether a text was replaced by another one.  Filling in a text, where there
 * was none or an empty one, does not count.
 */
static bool
text_changed(const DtColumnPair *pair)
{
	if (pair->old_isnull ||
		VARSIZE_ANY_EXHDR(DatumGetTextPP(pair->old_value)) == 0)
		return false;
	return pair->new_isnull ||
		!datum_image_eq(pair->old_value, pair->new_value, false, -1);
}

static int
add_pairs(DtColumnPair *pairs, int npairs, const Bitmapset *columns)
{
	int			attnum = -1;

	while ((attnum = bms_next_member(columns, attnum)) >= 0)
		pairs[npairs++].attnum = attnum;
	return npairs;
}

static DtOwnColumns
own_columns(const DtModel *model)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	DtOwnColumns own = {0};

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (model->options[i] != NULL && mixins[i]->add_own_columns != NULL)
			mixins[i]->add_own_columns(model->options[i], &own);
	}
	return own;
}

/*
 * Prepares the state of a trigger that writes these columns;
 * InvalidAttrNumber for one that the model does without.  Their pairs come
 * first, in this order.
 */
void
dtmodel_init_stamp(DtStamp *stamp, const DtModel *model,
				   const AttrNumber *written, int nwritten)
{
	DtOwnColumns own = own_columns(model);
	int			npairs = nwritten;

	own.pinned = bms_del_members(own.pinned, own.uncounted);
	own.filled_in = bms_del_members(own.filled_in, own.uncounted);
	stamp->pairs = palloc0(sizeof(DtColumnPair) *
						   (nwritten + bms_num_members(own.pinned) +
							bms_num_members(own.filled_in)));
	for (int i = 0; i < nwritten; i++)
		stamp->pairs[i].attnum = written[i];
	stamp->first_pinned = npairs;
	npairs = add_pairs(stamp->pairs, npairs, own.pinned);
	stamp->first_filled_in = npairs;
	npairs = add_pairs(stamp->pairs, npairs, own.filled_in);
	stamp->npairs = npairs;
	stamp->ignored = bms_union(own.uncounted,
							   bms_union(own.pinned, own.filled_in));
}

/*
 * The same for a trigger for which every column counts, except the one it
 * writes.
 */
void
dtmodel_init_whole_row_stamp(DtStamp *stamp, AttrNumber written)
{
	stamp->pairs = palloc0(sizeof(DtColumnPair));
	stamp->pairs[0].attnum = written;
	stamp->npairs = stamp->first_pinned = stamp->first_filled_in = 1;
	stamp->ignored = bms_make_singleton(written);
}

/*
 * Whether an UPDATE changes the row, in a column that counts.  Also fills in
 * the pairs; they are null if nothing at all changes.
 */
bool
dtmodel_row_changes(DtStamp *stamp, const TriggerData *trigdata, HeapTuple row)
{
	bool		changed = row_changed(trigdata->tg_trigtuple, row,
									  RelationGetDescr(trigdata->tg_relation),
									  stamp->ignored, stamp->pairs,
									  stamp->npairs);

	for (int i = stamp->first_pinned; !changed && i < stamp->first_filled_in; i++)
		changed = is_set(&stamp->pairs[i]);
	for (int i = stamp->first_filled_in; !changed && i < stamp->npairs; i++)
		changed = text_changed(&stamp->pairs[i]);
	return changed;
}

/*
 * What a trigger that stamps rows does.  On a partitioned table it is also
 * fired by DELETE, to detect rows that move: these are not new rows in the
 * other partition.
 */
Datum
dtmodel_stamp_row(FunctionCallInfo fcinfo, const DtStamper *stamper)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, stamper->function,
												DT_ON_INSERT | DT_ON_UPDATE |
												DT_ON_DELETE);
	HeapTuple	row = dtmodel_new_row(trigdata);
	DtStamp    *stamp = dtmodel_trigger_state(fcinfo, stamper->make_state);

	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (dtmodel_row_moves_out(&stamp->note, trigdata))
			dtmodel_note_departure(fcinfo);
		return PointerGetDatum(row);
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		dtmodel_note_update(&stamp->note, trigdata);
	if (dtmodel_preserve_timestamps)
		return PointerGetDatum(row);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		row = stamper->stamp_changed_row(trigdata, row, stamp);
	else if (!dtmodel_row_moves_in(fcinfo))
		row = stamper->stamp_new_row(trigdata, row, stamp);
	return PointerGetDatum(row);
}
