/*-------------------------------------------------------------------------
 *
 * make.c
 *	  Makes the JSON patch (RFC 6902) that turns one jsonb document into
 *	  another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "json/diff.h"
#include "json/patch/align.h"
#include "json/patch/pointer.h"
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

PG_FUNCTION_INFO_V1(dtmodel_jsonb_diff);

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
	dtmodel_write_pointer(writer.buffer, at);
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
