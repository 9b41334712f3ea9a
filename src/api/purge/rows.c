/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  Deleting for good: the rows of one batch, and what references them.
 *
 * A row is deleted in one statement with the rows that reference it and are
 * to be purged as well; the foreign keys are checked at the end of the
 * statement, so neither order nor cycles matter.  A row that is referenced by
 * any other row is held (not deleted), and so are the rows that it
 * references, unless the action of the foreign key takes care of it.  A live
 * row is never deleted with its parent.
 *
 * The references are followed level by level from all rows of the batch at
 * once.  Rows that are held are remembered for later batches, so that no row
 * is checked more than once, even in deep trees.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/purge/purge.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/foreign_key.h"
#include "server/plan_cache.h"
#include "server/subtransaction.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* A row, as a hash key: it must not have uninitialized bytes. */
typedef struct RowKey
{
	Oid			relid;
	ItemPointerData place;
	uint16		padding;		/* 0 */
} RowKey;

/* A row that a later batch need not check again. */
typedef struct CheckedRow
{
	RowKey		key;
	bool		held;			/* false: in a dry run, it would be deleted */
	DtRowCount *holder;			/* NULL: locked by another transaction */
} CheckedRow;

/* A row of this batch, or one that references it directly or indirectly. */
typedef struct PurgeRow
{
	RowKey		key;
	bool		held;
	bool		is_chosen;		/* it is deleted, with a row of the batch that
								 * is not held */
	DtRowCount *holder;
	List	   *parents;		/* Link, to the rows that it references */
	List	   *children;		/* PurgeRow */
} PurgeRow;

typedef struct Link
{
	PurgeRow   *parent;
	DtRowCount *holder;			/* of the parent, if the child is not deleted */
} Link;

/* An attempt to purge some rows of a batch. */
typedef struct Attempt
{
	DtPurge    *purge;
	HTAB	   *rows;			/* PurgeRow */
	const DtPlaceSet *roots;
	List	   *chosen;			/* DtPlaceSet, one for each table */
	SPIPlanPtr	deletion;		/* of those rows */
} Attempt;

/* The reason why a statement has failed. */
typedef struct Failure
{
	bool		failed;
	DtRowCount *holder;
} Failure;

static DtRowCount *
find_row_count(DtPurge *purge, const char *table, const char *constraint)
{
	MemoryContext caller;
	DtRowCount *count;
	ListCell   *cell;

	foreach(cell, purge->row_counts)
	{
		count = lfirst(cell);
		if (strcmp(count->table, table) == 0 &&
			(count->constraint == NULL) == (constraint == NULL) &&
			(constraint == NULL || strcmp(count->constraint, constraint) == 0))
			return count;
	}
	caller = MemoryContextSwitchTo(purge->context);
	count = palloc0(sizeof(DtRowCount));
	count->table = pstrdup(table);
	count->constraint = constraint == NULL ? NULL : pstrdup(constraint);
	purge->row_counts = lappend(purge->row_counts, count);
	MemoryContextSwitchTo(caller);
	return count;
}

/* Whether the table is the model, a partition of it, or inherits from it. */
static bool
is_of_model(const DtPurge *purge, Oid relid)
{
	return relid == purge->model ||
		typeInheritsFrom(get_rel_type_id(relid), get_rel_type_id(purge->model));
}

static void
count_purged(DtPurge *purge, Oid relid, uint64 rows)
{
	if (is_of_model(purge, relid))
		purge->done += rows;
	else if (rows > 0)
		find_row_count(purge, get_rel_name(relid), NULL)->rows += rows;
}

/* What a foreign key means for the rows that it references. */
static DtPurgeReference *
make_reference(DtPurge *purge, DtForeignKey *key, Relation child)
{
	DtPurgeReference *reference = palloc0(sizeof(DtPurgeReference));

	reference->key = key;
	reference->soft = dtmodel_soft_delete_of(dtmodel_get_model(child)) != NULL;
	if (reference->soft)
		reference->columns = dtmodel_usable_soft_delete(child);
	reference->count = find_row_count(purge, RelationGetRelationName(child),
									  dtmodel_declared_name(key));
	reference->child = psprintf("%s%s", dtmodel_only(child),
								dtmodel_qualified_name(child));
	return reference;
}

