/*-------------------------------------------------------------------------
 *
 * soft_target.c
 *	  The soft-delete models in a query, as the planner is given it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "dtmodel.h"
#include "mixin/soft_delete.h"
#include "mixin/soft_target.h"
#include "nodes/makefuncs.h"
#include "parser/parsetree.h"

/* The columns of a table that this session deletes from softly. */
static bool
soft_columns(Oid relid, DtSoftDelete *columns)
{
	const DtSoftDelete *known;
	Relation	rel;

	if (relid < FirstNormalObjectId)
		return false;
	known = dtmodel_get_model_of_locked(relid)->soft_delete;
	if (known == NULL || !dtmodel_soft_delete_fires(known))
		return false;

	rel = table_open(relid, NoLock);
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
	return target->rte->rtekind == RTE_RELATION &&
		soft_columns(target->rte->relid, &target->columns);
}

static Var *
column_var(const DtSoftTarget *target, const DtColumn *column)
{
	return makeVar(target->rtindex, column->attnum, column->typid,
				   column->typmod, InvalidOid, 0);
}

static Node *
null_test(const DtSoftTarget *target, const DtColumn *column, NullTestType type)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) column_var(target, column);
	test->nulltesttype = type;
	test->argisrow = false;
	test->location = -1;
	return (Node *) test;
}

static Node *
boolean_test(const DtSoftTarget *target, const DtColumn *column,
			 BoolTestType type)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = (Expr *) column_var(target, column);
	test->booltesttype = type;
	test->location = -1;
	return (Node *) test;
}

/*
 * "The row is live", in the words that somebody would write by hand, so that
 * partial indexes which were made with those words can be used.
 */
Node *
dtmodel_live_condition(const DtSoftTarget *target)
{
	const DtSoftDelete *columns = &target->columns;
	const DtColumn *flag = &columns->flag;

	if (!dtmodel_column_is_used(flag))
		return null_test(target, &columns->deleted_at, IS_NULL);
	if (!flag->is_not_null)
		return boolean_test(target, flag,
							columns->flag_is_live ? IS_NOT_FALSE : IS_NOT_TRUE);
	if (columns->flag_is_live)
		return (Node *) column_var(target, flag);
	return (Node *) makeBoolExpr(NOT_EXPR,
								 list_make1(column_var(target, flag)), -1);
}
