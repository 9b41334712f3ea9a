/*-------------------------------------------------------------------------
 *
 * live_parent_setup.c
 *	  A live row needs a live parent: giving a table the trigger, and taking
 *	  it off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/live.h"
#include "mixin/live_parent.h"
#include "mixin/soft_delete.h"
#include "model/ddl.h"
#include "model/foreign_key.h"
#include "model/plan_cache.h"
#include "utils/builtins.h"

/* The aliases of both tables in the queries below. */
#define CHILD "c"
#define PARENT "p"

/* So many orphans an error shows; it says so when there are more. */
#define SHOWN_ORPHANS 3

PG_FUNCTION_INFO_V1(dtmodel_require_live_parent);
PG_FUNCTION_INFO_V1(dtmodel_remove_live_parent);

static void
report_no_key(Relation rel, const DtLiveParent *asked)
{
	char	   *columns = dtmodel_column_list(RelationGetRelid(rel),
											  asked->ncolumns, asked->columns,
											  ", ", true);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("table \"%s\" has no foreign key on (%s)",
					RelationGetRelationName(rel), columns),
			 errdetail("A parent is what a foreign key on just these columns references."),
			 errhint("Call ALTER TABLE %s ADD FOREIGN KEY (%s) REFERENCES ... first.",
					 dtmodel_qualified_name(rel), columns),
			 errtable(rel)));
}

static void
check_not_temporal(Relation rel, const DtForeignKey *key)
{
	if (!dtmodel_is_temporal(key))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a foreign key of table \"%s\" references periods",
					RelationGetRelationName(rel)),
			 errdetail("Its parent is no single row that could be live or deleted."),
			 errtable(rel)));
}

/* "FROM child JOIN parent WHERE the child is a live one of a deleted one" */
static char *
orphans_query(const DtChange *change, const DtForeignKey *key,
			  Relation parent)
{
	const DtSoftDelete *child = dtmodel_get_model(change->rel)->soft_delete;
	DtSoftDelete columns;
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "FROM %s%s AS " CHILD " JOIN %s%s AS " PARENT " ON ",
					 dtmodel_only(change->rel), change->table,
					 dtmodel_only(parent), dtmodel_qualified_name(parent));
	dtmodel_append_reference(&query, key, PARENT, CHILD);
	columns = dtmodel_usable_soft_delete(parent);
	appendStringInfo(&query, " WHERE %s",
					 dtmodel_deleted_text(&columns, PARENT));
	if (child != NULL)
	{
		columns = dtmodel_usable_soft_delete(change->rel);
		appendStringInfo(&query, " AND %s", dtmodel_live_text(&columns, CHILD));
	}
	return query.data;
}

static char *
describe_orphans(const DtForeignKey *key)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint64 i = 0; i < Min(SPI_processed, SHOWN_ORPHANS); i++)
		appendStringInfo(&text, "%s(%s)", i > 0 ? ", " : "",
						 dtmodel_row_values(SPI_tuptable->vals[i],
											SPI_tuptable->tupdesc, key->ncolumns,
											NULL));
	if (SPI_processed > SHOWN_ORPHANS)
		appendStringInfoString(&text, " and others");
	return text.data;
}

static void
report_orphans(const DtChange *change, const DtForeignKey *key,
			   Relation parent, const char *query, const char *orphans)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("table \"%s\" has live rows under deleted rows of table \"%s\"",
					RelationGetRelationName(change->rel),
					RelationGetRelationName(parent)),
			 errdetail("Their key (%s) is %s.",
					   dtmodel_column_list(key->child, key->ncolumns, key->child_columns,
										   ", ", false), orphans),
			 errhint("Delete them, or restore their parents. To find them: SELECT " CHILD ".* %s;",
					 query),
			 errtable(change->rel)));
}

/*
 * Looks for live rows that are orphans already.  As the caller, who must be
 * able to read the parents for it.
 */
