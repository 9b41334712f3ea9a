/*-------------------------------------------------------------------------
 *
 * target.c
 *	  Finding soft-delete models in the query that the planner gets.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "mixin/soft_delete/target.h"
#include "model/time_value.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"

/*
 * The soft delete of an entry of the range table, as its triggers say; NULL if
 * it is not such a table.
 */
const DtSoftDelete *
dtmodel_soft_delete_of_entry(const RangeTblEntry *rte)
{
	const DtModel *model = dtmodel_get_model_of_entry(rte);

	return model == NULL ? NULL : dtmodel_soft_delete_of(model);
}

/* The columns of a table on which DELETE is soft in this session. */
static bool
soft_columns(const RangeTblEntry *rte, DtSoftDelete *columns)
{
	const DtSoftDelete *known = dtmodel_soft_delete_of_entry(rte);
	Relation	rel;

	if (known == NULL || !dtmodel_soft_delete_fires(known))
		return false;

	rel = table_open(rte->relid, NoLock);
	*columns = dtmodel_usable_soft_delete(rel);
	table_close(rel, NoLock);
	return true;
}

/*
 * Whether an entry of the range table is such a table.  A shard is not: what is
 * to be done with its rows is decided where Citus plans the statement.
 */
bool
dtmodel_find_soft_target(Query *query, int rtindex, DtSoftTarget *target)
{
	return dtmodel_find_soft_shard(query, rtindex, target) &&
		!dtmodel_is_shard(&dtmodel_get_model_of_entry(target->rte)->citus);
}

/* The same, and it may be a shard. */
bool
dtmodel_find_soft_shard(Query *query, int rtindex, DtSoftTarget *target)
{
	target->rtindex = rtindex;
	target->rte = rt_fetch(rtindex, query->rtable);
	return soft_columns(target->rte, &target->columns);
}

/* "The row of the table is live", as a condition of the query. */
Node *
dtmodel_live_condition(const DtSoftTarget *target)
{
	return dtmodel_live_node(&target->columns, target->rtindex);
}

static Expr *
current_timestamp(void)
{
	SQLValueFunction *now = makeNode(SQLValueFunction);

	now->op = SVFOP_CURRENT_TIMESTAMP;
	now->type = TIMESTAMPTZOID;
	now->typmod = -1;
	now->location = -1;
	return (Expr *) now;
}

static TargetEntry *
assign(Query *query, const DtSoftTarget *target, const DtColumn *column,
	   Expr *value)
{
	compat_add_updated_column(query, target->rte, column->attnum);
	return makeTargetEntry(value, column->attnum,
						   pstrdup(NameStr(column->name)), false);
}

static List *
make_assignments(Query *query, const DtSoftTarget *target, Expr *time)
{
	const DtSoftDelete *columns = &target->columns;
	List	   *assignments;

	assignments = list_make1(assign(query, target, &columns->deleted_at, time));
	if (dtmodel_column_is_used(&columns->flag))
		assignments = lappend(assignments,
							  assign(query, target, &columns->flag,
									 (Expr *) makeBoolConst(!columns->flag_is_live, false)));
	return assignments;
}

/*
 * The assignments that delete a row of the target.  The time of the
 * transaction is an expression of the server: a function of ours would need a
 * privilege that a DELETE does not need.
 */
List *
dtmodel_target_assignments(Query *query, const DtSoftTarget *target)
{
	return make_assignments(query, target,
							dtmodel_time_value(current_timestamp(),
											   &target->columns.deleted_at));
}

/* The same with the time of a transaction on another server. */
List *
dtmodel_target_assignments_at(Query *query, const DtSoftTarget *target,
							  TimestampTz time)
{
	const DtColumn *column = &target->columns.deleted_at;

	return make_assignments(query, target,
							(Expr *) makeConst(column->typid, column->typmod, InvalidOid,
											   sizeof(TimestampTz),
											   TimestampTzGetDatum(dtmodel_time_for_column(time, column)),
											   false, FLOAT8PASSBYVAL));
}
