/*-------------------------------------------------------------------------
 *
 * cascade.c
 *	  Soft delete along foreign keys.
 *
 * The action of the foreign key decides.  When a row is deleted softly, ON
 * DELETE CASCADE deletes its children softly too, with the same time of
 * deletion, and ON DELETE RESTRICT refuses if there are live children.  The
 * other actions would make changes that a restore cannot undo, so they are
 * not carried out before the row is purged.  restore.c has the restore.
 *
 * Triggers that the cascade fires are queued behind those of the statement
 * that caused it, so that a cascade of any depth needs no more stack than one
 * of a single level.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/soft_delete/cascade.h"
#include "mixin/soft_delete/reference.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/row_trigger.h"
#include "replication/logicalworker.h"
#include "server/statement.h"
#include "server/updated_row.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* The state of the trigger, created once in each statement. */
typedef struct CascadeState
{
	DtSoftDelete columns;
	List	   *children;		/* References that a deletion follows. */
	DtRestoreKeys restore_keys;
} CascadeState;

/* A row that is deleted or restored while it moves to another partition. */
typedef struct Flip
{
	ItemPointerData tid;		/* hash key: its old place */
	TransactionId xid;			/* of the subtransaction that moves it */
	HeapTuple	row;			/* the new row, with the columns of the old
								 * partition */
} Flip;

/* The flips of one partition. */
typedef struct Flips
{
	HTAB	   *flips;
} Flips;

/* Rows whose restore is completed at the end of their statement. */
typedef struct Restores
{
	List	   *roots;
} Restores;

/*
 * The memory context of the statement that caused the running cascade:
 * triggers that the cascade fires are run at the end of that statement.
 */
static MemoryContext followed_statement = NULL;

PG_FUNCTION_INFO_V1(dtmodel_soft_cascade_trigger);
PG_FUNCTION_INFO_V1(dtmodel_soft_cascade_move_trigger);

/*
 * The references to follow: for CASCADE to children with soft delete, for
 * RESTRICT to all.
 */
static List *
child_references(Relation rel)
{
	List	   *references = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_keys_to(rel))
	{
		DtReference *reference = dtmodel_make_reference(lfirst(cell), true);
		char		on_delete = reference->key->on_delete;

		if ((on_delete == FKCONSTR_ACTION_CASCADE && reference->is_soft) ||
			on_delete == FKCONSTR_ACTION_RESTRICT)
			references = lappend(references, reference);
	}
	return references;
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	CascadeState *state = palloc0(sizeof(CascadeState));

	state->columns = dtmodel_usable_soft_delete(rel);
	state->children = child_references(rel);
	state->restore_keys = dtmodel_restore_keys(rel);
	return state;
}

static void
report_restrict(const DtReference *reference, Relation rel, HeapTuple row)
{
	Oid			child_relid = reference->key->child;
	const char *child = get_rel_name(dtmodel_whole_of(child_relid));

	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
					dtmodel_shown_name(rel),
					dtmodel_shown_constraint(child_relid, NameStr(reference->key->name)),
					child),
			 errdetail("%s is still referenced from %s of table \"%s\", with ON DELETE RESTRICT.",
					   dtmodel_describe_key(reference, rel, row),
					   reference->is_soft ? "live rows" : "rows", child),
			 errhint("Delete those rows first."),
			 dtmodel_errforeignkey(reference->key)));
}

static void
query_children(const CascadeState *state, Relation rel, HeapTuple row,
			   TimestampTz time)
{
	ListCell   *cell;

	foreach(cell, state->children)
	{
		const DtReference *child = lfirst(cell);

		if (child->key->on_delete == FKCONSTR_ACTION_CASCADE)
			(void) dtmodel_query_reference(child, DT_PLAN_CASCADE_DELETE, rel, row, time);
		else if (dtmodel_query_reference(child, DT_PLAN_LIVE_CHILD, rel, row, 0))
			report_restrict(child, rel, row);
	}
}

/*
 * The row that fires an UPDATE trigger.  A trigger that fired before ours may
 * have deleted or restored the row again, or changed its key.
 */
static HeapTuple
newest_row(const TriggerData *trigdata)
{
	if (table_tuple_satisfies_snapshot(trigdata->tg_relation,
									   trigdata->tg_newslot, SnapshotSelf))
		return trigdata->tg_newtuple;
	return dtmodel_newest_version(trigdata->tg_relation, trigdata->tg_newtuple);
}

