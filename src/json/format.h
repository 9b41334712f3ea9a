/*-------------------------------------------------------------------------
 *
 * format.h
 *	  The binary format of jsonb, read and written in place.
 *
 * Only this file and format.c know how a jsonb document is stored; the other
 * files of this folder see values and members.  The server's own functions
 * (JsonbIterator, JsonbValue) unpack every value that they pass.  Most of our
 * work is to find the few places where two documents differ, and equal bytes
 * need not be unpacked at all.
 *
 * This is the format in short; utils/jsonb.h describes all of it.  A
 * container, that is, an object or an array, consists of
 *
 *		uint32	header			number of members or elements, and
 *								JB_FOBJECT or JB_FARRAY
 *		JEntry	children[]		for each child: its type, and its length or
 *								(every 32nd) the offset of its end
 *		char	payload[]		the children's bytes, one after the other
 *
 * An object with n members has 2n children: first all keys, then all values in
 * the order of the keys.  Keys are unique and sorted by length, then by their
 * bytes.  Strings and keys are bytes without a terminator, true, false and
 * null have no payload, a number is a Numeric, and a nested container has this
 * format itself.  Numbers and containers begin at a multiple of four; the
 * padding (zero bytes) before one counts as part of it.  The bytes of a
 * container therefore do not depend on where it is stored, and it can be
 * compared and copied as one block.
 *
 * A document is a varlena header and a container.  A scalar document is stored
 * as an array of one element, with the flag JB_FSCALAR.
 *
 * Documents can be compared by their bytes because equal documents have the
 * same bytes, with one exception: equal numbers may have more or fewer digits
 * after the decimal point (1.0 and 1.00).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_FORMAT_H
#define DTMODEL_JSON_FORMAT_H

#include "json/buffer.h"
#include "utils/jsonb.h"

/*
 * A value inside a document: its type and its bytes, without padding.
 */
typedef struct RawValue
{
	uint32		type;			/* one of JENTRY_IS... */
	uint32		len;
	const char *data;
} RawValue;

/*
 * One member of an object.  The key is a string.
 */
typedef struct RawMember
{
	RawValue	key;
	RawValue	value;
} RawMember;

/*
 * A walk through adjacent children: the elements of an array, the keys of an
 * object, or its values.
 */
typedef struct RawCursor
{
	const JEntry *entry;		/* of the next child */
	const char *payload;		/* of the container */
	uint32		offset;			/* in payload, of the last child's end */
} RawCursor;

/*
 * A walk through the members of an object, or the elements of an array.
 */
typedef struct RawObject
{
	RawCursor	keys;
	RawCursor	values;
	uint32		left;			/* number of members left */
} RawObject;

typedef struct RawArray
{
	RawCursor	elements;
	uint32		left;			/* number of elements left */
} RawArray;

/*
 * A walk through the children of two containers at once, which returns the
 * pairs whose bytes differ.
 *
 * Children that have the same offsets in both are skipped as one block.  For
 * each pair the walk returns how many leading bytes are the same, so that the
 * caller need not compare these again.  Otherwise deeply nested documents
 * would be compared once for each level.
 */
typedef struct RawPairs
{
	RawCursor	a;
	RawCursor	b;
	uint32		next;			/* number of the next pair */
	uint32		count;
	bool		same_layout;	/* do all have the same offsets in both? */
	uint32		same;			/* if so: leading bytes of the payload that
								 * are the same */
	uint32		end;			/* if so: length of the payload */
} RawPairs;

typedef struct RawPair
{
	uint32		number;
	RawValue	a;
	RawValue	b;
	uint32		same;			/* number of leading bytes that are the same */
} RawPair;

/*
 * Writes a container at the end of a buffer.  Its children are written in
 * their order, all keys of an object before its values.
 */
typedef struct RawWriter
{
	RawBuffer  *buffer;
	Size		entry;			/* in buffer, of the next JEntry */
	Size		payload;		/* in buffer, of the children's bytes */
	uint32		end;			/* in payload, of the last child's end */
	uint32		written;		/* number of children so far */
} RawWriter;

extern const RawValue dtmodel_raw_null;
extern const RawValue dtmodel_raw_empty_object;

extern uint32 dtmodel_raw_common_bytes(const RawValue *a, const RawValue *b);
extern bool dtmodel_raw_equal(const RawValue *a, const RawValue *b);
extern bool dtmodel_raw_equal_from(const RawValue *a, const RawValue *b,
								   uint32 same);
extern RawPairs dtmodel_raw_element_pairs(const RawValue *a, const RawValue *b,
										  uint32 same);
extern bool dtmodel_raw_value_pairs(const RawValue *a, const RawValue *b,
									uint32 same, RawPairs *pairs);
extern bool dtmodel_raw_next_pair(RawPairs *pairs, RawPair *pair);
extern bool dtmodel_raw_find(const RawValue *object, const RawValue *key,
							 RawValue *value, uint32 *near);
extern bool dtmodel_raw_element(const RawValue *array, uint32 index,
								RawValue *element);

extern const char *dtmodel_raw_kind(const RawValue *value);

extern void dtmodel_write_document(RawBuffer *buffer, Size size);
extern Jsonb *dtmodel_finish_document(RawBuffer *buffer);
extern Jsonb *dtmodel_raw_document(const RawValue *value);
extern void dtmodel_write_container(RawWriter *writer, RawBuffer *buffer,
									uint32 flag, uint32 count);
extern void dtmodel_write_run(RawWriter *writer, RawCursor *cursor,
							  uint32 count);
extern void dtmodel_too_large(void);

static inline const JsonbContainer *
raw_container(const RawValue *value)
{
	return (const JsonbContainer *) value->data;
}

