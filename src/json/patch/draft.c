/*-------------------------------------------------------------------------
 *
 * draft.c
 *	  A document under change.
 *
 * A patch is a list of small changes, and writing a document out for each of
 * them would make a long patch quadratic.  A draft takes them all and is
 * written once.
 *
 * An opened container is a tree of runs: children that lie one after the other
 * in the container that it was opened from, or one child of another value.
 * Opening makes one run of all children, and each change splits a run, so that
 * what an opened container costs depends on its changes and not on its size.
 *
 * What was copied is one thing at several places.  Containers and nodes count
 * the places that they are at, and a change first copies those on its way that
 * are at more than one; of a tree these are about as many as the logarithm of
 * its runs.  So memory is that of the changes, however much is copied, and a
 * value that is doubled thirty times takes thirty nodes.
 *
 * The trees are treaps: in the order of the children, and heaps by priorities
 * that are random, which keeps them flat whatever comes in whatever order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/hash.h"
#include "json/patch/draft.h"
#include "miscadmin.h"

/*
 * A run of children.  The key is that of its first child, in an object.
 *
 * With a value of DRAFT_RUN, u.bytes are the container that they lie in, and
 * len is the number of the first one.
 *
 * There may be one of these for each operation of a patch: it is as small as
 * one allocation of 64 bytes.
 */
#define DRAFT_RUN 3

typedef struct DraftNode
{
	struct DraftNode *left;
	struct DraftNode *right;
	RawValue	key;
	Draft		value;
	uint32		run;			/* children of this run */
	uint32		count;			/* ... and of all runs below */
	uint32		priority;		/* not less than of those below */
	uint32		places;			/* links to this node */
} DraftNode;

StaticAssertDecl(sizeof(DraftNode) <= 64, "a node of a draft has grown");

typedef struct DraftContainer
{
	uint32		flag;			/* JB_FOBJECT or JB_FARRAY */
	uint32		places;			/* drafts that are this container */
	uint64		size;			/* about the bytes that it will take */
	DraftNode  *root;			/* NULL: it is empty */
} DraftContainer;

/* JB_FOBJECT or JB_FARRAY, or 0 for what is neither. */
static uint32
container_flag(const Draft *draft)
{
	RawValue	raw;

	if (draft->kind == DRAFT_OPEN)
		return draft->u.open->flag;
	if (draft->kind != JENTRY_ISCONTAINER)
		return 0;
	raw = draft_raw(draft);
	return raw_is_object(&raw) ? JB_FOBJECT : JB_FARRAY;
}

bool
dtmodel_draft_is_object(const Draft *draft)
{
	return container_flag(draft) == JB_FOBJECT;
}

bool
dtmodel_draft_is_array(const Draft *draft)
{
	return container_flag(draft) == JB_FARRAY;
}

/* ---- nodes ---- */

static uint32
count_of(const DraftNode *node)
{
	return node ? node->count : 0;
}

static void
update_count(DraftNode *node)
{
	node->count = count_of(node->left) + node->run + count_of(node->right);
}

static DraftNode *
make_node(const RawValue *key, Draft value, uint32 run)
{
	DraftNode  *node = palloc(sizeof(DraftNode));

	node->left = node->right = NULL;
	node->key = *key;
	node->value = value;
	node->run = node->count = run;
	node->priority = dtmodel_hash_random();
	node->places = 1;
	return node;
}

static DraftNode *
copy_node(DraftNode *node)
{
	DraftNode  *copy = palloc(sizeof(DraftNode));

	*copy = *node;
	copy->places = 1;
	if (copy->left)
		copy->left->places++;
	if (copy->right)
		copy->right->places++;
	dtmodel_draft_share(&copy->value);
	return copy;
}

/*
 * The node at a place, to be changed there: itself, or a copy if it is at
 * other places too.
 */
static inline DraftNode *
own(DraftNode *node)
{
	if (likely(node->places == 1))
		return node;
	node->places--;
	return copy_node(node);
}

/*
 * Takes a node from a place.  If it was the last one, the node is put before
 * those that are to be freed; they are linked by their keys' data.
 */
static DraftNode *
drop_node(DraftNode *node, DraftNode *dropped)
{
	if (!node || --node->places > 0)
		return dropped;
	node->key.data = (const char *) dropped;
	return node;
}

static DraftNode *
drop_value(const Draft *value, DraftNode *dropped)
{
	if (value->kind != DRAFT_OPEN || --value->u.open->places > 0)
		return dropped;
	dropped = drop_node(value->u.open->root, dropped);
	pfree(value->u.open);
	return dropped;
}

