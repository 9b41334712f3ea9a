/*-------------------------------------------------------------------------
 *
 * draft.c
 *	  A document under change.
 *
 * A patch is a list of small changes, and writing a document anew for each of
 * them would make a long patch quadratic.  A draft takes them all and is
 * written once.
 *
 * An opened object is its former bytes and a table of the members that are not
 * as they were there: what it costs depends on the changes and not on the
 * object.  An opened array is a list of chunks of elements, so that inserting
 * and removing moves one chunk's elements and not all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "draft.h"
#include "miscadmin.h"

/*
 * A member that is not as in the former bytes: changed, added, or (when its
 * value is DRAFT_NONE) removed.
 */
typedef struct DraftMember
{
	RawValue	key;
	Draft		value;
} DraftMember;

/*
 * Where the member of a key is among the changes.
 */
typedef struct MemberEntry
{
	RawValue	key;
	uint32		number;
	uint32		hash;
	char		status;			/* for simplehash */
} MemberEntry;

#define SH_PREFIX member
#define SH_ELEMENT_TYPE MemberEntry
#define SH_KEY_TYPE RawValue
#define SH_KEY key
#define SH_HASH_KEY(table, key) ((uint32) dtmodel_raw_hash(&(key)))
#define SH_EQUAL(table, a, b) (raw_compare_keys(&(a), &(b)) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * The changes stand in the order in which they came.  Most often that is the
 * order of the keys already, and sorting them in the end takes one pass.
 */
typedef struct DraftObject
{
	RawValue	former;
	uint32		near;			/* where in former a key was looked up last */
	DraftMember *changes;
	uint32		nchanges;
	uint32		room;
	member_hash *table;			/* of the changes, by key */
	uint32		count;			/* members that there are now */
} DraftObject;

#define CHUNK_SIZE 1024

typedef struct DraftChunk
{
	Draft	   *elements;
	uint32		count;
	uint32		room;			/* at most CHUNK_SIZE */
} DraftChunk;

typedef struct DraftArray
{
	DraftChunk *chunks;
	uint32		nchunks;
	uint32		room;
	uint32		count;			/* elements in all chunks */
	uint32		near;			/* the chunk that was looked up last */
	uint32		before_near;	/* elements in the chunks before that */
} DraftArray;

bool
dtmodel_draft_is_object(const Draft *draft)
{
	return draft->kind == DRAFT_OBJECT ||
		(draft->kind == DRAFT_RAW && raw_is_object(&draft->u.raw));
}

bool
dtmodel_draft_is_array(const Draft *draft)
{
	return draft->kind == DRAFT_ARRAY ||
		(draft->kind == DRAFT_RAW && raw_is_array(&draft->u.raw));
}

/* ---- objects ---- */

static DraftObject *
open_object(Draft *draft)
{
	DraftObject *object;

	Assert(dtmodel_draft_is_object(draft));
	if (draft->kind == DRAFT_OBJECT)
		return draft->u.object;

	object = palloc(sizeof(DraftObject));
	object->former = draft->u.raw;
	object->near = 0;
	object->nchanges = 0;
	object->room = 4;
	object->changes = palloc(object->room * sizeof(DraftMember));
	object->table = member_create(CurrentMemoryContext, object->room, NULL);
	object->count = raw_count(&object->former);
	draft->kind = DRAFT_OBJECT;
	draft->u.object = object;
	return object;
}

static Draft
former_member(DraftObject *object, const RawValue *key)
{
	RawValue	value;

	if (!dtmodel_raw_find(&object->former, key, &value, &object->near))
		return draft_none();
	return draft_of(&value);
}

/*
 * The change of a member, with the value that it has had so far.
 */
static DraftMember *
change_member(DraftObject *object, const RawValue *key)
{
	bool		found;
	MemberEntry *entry = member_insert(object->table, *key, &found);
	DraftMember *change;

	if (found)
		return &object->changes[entry->number];

	if (object->nchanges == object->room)
	{
		object->room *= 2;
		object->changes = repalloc_huge(object->changes,
										object->room * sizeof(DraftMember));
	}
	entry->number = object->nchanges++;
	change = &object->changes[entry->number];
	change->key = *key;
	change->value = former_member(object, key);
	return change;
}

/*
 * The member of that key, or DRAFT_NONE.
 */
