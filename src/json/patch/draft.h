/*-------------------------------------------------------------------------
 *
 * draft.h
 *	  A document under change.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PATCH_DRAFT_H
#define DTMODEL_PATCH_DRAFT_H

#include "json/format.h"

/*
 * One value of a document under change.  It starts as the bytes that it is in
 * a document; an object or array that is changed inside is opened, it alone
 * and not what is in it.
 *
 * The kind of bytes is their type, one of JENTRY_IS...; here are the others.
 */
#define DRAFT_NONE 1			/* there is no value (any more) */
#define DRAFT_OPEN 2			/* an object or array under change */

typedef struct Draft
{
	uint32		kind;
	uint32		len;			/* of the bytes */
	union
	{
		const char *bytes;
		struct DraftContainer *open;
	}			u;
} Draft;

static inline Draft
draft_none(void)
{
	Draft		draft;

	memset(&draft, 0, sizeof(draft));
	draft.kind = DRAFT_NONE;
	return draft;
}

static inline Draft
draft_of(const RawValue *raw)
{
	Draft		draft;

	draft.kind = raw->type;
	draft.len = raw->len;
	draft.u.bytes = raw->data;
	return draft;
}

/* The bytes of a draft that is neither open nor none. */
static inline RawValue
draft_raw(const Draft *draft)
{
	RawValue	raw;

	Assert(draft->kind != DRAFT_NONE && draft->kind != DRAFT_OPEN);
	raw.type = draft->kind;
	raw.len = draft->len;
	raw.data = draft->u.bytes;
	return raw;
}

extern bool dtmodel_draft_is_object(const Draft *draft);
extern bool dtmodel_draft_is_array(const Draft *draft);

/*
 * Children of an object or array go by their numbers.  Those of an object are
 * in the order of its keys, and the number is the one that find tells.
 *
 * A value that was set or inserted is at that place from then on.  To be at a
 * second one it has to be shared before.
 */
extern uint32 dtmodel_draft_count(const Draft *container);
extern Draft dtmodel_draft_find(const Draft *object, const RawValue *key,
								uint32 *number);
extern Draft dtmodel_draft_element(const Draft *array, uint32 number);
extern Draft *dtmodel_draft_open(Draft *container, uint32 number);
extern void dtmodel_draft_set(Draft *container, uint32 number, Draft value);
extern void dtmodel_draft_insert(Draft *container, uint32 number,
								 const RawValue *key, Draft value);
extern void dtmodel_draft_remove(Draft *container, uint32 number);

/* whole values */
extern uint64 dtmodel_draft_size(const Draft *draft);
extern void dtmodel_draft_grow(Draft *container, int64 bytes);
extern void dtmodel_draft_share(const Draft *draft);
extern void dtmodel_draft_release(const Draft *draft);
extern bool dtmodel_draft_equal(const Draft *draft, const RawValue *value);
extern Jsonb *dtmodel_draft_document(const Draft *draft);

#endif							/* DTMODEL_PATCH_DRAFT_H */
