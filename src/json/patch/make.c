/*-------------------------------------------------------------------------
 *
 * make.c
 *	  Makes the patch that turns one jsonb document into another, as a JSON
 *	  patch (RFC 6902) or a JSON merge patch (RFC 7396).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "json/diff.h"
#include "json/patch/align.h"
#include "json/patch/mutable.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/*
 * The operations of a JSON patch so far.  Their number, and so the size of the
 * array's entries, is known only in the end.  Until then the operations are
 * kept in a separate buffer.
 */
typedef struct PatchMaker
{
	DtDiffWalk	walk;
	DtRawBuffer operations;
	DtRawBuffer ends;			/* uint32 each: end of an operation */
	DtHashMemo *memo;			/* of all lists compared so far */
} PatchMaker;

/*
 * A merge patch so far.
 */
typedef struct MergePatchMaker
{
	DtDiffWalk	walk;
	DtMutableValue patch;
} MergePatchMaker;

PG_FUNCTION_INFO_V1(dtmodel_jsonb_diff);
PG_FUNCTION_INFO_V1(dtmodel_jsonb_merge_diff);

static bool
needs_escape(char c)
{
	return c == '~' || c == '/';
}

/* The length of a step in a pointer, with the slash before it. */
static Size
token_length(DtDiffStep *step)
{
	Size		len = 1;
	char		number[16];

	if (step->key.data == NULL)
		return len + pg_ultoa_n(step->index, number);

	len += step->key.len;
	for (uint32 i = 0; i < step->key.len; i++)
		len += needs_escape(step->key.data[i]) ? 1 : 0;
	return len;
}

/* Writes a step, with the slash before it, so that it ends at "end". */
static void
write_token(DtDiffStep *step, char *end)
{
	char		number[16];
	const char *token = step->key.data;
	Size		len = step->key.len;

	if (token == NULL)
	{
		len = pg_ultoa_n(step->index, number);
		token = number;
	}
	while (len-- > 0)
	{
		if (needs_escape(token[len]))
		{
			*--end = token[len] == '~' ? '0' : '1';
			*--end = '~';
		}
		else
			*--end = token[len];
	}
	*--end = '/';
}

/*
 * Appends the pointer to a place to a buffer.
 */
static void
write_pointer(DtRawBuffer *buffer, DtDiffStep *at)
{
	DtDiffStep *step;
	Size		len = 0;
	char	   *end;

	for (step = at; step != NULL; step = step->up)
		len += token_length(step);
	end = dtmodel_buffer_extend(buffer, len) + len;
	for (step = at; step != NULL; step = step->up)
	{
		write_token(step, end);
		end -= token_length(step);
	}
}

static void
write_text(DtRawWriter *writer, const char *string)
{
	DtRawValue	value = dtmodel_raw_string(string, strlen(string));

	dtmodel_write_value(writer, &value);
}

/*
 * Appends an operation for a place where the documents differ.
 */
static void
report_operation(DtDiffWalk *walk, DtDiffStep *at,
				 const DtRawValue *old_value, const DtRawValue *new_value)
{
	PatchMaker *maker = (PatchMaker *) walk;
	const char *op = old_value == NULL ? "add" :
		new_value == NULL ? "remove" : "replace";
	DtRawWriter writer;

	dtmodel_write_container(&writer, &maker->operations, JB_FOBJECT,
							new_value != NULL ? 3 : 2);
	write_text(&writer, "op");
	write_text(&writer, "path");
	if (new_value != NULL)
		write_text(&writer, "value");

	write_text(&writer, op);
	write_pointer(writer.buffer, at);
	dtmodel_write_entry(&writer, JENTRY_ISSTRING);
	if (new_value != NULL)
		dtmodel_write_value(&writer, new_value);

	if (maker->operations.len > JENTRY_OFFLENMASK)
		dtmodel_report_too_large();
	*(uint32 *) dtmodel_buffer_extend(&maker->ends, sizeof(uint32)) = maker->operations.len;
}

