/*-------------------------------------------------------------------------
 *
 * sharded.c
 *	  Statements on tables that Citus keeps in shards.
 *
 * A DELETE stays a DELETE where Citus plans it, so that on the shards it needs
 * the privilege and meets the policies of a DELETE.  It is marked as one of
 * ours, and by that the planner there makes it an UPDATE.  What hides deleted
 * rows, on the other hand, is done where Citus plans a statement, and not again
 * on the shards: only there it is known who asks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/hard_delete.h"
#include "mixin/soft_delete/sharded.h"
#include "model/mixin_call.h"
#include "model/send.h"
#include "model/view_row.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "server/searched_case.h"
#include "server/subquery.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* A walk through a query, for the system columns of one of its tables. */
typedef struct SystemColumns
{
	int			rtindex;
	Index		levels;			/* the query is this far up */
} SystemColumns;

/* A column of the table, or a null in the place of one that was dropped. */
static TargetEntry *
select_column(Form_pg_attribute att)
{
	Expr	   *value;

	if (att->attisdropped)
		value = (Expr *) makeNullConst(INT4OID, -1, InvalidOid);
	else
		value = (Expr *) makeVar(1, att->attnum, att->atttypid, att->atttypmod,
								 att->attcollation, 0);
	return makeTargetEntry(value, att->attnum,
						   att->attisdropped ?
						   psprintf("dropped_%d", att->attnum) :
						   pstrdup(NameStr(att->attname)), false);
}

static List *
select_columns(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *columns = NIL;

	for (int i = 0; i < desc->natts; i++)
		columns = lappend(columns, select_column(TupleDescAttr(desc, i)));
	table_close(rel, NoLock);
	return columns;
}

static bool
finds_system_column(Node *node, void *context)
{
	SystemColumns *columns = context;
	bool		found;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		const Var  *var = (const Var *) node;

		return var->varattno < 0 && var->varno == columns->rtindex &&
			var->varlevelsup == columns->levels;
	}
	if (!IsA(node, Query))
		return expression_tree_walker(node, finds_system_column, columns);
	columns->levels++;
	found = query_tree_walker((Query *) node, finds_system_column, columns, 0);
	columns->levels--;
	return found;
}

/* Whether the query reads system columns of the table. */
bool
dtmodel_reads_system_columns(Query *query, const DtSoftTarget *target)
{
	SystemColumns columns = {.rtindex = target->rtindex};

	return query_tree_walker(query, finds_system_column, &columns, 0);
}

/* A subquery has no system columns. */
static void
check_system_columns(Query *query, const DtSoftTarget *target)
{
	if (dtmodel_reads_system_columns(query, target))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot read system columns of table \"%s\" here, because its deleted rows are hidden and the database has Citus",
						get_rel_name(target->rte->relid)),
				 errdetail("In a join with USING and in a FULL JOIN, a subquery of the live rows is in the place of the table."),
				 errhint("Use JOIN ... ON, or a subquery that reads the system columns.")));
}

/*
 * The table's entry in the subquery.  Its policies refer to the table, and what
 * its sample takes from a query around it is one level further up.
 */
static RangeTblEntry *
move_table(const DtSoftTarget *target)
{
	RangeTblEntry *rte = target->rte;
	RangeTblEntry *table = copyObject(rte);

	ChangeVarNodes((Node *) table->securityQuals, target->rtindex, 1, 0);
	IncrementVarSublevelsUp((Node *) table->tablesample, 1, 1);
	table->alias = NULL;
	table->eref = makeAlias(get_rel_name(rte->relid),
							copyObject(rte->eref->colnames));
	return table;
}

/*
 * Makes the entry of a table a subquery of its live rows, which keeps the
 * entry's place and columns.  Privileges are asked for where the rows are.
 */
void
dtmodel_select_live(Query *query, DtSoftTarget *target)
{
	RangeTblEntry *rte = target->rte;
	RangeTblEntry *table;
	RangeTblRef *reference = makeNode(RangeTblRef);
	Query	   *live = makeNode(Query);
	DtSoftTarget inner = {.rtindex = 1,.columns = target->columns};

	check_system_columns(query, target);
	inner.rte = table = move_table(target);
	reference->rtindex = 1;
	live->commandType = CMD_SELECT;
	live->canSetTag = true;
	live->hasRowSecurity = query->hasRowSecurity;
	live->hasSubLinks = checkExprHasSubLink((Node *) table->securityQuals);
	live->rtable = list_make1(table);
	live->targetList = select_columns(rte->relid);
	live->jointree = makeFromExpr(list_make1(reference),
								  dtmodel_live_condition(&inner));
	if (rte->alias == NULL)
		rte->alias = makeAlias(rte->eref->aliasname, NIL);
	compat_copy_permissions(query, rte, live);
	dtmodel_replace_by_subquery(rte, live);
}

static void
report_trigger_tier(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("DELETE on table \"%s\" cannot be left to its triggers, because Citus keeps its rows in shards",
					get_rel_name(relid)),
			 errdetail("The model was made with tier => 'trigger'."),
			 errhint("Make the model with tier => 'any'.")));
}

/*
 * Whether a soft DELETE is meant; without the privilege a hard one is an error
 * (42501), as where the trigger finds it.
 */
static DtSentCommand
deletion_command(const DtSoftTarget *target)
{
	Relation	rel;

	if (!dtmodel_hard_delete)
	{
		if (target->columns.trigger_tier)
			report_trigger_tier(target->rte->relid);
		return DT_SENT_DELETE;
	}
	rel = table_open(target->rte->relid, NoLock);
	dtmodel_check_hard_delete(rel);
	table_close(rel, NoLock);
	return DT_SENT_HARD_DELETE;
}

