/*-------------------------------------------------------------------------
 *
 * conflict.c
 *	  ON CONFLICT DO UPDATE that meets a hidden row.
 *
 * Unique indexes see all rows, including those that a model hides.  An update
 * of such a row would succeed, but no query would show the row: the data
 * would be lost silently.  So the row that the executor is about to update is
 * checked just before the WHERE of DO UPDATE, in the executor's copy of that
 * expression.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "mixin/soft_delete/conflict.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "nodes/plannodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The WHERE of DO UPDATE, after a check of the row. */
typedef struct CheckedWhere
{
	ExprState	state;			/* the expression state that the executor
								 * evaluates */
	ExprState  *where;			/* the original WHERE; NULL: none */
	Relation	rel;
	List	   *indexes;		/* the arbiter indexes of ON CONFLICT */
	DtSoftDelete columns;
} CheckedWhere;

static bool
is_deleted(const DtSoftDelete *columns, TupleTableSlot *slot)
{
	bool		should_free;
	HeapTuple	row = ExecFetchSlotHeapTuple(slot, false, &should_free);
	bool		deleted = dtmodel_is_deleted(columns, row, slot->tts_tupleDescriptor);

	if (should_free)
		heap_freetuple(row);
	return deleted;
}

static void
report_hidden_row(const CheckedWhere *checked)
{
	Relation	rel = checked->rel;
	const char *index = get_rel_name(linitial_oid(checked->indexes));

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("ON CONFLICT found a deleted row of table \"%s\", which is hidden",
					RelationGetRelationName(rel)),
			 errdetail("ON CONFLICT DO UPDATE would change a row that stays hidden."),
			 errhint("Restore the row, as %s.upsert with on_deleted => 'restore' does, or replace the unique index by one of live rows: %s.unique_live(%s, ...).",
					 DTMODEL_SCHEMA, DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtableconstraint(rel, index)));
}

static Datum
evaluate(ExprState *state, ExprContext *econtext, bool *isnull)
{
	CheckedWhere *checked = (CheckedWhere *) state;

	if (is_deleted(&checked->columns, econtext->ecxt_scantuple))
		report_hidden_row(checked);
	if (checked->where != NULL)
		return checked->where->evalfunc(checked->where, econtext, isnull);
	*isnull = false;
	return BoolGetDatum(true);
}

/* An UPDATE that assigns flag or time expects deleted rows. */
static bool
writes_mark(const ModifyTable *plan, const DtSoftDelete *columns)
{
	return list_member_int(plan->onConflictCols, columns->deleted_at.attnum) ||
		(dtmodel_column_is_used(&columns->flag) &&
		 list_member_int(plan->onConflictCols, columns->flag.attnum));
}

/*
 * Lets INSERT ... ON CONFLICT DO UPDATE raise an error (23505) if it finds a
 * deleted row of a model that hides them.
 */
void
dtmodel_refuse_hidden_conflicts(ModifyTableState *insert)
{
	const ModifyTable *plan = castNode(ModifyTable, insert->ps.plan);
	ResultRelInfo *target = insert->resultRelInfo;
	const DtSoftDelete *columns;
	CheckedWhere *checked;

	if (plan->onConflictAction != ONCONFLICT_UPDATE)
		return;
	columns = dtmodel_soft_delete_of(dtmodel_get_model(target->ri_RelationDesc));
	if (columns == NULL || !columns->hide || writes_mark(plan, columns))
		return;

	checked = palloc0(sizeof(CheckedWhere));
	NodeSetTag(&checked->state, T_ExprState);
	checked->state.flags = EEO_FLAG_IS_QUAL;
	checked->state.evalfunc = evaluate;
	checked->where = target->ri_onConflict->oc_WhereClause;
	checked->rel = target->ri_RelationDesc;
	checked->indexes = target->ri_onConflictArbiterIndexes;
	checked->columns = dtmodel_usable_soft_delete(target->ri_RelationDesc);
	target->ri_onConflict->oc_WhereClause = &checked->state;
}
