/*-------------------------------------------------------------------------
 *
 * soft_cascade.c
 *	  Soft delete along foreign keys, and restore along the same ones.
 *
 * The foreign key already says what should happen.  When a row is deleted
 * softly, ON DELETE CASCADE takes its children along, with the same time of
 * deletion, and ON DELETE RESTRICT is stopped by live children.  The other
 * actions would write what a restore cannot take back, so they wait until
 * the row is purged.  When a row is restored, the children that carry its
 * time come back with it; those that were deleted on their own stay deleted.
 *
 * The queries are like those of the server's own foreign keys: saved plans,
 * run as the owner of the table that is looked at or written.  Triggers that
 * they fire are queued behind those of the statement that we are called for,
 * so that a cascade of any depth needs no more stack than one of one level.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/soft_delete.h"
#include "model/foreign_key.h"
#include "model/plan_cache.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What a flip of a row has to do with one foreign key. */
typedef struct Reference
{
	DtForeignKey *key;
	bool		is_soft;		/* the other table has soft delete */
	DtSoftDelete columns;		/* and these are its columns */
} Reference;

/* What the trigger needs to know, found out once in each statement. */
typedef struct CascadeState
{
	DtSoftDelete columns;
	List	   *children;		/* References that lead to this table */
	List	   *parents;		/* References that lead away from it */
} CascadeState;

PG_FUNCTION_INFO_V1(dtmodel_soft_cascade_trigger);

static Reference *
make_reference(DtForeignKey *key, Oid other)
{
	Reference  *reference = palloc0(sizeof(Reference));
	Relation	rel = table_open(other, AccessShareLock);
	const DtSoftDelete *columns = dtmodel_get_model(rel)->soft_delete;

	reference->key = key;
	reference->is_soft = columns != NULL && dtmodel_soft_delete_fires(columns);
	if (reference->is_soft)
		reference->columns = dtmodel_usable_soft_delete(rel);
	table_close(rel, AccessShareLock);
	return reference;
}

/* CASCADE takes soft children along, RESTRICT minds all. */
static List *
child_references(Relation rel)
{
	List	   *references = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_keys_to(rel))
	{
		DtForeignKey *key = lfirst(cell);
		Reference  *reference = make_reference(key, key->child);

		if ((key->on_delete == FKCONSTR_ACTION_CASCADE && reference->is_soft) ||
			key->on_delete == FKCONSTR_ACTION_RESTRICT)
			references = lappend(references, reference);
	}
	return references;
}

/* The parents that a live row must not be without. */
static List *
parent_references(Relation rel)
{
	List	   *references = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_keys_from(rel))
	{
		DtForeignKey *key = lfirst(cell);
		Reference  *reference;

		if (key->on_delete != FKCONSTR_ACTION_CASCADE &&
			key->on_delete != FKCONSTR_ACTION_RESTRICT)
			continue;
		reference = make_reference(key, key->parent);
		if (reference->is_soft)
			references = lappend(references, reference);
	}
	return references;
}

static CascadeState *
get_state(FunctionCallInfo fcinfo, Relation rel)
{
	CascadeState *state = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	if (state != NULL)
		return state;

	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	state = palloc0(sizeof(CascadeState));
	state->columns = dtmodel_usable_soft_delete(rel);
	state->children = child_references(rel);
	state->parents = parent_references(rel);
	MemoryContextSwitchTo(caller);
	fcinfo->flinfo->fn_extra = state;
	return state;
}

/* Whether the query is about a parent of the row, not about its children. */
static bool
asks_parent(DtPlanPurpose purpose)
{
	return purpose == DT_PLAN_LIVE_PARENT || purpose == DT_PLAN_DELETED_PARENT;
}

static char *
build_query(const Reference *reference, DtPlanPurpose purpose, Relation other)
{
	const DtForeignKey *key = reference->key;
	const char *table = psprintf("%s%s", dtmodel_only(other),
								 dtmodel_qualified_name(other));
	int			time = key->ncolumns + 1;
	StringInfoData query;

	initStringInfo(&query);
	if (purpose == DT_PLAN_CASCADE_DELETE || purpose == DT_PLAN_CASCADE_RESTORE)
		appendStringInfo(&query, "UPDATE %s SET %s", table,
						 purpose == DT_PLAN_CASCADE_DELETE ?
						 dtmodel_mark_assignments(&reference->columns,
												  psprintf("$%d", time)) :
						 dtmodel_restore_assignments(&reference->columns));
	else
		appendStringInfo(&query, "SELECT FROM %s", table);

	appendStringInfoString(&query, " WHERE ");
	if (asks_parent(purpose))
		dtmodel_append_parent_key(&query, key, NULL);
	else
		dtmodel_append_child_key(&query, key, NULL);
	if (reference->is_soft)
		appendStringInfo(&query, " AND %s",
						 purpose == DT_PLAN_CASCADE_RESTORE ||
						 purpose == DT_PLAN_DELETED_PARENT ?
						 dtmodel_deleted_text(&reference->columns, NULL) :
						 dtmodel_live_lookup_text(other, &reference->columns, NULL));
	if (purpose == DT_PLAN_CASCADE_RESTORE)
		appendStringInfo(&query, " AND %s OPERATOR(pg_catalog.=) $%d",
						 quote_identifier(NameStr(reference->columns.deleted_at.name)),
						 time);
	if (purpose == DT_PLAN_LIVE_PARENT)
		appendStringInfoString(&query, " FOR SHARE");
	return query.data;
}

