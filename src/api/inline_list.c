/*-------------------------------------------------------------------------
 *
 * inline_list.c
 *	  get_all() in the plan of its caller.
 *
 * A call of get_all in FROM becomes the query that the function would run, as
 * a subquery; the server does the same with functions in SQL.  So conditions,
 * joins and a LIMIT of the caller reach the table and its indexes.  The
 * planner hook does it, after it has hidden rows, since get_all has its own
 * condition for these.  Where the library is not preloaded, the function's
 * support function does it, which PostgreSQL calls for this from version 19 on.
 *
 * The query is that of the saved plan, which the server has analyzed and
 * rewritten as it does for the function.  The executor checks the privileges
 * on the table and its columns each time.  The privileges on the schema and on
 * get_all are checked when the plan is made, so it depends on the user and on
 * get_all.
 *
 * The function runs instead where the result might not be the same:
 *
 * - The id to begin after is not a constant, or its key is not: without an id
 *	 the query is another one.
 * - An argument is volatile or a subquery; the server has the same rule.
 * - Citus distributes the table and the order of the rows has an effect: Citus
 *	 does not keep the order of a subquery.
 * - The table has row-level security.  The query then depends on the setting
 *	 row_security, and the server does not plan again when that changes.
 * - The caller's query uses whole rows, and is older than a column of the
 *	 table; this happens in views.
 * - The caller's query uses a column that has been dropped since, or has got
 *	 another type; this happens in prepared statements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "api/inline_list.h"
#include "api/read.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(dtmodel_get_all_support);

/* The name of get_all in the library. */
#define GET_ALL "dtmodel_get_all"

/*
 * A call in FROM, and the query or subquery that it is in.  If that is a set,
 * the order of its result has no effect.
 */
typedef struct ListCall
{
	Query	   *caller;
	bool		is_set;
	int			rtindex;
	int			ncolumns;		/* of the entry */
	FuncExpr   *call;			/* with all its arguments */
} ListCall;

/* A search for uses of an entry of a query's range table. */
typedef struct EntryUse
{
	int			rtindex;
	Index		level;			/* of nested subqueries */
	int			ncolumns;		/* of the entry */
	TupleDesc	desc;			/* of the table */
} EntryUse;

/* One pass over a query. */
typedef struct InlineContext
{
	ParamListInfo params;
	PlannerGlobal *global;		/* NULL as long as there is no call */
} InlineContext;

/*
 * Whether this is get_all as the extension has created it.  Settings that
 * ALTER FUNCTION has added apply only while the function runs.
 */
static bool
is_plain_get_all(HeapTuple function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(function);
	bool		isnull;
	Datum		source;

	if (form->prolang != ClanguageId || form->prosecdef ||
		form->pronargs != DT_LIST_ARGUMENTS ||
		!heap_attisnull(function, Anum_pg_proc_proconfig, NULL))
		return false;
	source = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_prosrc, &isnull);
	return strcmp(TextDatumGetCString(source), GET_ALL) == 0;
}

/*
 * Whether it is get_all, the user may execute it, and no module has asked to
 * be informed of calls.
 */
static bool
may_inline_function(Oid funcid)
{
	HeapTuple	function;
	bool		is_get_all;

	if (funcid < FirstNormalObjectId)
		return false;
	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(function))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	is_get_all = is_plain_get_all(function);
	ReleaseSysCache(function);
	return is_get_all && compat_may_execute(funcid, GetUserId()) &&
		!FmgrHookIsNeeded(funcid);
}

/* The argument; NULL if it is not a constant. */
static const Const *
constant_argument(const FuncExpr *call, int argument)
{
	const Node *node = list_nth(call->args, argument);

	return IsA(node, Const) ? (const Const *) node : NULL;
}

/*
 * Whether the arguments determine the query, and may be evaluated more than
 * once.
 */
static bool
are_arguments_known(const FuncExpr *call)
{
	return constant_argument(call, DT_LIST_MODEL) != NULL &&
		constant_argument(call, DT_LIST_AFTER) != NULL &&
		constant_argument(call, DT_LIST_INCLUDE_DELETED) != NULL &&
		!contain_volatile_functions((Node *) call->args) &&
		!contain_subplans((Node *) call->args);
}

/* The table of the call; InvalidOid for what the function refuses. */
static Oid
table_of(const FuncExpr *call)
{
	Oid			relid = get_typ_typrelid(constant_argument(call, DT_LIST_MODEL)->consttype);
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE ?
		relid : InvalidOid;
}

