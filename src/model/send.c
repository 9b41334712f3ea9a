/*-------------------------------------------------------------------------
 *
 * send.c
 *	  Sending statements to the shards of a table, and receiving them there.
 *
 * Where Citus plans an UPDATE or DELETE, its condition gets
 *
 *		AND sent(column, sender(model, command))
 *
 * Citus evaluates sender(), sends the rest to the servers that have the
 * shards, and there the statement is parsed, gets its policies, and is planned
 * as any other.  The planner takes sent() out, and the plan keeps what it has
 * for the executor.  If the statement is a part of another one, the planner
 * puts a received() in instead, which is constant, and so called once, before
 * the first row is found.
 *
 * That a column is read by sent() must not need a privilege.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "dtmodel.h"
#include "guc.h"
#include "model/mixin.h"
#include "model/send.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The place in the text of a call that is in no text. */
#define OWN_CALL_LOCATION (-2)

/* A walk through a query, for a column of one of its tables. */
typedef struct Columns
{
	int			rtindex;
	int			levels;			/* the query is this far up */
	Bitmapset  *used;			/* as in a RangeTblEntry */
} Columns;

static Oid
find_function(const char *name, int nargs, const Oid *types)
{
	return LookupFuncName(list_make2(makeString(pstrdup(DTMODEL_INTERNAL_SCHEMA)),
									 makeString(pstrdup(name))),
						  nargs, types, false);
}

static Oid
sent_function(void)
{
	const Oid	types[] = {ANYELEMENTOID, TEXTOID};

	return find_function("sent", lengthof(types), types);
}

/* sender(), or sender_in_conflict(), which has the same arguments. */
static Oid
sender_function(const char *name)
{
	const Oid	types[] = {REGCLASSOID, TEXTOID};

	return find_function(name, lengthof(types), types);
}

static Const *
model_constant(Oid relid)
{
	return makeConst(REGCLASSOID, -1, InvalidOid, sizeof(Oid),
					 ObjectIdGetDatum(relid), false, true);
}

/* The model that a statement writes; NULL if that is no model. */
const DtModel *
dtmodel_written_model(const Query *query)
{
	if (query->commandType == CMD_SELECT || query->resultRelation == 0)
		return NULL;
	return dtmodel_get_model_of_entry(rt_fetch(query->resultRelation,
											   query->rtable));
}

/* Whether the planner has added a call of a function, rather than a user. */
bool
dtmodel_is_own_call(const Node *call)
{
	return call != NULL && IsA(call, FuncExpr) &&
		((const FuncExpr *) call)->location == OWN_CALL_LOCATION;
}

static bool
is_marked(Node *node, void *function)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == *(Oid *) function &&
		!dtmodel_is_own_call(node))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, is_marked, function, 0);
	return expression_tree_walker(node, is_marked, function);
}

/*
 * Refuses a call of sent() that a user has written: to the shards it would be
 * a command of ours.
 */
void
dtmodel_check_not_marked(Query *query)
{
	Oid			function = sent_function();

	if (query_tree_walker(query, is_marked, &function, 0))
		dtmodel_report_planner_only();
}

/*
 * A column of the table; one that was dropped has no type.  If there is
 * another, it is not the one by which the table is distributed: Citus plans a
 * statement for one shard without the server's planner, and keeps the plan of a
 * prepared one, if its condition has that column only once.
 */
static AttrNumber
find_column(const RangeTblEntry *table, AttrNumber distribution_column)
{
	int			natts = list_length(table->eref->colnames);

	for (AttrNumber attnum = 1; attnum <= natts; attnum++)
	{
		if (attnum != distribution_column &&
			OidIsValid(get_atttype(table->relid, attnum)))
			return attnum;
	}
	return distribution_column;
}

static Var *
any_column(const Query *query, const DtModel *model)
{
	int			rtindex = query->resultRelation;
	AttrNumber	attnum = find_column(rt_fetch(rtindex, query->rtable),
									 model->citus.distribution_column);
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(model->relid, attnum, &type, &typmod, &collation);
	return makeVar(rtindex, attnum, type, typmod, collation, 0);
}