static void
check_rows(const DtChange *change, const DtForeignKey *key,
		   Relation parent)
{
	char	   *query = orphans_query(change, key, parent);
	StringInfoData select;
	MemoryContext caller = CurrentMemoryContext;
	char	   *orphans = NULL;

	dtmodel_check_sees_all(parent, "Live rows under deleted ones could not all be found.",
						   "require_live_parent");
	initStringInfo(&select);
	appendStringInfoString(&select, DT_OWN_QUERY "SELECT DISTINCT ");
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(&select, "%s" CHILD ".%s", i > 0 ? ", " : "",
						 dtmodel_column_list(key->child, 1, &key->child_columns[i],
											 "", true));
	appendStringInfo(&select, " %s ORDER BY 1", query);

	SPI_connect();
	(void) SPI_execute(select.data, false, SHOWN_ORPHANS + 1);
	if (SPI_processed > 0)
		orphans = MemoryContextStrdup(caller, describe_orphans(key));
	SPI_finish();
	if (orphans != NULL)
		report_orphans(change, key, parent, query, orphans);
}

static void
check_key(const DtChange *change, const DtForeignKey *key)
{
	Relation	parent = table_open(key->parent, AccessShareLock);

	(void) dtmodel_usable_soft_delete(parent);
	check_not_temporal(change->rel, key);
	check_rows(change, key, parent);
	table_close(parent, NoLock);
}

/* The trigger for just these columns, in whatever order. */
static const Trigger *
find_trigger(Relation rel, const DtLiveParent *asked)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		DtLiveParent live_parent;

		if (dtmodel_trigger_kind(trigger) != DT_TRIGGER_LIVE_PARENT)
			continue;
		live_parent = dtmodel_read_live_parent(trigger);
		if (dtmodel_same_columns(live_parent.ncolumns, live_parent.columns,
								 asked->ncolumns, asked->columns))
			return trigger;
	}
	return NULL;
}

static bool
has_trigger_name(Relation rel, const char *name)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			return true;
	}
	return false;
}

/* zz_dtmodel_live_parent_<column>..., with a number where it is taken. */
static char *
choose_name(Relation rel, const DtLiveParent *asked)
{
	const char *stem = dtmodel_trigger_names[DT_TRIGGER_LIVE_PARENT].trigger;
	char	   *columns = dtmodel_column_list(RelationGetRelid(rel),
											  asked->ncolumns, asked->columns,
											  "_", false);
	char	   *name = makeObjectName(stem, columns, NULL);

	for (int i = 1; has_trigger_name(rel, name); i++)
		name = makeObjectName(stem, columns, psprintf("%d", i));
	return name;
}

static void
set_trigger(DtChange *change, const DtLiveParent *asked, const char *name,
			int ncolumns, const AttrNumber *columns)
{
	dtmodel_change(change,
				   psprintf("set trigger \"%s\"", name),
				   psprintf("CREATE OR REPLACE TRIGGER %s AFTER INSERT OR UPDATE OF %s ON %s "
							"FOR EACH ROW EXECUTE FUNCTION %s.%s('key_columns=%d')",
							quote_identifier(name),
							dtmodel_column_list(RelationGetRelid(change->rel),
												ncolumns, columns, ", ", true),
							change->table, DTMODEL_SCHEMA,
							dtmodel_trigger_names[DT_TRIGGER_LIVE_PARENT].function,
							asked->ncolumns));
}

/*
 * The columns whose UPDATE fires the trigger: those of the key, and those that
 * say whether the row is live.
 */
static int
firing_columns(Relation rel, const DtLiveParent *live_parent,
			   AttrNumber *columns)
{
	const DtSoftDelete *child = dtmodel_get_model(rel)->soft_delete;
	int			ncolumns = live_parent->ncolumns;

	memcpy(columns, live_parent->columns, sizeof(AttrNumber) * ncolumns);
	if (child != NULL && dtmodel_column_is_used(&child->flag))
		columns[ncolumns++] = child->flag.attnum;
	if (child != NULL)
		columns[ncolumns++] = child->deleted_at.attnum;
	return ncolumns;
}