static void
follow_deletion(FunctionCallInfo fcinfo, const CascadeState *state,
				Relation rel, HeapTuple row, TimestampTz time)
{
	MemoryContext outer = followed_statement;

	SPI_connect();
	followed_statement = fcinfo->flinfo->fn_mcxt;
	PG_TRY();
	{
		query_children(state, rel, row, time);
	}
	PG_FINALLY();
	{
		followed_statement = outer;
	}
	PG_END_TRY();
	SPI_finish();
}

/*
 * The same for a row that has not moved.  Nothing is left to do for one that
 * was restored after its deletion.
 */
static void
follow_deletion_in_place(FunctionCallInfo fcinfo, const CascadeState *state,
						 Relation rel, TimestampTz time)
{
	HeapTuple	row = newest_row((const TriggerData *) fcinfo->context);

	if (dtmodel_is_deleted(&state->columns, row, RelationGetDescr(rel)))
		follow_deletion(fcinfo, state, rel, row, time);
}

/* Adds a root whose restore waits for the end of the statement. */
static void
postpone(FunctionCallInfo fcinfo, const DtRestoreRoot *root)
{
	MemoryContext caller;
	Restores   *note;
	DtRestoreRoot *kept;

	note = dtmodel_make_note(fcinfo->flinfo->fn_mcxt, DT_NOTE_RESTORES, InvalidOid,
							 sizeof(Restores));
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	kept = palloc(sizeof(DtRestoreRoot));
	*kept = *root;
	kept->row = heap_copytuple(root->row);
	kept->referenced = heap_copytuple(root->referenced);
	note->roots = lappend(note->roots, kept);
	MemoryContextSwitchTo(caller);
}

/*
 * Whether a worker of logical replication applies the row, rather than a
 * statement of a trigger that it fires.
 */
static bool
is_replicated(void)
{
	return IsLogicalWorker() &&
		DatumGetInt32(OidFunctionCall0(F_PG_TRIGGER_DEPTH)) == 1;
}

/*
 * Runs the cascade of a row that is deleted or restored.  The rows that
 * reference it have the key of "referenced".
 */
static void
follow(FunctionCallInfo fcinfo, HeapTuple row, HeapTuple referenced)
{
	const TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	const CascadeState *state = dtmodel_trigger_state(fcinfo, make_state);
	HeapTuple	old_row = trigdata->tg_trigtuple;
	bool		was_deleted = dtmodel_is_deleted(&state->columns, old_row, desc);
	bool		is_deleted = dtmodel_is_deleted(&state->columns, row, desc);
	DtRestoreRoot root = {
		.relid = RelationGetRelid(rel),
		.columns = &state->columns,
		.keys = &state->restore_keys,
		.row = row,
		.has_moved = !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event),
		.referenced = referenced,
		.is_replicated = is_replicated(),
	};

	if (is_deleted && !was_deleted)
	{
		TimestampTz time = dtmodel_row_deleted_at(&state->columns, row, desc);

		if (state->children == NIL)
			return;
		if (root.has_moved)
			follow_deletion(fcinfo, state, rel, referenced, time);
		else
			follow_deletion_in_place(fcinfo, state, rel, time);
	}
	else if (was_deleted && !is_deleted)
	{
		root.time = dtmodel_row_deleted_at(&state->columns, old_row, desc);
		if (!dtmodel_restore_below_row(&root))
			postpone(fcinfo, &root);
	}
}

/*
 * Called when a statement has run its AFTER triggers: restores the rows that
 * had to wait for other rows of the statement.
 */
void
dtmodel_finish_restores(QueryDesc *query)
{
	Restores   *note = dtmodel_find_note(query->estate->es_query_cxt,
										 DT_NOTE_RESTORES, InvalidOid);
	MemoryContext caller;
	List	   *roots;

	if (note == NULL || note->roots == NIL)
		return;
	roots = note->roots;
	note->roots = NIL;
	caller = MemoryContextSwitchTo(query->estate->es_query_cxt);
	AfterTriggerBeginQuery();
	dtmodel_restore_below_rows(roots);
	AfterTriggerEndQuery(query->estate);
	MemoryContextSwitchTo(caller);
}

/*
 * Triggers that a cascade fires are run at the end of the statement that
 * caused it.  A deferred trigger belongs to no statement.
 */
