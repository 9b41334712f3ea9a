/*-------------------------------------------------------------------------
 *
 * diff.c
 *	  The difference of two jsonb documents.
 *
 * The walk goes through both documents at once and compares bytes where it
 * can: parts whose bytes are equal are skipped as one block.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "json/buffer.h"
#include "json/diff.h"
#include "json/element_numbers.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

/*
 * The array of the paths found so far, and the walk that adds to it.
 */
typedef struct PathList
{
	DtDiffWalk	walk;
	const char *prefix;			/* every path begins with it */
	Size		prefix_len;
	DtRawBuffer array;			/* space for the array's header, then texts */
	int			count;
} PathList;

PG_FUNCTION_INFO_V1(dtmodel_get_difference_between_dictionaries);

/*
 * Compares objects that have the same keys.
 */
static void
diff_in_step(DtDiffWalk *walk, DtDiffStep *up, const DtRawValue *a,
			 DtRawPairWalk *pairs)
{
	DtRawCursor keys = dtmodel_raw_children(a);
	uint32		keys_taken = 0;
	DtRawPair	pair;
	DtDiffStep	at;

	at.up = up;
	at.index = 0;
	while (dtmodel_raw_next_pair(pairs, &pair))
	{
		for (; keys_taken <= pair.number; keys_taken++)
			at.key = dtmodel_raw_next(&keys);
		at.caller_data = NULL;
		dtmodel_diff_values_from(walk, &at, &pair.a, &pair.b, pair.same);
	}
}

/*
 * Compares objects whose keys differ, by a merge join.
 */
static void
diff_join(DtDiffWalk *walk, DtDiffStep *up,
		  const DtRawValue *a, const DtRawValue *b)
{
	DtRawObjectWalk walk_a = dtmodel_raw_walk_object(a);
	DtRawObjectWalk walk_b = dtmodel_raw_walk_object(b);
	DtRawMember member_a;
	DtRawMember member_b;
	bool		more_a = dtmodel_raw_next_member(&walk_a, &member_a);
	bool		more_b = dtmodel_raw_next_member(&walk_b, &member_b);
	DtDiffStep	at;

	at.up = up;
	at.index = 0;
	while (more_a || more_b)
	{
		int			order = dtmodel_raw_compare_members(more_a ? &member_a : NULL,
														more_b ? &member_b : NULL);

		CHECK_FOR_INTERRUPTS();
		at.key = order <= 0 ? member_a.key : member_b.key;
		at.caller_data = NULL;
		if (order == 0)
			dtmodel_diff_values(walk, &at, &member_a.value, &member_b.value);
		else
			walk->report(walk, &at, order < 0 ? &member_a.value : NULL,
						 order > 0 ? &member_b.value : NULL);

		if (order <= 0)
			more_a = dtmodel_raw_next_member(&walk_a, &member_a);
		if (order >= 0)
			more_b = dtmodel_raw_next_member(&walk_b, &member_b);
	}
}

static void
diff_objects(DtDiffWalk *walk, DtDiffStep *at,
			 const DtRawValue *a, const DtRawValue *b, uint32 same)
{
	DtRawPairWalk pairs;

	check_stack_depth();
	if (dtmodel_raw_value_pairs(a, b, same, &pairs))
		diff_in_step(walk, at, a, &pairs);
	else
		diff_join(walk, at, a, b);
}

/*
 * Compares the values that two documents have at the same place: objects
 * member by member, lists by the callback, others by themselves.  The bytes of
 * the two are known to differ, and the first "same" bytes are the same.
 */
void
dtmodel_diff_values_from(DtDiffWalk *walk, DtDiffStep *at,
						 const DtRawValue *old_value, const DtRawValue *new_value,
						 uint32 same)
{
	CHECK_FOR_INTERRUPTS();

	if (dtmodel_raw_is_object(old_value) && dtmodel_raw_is_object(new_value))
		diff_objects(walk, at, old_value, new_value, same);
	else if (dtmodel_raw_is_array(old_value) && dtmodel_raw_is_array(new_value))
		walk->compare_lists(walk, at, old_value, new_value, same);
	else if (!dtmodel_raw_equal_from(old_value, new_value, same))
		walk->report(walk, at, old_value, new_value);
}