/*
 * Whether the purge must check rows of the child; otherwise the action of the
 * key takes care of them.
 */
static bool
needs_check(const DtForeignKey *key, Relation child)
{
	switch (key->on_delete)
	{
		case FKCONSTR_ACTION_SETNULL:
		case FKCONSTR_ACTION_SETDEFAULT:
			return false;
		case FKCONSTR_ACTION_CASCADE:
			return dtmodel_soft_delete_of(dtmodel_get_model(child)) != NULL;
		default:
			return true;
	}
}

/* The foreign keys that reference the table and that the purge must check. */
static List *
find_references(DtPurge *purge, Relation rel)
{
	List	   *references = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_keys_to(rel))
	{
		DtForeignKey *key = lfirst(cell);
		Relation	child = table_open(key->child, AccessShareLock);

		if (needs_check(key, child))
		{
			dtmodel_check_sees_all(child, "They may reference rows that are to be purged.",
								   "purge");
			references = lappend(references, make_reference(purge, key, child));
		}
		table_close(child, NoLock);
	}
	return references;
}

static HTAB *
make_table(const char *name, Size entry, MemoryContext context)
{
	HASHCTL		control = {
		.keysize = sizeof(RowKey),
		.entrysize = entry,
		.hcxt = context,
	};

	return hash_create(name, 256, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

HTAB *
dtmodel_make_checked_rows(MemoryContext context)
{
	return make_table("dtmodel checked rows", sizeof(CheckedRow), context);
}

static RowKey
row_key(Oid relid, ItemPointer place)
{
	RowKey		key = {.relid = relid,.place = *place,.padding = 0};

	return key;
}

static CheckedRow *
find_checked(const DtPurge *purge, const RowKey *key)
{
	return hash_search(purge->checked, key, HASH_FIND, NULL);
}

static PurgeRow *
find_row(const Attempt *attempt, Oid relid, ItemPointer place)
{
	RowKey		key = row_key(relid, place);

	return hash_search(attempt->rows, &key, HASH_FIND, NULL);
}

static PurgeRow *
enter_row(const Attempt *attempt, const RowKey *key, bool *is_new)
{
	PurgeRow   *row;
	bool		found;

	row = hash_search(attempt->rows, key, HASH_ENTER, &found);
	if (!found)
	{
		row->held = row->is_chosen = false;
		row->holder = NULL;
		row->parents = row->children = NIL;
	}
	*is_new = !found;
	return row;
}

/* Holds a row, and the rows that it references. */
static void
hold_row(PurgeRow *row, DtRowCount *holder)
{
	List	   *pending = list_make1(row);

	if (row->held)
		return;
	row->held = true;
	row->holder = holder;
	while (pending != NIL)
	{
		ListCell   *cell;

		row = llast(pending);
		pending = list_delete_last(pending);
		foreach(cell, row->parents)
		{
			Link	   *link = lfirst(cell);

			if (link->parent->held)
				continue;
			link->parent->held = true;
			link->parent->holder = link->holder;
			pending = lappend(pending, link->parent);
		}
	}
}

/* Holds the rows that others reference. */
static void
hold_referenced(const Attempt *attempt, Relation rel, const DtPlaceSet *set,
				const DtPurgeReference *reference)
{
	DtPlaceSet *held;
	List	   *sets;

	dtmodel_query_holders(attempt->purge, rel, set, reference);
	sets = dtmodel_returned_rows(1);
	held = dtmodel_set_of_table(&sets, set->relid);
	for (int i = 0; i < held->count; i++)
		hold_row(find_row(attempt, set->relid, &held->places[i]),
				 reference->count);
}

/*
 * Notes that a row is referenced by another one that is to be purged as well.
 * True if that one has to be checked too.
 */
static bool
link_child(const Attempt *attempt, PurgeRow *parent, const RowKey *key,
		   const DtPurgeReference *reference)
{
	CheckedRow *checked = find_checked(attempt->purge, key);
	PurgeRow   *child;
	Link	   *link;
	bool		is_new;

	if (checked != NULL)
	{
		if (checked->held)
			hold_row(parent, reference->count);
		return false;
	}
	child = enter_row(attempt, key, &is_new);
	link = palloc(sizeof(Link));
	link->parent = parent;
	link->holder = reference->count;
	child->parents = lappend(child->parents, link);
	parent->children = lappend(parent->children, child);
	if (child->held)
		hold_row(parent, reference->count);
	return is_new;
}

/*
 * Finds the rows to be purged that reference these rows, and adds new ones to
 * "next".
 */
static void
find_children(const Attempt *attempt, Relation rel, const DtPlaceSet *set,
			  const DtPurgeReference *reference, List **next)
{
	TupleDesc	desc;
	bool		isnull;

	dtmodel_query_children(attempt->purge, rel, set, reference);
	desc = SPI_tuptable->tupdesc;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		ItemPointer parent = (ItemPointer) DatumGetPointer(SPI_getbinval(tuple, desc, 1, &isnull));
		Oid			relid = DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull));
		ItemPointer child = (ItemPointer) DatumGetPointer(SPI_getbinval(tuple, desc, 3, &isnull));
		RowKey		key = row_key(relid, child);

		if (link_child(attempt, find_row(attempt, set->relid, parent), &key,
					   reference))
			dtmodel_add_place(dtmodel_set_of_table(next, relid), child);
	}
}

