/*-------------------------------------------------------------------------
 *
 * view.c
 *	  A view of the live rows, which can be updated.
 *
 * The server executes INSERT and UPDATE on the view, since it is
 * automatically updatable.  DELETE has a trigger, so that it counts and
 * returns its rows also where the library is not preloaded.
 *
 * The trigger has no arguments: its table, and which of the view's columns
 * are the table's key, are read from the definition of the view, so all of
 * them can be renamed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/live/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/change.h"
#include "model/distributed.h"
#include "model/drift.h"
#include "model/row_trigger.h"
#include "model/view_row.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The state of the trigger, created once in each statement. */
typedef struct LiveViewState
{
	Oid			relid;			/* the table */
	AttrNumber *key_columns;	/* of the view, in the order of the key */
} LiveViewState;

PG_FUNCTION_INFO_V1(dtmodel_live_view_trigger);
PG_FUNCTION_INFO_V1(dtmodel_create_live_view);

static void *
make_state(Relation view, const Trigger *trigger pg_attribute_unused())
{
	DtViewSource source = dtmodel_read_view(view);
	LiveViewState *state = palloc0(sizeof(LiveViewState));
	Relation	rel;
	DtKey		key;

	if (source.rtindex == 0)
		dtmodel_report_no_live_view(view, "It does not read exactly one table.");
	rel = dtmodel_open(source.relid, AccessShareLock);
	key = dtmodel_usable_key(rel);
	state->relid = source.relid;
	state->key_columns = palloc(sizeof(AttrNumber) * key.ncolumns);
	for (int i = 0; i < key.ncolumns; i++)
	{
		state->key_columns[i] = dtmodel_showing_column(&source, key.columns[i].attnum);
		if (!AttributeNumberIsValid(state->key_columns[i]))
			dtmodel_report_no_live_view(view, psprintf("It does not show column \"%s\" of the primary key.",
													   NameStr(key.columns[i].name)));
	}
	table_close(rel, NoLock);
	return state;
}

/* The call is about the table's row that the view's row shows. */
static void
set_view_row(DtRowCall *call, const LiveViewState *state,
			 const TriggerData *trigdata)
{
	int			ncolumns;

	call->key = dtmodel_usable_key(call->rel);
	ncolumns = call->key.ncolumns;
	call->id.values = palloc(sizeof(Datum) * ncolumns);
	call->id.nulls = palloc(ncolumns);
	for (int i = 0; i < ncolumns; i++)
	{
		bool		isnull;

		call->id.values[i] = heap_getattr(trigdata->tg_trigtuple,
										  state->key_columns[i],
										  RelationGetDescr(trigdata->tg_relation),
										  &isnull);
		call->id.nulls[i] = isnull ? 'n' : ' ';
	}
}

/*
 * The DELETE of one row.  It checks again that the row is live, since another
 * session may have deleted it while we waited.
 */
static SPIPlanPtr
get_plan(const DtRowCall *call, const DtSoftDelete *columns)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(call->rel),
										 DT_PLAN_DELETE_LIVE, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "DELETE FROM %s AS " DT_ROW_ALIAS " WHERE %s AND ",
					 dtmodel_qualified_name(call->rel),
					 dtmodel_live_text(columns, DT_ROW_ALIAS));
	dtmodel_append_key_condition(&plan.query, &call->key, DT_ROW_ALIAS);
	return dtmodel_save_plan(&plan, call->key.ncolumns,
							 dtmodel_key_types(&call->key));
}

/* Deletes the row as the caller.  Returns whether there was a live one. */
static bool
delete_row(const DtRowCall *call, const DtSoftDelete *columns)
{
	SPIPlanPtr	plan;
	Datum		row;
	bool		deleted;

	SPI_connect();
	plan = get_plan(call, columns);
	if (dtmodel_hard_delete)
	{
		dtmodel_run_plan(plan, call->id.values, call->id.nulls);
		deleted = SPI_processed > 0;
	}
	else
		deleted = dtmodel_run_soft_delete(call, plan, &row);
	SPI_finish();
	return deleted;
}

/*
 * live_view_trigger() returns trigger
 *
 * INSTEAD OF DELETE, FOR EACH ROW, on a view of one table that shows the
 * table's primary key.
 *
 * Deletes the row from the table as a DELETE by the caller would, which is
 * physical under dtmodel.hard_delete, and lets the DELETE on the view count
 * and return it.  A row that another session has deleted meanwhile is not
 * counted.  An error (42809) for another kind of view, and for a table
 * without soft delete.
 */
Datum
dtmodel_live_view_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "live_view_trigger",
												DT_ON_DELETE | DT_FIRED_INSTEAD);
	LiveViewState *state = dtmodel_trigger_state(fcinfo, make_state);
	DtRowCall	call = dtmodel_begin_call(state->relid, RowExclusiveLock);
	DtSoftDelete columns = dtmodel_usable_soft_delete(call.rel);
	bool		deleted;

	set_view_row(&call, state, trigdata);
	if (!dtmodel_hard_delete)
		dtmodel_check_soft_delete_fires(call.rel, &columns);
	deleted = delete_row(&call, &columns);
	dtmodel_close_row_call(&call);
	return PointerGetDatum(deleted ? trigdata->tg_trigtuple : NULL);
}

