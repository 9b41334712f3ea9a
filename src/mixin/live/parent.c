/*-------------------------------------------------------------------------
 *
 * parent.c
 *	  A live row needs a live parent: the trigger.
 *
 * The foreign key guarantees that the parent exists; this trigger guarantees
 * that it is not deleted.  It locks the parent's row FOR SHARE, which
 * conflicts with the UPDATE of a soft delete.  So whichever of the two is
 * second waits for the other and sees its result.
 *
 * They are AFTER triggers.  By then all BEFORE triggers have been fired, an
 * ON CONFLICT DO NOTHING is decided, rows of one statement that reference
 * each other are all in the table, and the foreign key's own check, whose
 * name sorts first, has locked the parent's key.
 *
 * Each foreign key has a trigger, which names the columns of the key and
 * checks rows that are inserted.  The table has one more trigger for UPDATE.
 * That is not an UPDATE OF trigger, since a BEFORE trigger may change other
 * columns; instead, its WHEN condition compares the old and new values of the
 * row, before the server queues the trigger.
 *
 * The parent is looked up as the server's own foreign keys do it: as the
 * owner of the parent, independently of the caller's privileges and of
 * policies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/live/live.h"
#include "mixin/live/parent.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/foreign_key.h"
#include "model/row_trigger.h"
#include "model/shown_key.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The alias of the parent in the query. */
#define PARENT "p"

/* The state of the trigger, created once in each statement. */
typedef struct LiveParentState
{
	const DtSoftDelete *child;	/* NULL: all rows of the child are live */
	List	   *keys;			/* to parents with soft delete */
} LiveParentState;

/* The state of the parent that a row references. */
typedef enum ParentStatus
{
	PARENT_IS_NULL,				/* the row has no parent */
	PARENT_IS_MISSING,
	PARENT_IS_DELETED,
	PARENT_IS_LIVE
} ParentStatus;

PG_FUNCTION_INFO_V1(dtmodel_live_parent_trigger);
PG_FUNCTION_INFO_V1(dtmodel_live_parent_update_trigger);

/*
 * The columns of the foreign key are those in the trigger's UPDATE OF list,
 * which the catalog updates when they are renamed.
 */
DtLiveParent
dtmodel_read_live_parent(const Trigger *trigger)
{
	DtLiveParent live_parent = {
		.ncolumns = Min(trigger->tgnattr, INDEX_MAX_KEYS),
		.columns = trigger->tgattr,
	};

	return live_parent;
}

/* The foreign keys on exactly these columns; there may be more than one. */
List *
dtmodel_live_parent_keys(Relation rel, const DtLiveParent *live_parent)
{
	List	   *keys = NIL;
	ListCell   *cell;

	foreach(cell, dtmodel_keys_from(rel))
	{
		DtForeignKey *key = lfirst(cell);

		if (dtmodel_same_columns(key->ncolumns, key->child_columns,
								 live_parent->ncolumns, live_parent->columns))
			keys = lappend(keys, key);
	}
	return keys;
}

/* Whether the table has a trigger for this key. */
bool
dtmodel_has_live_parent_trigger(Relation rel, const DtForeignKey *key)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		DtLiveParent live_parent;

		if (dtmodel_trigger_type(trigger) != &dtmodel_live_triggers[DT_LIVE_PARENT] ||
			trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		live_parent = dtmodel_read_live_parent(trigger);
		if (dtmodel_same_columns(key->ncolumns, key->child_columns,
								 live_parent.ncolumns, live_parent.columns))
			return true;
	}
	return false;
}

