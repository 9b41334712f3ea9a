/*-------------------------------------------------------------------------
 *
 * dtmodel.c
 *	  The entry point of the library: its magic block, and what is set up when
 *	  a backend loads it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "api/inline_list.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "guc.h"
#include "mixin/history/past.h"
#include "mixin/history/statistics.h"
#include "mixin/history/version.h"
#include "mixin/slug/slug.h"
#include "miscadmin.h"
#include "mixin/mixins.h"
#include "mixin/soft_delete/explain.h"
#include "mixin/soft_delete/cascade.h"
#include "mixin/soft_delete/executor.h"
#include "mixin/soft_delete/hide.h"
#include "mixin/soft_delete/rewrite.h"
#include "model/projection.h"
#include "model/send.h"
#include "optimizer/planner.h"
#include "server/inline.h"
#include "server/plan_cache.h"
#include "server/statement.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

PG_MODULE_MAGIC;

static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;
static ProcessUtility_hook_type next_process_utility = NULL;
static ExecutorEnd_hook_type next_executor_end = NULL;

/* How many calls of another planner are running. */
static int	planning_depth = 0;

/* The table that a COPY is about to read by a query, which is to be planned. */
static Oid	copied_table = InvalidOid;

void		_PG_init(void);

PG_FUNCTION_INFO_V1(dtmodel_tier);

/*
 * tier() returns text
 *
 * What makes a DELETE soft in this session: "preloaded" for the planner,
 * "trigger" for the trigger, where the library is not preloaded or
 * dtmodel.rewrite is off.
 */
Datum
dtmodel_tier(PG_FUNCTION_ARGS pg_attribute_unused())
{
	PG_RETURN_TEXT_P(cstring_to_text(dtmodel_rewrites() ?
									 "preloaded" : "trigger"));
}

/*
 * Whether a list of libraries, the value of a server parameter, names this
 * one.
 */
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
 * or the session.  A library that is loaded later, by the first call of one
 * of its functions, does not change the planner: a session behaves the same
 * from its start to its end.  What shared_preload_libraries names is loaded
 * before any session begins.
 */
static bool
is_preloaded(void)
{
	if (process_shared_preload_libraries_in_progress)
		return true;
	if (!IsParallelWorker() && debug_query_string != NULL)
		return false;
	return names_this_library(session_preload_libraries_string) ||
		names_this_library(local_preload_libraries_string);
}

/*
 * A parallel worker loads the library before it has the settings of its
 * leader, session_preload_libraries among them.
 */
static void
follow_leader(void)
{
	if (IsParallelWorker() && !dtmodel_is_preloaded)
		dtmodel_is_preloaded = is_preloaded();
}

/*
 * Calls the next planner.  That of Citus calls this one, with no text, for the
 * parts of the statement.
 */
static PlannedStmt *
plan_next(Query *parse, const char *query_string, int cursor_options,
		  ParamListInfo params COMPAT_EXPLAIN_PARAMETER)
{
	PlannedStmt *planned = NULL;

	if (next_planner == NULL)
		return standard_planner(parse, query_string, cursor_options,
								params COMPAT_EXPLAIN_ARGUMENT);
	planning_depth++;
	PG_TRY();
	{
		planned = next_planner(parse, query_string, cursor_options,
							   params COMPAT_EXPLAIN_ARGUMENT);
	}
	PG_FINALLY();
	{
		planning_depth--;
	}
	PG_END_TRY();
	return planned;
}

static bool
is_of_copy(const Query *query)
{
	return OidIsValid(copied_table) && query->rtable != NIL &&
		linitial_node(RangeTblEntry, query->rtable)->relid == copied_table;
}

static PlannedStmt *
plan(Query *parse, const char *query_string, int cursor_options,
	 ParamListInfo params COMPAT_EXPLAIN_PARAMETER)
{
	DtRewrite	rewrite = {
		.text = is_of_copy(parse) ? DT_OWN_QUERY : query_string,
		.top = parse,
		.params = params,
		.is_part = query_string == NULL && planning_depth > 0,
	};
	DtPast		past = {.text = query_string,.params = params};
	PlannerGlobal *lists = NULL;
	PlannedStmt *planned;

	/* What its policies read is planned as it runs. */
	if (is_of_copy(parse))
		copied_table = InvalidOid;
	follow_leader();
	if (dtmodel_rewrites())
	{
		dtmodel_rewrite_query(parse, &rewrite);
		lists = dtmodel_inline_lists(parse, params);
	}
	if (dtmodel_as_of != NULL)
	{
		past.own_queries = rewrite.own_queries;
		dtmodel_show_past(parse, &past);
	}

	planned = plan_next(parse, query_string, cursor_options,
						params COMPAT_EXPLAIN_ARGUMENT);

	/* The command tag for a client that sent a DELETE is "DELETE n". */
	if (rewrite.top_is_update)
		planned->commandType = CMD_DELETE;
	if (rewrite.sender != NULL)
		dtmodel_keep_sender(planned, rewrite.sender);
	if (rewrite.inlined != NULL)
		dtmodel_depend_on_inlined(planned, rewrite.inlined);
	if (past.inlined != NULL)
		dtmodel_depend_on_inlined(planned, past.inlined);
	if (lists != NULL)
		dtmodel_depend_on_inlined(planned, lists);

	/* The server does not know of policies that were not in the query. */
	planned->dependsOnRole |= past.depends_on_role;
	return planned;
}

