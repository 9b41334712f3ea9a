/*-------------------------------------------------------------------------
 *
 * restore.c
 *	  Restoring the rows that were deleted together with a row.
 *
 * They are rows below it, along any foreign key, with the same time of
 * deletion: the largest set of these in which all parents of every row are
 * live or in the set themselves.  Only parents by a foreign key with CASCADE
 * or RESTRICT count, whose deletion would have deleted the row or been
 * refused because of it.  So the rows are collected first, with the parents
 * that each of them waits for; then rows whose parents stay deleted are
 * removed from the set, and then their children, and so on; and only the
 * remaining rows are written, all of them or none.
 *
 * A row that is removed waits for its parent.  It gets that parent's time of
 * deletion, as if it had been deleted with the parent, and so is restored
 * with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/soft_delete/cascade.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/reference.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/shown_key.h"
#include "server/error.h"
#include "server/updated_row.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* The maximum number of rows that one statement writes. */
#define BATCH 1000

/* Where a row is. */
typedef struct Place
{
	Oid			relid;
	ItemPointerData tid;
} Place;

/* A table with rows of the set, or a partition. */
typedef struct RestoredTable
{
	Oid			relid;			/* hash key */
	DtSoftDelete columns;
	DtRestoreKeys keys;
} RestoredTable;

/* A row of the set, or a root: a row whose restore was requested. */
typedef struct RestoredRow
{
	Place		place;			/* hash key */
	int			position;		/* the order in which it was found */
	struct RestoredRow *above;	/* the row below which it was found */
	Oid			found_by;		/* and the foreign key */
	bool		waits;			/* removed: a parent stays deleted */
	TimestampTz time;			/* of that parent's deletion */
	struct RestoredRow *removed_by; /* the parent that was removed before, NULL
									 * if that is not of the set */
	bool		stays_deleted;	/* a root that a trigger has deleted again,
								 * at that time */
	List	   *dependents;		/* rows of the set whose parent it is */
} RestoredRow;

/* A deleted parent, known only by its place until all rows are collected. */
typedef struct Dependency
{
	RestoredRow *row;
	Place		parent;
	TimestampTz time;			/* of the parent's deletion */
	const DtReference *reference;
} Dependency;

typedef struct Restore
{
	TimestampTz time;			/* of the deletion that is undone */
	HTAB	   *tables;			/* of the set, NULL while it is empty */
	HTAB	   *rows;
	List	   *order;			/* the rows in the order in which they were
								 * found */
	List	   *dependencies;
	MemoryContext context;		/* of SPI, which lasts as long as the restore */
} Restore;

static bool
is_required_live(const DtForeignKey *key, Relation rel)
{
	return key->on_delete == FKCONSTR_ACTION_CASCADE ||
		key->on_delete == FKCONSTR_ACTION_RESTRICT ||
		dtmodel_requires_live_parent(rel, key);
}

static List *
soft_references(Relation rel, List *keys, bool to_child)
{
	List	   *references = NIL;
	ListCell   *cell;

	foreach(cell, keys)
	{
		DtForeignKey *key = lfirst(cell);
		DtReference *reference;

		if (dtmodel_is_temporal(key) ||
			(!to_child && !is_required_live(key, rel)))
			continue;
		reference = dtmodel_make_reference(key, to_child);
		if (reference->is_soft)
			references = lappend(references, reference);
	}
	return references;
}

/* The foreign keys that a restore of rows of this table follows. */
DtRestoreKeys
dtmodel_restore_keys(Relation rel)
{
	DtRestoreKeys keys;

	keys.children = soft_references(rel, dtmodel_keys_to(rel), true);
	keys.parents = soft_references(rel, dtmodel_keys_from(rel), false);
	return keys;
}

static const RestoredTable *
find_table(Restore *restore, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	MemoryContext caller;
	RestoredTable *table;
	bool		found;

	table = hash_search(restore->tables, &relid, HASH_ENTER, &found);
	if (found)
		return table;

	caller = MemoryContextSwitchTo(restore->context);
	table->columns = dtmodel_usable_soft_delete(rel);
	table->keys = dtmodel_restore_keys(rel);
	MemoryContextSwitchTo(caller);
	return table;
}