static void
send_delete(Query *query)
{
	DtSoftTarget target;

	if (dtmodel_find_soft_target(query, query->resultRelation, &target))
		dtmodel_mark_as_sent(query, deletion_command(&target));
}

#ifdef COMPAT_HAS_MERGE
static void
refuse_merge(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("MERGE is not supported on model \"%s\", because Citus keeps its rows in shards",
					get_rel_name(relid)),
			 errhint("Use INSERT ... ON CONFLICT, UPDATE and DELETE.")));
}
#endif

/* Whether the value assigns an element after another one of the same column. */
static bool
assigns_elements(const Node *value)
{
	const SubscriptingRef *last;

	while (IsA(value, CoerceToDomain))
		value = (const Node *) ((const CoerceToDomain *) value)->arg;
	last = (const SubscriptingRef *) value;
	return IsA(value, SubscriptingRef) && last->refassgnexpr != NULL &&
		IsA(last->refexpr, SubscriptingRef);
}

/*
 * Refuses to assign several elements of a column.  Where Citus writes the text
 * of a statement it takes all but the last assignment out of the statement, and
 * it writes that of a statement that it evaluates more than once.
 */
static void
check_elements(Oid relid, const List *targets)
{
	ListCell   *cell;

	foreach(cell, targets)
	{
		TargetEntry *target = lfirst_node(TargetEntry, cell);

		if (!target->resjunk && assigns_elements((Node *) target->expr))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot assign several elements of column \"%s\" of table \"%s\", whose rows Citus keeps in shards",
							get_attname(relid, target->resno, false),
							get_rel_name(relid)),
					 errdetail("Citus would lose all but the last of them."),
					 errhint("Assign the whole column, or one element in each statement.")));
	}
}

/* Prepares a statement that writes a table of Citus for the table's shards. */
void
dtmodel_rewrite_for_shards(Query *query)
{
	const DtModel *model = dtmodel_written_model(query);

	if (model->ntriggers == 0)
		return;
	dtmodel_check_not_marked(query);
	check_elements(model->relid, query->targetList);
	if (query->onConflict != NULL)
		check_elements(model->relid, query->onConflict->onConflictSet);
	dtmodel_search_cases(query);
	if (query->commandType == CMD_INSERT)
		dtmodel_send_insert(query, model);
	else if (query->commandType == CMD_UPDATE)
		dtmodel_mark_as_sent(query, DT_SENT_UPDATE);
	else if (query->commandType == CMD_DELETE)
		send_delete(query);
#ifdef COMPAT_HAS_MERGE
	else if (query->commandType == CMD_MERGE)
		refuse_merge(model->relid);
#endif
}

static List *
assign_deleted(Query *query, const DtSoftTarget *target, const DtSender *sender)
{
	return sender->is_session ? dtmodel_target_assignments(query, target) :
		dtmodel_target_assignments_at(query, target, sender->transaction);
}

/*
 * Refuses to write a view of a model that Citus keeps in shards, where a trigger
 * of the view should do it: Citus plans no such statement, but fails.
 */
void
dtmodel_check_written_view(const Query *query)
{
	const RangeTblEntry *rte;
	const DtModel *model;
	Relation	view;
	Oid			relid;

	if (query->commandType == CMD_SELECT || query->resultRelation == 0)
		return;
	rte = rt_fetch(query->resultRelation, query->rtable);
	if (rte->relkind != RELKIND_VIEW || !dtmodel_has_citus())
		return;
	view = table_open(rte->relid, NoLock);
	relid = dtmodel_read_view(view).relid;
	table_close(view, NoLock);
	if (relid < FirstNormalObjectId || get_rel_relkind(relid) == RELKIND_VIEW)
		return;
	model = dtmodel_get_model_of_locked(relid);
	if (model->ntriggers > 0 && dtmodel_is_shell(&model->citus))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot write to view \"%s\" of table \"%s\", whose rows Citus keeps in shards",
						get_rel_name(rte->relid), get_rel_name(relid)),
				 errhint("Write to the table.")));
}

/* What a soft DELETE was sent for is not on the shard: it would be a hard one. */
pg_noreturn static void
report_no_soft_delete(Oid relid)
{
	Oid			table = dtmodel_get_model_of_locked(relid)->citus.table;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a shard of table \"%s\" has no soft delete",
					get_rel_name(OidIsValid(table) ? table : relid)),
			 errdetail("The DELETE would remove its rows for good."),
			 errhint("Call %s.remove_soft_delete and %s.add_soft_delete again.",
					 DTMODEL_SCHEMA, DTMODEL_SCHEMA)));
}

/*
 * Receives a statement that writes a shard.  Returns whether it was a DELETE
 * that became an UPDATE.  "kept" is as in dtmodel_receive_statement().
 */
bool
dtmodel_rewrite_on_shard(Query *query, const char *text, Const **kept)
{
	DtSoftTarget target;
	DtSender	sender;

	if (dtmodel_written_model(query)->ntriggers == 0)
		return false;
	if (text != NULL && !dtmodel_is_citus_backend())
		dtmodel_check_not_marked(query);
	if (!dtmodel_receive_statement(query, text == NULL, &sender, kept) ||
		sender.command != DT_SENT_DELETE)
		return false;
	if (!dtmodel_find_soft_shard(query, query->resultRelation, &target))
		report_no_soft_delete(rt_fetch(query->resultRelation, query->rtable)->relid);
	query->commandType = CMD_UPDATE;
	query->targetList = list_concat(query->targetList,
									assign_deleted(query, &target, &sender));
	query->jointree->quals = make_and_qual(query->jointree->quals,
										   dtmodel_live_condition(&target));
	return true;
}