static Node *
call_sender(const char *function, Oid relid, DtSentCommand command)
{
	const char *name = dtmodel_sent_command_name(command);
	Const	   *text = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
								 CStringGetTextDatum(name), false, false);

	return (Node *) makeFuncExpr(sender_function(function), TEXTOID,
								 list_make2(model_constant(relid), text),
								 DEFAULT_COLLATION_OID, DEFAULT_COLLATION_OID,
								 COERCE_EXPLICIT_CALL);
}

static FuncExpr *
call_sent(const Query *query, const DtModel *model, const char *sender,
		  DtSentCommand command)
{
	FuncExpr   *sent = makeFuncExpr(sent_function(), BOOLOID,
									list_make2(any_column(query, model),
											   call_sender(sender, model->relid,
														   command)),
									InvalidOid, DEFAULT_COLLATION_OID,
									COERCE_EXPLICIT_CALL);

	sent->location = OWN_CALL_LOCATION;
	return sent;
}

/* Marks the condition of an UPDATE or DELETE for the shards of its table. */
void
dtmodel_mark_as_sent(Query *query, DtSentCommand command)
{
	FuncExpr   *sent = call_sent(query, dtmodel_written_model(query), "sender",
								 command);

	query->jointree->quals = make_and_qual(query->jointree->quals, (Node *) sent);
}

/* A call of actor_for() for a column, evaluated where the INSERT is planned. */
Expr *
dtmodel_call_actor_for(Oid relid, const DtColumn *column)
{
	const Oid	types[] = {ANYELEMENTOID, REGCLASSOID, NAMEOID};
	Oid			collation = get_typcollation(column->typid);
	Const	   *name = makeConst(NAMEOID, -1, C_COLLATION_OID, NAMEDATALEN,
								 NameGetDatum(&column->name), false, false);

	return (Expr *) makeFuncExpr(find_function("actor_for", lengthof(types), types),
								 column->typid,
								 list_make3(makeNullConst(column->typid,
														  column->typmod, collation),
											model_constant(relid), copyObject(name)),
								 collation, InvalidOid, COERCE_EXPLICIT_CALL);
}

/* Replaces a column in all rows of a VALUES list. */
static void
write_values(RangeTblEntry *values, AttrNumber attnum, Expr *value)
{
	ListCell   *cell;

	foreach(cell, values->values_lists)
	{
		List	   *row = lfirst(cell);

		list_nth_cell(row, attnum - 1)->ptr_value = copyObject(value);
	}
}

/* The list that the value of a column comes from; NULL: it is no such value. */
static RangeTblEntry *
values_of(Query *query, const TargetEntry *target)
{
	RangeTblEntry *values;

	if (!IsA(target->expr, Var))
		return NULL;
	values = rt_fetch(((const Var *) target->expr)->varno, query->rtable);
	return values->rtekind == RTE_VALUES ? values : NULL;
}

static TargetEntry *
find_target(const Query *query, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, cell);

		if (!target->resjunk && target->resno == attnum)
			return target;
	}
	return NULL;
}

static int
compare_targets(const ListCell *a, const ListCell *b)
{
	return ((const TargetEntry *) lfirst(a))->resno -
		((const TargetEntry *) lfirst(b))->resno;
}

/* Writes a column in all rows that an INSERT inserts. */
static void
write_column(Query *query, const DtColumn *column, Expr *value)
{
	TargetEntry *target = find_target(query, column->attnum);
	RangeTblEntry *values = target == NULL ? NULL : values_of(query, target);

	if (values != NULL)
		write_values(values, ((Var *) target->expr)->varattno, value);
	else if (target != NULL)
		target->expr = value;
	else
	{
		target = makeTargetEntry(value, column->attnum,
								 pstrdup(NameStr(column->name)), false);
		query->targetList = lappend(query->targetList, target);
		list_sort(query->targetList, compare_targets);
	}
}

