/*-------------------------------------------------------------------------
 *
 * merge_patch.c
 *	  JSON merge patches (RFC 7396): applying and making them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "json/diff.h"
#include "json/merge.h"
#include "json/patch/mutable.h"
#include "json/patch/pointer.h"
#include "miscadmin.h"

/*
 * A merge patch so far.
 */
typedef struct MergePatchMaker
{
	DtDiffWalk	walk;
	DtMutableValue patch;
} MergePatchMaker;

PG_FUNCTION_INFO_V1(dtmodel_jsonb_merge_patch);
PG_FUNCTION_INFO_V1(dtmodel_jsonb_merge_diff);

/*
 * jsonb_merge_patch(doc jsonb, patch jsonb) returns jsonb
 *
 * Applies a JSON merge patch (RFC 7396, section 2): a deep merge in which null
 * removes the member, and a value that is not an object counts as {} when an
 * object is merged into it.
 *
 * Strict.
 */
Datum
dtmodel_jsonb_merge_patch(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = PG_GETARG_JSONB_P(0);
	Jsonb	   *patch = PG_GETARG_JSONB_P(1);
	Datum		target = PG_GETARG_DATUM(0);
	DtRawValue	root = dtmodel_raw_root(document);
	DtRawValue	root_patch = dtmodel_raw_root(patch);

	if (!dtmodel_raw_is_object(&root_patch))
		PG_RETURN_DATUM(PG_GETARG_DATUM(dtmodel_raw_same_document(document, patch) ? 0 : 1));
	if (!dtmodel_raw_is_object(&root))
	{
		target = dtmodel_empty_document();
		root = dtmodel_raw_empty_object;
	}
	PG_RETURN_DATUM(dtmodel_merge_objects(DT_MERGE_PATCH, target, &root, &root_patch));
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
	dtmodel_write_pointer(&pointer, at);
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