/* Checks everything that references these rows. */
static void
check_references(const Attempt *attempt, const DtPlaceSet *set, List **next)
{
	Relation	rel = dtmodel_open(set->relid, RowExclusiveLock);
	ListCell   *cell;

	foreach(cell, find_references(attempt->purge, rel))
	{
		const DtPurgeReference *reference = lfirst(cell);

		hold_referenced(attempt, rel, set, reference);
		if (reference->soft)
			find_children(attempt, rel, set, reference, next);
	}
	table_close(rel, NoLock);
}

/*
 * Locks the rows of a set; rows that another transaction has locked are held.
 */
static DtPlaceSet *
lock_children(const Attempt *attempt, const DtPlaceSet *set)
{
	DtPlaceSet *locked = dtmodel_lock_rows(attempt->purge, set);
	HTAB	   *table = make_table("dtmodel locked rows", sizeof(RowKey),
								   CurrentMemoryContext);
	RowKey		key;

	for (int i = 0; i < locked->count; i++)
	{
		key = row_key(set->relid, &locked->places[i]);
		(void) hash_search(table, &key, HASH_ENTER, NULL);
	}
	for (int i = 0; i < set->count; i++)
	{
		key = row_key(set->relid, &set->places[i]);
		if (hash_search(table, &key, HASH_FIND, NULL) == NULL)
			hold_row(find_row(attempt, set->relid, &set->places[i]), NULL);
	}
	hash_destroy(table);
	return locked;
}

/* Follows the references, level by level. */
static void
follow_references(const Attempt *attempt)
{
	List	   *level = list_make1((void *) attempt->roots);
	bool		is_new;

	for (int i = 0; i < attempt->roots->count; i++)
	{
		RowKey		key = row_key(attempt->roots->relid, &attempt->roots->places[i]);

		(void) enter_row(attempt, &key, &is_new);
	}
	while (level != NIL)
	{
		List	   *next = NIL;
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		foreach(cell, level)
			check_references(attempt, lfirst(cell), &next);
		foreach(cell, next)
			lfirst(cell) = lock_children(attempt, lfirst(cell));
		level = next;
	}
}

/*
 * Chooses the rows to delete: those of the batch, and those that are deleted
 * with them.
 */
static void
choose_rows_to_delete(Attempt *attempt)
{
	List	   *pending = NIL;

	for (int i = 0; i < attempt->roots->count; i++)
		pending = lappend(pending, find_row(attempt, attempt->roots->relid,
											&attempt->roots->places[i]));
	while (pending != NIL)
	{
		PurgeRow   *row = llast(pending);

		pending = list_delete_last(pending);
		if (row->held || row->is_chosen)
			continue;
		row->is_chosen = true;
		dtmodel_add_place(dtmodel_set_of_table(&attempt->chosen, row->key.relid),
						  &row->key.place);
		pending = list_concat(pending, row->children);
	}
}

