/*-------------------------------------------------------------------------
 *
 * dtmodel.c
 *	  The front door: the library's magic block, its settings, and what has
 *	  to be put in place when a backend loads it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mixin/slug.h"
#include "mixin/soft_cascade.h"
#include "mixin/soft_executor.h"
#include "mixin/soft_rewrite.h"
#include "miscadmin.h"
#include "model/actor.h"
#include "model/plan_cache.h"
#include "optimizer/planner.h"
#include "replication/walsender.h"
#include "server/inline.h"
#include "server/query_text.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/varlena.h"

PG_MODULE_MAGIC;

bool		dtmodel_preserve_timestamps = false;
bool		dtmodel_hard_delete = false;
char	   *dtmodel_actor_setting = NULL;
bool		dtmodel_actor_locked = false;
bool		dtmodel_is_loaded = false;

static bool with_deleted = false;
static bool rewrite = true;
static bool is_in_planner = false;
static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(dtmodel_tier);

/* Whether the library was preloaded, so that it has a say in the planner. */
bool
dtmodel_is_preloaded(void)
{
	return is_in_planner;
}

/* Whether the planner makes DELETE soft and hides rows in this session. */
bool
dtmodel_rewrites(void)
{
	return is_in_planner && rewrite;
}

/*
 * tier() returns text
 *
 * What makes a DELETE soft in this session: "preloaded" for the planner, and
 * "trigger" where the library is not preloaded or dtmodel.rewrite is off.
 */
Datum
dtmodel_tier(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PG_RETURN_TEXT_P(cstring_to_text(dtmodel_rewrites() ?
									 "preloaded" : "trigger"));
}

/* What cannot have an effect is shown as off. */
static const char *
show_rewrite(void)
{
	return dtmodel_rewrites() ? "on" : "off";
}

/*
 * Plans that were made under the old value do not fit the new one.  Those
 * that the server made without us have nothing to do with it.
 */
static void
forget_plans(bool newval pg_attribute_unused(),
			 void *extra pg_attribute_unused())
{
	if (is_in_planner)
		ResetPlanCache();
}

/* Whether a list of libraries, as the settings have them, names this one. */
static bool
names_this_library(const char *setting)
{
	List	   *libraries = NIL;
	ListCell   *cell;

	if (setting == NULL ||
		!SplitDirectoriesString(pstrdup(setting), ',', &libraries))
		return false;
	foreach(cell, libraries)
	{
		const char *name = lfirst(cell);
		const char *slash = strrchr(name, '/');

		name = slash == NULL ? name : slash + 1;
		if (strcmp(name, "dtmodel") == 0 || strcmp(name, "dtmodel.so") == 0)
			return true;
	}
	return false;
}

/*
 * Whether the library was preloaded, for the server, the database, the role
 * or the session.  A library that is loaded by the first call of a function
 * leaves the planner alone: a session behaves one way from start to end.
 */
static bool
is_preloaded(void)
{
	if (process_shared_preload_libraries_in_progress)
		return true;
	if (!IsParallelWorker() && debug_query_string != NULL)
		return false;
	return names_this_library(shared_preload_libraries_string) ||
		names_this_library(session_preload_libraries_string) ||
		names_this_library(local_preload_libraries_string);
}

/*
 * Whether hidden rows are to be hidden from a query.  Not from our own, which
 * say themselves what they want, nor from those that must have every row:
 * dumps, and the copy of a table that a subscriber begins with.
 */
static bool
is_hiding(const char *query_string)
{
	return !with_deleted && !am_walsender &&
		!dtmodel_is_own_query(query_string) &&
		!dtmodel_is_dump_query(query_string);
}

static PlannedStmt *
plan(Query *parse, const char *query_string, int cursor_options,
	 ParamListInfo params COMPAT_EXPLAIN_PARAMETER)
{
	PlannerGlobal *hiding = NULL;
	bool		was_delete = false;
	PlannedStmt *planned;

	/* The server's foreign keys have to see and to delete what is there. */
	if (rewrite && !dtmodel_is_foreign_key_query(query_string))
	{
		if (is_hiding(query_string))
		{
			hiding = makeNode(PlannerGlobal);
			hiding->boundParams = params;
		}
		was_delete = dtmodel_rewrite_query(parse, hiding);
	}

	planned = next_planner != NULL ?
		next_planner(parse, query_string, cursor_options,
					 params COMPAT_EXPLAIN_ARGUMENT) :
		standard_planner(parse, query_string, cursor_options,
						 params COMPAT_EXPLAIN_ARGUMENT);

	/* A client that sent a DELETE is told "DELETE" and how many. */
	if (was_delete)
		planned->commandType = CMD_DELETE;
	if (hiding != NULL)
		dtmodel_depend_on_inlined(planned, hiding);
	return planned;
}

static void
start_executor(QueryDesc *query, int eflags)
{
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	dtmodel_prepare_statement(query, is_in_planner && rewrite &&
							  is_hiding(query->sourceText));
	dtmodel_prepare_new_slug(query);
}

static void
finish_executor(QueryDesc *query)
{
	if (next_executor_finish != NULL)
		next_executor_finish(query);
	else
		standard_ExecutorFinish(query);
	dtmodel_finish_restores(query);
}

/* The lock goes before what it locks: an actor may be waiting already. */
static void
define_actor(void)
{
	DefineCustomBoolVariable("dtmodel.actor_locked",
							 "Lets only roles that were granted SET on dtmodel.actor say who acts.",
							 "For all others the role itself acts. Set it for the server or the database.",
							 &dtmodel_actor_locked,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("dtmodel.actor",
							   "Who acts: recorded in the columns of audit.",
							   "When it is empty, the role acts: the session's, or the one of SET ROLE.",
							   &dtmodel_actor_setting,
							   "",
							   PGC_USERSET,
							   0,
							   dtmodel_check_actor, dtmodel_assign_actor, NULL);
}

static void
define_settings(void)
{
	DefineCustomBoolVariable("dtmodel.preserve_timestamps",
							 "Lets INSERT and UPDATE write the columns that record when and by whom rows were created and updated.",
							 "For imports. Only superusers, and roles granted SET on it, may turn it on.",
							 &dtmodel_preserve_timestamps,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomBoolVariable("dtmodel.hard_delete",
							 "Makes DELETE on a soft-delete model physical.",
							 "Needs the TRUNCATE privilege on the table besides DELETE.",
							 &dtmodel_hard_delete,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, forget_plans, NULL);

	DefineCustomBoolVariable("dtmodel.with_deleted",
							 "Shows the deleted rows of models that hide them.",
							 NULL,
							 &with_deleted,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, forget_plans, NULL);

	DefineCustomBoolVariable("dtmodel.rewrite",
							 "Lets the planner make DELETE soft and hide deleted rows.",
							 "Has an effect only where the library is preloaded. Without it the triggers make DELETE soft, and nothing is hidden.",
							 &rewrite,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, forget_plans, show_rewrite);

	define_actor();
	MarkGUCPrefixReserved("dtmodel");
	dtmodel_is_loaded = true;
}

void
_PG_init(void)
{
	define_settings();
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_executor;
	if (is_preloaded())
	{
		next_planner = planner_hook;
		planner_hook = plan;
		is_in_planner = true;
	}
}