/* Whether the trigger is fired when a row becomes live. */
static bool
fires_as_needed(Relation rel, const Trigger *trigger)
{
	DtLiveParent live_parent = dtmodel_read_live_parent(trigger);
	AttrNumber	columns[INDEX_MAX_KEYS + 2];
	int			ncolumns = firing_columns(rel, &live_parent, columns);

	return dtmodel_same_columns(trigger->tgnattr, trigger->tgattr, ncolumns,
								columns);
}

/* What keeps such a trigger from doing its work, or NULL. */
char *
dtmodel_drift_of_live_parent(Relation rel, const Trigger *trigger)
{
	DtLiveParent live_parent = dtmodel_read_live_parent(trigger);

	if (dtmodel_live_parent_keys(rel, &live_parent) == NIL)
		return psprintf("trigger \"%s\" has no foreign key", trigger->tgname);
	if (!fires_as_needed(rel, trigger))
		return psprintf("trigger \"%s\" is not fired when a row is restored",
						trigger->tgname);
	return NULL;
}

/* Makes sure that the table has the trigger. */
static void
change_trigger(DtChange *change, const DtLiveParent *asked)
{
	const Trigger *trigger = find_trigger(change->rel, asked);
	AttrNumber	columns[INDEX_MAX_KEYS + 2];
	int			ncolumns = firing_columns(change->rel, asked, columns);

	if (trigger == NULL)
		set_trigger(change, asked, choose_name(change->rel, asked), ncolumns,
					columns);
	else if (trigger->tgenabled == TRIGGER_DISABLED ||
			 !fires_as_needed(change->rel, trigger))
		set_trigger(change, asked, trigger->tgname, ncolumns, columns);
}

/*
 * require_live_parent(child regclass, VARIADIC fk_columns name[]) returns void
 *
 * Makes the table refuse live rows whose parent, by the foreign key on these
 * columns, is deleted.  Each foreign key gets a trigger of its own; called
 * again it re-configures, which is needed after the table itself became a
 * soft-delete model.  An error for a NULL (22004), for an unknown column
 * (42703), where there is no such foreign key (42704), where it references
 * periods (0A000), for a parent without soft delete (42809), for live rows
 * that are under deleted ones now (23503), and for a caller who may not read
 * all parents (42501).
 *
 * Source: none; the reference document dtpyfw.db.model leaves references to
 * the application.
 */
Datum
dtmodel_require_live_parent(PG_FUNCTION_ARGS)
{
	DtLiveParent asked;
	DtChange	change;
	List	   *keys;
	ListCell   *cell;

	dtmodel_begin_change(&change, dtmodel_model_argument(fcinfo));
	asked.columns = dtmodel_columns_argument(fcinfo, change.rel, &asked.ncolumns);
	keys = dtmodel_live_parent_keys(change.rel, &asked);
	if (keys == NIL)
		report_no_key(change.rel, &asked);
	foreach(cell, keys)
		check_key(&change, lfirst(cell));
	change_trigger(&change, &asked);
	dtmodel_apply_change(&change);
	PG_RETURN_VOID();
}

/*
 * remove_live_parent(child regclass, VARIADIC fk_columns name[]) returns void
 *
 * Takes the trigger for these columns off, whether the foreign key is still
 * there or not.  Does nothing to a table without it.
 */
Datum
dtmodel_remove_live_parent(PG_FUNCTION_ARGS)
{
	DtLiveParent asked;
	const Trigger *trigger;
	DtChange	change;

	dtmodel_begin_change(&change, dtmodel_model_argument(fcinfo));
	asked.columns = dtmodel_columns_argument(fcinfo, change.rel, &asked.ncolumns);
	trigger = find_trigger(change.rel, &asked);
	if (trigger != NULL)
		dtmodel_drop_named_trigger(&change, trigger->tgname);
	dtmodel_apply_change(&change);
	PG_RETURN_VOID();
}