/*
 * Frees nodes, and what is at no place any more when they are gone.  There may
 * be more levels below than the stack could take.
 */
static void
free_nodes(DraftNode *dropped)
{
	while (dropped)
	{
		DraftNode  *node = dropped;

		CHECK_FOR_INTERRUPTS();
		dropped = (DraftNode *) node->key.data;
		dropped = drop_node(node->left, dropped);
		dropped = drop_node(node->right, dropped);
		dropped = drop_value(&node->value, dropped);
		pfree(node);
	}
}

/* The container whose children a run is of. */
static RawValue
run_container(const DraftNode *node)
{
	RawValue	container;

	container.type = JENTRY_ISCONTAINER;
	container.len = 0;			/* not known, and nothing here asks */
	container.data = node->value.u.bytes;
	return container;
}

/* Begins a walk over the keys of a run. */
static RawCursor
run_keys(const DraftNode *node)
{
	RawValue	container = run_container(node);

	return raw_children_from(&container, node->value.len);
}

/* Begins a walk over the elements or values of a run, from that child on. */
static RawCursor
run_values(const DraftNode *node, uint32 number)
{
	RawValue	container = run_container(node);

	number += node->value.len;
	if (raw_is_object(&container))
		number += raw_count(&container);
	return raw_children_from(&container, number);
}

/* The child of that number in a run. */
static Draft
run_value(const DraftNode *node, uint32 number)
{
	RawCursor	cursor = run_values(node, number);
	RawValue	value = raw_next(&cursor);

	return draft_of(&value);
}

/* Takes the first so many children from a run of more. */
static void
skip_children(DraftNode *node, uint32 number)
{
	RawValue	container = run_container(node);

	node->value.len += number;
	node->run -= number;
	if (raw_is_object(&container))
	{
		RawCursor	keys = run_keys(node);

		node->key = raw_next(&keys);
	}
}

/* ---- trees ---- */

/*
 * One tree of two, the children of the first before those of the second.
 */
static DraftNode *
join(DraftNode *first, DraftNode *second)
{
	if (!first || !second)
		return first ? first : second;
	if (first->priority > second->priority)
	{
		first = own(first);
		first->right = join(first->right, second);
		update_count(first);
		return first;
	}
	second = own(second);
	second->left = join(first, second->left);
	update_count(second);
	return second;
}

/*
 * Two trees of one: so many children, which are whole runs, and the others.
 */
static void
split(DraftNode *node, uint32 number, DraftNode **first, DraftNode **second)
{
	uint32		before;

	if (!node)
	{
		*first = *second = NULL;
		return;
	}

	node = own(node);
	before = count_of(node->left);
	if (number <= before)
	{
		split(node->left, number, first, &node->left);
		*second = node;
	}
	else
	{
		split(node->right, number - before - node->run, &node->right, second);
		*first = node;
	}
	update_count(node);
}

/*
 * Puts a node before the child of that number, with which a run begins, or at
 * the end.
 */
static void
insert_node(DraftNode **link, uint32 number, DraftNode *node)
{
	while (*link && (*link)->priority >= node->priority)
	{
		DraftNode  *above = *link = own(*link);
		uint32		before = count_of(above->left);

		above->count += node->run;
		if (number <= before)
			link = &above->left;
		else
		{
			number -= before + above->run;
			link = &above->right;
		}
	}
	split(*link, number, &node->left, &node->right);
	update_count(node);
	*link = node;
}

/*
 * The node that holds the child of that number, which is there.  The number
 * comes to count from the first child of the run.
 */
static DraftNode *
find_node(DraftNode *node, uint32 *number)
{
	for (;;)
	{
		uint32		before = count_of(node->left);

		if (*number < before)
			node = node->left;
		else if (*number - before < node->run)
		{
			*number -= before;
			return node;
		}
		else
		{
			*number -= before + node->run;
			node = node->right;
		}
	}
}

/*
 * The link to that node, to be changed there so that it and what is below hold
 * so many children fewer.
 */
static DraftNode **
find_link(DraftNode **link, uint32 number, uint32 fewer)
{
	for (;;)
	{
		DraftNode  *node = *link = own(*link);
		uint32		before = count_of(node->left);

		node->count -= fewer;
		if (number < before)
			link = &node->left;
		else if (number - before < node->run)
			return link;
		else
		{
			number -= before + node->run;
			link = &node->right;
		}
	}
}

/*
 * Makes a run begin with the child of that number, if there is one.
 */