Draft
dtmodel_draft_member(const Draft *draft, const RawValue *key)
{
	RawValue	value;
	MemberEntry *entry;

	Assert(dtmodel_draft_is_object(draft));
	if (draft->kind == DRAFT_RAW)
		return dtmodel_raw_find(&draft->u.raw, key, &value, NULL) ?
			draft_of(&value) : draft_none();

	entry = member_lookup(draft->u.object->table, *key);
	return entry ? draft->u.object->changes[entry->number].value :
		former_member(draft->u.object, key);
}

/*
 * The member of that key, to be changed inside; it must be there.  The pointer
 * is good until another member is changed.
 */
Draft *
dtmodel_draft_open_member(Draft *draft, const RawValue *key)
{
	DraftMember *change = change_member(open_object(draft), key);

	Assert(change->value.kind != DRAFT_NONE);
	return &change->value;
}

/*
 * Sets, adds or (with DRAFT_NONE) removes a member.
 */
void
dtmodel_draft_set_member(Draft *draft, const RawValue *key, Draft value)
{
	DraftObject *object = open_object(draft);
	DraftMember *change = change_member(object, key);

	object->count += (value.kind != DRAFT_NONE) - (change->value.kind != DRAFT_NONE);
	change->value = value;
}

/* ---- arrays ---- */

/*
 * Makes room for a chunk of that number and gives it room for so many
 * elements.
 */
static DraftChunk *
add_chunk(DraftArray *array, uint32 number, uint32 room)
{
	DraftChunk *chunk;

	if (array->nchunks == array->room)
	{
		array->room *= 2;
		array->chunks = repalloc_huge(array->chunks,
									  array->room * sizeof(DraftChunk));
	}
	chunk = &array->chunks[number];
	memmove(chunk + 1, chunk, (array->nchunks - number) * sizeof(DraftChunk));
	array->nchunks++;

	chunk->room = Min(room, CHUNK_SIZE);
	chunk->elements = palloc(chunk->room * sizeof(Draft));
	chunk->count = 0;
	return chunk;
}

static void
open_array(Draft *draft)
{
	DraftArray *array;
	RawArray	walk;
	RawValue	element;
	DraftChunk *chunk;

	Assert(dtmodel_draft_is_array(draft));
	if (draft->kind == DRAFT_ARRAY)
		return;

	walk = raw_array(&draft->u.raw);
	array = palloc(sizeof(DraftArray));
	array->count = walk.left;
	array->nchunks = array->near = array->before_near = 0;
	array->room = walk.left / CHUNK_SIZE + 2;
	array->chunks = palloc(array->room * sizeof(DraftChunk));

	chunk = add_chunk(array, 0, walk.left + 1);
	while (raw_array_next(&walk, &element))
	{
		if (chunk->count == CHUNK_SIZE)
		{
			CHECK_FOR_INTERRUPTS();
			chunk = add_chunk(array, array->nchunks, walk.left + 1);
		}
		chunk->elements[chunk->count++] = draft_of(&element);
	}
	draft->kind = DRAFT_ARRAY;
	draft->u.array = array;
}

/*
 * Finds the chunk that holds the element of that number, or would hold it
 * after an insertion, and makes the number count from the chunk's first.  The
 * way goes from the chunk looked up last, for changes tend to come in order.
 */
static DraftChunk *
find_chunk(DraftArray *array, uint32 *index)
{
	const DraftChunk *chunks = array->chunks;

	while (*index < array->before_near)
		array->before_near -= chunks[--array->near].count;
	while (*index - array->before_near >= chunks[array->near].count &&
		   array->near + 1 < array->nchunks)
		array->before_near += chunks[array->near++].count;

	*index -= array->before_near;
	return &array->chunks[array->near];
}

/*
 * Makes room for one more element in a chunk that is full, by moving its
 * upper half to a new chunk if it is as large as chunks get.
 */
static void
make_room(DraftArray *array, DraftChunk *chunk)
{
	uint32		number = chunk - array->chunks;
	DraftChunk *upper;

	if (chunk->room < CHUNK_SIZE)
	{
		chunk->room = Min(2 * chunk->room, CHUNK_SIZE);
		chunk->elements = repalloc(chunk->elements, chunk->room * sizeof(Draft));
		return;
	}

	upper = add_chunk(array, number + 1, CHUNK_SIZE);
	chunk = &array->chunks[number];
	chunk->count /= 2;
	upper->count = CHUNK_SIZE - chunk->count;
	memcpy(upper->elements, chunk->elements + chunk->count,
		   upper->count * sizeof(Draft));
}

