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

#include "common/hashfn.h"
#include "format.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const JsonbContainer empty_object = {JB_FOBJECT};

const RawValue dtmodel_raw_null = {JENTRY_ISNULL, 0, ""};
const RawValue dtmodel_raw_empty_object = {
	JENTRY_ISCONTAINER, sizeof(empty_object), (const char *) &empty_object
};

static bool
numbers_equal(const RawValue *a, const RawValue *b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq,
											PointerGetDatum(a->data),
											PointerGetDatum(b->data)));
}

static bool
arrays_equal(const RawValue *a, const RawValue *b)
{
	RawArray	walk_a = raw_array(a);
	RawArray	walk_b = raw_array(b);
	RawValue	element_a;
	RawValue	element_b;

	while (raw_array_next(&walk_a, &element_a) &&
		   raw_array_next(&walk_b, &element_b))
	{
		if (!dtmodel_raw_equal(&element_a, &element_b))
			return false;
	}
	return true;
}

static bool
objects_equal(const RawValue *a, const RawValue *b)
{
	bool		same_keys = raw_same_keys(a, b);
	RawObject	walk_a = raw_object(a);
	RawObject	walk_b = raw_object(b);
	RawMember	member_a;
	RawMember	member_b;

	while (raw_object_next(&walk_a, &member_a) &&
		   raw_object_next(&walk_b, &member_b))
	{
		if (!same_keys && raw_compare_keys(&member_a.key, &member_b.key) != 0)
			return false;
		if (!dtmodel_raw_equal(&member_a.value, &member_b.value))
			return false;
	}
	return true;
}

/*
 * Are two values equal?  The answer is that of jsonb's "=" operator.
 *
 * Bytes that agree settle it, and bytes that do not settle it too, save where
 * a number is or may be inside.
 */
bool
dtmodel_raw_equal(const RawValue *a, const RawValue *b)
{
	if (a->type != b->type)
		return false;
	if (raw_same_bytes(a, b))
		return true;
	if (a->type == JENTRY_ISNUMERIC)
		return numbers_equal(a, b);
	if (a->type != JENTRY_ISCONTAINER ||
		raw_container(a)->header != raw_container(b)->header)
		return false;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	return raw_is_object(a) ? objects_equal(a, b) : arrays_equal(a, b);
}

/*
 * The seed of this backend.  Documents come from strangers: with a seed that
 * they do not know they cannot fill one bucket.
 */
static uint64
hash_seed(void)
{
	static uint64 seed = 0;

	while (seed == 0)
	{
		if (!pg_strong_random(&seed, sizeof(seed)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
	}
	return seed;
}

static uint64
hash_elements(const RawValue *array)
{
	RawArray	walk = raw_array(array);
	RawValue	element;
	uint64		hash = JB_FARRAY;

	while (raw_array_next(&walk, &element))
		hash = hash_combine64(hash, dtmodel_raw_hash(&element));
	return hash;
}

static uint64
hash_members(const RawValue *object)
{
	RawObject	walk = raw_object(object);
	RawMember	member;
	uint64		hash = JB_FOBJECT;

	while (raw_object_next(&walk, &member))
	{
		hash = hash_combine64(hash, dtmodel_raw_hash(&member.key));
		hash = hash_combine64(hash, dtmodel_raw_hash(&member.value));
	}
	return hash;
}

/*
 * Equal values have equal hashes.  That rules out hashing a number's bytes.
 */
uint64
dtmodel_raw_hash(const RawValue *value)
{
	uint64		seed = hash_seed();

	if (value->type == JENTRY_ISNUMERIC)
		return DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended,
												  PointerGetDatum(value->data),
												  UInt64GetDatum(seed)));
	if (value->type != JENTRY_ISCONTAINER)
		return hash_combine64(value->type,
							  DatumGetUInt64(hash_any_extended((const unsigned char *) value->data,
															   value->len, seed)));

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	return raw_is_object(value) ? hash_members(value) : hash_elements(value);
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
 * With near, the search begins at that member and goes away from it in growing
 * steps until it has gone too far.  *near becomes the place where the key was
 * or would have been.  So keys that are looked up in their order are found
 * next to each other, in a step or two, however large the object is.
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
	uint32		probe = near ? Min(*near, n - 1) : n;
	uint32		step = near ? 1 : n;

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
			if (near)
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
	if (near)
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

Jsonb *
dtmodel_finish_document(RawBuffer *buffer)
{
	SET_VARSIZE(buffer->data, buffer->len);
	return (Jsonb *) buffer->data;
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

	if (count > JB_CMASK)
		dtmodel_too_large();

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

/*
 * An entry has 28 bits for a length or an offset.
 */
void
dtmodel_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("document is too large"),
			 errdetail("An object or array in jsonb can have at most %d bytes of elements.",
					   JENTRY_OFFLENMASK),
			 errhint("Split the document.")));
}