static inline bool
raw_is_object(const RawValue *value)
{
	return value->type == JENTRY_ISCONTAINER &&
		JsonContainerIsObject(raw_container(value));
}

static inline bool
raw_is_array(const RawValue *value)
{
	return value->type == JENTRY_ISCONTAINER &&
		JsonContainerIsArray(raw_container(value));
}

/* The number of members of an object, or of elements of an array. */
static inline uint32
raw_count(const RawValue *container)
{
	return JsonContainerSize(raw_container(container));
}

/* Fetches the next child.  There must be one. */
static inline RawValue
raw_next(RawCursor *cursor)
{
	JEntry		entry = *cursor->entry++;
	uint32		start = cursor->offset;
	RawValue	child;

	JBE_ADVANCE_OFFSET(cursor->offset, entry);
	child.type = entry & JENTRY_TYPEMASK;
	if (child.type == JENTRY_ISNUMERIC || child.type == JENTRY_ISCONTAINER)
		start = INTALIGN(start);
	child.data = cursor->payload + start;
	child.len = cursor->offset - start;
	return child;
}

/*
 * Begins a walk through all children of a container.  In an object, the first
 * value comes after the last key.
 */
static inline RawCursor
raw_children(const RawValue *value)
{
	const JsonbContainer *container = raw_container(value);
	uint32		n = JsonContainerSize(container);
	RawCursor	cursor;

	if (JsonContainerIsObject(container))
		n *= 2;
	cursor.entry = container->children;
	cursor.payload = (const char *) &container->children[n];
	cursor.offset = 0;
	return cursor;
}

/*
 * Begins a walk at the child with that number.  The values of an object are
 * numbered after its keys.
 */
static inline RawCursor
raw_children_from(const RawValue *value, uint32 first)
{
	RawCursor	cursor = raw_children(value);

	cursor.entry += first;
	cursor.offset = getJsonbOffset(raw_container(value), first);
	return cursor;
}

/* Begins a walk through an array. */
static inline RawArray
raw_array(const RawValue *array)
{
	RawArray	walk;

	walk.left = raw_count(array);
	walk.elements = raw_children(array);
	return walk;
}

/* Fetches the next element; false when there is none left. */
static inline bool
raw_array_next(RawArray *walk, RawValue *element)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	*element = raw_next(&walk->elements);
	return true;
}

/* Begins a walk through an object. */
static inline RawObject
raw_object(const RawValue *object)
{
	RawObject	walk;

	walk.left = raw_count(object);
	walk.keys = raw_children(object);
	walk.values = walk.keys;
	walk.values.entry += walk.left;
	walk.values.offset = getJsonbOffset(raw_container(object), walk.left);
	return walk;
}

/* Fetches the next member; false when there is none left. */
static inline bool
raw_object_next(RawObject *walk, RawMember *member)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	member->key = raw_next(&walk->keys);
	member->value = raw_next(&walk->values);
	return true;
}

/* A string whose bytes are not copied. */
static inline RawValue
raw_string(const char *data, uint32 len)
{
	RawValue	string;

	string.type = JENTRY_ISSTRING;
	string.len = len;
	string.data = data;
	return string;
}

/* Compares keys in the order of an object: by length, then by bytes. */
static inline int
raw_compare_keys(const RawValue *a, const RawValue *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->data, b->data, a->len);
}

/*
 * Compares two members for a merge join.  Less than zero: a comes first, or b
 * is NULL.  More than zero: b comes first, or a is NULL.  Zero: same key.
 */
static inline int
raw_join_order(const RawMember *a, const RawMember *b)
{
	if (a == NULL)
		return 1;
	if (b == NULL)
		return -1;
	return raw_compare_keys(&a->key, &b->key);
}

/* Values with the same bytes are equal; others may be equal, too. */
static inline bool
raw_same_bytes(const RawValue *a, const RawValue *b)
{
	return a->type == b->type && a->len == b->len &&
		memcmp(a->data, b->data, a->len) == 0;
}

/* The same for whole documents, either of which may be NULL. */
static inline bool
raw_same_document(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) &&
		memcmp(VARDATA(a), VARDATA(b), VARSIZE(a) - VARHDRSZ) == 0;
}

/* The root of a document. */
static inline RawValue
raw_root(const Jsonb *document)
{
	RawValue	root;

	root.type = JENTRY_ISCONTAINER;
	root.len = VARSIZE(document) - VARHDRSZ;
	root.data = VARDATA(document);
	if (JsonContainerIsScalar(raw_container(&root)))
	{
		RawArray	wrapper = raw_array(&root);

		raw_array_next(&wrapper, &root);
	}
	return root;
}

/*
 * Ends a child that was written to the buffer: stores its type and its end in
 * its entry.
 */
static inline void
write_end(RawWriter *writer, uint32 type)
{
	Size		end = writer->buffer->len - writer->payload;
	JEntry		entry;

	if (unlikely(end > JENTRY_OFFLENMASK))
		dtmodel_too_large();

	if (writer->written % JB_OFFSET_STRIDE == 0)
		entry = type | (JEntry) end | JENTRY_HAS_OFF;
	else
		entry = type | ((JEntry) end - writer->end);
	*(JEntry *) (writer->buffer->data + writer->entry) = entry;
	writer->entry += sizeof(JEntry);
	writer->end = (uint32) end;
	writer->written++;
}

/* Writes a child by copying it. */
static inline void
write_value(RawWriter *writer, const RawValue *value)
{
	if (value->type == JENTRY_ISNUMERIC || value->type == JENTRY_ISCONTAINER)
		buffer_align(writer->buffer);
	memcpy(buffer_extend(writer->buffer, value->len), value->data, value->len);
	write_end(writer, value->type);
}

#endif							/* DTMODEL_JSON_FORMAT_H */
