/*-------------------------------------------------------------------------
 *
 * live.h
 *	  What holds for live rows only: uniqueness, parents, views.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LIVE_H
#define DTMODEL_LIVE_H

#include "fmgr.h"
#include "model/model.h"

extern char *dtmodel_live_text(const DtSoftDelete *columns, const char *alias);
extern char *dtmodel_mark_assignments(const DtSoftDelete *columns,
									  const char *time);
extern char *dtmodel_restore_assignments(const DtSoftDelete *columns);
extern char *dtmodel_deleted_text(const DtSoftDelete *columns,
								  const char *alias);
extern Node *dtmodel_live_node(const DtSoftDelete *columns, int rtindex);
extern bool dtmodel_is_of_live_rows(Relation index,
									const DtSoftDelete *columns);
extern AttrNumber *dtmodel_columns_argument(FunctionCallInfo fcinfo,
											Relation rel, int *ncolumns);
extern char *dtmodel_row_values(HeapTuple row, TupleDesc desc,
								int ncolumns, const AttrNumber *columns);

#endif							/* DTMODEL_LIVE_H */
