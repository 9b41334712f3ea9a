/*-------------------------------------------------------------------------
 *
 * mutable.h
 *	  A document under change.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PATCH_MUTABLE_H
#define DTMODEL_PATCH_MUTABLE_H

#include "json/format.h"

/*
 * One value of a document under change.  It starts as the bytes that it is in
 * a document; an object or array that is changed inside is opened, it alone
 * and not what is in it.
 *
 * The kind of bytes is their type, one of JENTRY_IS...; here are the others.
 */
#define MUTABLE_NONE 1			/* there is no value (any more) */
#define MUTABLE_OPEN 2			/* an object or array under change */

typedef struct MutableValue
{
	uint32		kind;
	uint32		len;			/* of the bytes */
	union
	{
		const char *bytes;
		struct MutableContainer *open;
	}			u;
} MutableValue;

static inline MutableValue
mutable_none(void)
{
	MutableValue mutable;

	memset(&mutable, 0, sizeof(mutable));
	mutable.kind = MUTABLE_NONE;
	return mutable;
}

static inline MutableValue
mutable_of(const RawValue *raw)
{
	MutableValue mutable;

	mutable.kind = raw->type;
	mutable.len = raw->len;
	mutable.u.bytes = raw->data;
	return mutable;
}

/* The bytes of a mutable value that is neither open nor none. */
static inline RawValue
mutable_raw(const MutableValue *mutable)
{
	RawValue	raw;

	Assert(mutable->kind != MUTABLE_NONE && mutable->kind != MUTABLE_OPEN);
	raw.type = mutable->kind;
	raw.len = mutable->len;
	raw.data = mutable->u.bytes;
	return raw;
}

extern bool dtmodel_mutable_is_object(const MutableValue *mutable);
extern bool dtmodel_mutable_is_array(const MutableValue *mutable);

/*
 * Children of an object or array go by their numbers.  Those of an object are
 * in the order of its keys, and the number is the one that find tells.
 *
 * A value that was set or inserted is at that place from then on.  To be at a
 * second one it has to be shared before.
 */
extern uint32 dtmodel_mutable_count(const MutableValue *container);
extern MutableValue dtmodel_mutable_find(const MutableValue *object,
										 const RawValue *key,
										 uint32 *number);
extern MutableValue dtmodel_mutable_element(const MutableValue *array,
											uint32 number);
extern MutableValue *dtmodel_mutable_open(MutableValue *container, uint32 number);
extern void dtmodel_mutable_set(MutableValue *container, uint32 number,
								MutableValue value);
extern void dtmodel_mutable_insert(MutableValue *container, uint32 number,
								   const RawValue *key, MutableValue value);
extern void dtmodel_mutable_remove(MutableValue *container, uint32 number);

/* whole values */
extern uint64 dtmodel_mutable_size(const MutableValue *mutable);
extern void dtmodel_mutable_grow(MutableValue *container, int64 bytes);
extern void dtmodel_mutable_share(const MutableValue *mutable);
extern void dtmodel_mutable_release(const MutableValue *mutable);
extern bool dtmodel_mutable_equal(const MutableValue *mutable,
								  const RawValue *value);
extern Jsonb *dtmodel_mutable_document(const MutableValue *mutable);

#endif							/* DTMODEL_PATCH_MUTABLE_H */
