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
typedef struct DtRawValue
{
	uint32		type;			/* one of JENTRY_IS... */
	uint32		len;
	const char *data;
} DtRawValue;

/*
 * One member of an object.  The key is a string.
 */
typedef struct DtRawMember
{
	DtRawValue	key;
	DtRawValue	value;
} DtRawMember;

/*
 * A walk through adjacent children: the elements of an array, the keys of an
 * object, or its values.
 */
typedef struct DtRawCursor
{
	const JEntry *entry;		/* of the next child */
	const char *payload;		/* of the container */
	uint32		offset;			/* in payload, of the last child's end */
} DtRawCursor;

/*
 * A walk through the members of an object, or the elements of an array.
 */
typedef struct DtRawObjectWalk
{
	DtRawCursor keys;
	DtRawCursor values;
	uint32		left;			/* number of members left */
} DtRawObjectWalk;

typedef struct DtRawArrayWalk
{
	DtRawCursor elements;
	uint32		left;			/* number of elements left */
} DtRawArrayWalk;

/*
 * A walk through the children of two containers at once, which returns the
 * pairs whose bytes differ.
 *
 * Children that have the same offsets in both are skipped as one block.  For
 * each pair the walk returns how many leading bytes are the same, so that the
 * caller need not compare these again.  Otherwise deeply nested documents
 * would be compared once for each level.
 */
typedef struct DtRawPairWalk
{
	DtRawCursor a;
	DtRawCursor b;
	uint32		next;			/* number of the next pair */
	uint32		count;
	bool		same_layout;	/* do all have the same offsets in both? */
	uint32		same;			/* if so: leading bytes of the payload that
								 * are the same */
	uint32		end;			/* if so: length of the payload */
} DtRawPairWalk;

typedef struct DtRawPair
{
	uint32		number;
	DtRawValue	a;
	DtRawValue	b;
	uint32		same;			/* number of leading bytes that are the same */
} DtRawPair;

/*
 * Writes a container at the end of a buffer.  Its children are written in
 * their order, all keys of an object before its values.
 */
typedef struct DtRawWriter
{
	DtRawBuffer *buffer;
	Size		entry;			/* in buffer, of the next JEntry */
	Size		payload;		/* in buffer, of the children's bytes */
	uint32		end;			/* in payload, of the last child's end */
	uint32		written;		/* number of children so far */
} DtRawWriter;

extern const DtRawValue dtmodel_raw_null;
extern const DtRawValue dtmodel_raw_empty_object;

extern uint32 dtmodel_raw_common_bytes(const DtRawValue *a, const DtRawValue *b);
extern bool dtmodel_raw_equal(const DtRawValue *a, const DtRawValue *b);
extern bool dtmodel_raw_equal_from(const DtRawValue *a, const DtRawValue *b,
								   uint32 same);
extern DtRawPairWalk dtmodel_raw_element_pairs(const DtRawValue *a, const DtRawValue *b,
											   uint32 same);
extern bool dtmodel_raw_value_pairs(const DtRawValue *a, const DtRawValue *b,
									uint32 same, DtRawPairWalk *pairs);
extern bool dtmodel_raw_next_pair(DtRawPairWalk *pairs, DtRawPair *pair);
extern bool dtmodel_raw_find(const DtRawValue *object, const DtRawValue *key,
							 DtRawValue *value, uint32 *near);
extern bool dtmodel_raw_element(const DtRawValue *array, uint32 index,
								DtRawValue *element);

extern const char *dtmodel_raw_kind(const DtRawValue *value);

extern void dtmodel_begin_document(DtRawBuffer *buffer, Size size);
extern Jsonb *dtmodel_finish_document(DtRawBuffer *buffer);
extern Jsonb *dtmodel_raw_document(const DtRawValue *value);
extern void dtmodel_write_container(DtRawWriter *writer, DtRawBuffer *buffer,
									uint32 flag, uint32 count);
extern void dtmodel_write_run(DtRawWriter *writer, DtRawCursor *cursor,
							  uint32 count);
extern void dtmodel_report_too_large(void);

static inline const JsonbContainer *
dtmodel_raw_container(const DtRawValue *value)
{
	return (const JsonbContainer *) value->data;
}

static inline bool
dtmodel_raw_is_object(const DtRawValue *value)
{
	return value->type == JENTRY_ISCONTAINER &&
		JsonContainerIsObject(dtmodel_raw_container(value));
}

static inline bool
dtmodel_raw_is_array(const DtRawValue *value)
{
	return value->type == JENTRY_ISCONTAINER &&
		JsonContainerIsArray(dtmodel_raw_container(value));
}

/* The number of members of an object, or of elements of an array. */
static inline uint32
dtmodel_raw_count(const DtRawValue *container)
{
	return JsonContainerSize(dtmodel_raw_container(container));
}