/* "WITH d2 AS (DELETE ...), d3 AS (DELETE ...) SELECT the count of each" */
static char *
delete_query(const Attempt *attempt)
{
	StringInfoData query;
	StringInfoData counts;
	ListCell   *cell;
	int			parameter = 2;

	initStringInfo(&query);
	initStringInfo(&counts);
	foreach(cell, attempt->chosen)
	{
		Relation	rel = dtmodel_open(((DtPlaceSet *) lfirst(cell))->relid,
									   RowExclusiveLock);
		DtSoftDelete columns = dtmodel_usable_soft_delete(rel);

		appendStringInfo(&query, "%s d%d AS (DELETE FROM ONLY %s AS " DT_ROW_ALIAS
						 " WHERE " DT_ROW_ALIAS ".ctid OPERATOR(pg_catalog.=) ANY ($%d) AND %s RETURNING 1)",
						 parameter == 2 ? DT_OWN_QUERY "WITH" : ",", parameter,
						 dtmodel_qualified_name(rel), parameter,
						 dtmodel_expired_text(&columns, DT_ROW_ALIAS));
		appendStringInfo(&counts, "%s (SELECT pg_catalog.count(*) FROM d%d)",
						 parameter == 2 ? " SELECT" : ",", parameter);
		table_close(rel, NoLock);
		parameter++;
	}
	appendStringInfoString(&query, counts.data);
	return query.data;
}

/* The plan is not saved: the set of tables often differs the next time. */
static SPIPlanPtr
prepare_delete(const Attempt *attempt)
{
	int			nargs = list_length(attempt->chosen) + 1;
	Oid		   *types = palloc(sizeof(Oid) * nargs);
	char	   *query = delete_query(attempt);
	SPIPlanPtr	plan;

	types[0] = TIMESTAMPTZOID;
	for (int i = 1; i < nargs; i++)
		types[i] = TIDARRAYOID;
	plan = SPI_prepare_cursor(query, nargs, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", query,
			 SPI_result_code_string(SPI_result));
	return plan;
}

static void
run_delete(const Attempt *attempt)
{
	Datum	   *values = palloc(sizeof(Datum) * (list_length(attempt->chosen) + 1));
	int			i = 0;
	ListCell   *cell;

	values[i++] = TimestampTzGetDatum(attempt->purge->cutoff);
	foreach(cell, attempt->chosen)
		values[i++] = dtmodel_places_array(lfirst(cell));
	(void) SPI_execute_plan(attempt->deletion, values, NULL, false, 0);
}

/* Deletes the chosen rows, physically, and counts them. */
static void
delete_chosen_rows(const Attempt *attempt)
{
	int			level = NewGUCNestLevel();
	bool		isnull;

	dtmodel_set_guc("dtmodel.hard_delete", "on");
	run_delete(attempt);
	AtEOXact_GUC(true, level);
	for (int i = 0; i < list_length(attempt->chosen); i++)
		count_purged(attempt->purge, ((DtPlaceSet *) list_nth(attempt->chosen, i))->relid,
					 DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												 SPI_tuptable->tupdesc, i + 1,
												 &isnull)));
}

/* Whether an error means that another row needs this one. */
static bool
is_reference_error(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION ||
		error->sqlerrcode == ERRCODE_RESTRICT_VIOLATION ||
		error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION;
}

/* Reads why the DELETE has failed; other errors are rethrown. */
static Failure
read_failure(DtPurge *purge, ErrorData *error)
{
	const char *object = error->constraint_name != NULL ?
		error->constraint_name : error->column_name;
	Failure		failure = {.failed = true};

	if (!is_reference_error(error))
		ReThrowError(error);
	if (error->table_name != NULL && object != NULL)
		failure.holder = find_row_count(purge, error->table_name, object);
	FreeErrorData(error);
	return failure;
}

static void
try_delete(void *argument)
{
	delete_chosen_rows((const Attempt *) argument);
}

/*
 * Runs the DELETE in a subtransaction.  It may still fail for reasons that no
 * query can find: an action of a foreign key that cannot be done, a row whose
 * deletion a trigger or a policy prevents.
 */
