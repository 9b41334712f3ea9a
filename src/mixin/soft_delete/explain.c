/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  What EXPLAIN says of a soft DELETE: its plan is an Update, and has the
 *	  property "Soft Delete".  Extensions can add properties from PostgreSQL 18
 *	  on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "mixin/soft_delete/explain.h"

#ifdef COMPAT_HAS_EXPLAIN_HOOK

#include "commands/explain.h"
#include "commands/explain_format.h"
#include "mixin/soft_delete/executor.h"

static explain_per_node_hook_type next_explain_node = NULL;

static void
explain_node(PlanState *node, List *ancestors, const char *relationship,
			 const char *plan_name, struct ExplainState *explain)
{
	if (next_explain_node != NULL)
		next_explain_node(node, ancestors, relationship, plan_name, explain);
	if (IsA(node, ModifyTableState) &&
		dtmodel_is_soft_deletion((ModifyTableState *) node))
		ExplainPropertyBool("Soft Delete", true, explain);
}

#endif							/* COMPAT_HAS_EXPLAIN_HOOK */

/* Called once, when the library is loaded. */
void
dtmodel_start_explaining(void)
{
#ifdef COMPAT_HAS_EXPLAIN_HOOK
	next_explain_node = explain_per_node_hook;
	explain_per_node_hook = explain_node;
#endif
}