static void
report_missing_key(Relation rel, const Trigger *trigger)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("table \"%s\" has no foreign key for trigger \"%s\"",
					dtmodel_shown_name(rel), trigger->tgname),
			 errdetail("The trigger looks for the parent that the foreign key references."),
			 errhint("Add the foreign key again, or call %s.remove_live_parent(%s, ...) with its columns.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static bool
can_be_deleted(const DtForeignKey *key)
{
	Relation	parent = table_open(key->parent, AccessShareLock);
	bool		soft = dtmodel_soft_delete_of(dtmodel_get_model(parent)) != NULL;

	if (soft)
		(void) dtmodel_usable_soft_delete(parent);
	table_close(parent, AccessShareLock);
	return soft;
}

/* Adds the keys of one trigger to those that are checked. */
static void
add_keys(LiveParentState *state, Relation rel, const Trigger *trigger)
{
	DtLiveParent live_parent = dtmodel_read_live_parent(trigger);
	List	   *keys = dtmodel_live_parent_keys(rel, &live_parent);
	ListCell   *cell;

	if (keys == NIL)
		report_missing_key(rel, trigger);
	foreach(cell, keys)
	{
		if (can_be_deleted(lfirst(cell)))
			state->keys = lappend(state->keys, lfirst(cell));
	}
}

/* The same for all of the table's triggers that name keys. */
static void
add_all_keys(LiveParentState *state, Relation rel)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (dtmodel_trigger_type(trigger) == &dtmodel_live_triggers[DT_LIVE_PARENT] &&
			trigger->tgenabled != TRIGGER_DISABLED)
			add_keys(state, rel, trigger);
	}
}

static LiveParentState *
create_state(Relation rel)
{
	LiveParentState *state = palloc0(sizeof(LiveParentState));

	if (dtmodel_soft_delete_of(dtmodel_get_model(rel)) != NULL)
	{
		DtSoftDelete columns = dtmodel_usable_soft_delete(rel);

		state->child = memcpy(palloc(sizeof(DtSoftDelete)), &columns,
							  sizeof(DtSoftDelete));
	}
	return state;
}

static void *
make_insert_state(Relation rel, const Trigger *trigger)
{
	LiveParentState *state = create_state(rel);

	add_keys(state, rel, trigger);
	return state;
}

static void *
make_update_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	LiveParentState *state = create_state(rel);

	add_all_keys(state, rel);
	return state;
}

static bool
is_live(const LiveParentState *state, HeapTuple row, TupleDesc desc)
{
	return state->child == NULL ||
		!dtmodel_is_deleted(state->child, row, desc);
}

static bool
same_key(const DtForeignKey *key, HeapTuple a, HeapTuple b,
		 TupleDesc desc)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, key->child_columns[i] - 1);
		bool		a_isnull;
		bool		b_isnull;
		Datum		x = heap_getattr(a, att->attnum, desc, &a_isnull);
		Datum		y = heap_getattr(b, att->attnum, desc, &b_isnull);

		if (a_isnull != b_isnull ||
			(!a_isnull && !datum_image_eq(x, y, att->attbyval, att->attlen)))
			return false;
	}
	return true;
}

/*
 * Whether the row has just become a live child of this parent.  An UPDATE
 * that does not change that needs no check.
 */
static bool
is_new_child(const TriggerData *trigdata, const LiveParentState *state,
			 const DtForeignKey *key)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	if (!is_live(state, dtmodel_new_row(trigdata), desc))
		return false;
	return TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		!is_live(state, trigdata->tg_trigtuple, desc) ||
		!same_key(key, trigdata->tg_trigtuple, trigdata->tg_newtuple, desc);
}

static SPIPlanPtr
get_plan(const DtForeignKey *key, Relation parent)
{
	DtPlan		plan = dtmodel_find_plan(key->constraint, DT_PLAN_PARENT_STATUS,
										 NULL);
	DtSoftDelete columns;
	Oid			types[INDEX_MAX_KEYS];

	if (plan.saved != NULL)
		return plan.saved;
	columns = dtmodel_usable_soft_delete(parent);
	appendStringInfo(&plan.query, "SELECT %s FROM %s%s AS " PARENT " WHERE ",
					 dtmodel_live_text(&columns, PARENT), dtmodel_only(parent),
					 dtmodel_qualified_name(parent));
	dtmodel_append_parent_key(&plan.query, key, PARENT);
	appendStringInfoString(&plan.query, " FOR SHARE OF " PARENT);
	for (int i = 0; i < key->ncolumns; i++)
		types[i] = get_atttype(key->child, key->child_columns[i]);
	return dtmodel_save_plan(&plan, key->ncolumns, types);
}

static ParentStatus
run_lookup(const DtForeignKey *key, Relation parent, Datum *values)
{
	ParentStatus status = PARENT_IS_MISSING;
	bool		isnull;

	dtmodel_run_plan(get_plan(key, parent), values, NULL);
	if (SPI_processed > 0)
		status = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
											SPI_tuptable->tupdesc, 1, &isnull)) ?
			PARENT_IS_LIVE : PARENT_IS_DELETED;
	return status;
}

