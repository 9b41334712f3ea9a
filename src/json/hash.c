/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  Hashes of values.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "json/hash.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
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

struct DtHashMemo
{
	MemoryContext context;
	memo_hash  *hashes;			/* NULL before the first one */
};

/*
 * Smaller containers have only a few levels, and hashing them again takes no
 * longer than looking them up.
 */
#define MEMO_MIN_BYTES 64

/*
 * Creates a memo in the current memory context.  Values hashed with it must
 * not move.
 */
DtHashMemo *
dtmodel_make_hash_memo(void)
{
	DtHashMemo *memo = palloc(sizeof(DtHashMemo));

	memo->context = CurrentMemoryContext;
	memo->hashes = NULL;
	return memo;
}

/*
 * The seed of this backend.  Documents may come from an attacker, who cannot
 * make all values collide if the seed is secret.
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
 * The next number of a sequence that an attacker cannot predict (xorshift64*).
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

/*
 * Mixes another hash into one.  An attacker may know in which bits the hashes
 * of some values differ, such as 1 and 10000, or true and false.  The product
 * spreads these bits, so that other values cannot cancel them.
 */
static inline uint64
mix(uint64 hash, uint64 other)
{
	hash = (hash + other) * UINT64CONST(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 32);
}

static uint64
hash_elements(const DtRawValue *array, DtHashMemo *memo)
{
	DtRawArrayWalk walk = dtmodel_raw_walk_array(array);
	DtRawValue	element;
	uint64		hash = mix(JB_FARRAY, hash_seed());

	while (dtmodel_raw_next_element(&walk, &element))
		hash = mix(hash, dtmodel_raw_hash(&element, memo));
	return hash;
}

static uint64
hash_members(const DtRawValue *object, DtHashMemo *memo)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(object);
	DtRawMember member;
	uint64		hash = mix(JB_FOBJECT, hash_seed());

	while (dtmodel_raw_next_member(&walk, &member))
	{
		hash = mix(hash, dtmodel_raw_hash(&member.key, memo));
		hash = mix(hash, dtmodel_raw_hash(&member.value, memo));
	}
	return hash;
}

static bool
is_negative(const DtRawValue *number)
{
	static Numeric zero = NULL;

	if (zero == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		zero = int64_to_numeric(0);
		MemoryContextSwitchTo(before);
	}
	return DatumGetBool(DirectFunctionCall2(numeric_lt,
											PointerGetDatum(number->data),
											NumericGetDatum(zero)));
}

/*
 * Equal numbers may have different bytes.  The server's hash ignores the sign:
 * all lists of 1 and -1 would have the same hash.
 */
static uint64
hash_number(const DtRawValue *number)
{
	uint64		digits;

	digits = DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended,
												PointerGetDatum(number->data),
												UInt64GetDatum(hash_seed())));
	return is_negative(number) ? ~digits : digits;
}

static uint64
hash_container(const DtRawValue *container, DtHashMemo *memo)
{
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	return dtmodel_raw_is_object(container) ? hash_members(container, memo) :
		hash_elements(container, memo);
}

/*
 * The same, looked up in the memo or added to it.
 */
static uint64
memo_container(const DtRawValue *container, DtHashMemo *memo)
{
	MemoEntry  *entry;
	uint64		hash;
	bool		found;

	if (memo->hashes == NULL)
		memo->hashes = memo_create(memo->context, 16, NULL);
	entry = memo_lookup(memo->hashes, container->data);
	if (entry != NULL)
		return entry->hash;
	hash = hash_container(container, memo);
	memo_insert(memo->hashes, container->data, &found)->hash = hash;
	return hash;
}

/*
 * Equal values have equal hashes.
 *
 * With a memo, which may be NULL, an object or array is read only once,
 * however often it is hashed by itself or as part of another one.
 */
uint64
dtmodel_raw_hash(const DtRawValue *value, DtHashMemo *memo)
{
	if (value->type == JENTRY_ISNUMERIC)
		return hash_number(value);
	if (value->type != JENTRY_ISCONTAINER)
		return value->type ^ hash_bytes_extended((const unsigned char *) value->data,
												 value->len, hash_seed());
	if (memo == NULL || value->len <= MEMO_MIN_BYTES)
		return hash_container(value, memo);
	return memo_container(value, memo);
}
