/*-------------------------------------------------------------------------
 *
 * past.c
 *	  Queries on models as they were, while dtmodel.as_of is set.
 *
 * Before the planner plans a query, each reference to a model that has a
 * history becomes a subquery with the rows of that time:
 *
 *		SELECT ... FROM (SELECT ..., updated_at, 'infinity' FROM model
 *						 UNION ALL
 *						 SELECT ..., valid_from, valid_to FROM history)
 *		WHERE valid_from <= time AND valid_to > time
 *
 * The conditions are outside of the UNION ALL, so the planner pulls up both
 * arms, and joins use the indexes of both tables.  The columns have the
 * numbers that they have in the model, so the rest of the query stays as it
 * is; dropped columns have their places, too, for whole rows.
 *
 * It is done after deleted rows were hidden, so the condition for that holds
 * for the past as well.  The policies of the model hold for both arms, those
 * of the history for its own.  The tables that policies read are those of the
 * present: the past must not give back a right that was taken away.
 *
 * Queries that the server or this library run for a write or a check see the
 * present.  No statement writes to a model with a history meanwhile, and none
 * copies one, which is not planned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/history/as_of.h"
#include "mixin/history/past.h"
#include "mixin/history/table.h"
#include "mixin/timestamps/mixin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "replication/walsender.h"
#include "server/inline.h"
#include "server/plan_cache.h"
#include "server/query_text.h"
#include "server/subquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/timestamp.h"

/* A reference to a model that has a history. */
typedef struct Reference
{
	Query	   *query;
	int			rtindex;
	RangeTblEntry *rte;
	Relation	model;
	Relation	table;			/* its history */
	DtHistory	history;
	AttrNumber	updated_at;
} Reference;

/* A search for system columns of some entries of a query's range table. */
typedef struct SystemColumns
{
	Bitmapset  *entries;
	int			level;			/* of nested subqueries */
} SystemColumns;

/*
 * The history of an entry of the range table, as the triggers of its table
 * say; NULL if it is not such a table.
 */
static const DtHistory *
history_of_entry(const RangeTblEntry *rte)
{
	const DtModel *model = dtmodel_get_model_of_entry(rte);

	return model == NULL ? NULL : dtmodel_history_of(model);
}

static void
refuse_change(const char *action, const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 errmsg("cannot %s table \"%s\" while dtmodel.as_of is set", action,
					table),
			 errdetail("Queries show the table as it was at %s.",
					   timestamptz_to_str(dtmodel_as_of->time)),
			 errhint("Use RESET dtmodel.as_of first.")));
}

static void
refuse_sample(const RangeTblEntry *rte)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot take a sample of table \"%s\" while dtmodel.as_of is set",
					get_rel_name(rte->relid)),
			 errhint("Use RESET dtmodel.as_of first.")));
}

static void
refuse_system_column(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("rows of the past have no system columns"),
			 errhint("Use RESET dtmodel.as_of first.")));
}

/*
 * Whether a role may read some of the table's columns.  Which ones is checked
 * for the role that reads the model.
 */
static bool
may_read(Oid relid, Oid role)
{
	return pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, role, ACL_SELECT,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * The role that has set the time.  In a parallel worker, the server has set it
 * for the role of the session.
 */
static Oid
setter(void)
{
	return IsParallelWorker() ?
		GetOuterUserId() : dtmodel_as_of->setter;
}

/*
 * The role that has set the time needs the privilege, too.  Otherwise views,
 * and functions with the privileges of their owners, would show it a past that
 * it cannot read itself.
 */
static void
check_setter(Relation table)
{
	Oid			role = setter();

	if (!OidIsValid(role) || may_read(RelationGetRelid(table), role))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for table %s",
					RelationGetRelationName(table)),
			 errdetail("Role \"%s\", which has set dtmodel.as_of, needs the SELECT privilege on it.",
					   GetUserNameFromId(role, true))));
}

static void
report_no_time(Relation model)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no updated_at of type timestamptz",
					RelationGetRelationName(model)),
			 errdetail("In a history, a version begins with the time when its row was changed."),
			 errtable(model)));
}

