/*-------------------------------------------------------------------------
 *
 * draft.h
 *	  A document under change.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_DRAFT_H
#define DTMODEL_JSON_DRAFT_H

#include "format.h"

/*
 * One value of a document under change.  It starts as the bytes that it is in
 * a document; an object or array that is changed inside is opened, it alone
 * and not what is in it.
 */
typedef enum DraftKind
{
	DRAFT_NONE,					/* there is no value (any more) */
	DRAFT_RAW,					/* bytes, which nobody changes */
	DRAFT_OBJECT,
	DRAFT_ARRAY
} DraftKind;

typedef struct Draft
{
	DraftKind	kind;
	union
	{
		RawValue	raw;
		struct DraftObject *object;
		struct DraftArray *array;
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

	draft.kind = DRAFT_RAW;
	draft.u.raw = *raw;
	return draft;
}

extern bool dtmodel_draft_is_object(const Draft *draft);
extern bool dtmodel_draft_is_array(const Draft *draft);

/* members of an object */
extern Draft dtmodel_draft_member(const Draft *object, const RawValue *key);
extern Draft *dtmodel_draft_open_member(Draft *object, const RawValue *key);
extern void dtmodel_draft_set_member(Draft *object, const RawValue *key, Draft value);

/* elements of an array */
extern uint32 dtmodel_draft_count(const Draft *array);
extern Draft dtmodel_draft_element(const Draft *array, uint32 index);
extern Draft *dtmodel_draft_open_element(Draft *array, uint32 index);
extern void dtmodel_draft_insert(Draft *array, uint32 index, Draft value);
extern void dtmodel_draft_remove(Draft *array, uint32 index);

/* whole values */
extern bool dtmodel_draft_equal(const Draft *draft, const RawValue *value);
extern void dtmodel_draft_freeze(Draft *draft);
extern Jsonb *dtmodel_draft_document(const Draft *draft);

#endif							/* DTMODEL_JSON_DRAFT_H */