/* Whether the plan may keep the key after which the list begins. */
static bool
is_after_constant(Relation rel, const Const *after)
{
	DtKey		key;

	if (after->constisnull)
		return true;
	key = dtmodel_key_if_any(rel);
	return dtmodel_is_key_constant(&key, after->consttype);
}

/* A value of the key, in the place of the query's parameter for it. */
static Node *
key_constant(const DtList *list, int i)
{
	Oid			type = list->key.columns[i].typid;
	bool		isnull = list->after.nulls[i] == 'n';
	int16		length;
	bool		byval;

	get_typlenbyval(type, &length, &byval);
	return (Node *) makeConst(type, -1, get_typcollation(type), length,
							  isnull ? (Datum) 0 :
							  datumCopy(list->after.values[i], byval, length),
							  isnull, byval);
}

static Node *
put_key_constants(Node *node, void *list)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Param))
		return key_constant(list, ((Param *) node)->paramid - DT_LIST_PAGE - 1);
	return expression_tree_mutator(node, put_key_constants, list);
}

/*
 * Limit or offset, as a parameter for the argument; NULL for none, so that the
 * planner can merge the subquery with the caller's.
 */
static Node *
page_parameter(const FuncExpr *call, int argument)
{
	const Const *constant = constant_argument(call, argument);
	Param	   *parameter;

	if (constant != NULL &&
		(constant->constisnull ||
		 (argument == DT_LIST_OFFSET && DatumGetInt64(constant->constvalue) == 0)))
		return NULL;
	parameter = makeNode(Param);
	parameter->paramkind = PARAM_EXTERN;
	parameter->paramid = argument + 1;
	parameter->paramtype = INT8OID;
	parameter->paramtypmod = -1;
	parameter->location = -1;
	return (Node *) parameter;
}

/*
 * The query that the call would run; NULL if it depends on more than a plan
 * can depend on.
 */
static Query *
query_of(Relation rel, const FuncExpr *call)
{
	const Const *after_id = constant_argument(call, DT_LIST_AFTER);
	const Const *include = constant_argument(call, DT_LIST_INCLUDE_DELETED);
	DtListAfter after = {after_id->constvalue, after_id->consttype};
	DtList		list = dtmodel_list(rel, !include->constisnull &&
									DatumGetBool(include->constvalue),
									after_id->constisnull ? NULL : &after);
	Query	   *query = dtmodel_query_of_plan(list.plan);

	if (query->hasRowSecurity)
		return NULL;
	query->jointree->quals = put_key_constants(query->jointree->quals, &list);
	query->limitCount = page_parameter(call, DT_LIST_LIMIT);
	query->limitOffset = page_parameter(call, DT_LIST_OFFSET);
	return query;
}

/* Whether the table has what the variable stands for, with the same type. */
static bool
has_variable(const EntryUse *use, const Var *var)
{
	Form_pg_attribute att;

	if (var->varattno == InvalidAttrNumber)
		return use->ncolumns == use->desc->natts;
	if (var->varattno < 0 || var->varattno > use->desc->natts)
		return false;
	att = TupleDescAttr(use->desc, var->varattno - 1);
	return !att->attisdropped && att->atttypid == var->vartype;
}

/* Whether an expression uses something of an entry that the table lacks. */
static bool
lacks_variable(Node *node, void *argument)
{
	EntryUse   *use = (EntryUse *) argument;
	bool		found;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return (int) var->varno == use->rtindex && var->varlevelsup == use->level &&
			!has_variable(use, var);
	}
	if (!IsA(node, Query))
		return expression_tree_walker(node, lacks_variable, argument);
	use->level++;
	found = query_tree_walker((Query *) node, lacks_variable, argument, 0);
	use->level--;
	return found;
}

/*
 * Removes columns that the table has got since the caller's query was parsed.
 * The rows may still be sorted by one of them.
 */
static void
cut_columns(Query *query, int ncolumns)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, query->targetList)
	{
		TargetEntry *column = lfirst_node(TargetEntry, cell);

		if (column->resno > ncolumns)
			column->resjunk = true;
		if (!column->resjunk || column->ressortgroupref != 0)
			columns = lappend(columns, column);
	}
	query->targetList = columns;
}

/*
 * Whether the table can stand for the call.  The caller's query has the columns
 * that there were when it was parsed, with the types that they had.  A prepared
 * statement is not parsed again when the table changes, since it does not name
 * the table.  If a column has been dropped or has another type, the function
 * has to run: the executor compares its result with what the query expects.
 */
