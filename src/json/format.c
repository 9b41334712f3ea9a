/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The binary format of jsonb, read and written in place.
 *
 * format.h describes the format, and has the functions that are so short that
 * they must be inlined.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/format.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

static const JsonbContainer empty_object = {JB_FOBJECT};

const DtRawValue dtmodel_raw_null = {JENTRY_ISNULL, 0, ""};
const DtRawValue dtmodel_raw_empty_object = {
	JENTRY_ISCONTAINER, sizeof(empty_object), (const char *) &empty_object
};

/*
 * Returns the first offset in [from, to) at which a and b differ, or "to".
 */
static uint32
first_mismatch(const char *a, const char *b, uint32 from, uint32 to)
{
	const uint32 block = 1024;

	/* Find the block first, and then the place in it. */
	while (to - from > block && memcmp(a + from, b + from, block) == 0)
		from += block;
	if (to - from <= block && memcmp(a + from, b + from, to - from) == 0)
		return to;

	while (to - from >= sizeof(uint64))
	{
		uint64		word_a;
		uint64		word_b;

		memcpy(&word_a, a + from, sizeof(uint64));
		memcpy(&word_b, b + from, sizeof(uint64));
		if (word_a != word_b)
			break;
		from += sizeof(uint64);
	}

	while (from < to && a[from] == b[from])
		from++;
	return from;
}

/*
 * Returns the number of leading bytes that are the same in two containers, and
 * 0 for other values, for which it is not needed.
 */
uint32
dtmodel_raw_common_bytes(const DtRawValue *a, const DtRawValue *b)
{
	if (a->type != JENTRY_ISCONTAINER || b->type != JENTRY_ISCONTAINER)
		return 0;
	return first_mismatch(a->data, b->data, 0, Min(a->len, b->len));
}

/* The length of a container's header and entries. */
static uint32
payload_start(const DtRawValue *container)
{
	return dtmodel_raw_children(container).payload - container->data;
}

/*
 * Begins a walk through the elements of two arrays, up to the end of the
 * shorter one.  Their first "same" bytes are known to be the same.
 */
DtRawPairWalk
dtmodel_raw_element_pairs(const DtRawValue *a, const DtRawValue *b, uint32 same)
{
	uint32		start = payload_start(a);
	DtRawPairWalk pairs;

	pairs.a = dtmodel_raw_children(a);
	pairs.b = dtmodel_raw_children(b);
	pairs.next = 0;
	pairs.count = Min(dtmodel_raw_count(a), dtmodel_raw_count(b));
	pairs.same_layout = same >= start;
	pairs.same = same - start;
	pairs.end = a->len - start;
	return pairs;
}

/*
 * Do two objects with the same number of members have the same keys?  The keys
 * of a take "size" bytes.  If the entries have the same bytes, as those of
 * equal keys always have had so far, one comparison of all keys is enough.
 */
static bool
same_keys(const DtRawValue *a, const DtRawValue *b, uint32 size)
{
	DtRawCursor keys_a = dtmodel_raw_children(a);
	DtRawCursor keys_b = dtmodel_raw_children(b);
	uint32		n = dtmodel_raw_count(a);

	if (memcmp(keys_a.entry, keys_b.entry, n * sizeof(JEntry)) == 0)
		return memcmp(keys_a.payload, keys_b.payload, size) == 0;

	for (uint32 i = 0; i < n; i++)
	{
		DtRawValue	key_a = dtmodel_raw_next(&keys_a);
		DtRawValue	key_b = dtmodel_raw_next(&keys_b);

		if (dtmodel_raw_compare_keys(&key_a, &key_b) != 0)
			return false;
	}
	return true;
}

/*
 * Begins a walk through the values of two objects with the same keys, or
 * returns false if the keys differ.  The first "same" bytes of the objects are
 * known to be the same.
 */