static void
cut_run(DraftContainer *container, uint32 number)
{
	DraftNode  *node;
	DraftNode  *rest;
	uint32		within = number;

	if (number == count_of(container->root))
		return;
	node = find_node(container->root, &within);
	if (within == 0)
		return;

	rest = make_node(&node->key, node->value, node->run);
	skip_children(rest, within);
	node = *find_link(&container->root, number, rest->run);
	node->run = within;
	insert_node(&container->root, number, rest);
}

/*
 * The node of the child of that number alone, to be changed.
 */
static DraftNode *
own_child(DraftContainer *container, uint32 number)
{
	DraftNode  *node = *find_link(&container->root, number, 0);

	if (node->run == 1)
		return node;
	cut_run(container, number);
	cut_run(container, number + 1);
	return *find_link(&container->root, number, 0);
}

/* ---- opening ---- */

static DraftContainer *
open_bytes(const Draft *draft)
{
	DraftContainer *container = palloc(sizeof(DraftContainer));
	RawValue	raw = draft_raw(draft);
	uint32		count = raw_count(&raw);
	RawValue	key = dtmodel_raw_null;
	RawCursor	keys;
	Draft		children = *draft;

	container->flag = container_flag(draft);
	container->places = 1;
	container->size = raw.len;
	container->root = NULL;
	if (count == 0)
		return container;

	if (container->flag == JB_FOBJECT)
	{
		keys = raw_children(&raw);
		key = raw_next(&keys);
	}
	children.kind = DRAFT_RUN;
	children.len = 0;
	container->root = make_node(&key, children, count);
	return container;
}

/*
 * The container that a draft is, to be changed there: opened, or a copy if it
 * is at other places too.
 */
static DraftContainer *
open_draft(Draft *draft)
{
	DraftContainer *container;

	Assert(container_flag(draft) != 0);
	if (draft->kind != DRAFT_OPEN)
		container = open_bytes(draft);
	else if (draft->u.open->places > 1)
	{
		draft->u.open->places--;
		container = palloc(sizeof(DraftContainer));
		*container = *draft->u.open;
		container->places = 1;
		if (container->root)
			container->root->places++;
	}
	else
		return draft->u.open;

	draft->kind = DRAFT_OPEN;
	draft->u.open = container;
	return container;
}

/* ---- finding children ---- */

/*
 * The member of that key in a run whose first one comes before it, or
 * DRAFT_NONE.  The number is that of the first one, and becomes that of the
 * place where the member is or would be.
 *
 * Keys are mostly looked up in their order, and what they are looked up in is
 * what is left of a run, so the place is near its beginning.
 */
static Draft
find_in_run(const DraftNode *node, const RawValue *key, uint32 *number)
{
	RawValue	container;
	RawValue	value;
	uint32		place = node->value.len + 1;
	bool		found;

	if (node->run == 1)
	{
		*number += 1;
		return draft_none();
	}

	/* What comes behind the run in the container is not there any more. */
	container = run_container(node);
	found = dtmodel_raw_find(&container, key, &value, &place) &&
		place - node->value.len < node->run;
	*number += Min(place - node->value.len, node->run);
	return found ? draft_of(&value) : draft_none();
}

static Draft
find_member(const DraftContainer *object, const RawValue *key, uint32 *number)
{
	const DraftNode *node = object->root;
	const DraftNode *last = NULL;	/* of those that begin before the key */
	uint32		before = 0;		/* children before this subtree */

	*number = 0;
	while (node)
	{
		int			order = raw_compare_keys(key, &node->key);

		if (order < 0)
		{
			node = node->left;
			continue;
		}
		last = node;
		*number = before + count_of(node->left);
		if (order == 0)
			return node->value.kind == DRAFT_RUN ? run_value(node, 0) : node->value;
		before = *number + node->run;
		node = node->right;
	}
	return last ? find_in_run(last, key, number) : draft_none();
}

/*
 * The member of that key, or DRAFT_NONE, and the number of the place where it
 * is or would be.
 */
Draft
dtmodel_draft_find(const Draft *draft, const RawValue *key, uint32 *number)
{
	RawValue	raw;
	RawValue	value;

	Assert(dtmodel_draft_is_object(draft));
	if (draft->kind == DRAFT_OPEN)
		return find_member(draft->u.open, key, number);
	raw = draft_raw(draft);
	*number = raw_count(&raw);	/* the member may be anywhere */
	return dtmodel_raw_find(&raw, key, &value, number) ?
		draft_of(&value) : draft_none();
}

/*
 * How many children there are.
 */
