/*-------------------------------------------------------------------------
 *
 * json_steps.c
 *	  Counts the steps that the functions on jsonb take.
 *
 * How long a function takes depends on the machine and on what else it does;
 * how many steps it takes does not.  The files of src/json are compiled so that
 * they call a function at every branch, which counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(json_steps);
PG_FUNCTION_INFO_V1(json_uninterruptible_steps);

/* Bytes that are compared or moved in one step. */
#define STEP_BYTES 16

extern PGDLLEXPORT void __sanitizer_cov_trace_pc(void);
extern void json_steps_check(void);
extern int	json_steps_compare(const void *a, const void *b, size_t n);
extern void *json_steps_copy(void *to, const void *from, size_t n);

static int64 steps;
static int64 last_check;		/* steps at the last check for interrupts */
static int64 longest;			/* most steps between two checks */

/* Called by the compiler's code. */
void
__sanitizer_cov_trace_pc(void)
{
	steps++;
}

static void
note_check(void)
{
	longest = Max(longest, steps - last_check);
	last_check = steps;
}

void
json_steps_check(void)
{
	note_check();
	CHECK_FOR_INTERRUPTS();
}

/* Only the bytes up to the first that differ are compared. */
int
json_steps_compare(const void *a, const void *b, size_t n)
{
	const char *x = a;
	const char *y = b;
	size_t		at = 0;
	int			order = 0;

	for (; at < n && order == 0; at += STEP_BYTES)
	{
		order = memcmp(x + at, y + at, Min(n - at, STEP_BYTES));
		steps++;
	}
	return order;
}

void *
json_steps_copy(void *to, const void *from, size_t n)
{
	steps += n / STEP_BYTES;
	return memmove(to, from, n);
}

/*
 * json_steps() RETURNS bigint
 *
 * The steps since the last call.
 */
Datum
json_steps(PG_FUNCTION_ARGS)
{
	int64		counted = steps;

	steps = last_check = longest = 0;
	PG_RETURN_INT64(counted);
}

/*
 * json_uninterruptible_steps() RETURNS bigint
 *
 * The most steps between two checks for interrupts, since the last call of
 * json_steps.
 */
Datum
json_uninterruptible_steps(PG_FUNCTION_ARGS)
{
	note_check();
	PG_RETURN_INT64(longest);
}