bool
dtmodel_raw_value_pairs(const DtRawValue *a, const DtRawValue *b, uint32 same,
						DtRawPairWalk *pairs)
{
	uint32		start = payload_start(a);
	DtRawCursor values = dtmodel_raw_walk_object(a).values;

	pairs->count = dtmodel_raw_count(a);
	if (pairs->count != dtmodel_raw_count(b))
		return false;
	pairs->same_layout = same >= start + values.offset;
	if (!pairs->same_layout && !same_keys(a, b, values.offset))
		return false;

	/* The same keys take the same space in both. */
	pairs->a = values;
	pairs->b = dtmodel_raw_children(b);
	pairs->b.entry += pairs->count;
	pairs->b.offset = values.offset;
	pairs->next = 0;
	pairs->same = same - start;
	pairs->end = a->len - start;
	return true;
}

/*
 * Fetches the next pair whose bytes differ, if the offsets differ.
 */
static bool
next_in_step(DtRawPairWalk *pairs, DtRawPair *pair)
{
	DtRawCursor a = pairs->a;	/* in registers, for the loop */
	DtRawCursor b = pairs->b;
	uint32		next = pairs->next;
	bool		found = false;

	while (next < pairs->count && !found)
	{
		DtRawValue	child_a = dtmodel_raw_next(&a);
		DtRawValue	child_b = dtmodel_raw_next(&b);

		if (!dtmodel_raw_same_bytes(&child_a, &child_b))
		{
			pair->number = next;
			pair->a = child_a;
			pair->b = child_b;
			pair->same = dtmodel_raw_common_bytes(&child_a, &child_b);
			found = true;
		}
		next++;
	}
	pairs->a = a;
	pairs->b = b;
	pairs->next = next;
	return found;
}

/*
 * Fetches the next pair whose bytes differ, if the offsets are the same.
 */
static bool
next_in_layout(DtRawPairWalk *pairs, DtRawPair *pair)
{
	uint32		start;

	/* What follows the last pair has not been compared yet. */
	if (pairs->same < pairs->a.offset)
		pairs->same = first_mismatch(pairs->a.payload, pairs->b.payload,
									 pairs->a.offset, pairs->end);
	if (pairs->same >= pairs->end)
		return false;

	do
	{
		pair->number = pairs->next++;
		pair->a = dtmodel_raw_next(&pairs->a);
		pair->b = dtmodel_raw_next(&pairs->b);
	} while (pairs->a.offset <= pairs->same);

	start = pair->a.data - pairs->a.payload;
	pair->same = pairs->same - Min(start, pairs->same);
	pairs->same = 0;
	return true;
}

/*
 * Fetches the next pair whose bytes differ; false when there is none left.
 */
bool
dtmodel_raw_next_pair(DtRawPairWalk *pairs, DtRawPair *pair)
{
	return pairs->same_layout ? next_in_layout(pairs, pair) :
		next_in_step(pairs, pair);
}

static bool
numbers_equal(const DtRawValue *a, const DtRawValue *b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq,
											PointerGetDatum(a->data),
											PointerGetDatum(b->data)));
}

/*
 * Are two containers of the same kind and size equal?
 */
static bool
containers_equal(const DtRawValue *a, const DtRawValue *b, uint32 same)
{
	DtRawPairWalk pairs;
	DtRawPair	pair;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (dtmodel_raw_is_array(a))
		pairs = dtmodel_raw_element_pairs(a, b, same);
	else if (!dtmodel_raw_value_pairs(a, b, same, &pairs))
		return false;

	while (dtmodel_raw_next_pair(&pairs, &pair))
	{
		if (!dtmodel_raw_equal_from(&pair.a, &pair.b, pair.same))
			return false;
	}
	return true;
}

/*
 * Are two values equal whose bytes differ?  Their first "same" bytes are known
 * to be the same.
 *
 * They can only be equal if they contain numbers.
 */
bool
dtmodel_raw_equal_from(const DtRawValue *a, const DtRawValue *b, uint32 same)
{
	if (a->type != b->type)
		return false;
	if (a->type == JENTRY_ISNUMERIC)
		return numbers_equal(a, b);
	return a->type == JENTRY_ISCONTAINER &&
		dtmodel_raw_container(a)->header == dtmodel_raw_container(b)->header &&
		containers_equal(a, b, same);
}

