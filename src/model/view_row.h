/*-------------------------------------------------------------------------
 *
 * view_row.h
 *	  Views of a table: the table, and the columns of it that they show.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_VIEW_ROW_H
#define DTMODEL_VIEW_ROW_H

#include "access/attnum.h"
#include "model/key.h"
#include "nodes/parsenodes.h"
#include "utils/rel.h"

/* The table of a view, and its columns. */
typedef struct DtViewSource
{
	Query	   *query;
	int			rtindex;		/* 0: not a view of one table */
	Oid			relid;
} DtViewSource;

extern DtViewSource dtmodel_read_view(Relation view);
extern AttrNumber dtmodel_shown_column(const DtViewSource *source,
									   const TargetEntry *entry);
extern AttrNumber dtmodel_showing_column(const DtViewSource *source,
										 AttrNumber attnum);
extern char *dtmodel_live_view_name(Relation table);
extern char *dtmodel_live_view_call(Relation view, const DtViewSource *source,
									Relation table);
extern List *dtmodel_live_views(Oid table, AttrNumber attnum);
pg_noreturn extern void dtmodel_report_no_live_view(Relation view,
													const char *detail);

/*
 * A live view, made by create_live_view, that was opened for one of its rows.
 */
typedef struct DtLiveView
{
	Relation	rel;			/* open, with a lock */
	DtViewSource source;
} DtLiveView;

extern DtLiveView *dtmodel_open_live_view(Oid relid);
extern AttrNumber dtmodel_column_of_view(const DtLiveView *view,
										 const char *name, AttrNumber attnum);
extern DtKey dtmodel_key_of_view(const DtLiveView *view, const DtKey *key);
extern void dtmodel_check_live_view(const DtLiveView *view);
extern Datum dtmodel_row_of_view(const DtLiveView *view, Relation table,
								 Datum row);
extern void dtmodel_close_live_view(const DtLiveView *view);

#endif							/* DTMODEL_VIEW_ROW_H */
