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

/* "The row of the table is live", as a condition of the query. */
Node *
dtmodel_live_condition(const DtSoftTarget *target)
{
	return dtmodel_live_node(&target->columns, target->rtindex);
}
