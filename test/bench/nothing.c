/*-------------------------------------------------------------------------
 *
 * nothing.c
 *	  A BEFORE UPDATE row trigger that does nothing: what any trigger in C
 *	  costs at least.  Part of the benchmark only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(bench_nothing);

Datum
bench_nothing(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(((TriggerData *) fcinfo->context)->tg_newtuple);
}
