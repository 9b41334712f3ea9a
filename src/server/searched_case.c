/*-------------------------------------------------------------------------
 *
 * searched_case.c
 *	  CASE value WHEN ... as CASE WHEN value = ...
 *
 * Before Citus sends a statement it evaluates the functions in it that are not
 * the same on every server.  In such a statement it sends a CASE with a value
 * as one that a server cannot parse; with conditions it is sent as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "server/searched_case.h"

/*
 * Puts the value where the condition refers to it.  What other nodes refer to
 * in the same way is within them.
 */
static Node *
put_value(Node *node, void *value)
{
	Node	   *result;
	Expr	  **own;

	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject((Node *) value);
	if (IsA(node, CaseExpr))
		return node;
	if (IsA(node, ArrayCoerceExpr))
	{
		ArrayCoerceExpr *coercion = (ArrayCoerceExpr *) node;

		coercion->arg = (Expr *) put_value((Node *) coercion->arg, value);
		return node;
	}
	result = expression_tree_mutator(node, put_value, value);
	own = compat_json_coercion(node);
	if (own != NULL)
		*compat_json_coercion(result) = *own;
	return result;
}

/* A value that is volatile must be computed once, so that CASE stays. */
static Node *
search(CaseExpr *expression)
{
	ListCell   *cell;

	if (expression->arg == NULL ||
		contain_volatile_functions((Node *) expression->arg))
		return (Node *) expression;
	foreach(cell, expression->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, cell);

		when->expr = (Expr *) put_value((Node *) when->expr, expression->arg);
	}
	expression->arg = NULL;
	return (Node *) expression;
}

static Node *
search_cases(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, search_cases, context, 0);
	node = expression_tree_mutator(node, search_cases, context);
	return IsA(node, CaseExpr) ? search((CaseExpr *) node) : node;
}

/* Gives conditions to every CASE in a query. */
void
dtmodel_search_cases(Query *query)
{
	(void) query_tree_mutator(query, search_cases, NULL, QTW_DONT_COPY_QUERY);
}
