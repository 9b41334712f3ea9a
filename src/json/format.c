/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The binary format of jsonb, read and written in place.
 *
 * format.h describes the format and holds the walk over it, which has to be
 * inlined to be worth having.
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

const RawValue dtmodel_raw_null = {JENTRY_ISNULL, 0, ""};
const RawValue dtmodel_raw_empty_object = {
	JENTRY_ISCONTAINER, sizeof(empty_object), (const char *) &empty_object
};

/*
 * Where in [from, to) do a and b differ first?  Returns to if nowhere.
 */
static uint32
first_mismatch(const char *a, const char *b, uint32 from, uint32 to)
{
	const uint32 block = 1024;

	/* The place is looked for in the one block that is known to have it. */
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
 * How many bytes do two values begin with in common?  That is told of
 * containers alone, for nothing else is looked into.
 */
uint32
dtmodel_raw_common_bytes(const RawValue *a, const RawValue *b)
{
	if (a->type != JENTRY_ISCONTAINER || b->type != JENTRY_ISCONTAINER)
		return 0;
	return first_mismatch(a->data, b->data, 0, Min(a->len, b->len));
}

/* How long are a container's header and entries, all before its payload? */
static uint32
payload_start(const RawValue *container)
{
	return raw_children(container).payload - container->data;
}

/*
 * Begins a walk over the elements of two arrays, as far as both have some.
 * They are known to begin with so many bytes in common.
 */
RawPairs
dtmodel_raw_element_pairs(const RawValue *a, const RawValue *b, uint32 same)
{
	uint32		start = payload_start(a);
	RawPairs	pairs;

	pairs.a = raw_children(a);
	pairs.b = raw_children(b);
	pairs.next = 0;
	pairs.count = Min(raw_count(a), raw_count(b));
	pairs.same_layout = same >= start;
	pairs.same = same - start;
	pairs.end = a->len - start;
	return pairs;
}

/*
 * Objects of the same number of members have the same keys.  Entries that are
 * the same bytes, as those of equal keys always have been so far, answer it at
 * once; those that are not differ at the first key that does.  The keys of a
 * are known to take so many bytes.
 */
static bool
same_keys(const RawValue *a, const RawValue *b, uint32 size)
{
	RawCursor	keys_a = raw_children(a);
	RawCursor	keys_b = raw_children(b);
	uint32		n = raw_count(a);

	if (memcmp(keys_a.entry, keys_b.entry, n * sizeof(JEntry)) == 0)
		return memcmp(keys_a.payload, keys_b.payload, size) == 0;

	for (uint32 i = 0; i < n; i++)
	{
		RawValue	key_a = raw_next(&keys_a);
		RawValue	key_b = raw_next(&keys_b);

		if (raw_compare_keys(&key_a, &key_b) != 0)
			return false;
	}
	return true;
}

/*
 * Begins a walk over the values of two objects that have the same keys, or
 * returns false if they do not.  The objects are known to begin with so many
 * bytes in common.
 */
bool
dtmodel_raw_value_pairs(const RawValue *a, const RawValue *b, uint32 same,
						RawPairs *pairs)
{
	uint32		start = payload_start(a);
	RawCursor	values = raw_object(a).values;

	pairs->count = raw_count(a);
	if (pairs->count != raw_count(b))
		return false;
	pairs->same_layout = same >= start + values.offset;
	if (!pairs->same_layout && !same_keys(a, b, values.offset))
		return false;

	/* The same keys take the same room in both. */
	pairs->a = values;
	pairs->b = raw_children(b);
	pairs->b.entry += pairs->count;
	pairs->b.offset = values.offset;
	pairs->next = 0;
	pairs->same = same - start;
	pairs->end = a->len - start;
	return true;
}

/*
 * The next pair whose bytes differ, if children lie at different offsets.
 */
static bool
next_in_step(RawPairs *pairs, RawPair *pair)
{
	RawCursor	a = pairs->a;	/* in registers, for the loop */
	RawCursor	b = pairs->b;
	uint32		next = pairs->next;
	bool		found = false;

	while (next < pairs->count && !found)
	{
		RawValue	child_a = raw_next(&a);
		RawValue	child_b = raw_next(&b);

		if (!raw_same_bytes(&child_a, &child_b))
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
 * The next pair whose bytes differ, if children lie at the same offsets.
 */
static bool
next_in_layout(RawPairs *pairs, RawPair *pair)
{
	uint32		start;

	/* Behind the last pair nothing is known yet. */
	if (pairs->same < pairs->a.offset)
		pairs->same = first_mismatch(pairs->a.payload, pairs->b.payload,
									 pairs->a.offset, pairs->end);
	if (pairs->same >= pairs->end)
		return false;

	do
	{
		pair->number = pairs->next++;
		pair->a = raw_next(&pairs->a);
		pair->b = raw_next(&pairs->b);
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
dtmodel_raw_next_pair(RawPairs *pairs, RawPair *pair)
{
	return pairs->same_layout ? next_in_layout(pairs, pair) :
		next_in_step(pairs, pair);
}

static bool
numbers_equal(const RawValue *a, const RawValue *b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq,
											PointerGetDatum(a->data),
											PointerGetDatum(b->data)));
}

/*
 * Are two containers of the same kind and size equal?
 */
static bool
containers_equal(const RawValue *a, const RawValue *b, uint32 same)
{
	RawPairs	pairs;
	RawPair		pair;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (raw_is_array(a))
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
 * Are two values equal, which are not the same bytes, but begin with so many
 * bytes in common?
 *
 * They can only be if there are numbers in them.
 */
bool
dtmodel_raw_equal_from(const RawValue *a, const RawValue *b, uint32 same)
{
	if (a->type != b->type)
		return false;
	if (a->type == JENTRY_ISNUMERIC)
		return numbers_equal(a, b);
	return a->type == JENTRY_ISCONTAINER &&
		raw_container(a)->header == raw_container(b)->header &&
		containers_equal(a, b, same);
}

/*
 * Are two values equal?  The answer is that of jsonb's "=" operator.
 */
bool
dtmodel_raw_equal(const RawValue *a, const RawValue *b)
{
	return raw_same_bytes(a, b) ||
		dtmodel_raw_equal_from(a, b, dtmodel_raw_common_bytes(a, b));
}

/*
 * The child of that number, in place.
 */
static RawValue
child_at(const JsonbContainer *container, const char *payload, uint32 index)
{
	RawCursor	cursor;

	cursor.entry = &container->children[index];
	cursor.payload = payload;
	cursor.offset = getJsonbOffset(container, index);
	return raw_next(&cursor);
}

/*
 * Looks a key up in an object, by bisection.
 *
 * With near, the search begins at that member, if there is one of that number,
 * and goes away from it in growing steps until it has gone too far.  *near
 * becomes the place where the key was or would have been.  So keys that are
 * looked up in their order are found next to each other, in a step or two,
 * however large the object is.
 */
bool
dtmodel_raw_find(const RawValue *object, const RawValue *key,
				 RawValue *value, uint32 *near)
{
	const JsonbContainer *container = raw_container(object);
	uint32		n = raw_count(object);
	const char *payload = (const char *) &container->children[2 * n];
	uint32		low = 0;
	uint32		high = n;
	uint32		probe = near != NULL ? *near : n;
	uint32		step = probe < n ? 1 : n;

	while (low < high)
	{
		RawValue	candidate;
		int			order;

		if (probe < low || probe >= high)
			probe = low + (high - low) / 2;
		candidate = child_at(container, payload, probe);
		order = raw_compare_keys(key, &candidate);

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
 * Fetches the element of that number, if the array has as many.
 */
bool
dtmodel_raw_element(const RawValue *array, uint32 index, RawValue *element)
{
	const JsonbContainer *container = raw_container(array);
	uint32		n = raw_count(array);

	if (index >= n)
		return false;
	*element = child_at(container, (const char *) &container->children[n], index);
	return true;
}

/*
 * What a value is, in the words of an error message.
 */
const char *
dtmodel_raw_kind(const RawValue *value)
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
			return raw_is_object(value) ? "an object" : "an array";
	}
}

/*
 * Begins a document in a new buffer.  A container is written next.
 */
void
dtmodel_write_document(RawBuffer *buffer, Size size)
{
	dtmodel_buffer_init(buffer, size + VARHDRSZ);
	buffer_extend(buffer, VARHDRSZ);
}

/*
 * An entry has 28 bits for the length of a child.  The server does not make a
 * document that could not be one either, and so could not read its text again.
 */
Jsonb *
dtmodel_finish_document(RawBuffer *buffer)
{
	if (buffer->len - VARHDRSZ > JENTRY_OFFLENMASK)
		dtmodel_too_large();
	SET_VARSIZE(buffer->data, buffer->len);
	return (Jsonb *) buffer->data;
}

/*
 * Makes sure that the server could read a container of so many elements or
 * members from its text: it takes no more than it can allocate room for.
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
 * child of another one: its header, and room for the entries of so many
 * elements or members.  What it is, is told by flag.
 */
void
dtmodel_write_container(RawWriter *writer, RawBuffer *buffer,
						uint32 flag, uint32 count)
{
	Size		children = (flag & JB_FOBJECT) ? 2 * (Size) count : count;
	char	   *header;

	check_count(flag, count);

	buffer_align(buffer);
	header = buffer_extend(buffer, sizeof(uint32) + children * sizeof(JEntry));
	*(uint32 *) header = count | flag;

	writer->buffer = buffer;
	writer->entry = (header - buffer->data) + sizeof(uint32);
	writer->payload = buffer->len;
	writer->end = 0;
	writer->written = 0;
}

/*
 * Writes the next so many children of another container, all keys or all
 * values, by copying them together.
 *
 * For that they have to stand there as they will stand here, as far as the
 * padding goes.  If they do not, those up to the first one that is padded are
 * copied one by one, and from there on they do.
 */
void
dtmodel_write_run(RawWriter *writer, RawCursor *cursor, uint32 count)
{
	uint32		start;
	JEntry	   *entry;

	while (count > 0 && (writer->end - cursor->offset) % sizeof(int32) != 0)
	{
		RawValue	value = raw_next(cursor);

		write_value(writer, &value);
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
	memcpy(buffer_extend(writer->buffer, cursor->offset - start),
		   cursor->payload + start, cursor->offset - start);
	writer->end += cursor->offset - start;
	if (writer->end > JENTRY_OFFLENMASK)
		dtmodel_too_large();
}

/*
 * A document of its own made from a value of another one.
 */
Jsonb *
dtmodel_raw_document(const RawValue *value)
{
	RawBuffer	buffer;
	RawWriter	writer;

	dtmodel_write_document(&buffer, value->len + 2 * sizeof(uint32));
	if (value->type == JENTRY_ISCONTAINER)
		memcpy(buffer_extend(&buffer, value->len), value->data, value->len);
	else
	{
		dtmodel_write_container(&writer, &buffer, JB_FARRAY | JB_FSCALAR, 1);
		write_value(&writer, value);
	}
	return dtmodel_finish_document(&buffer);
}

void
dtmodel_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("document is too large"),
			 errdetail("An object or array in jsonb can have at most %d bytes.",
					   JENTRY_OFFLENMASK),
			 errhint("Split the document.")));
}