/* The types of the key's values on our side, and of the time. */
static Oid *
parameter_types(const Reference *reference, bool of_child)
{
	const DtForeignKey *key = reference->key;
	Oid		   *types = palloc(sizeof(Oid) * (key->ncolumns + 1));

	for (int i = 0; i < key->ncolumns; i++)
		types[i] = of_child ?
			get_atttype(key->parent, key->parent_columns[i]) :
			get_atttype(key->child, key->child_columns[i]);
	types[key->ncolumns] = reference->columns.deleted_at.typid;
	return types;
}

static bool
takes_time(DtPlanPurpose purpose)
{
	return purpose == DT_PLAN_CASCADE_DELETE ||
		purpose == DT_PLAN_CASCADE_RESTORE;
}

static SPIPlanPtr
get_plan(const Reference *reference, DtPlanPurpose purpose, Relation other)
{
	Oid			constraint = reference->key->constraint;
	SPIPlanPtr	plan = dtmodel_find_plan(constraint, purpose);

	if (plan != NULL)
		return plan;
	return dtmodel_save_plan(constraint, purpose,
							 build_query(reference, purpose, other),
							 reference->key->ncolumns + (takes_time(purpose) ? 1 : 0),
							 parameter_types(reference, !asks_parent(purpose)));
}

/* The row's values of the key; false when one is null, and nothing matches. */
static bool
key_values(const Reference *reference, bool of_child, Relation rel,
		   HeapTuple row, Datum *values)
{
	const DtForeignKey *key = reference->key;

	for (int i = 0; i < key->ncolumns; i++)
	{
		AttrNumber	attnum = of_child ? key->parent_columns[i] :
			key->child_columns[i];
		bool		isnull;

		values[i] = heap_getattr(row, attnum, RelationGetDescr(rel), &isnull);
		if (isnull)
			return false;
	}
	return true;
}

/*
 * Runs the query for a purpose on the other table, as its owner and with its
 * row-level security not forced, and says whether it found or changed a row.
 */
static bool
run_query(const Reference *reference, DtPlanPurpose purpose, Relation rel,
		  HeapTuple row, TimestampTz time)
{
	bool		of_child = !asks_parent(purpose);
	Datum		values[INDEX_MAX_KEYS + 1];
	Relation	other;
	DtCaller	caller;
	bool		found;

	if (!key_values(reference, of_child, rel, row, values))
		return false;
	if (takes_time(purpose))
		values[reference->key->ncolumns] =
			TimestampTzGetDatum(dtmodel_fit_time(time, &reference->columns.deleted_at));

	other = table_open(of_child ? reference->key->child : reference->key->parent,
					   RowExclusiveLock);
	SPI_connect();
	caller = dtmodel_act_as_owner(other);
	dtmodel_run_plan_in_trigger(get_plan(reference, purpose, other), values,
								takes_time(purpose) ? 0 : 1);
	dtmodel_act_as(&caller);
	found = SPI_processed > 0;
	SPI_finish();
	table_close(other, NoLock);
	return found;
}

/* "(a, b)=(1, 2)", as the server's own foreign keys have it in their errors. */
static char *
describe_key(const Reference *reference, bool of_child, Relation rel,
			 HeapTuple row)
{
	const DtForeignKey *key = reference->key;
	StringInfoData names;
	StringInfoData values;

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; i < key->ncolumns; i++)
	{
		AttrNumber	attnum = of_child ? key->parent_columns[i] :
			key->child_columns[i];
		char	   *value = SPI_getvalue(row, RelationGetDescr(rel), attnum);
		const char *separator = i > 0 ? ", " : "";

		appendStringInfo(&names, "%s%s", separator,
						 NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname));
		appendStringInfo(&values, "%s%s", separator, value == NULL ? "null" : value);
	}
	return psprintf("(%s)=(%s)", names.data, values.data);
}

