/*-------------------------------------------------------------------------
 *
 * identifier.c
 *	  Universally unique identifiers, RFC 9562.
 *
 * The names are those of PostgreSQL 18, so that a schema moves to the
 * server's own functions by a change of prefix.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "common/cryptohash.h"
#include "common/sha1.h"
#include "datatype/timestamp.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(dtmodel_uuidv4);
PG_FUNCTION_INFO_V1(dtmodel_uuidv5);
PG_FUNCTION_INFO_V1(dtmodel_uuidv7);
PG_FUNCTION_INFO_V1(dtmodel_uuidv7_shifted);
PG_FUNCTION_INFO_V1(dtmodel_uuid_timestamp);

/* One system call reads this many random bytes. */
#define RANDOM_BUFFER_SIZE 4096

#define NS_PER_MS INT64CONST(1000000)
#define NS_PER_US INT64CONST(1000)

/* A UUIDv7 has 12 bits for the fraction of a millisecond: 1/4096 ms each. */
#define V7_SUBMS_BITS 12
#define V7_STEP_NS (NS_PER_MS / (1 << V7_SUBMS_BITS) + 1)

/* From the Gregorian reform, the epoch of versions 1 and 6, to 1970. */
#define GREGORIAN_TO_UNIX_US INT64CONST(12219292800000000)

#define UNIX_TO_POSTGRES_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/*
 * Copies strong random bytes from a buffer and clears them there, so that no
 * identifier can be found in memory later.  A process that was forked with a
 * filled buffer must not use it.
 */
static void
get_random_bytes(uint8 *target, size_t length)
{
	static uint8 buffer[RANDOM_BUFFER_SIZE];
	static size_t used = RANDOM_BUFFER_SIZE;
	static int	owner = 0;

	if (used + length > RANDOM_BUFFER_SIZE || owner != MyProcPid)
	{
		used = RANDOM_BUFFER_SIZE;
		if (!pg_strong_random(buffer, RANDOM_BUFFER_SIZE))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		used = 0;
		owner = MyProcPid;
	}
	memcpy(target, buffer + used, length);
	memset(buffer + used, 0, length);
	used += length;
}

static void
set_version(pg_uuid_t *uuid, uint8 version)
{
	uuid->data[6] = (uuid->data[6] & 0x0f) | (version << 4);
	uuid->data[8] = (uuid->data[8] & 0x3f) | 0x80;	/* the RFC's variant */
}

/*
 * uuidv4() returns uuid
 *
 * A random identifier of 122 bits.  Source: RFC 9562, section 5.4.
 */
Datum
dtmodel_uuidv4(PG_FUNCTION_ARGS pg_attribute_unused())
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	get_random_bytes(uuid->data, UUID_LEN);
	set_version(uuid, 4);
	PG_RETURN_UUID_P(uuid);
}

/*
 * The time in nanoseconds since 1970, but later than at the last call by at
 * least the resolution of a UUIDv7, even if the clock is set back.
 */
static int64
ascending_time_ns(void)
{
	static int64 last = 0;
	struct timespec now;
	int64		ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64) now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
	if (ns < last + V7_STEP_NS)
		ns = last + V7_STEP_NS;
	last = ns;
	return ns;
}

static pg_uuid_t *
make_uuidv7(int64 ns)
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	uint64		ms = ns / NS_PER_MS;
	uint32		fraction = ((ns % NS_PER_MS) << V7_SUBMS_BITS) / NS_PER_MS;

	for (int i = 0; i < 6; i++)
		uuid->data[i] = (uint8) (ms >> (40 - 8 * i));
	uuid->data[6] = (uint8) (fraction >> 8);
	uuid->data[7] = (uint8) fraction;
	get_random_bytes(uuid->data + 8, UUID_LEN - 8);
	set_version(uuid, 7);
	return uuid;
}

/*
 * uuidv7() returns uuid
 *
 * An identifier that begins with the time, so that new keys are added at the
 * end of their index.  Within a backend each one is greater than the one
 * before.  Source: RFC 9562, section 5.7, and section 6.2, method 3.
 */
Datum
dtmodel_uuidv7(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PG_RETURN_UUID_P(make_uuidv7(ascending_time_ns()));
}

/*
 * The time shifted by an interval, with the server's own calendar.  It must
 * still fit into 64 bits of nanoseconds.
 */
