/*-------------------------------------------------------------------------
 *
 * view_row.c
 *	  Views of a table: the table, and the columns of it that they show.
 *
 * A row of a live view is an instance of the table.  Which column of the view
 * shows which column of the table is read from the view's definition, so both
 * may have been renamed.  A function that is called with such a row works on
 * the table, as the current user.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_rewrite.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "funcapi.h"
#include "model/view_row.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "server/record.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

DtViewSource
dtmodel_read_view(Relation view)
{
	DtViewSource source = {.query = get_view_query(view)};
	List	   *from = source.query->jointree->fromlist;
	RangeTblEntry *rte;

	if (list_length(from) != 1 || !IsA(linitial(from), RangeTblRef))
		return source;
	rte = rt_fetch(linitial_node(RangeTblRef, from)->rtindex,
				   source.query->rtable);
	if (rte->rtekind != RTE_RELATION)
		return source;
	source.rtindex = linitial_node(RangeTblRef, from)->rtindex;
	source.relid = rte->relid;
	return source;
}

/* The table's column that a column of the view shows, or none. */
AttrNumber
dtmodel_shown_column(const DtViewSource *source, const TargetEntry *entry)
{
	const Var  *var = (const Var *) entry->expr;

	if (entry->resjunk || !IsA(var, Var) || var->varlevelsup != 0 ||
		(int) var->varno != source->rtindex)
		return InvalidAttrNumber;
	return var->varattno;
}

/* The view's column that shows a column of the table, or none. */
AttrNumber
dtmodel_showing_column(const DtViewSource *source, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, source->query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (dtmodel_shown_column(source, entry) == attnum)
			return entry->resno;
	}
	return InvalidAttrNumber;
}

/*
 * Whether a condition has a form that create_live_view makes, for any column.
 */
static bool
is_mark(Node *condition)
{
	if (condition == NULL)
		return false;
	if (is_notclause(condition))
		return IsA(get_notclausearg((Expr *) condition), Var);
	if (IsA(condition, BooleanTest))
		return IsA(((BooleanTest *) condition)->arg, Var);
	if (IsA(condition, NullTest))
		return IsA(((NullTest *) condition)->arg, Var);
	return IsA(condition, Var);
}

/*
 * Whether create_live_view made the view and can bring it up to date: it is
 * in the schema of its table, its columns are the first ones of the table,
 * and its condition is that a flag or time says that the row is live.  Other
 * views may have our trigger too, and are not replaced.
 */
static bool
follows_table(Relation view, const DtViewSource *source, Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	AttrNumber	attnum = 0;
	ListCell   *cell;

	foreach(cell, source->query->targetList)
	{
		do
			attnum++;
		while (attnum <= desc->natts &&
			   TupleDescAttr(desc, attnum - 1)->attisdropped);
		if (dtmodel_shown_column(source, lfirst_node(TargetEntry, cell)) != attnum)
			return false;
	}
	return is_mark(source->query->jointree->quals) &&
		RelationGetNamespace(view) == RelationGetNamespace(table);
}

/* The default name of the live view of a table. */
char *
dtmodel_live_view_name(Relation table)
{
	return makeObjectName("live", RelationGetRelationName(table), NULL);
}

/* The call that brings the view up to date; NULL if there is none. */
char *
dtmodel_live_view_call(Relation view, const DtViewSource *source,
					   Relation table)
{
	const char *name = RelationGetRelationName(view);

	if (!follows_table(view, source, table))
		return NULL;
	return psprintf("%s.create_live_view(%s%s)", DTMODEL_SCHEMA,
					dtmodel_quoted_name(table),
					strcmp(name, dtmodel_live_view_name(table)) == 0 ? "" :
					psprintf(", view => %s", quote_literal_cstr(name)));
}

static char *
call_for_view(Relation view)
{
	DtViewSource source = dtmodel_read_view(view);
	Relation	table;
	char	   *call;

	if (source.rtindex == 0)
		return NULL;
	table = relation_open(source.relid, AccessShareLock);
	call = dtmodel_live_view_call(view, &source, table);
	relation_close(table, AccessShareLock);
	return call;
}

void
dtmodel_report_no_live_view(Relation view, const char *detail)
{
	char	   *call = call_for_view(view);

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a view of live rows",
					RelationGetRelationName(view)),
			 errdetail("%s", detail),
			 call != NULL ?
			 errhint("Call %s again to update the view.", call) :
			 errhint("Drop it, and call %s.create_live_view with the table.",
					 DTMODEL_SCHEMA),
			 errtable(view)));
}