static void
begin_set(Restore *restore)
{
	HASHCTL		tables = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(RestoredTable),
		.hcxt = restore->context,
	};
	HASHCTL		rows = {
		.keysize = sizeof(Place),
		.entrysize = sizeof(RestoredRow),
		.hcxt = restore->context,
	};

	restore->tables = hash_create("dtmodel restored tables", 16, &tables,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	restore->rows = hash_create("dtmodel restored rows", 256, &rows,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Place
place_of_result(uint64 i)
{
	HeapTuple	result = SPI_tuptable->vals[i];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	Place		place;
	bool		isnull;

	/* The place is a hash key, so its padding must be zero. */
	memset(&place, 0, sizeof(place));
	place.relid = DatumGetObjectId(SPI_getbinval(result, desc, 1, &isnull));
	place.tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(result, desc, 2, &isnull));
	return place;
}

static void
add_row(Restore *restore, const Place *place, RestoredRow *above,
		const DtReference *reference)
{
	MemoryContext caller = MemoryContextSwitchTo(restore->context);
	RestoredRow *row;
	bool		found;

	if (restore->rows == NULL)
		begin_set(restore);
	row = hash_search(restore->rows, place, HASH_ENTER, &found);
	if (!found)
	{
		row->position = list_length(restore->order);
		row->above = above;
		row->found_by = reference->key->constraint;
		row->waits = row->stays_deleted = false;
		row->dependents = NIL;
		restore->order = lappend(restore->order, row);
	}
	MemoryContextSwitchTo(caller);
}

/*
 * Collects and locks the rows that reference this one and were deleted with
 * it.
 */
static void
collect_children(Restore *restore, RestoredRow *row,
				 const DtRestoreKeys *keys, Relation rel, HeapTuple tuple)
{
	ListCell   *cell;

	foreach(cell, keys->children)
	{
		if (!dtmodel_query_reference(lfirst(cell), DT_PLAN_RESTORE_CHILDREN, rel,
									 tuple, restore->time))
			continue;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Place		place = place_of_result(i);

			add_row(restore, &place, row, lfirst(cell));
		}
		SPI_freetuptable(SPI_tuptable);
	}
}

/*
 * Notes a deleted parent of the row.  A live parent is locked instead, so
 * that it cannot be deleted before our row is live; a parent that is being
 * deleted or restored is waited for.
 */
static void
note_parent(Restore *restore, RestoredRow *row, const DtReference *reference)
{
	HeapTuple	result = SPI_tuptable->vals[0];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;
	bool		is_live = DatumGetBool(SPI_getbinval(result, desc, 3, &isnull));
	MemoryContext caller;
	Dependency *dependency;

	if (is_live)
		return;
	caller = MemoryContextSwitchTo(restore->context);
	dependency = palloc0(sizeof(Dependency));
	dependency->row = row;
	dependency->parent = place_of_result(0);
	dependency->time = DatumGetTimestampTz(SPI_getbinval(result, desc, 4, &isnull));
	dependency->reference = reference;
	restore->dependencies = lappend(restore->dependencies, dependency);
	MemoryContextSwitchTo(caller);
}

/*
 * Notes that the row waits for the one below which it was found, which needs
 * no query.
 */
static void
depend_on_row_above(Restore *restore, RestoredRow *row)
{
	MemoryContext caller = MemoryContextSwitchTo(restore->context);

	row->above->dependents = lappend(row->above->dependents, row);
	MemoryContextSwitchTo(caller);
}

static void
collect_parents(Restore *restore, RestoredRow *row, const DtRestoreKeys *keys,
				Relation rel, HeapTuple tuple)
{
	ListCell   *cell;

	foreach(cell, keys->parents)
	{
		const DtReference *reference = lfirst(cell);

		if (row->above != NULL && row->found_by == reference->key->constraint)
			depend_on_row_above(restore, row);
		else if (dtmodel_query_reference(reference, DT_PLAN_RESTORE_PARENT, rel,
										 tuple, 0))
		{
			note_parent(restore, row, reference);
			SPI_freetuptable(SPI_tuptable);
		}
	}
}

/*
 * Collects the parents that a row of the set waits for, and the rows below
 * it. The row is locked, so that no other transaction can change it.
 */
static void
follow_references(Restore *restore, RestoredRow *row)
{
	Relation	rel = table_open(row->place.relid, RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	const DtRestoreKeys *keys;
	bool		should_free;
	HeapTuple	tuple;

	if (!table_tuple_fetch_row_version(rel, &row->place.tid, SnapshotSelf, slot))
		elog(ERROR, "row to be restored of table \"%s\" is gone",
			 RelationGetRelationName(rel));
	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);
	keys = &find_table(restore, rel)->keys;
	collect_parents(restore, row, keys, rel, tuple);
	collect_children(restore, row, keys, rel, tuple);
	if (should_free)
		heap_freetuple(tuple);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
}