static bool
has_columns_of(const ListCall *list, Relation rel)
{
	EntryUse	use = {
		.rtindex = list->rtindex,
		.ncolumns = list->ncolumns,
		.desc = RelationGetDescr(rel),
	};

	if (list->ncolumns == 0 && use.desc->natts == 0)
		return false;
	return !query_tree_walker(list->caller, lacks_variable, &use, 0);
}

/* The query for a call with known arguments; NULL if the function has to run. */
static Query *
query_of_call(const ListCall *list)
{
	Oid			relid = table_of(list->call);
	Relation	rel = OidIsValid(relid) ?
		try_relation_open(relid, AccessShareLock) : NULL;
	Query	   *query = NULL;

	if (rel == NULL)
		return NULL;
	if (has_columns_of(list, rel) &&
		is_after_constant(rel, constant_argument(list->call, DT_LIST_AFTER)))
		query = query_of(rel, list->call);
	relation_close(rel, query == NULL ? AccessShareLock : NoLock);
	if (query != NULL)
		cut_columns(query, list->ncolumns);
	return query;
}

/*
 * Whether an entry is joined with others.  A function that is called for each
 * of its rows, such as to_dict(), does not count.
 */
static bool
is_joined(const Query *query, Node *node, int rtindex)
{
	ListCell   *cell;

	if (IsA(node, RangeTblRef))
	{
		int			other = ((RangeTblRef *) node)->rtindex;
		RangeTblEntry *rte = rt_fetch(other, query->rtable);

		return other != rtindex &&
			!(rte->rtekind == RTE_FUNCTION && rte->lateral);
	}
	if (IsA(node, JoinExpr))
		return is_joined(query, ((JoinExpr *) node)->larg, rtindex) ||
			is_joined(query, ((JoinExpr *) node)->rarg, rtindex);
	foreach(cell, castNode(FromExpr, node)->fromlist)
	{
		if (is_joined(query, lfirst(cell), rtindex))
			return true;
	}
	return false;
}

/*
 * Whether the result of a query has its own order of rows, or needs none since
 * it is a set.  Then it does not depend on the order of those that it reads.
 * But aggregate functions, DISTINCT ON and such read rows before they are
 * sorted.
 */
static bool
is_sorted_later(const Query *query, bool is_set)
{
	if (query->hasAggs || query->hasWindowFuncs ||
		query->distinctClause != NIL || query->groupClause != NIL)
		return false;
	return query->sortClause != NIL ||
		(is_set && query->limitCount == NULL && query->limitOffset == NULL);
}

/* Whether the order of an entry's rows has no effect. */
static bool
is_order_lost(const Query *query, bool is_set, int rtindex)
{
	return is_sorted_later(query, is_set) ||
		is_joined(query, (Node *) query->jointree, rtindex);
}

static bool
is_planned_by_citus(const Query *query)
{
	const DtModel *model = dtmodel_get_model_of_entry(linitial_node(RangeTblEntry,
																	query->rtable));

	return model != NULL && dtmodel_is_shell(&model->citus);
}

/*
 * The query for a call, with parameters for limit and offset; NULL if the
 * function has to run.
 */
static Query *
inline_call(const ListCall *list)
{
	Query	   *query;
	bool		order_lost;

	if (!are_arguments_known(list->call))
		return NULL;
	query = query_of_call(list);
	if (query == NULL)
		return NULL;

	/* The planner does not merge a subquery that has an order. */
	order_lost = is_order_lost(list->caller, list->is_set, list->rtindex);
	if (order_lost && query->limitCount == NULL && query->limitOffset == NULL)
		query->sortClause = NIL;
	return order_lost || !is_planned_by_citus(query) ? query : NULL;
}

/* The call of get_all in the entry; NULL if there is none to inline. */
static RangeTblFunction *
list_in_entry(const RangeTblEntry *rte)
{
	RangeTblFunction *function;

	if (rte->rtekind != RTE_FUNCTION || rte->funcordinality ||
		list_length(rte->functions) != 1)
		return NULL;
	function = linitial_node(RangeTblFunction, rte->functions);
	if (!IsA(function->funcexpr, FuncExpr) ||
		!may_inline_function(((FuncExpr *) function->funcexpr)->funcid))
		return NULL;
	return function;
}

static PlannerInfo *
make_planner(Query *query, InlineContext *context)
{
	PlannerInfo *root = makeNode(PlannerInfo);

	if (context->global == NULL)
	{
		context->global = makeNode(PlannerGlobal);
		context->global->boundParams = context->params;
	}
	root->parse = query;
	root->glob = context->global;
	root->query_level = 1;
	root->planner_cxt = CurrentMemoryContext;
	return root;
}