static Failure
delete_safely(Attempt *attempt)
{
	Failure		none = {0};
	ErrorData  *error;

	attempt->deletion = prepare_delete(attempt);
	error = dtmodel_try_in_subtransaction(try_delete, attempt);
	(void) SPI_freeplan(attempt->deletion);
	return error == NULL ? none : read_failure(attempt->purge, error);
}

static void
count_held(DtPurge *purge, DtRowCount *holder)
{
	if (holder == NULL)
		return;
	holder->rows++;
	purge->held++;
}

static void
remember(DtPurge *purge, const RowKey *key, bool held, DtRowCount *holder)
{
	CheckedRow *checked = hash_search(purge->checked, key, HASH_ENTER, NULL);

	checked->held = held;
	checked->holder = holder;
}

/*
 * Remembers the rows that need not be checked again.  Deleted rows are not
 * remembered.
 */
static void
remember_rows(const Attempt *attempt)
{
	HASH_SEQ_STATUS scan;
	PurgeRow   *row;

	hash_seq_init(&scan, attempt->rows);
	while ((row = hash_seq_search(&scan)) != NULL)
	{
		if (row->held || (row->is_chosen && attempt->purge->dry_run))
			remember(attempt->purge, &row->key, row->held, row->holder);
	}
}

static void
count_held_roots(const Attempt *attempt)
{
	for (int i = 0; i < attempt->roots->count; i++)
	{
		PurgeRow   *row = find_row(attempt, attempt->roots->relid,
								   &attempt->roots->places[i]);

		if (row->held)
			count_held(attempt->purge, row->holder);
	}
}

static void
count_dry_run(const Attempt *attempt)
{
	ListCell   *cell;

	foreach(cell, attempt->chosen)
		count_purged(attempt->purge, ((DtPlaceSet *) lfirst(cell))->relid,
					 ((DtPlaceSet *) lfirst(cell))->count);
}

static DtPlaceSet
part_of_set(const DtPlaceSet *set, int first, int count)
{
	DtPlaceSet	part = {
		.relid = set->relid,
		.count = count,
		.places = set->places + first,
	};

	return part;
}

/*
 * Purges the rows, which are locked.  If the DELETE fails, one of many rows
 * may be the reason, so the set is halved until that row is alone.
 */
static void
purge_locked_rows(DtPurge *purge, const DtPlaceSet *set)
{
	Attempt		attempt = {.purge = purge,.roots = set};
	DtPlaceSet	first = part_of_set(set, 0, set->count / 2);
	DtPlaceSet	second = part_of_set(set, first.count, set->count - first.count);
	Failure		failure = {0};

	if (set->count == 0)
		return;
	attempt.rows = make_table("dtmodel purge", sizeof(PurgeRow),
							  CurrentMemoryContext);
	follow_references(&attempt);
	choose_rows_to_delete(&attempt);
	if (purge->dry_run)
		count_dry_run(&attempt);
	else if (attempt.chosen != NIL)
		failure = delete_safely(&attempt);

	if (failure.failed && set->count > 1)
	{
		purge_locked_rows(purge, &first);
		purge_locked_rows(purge, &second);
		return;
	}
	if (failure.failed)
		hold_row(find_row(&attempt, set->relid, &set->places[0]), failure.holder);
	count_held_roots(&attempt);
	remember_rows(&attempt);
}

/* The rows that were not checked yet. */
static DtPlaceSet *
unchecked_rows(DtPurge *purge, const DtPlaceSet *set)
{
	DtPlaceSet *rest = palloc0(sizeof(DtPlaceSet));

	rest->relid = set->relid;
	for (int i = 0; i < set->count; i++)
	{
		RowKey		key = row_key(set->relid, &set->places[i]);
		CheckedRow *checked = find_checked(purge, &key);

		if (checked == NULL)
			dtmodel_add_place(rest, &set->places[i]);
		else if (checked->held)
			count_held(purge, checked->holder);
	}
	return rest;
}

/* Purges the rows of a batch that are in one table. */
void
dtmodel_purge_rows(DtPurge *purge, const DtPlaceSet *set)
{
	DtPlaceSet *rows = unchecked_rows(purge, set);

	if (rows->count > 0)
		purge_locked_rows(purge, dtmodel_lock_rows(purge, rows));
}