/*
 * How many elements the array has.
 */
uint32
dtmodel_draft_count(const Draft *draft)
{
	Assert(dtmodel_draft_is_array(draft));
	return draft->kind == DRAFT_ARRAY ?
		draft->u.array->count : raw_count(&draft->u.raw);
}

/*
 * The element of that number, or DRAFT_NONE.
 */
Draft
dtmodel_draft_element(const Draft *draft, uint32 index)
{
	RawValue	element;

	if (index >= dtmodel_draft_count(draft))
		return draft_none();
	if (draft->kind == DRAFT_ARRAY)
	{
		DraftChunk *chunk = find_chunk(draft->u.array, &index);

		return chunk->elements[index];
	}
	(void) dtmodel_raw_element(&draft->u.raw, index, &element);
	return draft_of(&element);
}

/*
 * The element of that number, to be changed; it must be there.
 */
Draft *
dtmodel_draft_open_element(Draft *draft, uint32 index)
{
	DraftChunk *chunk;

	Assert(index < dtmodel_draft_count(draft));
	open_array(draft);
	chunk = find_chunk(draft->u.array, &index);
	return &chunk->elements[index];
}

/*
 * Inserts an element before the one of that number, or at the end.
 */
void
dtmodel_draft_insert(Draft *draft, uint32 index, Draft value)
{
	DraftArray *array;
	DraftChunk *chunk;
	uint32		at = index;

	Assert(index <= dtmodel_draft_count(draft));
	open_array(draft);
	array = draft->u.array;

	chunk = find_chunk(array, &at);
	if (chunk->count == chunk->room)
	{
		make_room(array, chunk);
		at = index;
		chunk = find_chunk(array, &at);
	}
	memmove(&chunk->elements[at + 1], &chunk->elements[at],
			(chunk->count - at) * sizeof(Draft));
	chunk->elements[at] = value;
	chunk->count++;
	array->count++;
}

/*
 * Removes the element of that number; it must be there.  A chunk that becomes
 * empty goes too, unless it is the last one.
 */
void
dtmodel_draft_remove(Draft *draft, uint32 index)
{
	DraftArray *array;
	DraftChunk *chunk;

	Assert(index < dtmodel_draft_count(draft));
	open_array(draft);
	array = draft->u.array;

	chunk = find_chunk(array, &index);
	chunk->count--;
	array->count--;
	memmove(&chunk->elements[index], &chunk->elements[index + 1],
			(chunk->count - index) * sizeof(Draft));

	if (chunk->count == 0 && array->nchunks > 1)
	{
		array->near = array->before_near = 0;
		pfree(chunk->elements);
		array->nchunks--;
		memmove(chunk, chunk + 1,
				(array->nchunks - (chunk - array->chunks)) * sizeof(DraftChunk));
	}
}

/* ---- whole values ---- */

static bool
object_equal(const Draft *draft, const RawValue *value)
{
	RawObject	walk = raw_object(value);
	RawMember	member;

	if (draft->u.object->count != raw_count(value))
		return false;
	while (raw_object_next(&walk, &member))
	{
		Draft		mine = dtmodel_draft_member(draft, &member.key);

		if (!dtmodel_draft_equal(&mine, &member.value))
			return false;
	}
	return true;
}

static bool
array_equal(const DraftArray *array, const RawValue *value)
{
	RawArray	expected = raw_array(value);
	RawValue	element;
	uint32		i;
	uint32		k;

	if (array->count != raw_count(value))
		return false;
	for (i = 0; i < array->nchunks; i++)
	{
		DraftChunk *chunk = &array->chunks[i];

		for (k = 0; k < chunk->count && raw_array_next(&expected, &element); k++)
		{
			if (!dtmodel_draft_equal(&chunk->elements[k], &element))
				return false;
		}
	}
	return true;
}

/*
 * Is a draft equal to a value, as jsonb's "=" has it?
 */
bool
dtmodel_draft_equal(const Draft *draft, const RawValue *value)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (draft->kind)
	{
		case DRAFT_NONE:
			return false;
		case DRAFT_RAW:
			return dtmodel_raw_equal(&draft->u.raw, value);
		case DRAFT_OBJECT:
			return raw_is_object(value) && object_equal(draft, value);
		case DRAFT_ARRAY:
			return raw_is_array(value) && array_equal(draft->u.array, value);
	}
	pg_unreachable();
}

