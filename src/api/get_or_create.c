/*-------------------------------------------------------------------------
 *
 * get_or_create.c
 *	  The row that there is, or else a new one.
 *
 * Several callers that look for the same row at once must end up with one.
 * Where a unique index covers the criteria, the server sees to that: the
 * INSERT does nothing where it meets another one's row, which is then found.
 * Elsewhere those who found no row take a lock for their criteria, and look
 * again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "api/create.h"
#include "api/find.h"
#include "dtmodel.h"
#include "json/object.h"
#include "mixin/soft_delete.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(dtmodel_get_or_create);

/* How often a row may come and go while we try to have it. */
#define TRIES 3

/* One call. */
typedef struct Search
{
	DtRowCall	call;
	DtDataPlace criteria_place;
	DtDataPlace data_place;
	DtData		criteria;
	DtData		data;			/* criteria and defaults */
	DtOnDeleted on_deleted;
	bool		can_conflict;	/* ON CONFLICT works on this table */
} Search;

static void
check_criteria(const Search *search)
{
	if (search->criteria.count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("criteria must not be empty"),
				 errhint("Name the columns by which the row is found.")));
	for (int i = 0; i < search->criteria.count; i++)
	{
		if (search->criteria.given[i].is_settings)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("settings cannot be criteria"),
					 errdetail("Rows of table \"%s\" are found by their columns.",
							   RelationGetRelationName(search->call.rel)),
					 errhint("Give settings as defaults.")));
	}
}

/* What a new row is made of: the defaults, and over them the criteria. */
static void
read_data(Search *search, const RawValue *criteria, FunctionCallInfo fcinfo)
{
	RawValue	defaults = dtmodel_raw_empty_object;
	RawValue	both;

	if (!PG_ARGISNULL(2))
		defaults = raw_root(PG_GETARG_JSONB_P(2));
	(void) dtmodel_read_data(&search->data_place, &defaults, false);
	both = raw_root(dtmodel_object_over(&defaults, criteria));
	search->data = dtmodel_read_data(&search->data_place, &both, false);
}

static bool
covers(Relation index, const Search *search)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique || !form->indimmediate || !form->indisvalid ||
		RelationGetIndexPredicate(index) != NIL)
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		const DtGiven *given = dtmodel_find_given(&search->criteria,
												  form->indkey.values[i]);

		if (given == NULL || given->value.type == JENTRY_ISNULL)
			return false;
	}
	return true;
}

/* Whether a unique index sees to it that there is one row for the criteria. */
static bool
is_covered(Search *search)
{
	bool		covered = false;
	ListCell   *cell;

	search->can_conflict = true;
	foreach(cell, RelationGetIndexList(search->call.rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		covered = covered || covers(index, search);
		if (!index->rd_index->indimmediate)
			search->can_conflict = false;
		index_close(index, AccessShareLock);
	}
	return covered;
}

/*
 * Looks for the row.  A deleted one that is to be returned counts as live.
 */
static DtFound
find(const Search *search, Datum *row)
{
	DtFound		found = dtmodel_find_row(&search->call, &search->criteria_place,
										 &search->criteria, row);

	if (found != DT_FOUND_DELETED)
		return found;
	if (search->on_deleted == DT_DELETED_ERROR)
		dtmodel_report_deleted_row(&search->call, *row);
	return search->on_deleted == DT_DELETED_RETURN ? DT_FOUND_LIVE : found;
}

static bool
insert(const Search *search, DtPlanPurpose purpose, Datum *row)
{
	return dtmodel_insert_row(&search->call, &search->data_place,
							  &search->data, purpose, row);
}

/*
 * Inserts the row, or finds the one that somebody else has inserted by now.
 * What is neither inserted nor found is in conflict with some other row: the
 * last INSERT says with which.
 */
static bool
insert_or_find(const Search *search, Datum *row, bool *created)
{
	*created = true;
	for (int i = 0; search->can_conflict && i < TRIES; i++)
	{
		DtFound		found;

		if (insert(search, DT_PLAN_INSERT_IF_NONE, row))
			return true;
		found = find(search, row);
		if (found == DT_FOUND_DELETED &&
			search->on_deleted != DT_DELETED_RESTORE)
			dtmodel_report_deleted_row(&search->call, *row);
		if (found == DT_FOUND_LIVE ||
			(found == DT_FOUND_DELETED && dtmodel_restore(&search->call, row)))
		{
			*created = false;
			return true;
		}
	}
	return insert(search, DT_PLAN_INSERT, row);
}

/* Returns whether there is a row now; a trigger may have refused it. */
static bool
get_or_create(Search *search, Datum *row, bool *created)
{
	DtFound		found = find(search, row);
	bool		restores = found == DT_FOUND_DELETED &&
		search->on_deleted == DT_DELETED_RESTORE;

	*created = false;
	if (found == DT_FOUND_LIVE)
		return true;
	/* Somebody else may be making a row beside the one to be restored. */
	if (!is_covered(search) || restores)
	{
		dtmodel_lock_criteria(&search->criteria_place, &search->criteria);
		found = find(search, row);
		if (found == DT_FOUND_LIVE)
			return true;
	}
	if (restores && found == DT_FOUND_DELETED && dtmodel_restore(&search->call, row))
		return true;
	return insert_or_find(search, row, created);
}

/*
 * get_or_create(model anyelement, criteria jsonb, defaults jsonb DEFAULT NULL,
 *				 on_deleted text DEFAULT 'ignore',
 *				 OUT instance anyelement, OUT created boolean)
 *
 * The row whose columns have the values of criteria, or a new one made of them
 * and of defaults.  Callers who look for the same row at once get the same
 * one.  Criteria that are empty or name what is no column are an error
 * (22023); JSON null means NULL.
 *
 * on_deleted is what a deleted row is good for, if there is no live one:
 * "ignore" makes a new row, "return" returns it as it is, "restore" restores
 * it, "error" is an error (23505), as it always is when the deleted row keeps
 * a new one from being made.
 *
 * Source: ModelBase.get_or_create of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_or_create(PG_FUNCTION_ARGS)
{
	Search		search = {.call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock)};
	RawValue	criteria = dtmodel_data_argument(fcinfo, 1, "criteria");
	Datum		row;
	bool		created;
	bool		found;

	search.criteria_place = (DtDataPlace) {search.call.rel, "criteria", -1};
	search.data_place = (DtDataPlace) {search.call.rel, "defaults", -1};
	search.criteria = dtmodel_read_data(&search.criteria_place, &criteria, true);
	check_criteria(&search);
	read_data(&search, &criteria, fcinfo);
	search.on_deleted = dtmodel_on_deleted_argument(fcinfo, 3);

	SPI_connect();
	found = get_or_create(&search, &row, &created);
	SPI_finish();
	return dtmodel_end_row_call_with_flag(&search.call, fcinfo, row, !found,
										  found && created);
}