/*
 * Are two values equal, as by the "=" operator of jsonb?
 */
bool
dtmodel_raw_equal(const DtRawValue *a, const DtRawValue *b)
{
	return dtmodel_raw_same_bytes(a, b) ||
		dtmodel_raw_equal_from(a, b, dtmodel_raw_common_bytes(a, b));
}

/*
 * The child with that number.
 */
static DtRawValue
child_at(const JsonbContainer *container, const char *payload, uint32 index)
{
	DtRawCursor cursor;

	cursor.entry = &container->children[index];
	cursor.payload = payload;
	cursor.offset = getJsonbOffset(container, index);
	return dtmodel_raw_next(&cursor);
}

/*
 * Looks up a key in an object, by binary search.
 *
 * If near is not NULL, the search begins at the member with the number *near,
 * if there is one, and moves away from it in growing steps until it has passed
 * the key.  *near is set to the number that the key has or would have.  Keys
 * that are looked up in their order are thus found in a step or two, however
 * large the object is.
 */
bool
dtmodel_raw_find(const DtRawValue *object, const DtRawValue *key,
				 DtRawValue *value, uint32 *near)
{
	const JsonbContainer *container = dtmodel_raw_container(object);
	uint32		n = dtmodel_raw_count(object);
	const char *payload = (const char *) &container->children[2 * n];
	uint32		low = 0;
	uint32		high = n;
	uint32		probe = near != NULL ? *near : n;
	uint32		step = probe < n ? 1 : n;

	while (low < high)
	{
		DtRawValue	candidate;
		int			order;

		if (probe < low || probe >= high)
			probe = low + (high - low) / 2;
		candidate = child_at(container, payload, probe);
		order = dtmodel_raw_compare_keys(key, &candidate);

		if (order == 0)
		{
			if (near != NULL)
				*near = probe;
			*value = child_at(container, payload, n + probe);
			return true;
		}
		if (order < 0)
		{
			high = probe;
			probe = probe > step ? probe - step : n;
		}
		else
		{
			low = probe + 1;
			probe += step;
		}
		step *= 2;
	}
	if (near != NULL)
		*near = low;
	return false;
}

/*
 * Fetches the element with that number; false if there is none.
 */
bool
dtmodel_raw_element(const DtRawValue *array, uint32 index, DtRawValue *element)
{
	const JsonbContainer *container = dtmodel_raw_container(array);
	uint32		n = dtmodel_raw_count(array);

	if (index >= n)
		return false;
	*element = child_at(container, (const char *) &container->children[n], index);
	return true;
}

/*
 * The type of a value, for error messages.
 */
const char *
dtmodel_raw_kind(const DtRawValue *value)
{
	switch (value->type)
	{
		case JENTRY_ISSTRING:
			return "a string";
		case JENTRY_ISNUMERIC:
			return "a number";
		case JENTRY_ISBOOL_FALSE:
		case JENTRY_ISBOOL_TRUE:
			return "a boolean";
		case JENTRY_ISNULL:
			return "null";
		default:
			return dtmodel_raw_is_object(value) ? "an object" : "an array";
	}
}

/*
 * Begins a document in a new buffer.  The caller writes a container next.
 */
void
dtmodel_begin_document(DtRawBuffer *buffer, Size size)
{
	dtmodel_buffer_init(buffer, size + VARHDRSZ);
	dtmodel_buffer_extend(buffer, VARHDRSZ);
}

/*
 * Finishes a document.  It must not be larger than a child can be, whose entry
 * has 28 bits for its length: the server could not read its text again.
 */
Jsonb *
dtmodel_finish_document(DtRawBuffer *buffer)
{
	if (buffer->len - VARHDRSZ > JENTRY_OFFLENMASK)
		dtmodel_report_too_large();
	SET_VARSIZE(buffer->data, buffer->len);
	return (Jsonb *) buffer->data;
}