/*
 * The same if nothing is known about the bytes.
 */
void
dtmodel_diff_values(DtDiffWalk *walk, DtDiffStep *at,
					const DtRawValue *old_value, const DtRawValue *new_value)
{
	if (!dtmodel_raw_same_bytes(old_value, new_value))
		dtmodel_diff_values_from(walk, at, old_value, new_value,
								 dtmodel_raw_common_bytes(old_value, new_value));
}

/*
 * Callback of a walk that compares lists as wholes.
 */
void
dtmodel_diff_lists_as_wholes(DtDiffWalk *walk, DtDiffStep *at,
							 const DtRawValue *old_list,
							 const DtRawValue *new_list, uint32 same)
{
	if (!dtmodel_raw_equal_from(old_list, new_list, same))
		walk->report(walk, at, old_list, new_list);
}

/* Gives numbers to all elements of a list, and returns them. */
static uint32 *
add_elements(DtElementNumbers *table, const DtRawValue *list)
{
	uint32	   *numbers = palloc_extended(dtmodel_raw_count(list) * sizeof(uint32),
										  MCXT_ALLOC_HUGE);
	DtRawArrayWalk walk = dtmodel_raw_walk_array(list);
	DtRawValue	element;

	for (uint32 i = 0; dtmodel_raw_next_element(&walk, &element); i++)
		numbers[i] = dtmodel_element_numbers_add(table, &element);
	return numbers;
}

/*
 * Is every element of either list in the other?  Most elements have the same
 * bytes as the one at the same place, and need not be looked up.
 */
static bool
same_elements(const DtRawValue *a, const DtRawValue *b)
{
	DtElementNumbers *table = dtmodel_element_numbers_create(dtmodel_raw_count(a), NULL);
	uint32	   *numbers = add_elements(table, a);
	uint32		unseen = dtmodel_element_numbers_count(table);
	bool	   *seen = palloc0(unseen * sizeof(bool));
	DtRawArrayWalk walk_a = dtmodel_raw_walk_array(a);
	DtRawArrayWalk walk_b = dtmodel_raw_walk_array(b);
	DtRawValue	in_a;
	DtRawValue	in_b;

	for (uint32 i = 0; dtmodel_raw_next_element(&walk_b, &in_b); i++)
	{
		uint32		number;

		if (dtmodel_raw_next_element(&walk_a, &in_a) && dtmodel_raw_same_bytes(&in_a, &in_b))
			number = numbers[i];
		else
			number = dtmodel_element_numbers_find(table, &in_b);
		if (number == DT_NO_ELEMENT)
		{
			unseen = DT_NO_ELEMENT;
			break;
		}
		if (!seen[number])
			unseen--;
		seen[number] = true;
	}

	pfree(seen);
	pfree(numbers);
	dtmodel_element_numbers_free(table);
	return unseen == 0;
}

static void
lists_as_sets(DtDiffWalk *walk, DtDiffStep *at,
			  const DtRawValue *old_list, const DtRawValue *new_list, uint32 same)
{
	if (!dtmodel_raw_equal_from(old_list, new_list, same) &&
		!same_elements(old_list, new_list))
		walk->report(walk, at, old_list, new_list);
}

/*
 * Appends a text of that length to the array, and returns where its characters
 * are to be written.
 */
static char *
add_text(PathList *list, Size len)
{
	Size		size = INTALIGN(VARHDRSZ + len);
	char	   *element = dtmodel_buffer_extend(&list->array, size);

	/* The next element has to be aligned; the padding before it is zero. */
	memset(element + size - sizeof(int32), 0, sizeof(int32));
	SET_VARSIZE(element, VARHDRSZ + len);
	list->count++;
	return VARDATA(element);
}

/*
 * Appends the path of a place: the prefix and the keys, joined by dots.
 */