/* Whether the statement, or a CTE of it, writes. */
static bool
writes(const QueryDesc *query)
{
	return query->operation != CMD_SELECT ||
		query->plannedstmt->hasModifyingCTE;
}

static void
start_executor(QueryDesc *query, int eflags)
{
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
	if (!writes(query))
		return;
	dtmodel_receive_kept(query);
	dtmodel_prepare_statement(query);
	dtmodel_prepare_new_slug(query);
	if (dtmodel_rewrites() && (eflags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		dtmodel_project_row_actions(query);
}

static void
finish_executor(QueryDesc *query)
{
	if (next_executor_finish != NULL)
		next_executor_finish(query);
	else
		standard_ExecutorFinish(query);
	if (writes(query))
		dtmodel_finish_restores(query);
}

/*
 * The first trigger of a session may load the library when it is too late for
 * finish_executor().  What the query of a foreign key changes fires triggers
 * in the statement around it.
 */
static void
end_executor(QueryDesc *query)
{
	if (writes(query))
	{
		dtmodel_complete_row_actions(query);
		if ((query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS) == 0)
			dtmodel_finish_history();
	}
	if (next_executor_end != NULL)
		next_executor_end(query);
	else
		standard_ExecutorEnd(query);
}

static void
process_next(PlannedStmt *statement, const char *query_string,
			 bool read_only_tree, ProcessUtilityContext context,
			 ParamListInfo params, QueryEnvironment *environment,
			 DestReceiver *receiver, QueryCompletion *completion)
{
	if (next_process_utility != NULL)
		next_process_utility(statement, query_string, read_only_tree, context,
							 params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, query_string, read_only_tree, context,
								params, environment, receiver, completion);
}

/* The same for a COPY that reads its table by a query. */
static void
process_copy(PlannedStmt *statement, const char *query_string,
			 bool read_only_tree, ProcessUtilityContext context,
			 ParamListInfo params, QueryEnvironment *environment,
			 DestReceiver *receiver, QueryCompletion *completion)
{
	PG_TRY();
	{
		process_next(statement, query_string, read_only_tree, context, params,
					 environment, receiver, completion);
	}
	PG_FINALLY();
	{
		copied_table = InvalidOid;
	}
	PG_END_TRY();
}

static void
process_utility(PlannedStmt *statement, const char *query_string,
				bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment,
				DestReceiver *receiver, QueryCompletion *completion)
{
	if (dtmodel_as_of != NULL)
		dtmodel_check_past_utility(statement->utilityStmt);
	if (IsA(statement->utilityStmt, CopyStmt))
		dtmodel_check_copy((const CopyStmt *) statement->utilityStmt);
	copied_table = IsA(statement->utilityStmt, CopyStmt) ?
		dtmodel_copied_by_query((const CopyStmt *) statement->utilityStmt) : InvalidOid;
	if (OidIsValid(copied_table))
		process_copy(statement, query_string, read_only_tree, context, params,
					 environment, receiver, completion);
	else
		process_next(statement, query_string, read_only_tree, context, params,
					 environment, receiver, completion);
}

void
_PG_init(void)
{
	dtmodel_set_mixins(dtmodel_all_mixins);
	dtmodel_is_preloaded = is_preloaded();
	dtmodel_define_switches();
	dtmodel_start_notes();
	dtmodel_start_history();
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = start_executor;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish_executor;
	next_executor_end = ExecutorEnd_hook;
	ExecutorEnd_hook = end_executor;
	dtmodel_start_explaining();
	if (dtmodel_is_preloaded || IsParallelWorker())
	{
		next_planner = planner_hook;
		planner_hook = plan;
		next_process_utility = ProcessUtility_hook;
		ProcessUtility_hook = process_utility;
		dtmodel_start_past_statistics();
	}
}