/*
 * Checks that the server could read a container with that number of elements
 * or members from its text: it has to allocate memory for them.
 */
static void
check_count(uint32 flag, uint32 count)
{
	bool		object = (flag & JB_FOBJECT) != 0;
	Size		most = MaxAllocSize / (object ? sizeof(JsonbPair) : sizeof(JsonbValue));

	if (count > Min(most, JB_CMASK))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("document is too large"),
				 object ?
				 errdetail("An object in jsonb can have at most %zu members.", most) :
				 errdetail("An array in jsonb can have at most %zu elements.", most),
				 errhint("Split the document.")));
}

/*
 * Begins a container at the end of the buffer, as the root or as the next
 * child of another one: writes its header and reserves space for the entries
 * of its elements or members.  The flag is stored in the header.
 */
void
dtmodel_write_container(DtRawWriter *writer, DtRawBuffer *buffer,
						uint32 flag, uint32 count)
{
	Size		children = (flag & JB_FOBJECT) ? 2 * (Size) count : count;
	char	   *header;

	check_count(flag, count);

	dtmodel_buffer_align(buffer);
	header = dtmodel_buffer_extend(buffer, sizeof(uint32) + children * sizeof(JEntry));
	*(uint32 *) header = count | flag;

	writer->buffer = buffer;
	writer->entry = (header - buffer->data) + sizeof(uint32);
	writer->payload = buffer->len;
	writer->end = 0;
	writer->written = 0;
}

/*
 * Writes the next "count" children of another container, all keys or all
 * values, by copying them as one block.
 *
 * This requires that they have the same padding here as there.  If they do
 * not, those up to the first one with padding are copied one by one; the
 * others do.
 */
void
dtmodel_write_run(DtRawWriter *writer, DtRawCursor *cursor, uint32 count)
{
	uint32		start;
	JEntry	   *entry;

	while (count > 0 && (writer->end - cursor->offset) % sizeof(int32) != 0)
	{
		DtRawValue	value = dtmodel_raw_next(cursor);

		dtmodel_write_value(writer, &value);
		count--;
	}

	start = cursor->offset;
	entry = (JEntry *) (writer->buffer->data + writer->entry);
	writer->entry += count * sizeof(JEntry);
	for (; count > 0; count--)
	{
		uint32		type = *cursor->entry & JENTRY_TYPEMASK;
		uint32		before = cursor->offset;

		JBE_ADVANCE_OFFSET(cursor->offset, *cursor->entry++);
		if (writer->written++ % JB_OFFSET_STRIDE == 0)
			*entry++ = type | JENTRY_HAS_OFF |
				((writer->end + cursor->offset - start) & JENTRY_OFFLENMASK);
		else
			*entry++ = type | (cursor->offset - before);
	}
	memcpy(dtmodel_buffer_extend(writer->buffer, cursor->offset - start),
		   cursor->payload + start, cursor->offset - start);
	writer->end += cursor->offset - start;
	if (writer->end > JENTRY_OFFLENMASK)
		dtmodel_report_too_large();
}

/*
 * Makes a document of a value of another one.
 */
Jsonb *
dtmodel_raw_document(const DtRawValue *value)
{
	DtRawBuffer buffer;
	DtRawWriter writer;

	dtmodel_begin_document(&buffer, value->len + 2 * sizeof(uint32));
	if (value->type == JENTRY_ISCONTAINER)
		memcpy(dtmodel_buffer_extend(&buffer, value->len), value->data, value->len);
	else
	{
		dtmodel_write_container(&writer, &buffer, JB_FARRAY | JB_FSCALAR, 1);
		dtmodel_write_value(&writer, value);
	}
	return dtmodel_finish_document(&buffer);
}

void
dtmodel_report_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("document is too large"),
			 errdetail("An object or array in jsonb can have at most %d bytes.",
					   JENTRY_OFFLENMASK),
			 errhint("Split the document.")));
}
