/*-------------------------------------------------------------------------
 *
 * mutable.c
 *	  A document that can be changed.
 *
 * A patch is a list of small changes, and writing the document for each of
 * them would take quadratic time for a long patch.  A mutable value is changed
 * by all of them and written once.
 *
 * An opened container is a tree of runs.  A run consists of adjacent children
 * of the container that was opened, or is one child with another value.
 * Opening makes one run of all children, and each change splits a run, so the
 * cost of an opened container depends on its changes and not on its size.
 *
 * Copies are shared.  Containers and nodes count the references to them, and a
 * change first copies those on its path that have more than one, in a tree
 * about as many as the logarithm of its runs.  So memory is needed only for
 * changes, however much is copied, and a value that is doubled thirty times
 * takes thirty nodes.
 *
 * The trees are treaps: sorted in the order of the children, and heaps by
 * random priorities, which keep them balanced for any order of changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/hash.h"
#include "json/patch/mutable.h"
#include "miscadmin.h"

/*
 * A run of children.  In an object, the key is that of its first child.
 *
 * If the kind of the value is MUTABLE_RUN, u.bytes is the container of the
 * children, and len is the number of the first one.
 *
 * There may be a node for each operation of a patch, so it must fit into an
 * allocation of 64 bytes.
 */
#define MUTABLE_RUN 3

typedef struct MutableNode
{
	struct MutableNode *left;
	struct MutableNode *right;
	DtRawValue	key;
	DtMutableValue value;
	uint32		run;			/* number of children of this run */
	uint32		count;			/* ... and of all runs below */
	uint32		priority;		/* not less than those of the nodes below */
	uint32		references;		/* number of links to this node */
} MutableNode;

StaticAssertDecl(sizeof(MutableNode) <= 64, "a node of a mutable value has grown");

typedef struct DtMutableContainer
{
	uint32		flag;			/* JB_FOBJECT or JB_FARRAY */
	uint32		references;		/* number of values that are this container */
	uint64		size;			/* estimated bytes when it is written */
	MutableNode *root;			/* NULL if it is empty */
} DtMutableContainer;

/* JB_FOBJECT or JB_FARRAY, or 0 for other values. */
static uint32
container_flag(const DtMutableValue *mutable)
{
	DtRawValue	raw;

	if (mutable->kind == DT_MUTABLE_OPEN)
		return mutable->u.open->flag;
	if (mutable->kind != JENTRY_ISCONTAINER)
		return 0;
	raw = dtmodel_mutable_raw(mutable);
	return dtmodel_raw_is_object(&raw) ? JB_FOBJECT : JB_FARRAY;
}

bool
dtmodel_mutable_is_object(const DtMutableValue *mutable)
{
	return container_flag(mutable) == JB_FOBJECT;
}

bool
dtmodel_mutable_is_array(const DtMutableValue *mutable)
{
	return container_flag(mutable) == JB_FARRAY;
}

static uint32
count_of(const MutableNode *node)
{
	return node != NULL ? node->count : 0;
}

static void
update_count(MutableNode *node)
{
	node->count = count_of(node->left) + node->run + count_of(node->right);
}

static MutableNode *
make_node(const DtRawValue *key, DtMutableValue value, uint32 run)
{
	MutableNode *node = palloc(sizeof(MutableNode));

	node->left = node->right = NULL;
	node->key = *key;
	node->value = value;
	node->run = node->count = run;
	node->priority = dtmodel_hash_random();
	node->references = 1;
	return node;
}

static MutableNode *
copy_node(MutableNode *node)
{
	MutableNode *copy = palloc(sizeof(MutableNode));

	*copy = *node;
	copy->references = 1;
	if (copy->left != NULL)
		copy->left->references++;
	if (copy->right != NULL)
		copy->right->references++;
	dtmodel_mutable_share(&copy->value);
	return copy;
}

/*
 * Returns a node that can be changed: the node itself, or a copy if it has
 * other references.
 */
static inline MutableNode *
writable_node(MutableNode *node)
{
	if (likely(node->references == 1))
		return node;
	node->references--;
	return copy_node(node);
}

/*
 * Drops a reference to a node.  After the last one, the node is put on the
 * list of nodes to be freed, which are linked by their keys' data.
 */
static MutableNode *
drop_node(MutableNode *node, MutableNode *dropped)
{
	if (node == NULL || --node->references > 0)
		return dropped;
	node->key.data = (const char *) dropped;
	return node;
}