static AttrNumber
find_updated_at(Relation model)
{
	const DtTimestamps *timestamps = dtmodel_timestamps_of(dtmodel_get_model(model));

	if (timestamps == NULL || !dtmodel_column_is_used(&timestamps->updated_at) ||
		timestamps->updated_at.typid != TIMESTAMPTZOID)
		report_no_time(model);
	return timestamps->updated_at.attnum;
}

static Node *
time_constant(TimestampTz time)
{
	return (Node *) makeConst(TIMESTAMPTZOID, -1, InvalidOid,
							  sizeof(TimestampTz), TimestampTzGetDatum(time),
							  false, FLOAT8PASSBYVAL);
}

static Node *
infinity(void)
{
	TimestampTz time;

	TIMESTAMP_NOEND(time);
	return time_constant(time);
}

static void
add_target(List **targets, Node *node, const char *name)
{
	*targets = lappend(*targets,
					   makeTargetEntry((Expr *) node, list_length(*targets) + 1,
									   pstrdup(name), false));
}

/* What stands in the place of a dropped column. */
static Node *
dropped_column(void)
{
	return (Node *) makeNullConst(INT4OID, -1, InvalidOid);
}

static Node *
column_of(const FormData_pg_attribute *att)
{
	return (Node *) makeVar(1, att->attnum, att->atttypid, att->atttypmod,
							att->attcollation, 0);
}

/* The columns of the current versions. */
static List *
present_targets(const Reference *reference)
{
	TupleDesc	desc = RelationGetDescr(reference->model);
	List	   *targets = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		add_target(&targets, att->attisdropped ? dropped_column() : column_of(att),
				   NameStr(att->attname));
	}
	add_target(&targets,
			   column_of(TupleDescAttr(desc, reference->updated_at - 1)),
			   "valid_from");
	add_target(&targets, infinity(), "valid_to");
	return targets;
}

/* A flag of soft delete, also in versions that are older than it. */
static Node *
flag_or_live(Node *flag, Form_pg_attribute att, bool live)
{
	CoalesceExpr *coalesce = makeNode(CoalesceExpr);

	coalesce->coalescetype = att->atttypid;
	coalesce->coalescecollid = InvalidOid;
	coalesce->args = list_make2(flag, makeBoolConst(live, false));
	coalesce->location = -1;
	return (Node *) coalesce;
}

/* A column of a past version, as the model has it; null if it has no past. */
static Node *
past_column(const Reference *reference, Form_pg_attribute att, AttrNumber place)
{
	Form_pg_attribute own;
	Node	   *column;
	bool		live;

	if (att->attisdropped)
		return dropped_column();
	if (!AttributeNumberIsValid(place))
		return (Node *) makeNullConst(att->atttypid, att->atttypmod,
									  att->attcollation);
	own = TupleDescAttr(RelationGetDescr(reference->table), place - 1);
	column = column_of(own);
	if (dtmodel_is_flag_of_past(reference->model, att->attnum, &live))
		return flag_or_live(column, att, live);
	if (own->attcollation == att->attcollation &&
		own->atttypmod == att->atttypmod)
		return column;
	return (Node *) makeRelabelType((Expr *) column, att->atttypid,
									att->atttypmod, att->attcollation,
									COERCE_IMPLICIT_CAST);
}

/* The table's oid, which the expression of a generated column may have. */
static TargetEntry *
table_oid(Relation model)
{
	Const	   *oid = makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
								ObjectIdGetDatum(RelationGetRelid(model)),
								false, true);

	return makeTargetEntry((Expr *) oid, TableOidAttributeNumber,
						   pstrdup("tableoid"), false);
}

/* Virtual generated columns are computed from the past of the others. */
static void
compute_virtual_columns(const Reference *reference, List *targets)
{
	TupleDesc	desc = RelationGetDescr(reference->model);
	List	   *columns = lappend(list_copy(targets), table_oid(reference->model));

	for (int i = 0; i < desc->natts; i++)
	{
		Node	   *expression;

		if (!compat_is_virtual(TupleDescAttr(desc, i)))
			continue;
		expression = compat_virtual_expression(reference->model, i + 1);
		list_nth_cell(targets, i)->ptr_value =
			makeTargetEntry((Expr *) compat_replace_vars(expression, 1, NULL, columns),
							i + 1,
							pstrdup(NameStr(TupleDescAttr(desc, i)->attname)),
							false);
	}
}

