/*-------------------------------------------------------------------------
 *
 * simple_case.c
 *	  Writing CASE value WHEN ... as CASE WHEN value = ...
 *
 * Before Citus sends a statement it evaluates what is the same for all rows,
 * if there is a function like now() in it.  It takes the comparison of a simple
 * CASE for such an expression: the value to compare with has a place holder
 * there.  A statement that we mark has such a function, so it must have no such
 * comparison.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/simple_case.h"
#include "nodes/nodeFuncs.h"

/*
 * Puts the value in the place of its place holder.  The coercion of an array
 * has a place holder of its own, for the elements.
 */
static Node *
put_value(Node *node, void *value)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject(value);
	if (IsA(node, ArrayCoerceExpr))
	{
		ArrayCoerceExpr *coercion = copyObject((ArrayCoerceExpr *) node);

		coercion->arg = (Expr *) put_value((Node *) coercion->arg, value);
		return (Node *) coercion;
	}
	return expression_tree_mutator(node, put_value, value);
}

static void
replace_case(CaseExpr *expr)
{
	ListCell   *cell;

	if (expr->arg == NULL)
		return;
	foreach(cell, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);

		when->expr = (Expr *) put_value((Node *) when->expr, expr->arg);
	}
	expr->arg = NULL;
}

/* The innermost first: what is left in a comparison is of the CASE around it. */
static bool
replace_cases(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, replace_cases, context, 0);
	(void) expression_tree_walker(node, replace_cases, context);
	if (IsA(node, CaseExpr))
		replace_case((CaseExpr *) node);
	return false;
}

/* Replaces every simple CASE of a query. */
void
dtmodel_replace_simple_cases(Query *query)
{
	(void) query_tree_walker(query, replace_cases, NULL, 0);
}