static TriggerData *
cascade_trigger(FunctionCallInfo fcinfo, const char *function, int event)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, function,
												event | DT_FIRED_AFTER);

	if (trigdata->tg_trigger->tgdeferrable)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" of table \"%s\" must not be deferrable",
						trigdata->tg_trigger->tgname,
						RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Drop the trigger and let the add_* function of the mixin create it.")));
	return trigdata;
}

/*
 * soft_cascade_trigger() returns trigger
 *
 * AFTER UPDATE, FOR EACH ROW, when the row is deleted softly or restored.
 *
 * A deletion also deletes the live rows that reference this one with ON
 * DELETE CASCADE, in tables with soft delete, with the same time; it is
 * refused (23001) while live rows reference the row with ON DELETE RESTRICT.
 * A restore also restores the rows below this one that have the same time of
 * deletion; it is refused (23503) while a row that this one references is
 * deleted itself.
 */
Datum
dtmodel_soft_cascade_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = cascade_trigger(fcinfo, "soft_cascade_trigger",
											DT_ON_UPDATE);

	follow(fcinfo, trigdata->tg_newtuple, trigdata->tg_newtuple);
	return PointerGetDatum(NULL);
}

static HTAB *
create_flips(MemoryContext context)
{
	HASHCTL		control = {
		.keysize = sizeof(ItemPointerData),
		.entrysize = sizeof(Flip),
		.hcxt = context,
	};

	return hash_create("dtmodel flips", 16, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/*
 * For a BEFORE DELETE trigger: notes the row that will be in the other
 * partition, if the move deletes or restores it.  The note lasts until
 * soft_cascade_move_trigger() runs.
 */
void
dtmodel_note_flip(FunctionCallInfo fcinfo, const DtSoftDelete *columns,
				  HeapTuple row)
{
	const TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	MemoryContext statement = followed_statement != NULL ?
		followed_statement : fcinfo->flinfo->fn_mcxt;
	MemoryContext caller;
	Flips	   *note;
	Flip	   *flip;

	if (dtmodel_is_deleted(columns, row, desc) ==
		dtmodel_is_deleted(columns, trigdata->tg_trigtuple, desc))
		return;
	note = dtmodel_make_note(statement, DT_NOTE_FLIP,
							 RelationGetRelid(trigdata->tg_relation),
							 sizeof(Flips));
	if (note->flips == NULL)
		note->flips = create_flips(statement);
	flip = hash_search(note->flips, &trigdata->tg_trigtuple->t_self,
					   HASH_ENTER, NULL);
	flip->xid = GetCurrentTransactionId();
	caller = MemoryContextSwitchTo(statement);
	flip->row = heap_copytuple(row);
	MemoryContextSwitchTo(caller);
}

/*
 * No two rows that one transaction deletes have been at the same place.  But a
 * flip may be that of a subtransaction that was rolled back, after which the
 * row was moved or deleted in another way.
 */
static HeapTuple
find_flip(const TriggerData *trigdata)
{
	TransactionId xid = HeapTupleHeaderGetUpdateXid(trigdata->tg_trigtuple->t_data);
	ListCell   *cell;

	foreach(cell, dtmodel_notes_of_all(DT_NOTE_FLIP,
									   RelationGetRelid(trigdata->tg_relation)))
	{
		Flips	   *note = lfirst(cell);
		Flip	   *flip = note->flips == NULL ? NULL :
			hash_search(note->flips, &trigdata->tg_trigtuple->t_self,
						HASH_FIND, NULL);

		if (flip != NULL && flip->xid == xid)
			return flip->row;
	}
	return NULL;
}

/*
 * soft_cascade_move_trigger() returns trigger
 *
 * AFTER DELETE, FOR EACH ROW, on a partitioned table.  Does the same as
 * soft_cascade_trigger() for a row that an UPDATE deletes or restores while
 * it moves it to another partition, which fires no AFTER UPDATE trigger.
 * Rows that reference it do not have its new key yet.
 */
Datum
dtmodel_soft_cascade_move_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = cascade_trigger(fcinfo, "soft_cascade_move_trigger",
											DT_ON_DELETE);
	HeapTuple	row = find_flip(trigdata);

	if (row != NULL)
		follow(fcinfo, row, trigdata->tg_trigtuple);
	return PointerGetDatum(NULL);
}