/* The columns of the past versions. */
static List *
past_targets(const Reference *reference, const DtHistoryMap *map)
{
	TupleDesc	desc = RelationGetDescr(reference->model);
	TupleDesc	own = RelationGetDescr(reference->table);
	List	   *targets = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		add_target(&targets, past_column(reference, att, map->places[i]),
				   NameStr(att->attname));
	}
	compute_virtual_columns(reference, targets);
	add_target(&targets,
			   column_of(TupleDescAttr(own, map->own[DT_VALID_FROM] - 1)),
			   "valid_from");
	add_target(&targets,
			   column_of(TupleDescAttr(own, map->own[DT_VALID_TO] - 1)),
			   "valid_to");
	return targets;
}

static Query *
make_query(void)
{
	Query	   *query = makeNode(Query);

	query->commandType = CMD_SELECT;
	query->querySource = QSRC_ORIGINAL;
	query->canSetTag = true;
	return query;
}

static Node *
make_reference(int rtindex)
{
	RangeTblRef *reference = makeNode(RangeTblRef);

	reference->rtindex = rtindex;
	return (Node *) reference;
}

/* The entry with this index, as the whole FROM, with a condition. */
static FromExpr *
make_from(int rtindex, Node *condition)
{
	return makeFromExpr(list_make1(make_reference(rtindex)), condition);
}

/* A SELECT of columns of one table. */
static Query *
make_arm(const Reference *reference, Relation rel, List *targets)
{
	ParseState *state = make_parsestate(NULL);
	Query	   *arm = make_query();
	CompatPermissions *permissions;
	CompatPermissions *asked = compat_permissions(reference->query, reference->rte);

	/* ONLY leaves out the tables that inherit, but no partitions. */
	(void) addRangeTableEntryForRelation(state, rel, AccessShareLock, NULL,
										 reference->rte->inh ||
										 rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE,
										 true);
	compat_take_range_table(arm, state);
	free_parsestate(state);
	arm->jointree = make_from(1, NULL);
	arm->targetList = targets;
	permissions = compat_permissions(arm, linitial_node(RangeTblEntry, arm->rtable));
	permissions->requiredPerms = asked->requiredPerms;
	permissions->checkAsUser = asked->checkAsUser;
	return arm;
}

/* Adds policies of the model to an arm, where they are of its columns. */
static void
add_policies(Query *arm, const Reference *reference, List *policies)
{
	RangeTblEntry *rte = linitial_node(RangeTblEntry, arm->rtable);

	rte->securityQuals = list_concat(rte->securityQuals, policies);
	arm->hasRowSecurity |= reference->query->hasRowSecurity;
	arm->hasSubLinks |= checkExprHasSubLink((Node *) policies);
}

static Query *
present_arm(const Reference *reference)
{
	Query	   *arm = make_arm(reference, reference->model,
							   present_targets(reference));
	List	   *policies = copyObject(reference->rte->securityQuals);

	compat_permissions(arm, linitial_node(RangeTblEntry, arm->rtable))->selectedCols =
		bms_copy(compat_permissions(reference->query, reference->rte)->selectedCols);
	ChangeVarNodes((Node *) policies, reference->rtindex, 1, 0);
	add_policies(arm, reference, policies);
	return arm;
}

static Bitmapset *
add_column(Bitmapset *columns, AttrNumber attnum)
{
	return bms_add_member(columns, attnum - FirstLowInvalidHeapAttributeNumber);
}

/*
 * The columns of the history that the query reads: those of the model that it
 * reads, and the two that say when a version was valid.
 */
static Bitmapset *
selected_past(const Reference *reference, const DtHistoryMap *map)
{
	int			natts = RelationGetNumberOfAttributes(reference->model);
	Bitmapset  *asked = compat_permissions(reference->query,
										   reference->rte)->selectedCols;
	bool		whole = bms_is_member(-FirstLowInvalidHeapAttributeNumber, asked);
	Bitmapset  *columns = add_column(NULL, map->own[DT_VALID_FROM]);

	columns = add_column(columns, map->own[DT_VALID_TO]);
	for (int i = 0; i < natts; i++)
	{
		if (AttributeNumberIsValid(map->places[i]) &&
			(whole || bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber,
									asked)))
			columns = add_column(columns, map->places[i]);
	}
	return columns;
}