static void write_draft(RawBuffer *buffer, const Draft *draft);

/*
 * Writes a draft as the next child of a container.
 */
static void
write_child(RawWriter *writer, const Draft *draft)
{
	CHECK_FOR_INTERRUPTS();

	if (draft->kind == DRAFT_RAW)
		write_value(writer, &draft->u.raw);
	else
	{
		write_draft(writer->buffer, draft);
		write_end(writer, JENTRY_ISCONTAINER);
	}
}

static int
compare_changes(const void *a, const void *b)
{
	const DraftMember *member_a = *(const DraftMember *const *) a;
	const DraftMember *member_b = *(const DraftMember *const *) b;

	CHECK_FOR_INTERRUPTS();
	return raw_compare_keys(&member_a->key, &member_b->key);
}

/*
 * The changes of an object, in the order of their keys.
 */
static const DraftMember **
sorted_changes(const DraftObject *object)
{
	const DraftMember **sorted;
	uint32		i;

	sorted = MemoryContextAllocHuge(CurrentMemoryContext,
									(object->nchanges + 1) * sizeof(DraftMember *));
	for (i = 0; i < object->nchanges; i++)
		sorted[i] = &object->changes[i];
	qsort(sorted, object->nchanges, sizeof(DraftMember *), compare_changes);
	return sorted;
}

/*
 * Writes either the keys or the values that an object has now: its former
 * members joined with the changes.
 */
static void
write_members(RawWriter *writer, const DraftObject *object,
			  const DraftMember **changes, bool keys)
{
	RawObject	walk = raw_object(&object->former);
	RawMember	member;
	bool		more = raw_object_next(&walk, &member);
	uint32		i = 0;

	while (more || i < object->nchanges)
	{
		const DraftMember *change = i < object->nchanges ? changes[i] : NULL;
		int			order;

		if (!more)
			order = 1;
		else if (!change)
			order = -1;
		else
			order = raw_compare_keys(&member.key, &change->key);

		if (order < 0)
			write_value(writer, keys ? &member.key : &member.value);
		else if (change->value.kind != DRAFT_NONE && keys)
			write_value(writer, &change->key);
		else if (change->value.kind != DRAFT_NONE)
			write_child(writer, &change->value);

		if (order <= 0)
			more = raw_object_next(&walk, &member);
		if (order >= 0)
			i++;
	}
}

static void
write_object(RawBuffer *buffer, const DraftObject *object)
{
	const DraftMember **changes = sorted_changes(object);
	RawWriter	writer;

	dtmodel_write_container(&writer, buffer, JB_FOBJECT, object->count);
	write_members(&writer, object, changes, true);
	write_members(&writer, object, changes, false);
	pfree(changes);
}

static void
write_array(RawBuffer *buffer, const DraftArray *array)
{
	RawWriter	writer;
	uint32		i;
	uint32		k;

	dtmodel_write_container(&writer, buffer, JB_FARRAY, array->count);
	for (i = 0; i < array->nchunks; i++)
	{
		for (k = 0; k < array->chunks[i].count; k++)
			write_child(&writer, &array->chunks[i].elements[k]);
	}
}

/*
 * Appends an opened draft to the buffer.
 */
static void
write_draft(RawBuffer *buffer, const Draft *draft)
{
	check_stack_depth();

	if (draft->kind == DRAFT_OBJECT)
		write_object(buffer, draft->u.object);
	else
		write_array(buffer, draft->u.array);
}

/*
 * The document that the draft has become.
 */
Jsonb *
dtmodel_draft_document(const Draft *draft)
{
	RawBuffer	buffer;

	Assert(draft->kind != DRAFT_NONE);
	if (draft->kind == DRAFT_RAW)
		return dtmodel_raw_document(&draft->u.raw);

	dtmodel_write_document(&buffer, 1024);
	write_draft(&buffer, draft);
	return dtmodel_finish_document(&buffer);
}

/*
 * Turns an opened draft into bytes again, so that it may be at two places
 * without a change at one being seen at the other.
 */
void
dtmodel_draft_freeze(Draft *draft)
{
	if (draft->kind != DRAFT_RAW)
	{
		RawValue	bytes = raw_root(dtmodel_draft_document(draft));

		*draft = draft_of(&bytes);
	}
}