/* An argument in the place of its parameter, which may be none. */
static Node *
put_argument(Node *parameter, const FuncExpr *call)
{
	Node	   *argument;

	if (parameter == NULL)
		return NULL;
	argument = copyObject(list_nth(call->args, ((Param *) parameter)->paramid - 1));
	IncrementVarSublevelsUp(argument, 1, 0);
	return argument;
}

static void
inline_entry(Query *query, bool is_set, int rtindex, InlineContext *context)
{
	RangeTblEntry *rte = rt_fetch(rtindex, query->rtable);
	RangeTblFunction *function = list_in_entry(rte);
	ListCall	list = {.caller = query,.is_set = is_set,.rtindex = rtindex};
	PlannerInfo *root;
	Query	   *subquery;

	if (function == NULL)
		return;
	root = make_planner(query, context);
	list.call = castNode(FuncExpr, eval_const_expressions(root, function->funcexpr));
	list.ncolumns = function->funccolcount;
	subquery = inline_call(&list);
	if (subquery == NULL)
		return;

	subquery->limitCount = put_argument(subquery->limitCount, list.call);
	subquery->limitOffset = put_argument(subquery->limitOffset, list.call);
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = subquery;
	rte->security_barrier = false;
	rte->functions = NIL;
	record_plan_function_dependency(root, list.call->funcid);
	root->glob->dependsOnRole = true;
}

static void inline_level(Query *query, bool is_set, InlineContext *context);

static bool
inline_sublinks(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
	{
		SubLink    *sublink = (SubLink *) node;
		SubLinkType type = sublink->subLinkType;

		inline_level(castNode(Query, sublink->subselect),
					 type == EXISTS_SUBLINK || type == ANY_SUBLINK ||
					 type == ALL_SUBLINK, context);
		return inline_sublinks(sublink->testexpr, context);
	}
	return expression_tree_walker(node, inline_sublinks, context);
}

static void
inline_level(Query *query, bool is_set, InlineContext *context)
{
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, query->cteList)
		inline_level(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery),
					 false, context);
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);
		int			rtindex = foreach_current_index(cell) + 1;

		if (rte->rtekind == RTE_SUBQUERY)
			inline_level(rte->subquery, is_order_lost(query, is_set, rtindex),
						 context);
		else if (rte->rtekind == RTE_FUNCTION)
			inline_entry(query, is_set, rtindex, context);
	}
	if (query->hasSubLinks)
		query_tree_walker(query, inline_sublinks, context,
						  QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
}

/*
 * Takes the calls of get_all in a query into it.  Returns what its plan
 * depends on besides the query; NULL for nothing.
 */
PlannerGlobal *
dtmodel_inline_lists(Query *query, ParamListInfo params)
{
	InlineContext context = {.params = params};

	inline_level(query, false, &context);
	return context.global;
}

#ifdef COMPAT_HAS_INLINE_IN_FROM
/* The index of the entry that has this call. */
static int
index_of_entry(const Query *query, const RangeTblFunction *function)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		if (list_member_ptr(lfirst_node(RangeTblEntry, cell)->functions, function))
			return foreach_current_index(cell) + 1;
	}
	return 0;
}

/*
 * The planner has completed the arguments.  It puts them in the place of their
 * parameters, and makes the plan depend on the function.
 */
static Node *
answer(Node *request)
{
	SupportRequestInlineInFrom *from = (SupportRequestInlineInFrom *) request;
	ListCall	list = {.is_set = false};
	Query	   *query;

	/* Where the planner hook works, it has inlined what can be inlined. */
	if (!IsA(request, SupportRequestInlineInFrom) || dtmodel_rewrites() ||
		from->root == NULL || !is_plain_get_all(from->proc))
		return NULL;
	list.caller = from->root->parse;
	list.rtindex = index_of_entry(list.caller, from->rtfunc);
	list.ncolumns = from->rtfunc->funccolcount;
	list.call = castNode(FuncExpr, from->rtfunc->funcexpr);
	query = list.rtindex == 0 ? NULL : inline_call(&list);
	if (query != NULL)
		from->root->glob->dependsOnRole = true;
	return (Node *) query;
}
#else
static Node *
answer(Node *request pg_attribute_unused())
{
	return NULL;
}
#endif

/*
 * get_all_support(internal) returns internal
 *
 * The planner's support function for get_all.
 *
 * Source: none.
 */
Datum
dtmodel_get_all_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(answer((Node *) PG_GETARG_POINTER(0)));
}
