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
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "mixin/soft_delete/target.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

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

/* Whether an entry of the range table is such a table. */
bool
dtmodel_find_soft_target(Query *query, int rtindex, DtSoftTarget *target)
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

static Expr *
in_utc(Expr *time)
{
	Const	   *zone = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
								 CStringGetTextDatum("UTC"), false, false);

	return (Expr *) makeFuncExpr(F_TIMEZONE_TEXT_TIMESTAMPTZ, TIMESTAMPOID,
								 list_make2(zone, time), InvalidOid,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* The time of the transaction, in the type of the column. */
static Expr *
deletion_time(const DtColumn *deleted_at)
{
	Expr	   *time = current_timestamp();

	if (deleted_at->typid == TIMESTAMPOID)
		time = in_utc(time);
	return (Expr *) coerce_to_target_type(NULL, (Node *) time,
										  deleted_at->typid, deleted_at->typid,
										  deleted_at->typmod,
										  COERCION_ASSIGNMENT,
										  COERCE_IMPLICIT_CAST, -1);
}

static TargetEntry *
assign(Query *query, const DtSoftTarget *target, const DtColumn *column,
	   Expr *value)
{
	compat_add_updated_column(query, target->rte, column->attnum);
	return makeTargetEntry(value, column->attnum,
						   pstrdup(NameStr(column->name)), false);
}

/*
 * The assignments that delete a row of the target.  The time of the
 * transaction is an expression of the server: a function of ours would need a
 * privilege that a DELETE does not need.
 */
List *
dtmodel_target_assignments(Query *query, const DtSoftTarget *target)
{
	const DtSoftDelete *columns = &target->columns;
	List	   *assignments;

	assignments = list_make1(assign(query, target, &columns->deleted_at,
									deletion_time(&columns->deleted_at)));
	if (dtmodel_column_is_used(&columns->flag))
		assignments = lappend(assignments,
							  assign(query, target, &columns->flag,
									 (Expr *) makeBoolConst(!columns->flag_is_live, false)));
	return assignments;
}
