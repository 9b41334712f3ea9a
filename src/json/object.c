/*-------------------------------------------------------------------------
 *
 * object.c
 *	  Builds objects from members.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/object.h"

/* Orders by key; of two with the same key, the later one comes first. */
static int
compare_members(const void *a, const void *b)
{
	const DtRawMember *x = *(const DtRawMember *const *) a;
	const DtRawMember *y = *(const DtRawMember *const *) b;
	int			order = dtmodel_raw_compare_keys(&x->key, &y->key);

	if (order != 0)
		return order;
	return x > y ? -1 : (x < y ? 1 : 0);
}

/* Sorts the members, and keeps only the last one with each key. */
static uint32
sort_members(const DtRawMember **sorted, const DtRawMember *members, uint32 count)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < count; i++)
		sorted[i] = &members[i];
	qsort(sorted, count, sizeof(const DtRawMember *), compare_members);
	for (uint32 i = 0; i < count; i++)
	{
		if (kept == 0 ||
			dtmodel_raw_compare_keys(&sorted[kept - 1]->key, &sorted[i]->key) != 0)
			sorted[kept++] = sorted[i];
	}
	return kept;
}

/*
 * Builds an object from members in any order.  Of members with the same key
 * the last one is kept, as in jsonb itself.
 */
Jsonb *
dtmodel_make_object(const DtRawMember *members, uint32 count)
{
	const DtRawMember **sorted = palloc(sizeof(const DtRawMember *) * Max(count, 1));
	DtRawBuffer buffer;
	DtRawWriter writer;

	count = sort_members(sorted, members, count);
	dtmodel_begin_document(&buffer, 64 + 32 * (Size) count);
	dtmodel_write_container(&writer, &buffer, JB_FOBJECT, count);
	for (uint32 i = 0; i < count; i++)
		dtmodel_write_value(&writer, &sorted[i]->key);
	for (uint32 i = 0; i < count; i++)
		dtmodel_write_value(&writer, &sorted[i]->value);
	pfree(sorted);
	return dtmodel_finish_document(&buffer);
}

static uint32
add_members(DtRawMember *members, const DtRawValue *object)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(object);
	uint32		count = 0;

	while (dtmodel_raw_next_member(&walk, &members[count]))
		count++;
	return count;
}

/* Adds to an object the members of the defaults that it does not have. */
Jsonb *
dtmodel_object_with_defaults(const DtRawValue *object, const DtRawValue *defaults)
{
	DtRawMember *members = palloc(sizeof(DtRawMember) *
								  (dtmodel_raw_count(defaults) + dtmodel_raw_count(object) + 1));
	uint32		count = add_members(members, defaults);
	Jsonb	   *document;

	count += add_members(members + count, object);
	document = dtmodel_make_object(members, count);
	pfree(members);
	return document;
}