/* The relation of a rule. */
static Oid
relation_of_rule(Oid rule)
{
	Relation	rules = table_open(RewriteRelationId, AccessShareLock);
	Oid			relid = InvalidOid;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(rule));
	scan = systable_beginscan(rules, RewriteOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		relid = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;
	systable_endscan(scan);
	table_close(rules, AccessShareLock);
	return relid;
}

/* Whether it is a view with our trigger, of just this table. */
static bool
is_live_view_of(Oid relid, Oid table)
{
	Relation	view = get_rel_relkind(relid) == RELKIND_VIEW ?
		try_relation_open(relid, AccessShareLock) : NULL;
	bool		answer;

	if (view == NULL)
		return false;
	answer = dtmodel_has_own_trigger(view) &&
		dtmodel_read_view(view).relid == table;
	relation_close(view, AccessShareLock);
	return answer;
}

/*
 * The live views of a table, in all schemas; with a column, those that use
 * it.
 */
List *
dtmodel_live_views(Oid table, AttrNumber attnum)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *relations = NIL;
	List	   *views = NIL;
	ListCell   *cell;
	SysScanDesc scan;
	ScanKeyData keys[3];
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(table));
	ScanKeyInit(&keys[2], Anum_pg_depend_refobjsubid, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attnum));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL,
							  AttributeNumberIsValid(attnum) ? 3 : 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->classid == RewriteRelationId)
			relations = list_append_unique_oid(relations,
											   relation_of_rule(form->objid));
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	foreach(cell, relations)
	{
		if (is_live_view_of(lfirst_oid(cell), table))
			views = lappend_oid(views, lfirst_oid(cell));
	}
	return views;
}

/*
 * Opens a live view, which is recognized by its trigger.  NULL for any other
 * relation.
 */
DtLiveView *
dtmodel_open_live_view(Oid relid)
{
	DtLiveView *view;

	if (get_rel_relkind(relid) != RELKIND_VIEW)
		return NULL;
	view = palloc(sizeof(DtLiveView));
	view->rel = relation_open(relid, AccessShareLock);
	if (!dtmodel_has_own_trigger(view->rel))
	{
		relation_close(view->rel, AccessShareLock);
		return NULL;
	}
	view->source = dtmodel_read_view(view->rel);
	if (view->source.rtindex == 0)
		dtmodel_report_no_live_view(view->rel, "It does not read exactly one table.");
	return view;
}

/* Closes it; does nothing for NULL. */
void
dtmodel_close_live_view(const DtLiveView *view)
{
	if (view != NULL)
		relation_close(view->rel, AccessShareLock);
}

/*
 * The view's column that shows this column of the table; an error if there is
 * none.
 */
AttrNumber
dtmodel_column_of_view(const DtLiveView *view, const char *name,
					   AttrNumber attnum)
{
	AttrNumber	shown = dtmodel_showing_column(&view->source, attnum);

	if (!AttributeNumberIsValid(shown))
		dtmodel_report_no_live_view(view->rel,
									psprintf("It does not show column \"%s\".", name));
	return shown;
}

/* The table's key, with the column numbers of the view. */
DtKey
dtmodel_key_of_view(const DtLiveView *view, const DtKey *key)
{
	DtKey		shown = *key;

	shown.columns = palloc(sizeof(DtKeyColumn) * Max(key->ncolumns, 1));
	for (int i = 0; i < key->ncolumns; i++)
	{
		shown.columns[i] = key->columns[i];
		shown.columns[i].attnum =
			dtmodel_column_of_view(view, NameStr(key->columns[i].name),
								   key->columns[i].attnum);
	}
	return shown;
}

/* Checks that a row of the table can be shown as a row of the view. */
void
dtmodel_check_live_view(const DtLiveView *view)
{
	ListCell   *cell;

	foreach(cell, view->source.query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!entry->resjunk && dtmodel_shown_column(&view->source, entry) <= 0)
			dtmodel_report_no_live_view(view->rel,
										psprintf("Its column \"%s\" is not a column of the table.",
												 entry->resname));
	}
}

/* A row of the table as the view shows it, whether it is live or not. */
Datum
dtmodel_row_of_view(const DtLiveView *view, Relation table, Datum row)
{
	TupleDesc	desc = RelationGetDescr(view->rel);
	HeapTupleData tuple = dtmodel_tuple_of_row(row);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	ListCell   *cell;

	foreach(cell, view->source.query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);
		int			i = entry->resno - 1;

		if (!entry->resjunk)
			values[i] = heap_getattr(&tuple,
									 dtmodel_shown_column(&view->source, entry),
									 RelationGetDescr(table), &nulls[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
