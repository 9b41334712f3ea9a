/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Applying a JSON patch (RFC 6902).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "json/patch/mutable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

/*
 * One operation of a patch.  A member that it does not have has type
 * NO_MEMBER.
 */
#define NO_MEMBER PG_UINT32_MAX

typedef struct PatchOperation
{
	uint32		number;			/* the first one is 1 */
	DtRawValue	op;
	DtRawValue	path;
	DtRawValue	from;
	DtRawValue	value;
} PatchOperation;

static const DtRawValue no_member = {NO_MEMBER, 0, NULL};

/*
 * A walk through the reference tokens of a JSON pointer (RFC 6901).
 */
typedef struct PointerWalk
{
	const char *next;			/* at a slash, or at end */
	const char *end;
} PointerWalk;

/*
 * A place in the document: a child of an object or array, which may not exist.
 */
typedef struct Place
{
	DtMutableValue parent;		/* may be a scalar, which has no children */
	DtRawValue	token;
	uint32		number;			/* of the child */
	DtMutableValue value;		/* DT_MUTABLE_NONE: it does not exist */
	uint32	   *steps;			/* numbers of the children from root to parent */
	uint32		short_steps[16];	/* ... if there are no more */
	uint32		depth;			/* number of steps */
	uint32		capacity;		/* allocated steps */
} Place;

typedef void (*PatchFunction) (const PatchOperation *operation, DtMutableValue *root);

PG_FUNCTION_INFO_V1(dtmodel_jsonb_patch);

/*
 * Quotes a string for an error message.  Only the beginning of a long string
 * is shown.
 */
static const char *
quote(const DtRawValue *string)
{
	const int	limit = 200;
	int			len = pg_mbcliplen(string->data, string->len, limit);

	return psprintf("\"%.*s%s\"", len, string->data,
					(uint32) len < string->len ? "..." : "");
}

/*
 * Describes an operation by its number in the patch, its name and its path.
 */
static const char *
describe_operation(const PatchOperation *operation)
{
	const char *op = "";
	const char *path = "";

	if (operation->op.type == JENTRY_ISSTRING)
		op = psprintf(", %s", quote(&operation->op));
	if (operation->path.type == JENTRY_ISSTRING)
		path = psprintf(" at %s", quote(&operation->path));
	return psprintf("Operation %u%s%s", operation->number, op, path);
}

/*
 * Reports an operation that is invalid for any document.
 */
pg_noreturn static void
bad_operation(const PatchOperation *operation, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid JSON patch"),
			 errdetail("%s: %s.", describe_operation(operation), problem),
			 errhint("A patch is an array of operations such as {\"op\": \"add\", \"path\": \"/a/b\", \"value\": 1}; see RFC 6902.")));
}

/*
 * Reports an operation that does not apply to this document.
 */
pg_noreturn static void
cannot_apply(const PatchOperation *operation, const char *problem)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("JSON patch does not apply"),
			 errdetail("%s: %s.", describe_operation(operation), problem),
			 errhint("Make the patch with dtmodel.jsonb_diff from the document that it is applied to.")));
}

/*
 * Reports a pointer whose token that ends at "end" finds nothing.
 */
pg_noreturn static void
nothing_there(const PatchOperation *operation, const DtRawValue *pointer,
			  const char *end)
{
	DtRawValue	beginning = dtmodel_raw_string(pointer->data, end - pointer->data);

	cannot_apply(operation, psprintf("there is no value at %s", quote(&beginning)));
}

static PointerWalk
pointer_begin(const PatchOperation *operation, const DtRawValue *pointer)
{
	PointerWalk walk;

	walk.next = pointer->data;
	walk.end = pointer->data + pointer->len;
	if (pointer->len > 0 && *walk.next != '/')
		bad_operation(operation, psprintf("pointer %s does not begin with a slash",
										  quote(pointer)));
	return walk;
}

/*
 * Replaces "~0" by "~" and "~1" by "/".
 */
static DtRawValue
unescape(const PatchOperation *operation, DtRawValue token)
{
	char	   *plain = palloc(token.len);
	uint32		len = 0;

	for (uint32 i = 0; i < token.len; i++)
	{
		char		c = token.data[i];

		if (c == '~')
		{
			i++;
			if (i >= token.len || (token.data[i] != '0' && token.data[i] != '1'))
				bad_operation(operation,
							  psprintf("%s has a tilde that is not part of ~0 or ~1",
									   quote(&token)));
			c = token.data[i] == '0' ? '~' : '/';
		}
		plain[len++] = c;
	}
	return dtmodel_raw_string(plain, len);
}

/*
 * Fetches the next token; false when there is none left.  Tokens without
 * escapes, as most are, are not copied.
 */
