/*-------------------------------------------------------------------------
 *
 * mutable.h
 *	  A document that can be changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PATCH_MUTABLE_H
#define DTMODEL_PATCH_MUTABLE_H

#include "json/format.h"

/*
 * One value of a document that can be changed.  At first it consists of its
 * bytes in a document.  An object or array is opened before a child is
 * changed; its children are not opened with it.
 *
 * The kind of bytes is their type, one of JENTRY_IS...  These are other kinds.
 */
#define MUTABLE_NONE 1			/* no value */
#define MUTABLE_OPEN 2			/* an opened object or array */

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

/* The bytes of a value that is neither MUTABLE_NONE nor MUTABLE_OPEN. */
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
 * The children of an object or array are numbered.  Those of an object are in
 * the order of its keys; dtmodel_mutable_find returns the number of a key.
 *
 * A value that is set or inserted belongs to its container from then on.  It
 * must be shared before it is inserted into another one.
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
