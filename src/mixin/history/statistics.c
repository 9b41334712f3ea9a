/*-------------------------------------------------------------------------
 *
 * statistics.c
 *	  Statistics of a model as it was.
 *
 * To show a model as it was, the server reads the union of the model and of its
 * history.  It knows nothing of the columns of a union, and then expects that
 * a join of two of them returns many times the rows that it does, and prefers
 * nested loops.  The statistics of the model describe it as it was, too, much
 * better than none do: a key is as unique at any moment as it is now.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_statistic.h"
#include "mixin/history/mixin.h"
#include "mixin/history/statistics.h"
#include "nodes/pathnodes.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

static get_relation_stats_hook_type next_relation_stats = NULL;

/* Whether an entry of the range table is the history of a model. */
static bool
is_history_of(const RangeTblEntry *rte, const RangeTblEntry *model_rte)
{
	const DtModel *model = dtmodel_get_model_of_entry(model_rte);
	const DtHistory *history = model == NULL ? NULL : dtmodel_history_of(model);
	char	   *name;

	if (history == NULL || rte->rtekind != RTE_RELATION ||
		get_rel_namespace(rte->relid) != get_rel_namespace(model_rte->relid))
		return false;
	name = get_rel_name(rte->relid);
	return name != NULL && strcmp(name, NameStr(history->table)) == 0;
}

/*
 * The arm of a UNION ALL that is the model, if the other one, after it, is its
 * history; else NULL.  The union is an append relation whose children are the
 * tables.
 */
static const AppendRelInfo *
find_model_arm(const PlannerInfo *root, const RangeTblEntry *union_rte)
{
	const AppendRelInfo *model = NULL;
	ListCell   *cell;

	foreach(cell, root->append_rel_list)
	{
		const AppendRelInfo *arm = lfirst(cell);

		if (root->simple_rte_array[arm->parent_relid] != union_rte)
			continue;
		if (model != NULL)
			return is_history_of(root->simple_rte_array[arm->child_relid],
								 root->simple_rte_array[model->child_relid]) ?
				model : NULL;
		model = arm;
	}
	return NULL;
}

/* Not so if the union is in a subquery, whose rows the planner estimates. */
static bool
is_entry_of(const PlannerInfo *root, const RelOptInfo *rel,
			const RangeTblEntry *rte)
{
	return rel != NULL && (int) rel->relid < root->simple_rel_array_size &&
		root->simple_rel_array[rel->relid] == rel &&
		root->simple_rte_array[rel->relid] == rte;
}

/*
 * A number of distinct values that grows with the table is kept as a part of its
 * rows.  From PostgreSQL 18 on the planner multiplies it with all versions in
 * both tables, of which only those of one time are rows of the union.
 */
static void
scale_distinct(HeapTuple statistics, const RelOptInfo *rel)
{
	Form_pg_statistic form = (Form_pg_statistic) GETSTRUCT(statistics);

	if (form->stadistinct < 0 && rel->rows > 0 && rel->rows < rel->tuples)
		form->stadistinct *= rel->rows / rel->tuples;
}

/*
 * Gives the planner the statistics of the model's column.  It may not use the
 * values in them with operators that are not leakproof, as for a table on which
 * the user has no privilege: whether the user has one is not checked here.
 */
static bool
find_statistics(const PlannerInfo *root, const RangeTblEntry *union_rte,
				AttrNumber attnum, VariableStatData *vardata)
{
	const AppendRelInfo *arm = find_model_arm(root, union_rte);
	const RangeTblEntry *model;
	const Var  *column;
	HeapTuple	statistics;

	if (arm == NULL || attnum > list_length(arm->translated_vars))
		return false;
	column = list_nth(arm->translated_vars, attnum - 1);
	if (column == NULL || !IsA(column, Var) ||
		column->varno != (int) arm->child_relid || column->varattno <= 0)
		return false;

	model = root->simple_rte_array[arm->child_relid];
	statistics = SearchSysCacheCopy3(STATRELATTINH,
									 ObjectIdGetDatum(model->relid),
									 Int16GetDatum(column->varattno),
									 BoolGetDatum(model->inh));
	if (!HeapTupleIsValid(statistics))
		return false;
	if (is_entry_of(root, vardata->rel, union_rte))
		scale_distinct(statistics, vardata->rel);
	vardata->statsTuple = statistics;
	vardata->freefunc = heap_freetuple;
	return true;
}

static bool
relation_stats(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
			   VariableStatData *vardata)
{
	if (next_relation_stats != NULL &&
		next_relation_stats(root, rte, attnum, vardata))
		return true;
	return rte->rtekind == RTE_SUBQUERY && rte->inh && attnum > 0 &&
		find_statistics(root, rte, attnum, vardata);
}

void
dtmodel_start_past_statistics(void)
{
	next_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = relation_stats;
}
