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
#define DT_MUTABLE_NONE 1		/* no value */
#define DT_MUTABLE_OPEN 2		/* an opened object or array */

typedef struct DtMutableValue
{
	uint32		kind;
	uint32		len;			/* of the bytes */
	union
	{
		const char *bytes;
		struct DtMutableContainer *open;
	}			u;
} DtMutableValue;

static inline DtMutableValue
dtmodel_mutable_none(void)
{
	DtMutableValue mutable;

	memset(&mutable, 0, sizeof(mutable));
	mutable.kind = DT_MUTABLE_NONE;
	return mutable;
}

static inline DtMutableValue
dtmodel_mutable_of(const DtRawValue *raw)
{
	DtMutableValue mutable;

	mutable.kind = raw->type;
	mutable.len = raw->len;
	mutable.u.bytes = raw->data;
	return mutable;
}

/* The bytes of a value that is neither DT_MUTABLE_NONE nor DT_MUTABLE_OPEN. */
static inline DtRawValue
dtmodel_mutable_raw(const DtMutableValue *mutable)
{
	DtRawValue	raw;

	Assert(mutable->kind != DT_MUTABLE_NONE && mutable->kind != DT_MUTABLE_OPEN);
	raw.type = mutable->kind;
	raw.len = mutable->len;
	raw.data = mutable->u.bytes;
	return raw;
}

extern bool dtmodel_mutable_is_object(const DtMutableValue *mutable);
extern bool dtmodel_mutable_is_array(const DtMutableValue *mutable);

/*
 * The children of an object or array are numbered.  Those of an object are in
 * the order of its keys; dtmodel_mutable_find returns the number of a key.
 *
 * A value that is set or inserted belongs to its container from then on.  It
 * must be shared before it is inserted into another one.
 */
extern uint32 dtmodel_mutable_count(const DtMutableValue *container);
extern DtMutableValue dtmodel_mutable_find(const DtMutableValue *object,
										   const DtRawValue *key,
										   uint32 *number);
extern DtMutableValue dtmodel_mutable_element(const DtMutableValue *array,
											  uint32 number);
extern DtMutableValue *dtmodel_mutable_open(DtMutableValue *container, uint32 number);
extern void dtmodel_mutable_set(DtMutableValue *container, uint32 number,
								DtMutableValue value);
extern void dtmodel_mutable_insert(DtMutableValue *container, uint32 number,
								   const DtRawValue *key, DtMutableValue value);
extern void dtmodel_mutable_remove(DtMutableValue *container, uint32 number);

/* whole values */
extern uint64 dtmodel_mutable_size(const DtMutableValue *mutable);
extern void dtmodel_mutable_grow(DtMutableValue *container, int64 bytes);
extern void dtmodel_mutable_share(const DtMutableValue *mutable);
extern void dtmodel_mutable_release(const DtMutableValue *mutable);
extern bool dtmodel_mutable_equal(const DtMutableValue *mutable,
								  const DtRawValue *value);
extern Jsonb *dtmodel_mutable_document(const DtMutableValue *mutable);

#endif							/* DTMODEL_PATCH_MUTABLE_H */
