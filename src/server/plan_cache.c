/*-------------------------------------------------------------------------
 *
 * plan_cache.c
 *	  Saved plans, one for each table, purpose, set of columns and user.
 *
 * A plan is saved with the text of its query, which names tables and columns.
 * If one of them is renamed, the server would parse that text again and find
 * nothing, or something else.  So a plan that is not valid any more is
 * discarded and its query is built again, as the server's own foreign keys
 * do.
 *
 * USAGE on a table's schema is checked only when a query is parsed.  So each
 * user has separate plans.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "server/plan_cache.h"
#include "server/query_text.h"
#include "tcop/pquery.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

/* The least recently used plan makes room for a new one. */
#define PLAN_CACHE_SIZE 128

typedef struct PlanKey
{
	Oid			relid;
	Oid			user;
	int			purpose;
	uint32		hash;			/* of the set; two sets may have the same
								 * hash */
} PlanKey;

typedef struct SavedPlan
{
	PlanKey		key;			/* hash key */
	Bitmapset  *set;
	SPIPlanPtr	plan;
	dlist_node	use;			/* in plans_by_use */
} SavedPlan;

static HTAB *plan_cache = NULL;
static dlist_head plans_by_use = DLIST_STATIC_INIT(plans_by_use);

/*
 * A discarded plan may still be running: a trigger may change the table, or
 * use many others.  Such plans are freed when no plan is running.
 */
static int	running = 0;
static List *discarded = NIL;

/* The text of the plan that was started last, of those that are running. */
static const char *running_text = NULL;

static void
free_discarded(void)
{
	while (discarded != NIL)
	{
		SPIPlanPtr	plan = (SPIPlanPtr) linitial(discarded);

		discarded = list_delete_first(discarded);
		(void) SPI_freeplan(plan);
	}
}

static void
discard(SPIPlanPtr plan)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	discarded = lappend(discarded, plan);
	MemoryContextSwitchTo(caller);
	if (running == 0)
		free_discarded();
}

static void
remove_plan(SavedPlan *saved)
{
	SPIPlanPtr	plan = saved->plan;

	dlist_delete(&saved->use);
	bms_free(saved->set);
	(void) hash_search(plan_cache, &saved->key, HASH_REMOVE, NULL);
	discard(plan);
}

static void
create_cache(void)
{
	HASHCTL		control = {
		.keysize = sizeof(PlanKey),
		.entrysize = sizeof(SavedPlan),
	};

	plan_cache = hash_create("dtmodel plans", PLAN_CACHE_SIZE, &control,
							 HASH_ELEM | HASH_BLOBS);
}

bool
dtmodel_is_own_query(const char *query)
{
	return dtmodel_starts_with(query, DT_OWN_QUERY);
}

static PlanKey
make_key(Oid relid, DtPlanPurpose purpose, const Bitmapset *set)
{
	PlanKey		key = {.relid = relid,.purpose = purpose};

	key.user = GetUserId();
	key.hash = bms_hash_value(set);
	return key;
}

/* The saved plan, if there is one that is still valid for the table. */
static SPIPlanPtr
find_saved(Oid object, DtPlanPurpose purpose, const Bitmapset *set)
{
	PlanKey		key = make_key(object, purpose, set);
	SavedPlan  *saved;

	if (plan_cache == NULL)
		create_cache();
	saved = hash_search(plan_cache, &key, HASH_FIND, NULL);
	if (saved == NULL || !bms_equal(saved->set, set))
		return NULL;
	if (!SPI_plan_is_valid(saved->plan))
	{
		remove_plan(saved);
		return NULL;
	}
	dlist_move_head(&plans_by_use, &saved->use);
	return saved->plan;
}

/* Looks for a plan of a table, or of a foreign key. */
DtPlan
dtmodel_find_plan(Oid object, DtPlanPurpose purpose, const Bitmapset *set)
{
	DtPlan		plan = {.object = object,.purpose = purpose,.set = set};

	plan.saved = find_saved(object, purpose, set);
	if (plan.saved == NULL)
		initStringInfo(&plan.query);
	return plan;
}

static Bitmapset *
keep_set(const Bitmapset *set)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
	Bitmapset  *kept = bms_copy(set);

	MemoryContextSwitchTo(caller);
	return kept;
}

/* Adds a plan to the cache, in place of one with the same hash. */
static void
enter_plan(const PlanKey *key, Bitmapset *set, SPIPlanPtr plan)
{
	SavedPlan  *saved = hash_search(plan_cache, key, HASH_FIND, NULL);

	if (saved != NULL)
		remove_plan(saved);
	if (hash_get_num_entries(plan_cache) >= PLAN_CACHE_SIZE)
		remove_plan(dlist_tail_element(SavedPlan, use, &plans_by_use));
	saved = hash_search(plan_cache, key, HASH_ENTER, NULL);
	saved->set = set;
	saved->plan = plan;
	dlist_push_head(&plans_by_use, &saved->use);
}

