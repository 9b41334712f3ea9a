/*-------------------------------------------------------------------------
 *
 * bench.c
 *	  What a backend spends, and an UPDATE row trigger that does
 *	  nothing: what any trigger in C costs at least.  Part of the benchmark
 *	  only.
 *
 * The processor time and the WAL of this backend alone hardly depend on what
 * else the machine does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "commands/trigger.h"
#include "executor/instrument.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_nothing);
PG_FUNCTION_INFO_V1(bench_cpu);
PG_FUNCTION_INFO_V1(bench_start);
PG_FUNCTION_INFO_V1(bench_stop);

static double cpu_at_start;
static uint64 wal_at_start;

Datum
bench_nothing(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(((TriggerData *) fcinfo->context)->tg_newtuple);
}

static double
cpu_milliseconds(void)
{
	struct timespec spent;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0)
		elog(ERROR, "could not read the processor time: %m");
	return spent.tv_sec * 1e3 + spent.tv_nsec / 1e6;
}

/* The milliseconds of processor time since the backend began. */
Datum
bench_cpu(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(cpu_milliseconds());
}

Datum
bench_start(PG_FUNCTION_ARGS)
{
	wal_at_start = pgWalUsage.wal_bytes;
	cpu_at_start = cpu_milliseconds();
	PG_RETURN_VOID();
}

/*
 * Says what was spent since bench_start(), in a message that every client
 * prints.
 */
Datum
bench_stop(PG_FUNCTION_ARGS)
{
	double		cpu = cpu_milliseconds() - cpu_at_start;
	uint64		wal = pgWalUsage.wal_bytes - wal_at_start;

	elog(INFO, "spent %.4f %llu", cpu, (unsigned long long) wal);
	PG_RETURN_VOID();
}