static bool
pointer_next(const PatchOperation *operation, PointerWalk *walk, DtRawValue *token)
{
	const char *begin = walk->next + 1;
	const char *slash;

	if (walk->next == walk->end)
		return false;

	slash = memchr(begin, '/', walk->end - begin);
	walk->next = slash != NULL ? slash : walk->end;
	*token = dtmodel_raw_string(begin, walk->next - begin);
	if (memchr(token->data, '~', token->len) != NULL)
		*token = unescape(operation, *token);
	return true;
}

/*
 * The array index that a token means.  A number that is too large for any
 * array is returned as an index that no array has.
 */
static uint32
array_index(const PatchOperation *operation, const DtRawValue *token)
{
	uint64		index = 0;

	if (token->len == 0 || (token->data[0] == '0' && token->len > 1))
		cannot_apply(operation, psprintf("%s is not an array index", quote(token)));

	for (uint32 i = 0; i < token->len; i++)
	{
		if (token->data[i] < '0' || token->data[i] > '9')
			cannot_apply(operation, psprintf("%s is not an array index", quote(token)));
		index = Min(index * 10 + (token->data[i] - '0'), PG_UINT32_MAX);
	}
	return (uint32) index;
}

static bool
is_dash(const DtRawValue *token)
{
	return token->len == 1 && token->data[0] == '-';
}

/* The number of an element by its token; "-" is after the last element. */
static uint32
element_number(const PatchOperation *operation, const DtMutableValue *array,
			   const DtRawValue *token)
{
	return is_dash(token) ? dtmodel_mutable_count(array) :
		array_index(operation, token);
}

/*
 * Finds the child with that token, or DT_MUTABLE_NONE, and its number.
 */
static DtMutableValue
find_child(const PatchOperation *operation, const DtMutableValue *parent,
		   const DtRawValue *token, uint32 *number)
{
	if (dtmodel_mutable_is_object(parent))
		return dtmodel_mutable_find(parent, token, number);
	if (!dtmodel_mutable_is_array(parent))
		return dtmodel_mutable_none();
	*number = element_number(operation, parent, token);
	return dtmodel_mutable_element(parent, *number);
}

/*
 * Finds the value at a pointer.  It must exist.
 */
static DtMutableValue
value_at(const PatchOperation *operation, const DtMutableValue *root,
		 const DtRawValue *pointer)
{
	PointerWalk walk = pointer_begin(operation, pointer);
	DtMutableValue place = *root;
	DtRawValue	token;
	uint32		number;

	while (pointer_next(operation, &walk, &token))
	{
		place = find_child(operation, &place, &token, &number);
		if (place.kind == DT_MUTABLE_NONE)
			nothing_there(operation, pointer, walk.next);
	}
	return place;
}

/* Moves from a place into the value there. */
static void
descend(Place *place)
{
	if (place->depth == place->capacity)
	{
		uint32	   *steps = palloc(2 * place->capacity * sizeof(uint32));

		memcpy(steps, place->steps, place->capacity * sizeof(uint32));
		if (place->steps != place->short_steps)
			pfree(place->steps);
		place->steps = steps;
		place->capacity *= 2;
	}
	place->steps[place->depth++] = place->number;
	place->parent = place->value;
}

/*
 * Finds the parent of the place that a pointer leads to.  The parent must
 * exist, and the pointer must not be empty.  The caller sets the number and
 * the value of the place.
 */
static void
find_parent(const PatchOperation *operation, const DtMutableValue *root,
			const DtRawValue *pointer, Place *place)
{
	PointerWalk walk = pointer_begin(operation, pointer);

	place->parent = *root;
	place->steps = place->short_steps;
	place->depth = 0;
	place->capacity = lengthof(place->short_steps);
	pointer_next(operation, &walk, &place->token);
	while (walk.next < walk.end)
	{
		place->value = find_child(operation, &place->parent, &place->token,
								  &place->number);
		if (place->value.kind == DT_MUTABLE_NONE)
			nothing_there(operation, pointer, walk.next);
		descend(place);
		pointer_next(operation, &walk, &place->token);
	}
}

/*
 * Finds the place that a pointer leads to.  It must have a value.
 */
static void
find_place(const PatchOperation *operation, const DtMutableValue *root,
		   const DtRawValue *pointer, Place *place)
{
	find_parent(operation, root, pointer, place);
	place->value = find_child(operation, &place->parent, &place->token,
							  &place->number);
	if (place->value.kind == DT_MUTABLE_NONE)
		nothing_there(operation, pointer, pointer->data + pointer->len);
}

/*
 * Opens all containers from the root to the parent of a place, which will grow
 * by that number of bytes, and returns the parent.
 */