/* Whether plans of this purpose read rows for the caller of a function. */
static bool
shows_past(DtPlanPurpose purpose)
{
	switch (purpose)
	{
		case DT_PLAN_GET:
		case DT_PLAN_EXISTS:
		case DT_PLAN_COUNT:
		case DT_PLAN_LIST:
		case DT_PLAN_LIST_DELETED:
		case DT_PLAN_NEXT_DELETION:
		case DT_PLAN_FIND:
		case DT_PLAN_FIND_LIVE:
			return true;
		default:
			return false;
	}
}

static SPIPlanPtr
prepare(const char *query, int nargs, Oid *types, int options)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(psprintf(DT_OWN_QUERY "%s", query),
										  nargs, types, options);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", query,
			 SPI_result_code_string(SPI_result));
	return plan;
}

static SPIPlanPtr
save(const DtPlan *plan, int nargs, Oid *types, int options)
{
	PlanKey		key = make_key(plan->object, plan->purpose, plan->set);
	const char *reads = shows_past(plan->purpose) ? DT_SHOWS_PAST : "";
	SPIPlanPtr	saved = prepare(psprintf("%s%s", reads, plan->query.data),
								nargs, types, options);

	SPI_keepplan(saved);
	enter_plan(&key, keep_set(plan->set), saved);
	return saved;
}

/* Prepares the query in plan->query and saves its plan. */
SPIPlanPtr
dtmodel_save_plan(const DtPlan *plan, int nargs, Oid *types)
{
	return save(plan, nargs, types, 0);
}

SPIPlanPtr
dtmodel_save_generic_plan(const DtPlan *plan, int nargs, Oid *types)
{
	return save(plan, nargs, types, CURSOR_OPT_GENERIC_PLAN);
}

/*
 * A copy of the query of a saved plan, as the server has rewritten it for the
 * current user.  Its tables are locked.
 */
Query *
dtmodel_query_of_plan(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	/* This is the only function that revalidates a query and does not plan it. */
	(void) CachedPlanGetTargetList(source, NULL);
	return copyObject(linitial_node(Query, source->query_list));
}

/*
 * Whether a statement is a plan of ours that is running.  Any client can send
 * the same text, but not the same string in memory.
 */
bool
dtmodel_is_run_by_us(const char *query)
{
	return query != NULL && query == running_text;
}

/* Returns what end_run() needs. */
static const char *
begin_run(SPIPlanPtr plan)
{
	const char *outer = running_text;
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	running++;
	running_text = source->query_string;
	return outer;
}

static void
end_run(const char *outer)
{
	running_text = outer;
	running--;
	if (running == 0)
		free_discarded();
}

/* No list instead of an empty one, as the server itself does. */
static ParamListInfo
make_parameters(SPIPlanPtr plan, const Datum *values, const char *nulls)
{
	int			count = SPI_getargcount(plan);
	ParamListInfo parameters = count > 0 ? makeParamList(count) : NULL;

	for (int i = 0; i < count; i++)
	{
		parameters->params[i].value = values[i];
		parameters->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		parameters->params[i].pflags = PARAM_FLAG_CONST;
		parameters->params[i].ptype = SPI_getargtypeid(plan, i);
	}
	return parameters;
}

/*
 * The hook for the value of a parameter, when the planner or the executor
 * reads it.
 */
static ParamExternData *
read_parameter(ParamListInfo parameters, int number, bool speculative,
			   ParamExternData *workspace pg_attribute_unused())
{
	const DtCallbackParameters *callbacks = (const DtCallbackParameters *) parameters->paramFetchArg;
	ParamExternData *parameter = &parameters->params[number - 1];
	int			which = number - 1 - (parameters->numParams - callbacks->count);

	if (which >= 0 && !speculative)
		parameter->value = BoolGetDatum(callbacks->value(callbacks->caller, which));
	return parameter;
}

/*
 * Makes the last parameters call back.  Their given values are for the
 * planner's estimates; they are not constants, so the planner cannot rely on
 * them.
 */
static void
set_callback_parameters(ParamListInfo parameters, DtCallbackParameters *callbacks)
{
	parameters->paramFetch = read_parameter;
	parameters->paramFetchArg = callbacks;
	for (int i = parameters->numParams - callbacks->count; i < parameters->numParams; i++)
		parameters->params[i].pflags = 0;
}

