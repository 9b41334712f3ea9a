/*-------------------------------------------------------------------------
 *
 * json_push.c
 *	  A deep merge as one would write it with the server's own tools, an
 *	  iterator over each document and pushJsonbValue().  Part of the benchmark
 *	  only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(push_deep_merge);

/* 19 keeps the result with the state. */
#if PG_VERSION_NUM < 190000
typedef struct PushState
{
	JsonbParseState *parse;
	JsonbValue *result;
} PushState;

static void
push(PushState *state, JsonbIteratorToken token, JsonbValue *value)
{
	state->result = pushJsonbValue(&state->parse, token, value);
}
#else
typedef JsonbInState PushState;

static void
push(PushState *state, JsonbIteratorToken token, JsonbValue *value)
{
	pushJsonbValue(state, token, value);
}
#endif

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

static void
merge(PushState *state, JsonbContainer *a, JsonbContainer *b)
{
	JsonbIterator *iterator;
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	push(state, WJB_BEGIN_OBJECT, NULL);

	iterator = JsonbIteratorInit(a);
	JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		JsonbValue *other;

		JsonbIteratorNext(&iterator, &value, true);
		other = getKeyJsonValueFromContainer(b, key.val.string.val,
											 key.val.string.len, NULL);
		push(state, WJB_KEY, &key);
		if (other && is_object(other) && is_object(&value))
			merge(state, value.val.binary.data, other->val.binary.data);
		else
			push(state, WJB_VALUE, other ? other : &value);
	}

	iterator = JsonbIteratorInit(b);
	JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&iterator, &value, true);
		if (getKeyJsonValueFromContainer(a, key.val.string.val,
										 key.val.string.len, NULL) != NULL)
			continue;
		push(state, WJB_KEY, &key);
		push(state, WJB_VALUE, &value);
	}
	push(state, WJB_END_OBJECT, NULL);
}

/*
 * push_deep_merge(a jsonb, b jsonb) RETURNS jsonb, for two objects.
 */
Datum
push_deep_merge(PG_FUNCTION_ARGS)
{
	Jsonb	   *a = PG_GETARG_JSONB_P(0);
	Jsonb	   *b = PG_GETARG_JSONB_P(1);
	PushState	state = {0};

	merge(&state, &a->root, &b->root);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(state.result));
}