/*
 * Reports how an old element becomes a new one; one of them may be missing.
 */
static void
diff_element(DtDiffWalk *walk, DtDiffStep *at, const DtListRuns *runs, uint32 i)
{
	const DtRawValue *old_value = i < runs->old_count ? &runs->old_elements[i] : NULL;
	const DtRawValue *new_value = i < runs->new_count ? &runs->new_elements[i] : NULL;

	if (old_value == NULL || new_value == NULL)
		walk->report(walk, at, old_value, new_value);
	else if (i == 0 && runs->same_known)
		dtmodel_diff_values_from(walk, at, old_value, new_value, runs->same);
	else
		dtmodel_diff_values(walk, at, old_value, new_value);
}

/*
 * Reports how a run of old elements becomes a run of new ones: the first old
 * one becomes the first new one, and so on, and the rest is removed or added.
 * All elements before the run are already as in the new list, so numbers are
 * those of the new list.
 */
static void
diff_runs(DtDiffWalk *walk, DtDiffStep *list, const DtListRuns *runs)
{
	DtDiffStep	at;

	at.up = list;
	at.key = dtmodel_raw_string(NULL, 0);
	at.caller_data = NULL;
	for (uint32 i = 0; i < runs->old_count || i < runs->new_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		at.index = runs->new_start + Min(i, runs->new_count);
		diff_element(walk, &at, runs, i);
	}
}

static void
lists_aligned(DtDiffWalk *walk, DtDiffStep *at,
			  const DtRawValue *old_list, const DtRawValue *new_list, uint32 same)
{
	PatchMaker *maker = (PatchMaker *) walk;
	DtListAlignment *alignment;
	DtListRuns	runs;

	check_stack_depth();
	alignment = dtmodel_align_begin(old_list, new_list, same, maker->memo);
	while (dtmodel_align_next(alignment, &runs))
		diff_runs(walk, at, &runs);
	dtmodel_align_end(alignment);
}

/*
 * Makes an array of the operations, in their buffer: they are moved to make
 * space for the headers before them.
 */
static Jsonb *
finish_patch(PatchMaker *maker)
{
	DtRawBuffer *buffer = &maker->operations;
	const uint32 *ends = (const uint32 *) maker->ends.data;
	uint32		count = maker->ends.len / sizeof(uint32);
	Size		len = buffer->len;
	DtRawWriter writer;

	dtmodel_buffer_extend(buffer, VARHDRSZ + (1 + count) * sizeof(uint32));
	memmove(buffer->data + buffer->len - len, buffer->data, len);
	buffer->len = VARHDRSZ;
	dtmodel_write_container(&writer, buffer, JB_FARRAY, count);
	for (uint32 i = 0; i < count; i++)
	{
		buffer->len = writer.payload + ends[i];
		dtmodel_write_entry(&writer, JENTRY_ISCONTAINER);
	}
	return dtmodel_finish_document(buffer);
}

/*
 * jsonb_diff(old jsonb, new jsonb) returns jsonb
 *
 * The JSON patch (RFC 6902) that turns the old document into the new one, made
 * of "add", "remove" and "replace".  In objects it is as short as possible.
 * In lists, elements that did not change are found even if others were added
 * or removed before them, and a changed element is patched inside.
 *
 * jsonb_patch(old, jsonb_diff(old, new)) = new for all documents.
 *
 * Strict.
 */
Datum
dtmodel_jsonb_diff(PG_FUNCTION_ARGS)
{
	DtRawValue	old_value = dtmodel_raw_root(PG_GETARG_JSONB_P(0));
	DtRawValue	new_value = dtmodel_raw_root(PG_GETARG_JSONB_P(1));
	PatchMaker	maker;

	maker.walk.report = report_operation;
	maker.walk.compare_lists = lists_aligned;
	dtmodel_buffer_init(&maker.operations, 256);
	dtmodel_buffer_init(&maker.ends, 64);
	maker.memo = dtmodel_make_hash_memo();
	dtmodel_diff_values(&maker.walk, NULL, &old_value, &new_value);
	PG_RETURN_JSONB_P(finish_patch(&maker));
}