static DtMutableValue *
open_parent(DtMutableValue *root, Place *place, int64 growth)
{
	DtMutableValue *parent = root;

	dtmodel_mutable_grow(parent, growth);
	for (uint32 i = 0; i < place->depth; i++)
	{
		parent = dtmodel_mutable_open(parent, place->steps[i]);
		dtmodel_mutable_grow(parent, growth);
	}
	if (place->steps != place->short_steps)
		pfree(place->steps);
	return parent;
}

/* The bytes of a child besides those of its value. */
static int64
entry_size(const Place *place)
{
	return dtmodel_mutable_is_object(&place->parent) ?
		place->token.len + 2 * sizeof(JEntry) : sizeof(JEntry);
}

static int64
size_of(const DtMutableValue *value)
{
	return (int64) dtmodel_mutable_size(value);
}

static void
set_root(DtMutableValue *root, DtMutableValue value)
{
	dtmodel_mutable_release(root);
	*root = value;
}

static void
insert_value(DtMutableValue *root, Place *place, DtMutableValue value)
{
	DtMutableValue *parent = open_parent(root, place,
										 size_of(&value) + entry_size(place));

	dtmodel_mutable_insert(parent, place->number, &place->token, value);
}

static void
replace_value(DtMutableValue *root, Place *place, DtMutableValue value)
{
	DtMutableValue *parent = open_parent(root, place,
										 size_of(&value) - size_of(&place->value));

	dtmodel_mutable_set(parent, place->number, value);
}

static void
insert_at(const PatchOperation *operation, DtMutableValue *root,
		  const DtRawValue *pointer, DtMutableValue value)
{
	Place		place;

	if (pointer->len == 0)
	{
		set_root(root, value);
		return;
	}

	find_parent(operation, root, pointer, &place);
	if (dtmodel_mutable_is_array(&place.parent))
	{
		uint32		count = dtmodel_mutable_count(&place.parent);

		place.number = element_number(operation, &place.parent, &place.token);
		if (place.number > count)
			cannot_apply(operation, psprintf("the array has a length of %u", count));
		insert_value(root, &place, value);
		return;
	}
	if (!dtmodel_mutable_is_object(&place.parent))
		cannot_apply(operation, "the target is in neither an object nor an array");

	place.value = dtmodel_mutable_find(&place.parent, &place.token, &place.number);
	if (place.value.kind == DT_MUTABLE_NONE)
		insert_value(root, &place, value);
	else
		replace_value(root, &place, value);
}

static void
remove_at(const PatchOperation *operation, DtMutableValue *root,
		  const DtRawValue *pointer)
{
	DtMutableValue *parent;
	Place		place;

	if (pointer->len == 0)
		cannot_apply(operation, "the document itself cannot be removed");

	find_place(operation, root, pointer, &place);
	parent = open_parent(root, &place,
						 -size_of(&place.value) - entry_size(&place));
	dtmodel_mutable_remove(parent, place.number);
}

static void
replace_at(const PatchOperation *operation, DtMutableValue *root,
		   const DtRawValue *pointer, DtMutableValue value)
{
	Place		place;

	if (pointer->len == 0)
	{
		set_root(root, value);
		return;
	}

	find_place(operation, root, pointer, &place);
	replace_value(root, &place, value);
}

/* Fails unless the operation has a "value". */
static DtMutableValue
operation_value(const PatchOperation *operation)
{
	if (operation->value.type == NO_MEMBER)
		bad_operation(operation, "\"value\" is missing");
	return dtmodel_mutable_of(&operation->value);
}

/* Fails unless the operation has a "from" that is a string. */
static const DtRawValue *
operation_from(const PatchOperation *operation)
{
	if (operation->from.type == NO_MEMBER)
		bad_operation(operation, "\"from\" is missing");
	if (operation->from.type != JENTRY_ISSTRING)
		bad_operation(operation, "\"from\" must be a string");
	return &operation->from;
}

static void
apply_add(const PatchOperation *operation, DtMutableValue *root)
{
	insert_at(operation, root, &operation->path, operation_value(operation));
}

static void
apply_remove(const PatchOperation *operation, DtMutableValue *root)
{
	remove_at(operation, root, &operation->path);
}

static void
apply_replace(const PatchOperation *operation, DtMutableValue *root)
{
	replace_at(operation, root, &operation->path, operation_value(operation));
}

static void
apply_move(const PatchOperation *operation, DtMutableValue *root)
{
	const DtRawValue *from = operation_from(operation);
	const DtRawValue *path = &operation->path;
	DtMutableValue value = value_at(operation, root, from);

	if (path->len >= from->len && memcmp(path->data, from->data, from->len) == 0)
	{
		if (path->len == from->len)
			return;
		if (path->data[from->len] == '/')
			cannot_apply(operation, psprintf("%s cannot be moved into itself",
											 quote(from)));
	}
	dtmodel_mutable_share(&value);
	remove_at(operation, root, from);
	insert_at(operation, root, path, value);
}