static void
write_columns(Query *query, Oid relid, const DtMixin *mixin, const void *options)
{
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtColumn *column = dtmodel_mixin_column(&mixin->columns[i], options);
		Expr	   *value = NULL;

		if (dtmodel_column_is_used(column))
			value = mixin->inserted_value(relid, options, column);
		if (value != NULL)
			write_column(query, column, value);
	}
}

static bool
marks_deleted(const DtMixinColumn *column)
{
	return column->marks_deleted;
}

/* Whether Citus evaluates functions of the INSERT before it sends it. */
static bool
is_evaluated(const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		if (contain_mutable_functions((Node *) lfirst_node(RangeTblEntry, cell)->values_lists))
			return true;
	}
	return contain_mutable_functions((Node *) query->targetList);
}

/* Whether an UPDATE by the statement writes the time or the actor. */
static bool
conflict_needs_sender(const Query *query, const DtModel *model)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	ListCell   *cell;

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (model->options[i] != NULL && mixins[i]->inserted_value != NULL)
			return true;
	}
	foreach(cell, query->onConflict->onConflictSet)
	{
		if (dtmodel_is_managed(model, lfirst_node(TargetEntry, cell)->resno,
							   marks_deleted))
			return true;
	}
	return false;
}

static void
refuse_conflict(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this INSERT ... ON CONFLICT DO UPDATE is not supported on table \"%s\", whose rows Citus keeps in shards",
					get_rel_name(relid)),
			 errdetail("Citus would not send the time and the actor with it."),
			 errhint("Add timestamps to the model, or use INSERT ... ON CONFLICT DO NOTHING and UPDATE.")));
}

/* The condition of ON CONFLICT DO UPDATE is marked as that of an UPDATE. */
static void
send_conflict(Query *query, const DtModel *model)
{
	bool		is_constant = !is_evaluated(query);
	FuncExpr   *sent;

	if (is_constant && conflict_needs_sender(query, model))
		refuse_conflict(model->relid);
	sent = call_sent(query, model, "sender_in_conflict", DT_SENT_UPDATE);
	if (is_constant)
		lsecond(sent->args) = dtmodel_no_sender();
	query->onConflict->onConflictWhere =
		make_and_qual(query->onConflict->onConflictWhere, (Node *) sent);
}

/*
 * Stamps the rows of an INSERT, which its triggers on the shards leave as they
 * are.
 */
void
dtmodel_send_insert(Query *query, const DtModel *model)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	Oid			relid = model->relid;

	for (int i = 0; mixins[i] != NULL && !dtmodel_preserve_timestamps; i++)
	{
		if (model->options[i] != NULL && mixins[i]->inserted_value != NULL)
			write_columns(query, relid, mixins[i], model->options[i]);
	}
	if (query->onConflict != NULL &&
		query->onConflict->action == ONCONFLICT_UPDATE)
		send_conflict(query, model);
}

/* Whether COPY gives the column, rather than its DEFAULT. */
static bool
is_copied(const CopyStmt *copy, const DtColumn *column)
{
	ListCell   *cell;

	foreach(cell, copy->attlist)
	{
		if (strcmp(strVal(lfirst(cell)), NameStr(column->name)) == 0)
			return true;
	}
	return copy->attlist == NIL;
}

/*
 * Whether an INSERT would write something else in the column than COPY.  Where
 * COPY does not give a time, its DEFAULT does.
 */
static bool
is_written_otherwise(const CopyStmt *copy, Oid relid, const DtMixin *mixin,
					 const void *options, const DtMixinColumn *which)
{
	const DtColumn *column = dtmodel_mixin_column(which, options);

	if (!dtmodel_column_is_used(column) ||
		mixin->inserted_value(relid, options, column) == NULL)
		return false;
	return which->use == &dtmodel_use_actor || is_copied(copy, column);
}

