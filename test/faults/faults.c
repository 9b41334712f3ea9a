/*-------------------------------------------------------------------------
 *
 * faults.c
 *	  Lets a call of dtmodel to the server fail, as if memory ran out in it.
 *
 * Each function of WRAP() is called through a wrapper that counts the calls
 * (the linker's --wrap).  The call with the number that arm() was given raises
 * an error instead.  The server may raise one in every one of these functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "optimizer/planner.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(faults_arm);
PG_FUNCTION_INFO_V1(faults_calls);

static int64 calls;				/* since arm() */
static int64 failing;			/* the number of the call that fails; 0: none */

static void
fault(const char *function)
{
	if (++calls != failing)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg_internal("call " INT64_FORMAT " of the server fails: %s", calls,
							 function)));
}

/*
 * arm(call bigint): the call with this number fails, counted from here.  With 0
 * they are only counted.
 */
Datum
faults_arm(PG_FUNCTION_ARGS)
{
	calls = 0;
	failing = PG_GETARG_INT64(0);
	PG_RETURN_VOID();
}

/*
 * calls() returns bigint: how many there were since arm().  Where one of them
 * had to fail, and the statement has worked, its transaction must not.
 */
Datum
faults_calls(PG_FUNCTION_ARGS)
{
	int64		call = failing;

	failing = 0;
	if (call > 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg_internal(calls < call ? "there was no such call" :
								 "the statement has worked")));
	PG_RETURN_INT64(calls);
}

#define WRAP(type, function, parameters, arguments) \
	extern type __real_##function parameters; \
	extern type __wrap_##function parameters; \
	type __wrap_##function parameters \
	{ \
		fault(#function); \
		return __real_##function arguments; \
	}

#define WRAP_VOID(function, parameters, arguments) \
	extern void __real_##function parameters; \
	extern void __wrap_##function parameters; \
	void __wrap_##function parameters \
	{ \
		fault(#function); \
		__real_##function arguments; \
	}

/* memory */
WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, palloc_extended, (Size size, int flags), (size, flags))
WRAP(void *, repalloc, (void *pointer, Size size), (pointer, size))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocExtended, (MemoryContext context, Size size, int flags), (context, size, flags))
WRAP(char *, MemoryContextStrdup, (MemoryContext context, const char *string), (context, string))
WRAP(char *, pstrdup, (const char *in), (in))
WRAP(char *, pnstrdup, (const char *in, Size len), (in, len))
WRAP_VOID(initStringInfo, (StringInfo str), (str))
WRAP_VOID(appendStringInfoString, (StringInfo str, const char *s), (str, s))
WRAP_VOID(enlargeStringInfo, (StringInfo str, int needed), (str, needed))
WRAP(List *, lappend, (List *list, void *datum), (list, datum))
WRAP(List *, lappend_oid, (List *list, Oid datum), (list, datum))
WRAP(List *, lcons_oid, (Oid datum, List *list), (datum, list))
WRAP(Bitmapset *, bms_add_member, (Bitmapset *a, int x), (a, x))
WRAP(void *, copyObjectImpl, (const void *from), (from))
WRAP(Datum, datumCopy, (Datum value, bool byval, int len), (value, byval, len))
WRAP(HTAB *, hash_create, (const char *name, long size, const HASHCTL *info, int flags), (name, size, info, flags))

/* Looking for an entry, and removing it, never fail. */
extern void *__real_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found);
extern void *__wrap_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found);
void *
__wrap_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found)
{
	if (action == HASH_ENTER)
		fault("hash_search");
	return __real_hash_search(table, key, action, found);
}

/* catalogs, tables and locks */
WRAP(HeapTuple, SearchSysCache1, (int id, Datum key), (id, key))
WRAP(TypeCacheEntry *, lookup_type_cache, (Oid type, int flags), (type, flags))
WRAP(Relation, table_open, (Oid relid, LOCKMODE mode), (relid, mode))
WRAP(Relation, relation_open, (Oid relid, LOCKMODE mode), (relid, mode))
WRAP(Relation, try_relation_open, (Oid relid, LOCKMODE mode), (relid, mode))
WRAP(Relation, index_open, (Oid relid, LOCKMODE mode), (relid, mode))
WRAP_VOID(LockRelationOid, (Oid relid, LOCKMODE mode), (relid, mode))
WRAP(SysScanDesc, systable_beginscan, (Relation heap, Oid index, bool ok, Snapshot snapshot, int nkeys, ScanKey key), (heap, index, ok, snapshot, nkeys, key))
WRAP(HeapTuple, systable_getnext, (SysScanDesc scan), (scan))
WRAP(List *, RelationGetIndexList, (Relation rel), (rel))

/* rows */
WRAP(HeapTuple, heap_form_tuple, (TupleDesc desc, Datum *values, bool *nulls), (desc, values, nulls))
WRAP(HeapTuple, heap_copytuple, (HeapTuple tuple), (tuple))
WRAP(HeapTuple, ExecFetchSlotHeapTuple, (TupleTableSlot *slot, bool materialize, bool *should_free), (slot, materialize, should_free))

/* statements */
WRAP(int, SPI_connect, (void), ())
WRAP(SPIPlanPtr, SPI_prepare, (const char *source, int nargs, Oid *types), (source, nargs, types))
WRAP(int, SPI_keepplan, (SPIPlanPtr plan), (plan))
WRAP(int, SPI_execute, (const char *source, bool read_only, long count), (source, read_only, count))
WRAP(int, SPI_execute_plan_extended, (SPIPlanPtr plan, const SPIExecuteOptions *options), (plan, options))
WRAP(CachedPlan *, GetCachedPlan, (CachedPlanSource *source, ParamListInfo params, ResourceOwner owner, QueryEnvironment *environment), (source, params, owner, environment))
WRAP_VOID(CommandCounterIncrement, (void), ())
WRAP_VOID(BeginInternalSubTransaction, (const char *name), (name))
WRAP_VOID(ReleaseCurrentSubTransaction, (void), ())
WRAP(Snapshot, RegisterSnapshot, (Snapshot snapshot), (snapshot))
WRAP_VOID(standard_ExecutorStart, (QueryDesc *query, int flags), (query, flags))
WRAP_VOID(standard_ExecutorFinish, (QueryDesc *query), (query))