static int64
shift_time_ns(int64 ns, Interval *shift)
{
	TimestampTz time = ns / NS_PER_US - UNIX_TO_POSTGRES_US;

	time = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(time),
												   IntervalPGetDatum(shift)));
	if (time < -UNIX_TO_POSTGRES_US ||
		time >= PG_INT64_MAX / NS_PER_US - UNIX_TO_POSTGRES_US)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("interval out of range"),
				 errdetail("The identifier would hold a time before 1970 or after 2262.")));
	return (time + UNIX_TO_POSTGRES_US) * NS_PER_US + ns % NS_PER_US;
}

/*
 * uuidv7(shift interval) returns uuid
 *
 * The same with its time shifted by the interval, for rows of another time.
 * A time before 1970 or after 2262 is an error (22008).  NULL for NULL.
 */
Datum
dtmodel_uuidv7_shifted(PG_FUNCTION_ARGS)
{
	int64		ns = shift_time_ns(ascending_time_ns(), PG_GETARG_INTERVAL_P(0));

	PG_RETURN_UUID_P(make_uuidv7(ns));
}

/*
 * The server's own SHA-1 of two pieces of data, so that no library for it has
 * to be loaded into every session.
 */
static void
hash_sha1(uint8 *digest, const uint8 *first, size_t first_length,
		  const uint8 *second, size_t second_length)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA1);

	if (hash == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	if (pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, first, first_length) < 0 ||
		pg_cryptohash_update(hash, second, second_length) < 0 ||
		pg_cryptohash_final(hash, digest, SHA1_DIGEST_LENGTH) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute SHA-1 hash")));
	pg_cryptohash_free(hash);
}

/*
 * uuidv5(namespace uuid, name text) returns uuid
 *
 * The identifier that the name has in the namespace: the same arguments give
 * the same identifier everywhere, since the name is hashed in UTF-8 whatever
 * the encoding of the database.  NULL if an argument is NULL.
 * Source: RFC 9562, section 5.5.
 */
Datum
dtmodel_uuidv5(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *namespace = PG_GETARG_UUID_P(0);
	text	   *name = PG_GETARG_TEXT_PP(1);
	int			length = VARSIZE_ANY_EXHDR(name);
	char	   *utf8 = pg_server_to_any(VARDATA_ANY(name), length, PG_UTF8);
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	uint8		digest[SHA1_DIGEST_LENGTH];

	if (utf8 != VARDATA_ANY(name))
		length = strlen(utf8);
	hash_sha1(digest, namespace->data, UUID_LEN, (uint8 *) utf8, length);
	memcpy(uuid->data, digest, UUID_LEN);
	set_version(uuid, 5);
	PG_RETURN_UUID_P(uuid);
}

/* A big-endian number from the identifier's bytes. */
static uint64
read_bytes(const pg_uuid_t *uuid, int first, int count)
{
	uint64		value = 0;

	for (int i = first; i < first + count; i++)
		value = value << 8 | uuid->data[i];
	return value;
}

/* 60 bits of 100 ns since the Gregorian reform, to microseconds since 1970. */
static int64
gregorian_to_unix_us(uint64 ticks)
{
	return (int64) (ticks / 10) - GREGORIAN_TO_UNIX_US;
}

/*
 * uuid_timestamp(uuid) returns timestamptz
 *
 * The time that an identifier of version 1, 6 or 7 holds, in microseconds for
 * 1 and 6 and in milliseconds for 7, whose other bits may be random.  NULL
 * for other versions, and for NULL.  Source: RFC 9562, sections 5.1, 5.6 and
 * 5.7.
 */
Datum
dtmodel_uuid_timestamp(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *uuid = PG_GETARG_UUID_P(0);
	int64		us;

	if ((uuid->data[8] & 0xc0) != 0x80)
		PG_RETURN_NULL();

	switch (uuid->data[6] >> 4)
	{
		case 1:
			us = gregorian_to_unix_us((read_bytes(uuid, 6, 2) & 0x0fff) << 48 |
									  read_bytes(uuid, 4, 2) << 32 |
									  read_bytes(uuid, 0, 4));
			break;
		case 6:
			us = gregorian_to_unix_us(read_bytes(uuid, 0, 6) << 12 |
									  (read_bytes(uuid, 6, 2) & 0x0fff));
			break;
		case 7:
			us = read_bytes(uuid, 0, 6) * 1000;
			break;
		default:
			PG_RETURN_NULL();
	}
	PG_RETURN_TIMESTAMPTZ(us - UNIX_TO_POSTGRES_US);
}