/* Applies the policies that the history itself has. */
static Query *
apply_own_policies(Query *arm, Relation table)
{
	if (!table->rd_rel->relrowsecurity)
		return arm;
	return linitial_node(Query, QueryRewrite(arm));
}

static Query *
past_arm(const Reference *reference)
{
	DtHistoryMap map = dtmodel_map_history(reference->model, &reference->history,
										   reference->table);
	List	   *targets = past_targets(reference, &map);
	Query	   *arm = make_arm(reference, reference->table, targets);

	compat_permissions(arm, linitial_node(RangeTblEntry, arm->rtable))->selectedCols =
		selected_past(reference, &map);
	arm = apply_own_policies(arm, reference->table);
	add_policies(arm, reference,
				 (List *) compat_replace_vars(copyObject((Node *) reference->rte->securityQuals),
											  reference->rtindex, reference->rte,
											  targets));
	return arm;
}

static List *
names_of(List *targets)
{
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, targets)
		names = lappend(names, makeString(lfirst_node(TargetEntry, cell)->resname));
	return names;
}

static void
add_subquery(Query *query, Query *subquery, const char *name)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = subquery;
	rte->eref = makeAlias(name, names_of(subquery->targetList));
	rte->inFromCl = true;
	query->rtable = lappend(query->rtable, rte);
}

/* Columns of the first subquery. */
static List *
targets_of_subquery(List *targets)
{
	List	   *columns = NIL;
	ListCell   *cell;

	foreach(cell, targets)
	{
		TargetEntry *target = lfirst_node(TargetEntry, cell);

		add_target(&columns, (Node *) makeVarFromTargetEntry(1, target),
				   target->resname);
	}
	return columns;
}

static Node *
make_union_all(List *targets)
{
	SetOperationStmt *operation = makeNode(SetOperationStmt);
	ListCell   *cell;

	operation->op = SETOP_UNION;
	operation->all = true;
	operation->larg = make_reference(1);
	operation->rarg = make_reference(2);
	foreach(cell, targets)
	{
		Node	   *column = (Node *) lfirst_node(TargetEntry, cell)->expr;

		operation->colTypes = lappend_oid(operation->colTypes, exprType(column));
		operation->colTypmods = lappend_int(operation->colTypmods, exprTypmod(column));
		operation->colCollations = lappend_oid(operation->colCollations,
											   exprCollation(column));
	}
	return (Node *) operation;
}

/* All versions of the rows. */
static Query *
all_versions(const Reference *reference)
{
	Query	   *query = make_query();
	Query	   *present = present_arm(reference);

	add_subquery(query, present, RelationGetRelationName(reference->model));
	add_subquery(query, past_arm(reference),
				 RelationGetRelationName(reference->table));
	query->targetList = targets_of_subquery(present->targetList);
	query->jointree = makeFromExpr(NIL, NULL);
	query->setOperations = make_union_all(present->targetList);
	return query;
}

static Node *
compare(const char *operator, const TargetEntry *column)
{
	Oid			oid = OpernameGetOprid(list_make2(makeString("pg_catalog"),
												  makeString(pstrdup(operator))),
									   TIMESTAMPTZOID, TIMESTAMPTZOID);
	Expr	   *comparison = make_opclause(oid, BOOLOID, false,
										   (Expr *) copyObject(column->expr),
										   (Expr *) time_constant(dtmodel_as_of->time),
										   InvalidOid, InvalidOid);

	set_opfuncid((OpExpr *) comparison);
	return (Node *) comparison;
}

/* A partition shares its history, and shows the rows that it would hold. */
static Node *
partition_condition(Relation model)
{
	List	   *conditions = model->rd_rel->relispartition ?
		RelationGetPartitionQual(model) : NIL;

	return conditions == NIL ? NULL :
		(Node *) make_ands_explicit(copyObject(conditions));
}

