/*-------------------------------------------------------------------------
 *
 * row_call.h
 *	  Calls of functions on rows: the table that a call is about, the row that
 *	  it is about, and the row that it returns.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ROW_CALL_H
#define DTMODEL_ROW_CALL_H

#include "lib/stringinfo.h"
#include "model/key.h"
#include "model/model.h"
#include "model/view_row.h"
#include "server/plan_cache.h"

/* The alias of the table in all queries. */
#define DT_ROW_ALIAS "t"

/*
 * One call of a function: its table, the memory of its result and, for a
 * function that is about one row, that row's key.  The row may be given, and
 * returned, as a row of a live view.
 */
typedef struct DtRowCall
{
	Relation	rel;
	LOCKMODE	lockmode;		/* of the table; released at the end of the
								 * call */
	MemoryContext context;
	DtKey		key;
	DtKeyValues id;
	const DtLiveView *view;		/* NULL: rows have the table's own type */
} DtRowCall;

extern DtRowCall dtmodel_begin_call(Oid relid, LOCKMODE lockmode);
extern DtRowCall dtmodel_begin_row_call(FunctionCallInfo fcinfo,
										LOCKMODE lockmode);
extern DtRowCall dtmodel_begin_showing_call(FunctionCallInfo fcinfo,
											LOCKMODE lockmode);
extern DtRowCall dtmodel_begin_instance_call(FunctionCallInfo fcinfo,
											 LOCKMODE lockmode);
extern void dtmodel_set_row(DtRowCall *call, Datum row);
extern void dtmodel_set_row_by_id(DtRowCall *call, FunctionCallInfo fcinfo);
extern void dtmodel_append_row(StringInfo query, Relation rel);
extern HeapTuple dtmodel_with_virtual_columns(Relation rel, HeapTuple row);
extern bool dtmodel_fetch_row(const DtRowCall *call, SPIPlanPtr plan,
							  Datum *values, const char *nulls,
							  bool read_only, Datum *row);
extern bool dtmodel_fetch_row_and_flag(const DtRowCall *call, SPIPlanPtr plan,
									   Datum *values, const char *nulls,
									   Datum *row, bool *flag);
extern bool dtmodel_fetch_row_with_callback(const DtRowCall *call,
											SPIPlanPtr plan, Datum *values,
											const char *nulls,
											DtCallbackParameters *callbacks, Datum *row);
extern void dtmodel_close_row_call(const DtRowCall *call);
extern Datum dtmodel_end_row_call(const DtRowCall *call,
								  FunctionCallInfo fcinfo, Datum row,
								  bool isnull);

extern Datum dtmodel_end_row_call_with_flag(const DtRowCall *call,
											FunctionCallInfo fcinfo, Datum row,
											bool isnull, bool flag);

extern bool dtmodel_flag_argument(FunctionCallInfo fcinfo, int argument,
								  bool otherwise);
extern SPIPlanPtr dtmodel_select_plan(const DtRowCall *call);
extern bool dtmodel_select_row(const DtRowCall *call, Datum *row);

#endif							/* DTMODEL_ROW_CALL_H */