static MutableNode *
drop_value(const DtMutableValue *value, MutableNode *dropped)
{
	if (value->kind != DT_MUTABLE_OPEN || --value->u.open->references > 0)
		return dropped;
	dropped = drop_node(value->u.open->root, dropped);
	pfree(value->u.open);
	return dropped;
}

/*
 * Frees nodes, and everything that only they referred to.  There may be too
 * many levels below for recursion.
 */
static void
free_nodes(MutableNode *dropped)
{
	while (dropped)
	{
		MutableNode *node = dropped;

		CHECK_FOR_INTERRUPTS();
		dropped = (MutableNode *) node->key.data;
		dropped = drop_node(node->left, dropped);
		dropped = drop_node(node->right, dropped);
		dropped = drop_value(&node->value, dropped);
		pfree(node);
	}
}

/* The container of a run's children. */
static DtRawValue
run_container(const MutableNode *node)
{
	DtRawValue	container;

	container.type = JENTRY_ISCONTAINER;
	container.len = 0;			/* not known, and not used */
	container.data = node->value.u.bytes;
	return container;
}

/* Begins a walk through the keys of a run. */
static DtRawCursor
run_keys(const MutableNode *node)
{
	DtRawValue	container = run_container(node);

	return dtmodel_raw_children_from(&container, node->value.len);
}

/* Begins a walk through the elements or values of a run, at that child. */
static DtRawCursor
run_values(const MutableNode *node, uint32 number)
{
	DtRawValue	container = run_container(node);

	number += node->value.len;
	if (dtmodel_raw_is_object(&container))
		number += dtmodel_raw_count(&container);
	return dtmodel_raw_children_from(&container, number);
}

/* The child with that number in a run. */
static DtMutableValue
run_value(const MutableNode *node, uint32 number)
{
	DtRawCursor cursor = run_values(node, number);
	DtRawValue	value = dtmodel_raw_next(&cursor);

	return dtmodel_mutable_of(&value);
}

/* Removes that number of children from the beginning of a longer run. */
static void
skip_children(MutableNode *node, uint32 number)
{
	DtRawValue	container = run_container(node);

	node->value.len += number;
	node->run -= number;
	if (dtmodel_raw_is_object(&container))
	{
		DtRawCursor keys = run_keys(node);

		node->key = dtmodel_raw_next(&keys);
	}
}

/*
 * Joins two trees, with the children of the first before those of the second.
 */
static MutableNode *
join(MutableNode *first, MutableNode *second)
{
	if (first == NULL || second == NULL)
		return first != NULL ? first : second;
	if (first->priority > second->priority)
	{
		first = writable_node(first);
		first->right = join(first->right, second);
		update_count(first);
		return first;
	}
	second = writable_node(second);
	second->left = join(first, second->left);
	update_count(second);
	return second;
}

/*
 * Splits a tree after that number of children, where a run must end.
 */