/* Removes a row from the set, and then the rows whose parent it is. */
static void
remove_from_set(RestoredRow *row, TimestampTz time)
{
	List	   *pending = NIL;
	ListCell   *cell;

	row->waits = true;
	row->time = time;
	row->removed_by = NULL;
	pending = list_make1(row);
	while (pending != NIL)
	{
		RestoredRow *parent = llast(pending);

		pending = list_delete_last(pending);
		foreach(cell, parent->dependents)
		{
			RestoredRow *child = lfirst(cell);

			if (child->waits && child->time >= time)
				continue;
			child->waits = true;
			child->time = time;
			child->removed_by = parent;
			pending = lappend(pending, child);
		}
	}
}

/* The same for a row that may have been removed already. */
static void
make_wait(RestoredRow *row, TimestampTz time)
{
	if (!row->waits || row->time < time)
		remove_from_set(row, time);
}

/* The parent, if it is in the set; a root is not. */
static RestoredRow *
find_in_set(const Restore *restore, const Place *parent)
{
	return restore->rows == NULL ? NULL :
		hash_search(restore->rows, parent, HASH_FIND, NULL);
}

/*
 * Reduces the rows to the largest set: removes those that wait for a parent
 * outside the set.
 */
static void
prune(Restore *restore)
{
	ListCell   *cell;

	foreach(cell, restore->dependencies)
	{
		Dependency *dependency = lfirst(cell);
		RestoredRow *parent = find_in_set(restore, &dependency->parent);

		if (parent != NULL)
			parent->dependents = lappend(parent->dependents, dependency->row);
	}
	foreach(cell, restore->dependencies)
	{
		Dependency *dependency = lfirst(cell);

		if (find_in_set(restore, &dependency->parent) == NULL)
			make_wait(dependency->row, dependency->time);
	}
}

/* A row below a root that stays deleted waits for it. */
static void
prune_below(const RestoredRow *root)
{
	ListCell   *cell;

	foreach(cell, root->dependents)
		make_wait(lfirst(cell), root->time);
}

/*
 * The key by which a root waits for a parent that stays deleted.  Others of
 * its parents may wait for the root itself.
 */
static const DtReference *
find_blocker(const Restore *restore, const RestoredRow *root)
{
	ListCell   *cell;

	foreach(cell, restore->dependencies)
	{
		Dependency *dependency = lfirst(cell);

		if (dependency->row == root &&
			find_in_set(restore, &dependency->parent) == root->removed_by)
			return dependency->reference;
	}
	return NULL;
}

/* A root, which a trigger may have changed meanwhile. */
static HeapTuple
newest_root(const DtRestoreRoot *root, Relation rel)
{
	return root->has_moved ? root->row : dtmodel_newest_version(rel, root->row);
}

static void
report_deleted_parent(const DtReference *reference, const DtRestoreRoot *root)
{
	Relation	rel = table_open(root->relid, NoLock);
	const char *parent = get_rel_name(dtmodel_whole_of(reference->key->parent));

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("restore on table \"%s\" violates foreign key constraint \"%s\"",
					dtmodel_shown_name(rel),
					dtmodel_shown_constraint(reference->key->child,
											 NameStr(reference->key->name))),
			 errdetail("%s references a deleted row of table \"%s\".",
					   dtmodel_describe_key(reference, rel, newest_root(root, rel)), parent),
			 errhint("Restore the row of \"%s\" first; the rows that were deleted with it are restored with it.",
					 parent),
			 dtmodel_errforeignkey(reference->key)));
}

/*
 * The table to write to: the partition itself, which finds the row in fewer
 * steps, unless a BEFORE trigger may move its rows to another partition.
 */
static Relation
open_target(Oid relid)
{
	Relation	rel = table_open(relid, RowExclusiveLock);
	Oid			root;

	if (!rel->rd_rel->relispartition ||
		!dtmodel_get_model(rel)->has_other_before_triggers)
		return rel;
	root = dtmodel_root_of(rel);
	table_close(rel, NoLock);
	return table_open(root, RowExclusiveLock);
}