/* The rows of the time; the columns have the numbers of the model. */
static Query *
rows_of_time(const Reference *reference)
{
	int			natts = RelationGetNumberOfAttributes(reference->model);
	Query	   *query = make_query();
	Query	   *versions = all_versions(reference);
	List	   *columns = targets_of_subquery(versions->targetList);
	Node	   *condition;

	add_subquery(query, versions, RelationGetRelationName(reference->model));
	query->targetList = list_truncate(list_copy(columns), natts);
	condition = make_and_qual(compare("<=", list_nth_node(TargetEntry, columns, natts)),
							  compare(">", list_nth_node(TargetEntry, columns, natts + 1)));
	query->jointree = make_from(1, make_and_qual(condition,
												 partition_condition(reference->model)));
	return query;
}

/*
 * A partitioned table has no rows of its own, and so no past of its own
 * either.
 */
static bool
has_rows(const RangeTblEntry *rte)
{
	return rte->relkind != RELKIND_PARTITIONED_TABLE || rte->inh;
}

static void
show_past_of(Query *query, int rtindex, DtPast *past)
{
	RangeTblEntry *rte = rt_fetch(rtindex, query->rtable);
	Reference	reference = {.query = query,.rtindex = rtindex,.rte = rte};

	if (rte->tablesample != NULL)
		refuse_sample(rte);
	if (get_parse_rowmark(query, rtindex) != NULL)
		refuse_change("lock rows of", get_rel_name(rte->relid));
	if (!has_rows(rte))
		return;
	reference.model = relation_open(rte->relid, NoLock);
	reference.history = dtmodel_copy_history(history_of_entry(rte));
	reference.table = dtmodel_open_history_table(reference.model,
												 &reference.history,
												 AccessShareLock);
	check_setter(reference.table);
	past->depends_on_role |= reference.table->rd_rel->relrowsecurity;
	reference.updated_at = find_updated_at(reference.model);
	dtmodel_replace_by_subquery(rte, rows_of_time(&reference));
	relation_close(reference.table, NoLock);
	relation_close(reference.model, NoLock);
}

/*
 * Adds the models with a history that are in FROM.  Other entries of the range
 * table, as rules have them, are for names and privileges only.
 */
static void
find_models(Query *query, Node *node, Bitmapset **entries)
{
	ListCell   *cell;

	if (node == NULL)
		return;
	if (IsA(node, RangeTblRef))
	{
		int			rtindex = ((RangeTblRef *) node)->rtindex;

		if (history_of_entry(rt_fetch(rtindex, query->rtable)) != NULL)
			*entries = bms_add_member(*entries, rtindex);
	}
	else if (IsA(node, JoinExpr))
	{
		find_models(query, ((JoinExpr *) node)->larg, entries);
		find_models(query, ((JoinExpr *) node)->rarg, entries);
	}
	else
	{
		foreach(cell, castNode(FromExpr, node)->fromlist)
			find_models(query, lfirst(cell), entries);
	}
}

static bool
find_system_columns(Node *node, void *context)
{
	SystemColumns *columns = context;
	bool		found;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return var->varattno < 0 && var->varlevelsup == (Index) columns->level &&
			bms_is_member(var->varno, columns->entries);
	}
	if (!IsA(node, Query))
		return expression_tree_walker(node, find_system_columns, context);
	columns->level++;
	found = query_tree_walker((Query *) node, find_system_columns, context, 0);
	columns->level--;
	return found;
}

static void
show_past_in_from(Query *query, DtPast *past)
{
	SystemColumns columns = {0};
	int			rtindex = -1;

	find_models(query, (Node *) query->jointree, &columns.entries);
	if (columns.entries == NULL)
		return;
	if (query_tree_walker(query, find_system_columns, &columns, 0))
		refuse_system_column();
	while ((rtindex = bms_next_member(columns.entries, rtindex)) >= 0)
		show_past_of(query, rtindex, past);
}

static void
check_target(Query *query)
{
	RangeTblEntry *rte;

	if (query->commandType == CMD_SELECT || query->resultRelation == 0)
		return;
	rte = rt_fetch(query->resultRelation, query->rtable);
	if (history_of_entry(rte) != NULL)
		refuse_change("write to", get_rel_name(rte->relid));
}

/*
 * Inlines functions in SQL, whose tables the planner would find later.  Those
 * that show a model as it was at a time of their own read it as it is.
 */
