/*-------------------------------------------------------------------------
 *
 * plan_cache.h
 *	  Saved plans, one for each table, purpose, set of columns and user.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PLAN_CACHE_H
#define DTMODEL_PLAN_CACHE_H

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/bitmapset.h"

typedef enum DtPlanPurpose
{
	DT_PLAN_SELECT_DELETED,
	DT_PLAN_SOFT_DELETE,
	DT_PLAN_RESTORE,
	DT_PLAN_RESTORE_DELETION,
	DT_PLAN_DELETE_LIVE,
	DT_PLAN_CASCADE_DELETE,		/* these belong to a foreign key, not a table */
	DT_PLAN_LIVE_CHILD,
	DT_PLAN_RESTORE_CHILDREN,
	DT_PLAN_RESTORE_PARENT,
	DT_PLAN_PARENT_STATUS,
	DT_PLAN_PARENT_EXISTS,
	DT_PLAN_RESTORE_ROWS,		/* and these to a table again */
	DT_PLAN_RETIME_ROWS,
	DT_PLAN_PURGE_HOLDERS,
	DT_PLAN_PURGE_CHILDREN,
	DT_PLAN_PURGE_LOCK,
	DT_PLAN_PURGE_LOOK,
	DT_PLAN_GET,
	DT_PLAN_HARD_DELETE,
	DT_PLAN_EXISTS,
	DT_PLAN_COUNT,
	DT_PLAN_LIST,
	DT_PLAN_LIST_DELETED,
	DT_PLAN_INSERT,
	DT_PLAN_INSERT_IF_NONE,
	DT_PLAN_INSERT_MANY,
	DT_PLAN_UPDATE,
	DT_PLAN_NEW_SLUG,
	DT_PLAN_UPSERT,
	DT_PLAN_FIND,
	DT_PLAN_FIND_LIVE
} DtPlanPurpose;

/*
 * What every query of ours begins with, so that the planner hook knows it and
 * does not hide rows from it.  The text stays with the plan, also when it is
 * planned again.
 */
#define DT_OWN_QUERY "/* dtmodel */ "

/*
 * What follows that in an UPDATE that deletes rows, or restores one, or those
 * that come back with it: the executor is told not to take it for a user's.
 */
#define DT_MARKS_DELETED "/* deletes */ "
#define DT_MARKS_LIVE "/* restores */ "
#define DT_MARKS_SET_LIVE "/* restores a set */ "

/* What follows it in an UPDATE that gives a row a new slug. */
#define DT_MAKES_SLUG "/* new slug */ "

/* Whether a query is one of ours; its text may be NULL. */
extern bool dtmodel_is_own_query(const char *query);
extern bool dtmodel_is_run_by_us(const char *query);

/*
 * The boolean parameters that a plan ends with, if it tells in this way where
 * it is: each time that the executor reads one of them, the value is asked for.
 */
typedef struct DtAnswers
{
	int			count;			/* of these parameters */
	bool		(*answer) (void *caller, int which);	/* which of them, from 0 */
	void	   *caller;
} DtAnswers;

/*
 * A plan that was looked for.  Where none is saved yet, the caller writes its
 * query and saves it, and the same way leads to every plan:
 *
 *		DtPlan plan = dtmodel_find_plan(relid, DT_PLAN_..., set);
 *
 *		if (plan.saved != NULL)
 *			return plan.saved;
 *		appendStringInfo(&plan.query, ...);
 *		return dtmodel_save_plan(&plan, nargs, types);
 *
 * The set tells plans of one purpose apart that differ by columns, or by other
 * numbers; it may be NULL.  To find a plan, or to run one with
 * dtmodel_read_first_row(), takes no connection of SPI; all else happens
 * between SPI_connect and SPI_finish.
 */
typedef struct DtPlan
{
	SPIPlanPtr	saved;			/* NULL: it is still to be written */
	StringInfoData query;
	Oid			object;
	DtPlanPurpose purpose;
	const Bitmapset *set;
} DtPlan;

extern DtPlan dtmodel_find_plan(Oid object, DtPlanPurpose purpose,
								const Bitmapset *set);
extern SPIPlanPtr dtmodel_save_plan(const DtPlan *plan, int nargs, Oid *types);

/* The same for a plan that does not depend on the values it is given. */
extern SPIPlanPtr dtmodel_save_generic_plan(const DtPlan *plan, int nargs,
											Oid *types);

extern void dtmodel_run_plan(SPIPlanPtr plan, Datum *values,
							 const char *nulls);
extern void dtmodel_read_plan(SPIPlanPtr plan, Datum *values,
							  const char *nulls);
extern void dtmodel_run_plan_into(SPIPlanPtr plan, Datum *values,
								  const char *nulls, bool read_only,
								  DestReceiver *receiver);
extern void dtmodel_read_first_row(SPIPlanPtr plan, Datum *values,
								   const char *nulls, DestReceiver *receiver);

extern void dtmodel_run_plan_with_answers(SPIPlanPtr plan, Datum *values,
										  const char *nulls,
										  DtAnswers *answers,
										  DestReceiver *receiver);

extern void dtmodel_run_plan_in_trigger(SPIPlanPtr plan, Datum *values,
										long limit);

#endif							/* DTMODEL_PLAN_CACHE_H */