static void
report_restrict(const Reference *reference, Relation rel, HeapTuple row)
{
	const char *child = get_rel_name(reference->key->child);

	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
					RelationGetRelationName(rel),
					NameStr(reference->key->name), child),
			 errdetail("Key %s is still referenced from %s of table \"%s\", with ON DELETE RESTRICT.",
					   describe_key(reference, true, rel, row),
					   reference->is_soft ? "live rows" : "rows", child),
			 errhint("Delete those rows first."),
			 errtable(rel)));
}

static void
report_deleted_parent(const Reference *reference, Relation rel, HeapTuple row)
{
	const char *parent = get_rel_name(reference->key->parent);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("restore on table \"%s\" violates foreign key constraint \"%s\"",
					RelationGetRelationName(rel), NameStr(reference->key->name)),
			 errdetail("Key %s references a deleted row of table \"%s\".",
					   describe_key(reference, false, rel, row), parent),
			 errhint("Restore the row of \"%s\" first: what was deleted with it comes back with it. %s.restore_deletion restores all at once.",
					 parent, DTMODEL_SCHEMA),
			 errtable(rel)));
}

static void
follow_deletion(const TriggerData *trigdata, const CascadeState *state)
{
	HeapTuple	row = trigdata->tg_newtuple;
	Relation	rel = trigdata->tg_relation;
	TimestampTz time = dtmodel_time_of_deletion(&state->columns, row, RelationGetDescr(rel));
	ListCell   *cell;

	foreach(cell, state->children)
	{
		const Reference *child = lfirst(cell);

		if (child->key->on_delete == FKCONSTR_ACTION_CASCADE)
			(void) run_query(child, DT_PLAN_CASCADE_DELETE, rel, row, time);
		else if (run_query(child, DT_PLAN_LIVE_CHILD, rel, row, 0))
			report_restrict(child, rel, row);
	}
}

/*
 * Refuses to restore a row whose parent is deleted.  A live parent is locked,
 * so that nobody deletes it before the row is there for him to see; one that
 * is being deleted is waited for.
 */
static void
check_parent(const Reference *parent, Relation rel, HeapTuple row)
{
	if (!run_query(parent, DT_PLAN_LIVE_PARENT, rel, row, 0) &&
		run_query(parent, DT_PLAN_DELETED_PARENT, rel, row, 0))
		report_deleted_parent(parent, rel, row);
}

static void
follow_restore(const TriggerData *trigdata, const CascadeState *state)
{
	HeapTuple	row = trigdata->tg_newtuple;
	Relation	rel = trigdata->tg_relation;
	TimestampTz time = dtmodel_time_of_deletion(&state->columns,
												trigdata->tg_trigtuple,
												RelationGetDescr(rel));
	ListCell   *cell;

	foreach(cell, state->parents)
		check_parent(lfirst(cell), rel, row);
	foreach(cell, state->children)
	{
		const Reference *child = lfirst(cell);

		if (child->key->on_delete == FKCONSTR_ACTION_CASCADE)
			(void) run_query(child, DT_PLAN_CASCADE_RESTORE, rel, row, time);
	}
}

static void
check_protocol(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.soft_cascade_trigger must be called as a trigger after update of a row",
						DTMODEL_SCHEMA)));
}

/*
 * soft_cascade_trigger() returns trigger
 *
 * AFTER UPDATE, FOR EACH ROW, when the row is deleted softly or restored.
 *
 * A deletion takes along the live rows that reference this one with ON DELETE
 * CASCADE, in tables with soft delete, and gives them its time; it is refused
 * (23001) while live rows reference it with ON DELETE RESTRICT.  A restore
 * brings back the rows that reference this one with ON DELETE CASCADE and
 * carry its time; it is refused (23503) while a row that this one references
 * with either of them is deleted itself.
 */
Datum
dtmodel_soft_cascade_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	CascadeState *state;
	TupleDesc	desc;
	bool		was_deleted;
	bool		is_deleted;

	check_protocol(fcinfo);
	state = get_state(fcinfo, trigdata->tg_relation);
	desc = RelationGetDescr(trigdata->tg_relation);
	was_deleted = dtmodel_is_deleted(&state->columns, trigdata->tg_trigtuple, desc);
	is_deleted = dtmodel_is_deleted(&state->columns, trigdata->tg_newtuple, desc);

	if (is_deleted && !was_deleted)
		follow_deletion(trigdata, state);
	else if (was_deleted && !is_deleted)
		follow_restore(trigdata, state);
	return PointerGetDatum(NULL);
}