/*
 * Does the value contain something that a merge patch takes for a removal?
 */
static bool
has_null(const DtRawValue *value)
{
	DtRawObjectWalk walk;
	DtRawMember member;

	if (!dtmodel_raw_is_object(value))
		return value->type == JENTRY_ISNULL;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	walk = dtmodel_raw_walk_object(value);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		if (has_null(&member.value))
			return true;
	}
	return false;
}

/*
 * Checks that a merge patch can set a value.
 */
static void
check_settable(DtDiffStep *at, const DtRawValue *value)
{
	DtRawBuffer pointer;

	if (!has_null(value))
		return;

	dtmodel_buffer_init(&pointer, 64);
	write_pointer(&pointer, at);
	*dtmodel_buffer_extend(&pointer, 1) = '\0';
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no JSON merge patch can change the old document to the new one"),
			 errdetail("The new value at \"%s\" is or contains a null, and a null in a merge patch removes the member.",
					   pointer.data),
			 errhint("Use dtmodel.jsonb_diff, which makes a JSON patch.")));
}

/*
 * Adds a member to an object of the patch, which does not have the key.
 */
static DtMutableValue *
add_member(DtMutableValue *object, const DtRawValue *key, const DtRawValue *value)
{
	uint32		number;

	(void) dtmodel_mutable_find(object, key, &number);
	dtmodel_mutable_insert(object, number, key, dtmodel_mutable_of(value));
	return dtmodel_mutable_open(object, number);
}

/*
 * The object of the patch for the object at a place, added if there is none
 * yet.  It is kept with the place, so that it is not looked up from the root
 * again for each difference below.
 */
static DtMutableValue *
open_object_at(DtMutableValue *patch, DtDiffStep *at)
{
	if (at == NULL)
		return patch;

	check_stack_depth();
	if (at->caller_data == NULL)
		at->caller_data = add_member(open_object_at(patch, at->up), &at->key,
									 &dtmodel_raw_empty_object);
	return at->caller_data;
}

static void
report_merge(DtDiffWalk *walk, DtDiffStep *at,
			 const DtRawValue *old_value pg_attribute_unused(),
			 const DtRawValue *new_value)
{
	MergePatchMaker *maker = (MergePatchMaker *) walk;

	if (new_value != NULL)
		check_settable(at, new_value);
	add_member(open_object_at(&maker->patch, at->up), &at->key,
			   new_value != NULL ? new_value : &dtmodel_raw_null);
}

/*
 * jsonb_merge_diff(old jsonb, new jsonb) returns jsonb
 *
 * The shortest JSON merge patch (RFC 7396) that turns the old document into
 * the new one.
 *
 * Raises 22023 if there is none: a merge patch cannot set a member to null,
 * because null in a patch removes the member.  A null that did not change, and
 * a null in a list, are allowed.
 *
 * jsonb_merge_patch(old, jsonb_merge_diff(old, new)) = new if it returns.
 *
 * Strict.
 */
Datum
dtmodel_jsonb_merge_diff(PG_FUNCTION_ARGS)
{
	DtRawValue	old_value = dtmodel_raw_root(PG_GETARG_JSONB_P(0));
	DtRawValue	new_value = dtmodel_raw_root(PG_GETARG_JSONB_P(1));
	MergePatchMaker maker;

	if (!dtmodel_raw_is_object(&new_value))
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	if (!dtmodel_raw_is_object(&old_value))
	{
		check_settable(NULL, &new_value);
		PG_RETURN_DATUM(PG_GETARG_DATUM(1));
	}

	maker.walk.report = report_merge;
	maker.walk.compare_lists = dtmodel_diff_lists_as_wholes;
	maker.patch = dtmodel_mutable_of(&dtmodel_raw_empty_object);
	dtmodel_diff_values(&maker.walk, NULL, &old_value, &new_value);
	PG_RETURN_JSONB_P(dtmodel_mutable_document(&maker.patch));
}
