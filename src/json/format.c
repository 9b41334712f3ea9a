/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The binary format of jsonb, read and written in place.
 *
 * format.h describes the format and holds the walk over it, which has to be
 * inlined to be worth having.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "format.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static bool
numbers_equal(const RawValue *a, const RawValue *b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq,
											PointerGetDatum(a->data),
											PointerGetDatum(b->data)));
}

static bool
arrays_equal(const RawValue *a, const RawValue *b)
{
	RawArray	walk_a = raw_array(a);
	RawArray	walk_b = raw_array(b);
	RawValue	element_a;
	RawValue	element_b;

	while (raw_array_next(&walk_a, &element_a) &&
		   raw_array_next(&walk_b, &element_b))
	{
		if (!dtmodel_raw_equal(&element_a, &element_b))
			return false;
	}
	return true;
}

static bool
objects_equal(const RawValue *a, const RawValue *b)
{
	bool		same_keys = raw_same_keys(a, b);
	RawObject	walk_a = raw_object(a);
	RawObject	walk_b = raw_object(b);
	RawMember	member_a;
	RawMember	member_b;

	while (raw_object_next(&walk_a, &member_a) &&
		   raw_object_next(&walk_b, &member_b))
	{
		if (!same_keys && raw_compare_keys(&member_a.key, &member_b.key) != 0)
			return false;
		if (!dtmodel_raw_equal(&member_a.value, &member_b.value))
			return false;
	}
	return true;
}

/*
 * Are two values equal?  The answer is that of jsonb's "=" operator.
 *
 * Bytes that agree settle it, and bytes that do not settle it too, save where
 * a number is or may be inside.
 */
bool
dtmodel_raw_equal(const RawValue *a, const RawValue *b)
{
	if (a->type != b->type)
		return false;
	if (raw_same_bytes(a, b))
		return true;
	if (a->type == JENTRY_ISNUMERIC)
		return numbers_equal(a, b);
	if (a->type != JENTRY_ISCONTAINER ||
		raw_container(a)->header != raw_container(b)->header)
		return false;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	return raw_is_object(a) ? objects_equal(a, b) : arrays_equal(a, b);
}
