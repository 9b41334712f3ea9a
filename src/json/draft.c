/*-------------------------------------------------------------------------
 *
 * draft.c
 *	  A document under change.
 *
 * A patch is a list of small changes, and writing a document anew for each of
 * them would make a long patch quadratic.  A draft takes them all and is
 * written once.
 *
 * An opened object is its former bytes and a tree of the members that are not
 * as they were there: what it costs depends on the changes and not on the
 * object.  An opened array is a list of chunks of elements, so that inserting
 * and removing moves one chunk's elements and not all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "draft.h"
#include "lib/rbtree.h"
#include "miscadmin.h"

/*
 * A member that is not as in the former bytes: changed, added, or (when its
 * value is DRAFT_NONE) removed.
 */
typedef struct DraftMember
{
	RBTNode		node;
	RawValue	key;
	Draft		value;
} DraftMember;

typedef struct DraftObject
{
	RawValue	former;
	RBTree	   *members;
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
} DraftArray;

/*
 * A walk over the members that an opened object has now.
 */
typedef struct DraftWalk
{
	RawObject	former;
	RawMember	member;			/* where the walk over the former bytes is */
	bool		more;
	RBTreeIterator changes;
	DraftMember *change;		/* where the walk over the changes is */
} DraftWalk;

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

static int
compare_members(const RBTNode *a, const RBTNode *b, void *arg)
{
	return raw_compare_keys(&((const DraftMember *) a)->key,
							&((const DraftMember *) b)->key);
}

static RBTNode *
allocate_member(void *arg)
{
	return palloc(sizeof(DraftMember));
}

/* Members are looked up before they are inserted, so none is there twice. */
static void
combine_members(RBTNode *existing, const RBTNode *newdata, void *arg)
{
	Assert(false);
}

static void
open_object(Draft *draft)
{
	DraftObject *object;

	Assert(dtmodel_draft_is_object(draft));
	if (draft->kind == DRAFT_OBJECT)
		return;

	object = palloc(sizeof(DraftObject));
	object->former = draft->u.raw;
	object->members = rbt_create(sizeof(DraftMember), compare_members,
								 combine_members, allocate_member, NULL, NULL);
	object->count = raw_count(&object->former);
	draft->kind = DRAFT_OBJECT;
	draft->u.object = object;
}

static DraftMember *
find_change(const DraftObject *object, const RawValue *key)
{
	DraftMember wanted;

	wanted.key = *key;
	return (DraftMember *) rbt_find(object->members, &wanted.node);
}

static DraftMember *
add_change(DraftObject *object, const RawValue *key, Draft value)
{
	DraftMember member;
	bool		is_new;

	member.key = *key;
	member.value = value;
	return (DraftMember *) rbt_insert(object->members, &member.node, &is_new);
}

/*
 * The member of that key, or DRAFT_NONE.
 */
Draft
dtmodel_draft_member(const Draft *draft, const RawValue *key)
{
	const RawValue *bytes = &draft->u.raw;
	RawValue	value;

	Assert(dtmodel_draft_is_object(draft));
	if (draft->kind == DRAFT_OBJECT)
	{
		DraftMember *change = find_change(draft->u.object, key);

		if (change)
			return change->value;
		bytes = &draft->u.object->former;
	}
	return dtmodel_raw_find(bytes, key, &value) ? draft_of(&value) : draft_none();
}

/*
 * The member of that key, to be changed inside; it must be there.
 */
Draft *
dtmodel_draft_open_member(Draft *draft, const RawValue *key)
{
	DraftMember *change;

	open_object(draft);
	change = find_change(draft->u.object, key);
	if (!change)
		change = add_change(draft->u.object, key,
							dtmodel_draft_member(draft, key));
	return &change->value;
}

/*
 * Sets, adds or (with DRAFT_NONE) removes a member.
 */
void
dtmodel_draft_set_member(Draft *draft, const RawValue *key, Draft value)
{
	DraftObject *object;
	Draft		before;
	DraftMember *change;

	open_object(draft);
	object = draft->u.object;
	before = dtmodel_draft_member(draft, key);
	object->count += (value.kind != DRAFT_NONE) - (before.kind != DRAFT_NONE);

	change = find_change(object, key);
	if (change)
		change->value = value;
	else
		add_change(object, key, value);
}

static void
begin_walk(DraftWalk *walk, const DraftObject *object)
{
	walk->former = raw_object(&object->former);
	walk->more = raw_object_next(&walk->former, &walk->member);
	rbt_begin_iterate(object->members, LeftRightWalk, &walk->changes);
	walk->change = (DraftMember *) rbt_iterate(&walk->changes);
}

/*
 * Fetches the next member; false when there is none left.
 */
static bool
walk_next(DraftWalk *walk, RawValue *key, Draft *value)
{
	while (walk->more || walk->change)
	{
		int			order;

		if (!walk->change)
			order = -1;
		else if (!walk->more)
			order = 1;
		else
			order = raw_compare_keys(&walk->member.key, &walk->change->key);

		if (order < 0)
		{
			*key = walk->member.key;
			*value = draft_of(&walk->member.value);
		}
		else
		{
			*key = walk->change->key;
			*value = walk->change->value;
			walk->change = (DraftMember *) rbt_iterate(&walk->changes);
		}
		if (order <= 0)
			walk->more = raw_object_next(&walk->former, &walk->member);
		if (value->kind != DRAFT_NONE)
			return true;
	}
	return false;
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
	array->nchunks = 0;
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
 * after an insertion, and makes the number count from the chunk's first.
 */
static DraftChunk *
find_chunk(const DraftArray *array, uint32 *index)
{
	DraftChunk *chunk = array->chunks;
	DraftChunk *last = array->chunks + array->nchunks - 1;

	if (*index == array->count)
	{
		*index = last->count;
		return last;
	}
	while (*index >= chunk->count)
	{
		*index -= chunk->count;
		chunk++;
	}
	return chunk;
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
		pfree(chunk->elements);
		array->nchunks--;
		memmove(chunk, chunk + 1,
				(array->nchunks - (chunk - array->chunks)) * sizeof(DraftChunk));
	}
}

/* ---- whole values ---- */

static bool
object_equal(const DraftObject *object, const RawValue *value)
{
	DraftWalk	walk;
	RawObject	expected = raw_object(value);
	RawMember	member;
	RawValue	key;
	Draft		draft;

	if (object->count != raw_count(value))
		return false;
	begin_walk(&walk, object);
	while (walk_next(&walk, &key, &draft) && raw_object_next(&expected, &member))
	{
		if (raw_compare_keys(&key, &member.key) != 0 ||
			!dtmodel_draft_equal(&draft, &member.value))
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
			return raw_is_object(value) && object_equal(draft->u.object, value);
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

static void
write_object(RawBuffer *buffer, const DraftObject *object)
{
	RawWriter	writer;
	DraftWalk	walk;
	RawValue	key;
	Draft		value;

	dtmodel_write_container(&writer, buffer, JB_FOBJECT, object->count);
	begin_walk(&walk, object);
	while (walk_next(&walk, &key, &value))
		write_value(&writer, &key);
	begin_walk(&walk, object);
	while (walk_next(&walk, &key, &value))
		write_child(&writer, &value);
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