/* "t.id, t.name": the columns of the table, in their order. */
static char *
column_list(Relation rel, int *ncolumns)
{
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData list;

	*ncolumns = 0;
	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		appendStringInfo(&list, "%s" DT_ROW_ALIAS ".%s", list.len > 0 ? ", " : "",
						 quote_identifier(NameStr(att->attname)));
		(*ncolumns)++;
	}
	return list.data;
}

/*
 * Refuses a view of another owner, who could change it so that it calls
 * functions on behalf of its users.
 */
static void
check_owner(const DtChange *change, Relation view)
{
	Relation	rel = change->rel;

	if (view->rd_rel->relowner == rel->rd_rel->relowner)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("relation \"%s\" already exists",
					RelationGetRelationName(view)),
			 errdetail("It belongs to role \"%s\", and table \"%s\" to role \"%s\".",
					   GetUserNameFromId(view->rd_rel->relowner, false),
					   RelationGetRelationName(rel),
					   GetUserNameFromId(rel->rd_rel->relowner, false)),
			 errhint("Drop it, or give the view another name: %s.create_live_view(%s, view => '...').",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel))));
}

/* Refuses to replace any other relation of that name. */
static void
check_is_ours(const DtChange *change, Relation view)
{
	if (view->rd_rel->relkind == RELKIND_VIEW &&
		dtmodel_find_trigger(view, &dtmodel_live_triggers[DT_LIVE_VIEW]) != NULL &&
		dtmodel_read_view(view).relid == RelationGetRelid(change->rel))
	{
		check_owner(change, view);
		return;
	}

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("relation \"%s\" already exists",
					RelationGetRelationName(view)),
			 errdetail("It is not a view of the live rows of table \"%s\".",
					   RelationGetRelationName(change->rel)),
			 errhint("Give the view another name: %s.create_live_view(%s, view => '...').",
					 DTMODEL_SCHEMA, quote_literal_cstr(change->table))));
}

/* Renames the columns of the view whose columns in the table were renamed. */
static void
change_column_names(DtChange *change, Relation view, const DtViewSource *source,
					const char *view_name)
{
	ListCell   *cell;

	foreach(cell, source->query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);
		AttrNumber	attnum = dtmodel_shown_column(source, entry);
		const char *old_name = NameStr(TupleDescAttr(RelationGetDescr(view),
													 entry->resno - 1)->attname);
		const char *new_name;

		if (attnum <= 0)
			continue;
		new_name = get_attname(source->relid, attnum, false);
		if (strcmp(old_name, new_name) != 0)
			dtmodel_add_statement(change, DT_VIEW_LOCK,
								  psprintf("renamed column \"%s\" of view \"%s\"",
										   old_name, RelationGetRelationName(view)),
								  psprintf("ALTER VIEW %s RENAME COLUMN %s TO %s",
										   view_name, quote_identifier(old_name),
										   quote_identifier(new_name)));
	}
}

static bool
is_as_asked(Relation view, const DtViewSource *source,
			const DtSoftDelete *columns, int ncolumns)
{
	return RelationGetDescr(view)->natts == ncolumns &&
		equal(source->query->jointree->quals,
			  dtmodel_live_node(columns, source->rtindex)) &&
		compat_is_security_invoker(view);
}

static void
set_view(DtChange *change, const char *view_name, const char *columns,
		 const DtSoftDelete *soft_delete, const char *done)
{
	dtmodel_add_statement(change, DT_VIEW_LOCK, done,
						  psprintf("CREATE OR REPLACE VIEW %s" COMPAT_SECURITY_INVOKER
								   " AS SELECT %s FROM %s AS " DT_ROW_ALIAS " WHERE %s",
								   view_name, columns, change->table,
								   dtmodel_live_text(soft_delete, DT_ROW_ALIAS)));
}

static void
set_trigger(DtChange *change, const char *view_name)
{
	const DtTriggerType *type = &dtmodel_live_triggers[DT_LIVE_VIEW];

	dtmodel_add_statement(change, DT_VIEW_LOCK,
						  psprintf("set trigger \"%s\"", type->name),
						  psprintf("CREATE OR REPLACE TRIGGER %s INSTEAD OF DELETE ON %s "
								   "FOR EACH ROW EXECUTE FUNCTION %s.%s()",
								   quote_identifier(type->name), view_name,
								   DTMODEL_INTERNAL_SCHEMA, type->function));
}

/* The view gets the owner of the table, whichever role creates it. */
static void
create_view(DtChange *change, const char *name, const char *view_name,
			const char *columns, const DtSoftDelete *soft_delete)
{
	Oid			owner = change->rel->rd_rel->relowner;

	set_view(change, view_name, columns, soft_delete,
			 psprintf("created view \"%s\"", name));
	set_trigger(change, view_name);
	if (owner != GetUserId())
		dtmodel_add_statement(change, DT_VIEW_LOCK,
							  psprintf("gave view \"%s\" to the table's owner", name),
							  psprintf("ALTER VIEW %s OWNER TO %s", view_name,
									   quote_identifier(GetUserNameFromId(owner, false))));
}

