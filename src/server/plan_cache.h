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
#include "nodes/parsenodes.h"

typedef enum DtPlanPurpose
{
	DT_PLAN_SELECT_DELETED,
	DT_PLAN_SOFT_DELETE,
	DT_PLAN_RESTORE,
	DT_PLAN_RESTORE_DELETION,
	DT_PLAN_NEXT_DELETION,
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
	DT_PLAN_FIND_LIVE,
	DT_PLAN_PAST,				/* these belong to a table with a history */
	DT_PLAN_CHANGES,
	DT_PLAN_REVERT,
	DT_PLAN_INSERT_PAST,
	DT_PLAN_HAS_PAST,
	DT_PLAN_ERASE_PAST,
	DT_PLAN_PURGE_PAST			/* and this to a history table */
} DtPlanPurpose;

/*
 * The prefix of all queries of ours, by which the planner hook recognizes
 * them and does not hide rows from them.  The text stays with the plan, also
 * when it is planned again.
 */
#define DT_OWN_QUERY "/* dtmodel */ "

/*
 * A second prefix, of an UPDATE that deletes rows, or restores one, or
 * restores those that come back with it: by it the executor hook
 * distinguishes the UPDATE from one of a user.
 */
#define DT_MARKS_DELETED "/* deletes */ "
#define DT_MARKS_LIVE "/* restores */ "
#define DT_MARKS_SET_LIVE "/* restores a set */ "

/* A second prefix, of an UPDATE that gives a row a new slug. */
#define DT_MAKES_SLUG "/* new slug */ "

/*
 * A second prefix, of a query that reads rows for the caller of a function, and
 * so shows the time that dtmodel.as_of says.
 */
#define DT_SHOWS_PAST "/* reads */ "

/* Whether a query is one of ours; its text may be NULL. */
extern bool dtmodel_is_own_query(const char *query);
extern bool dtmodel_is_run_by_us(const char *query);

/*
 * Boolean parameters at the end of a plan, by which it reports its progress:
 * each time the executor reads one, "value" is called for its value.
 */
typedef struct DtCallbackParameters
{
	int			count;			/* the number of these parameters */
	bool		(*value) (void *caller, int which); /* which: from 0 */
	void	   *caller;
} DtCallbackParameters;

/*
 * The result of looking for a plan.  If none is saved yet, the caller writes
 * its query and saves it, always in the same way:
 *
 *		DtPlan plan = dtmodel_find_plan(relid, DT_PLAN_..., set);
 *
 *		if (plan.saved != NULL)
 *			return plan.saved;
 *		appendStringInfo(&plan.query, ...);
 *		return dtmodel_save_plan(&plan, nargs, types);
 *
 * The set distinguishes plans with the same purpose but for different
 * columns, or other small integers; it may be NULL.  Finding a plan, and
 * running it with dtmodel_read_first_row(), need no connection to SPI;
 * everything else happens between SPI_connect and SPI_finish.
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

/* The same for a plan that does not depend on the values of its parameters. */
extern SPIPlanPtr dtmodel_save_generic_plan(const DtPlan *plan, int nargs,
											Oid *types);

/* For use as a part of another query; needs no SPI. */
extern Query *dtmodel_query_of_plan(SPIPlanPtr plan);

extern void dtmodel_run_plan(SPIPlanPtr plan, Datum *values,
							 const char *nulls);
extern void dtmodel_read_plan(SPIPlanPtr plan, Datum *values,
							  const char *nulls);
extern void dtmodel_run_plan_into(SPIPlanPtr plan, Datum *values,
								  const char *nulls, bool read_only,
								  DestReceiver *receiver);
extern void dtmodel_read_first_row(SPIPlanPtr plan, Datum *values,
								   const char *nulls, DestReceiver *receiver);

extern void dtmodel_run_plan_with_callback(SPIPlanPtr plan, Datum *values,
										   const char *nulls,
										   DtCallbackParameters *callbacks,
										   DestReceiver *receiver);

extern void dtmodel_run_plan_in_trigger(SPIPlanPtr plan, Datum *values,
										long limit);

#endif							/* DTMODEL_PLAN_CACHE_H */
