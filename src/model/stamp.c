/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  Stamping rows: whether an UPDATE changes a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "model/stamp.h"
#include "server/tuple_walk.h"
#include "utils/datum.h"
#include "utils/rel.h"

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
	pair->new_place = dtmodel_locate_column(new_row, desc, pair->attnum);
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
	DtTupleWalk old_walk;
	DtTupleWalk new_walk;
	bool		changed = false;
	int			last_pair = 0;

	for (int i = 0; i < npairs; i++)
		last_pair = Max(last_pair, pairs[i].attnum);

	dtmodel_start_walk(&old_walk, old_row, desc);
	dtmodel_start_walk(&new_walk, new_row, desc);
	for (int attnum = 1; attnum <= (changed ? last_pair : desc->natts); attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
		char	   *old_place = dtmodel_walk_column(&old_walk);
		char	   *new_place = dtmodel_walk_column(&new_walk);

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
static pg_noinline bool
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

	stamp->context = CurrentMemoryContext;
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
	stamp->context = CurrentMemoryContext;
	stamp->pairs = palloc0(sizeof(DtColumnPair));
	stamp->pairs[0].attnum = written;
	stamp->npairs = stamp->first_pinned = stamp->first_filled_in = 1;
	stamp->ignored = bms_make_singleton(written);
}

/*
 * The projection has values that an expression computed, the old row values
 * that were read from a tuple.  If they are passed by value the two may differ
 * in the bits that the type does not use.
 */
static inline bool
same_value(Form_pg_attribute att, Datum a, Datum b)
{
	if (a == b)
		return true;
	if (!att->attbyval)
		return datum_image_eq(a, b, false, att->attlen);
	switch (att->attlen)
	{
		case sizeof(char):
			return DatumGetUInt8(a) == DatumGetUInt8(b);
		case sizeof(int16):
			return DatumGetUInt16(a) == DatumGetUInt16(b);
		case sizeof(int32):
			return DatumGetUInt32(a) == DatumGetUInt32(b);
		default:
			return false;
	}
}

/* Whether a column differs, both rows of which have been read that far. */
static inline bool
column_changed(const DtRow *row, AttrNumber attnum)
{
	const TupleTableSlot *old_slot = row->old_slot;
	const TupleTableSlot *slot = row->slot;
	int			column = attnum - 1;

	if (old_slot->tts_isnull[column] || slot->tts_isnull[column])
		return old_slot->tts_isnull[column] != slot->tts_isnull[column];
	return !same_value(TupleDescAttr(RelationGetDescr(row->rel), column),
					   old_slot->tts_values[column], slot->tts_values[column]);
}

/* The pairs to read in a projection: the others are of columns that stay. */
static void
find_read(DtStamp *stamp, const DtRow *row)
{
	stamp->read = MemoryContextAlloc(stamp->context,
									 sizeof(DtColumnPair *) * stamp->npairs);
	for (int i = 0; i < stamp->npairs; i++)
	{
		DtColumnPair *pair = &stamp->pairs[i];

		pair->old_isnull = pair->new_isnull = true;
		if (!bms_is_member(pair->attnum, row->changeable))
			continue;
		stamp->read[stamp->nread++] = pair;
		stamp->last_read = Max(stamp->last_read, pair->attnum);
	}
}

/* The columns to compare in a projection. */
static void
find_compared(DtStamp *stamp, const DtRow *row)
{
	int			attnum = -1;

	stamp->compared = MemoryContextAlloc(stamp->context,
										 sizeof(AttrNumber) *
										 Max(bms_num_members(row->changeable), 1));
	while ((attnum = bms_next_member(row->changeable, attnum)) >= 0)
	{
		if (counts(TupleDescAttr(RelationGetDescr(row->rel), attnum - 1),
				   stamp->ignored))
			stamp->compared[stamp->ncompared++] = stamp->last_read = attnum;
	}
}

static inline void
read_projected_pair(DtColumnPair *pair, const TupleTableSlot *old_slot,
					const TupleTableSlot *slot)
{
	int			column = pair->attnum - 1;

	pair->old_value = old_slot->tts_values[column];
	pair->old_isnull = old_slot->tts_isnull[column];
	pair->new_value = slot->tts_values[column];
	pair->new_isnull = slot->tts_isnull[column];
}

/*
 * The same in a projection: only columns that the statement or a mixin may
 * have changed are compared.
 */
static bool
projected_row_changed(DtStamp *stamp, const DtRow *row)
{
	bool		changed = false;

	if (stamp->compared == NULL)
	{
		find_compared(stamp, row);
		find_read(stamp, row);
	}
	slot_getsomeattrs(row->old_slot, stamp->last_read);
	for (int i = 0; i < stamp->nread; i++)
		read_projected_pair(stamp->read[i], row->old_slot, row->slot);
	for (int i = 0; !changed && i < stamp->ncompared; i++)
		changed = column_changed(row, stamp->compared[i]);
	return changed;
}

/*
 * Whether an UPDATE changes the row, in a column that counts.  Also fills in
 * the pairs; they may be null if nothing at all changes.
 */
bool
dtmodel_row_changes(DtStamp *stamp, const DtRow *row)
{
	bool		changed = dtmodel_is_projected(row) ?
		projected_row_changed(stamp, row) :
		row_changed(row->old_tuple, row->tuple, RelationGetDescr(row->rel),
					stamp->ignored, stamp->pairs, stamp->npairs);

	if (changed)
		return true;
	for (int i = stamp->first_pinned; i < stamp->first_filled_in; i++)
	{
		if (is_set(&stamp->pairs[i]))
			return true;
	}
	for (int i = stamp->first_filled_in; i < stamp->npairs; i++)
	{
		if (text_changed(&stamp->pairs[i]))
			return true;
	}
	return false;
}