uint32
dtmodel_draft_count(const Draft *draft)
{
	RawValue	raw;

	if (draft->kind == DRAFT_OPEN)
		return count_of(draft->u.open->root);
	raw = draft_raw(draft);
	return raw_count(&raw);
}

/*
 * The element of that number, or DRAFT_NONE.
 */
Draft
dtmodel_draft_element(const Draft *draft, uint32 number)
{
	RawValue	raw;
	RawValue	element;
	DraftNode  *node;

	Assert(dtmodel_draft_is_array(draft));
	if (number >= dtmodel_draft_count(draft))
		return draft_none();
	if (draft->kind == DRAFT_OPEN)
	{
		node = find_node(draft->u.open->root, &number);
		return node->value.kind == DRAFT_RUN ? run_value(node, number) : node->value;
	}
	raw = draft_raw(draft);
	(void) dtmodel_raw_element(&raw, number, &element);
	return draft_of(&element);
}

/* ---- changing children ---- */

/*
 * The child of that number, to be changed inside; it must be there.  The
 * pointer is good until the child is removed, or the container shared.
 */
Draft *
dtmodel_draft_open(Draft *draft, uint32 number)
{
	DraftNode  *node = own_child(open_draft(draft), number);

	if (node->value.kind == DRAFT_RUN)
		node->value = run_value(node, 0);
	return &node->value;
}

/*
 * Puts another value at the place of a child, which must be there.
 */
void
dtmodel_draft_set(Draft *draft, uint32 number, Draft value)
{
	DraftNode  *node = own_child(open_draft(draft), number);

	dtmodel_draft_release(&node->value);
	node->value = value;
}

/*
 * Inserts a child before the one of that number, or at the end.  The key is
 * that of a member; an element has none.
 */
void
dtmodel_draft_insert(Draft *draft, uint32 number, const RawValue *key,
					 Draft value)
{
	DraftContainer *container = open_draft(draft);

	if (container->flag == JB_FARRAY)
		key = &dtmodel_raw_null;
	cut_run(container, number);
	insert_node(&container->root, number, make_node(key, value, 1));
}

/*
 * Removes the child of that number; it must be there.
 */
void
dtmodel_draft_remove(Draft *draft, uint32 number)
{
	DraftContainer *container = open_draft(draft);
	DraftNode **link;
	DraftNode  *node;

	cut_run(container, number);
	link = find_link(&container->root, number, 1);
	node = *link;
	if (node->run > 1)
	{
		skip_children(node, 1);
		return;
	}
	*link = join(node->left, node->right);
	node->left = node->right = NULL;
	free_nodes(drop_node(node, NULL));
}

/* ---- size ---- */

/*
 * About the bytes that a value will take.  Where it was changed, the padding
 * is not counted, or as it was.
 */
uint64
dtmodel_draft_size(const Draft *draft)
{
	if (draft->kind == DRAFT_NONE)
		return 0;
	return draft->kind == DRAFT_OPEN ? draft->u.open->size : draft->len;
}

/*
 * Opens a container and notes that a change in it or further below will add so
 * many bytes.  The caller notes it on its way down to the change.  It matters
 * where values are copied, for then a document grows faster than the memory
 * that it takes, and may be left out where none are.
 *
 * Fails if it will be too large for jsonb, padded in whatever way.  If it may
 * be so or not, the writing will tell.
 */
void
dtmodel_draft_grow(Draft *draft, int64 bytes)
{
	DraftContainer *container = open_draft(draft);

	container->size += bytes;
	if (container->size > 2 * (uint64) JENTRY_OFFLENMASK)
		dtmodel_too_large();
}

/* ---- copies ---- */

/*
 * Notes that a value comes to one more place, so that a change at one is not
 * seen at the others.
 */
void
dtmodel_draft_share(const Draft *draft)
{
	if (draft->kind == DRAFT_OPEN)
		draft->u.open->places++;
}

/*
 * Notes that a value goes from a place.
 */
void
dtmodel_draft_release(const Draft *draft)
{
	free_nodes(drop_value(draft, NULL));
}

/* ---- comparing ---- */

/*
 * A walk over the children of a value, in step with those of a draft, which are
 * as many.
 */
typedef struct Comparison
{
	bool		object;
	RawCursor	keys;			/* if so */
	RawCursor	values;
} Comparison;

/* Fetches the value's next child; false if it has another key. */
static bool
next_expected(Comparison *comparison, const RawValue *key, RawValue *value)
{
	*value = raw_next(&comparison->values);
	if (comparison->object)
	{
		RawValue	expected = raw_next(&comparison->keys);

		return raw_compare_keys(key, &expected) == 0;
	}
	return true;
}