/* Brings an existing view up to date with its table. */
static void
refresh_view(DtChange *change, Relation view, const char *view_name,
			 const char *columns, int ncolumns, const DtSoftDelete *soft_delete)
{
	DtViewSource source;

	check_is_ours(change, view);
	source = dtmodel_read_view(view);
	change_column_names(change, view, &source, view_name);
	if (!is_as_asked(view, &source, soft_delete, ncolumns))
		set_view(change, view_name, columns, soft_delete,
				 psprintf("replaced view \"%s\"", RelationGetRelationName(view)));
}

static void
change_view(DtChange *change, const void *requested_name)
{
	const char *name = requested_name != NULL ? requested_name :
		dtmodel_live_view_name(change->rel);
	DtSoftDelete soft_delete = dtmodel_usable_soft_delete(change->rel);
	Oid			schema = RelationGetNamespace(change->rel);
	char	   *view_name = quote_qualified_identifier(get_namespace_name(schema),
													   name);
	Oid			view_relid = get_relname_relid(name, schema);
	int			ncolumns;
	char	   *columns = column_list(change->rel, &ncolumns);
	Relation	view;

	dtmodel_check_not_distributed(change->rel, "create_live_view",
								  "Citus does not write to views.",
								  psprintf("Write to the table. To read live rows, use CREATE VIEW %s" COMPAT_SECURITY_INVOKER " AS SELECT * FROM %s WHERE %s.",
										   view_name, change->table,
										   dtmodel_live_text(&soft_delete, NULL)));
	(void) dtmodel_usable_key(change->rel);
	if (!OidIsValid(view_relid))
	{
		create_view(change, name, view_name, columns, &soft_delete);
		return;
	}
	view = relation_open(view_relid, AccessShareLock);
	refresh_view(change, view, view_name, columns, ncolumns, &soft_delete);
	relation_close(view, NoLock);
}

/* The name of the first column that the view does not show, or NULL. */
static const char *
column_not_shown(const DtLiveView *view, Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped &&
			!AttributeNumberIsValid(dtmodel_showing_column(&view->source, att->attnum)))
			return NameStr(att->attname);
	}
	return NULL;
}

static char *
problem_of_view(const DtLiveView *view, Relation rel,
				const DtSoftDelete *columns, const char *call)
{
	const char *name = RelationGetRelationName(view->rel);
	const char *not_shown = column_not_shown(view, rel);

	if (!dtmodel_implies_live(rel, view->source.query->jointree->quals,
							  view->source.rtindex, columns))
		return psprintf("view \"%s\" shows deleted rows", name);
	if (not_shown != NULL && call != NULL)
		return psprintf("view \"%s\" does not show column \"%s\"", name,
						not_shown);
	return NULL;
}

static void
drift_of_view(DtDrift *drift, const DtLiveView *view, Relation rel,
			  const DtSoftDelete *columns)
{
	char	   *call = dtmodel_live_view_call(view->rel, &view->source, rel);
	char	   *problem = problem_of_view(view, rel, columns, call);

	if (problem == NULL)
		return;
	if (call != NULL)
		dtmodel_append_drift(drift, DT_REPAIR, psprintf("SELECT %s", call),
							 "%s", problem);
	else
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("create it again with WHERE %s",
									  dtmodel_live_text(columns, NULL)),
							 "%s", problem);
}

/* Reports what is out of order with the live views of a model. */
void
dtmodel_drift_of_live_views(DtDrift *drift, Relation rel, const DtModel *model)
{
	const DtSoftDelete *columns = dtmodel_soft_delete_of(model);
	ListCell   *cell;

	if (!AttributeNumberIsValid(columns->deleted_at.attnum) ||
		(dtmodel_column_is_used(&columns->flag) &&
		 !AttributeNumberIsValid(columns->flag.attnum)))
		return;
	foreach(cell, dtmodel_live_views(RelationGetRelid(rel), InvalidAttrNumber))
	{
		DtLiveView *view = dtmodel_open_live_view(lfirst_oid(cell));

		drift_of_view(drift, view, rel, columns);
		dtmodel_close_live_view(view);
	}
}

/*
 * create_live_view(model regclass, view name DEFAULT NULL) returns void
 *
 * Makes a view of the table's live rows in the table's schema, live_<table>
 * unless it is given a name, with all its columns; it is read and written
 * with the privileges of the current user.  Calling it again brings the view
 * up to date with the table: new columns, renamed ones, another flag.  There
 * is no CHECK OPTION, since setting the flag through the view is a valid
 * deletion.  An error for a table without soft delete (42809) or without a
 * primary key (42P16), and if another relation, or a view of another owner,
 * has the name (42P07).
 *
 * Source: none; the reference document dtpyfw.db.model filters in each query.
 */
Datum
dtmodel_create_live_view(PG_FUNCTION_ARGS)
{
	dtmodel_change_table(dtmodel_model_argument(fcinfo), change_view,
						 PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}