static void
split(MutableNode *node, uint32 number, MutableNode **first, MutableNode **second)
{
	uint32		before;

	if (node == NULL)
	{
		*first = *second = NULL;
		return;
	}

	node = writable_node(node);
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
 * Inserts a node before the child with that number, which must begin a run, or
 * at the end.
 */
static void
insert_node(MutableNode **link, uint32 number, MutableNode *node)
{
	while (*link != NULL && (*link)->priority >= node->priority)
	{
		MutableNode *above = *link = writable_node(*link);
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
 * Finds the node with the child with that number, which must exist.  The
 * number is changed to the one that the child has in the run.
 */
static MutableNode *
find_node(MutableNode *node, uint32 *number)
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
 * Finds the link to that node, which the caller can change.  Reduces the
 * counts on its path by "fewer", the number of children that the caller then
 * removes.
 */
static MutableNode **
find_link(MutableNode **link, uint32 number, uint32 fewer)
{
	for (;;)
	{
		MutableNode *node = *link = writable_node(*link);
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
 * Splits a run so that one begins with the child with that number, if it
 * exists.
 */
static void
cut_run(DtMutableContainer *container, uint32 number)
{
	MutableNode *node;
	MutableNode *rest;
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
 * Returns a node that can be changed and has only the child with that number.
 */
static MutableNode *
writable_child(DtMutableContainer *container, uint32 number)
{
	MutableNode *node = *find_link(&container->root, number, 0);

	if (node->run == 1)
		return node;
	cut_run(container, number);
	cut_run(container, number + 1);
	return *find_link(&container->root, number, 0);
}

static DtMutableContainer *
open_bytes(const DtMutableValue *mutable)
{
	DtMutableContainer *container = palloc(sizeof(DtMutableContainer));
	DtRawValue	raw = dtmodel_mutable_raw(mutable);
	uint32		count = dtmodel_raw_count(&raw);
	DtRawValue	key = dtmodel_raw_null;
	DtRawCursor keys;
	DtMutableValue children = *mutable;

	container->flag = container_flag(mutable);
	container->references = 1;
	container->size = raw.len;
	container->root = NULL;
	if (count == 0)
		return container;

	if (container->flag == JB_FOBJECT)
	{
		keys = dtmodel_raw_children(&raw);
		key = dtmodel_raw_next(&keys);
	}
	children.kind = MUTABLE_RUN;
	children.len = 0;
	container->root = make_node(&key, children, count);
	return container;
}

/*
 * Opens the container of a value.  It is copied if it has other references.
 */
static DtMutableContainer *
open_mutable(DtMutableValue *mutable)
{
	DtMutableContainer *container;

	Assert(container_flag(mutable) != 0);
	if (mutable->kind != DT_MUTABLE_OPEN)
		container = open_bytes(mutable);
	else if (mutable->u.open->references > 1)
	{
		mutable->u.open->references--;
		container = palloc(sizeof(DtMutableContainer));
		*container = *mutable->u.open;
		container->references = 1;
		if (container->root != NULL)
			container->root->references++;
	}
	else
		return mutable->u.open;

	mutable->kind = DT_MUTABLE_OPEN;
	mutable->u.open = container;
	return container;
}

/*
 * Finds the member with that key, or DT_MUTABLE_NONE, in a run whose first member
 * comes before it.  The number is that of the first member, and is changed to
 * the one that the member has or would have.
 *
 * Keys are usually looked up in their order, in what is left of a run, so the
 * member is near its beginning.
 */
static DtMutableValue
find_in_run(const MutableNode *node, const DtRawValue *key, uint32 *number)
{
	DtRawValue	container;
	DtRawValue	value;
	uint32		place = node->value.len + 1;
	bool		found;

	if (node->run == 1)
	{
		*number += 1;
		return dtmodel_mutable_none();
	}

	/* The members that follow the run in the container do not belong to it. */
	container = run_container(node);
	found = dtmodel_raw_find(&container, key, &value, &place) &&
		place - node->value.len < node->run;
	*number += Min(place - node->value.len, node->run);
	return found ? dtmodel_mutable_of(&value) : dtmodel_mutable_none();
}

static DtMutableValue
find_member(const DtMutableContainer *object, const DtRawValue *key, uint32 *number)
{
	const MutableNode *node = object->root;
	const MutableNode *last = NULL; /* the last that begins before the key */
	uint32		before = 0;		/* children before this subtree */

	*number = 0;
	while (node)
	{
		int			order = dtmodel_raw_compare_keys(key, &node->key);

		if (order < 0)
		{
			node = node->left;
			continue;
		}
		last = node;
		*number = before + count_of(node->left);
		if (order == 0)
			return node->value.kind == MUTABLE_RUN ? run_value(node, 0) : node->value;
		before = *number + node->run;
		node = node->right;
	}
	return last != NULL ? find_in_run(last, key, number) : dtmodel_mutable_none();
}

/*
 * Finds the member with that key, or DT_MUTABLE_NONE, and the number that it has
 * or would have.
 */
DtMutableValue
dtmodel_mutable_find(const DtMutableValue *mutable, const DtRawValue *key,
					 uint32 *number)
{
	DtRawValue	raw;
	DtRawValue	value;

	Assert(dtmodel_mutable_is_object(mutable));
	if (mutable->kind == DT_MUTABLE_OPEN)
		return find_member(mutable->u.open, key, number);
	raw = dtmodel_mutable_raw(mutable);
	*number = dtmodel_raw_count(&raw);	/* the member may be anywhere */
	return dtmodel_raw_find(&raw, key, &value, number) ?
		dtmodel_mutable_of(&value) : dtmodel_mutable_none();
}

/*
 * The number of children.
 */
uint32
dtmodel_mutable_count(const DtMutableValue *mutable)
{
	DtRawValue	raw;

	if (mutable->kind == DT_MUTABLE_OPEN)
		return count_of(mutable->u.open->root);
	raw = dtmodel_mutable_raw(mutable);
	return dtmodel_raw_count(&raw);
}

/*
 * The element with that number, or DT_MUTABLE_NONE.
 */
DtMutableValue
dtmodel_mutable_element(const DtMutableValue *mutable, uint32 number)
{
	DtRawValue	raw;
	DtRawValue	element;
	MutableNode *node;

	Assert(dtmodel_mutable_is_array(mutable));
	if (number >= dtmodel_mutable_count(mutable))
		return dtmodel_mutable_none();
	if (mutable->kind == DT_MUTABLE_OPEN)
	{
		node = find_node(mutable->u.open->root, &number);
		return node->value.kind == MUTABLE_RUN ? run_value(node, number) : node->value;
	}
	raw = dtmodel_mutable_raw(mutable);
	(void) dtmodel_raw_element(&raw, number, &element);
	return dtmodel_mutable_of(&element);
}

/*
 * Returns the child with that number, which must exist, to be changed inside.
 * The pointer is valid until the child is removed or the container is shared.
 */
DtMutableValue *
dtmodel_mutable_open(DtMutableValue *mutable, uint32 number)
{
	MutableNode *node = writable_child(open_mutable(mutable), number);

	if (node->value.kind == MUTABLE_RUN)
		node->value = run_value(node, 0);
	return &node->value;
}

/*
 * Replaces the value of a child, which must exist.
 */
void
dtmodel_mutable_set(DtMutableValue *mutable, uint32 number, DtMutableValue value)
{
	MutableNode *node = writable_child(open_mutable(mutable), number);

	dtmodel_mutable_release(&node->value);
	node->value = value;
}

/*
 * Inserts a child before the one with that number, or at the end.  The key is
 * used only in an object.
 */
void
dtmodel_mutable_insert(DtMutableValue *mutable, uint32 number, const DtRawValue *key,
					   DtMutableValue value)
{
	DtMutableContainer *container = open_mutable(mutable);

	if (container->flag == JB_FARRAY)
		key = &dtmodel_raw_null;
	cut_run(container, number);
	insert_node(&container->root, number, make_node(key, value, 1));
}

/*
 * Removes the child with that number, which must exist.
 */
void
dtmodel_mutable_remove(DtMutableValue *mutable, uint32 number)
{
	DtMutableContainer *container = open_mutable(mutable);
	MutableNode **link;
	MutableNode *node;

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

/*
 * Estimates the bytes of a value.  The padding of changed containers may be
 * different in the end.
 */
uint64
dtmodel_mutable_size(const DtMutableValue *mutable)
{
	Assert(mutable->kind != DT_MUTABLE_NONE);
	return mutable->kind == DT_MUTABLE_OPEN ? mutable->u.open->size : mutable->len;
}

/*
 * Opens a container, and adds to its size the bytes of a change in it or
 * further below.  The caller does this for all containers on the path to the
 * change.  It is needed if values are copied, because then a document grows
 * faster than its memory, and can be omitted otherwise.
 *
 * Fails if the container will be too large for jsonb with any padding.  If
 * this depends on the padding, writing it fails.
 */
void
dtmodel_mutable_grow(DtMutableValue *mutable, int64 bytes)
{
	DtMutableContainer *container = open_mutable(mutable);

	container->size += bytes;
	if (container->size > 2 * (uint64) JENTRY_OFFLENMASK)
		dtmodel_report_too_large();
}

/*
 * Adds a reference to a value, which is going to be inserted in one more
 * place.  A change in one place does not affect the others.
 */
void
dtmodel_mutable_share(const DtMutableValue *mutable)
{
	if (mutable->kind == DT_MUTABLE_OPEN)
		mutable->u.open->references++;
}

/*
 * Drops a reference to a value.
 */
void
dtmodel_mutable_release(const DtMutableValue *mutable)
{
	free_nodes(drop_value(mutable, NULL));
}

/*
 * A walk through the children of a value, which is compared with a mutable
 * value with the same number of children.
 */
typedef struct Comparison
{
	bool		object;
	DtRawCursor keys;			/* of an object */
	DtRawCursor values;
} Comparison;

/* Fetches the value's next child; false if its key is another one. */
static bool
next_expected(Comparison *comparison, const DtRawValue *key, DtRawValue *value)
{
	*value = dtmodel_raw_next(&comparison->values);
	if (comparison->object)
	{
		DtRawValue	expected = dtmodel_raw_next(&comparison->keys);

		return dtmodel_raw_compare_keys(key, &expected) == 0;
	}
	return true;
}

static bool
run_equal(const MutableNode *node, Comparison *comparison)
{
	DtRawCursor keys = run_keys(node);
	DtRawCursor values = run_values(node, 0);

	for (uint32 i = 0; i < node->run; i++)
	{
		DtRawValue	key = comparison->object ? dtmodel_raw_next(&keys) : node->key;
		DtRawValue	value = dtmodel_raw_next(&values);
		DtRawValue	expected;

		CHECK_FOR_INTERRUPTS();
		if (!next_expected(comparison, &key, &expected) ||
			!dtmodel_raw_equal(&value, &expected))
			return false;
	}
	return true;
}

static bool
node_equal(const MutableNode *node, Comparison *comparison)
{
	DtRawValue	expected;

	if (node->value.kind == MUTABLE_RUN)
		return run_equal(node, comparison);
	return next_expected(comparison, &node->key, &expected) &&
		dtmodel_mutable_equal(&node->value, &expected);
}

static bool
tree_equal(const MutableNode *node, Comparison *comparison)
{
	return node == NULL ||
		(tree_equal(node->left, comparison) && node_equal(node, comparison) &&
		 tree_equal(node->right, comparison));
}

static bool
container_equal(const DtMutableContainer *container, const DtRawValue *value)
{
	Comparison	comparison;

	if (value->type != JENTRY_ISCONTAINER ||
		count_of(container->root) != dtmodel_raw_count(value) ||
		(container->flag == JB_FOBJECT) != dtmodel_raw_is_object(value))
		return false;

	comparison.object = dtmodel_raw_is_object(value);
	comparison.keys = dtmodel_raw_children(value);
	comparison.values = dtmodel_raw_children_from(value, comparison.object ? dtmodel_raw_count(value) : 0);
	return tree_equal(container->root, &comparison);
}

/*
 * Is a mutable value equal to a value, as by the "=" operator of jsonb?
 */
bool
dtmodel_mutable_equal(const DtMutableValue *mutable, const DtRawValue *value)
{
	DtRawValue	raw;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	Assert(mutable->kind != DT_MUTABLE_NONE);
	if (mutable->kind == DT_MUTABLE_OPEN)
		return container_equal(mutable->u.open, value);
	raw = dtmodel_mutable_raw(mutable);
	return dtmodel_raw_equal(&raw, value);
}

static void write_container(DtRawBuffer *buffer, const DtMutableContainer *container);

static void
write_keys(DtRawWriter *writer, const MutableNode *node)
{
	DtRawCursor keys;

	if (node == NULL)
		return;
	CHECK_FOR_INTERRUPTS();
	write_keys(writer, node->left);
	if (node->run == 1)
		dtmodel_write_value(writer, &node->key);
	else
	{
		keys = run_keys(node);
		dtmodel_write_run(writer, &keys, node->run);
	}
	write_keys(writer, node->right);
}

/* Writes the children of a node, without their keys. */
static void
write_children(DtRawWriter *writer, const MutableNode *node)
{
	DtRawCursor values;
	DtRawValue	raw;

	if (node->value.kind == MUTABLE_RUN)
	{
		values = run_values(node, 0);
		dtmodel_write_run(writer, &values, node->run);
	}
	else if (node->value.kind == DT_MUTABLE_OPEN)
	{
		write_container(writer->buffer, node->value.u.open);
		dtmodel_write_entry(writer, JENTRY_ISCONTAINER);
	}
	else
	{
		raw = dtmodel_mutable_raw(&node->value);
		dtmodel_write_value(writer, &raw);
	}
}

static void
write_values(DtRawWriter *writer, const MutableNode *node)
{
	if (node == NULL)
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
write_container(DtRawBuffer *buffer, const DtMutableContainer *container)
{
	DtRawWriter writer;

	check_stack_depth();
	dtmodel_write_container(&writer, buffer, container->flag,
							count_of(container->root));
	if (container->flag == JB_FOBJECT)
		write_keys(&writer, container->root);
	write_values(&writer, container->root);
}

/*
 * Makes a document of a value.
 */
Jsonb *
dtmodel_mutable_document(const DtMutableValue *mutable)
{
	DtRawBuffer buffer;
	DtRawValue	raw;

	Assert(mutable->kind != DT_MUTABLE_NONE);
	if (mutable->kind != DT_MUTABLE_OPEN)
	{
		raw = dtmodel_mutable_raw(mutable);
		return dtmodel_raw_document(&raw);
	}

	dtmodel_begin_document(&buffer, 1024 + mutable->u.open->size);
	write_container(&buffer, mutable->u.open);
	return dtmodel_finish_document(&buffer);
}