static void
check_copied_mixin(const CopyStmt *copy, Oid relid, const DtMixin *mixin,
				   const void *options)
{
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		if (is_written_otherwise(copy, relid, mixin, options, &mixin->columns[i]))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("COPY cannot write column \"%s\" of table \"%s\", whose rows Citus keeps in shards",
							NameStr(dtmodel_mixin_column(&mixin->columns[i], options)->name),
							get_rel_name(relid)),
					 errdetail("The value is not that of the rows but of the session, and COPY does not send it."),
					 errhint("Copy to a temporary table, and use INSERT ... SELECT. To keep the values that the rows have, set dtmodel.preserve_timestamps.")));
	}
}

/*
 * Refuses (0A000) COPY to a table of Citus if a mixin would write other values
 * than it gives.
 */
void
dtmodel_check_copy(const CopyStmt *copy)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	const DtModel *model;
	Oid			relid;

	if (!copy->is_from || dtmodel_preserve_timestamps || !dtmodel_has_citus())
		return;
	relid = RangeVarGetRelid(copy->relation, RowExclusiveLock, true);
	model = OidIsValid(relid) ? dtmodel_get_model_of_locked(relid) : NULL;
	for (int i = 0; model != NULL && dtmodel_is_shell(&model->citus) &&
		 mixins[i] != NULL; i++)
	{
		if (model->options[i] != NULL && mixins[i]->inserted_value != NULL)
			check_copied_mixin(copy, relid, mixins[i], model->options[i]);
	}
}

static bool
find_columns(Node *node, void *context)
{
	Columns    *columns = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		const Var  *var = (const Var *) node;

		if (var->varno == columns->rtindex && (int) var->varlevelsup == columns->levels)
			columns->used = bms_add_member(columns->used, var->varattno -
										   FirstLowInvalidHeapAttributeNumber);
		return false;
	}
	if (IsA(node, Query))
	{
		bool		result;

		columns->levels++;
		result = query_tree_walker((Query *) node, find_columns, columns, 0);
		columns->levels--;
		return result;
	}
	return expression_tree_walker(node, find_columns, columns);
}

/*
 * Takes back the SELECT privilege on columns that the query does not read any
 * more.
 */
static void
forget_unused_columns(Query *query)
{
	Columns		columns = {.rtindex = query->resultRelation};

	(void) query_tree_walker(query, find_columns, &columns, 0);
	compat_keep_selected_columns(query,
								 rt_fetch(query->resultRelation, query->rtable),
								 columns.used);
}

/* The sender in the call of sent(), which Citus has evaluated. */
static Const *
sender_of(const FuncExpr *sent)
{
	Const	   *sender = lsecond(sent->args);

	if (!IsA(sender, Const) || sender->constisnull)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("INSERT ... ON CONFLICT DO UPDATE of a query or with a generic plan is not supported on a model, because Citus sends it to the shards without the times and the actor"),
				 errhint("Use INSERT ... ON CONFLICT DO NOTHING and UPDATE, or SET plan_cache_mode = force_custom_plan for a prepared statement.")));
	return sender;
}

static Node *
call_received(Node *sender)
{
	const Oid	types[] = {TEXTOID};
	FuncExpr   *received = makeFuncExpr(find_function("received", lengthof(types), types),
										BOOLOID, list_make1(sender), InvalidOid,
										DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);

	received->location = OWN_CALL_LOCATION;
	return (Node *) received;
}

/*
 * Whether the sender is still a call.  It is in a plan that Citus keeps for a
 * shard on this server, where the session that runs it is the sender each
 * time.
 */
static bool
is_evaluated_later(const FuncExpr *sent)
{
	const FuncExpr *sender = lsecond(sent->args);

	return IsA(sender, FuncExpr) &&
		(sender->funcid == sender_function("sender") ||
		 sender->funcid == sender_function("sender_in_conflict"));
}