static void
append_write(StringInfo query, Relation target, Oid relid, const DtSoftDelete *columns,
			 bool restores)
{
	const char *time = quote_identifier(NameStr(columns->deleted_at.name));

	appendStringInfo(query, DT_MARKS_SET_LIVE "UPDATE %s%s SET %s "
					 "WHERE ctid OPERATOR(pg_catalog.=) ANY ($1)",
					 dtmodel_only(target), dtmodel_qualified_name(target),
					 restores ? dtmodel_restore_assignments(columns) :
					 psprintf("%s = $2", time));
	if (RelationGetRelid(target) != relid)
		appendStringInfo(query, " AND tableoid OPERATOR(pg_catalog.=) %u::pg_catalog.oid",
						 relid);
}

/*
 * In PG_CATCH of a restore: throws the error again.  A duplicate of a live row
 * gets a hint, but not one in a table that a trigger has written to.  The
 * server's detail has the values, if the caller may SELECT them.
 */
void
dtmodel_rethrow_from_restore(Relation rel, MemoryContext caller)
{
	ErrorData  *error = dtmodel_take_error(ERRCODE_UNIQUE_VIOLATION, caller);

	if (error->hint == NULL && error->table_name != NULL &&
		error->constraint_name != NULL && dtmodel_is_error_of(error, rel))
		error->hint = psprintf("Another row of table \"%s\" has the same values in \"%s\". Change or delete it, or change the row that is to be restored.",
							   error->table_name, error->constraint_name);
	ReThrowError(error);
}

static SPIPlanPtr
write_plan(Relation target, Oid relid, const DtSoftDelete *columns,
		   bool restores)
{
	DtPlanPurpose purpose = restores ? DT_PLAN_RESTORE_ROWS : DT_PLAN_RETIME_ROWS;
	Oid			types[] = {TIDARRAYOID, columns->deleted_at.typid};
	DtPlan		plan = dtmodel_find_plan(relid, purpose, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	append_write(&plan.query, target, relid, columns, restores);
	return dtmodel_save_plan(&plan, restores ? 1 : 2, types);
}

static const DtSoftDelete *
columns_of(const Restore *restore, Oid relid)
{
	return &((RestoredTable *) hash_search(restore->tables, &relid, HASH_FIND,
										   NULL))->columns;
}

static void
run_write(Relation target, SPIPlanPtr plan, Datum *values)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		dtmodel_run_plan_in_trigger(plan, values, 0);
	}
	PG_CATCH();
	{
		dtmodel_rethrow_from_restore(target, caller);
	}
	PG_END_TRY();
}

/*
 * Writes rows of one table, as its owner: restores them, or changes their
 * time of deletion.
 */
static void
write_rows(Restore *restore, Oid relid, int count, Datum *tids, bool restores,
		   TimestampTz time)
{
	Relation	target = open_target(relid);
	Datum		values[2];
	DtOwnerContext owner;

	values[0] = PointerGetDatum(construct_array(tids, count, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	values[1] = TimestampTzGetDatum(time);
	dtmodel_enter_owner_context(&owner, target);
	run_write(target,
			  write_plan(target, relid, columns_of(restore, relid), restores),
			  values);
	dtmodel_leave_owner_context(&owner);
	if (SPI_processed != (uint64) count)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows of table \"%s\" could not be restored",
						dtmodel_shown_name(target)),
				 errdetail("A BEFORE UPDATE trigger skipped or changed a row that is restored together with another one."),
				 errhint("Make the trigger leave restored rows unchanged, or make it an AFTER trigger."),
				 errtable(target)));
	table_close(target, NoLock);
}

/* Compares what is the same for all rows that one statement writes. */
static int
compare_kinds(const RestoredRow *a, const RestoredRow *b)
{
	if (a->place.relid != b->place.relid)
		return a->place.relid < b->place.relid ? -1 : 1;
	if (a->waits != b->waits)
		return a->waits ? 1 : -1;
	if (!a->waits || a->time == b->time)
		return 0;
	return a->time < b->time ? -1 : 1;
}

/*
 * Otherwise parents are written before children, in the order in which they
 * were found.
 */
static int
compare_rows(const ListCell *a, const ListCell *b)
{
	const RestoredRow *x = lfirst(a);
	const RestoredRow *y = lfirst(b);
	int			kinds = compare_kinds(x, y);

	return kinds != 0 ? kinds : x->position - y->position;
}