/* Runs a saved plan, which is not freed while it runs. */
static void
run_with_options(SPIPlanPtr plan, SPIExecuteOptions options)
{
	const char *outer = begin_run(plan);

	PG_TRY();
	{
		(void) SPI_execute_plan_extended(plan, &options);
	}
	PG_CATCH();
	{
		end_run(outer);
		PG_RE_THROW();
	}
	PG_END_TRY();
	end_run(outer);
}

static void
run(SPIPlanPtr plan, const Datum *values, const char *nulls,
	SPIExecuteOptions options)
{
	options.params = make_parameters(plan, values, nulls);
	run_with_options(plan, options);
}

/* Runs a saved plan as the caller; SPI has the result. */
void
dtmodel_run_plan(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	run(plan, values, nulls, (SPIExecuteOptions) {0});
}

/* The same for a query with the caller's own snapshot. */
void
dtmodel_read_plan(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	run(plan, values, nulls, (SPIExecuteOptions) {.read_only = true});
}

/* The same, but rows are passed to a receiver one by one. */
void
dtmodel_run_plan_into(SPIPlanPtr plan, Datum *values, const char *nulls,
					  bool read_only, DestReceiver *receiver)
{
	run(plan, values, nulls,
		(SPIExecuteOptions) {.read_only = read_only,.dest = receiver});
}

/*
 * The same for a plan whose last parameters are callbacks; "values" has true
 * for each of them.
 */
void
dtmodel_run_plan_with_callback(SPIPlanPtr plan, Datum *values,
							   const char *nulls,
							   DtCallbackParameters *callbacks,
							   DestReceiver *receiver)
{
	SPIExecuteOptions options = {.dest = receiver};

	options.params = make_parameters(plan, values, nulls);
	set_callback_parameters(options.params, callbacks);
	run_with_options(plan, options);
}

/* Runs a SELECT up to its first row, with the caller's snapshot. */
static void
execute_select(CachedPlanSource *source, CachedPlan *plan,
			   ParamListInfo parameters, DestReceiver *receiver)
{
	QueryDesc  *query = CreateQueryDesc(linitial_node(PlannedStmt, plan->stmt_list),
										source->query_string,
										GetActiveSnapshot(), InvalidSnapshot,
										receiver, parameters, NULL, 0);

	ExecutorStart(query, EXEC_FLAG_SKIP_TRIGGERS);
	compat_executor_run_once(query, 1);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
}

static void
read_first_row(CachedPlanSource *source, ParamListInfo parameters,
			   DestReceiver *receiver)
{
	CachedPlan *plan = GetCachedPlan(source, parameters, CurrentResourceOwner,
									 NULL);

	execute_select(source, plan, parameters, receiver);
	ReleaseCachedPlan(plan, CurrentResourceOwner);
}

/*
 * Runs a saved SELECT with the caller's own snapshot, and passes its first
 * row, if any, to the receiver.  It calls the executor directly, as the
 * server's SQL functions do, since connecting to SPI would take longer than a
 * look-up by key.  The plan and the query belong to the current resource
 * owner and memory context, so an error releases them.
 */
void
dtmodel_read_first_row(SPIPlanPtr plan, Datum *values, const char *nulls,
					   DestReceiver *receiver)
{
	const char *outer;

	EnsurePortalSnapshotExists();
	outer = begin_run(plan);
	PG_TRY();
	{
		read_first_row(linitial(SPI_plan_get_plan_sources(plan)),
					   make_parameters(plan, values, nulls), receiver);
	}
	PG_CATCH();
	{
		end_run(outer);
		PG_RE_THROW();
	}
	PG_END_TRY();
	end_run(outer);
}

static void
execute_in_trigger(SPIPlanPtr plan, Datum *values, long limit)
{
	Snapshot	snapshot = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;

	if (IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	(void) SPI_execute_snapshot(plan, values, NULL, snapshot, crosscheck,
								false, false, limit);
}

/*
 * Runs a saved plan as the server's own foreign keys run theirs: triggers
 * that it fires wait for the end of the outer statement, and in a transaction
 * with a snapshot of its own it sees the rows that others have committed
 * since, or raises a serialization failure if it would have to change them.
 */
void
dtmodel_run_plan_in_trigger(SPIPlanPtr plan, Datum *values, long limit)
{
	const char *outer = begin_run(plan);

	PG_TRY();
	{
		execute_in_trigger(plan, values, limit);
	}
	PG_CATCH();
	{
		end_run(outer);
		PG_RE_THROW();
	}
	PG_END_TRY();
	end_run(outer);
}
