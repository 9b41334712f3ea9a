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
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/hard_delete.h"
#include "mixin/soft_delete/sharded.h"
#include "model/mixin_call.h"
#include "model/send.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"
#include "server/searched_case.h"
#include "server/subquery.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

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

/*
 * Makes the entry of a table a subquery of its live rows, which keeps the
 * entry's place and columns.  Privileges are asked for where the rows are.
 */
void
dtmodel_select_live(Query *query, DtSoftTarget *target)
{
	RangeTblEntry *rte = target->rte;
	RangeTblEntry *table = copyObject(rte);
	RangeTblRef *reference = makeNode(RangeTblRef);
	Query	   *live = makeNode(Query);
	DtSoftTarget inner = {.rtindex = 1,.rte = table,.columns = target->columns};

	reference->rtindex = 1;
	table->alias = NULL;
	table->eref = makeAlias(get_rel_name(rte->relid),
							copyObject(rte->eref->colnames));
	live->commandType = CMD_SELECT;
	live->canSetTag = true;
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

/* Prepares a statement that writes a table of Citus for the table's shards. */
void
dtmodel_rewrite_for_shards(Query *query)
{
	const DtModel *model = dtmodel_written_model(query);

	if (model->ntriggers == 0)
		return;
	dtmodel_check_not_marked(query);
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
		sender.command != DT_SENT_DELETE ||
		!dtmodel_find_soft_shard(query, query->resultRelation, &target))
		return false;
	query->commandType = CMD_UPDATE;
	query->targetList = list_concat(query->targetList,
									assign_deleted(query, &target, &sender));
	query->jointree->quals = make_and_qual(query->jointree->quals,
										   dtmodel_live_condition(&target));
	return true;
}
