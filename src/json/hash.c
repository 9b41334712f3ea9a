/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  Hashes of values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "hash.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/*
 * The hash of an object or array.
 */
typedef struct MemoEntry
{
	const char *container;		/* its bytes */
	uint64		hash;
	char		status;			/* for simplehash */
} MemoEntry;

#define SH_PREFIX memo
#define SH_ELEMENT_TYPE MemoEntry
#define SH_KEY_TYPE const char *
#define SH_KEY container
#define SH_HASH_KEY(table, key) murmurhash32((uint32) ((uintptr_t) (key) / sizeof(int32)))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct HashMemo
{
	MemoryContext context;
	memo_hash  *hashes;			/* NULL before the first one */
};

/*
 * Containers of so few bytes are nested a few levels at most, and hashing them
 * again costs no more than looking them up.
 */
#define FEW_BYTES 64

/*
 * Begins a memo in the current memory context.  What is hashed with it must
 * stay where it is.
 */
HashMemo *
dtmodel_hash_memo(void)
{
	HashMemo   *memo = palloc(sizeof(HashMemo));

	memo->context = CurrentMemoryContext;
	memo->hashes = NULL;
	return memo;
}

/*
 * The seed of this backend.  Documents come from strangers: with a seed that
 * they do not know they cannot fill one bucket.
 */
static uint64
hash_seed(void)
{
	static uint64 seed = 0;

	while (seed == 0)
	{
		if (!pg_strong_random(&seed, sizeof(seed)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
	}
	return seed;
}

/*
 * The next of a sequence of numbers that strangers do not know (xorshift64*).
 */
uint32
dtmodel_hash_random(void)
{
	static uint64 state = 0;

	if (state == 0)
		state = hash_seed();
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32) ((state * UINT64CONST(0x2545F4914F6CDD1D)) >> 32);
}

static uint64
hash_elements(const RawValue *array, HashMemo *memo)
{
	RawArray	walk = raw_array(array);
	RawValue	element;
	uint64		hash = JB_FARRAY;

	while (raw_array_next(&walk, &element))
		hash = hash_combine64(hash, dtmodel_raw_hash(&element, memo));
	return hash;
}

static uint64
hash_members(const RawValue *object, HashMemo *memo)
{
	RawObject	walk = raw_object(object);
	RawMember	member;
	uint64		hash = JB_FOBJECT;

	while (raw_object_next(&walk, &member))
	{
		hash = hash_combine64(hash, dtmodel_raw_hash(&member.key, memo));
		hash = hash_combine64(hash, dtmodel_raw_hash(&member.value, memo));
	}
	return hash;
}

static uint64
hash_container(const RawValue *container, HashMemo *memo)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	return raw_is_object(container) ? hash_members(container, memo) :
		hash_elements(container, memo);
}

/*
 * The same, looked up if it is in the memo, and put there if not.
 */
static uint64
memo_container(const RawValue *container, HashMemo *memo)
{
	MemoEntry  *entry;
	uint64		hash;
	bool		found;

	if (!memo->hashes)
		memo->hashes = memo_create(memo->context, 16, NULL);
	entry = memo_lookup(memo->hashes, container->data);
	if (entry)
		return entry->hash;
	hash = hash_container(container, memo);
	memo_insert(memo->hashes, container->data, &found)->hash = hash;
	return hash;
}

/*
 * Equal values have equal hashes.  That rules out hashing a number's bytes.
 *
 * With a memo, which may be NULL, an object or array is gone through once,
 * however often it is hashed itself or as a part of another one.
 */
uint64
dtmodel_raw_hash(const RawValue *value, HashMemo *memo)
{
	uint64		seed = hash_seed();

	if (value->type == JENTRY_ISNUMERIC)
		return DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended,
												  PointerGetDatum(value->data),
												  UInt64GetDatum(seed)));
	if (value->type != JENTRY_ISCONTAINER)
		return hash_combine64(value->type,
							  DatumGetUInt64(hash_any_extended((const unsigned char *) value->data,
															   value->len, seed)));
	if (!memo || value->len <= FEW_BYTES)
		return hash_container(value, memo);
	return memo_container(value, memo);
}