static bool
run_equal(const DraftNode *node, Comparison *comparison)
{
	RawCursor	keys = run_keys(node);
	RawCursor	values = run_values(node, 0);

	for (uint32 i = 0; i < node->run; i++)
	{
		RawValue	key = comparison->object ? raw_next(&keys) : node->key;
		RawValue	value = raw_next(&values);
		RawValue	expected;

		CHECK_FOR_INTERRUPTS();
		if (!next_expected(comparison, &key, &expected) ||
			!dtmodel_raw_equal(&value, &expected))
			return false;
	}
	return true;
}

static bool
node_equal(const DraftNode *node, Comparison *comparison)
{
	RawValue	expected;

	if (node->value.kind == DRAFT_RUN)
		return run_equal(node, comparison);
	return next_expected(comparison, &node->key, &expected) &&
		dtmodel_draft_equal(&node->value, &expected);
}

static bool
tree_equal(const DraftNode *node, Comparison *comparison)
{
	return !node ||
		(tree_equal(node->left, comparison) && node_equal(node, comparison) &&
		 tree_equal(node->right, comparison));
}

static bool
container_equal(const DraftContainer *container, const RawValue *value)
{
	Comparison	comparison;

	if (value->type != JENTRY_ISCONTAINER ||
		count_of(container->root) != raw_count(value) ||
		(container->flag == JB_FOBJECT) != raw_is_object(value))
		return false;

	comparison.object = raw_is_object(value);
	comparison.keys = raw_children(value);
	comparison.values = raw_children_from(value, comparison.object ? raw_count(value) : 0);
	return tree_equal(container->root, &comparison);
}

/*
 * Is a draft equal to a value, as jsonb's "=" has it?
 */
bool
dtmodel_draft_equal(const Draft *draft, const RawValue *value)
{
	RawValue	raw;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (draft->kind == DRAFT_NONE)
		return false;
	if (draft->kind == DRAFT_OPEN)
		return container_equal(draft->u.open, value);
	raw = draft_raw(draft);
	return dtmodel_raw_equal(&raw, value);
}

/* ---- writing ---- */

static void write_container(RawBuffer *buffer, const DraftContainer *container);

static void
write_keys(RawWriter *writer, const DraftNode *node)
{
	RawCursor	keys;

	if (!node)
		return;
	CHECK_FOR_INTERRUPTS();
	write_keys(writer, node->left);
	if (node->run == 1)
		write_value(writer, &node->key);
	else
	{
		keys = run_keys(node);
		dtmodel_write_run(writer, &keys, node->run);
	}
	write_keys(writer, node->right);
}

/* Writes the children of a node, without their keys. */
static void
write_children(RawWriter *writer, const DraftNode *node)
{
	RawCursor	values;
	RawValue	raw;

	if (node->value.kind == DRAFT_RUN)
	{
		values = run_values(node, 0);
		dtmodel_write_run(writer, &values, node->run);
	}
	else if (node->value.kind == DRAFT_OPEN)
	{
		write_container(writer->buffer, node->value.u.open);
		write_end(writer, JENTRY_ISCONTAINER);
	}
	else
	{
		raw = draft_raw(&node->value);
		write_value(writer, &raw);
	}
}

static void
write_values(RawWriter *writer, const DraftNode *node)
{
	if (!node)
		return;
	CHECK_FOR_INTERRUPTS();
	write_values(writer, node->left);
	write_children(writer, node);
	write_values(writer, node->right);
}

/*
 * Appends an opened container to the buffer.
 */
static void
write_container(RawBuffer *buffer, const DraftContainer *container)
{
	RawWriter	writer;

	check_stack_depth();
	dtmodel_write_container(&writer, buffer, container->flag,
							count_of(container->root));
	if (container->flag == JB_FOBJECT)
		write_keys(&writer, container->root);
	write_values(&writer, container->root);
}

/*
 * The document that the draft has become.
 */
Jsonb *
dtmodel_draft_document(const Draft *draft)
{
	RawBuffer	buffer;
	RawValue	raw;

	Assert(draft->kind != DRAFT_NONE);
	if (draft->kind != DRAFT_OPEN)
	{
		raw = draft_raw(draft);
		return dtmodel_raw_document(&raw);
	}

	dtmodel_write_document(&buffer, 1024 + draft->u.open->size);
	write_container(&buffer, draft->u.open);
	return dtmodel_finish_document(&buffer);
}