static void
apply_copy(const PatchOperation *operation, DtMutableValue *root)
{
	DtMutableValue value = value_at(operation, root, operation_from(operation));

	dtmodel_mutable_share(&value);
	insert_at(operation, root, &operation->path, value);
}

static void
apply_test(const PatchOperation *operation, DtMutableValue *root)
{
	DtMutableValue expected = operation_value(operation);
	DtRawValue	bytes = dtmodel_mutable_raw(&expected);
	DtMutableValue value = value_at(operation, root, &operation->path);

	if (!dtmodel_mutable_equal(&value, &bytes))
		cannot_apply(operation, "the value is different");
}

static const struct
{
	const char *name;
	PatchFunction apply;
}			functions[] =
{
	{"add", apply_add},
	{"remove", apply_remove},
	{"replace", apply_replace},
	{"move", apply_move},
	{"copy", apply_copy},
	{"test", apply_test},
};

static bool
is_name(const DtRawValue *string, const char *name)
{
	return string->len == strlen(name) &&
		memcmp(string->data, name, string->len) == 0;
}

static PatchFunction
find_function(const PatchOperation *operation)
{
	for (uint32 i = 0; i < lengthof(functions); i++)
	{
		if (is_name(&operation->op, functions[i].name))
			return functions[i].apply;
	}
	bad_operation(operation, "\"op\" must be one of add, remove, replace, move, copy and test");
}

/* Reads the members of an operation. */
static void
read_members(PatchOperation *operation, const DtRawValue *object)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(object);
	DtRawMember member;

	while (dtmodel_raw_next_member(&walk, &member))
	{
		if (is_name(&member.key, "op"))
			operation->op = member.value;
		else if (is_name(&member.key, "path"))
			operation->path = member.value;
		else if (is_name(&member.key, "from"))
			operation->from = member.value;
		else if (is_name(&member.key, "value"))
			operation->value = member.value;
	}
}

static void
apply_operation(uint32 number, const DtRawValue *object, DtMutableValue *root)
{
	PatchOperation operation;

	operation.number = number;
	operation.op = operation.path = operation.from = operation.value = no_member;
	if (!dtmodel_raw_is_object(object))
		bad_operation(&operation, psprintf("it is %s instead of an object",
										   dtmodel_raw_kind(object)));

	read_members(&operation, object);
	if (operation.op.type == NO_MEMBER)
		bad_operation(&operation, "\"op\" is missing");
	if (operation.op.type != JENTRY_ISSTRING)
		bad_operation(&operation, "\"op\" must be a string");
	if (operation.path.type == NO_MEMBER)
		bad_operation(&operation, "\"path\" is missing");
	if (operation.path.type != JENTRY_ISSTRING)
		bad_operation(&operation, "\"path\" must be a string");

	find_function(&operation) (&operation, root);
}

/*
 * jsonb_patch(doc jsonb, patch jsonb) returns jsonb
 *
 * Applies a JSON patch (RFC 6902): the operations of the patch, which is an
 * array, one after the other, all of them or none.
 *
 * Raises 22023 if the patch is invalid or one of its operations does not
 * apply; the detail names the operation and the pointer.  The document itself
 * can be replaced, also by a scalar, but not removed.
 *
 * Raises 54000 if the result is larger than jsonb can hold, and if an
 * operation makes the document more than twice as large as that, even if a
 * later one would make it smaller again.  "copy" copies no bytes before the
 * result is written, so only memory for the document, the patch and the result
 * is needed.
 *
 * Strict.
 */
Datum
dtmodel_jsonb_patch(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	DtRawValue	root = dtmodel_raw_root(document);
	DtRawValue	patch = dtmodel_raw_root(PG_GETARG_JSONB_P(1));
	DtMutableValue root_value = dtmodel_mutable_of(&root);
	Jsonb	   *result;
	DtRawArrayWalk walk;
	DtRawValue	object;
	uint32		number = 0;

	if (!dtmodel_raw_is_array(&patch))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid JSON patch"),
				 errdetail("The patch is %s instead of an array.", dtmodel_raw_kind(&patch)),
				 errhint("For a patch that is an object, use dtmodel.jsonb_merge_patch.")));

	walk = dtmodel_raw_walk_array(&patch);
	while (dtmodel_raw_next_element(&walk, &object))
	{
		CHECK_FOR_INTERRUPTS();
		apply_operation(++number, &object, &root_value);
	}

	if (root_value.kind != DT_MUTABLE_OPEN && root_value.u.bytes == root.data)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	result = dtmodel_mutable_document(&root_value);
	if (dtmodel_raw_same_document(document, result))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	PG_RETURN_JSONB_P(result);
}