/* It must be STABLE there, which the one for ON CONFLICT is not. */
static FuncExpr *
call_own_sender(const FuncExpr *sent)
{
	FuncExpr   *sender = copyObject(lsecond(sent->args));

	sender->funcid = sender_function("sender");
	return sender;
}

/* What call_sender() has put into the call. */
static DtSender
own_sender(const FuncExpr *sender)
{
	const Const *command = lsecond_node(Const, sender->args);

	return (DtSender)
	{
		.is_session = true,
		.command = dtmodel_sent_command_of(TextDatumGetCString(command->constvalue)),
	};
}

/* What is to take the place of sent(): received(), or what the plan can keep. */
static Node *
receive(const FuncExpr *sent, bool is_local, bool can_keep, DtSender *sender)
{
	Const	   *constant;

	if (is_local && is_evaluated_later(sent))
	{
		FuncExpr   *own = call_own_sender(sent);

		*sender = own_sender(own);
		return call_received((Node *) own);
	}
	constant = sender_of(sent);
	*sender = dtmodel_read_sender(DatumGetTextPP(constant->constvalue));
	return can_keep ? (Node *) constant : call_received((Node *) constant);
}

static bool
is_sent(const Node *node)
{
	const char *name;

	if (!IsA(node, FuncExpr))
		return false;
	name = dtmodel_function_name(((const FuncExpr *) node)->funcid,
								 DTMODEL_INTERNAL_SCHEMA);
	return name != NULL && strcmp(name, "sent") == 0;
}

/* Takes the call of sent() out of a condition; NULL if there is none. */
static const FuncExpr *
take_sent(Node **condition)
{
	List	   *parts = make_ands_implicit((Expr *) *condition);
	ListCell   *cell;

	foreach(cell, parts)
	{
		const Node *part = lfirst(cell);

		if (!is_sent(part))
			continue;
		parts = foreach_delete_current(parts, cell);
		*condition = parts == NIL ? NULL : (Node *) make_ands_explicit(parts);
		return (const FuncExpr *) part;
	}
	return NULL;
}

/*
 * Receives an UPDATE or DELETE of a shard, or an INSERT that may update; false
 * if no server of ours has sent it.  "kept" is where to put what the plan is to
 * keep, see dtmodel_keep_sender(); NULL if it cannot.
 */
bool
dtmodel_receive_statement(Query *query, bool is_local, DtSender *sender,
						  Const **kept)
{
	Node	  **condition = NULL;
	const FuncExpr *sent = NULL;
	Node	   *received;

	if (query->commandType == CMD_UPDATE || query->commandType == CMD_DELETE)
		condition = &query->jointree->quals;
	else if (query->onConflict != NULL)
		condition = &query->onConflict->onConflictWhere;
	if (condition != NULL)
		sent = take_sent(condition);
	if (sent == NULL)
		return false;
	forget_unused_columns(query);
	received = receive(sent, is_local,
					   kept != NULL && query->commandType != CMD_INSERT, sender);
	if (IsA(received, Const))
		*kept = (Const *) received;
	else
		*condition = make_and_qual(*condition, received);
	return true;
}

/*
 * Keeps a sender in the plan of an UPDATE or DELETE.  A call of received() in
 * its condition would be a node of the plan, which costs something for each
 * row.  The server has no condition in the node that writes.  The plan is one
 * of Citus if a client that pretends to be Citus names another table of it:
 * then no sender is received.
 */
void
dtmodel_keep_sender(PlannedStmt *planned, Const *sender)
{
	if (IsA(planned->planTree, ModifyTable))
		planned->planTree->qual = list_make1(sender);
}

/* Receives the sender that a plan has kept, as long as the statement runs. */
void
dtmodel_receive_kept(QueryDesc *query)
{
	const Plan *plan = query->plannedstmt->planTree;

	if (IsA(plan, ModifyTable) && plan->qual != NIL)
		(void) dtmodel_receive(query->estate->es_query_cxt,
							   DatumGetTextPP(linitial_node(Const, plan->qual)->constvalue));
}