static void
inline_functions(Query *query, DtPast *past)
{
	List	   *own = NIL;
	ListCell   *cell;

	if (!dtmodel_calls_sql_function(query))
		return;
	own = dtmodel_as_of_entries(query);
	foreach(cell, own)
		lfirst_node(RangeTblEntry, cell)->funcordinality = true;
	dtmodel_inline_functions(query, &past->inlined, past->params);
	foreach(cell, own)
		lfirst_node(RangeTblEntry, cell)->funcordinality = false;
}

static void show_past(Query *query, DtPast *past);

static bool
show_past_in_expression(Node *node, void *past)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		if (!list_member_ptr(((DtPast *) past)->own_queries, node))
			show_past((Query *) node, past);
		return false;
	}
	return expression_tree_walker(node, show_past_in_expression, past);
}

/* All subqueries, but not those of policies. */
static void
show_past_in_subqueries(Query *query, DtPast *past)
{
	List	   *checks = query->withCheckOptions;
	List	   *policies = NIL;
	ListCell   *cell;
	ListCell   *policy;

	query->withCheckOptions = NIL;
	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		policies = lappend(policies, rte->securityQuals);
		rte->securityQuals = NIL;
	}
	(void) query_tree_walker(query, show_past_in_expression, past, 0);
	query->withCheckOptions = checks;
	forboth(cell, query->rtable, policy, policies)
		lfirst_node(RangeTblEntry, cell)->securityQuals = lfirst(policy);
}

static void
show_past(Query *query, DtPast *past)
{
	check_stack_depth();
	if (past->is_shown)
		inline_functions(query, past);
	show_past_in_subqueries(query, past);
	check_target(query);
	if (past->is_shown)
		show_past_in_from(query, past);
}

/*
 * Whether pg_dump copies tables.  Its COPY is like that of any client, and runs
 * once, so here it may be recognized by the name that it gives its session.
 */
static bool
is_dump(void)
{
	return application_name != NULL && strcmp(application_name, "pg_dump") == 0;
}

/*
 * Whether the statement shows the past.  The server's own foreign keys, and
 * queries of ours that do not only read for a caller, need the present; a dump
 * is of the present.
 */
static bool
shows_past(const char *text)
{
	return !dtmodel_is_foreign_key_query(text) &&
		!dtmodel_is_dump_query(text) &&
		!(dtmodel_starts_with(text, "COPY ") && is_dump()) &&
		(!dtmodel_is_own_query(text) ||
		 dtmodel_starts_with(text, DT_OWN_QUERY DT_SHOWS_PAST));
}

/* Shows a query the time that dtmodel.as_of is set to. */
void
dtmodel_show_past(Query *query, DtPast *past)
{
	if (am_walsender)
		return;
	past->is_shown = shows_past(past->text);
	show_past(query, past);
}

/* Refuses a write that no plan shows; dtmodel.as_of is set. */
void
dtmodel_refuse_past_write(Relation model)
{
	refuse_change("write to", RelationGetRelationName(model));
}

static void
refuse_copy(Relation model)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot copy table \"%s\" while dtmodel.as_of is set",
					RelationGetRelationName(model)),
			 errdetail("COPY of a table would copy its present rows."),
			 errhint("Use COPY (SELECT ...) TO."),
			 errtable(model)));
}

static bool
has_history(Relation rel)
{
	return dtmodel_history_of(dtmodel_get_model(rel)) != NULL;
}

static void
check_copy(const CopyStmt *copy)
{
	Relation	rel = copy->relation == NULL ? NULL :
		relation_openrv_extended(copy->relation, AccessShareLock, true);

	if (rel == NULL)
		return;
	if ((rel->rd_rel->relkind == RELKIND_RELATION ||
		 rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) && has_history(rel))
	{
		if (copy->is_from)
			dtmodel_refuse_past_write(rel);
		if (!is_dump())
			refuse_copy(rel);
	}
	relation_close(rel, NoLock);
}

/* Checks a statement that is not planned; dtmodel.as_of is set. */
void
dtmodel_check_past_utility(const Node *statement)
{
	if (IsA(statement, CopyStmt) && !am_walsender)
		check_copy((const CopyStmt *) statement);
}
