/*-------------------------------------------------------------------------
 *
 * view_row.c
 *	  What a view shows: of which table, and of that which columns.
 *
 * A row of a view of live rows is an instance of the table.  The view itself
 * says which column is which, whatever any of them is called by now.  What is
 * done with such a row is done to the table, as the current user.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "dtmodel.h"
#include "funcapi.h"
#include "model/view_row.h"
#include "model/record.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
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

void
dtmodel_report_no_live_view(Relation view, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a view of live rows",
					RelationGetRelationName(view)),
			 errdetail("%s", detail),
			 errhint("Drop it, and call %s.create_live_view with the table.",
					 DTMODEL_SCHEMA),
			 errtable(view)));
}

/*
 * Opens a view that create_live_view made, which its trigger tells.  NULL for
 * any other relation.
 */
DtLiveView *
dtmodel_open_live_view(Oid relid)
{
	DtLiveView *view;

	if (get_rel_relkind(relid) != RELKIND_VIEW)
		return NULL;
	view = palloc(sizeof(DtLiveView));
	view->rel = relation_open(relid, AccessShareLock);
	if (dtmodel_find_trigger(view->rel, DT_TRIGGER_LIVE_VIEW) == NULL)
	{
		relation_close(view->rel, AccessShareLock);
		return NULL;
	}
	view->source = dtmodel_read_view(view->rel);
	if (view->source.rtindex == 0)
		dtmodel_report_no_live_view(view->rel, "It does not read one table.");
	return view;
}

/* Closes it.  NULL will do. */
void
dtmodel_close_live_view(const DtLiveView *view)
{
	if (view != NULL)
		relation_close(view->rel, AccessShareLock);
}

/* The view's column that shows this one of the table, which it must. */
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

/* The table's key, as the columns of the view show it. */
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

/* Makes sure that a row of the table can be shown as one of the view. */
void
dtmodel_check_live_view(const DtLiveView *view)
{
	ListCell   *cell;

	foreach(cell, view->source.query->targetList)
	{
		const TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (!entry->resjunk && dtmodel_shown_column(&view->source, entry) <= 0)
			dtmodel_report_no_live_view(view->rel,
										psprintf("Its column \"%s\" is not one of the table.",
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