/*
 * Looks for the parent, as its owner, and locks it.  The transaction's own
 * older snapshot is not sufficient: under it, a parent that was deleted since
 * raises a serialization failure.
 */
static ParentStatus
find_parent(const DtForeignKey *key, Datum *values)
{
	Relation	parent = table_open(key->parent, RowShareLock);
	ParentStatus status;
	DtCaller	caller;

	caller = dtmodel_act_as_owner(parent);
	SPI_connect();
	status = run_lookup(key, parent, values);
	SPI_finish();
	dtmodel_act_as(&caller);
	table_close(parent, NoLock);
	return status;
}

/* The state of the parent that a row references. */
static ParentStatus
parent_of(const DtForeignKey *key, HeapTuple row, TupleDesc desc)
{
	Datum		values[INDEX_MAX_KEYS];

	for (int i = 0; i < key->ncolumns; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->child_columns[i], desc, &isnull);
		if (isnull)
			return PARENT_IS_NULL;
	}
	return find_parent(key, values);
}

/*
 * Whether the foreign key itself wrote the row, because the parent's key has
 * changed.  Only then does an UPDATE find that the old parent does not exist.
 */
static bool
followed_parent(const TriggerData *trigdata, const DtForeignKey *key)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		!same_key(key, trigdata->tg_trigtuple, trigdata->tg_newtuple, desc) &&
		parent_of(key, trigdata->tg_trigtuple, desc) == PARENT_IS_MISSING;
}

static void
report_deleted_parent(Relation rel, const DtForeignKey *key,
					  HeapTuple row)
{
	Oid			whole = dtmodel_whole_of(key->parent);
	const char *parent = get_rel_name(whole);

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("live row of table \"%s\" refers to a deleted row of table \"%s\"",
					dtmodel_shown_name(rel), parent),
			 errdetail("%s is deleted in table \"%s\".",
					   dtmodel_shown_key(rel, key->ncolumns, key->child_columns, row),
					   parent),
			 errhint("Refer to a live row, or restore that one first with %s.restore(NULL::%s, ...).",
					 DTMODEL_SCHEMA, dtmodel_qualified_name_of(whole)),
			 dtmodel_errforeignkey(key)));
}

static void
check_parents(const TriggerData *trigdata, const LiveParentState *state)
{
	HeapTuple	row = dtmodel_new_row(trigdata);
	ListCell   *cell;

	foreach(cell, state->keys)
	{
		const DtForeignKey *key = lfirst(cell);

		if (is_new_child(trigdata, state, key) &&
			parent_of(key, row, RelationGetDescr(trigdata->tg_relation)) == PARENT_IS_DELETED &&
			!followed_parent(trigdata, key))
			report_deleted_parent(trigdata->tg_relation, key, row);
	}
}

/*
 * live_parent_trigger() returns trigger
 *
 * AFTER INSERT OR UPDATE OF the columns of a foreign key, FOR EACH ROW.  The
 * list only names them; on UPDATE the trigger does nothing, since the table's
 * trigger below is fired by every UPDATE.
 *
 * Refuses (23503) a live row whose parent is deleted.  A key with a NULL has
 * no parent, and a parent that does not exist is left to the foreign key.  An
 * error (42704) if the foreign key does not exist any more.
 */
Datum
dtmodel_live_parent_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "live_parent_trigger",
												DT_ON_INSERT | DT_ON_UPDATE |
												DT_FIRED_AFTER);

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		check_parents(trigdata, dtmodel_trigger_state(fcinfo, make_insert_state));
	return PointerGetDatum(NULL);
}

/*
 * live_parent_update_trigger() returns trigger
 *
 * AFTER UPDATE, FOR EACH ROW, when a live row gets another parent or becomes
 * live, by the statement or by a BEFORE trigger.
 *
 * The same for all foreign keys that the table's other triggers name.
 */
Datum
dtmodel_live_parent_update_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo,
												"live_parent_update_trigger",
												DT_ON_UPDATE | DT_FIRED_AFTER);

	check_parents(trigdata, dtmodel_trigger_state(fcinfo, make_update_state));
	return PointerGetDatum(NULL);
}
