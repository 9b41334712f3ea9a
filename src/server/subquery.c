/*-------------------------------------------------------------------------
 *
 * subquery.c
 *	  A subquery in the place of a table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "server/subquery.h"

/*
 * Puts the subquery in the place of a table that is read.  The entry asks for
 * no privileges from then on.
 */
void
dtmodel_replace_by_subquery(RangeTblEntry *rte, Query *subquery)
{
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = subquery;
	rte->security_barrier = false;
	rte->relid = InvalidOid;
	rte->relkind = 0;
	rte->rellockmode = 0;
	rte->tablesample = NULL;
	rte->inh = false;
	rte->securityQuals = NIL;
	compat_forget_permissions(rte);
}