/* Fetches the next child.  There must be one. */
static inline DtRawValue
dtmodel_raw_next(DtRawCursor *cursor)
{
	JEntry		entry = *cursor->entry++;
	uint32		start = cursor->offset;
	DtRawValue	child;

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
static inline DtRawCursor
dtmodel_raw_children(const DtRawValue *value)
{
	const JsonbContainer *container = dtmodel_raw_container(value);
	uint32		n = JsonContainerSize(container);
	DtRawCursor cursor;

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
static inline DtRawCursor
dtmodel_raw_children_from(const DtRawValue *value, uint32 first)
{
	DtRawCursor cursor = dtmodel_raw_children(value);

	cursor.entry += first;
	cursor.offset = getJsonbOffset(dtmodel_raw_container(value), first);
	return cursor;
}

/* Begins a walk through an array. */
static inline DtRawArrayWalk
dtmodel_raw_walk_array(const DtRawValue *array)
{
	DtRawArrayWalk walk;

	walk.left = dtmodel_raw_count(array);
	walk.elements = dtmodel_raw_children(array);
	return walk;
}

/* Fetches the next element; false when there is none left. */
static inline bool
dtmodel_raw_next_element(DtRawArrayWalk *walk, DtRawValue *element)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	*element = dtmodel_raw_next(&walk->elements);
	return true;
}

/* Begins a walk through an object. */
static inline DtRawObjectWalk
dtmodel_raw_walk_object(const DtRawValue *object)
{
	DtRawObjectWalk walk;

	walk.left = dtmodel_raw_count(object);
	walk.keys = dtmodel_raw_children(object);
	walk.values = walk.keys;
	walk.values.entry += walk.left;
	walk.values.offset = getJsonbOffset(dtmodel_raw_container(object), walk.left);
	return walk;
}

/* Fetches the next member; false when there is none left. */
static inline bool
dtmodel_raw_next_member(DtRawObjectWalk *walk, DtRawMember *member)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	member->key = dtmodel_raw_next(&walk->keys);
	member->value = dtmodel_raw_next(&walk->values);
	return true;
}

/* A string whose bytes are not copied. */
static inline DtRawValue
dtmodel_raw_string(const char *data, uint32 len)
{
	DtRawValue	string;

	string.type = JENTRY_ISSTRING;
	string.len = len;
	string.data = data;
	return string;
}

/* Compares keys in the order of an object: by length, then by bytes. */
static inline int
dtmodel_raw_compare_keys(const DtRawValue *a, const DtRawValue *b)
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
dtmodel_raw_compare_members(const DtRawMember *a, const DtRawMember *b)
{
	if (a == NULL)
		return 1;
	if (b == NULL)
		return -1;
	return dtmodel_raw_compare_keys(&a->key, &b->key);
}

/* Values with the same bytes are equal; others may be equal, too. */
static inline bool
dtmodel_raw_same_bytes(const DtRawValue *a, const DtRawValue *b)
{
	return a->type == b->type && a->len == b->len &&
		memcmp(a->data, b->data, a->len) == 0;
}

/* The same for whole documents, either of which may be NULL. */
static inline bool
dtmodel_raw_same_document(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) &&
		memcmp(VARDATA(a), VARDATA(b), VARSIZE(a) - VARHDRSZ) == 0;
}

/* The root of a document. */
static inline DtRawValue
dtmodel_raw_root(const Jsonb *document)
{
	DtRawValue	root;

	root.type = JENTRY_ISCONTAINER;
	root.len = VARSIZE(document) - VARHDRSZ;
	root.data = VARDATA(document);
	if (JsonContainerIsScalar(dtmodel_raw_container(&root)))
	{
		DtRawArrayWalk wrapper = dtmodel_raw_walk_array(&root);

		dtmodel_raw_next_element(&wrapper, &root);
	}
	return root;
}

/*
 * Ends a child that was written to the buffer: stores its type and its end in
 * its entry.
 */
static inline void
dtmodel_write_entry(DtRawWriter *writer, uint32 type)
{
	Size		end = writer->buffer->len - writer->payload;
	JEntry		entry;

	if (unlikely(end > JENTRY_OFFLENMASK))
		dtmodel_report_too_large();

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
dtmodel_write_value(DtRawWriter *writer, const DtRawValue *value)
{
	if (value->type == JENTRY_ISNUMERIC || value->type == JENTRY_ISCONTAINER)
		dtmodel_buffer_align(writer->buffer);
	memcpy(dtmodel_buffer_extend(writer->buffer, value->len), value->data, value->len);
	dtmodel_write_entry(writer, value->type);
}

#endif							/* DTMODEL_JSON_FORMAT_H */