static void
write_set(Restore *restore)
{
	Datum		tids[BATCH];
	const RestoredRow *first = NULL;
	int			count = 0;
	ListCell   *cell;

	list_sort(restore->order, compare_rows);
	foreach(cell, restore->order)
	{
		RestoredRow *row = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (row->waits && row->time == restore->time)
			continue;
		if (count == BATCH || (count > 0 && compare_kinds(first, row) != 0))
		{
			write_rows(restore, first->place.relid, count, tids, !first->waits,
					   first->time);
			count = 0;
		}
		if (count == 0)
			first = row;
		tids[count++] = PointerGetDatum(&row->place.tid);
	}
	if (count > 0)
		write_rows(restore, first->place.relid, count, tids, !first->waits,
				   first->time);
}

/*
 * A worker of logical replication applies one row after the other, in the order
 * in which the statement found them, so a parent that is deleted now may be
 * restored by the next change.
 */
static RestoredRow *
follow_root_references(Restore *restore, const DtRestoreRoot *root)
{
	Relation	rel = table_open(root->relid, NoLock);
	TupleDesc	desc = RelationGetDescr(rel);
	RestoredRow *row = MemoryContextAllocZero(restore->context,
											  sizeof(RestoredRow));

	if (root->keys->children != NIL || root->keys->parents != NIL)
	{
		HeapTuple	newest = newest_root(root, rel);

		row->stays_deleted = dtmodel_is_deleted(root->columns, newest, desc);
		row->time = dtmodel_row_deleted_at(root->columns, newest, desc);
		if (!root->is_replicated && !row->stays_deleted)
			collect_parents(restore, row, root->keys, rel, newest);
		collect_children(restore, row, root->keys, rel,
						 root->has_moved ? root->referenced : newest);
	}
	table_close(rel, NoLock);
	return row;
}

/*
 * Collects the rows below and above the roots, those below and above these,
 * and so on.
 */
static List *
collect(Restore *restore, List *roots)
{
	List	   *rows = NIL;
	ListCell   *cell;

	foreach(cell, roots)
		rows = lappend(rows, follow_root_references(restore, lfirst(cell)));
	for (int i = 0; i < list_length(restore->order); i++)
	{
		CHECK_FOR_INTERRUPTS();
		follow_references(restore, list_nth(restore->order, i));
	}
	return rows;
}

/*
 * Restores the rows that were deleted together with the roots, at this time;
 * the roots are live already, unless a trigger has deleted them again.  If a
 * root has a parent that stays deleted, it does nothing and returns false, or
 * raises an error (23503).
 */
static bool
restore_below(List *roots, TimestampTz time, bool refuses)
{
	Restore		restore = {.time = time};
	bool		complete = true;
	List	   *rows;

	SPI_connect();
	restore.context = CurrentMemoryContext;
	rows = collect(&restore, roots);
	prune(&restore);
	for (int i = 0; i < list_length(rows); i++)
	{
		const RestoredRow *row = list_nth(rows, i);

		if (row->stays_deleted)
			prune_below(row);
	}
	for (int i = 0; i < list_length(rows); i++)
	{
		const RestoredRow *row = list_nth(rows, i);

		if (row->waits && refuses)
			report_deleted_parent(find_blocker(&restore, row), list_nth(roots, i));
		complete &= !row->waits;
	}
	if (complete)
		write_set(&restore);
	SPI_finish();
	return complete;
}

/*
 * Restores the rows that were deleted together with a row.  If a parent of it
 * stays deleted, another row of the same statement may still restore that; so
 * the row may have to wait until all rows are known: then the result is
 * false.
 */
bool
dtmodel_restore_below_row(const DtRestoreRoot *root)
{
	return restore_below(list_make1(unconstify(DtRestoreRoot *, root)),
						 root->time, false);
}

/*
 * The same for rows that had to wait.  An error (23503) if one still has to.
 */
void
dtmodel_restore_below_rows(List *roots)
{
	while (roots != NIL)
	{
		TimestampTz time = ((DtRestoreRoot *) linitial(roots))->time;
		List	   *same = NIL;
		List	   *others = NIL;
		ListCell   *cell;

		foreach(cell, roots)
		{
			DtRestoreRoot *root = lfirst(cell);

			if (root->time == time)
				same = lappend(same, root);
			else
				others = lappend(others, root);
		}
		(void) restore_below(same, time, true);
		roots = others;
	}
}