static void
report_path(DtDiffWalk *walk, DtDiffStep *at,
			const DtRawValue *old_value pg_attribute_unused(),
			const DtRawValue *new_value pg_attribute_unused())
{
	PathList   *list = (PathList *) walk;
	bool		has_prefix = list->prefix_len > 0;
	Size		len = list->prefix_len;
	DtDiffStep *step;
	char	   *path;

	for (step = at; step != NULL; step = step->up)
		len += step->key.len + (step->up != NULL || has_prefix ? 1 : 0);
	path = add_text(list, len);
	memcpy(path, list->prefix, list->prefix_len);

	/* The steps lead upwards, so the path is written from its end. */
	for (step = at; step != NULL; step = step->up)
	{
		len -= step->key.len;
		memcpy(path + len, step->key.data, step->key.len);
		if (step->up != NULL || has_prefix)
			path[--len] = '.';
	}
}

static void
begin_paths(PathList *list, text *prefix, bool ignore_order)
{
	list->walk.report = report_path;
	list->walk.compare_lists = ignore_order ? lists_as_sets :
		dtmodel_diff_lists_as_wholes;
	list->prefix = prefix != NULL ? VARDATA_ANY(prefix) : "";
	list->prefix_len = prefix != NULL ? VARSIZE_ANY_EXHDR(prefix) : 0;
	list->count = 0;
	dtmodel_buffer_init(&list->array, 256);
	dtmodel_buffer_extend(&list->array, ARR_OVERHEAD_NONULLS(1));
}

static ArrayType *
finish_paths(PathList *list)
{
	ArrayType  *array = (ArrayType *) list->array.data;

	if (list->count == 0)
		return construct_empty_array(TEXTOID);

	memset(array, 0, ARR_OVERHEAD_NONULLS(1));
	SET_VARSIZE(array, list->array.len);
	array->ndim = 1;
	array->elemtype = TEXTOID;
	ARR_DIMS(array)[0] = list->count;
	ARR_LBOUND(array)[0] = 1;
	return array;
}

/*
 * The empty array, made once for each call site of the function: for two small
 * documents that are equal, allocating it would take most of the time.
 */
static ArrayType *
no_paths(FmgrInfo *call_site)
{
	MemoryContext before;

	if (call_site == NULL)
		return construct_empty_array(TEXTOID);
	if (call_site->fn_extra == NULL)
	{
		before = MemoryContextSwitchTo(call_site->fn_mcxt);
		call_site->fn_extra = construct_empty_array(TEXTOID);
		MemoryContextSwitchTo(before);
	}
	return call_site->fn_extra;
}

/*
 * get_difference_between_dictionaries(old_value jsonb, new_value jsonb,
 *		path text, ignore_order boolean) returns text[]
 *
 * The paths at which two documents differ, in the key order of jsonb.
 *
 * A path consists of the given path, if that is not empty, and the keys that
 * lead to the place, joined by dots.  Objects are compared member by member; a
 * key that only one side has is a difference; lists are compared as wholes, or
 * as sets if ignore_order is true.  Numbers are compared by value, and JSON
 * null is equal only to JSON null.
 *
 * SQL NULL means no document: it equals SQL NULL and differs from every
 * document.  A NULL path is the empty path, NULL for ignore_order is false.
 * Never returns NULL.
 */
Datum
dtmodel_get_difference_between_dictionaries(PG_FUNCTION_ARGS)
{
	Jsonb	   *old_document = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	Jsonb	   *new_document = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	bool		ignore_order = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	PathList	list;

	if (dtmodel_raw_same_document(old_document, new_document))
		PG_RETURN_ARRAYTYPE_P(no_paths(fcinfo->flinfo));

	begin_paths(&list, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2),
				ignore_order);
	if (old_document != NULL && new_document != NULL)
	{
		DtRawValue	old_value = dtmodel_raw_root(old_document);
		DtRawValue	new_value = dtmodel_raw_root(new_document);

		dtmodel_diff_values(&list.walk, NULL, &old_value, &new_value);
	}
	else
		report_path(&list.walk, NULL, NULL, NULL);
	PG_RETURN_ARRAYTYPE_P(finish_paths(&list));
}
