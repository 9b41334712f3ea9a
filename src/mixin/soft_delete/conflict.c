/*-------------------------------------------------------------------------
 *
 * conflict.c
 *	  ON CONFLICT that meets a hidden row.
 *
 * Unique indexes see all rows, including those that a model hides.  An update
 * of such a row would succeed, but no query would show the row: the data
 * would be lost silently.  DO SELECT would show the row, or return none where
 * its caller expects one.  So the row that the executor is about to update or
 * to return is checked just before the WHERE of the clause, in the executor's
 * copy of that expression.
 *
 * For a partition whose columns have other places than those of the table, the
 * executor makes another copy when it meets the first row of it.  There the
 * trigger that a partition has for UPDATE checks the row.  DO SELECT fires
 * none: it returns no row then, by the condition that the query was given.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "mixin/soft_delete/conflict.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "nodes/plannodes.h"
#include "server/relation.h"
#include "server/statement.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The WHERE of DO UPDATE or DO SELECT, after a check of the row. */
typedef struct CheckedWhere
{
	ExprState	state;			/* the expression state that the executor
								 * evaluates */
	ExprState  *where;			/* the original WHERE; NULL: none */
	Relation	rel;
	List	   *indexes;		/* the arbiter indexes of ON CONFLICT */
	bool		selects;		/* DO SELECT */
	DtSoftDelete columns;
} CheckedWhere;

/* Those of one statement that insert into partitioned tables. */
typedef struct Conflicts
{
	List	   *inserts;
} Conflicts;

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
					dtmodel_shown_name(rel)),
			 checked->selects ?
			 errdetail("ON CONFLICT DO SELECT would return a row that is hidden.") :
			 errdetail("ON CONFLICT DO UPDATE would change a row that stays hidden."),
			 dtmodel_is_shard(&dtmodel_get_model(rel)->citus) ?
			 errhint("Restore the row, or replace the unique index by one of live rows: %s.unique_live(%s, ...).",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)) :
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

/* In the memory of the statement, which is the current one. */
static void
note_conflicts(CheckedWhere *checked)
{
	Conflicts  *note = dtmodel_make_note(CurrentMemoryContext, DT_NOTE_CONFLICTS,
										 InvalidOid, sizeof(Conflicts));

	note->inserts = lappend(note->inserts, checked);
}

/*
 * Lets INSERT ... ON CONFLICT DO UPDATE, or DO SELECT, raise an error (23505) if
 * it finds a deleted row of a model that hides them.
 */
void
dtmodel_refuse_hidden_conflicts(ModifyTableState *insert)
{
	const ModifyTable *plan = castNode(ModifyTable, insert->ps.plan);
	ResultRelInfo *target = insert->resultRelInfo;
	const DtSoftDelete *columns;
	CheckedWhere *checked;

	if (plan->onConflictAction == ONCONFLICT_NOTHING)
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
	checked->selects = compat_selects_conflict(plan->onConflictAction);
	checked->columns = dtmodel_usable_soft_delete(target->ri_RelationDesc);
	target->ri_onConflict->oc_WhereClause = &checked->state;
	if (!checked->selects &&
		target->ri_RelationDesc->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		note_conflicts(checked);
}

/*
 * Raises the same error for a deleted row of a partition that the statement
 * updates.
 */
void
dtmodel_check_conflict(MemoryContext statement, Relation rel, HeapTuple row,
					   const DtSoftDelete *columns)
{
	Conflicts  *note = dtmodel_find_note(statement, DT_NOTE_CONFLICTS, InvalidOid);
	List	   *ancestors;
	ListCell   *cell;

	if (note == NULL || !rel->rd_rel->relispartition ||
		!dtmodel_is_deleted(columns, row, RelationGetDescr(rel)))
		return;
	ancestors = get_partition_ancestors(RelationGetRelid(rel));
	foreach(cell, note->inserts)
	{
		const CheckedWhere *checked = lfirst(cell);

		if (list_member_oid(ancestors, RelationGetRelid(checked->rel)))
			report_hidden_row(checked);
	}
}
