/*-------------------------------------------------------------------------
 *
 * get_or_create.c
 *	  get_or_create(): an existing row, or else a new one.
 *
 * Several callers that look for the same row at the same time must get the
 * same row.  If a unique index covers the criteria, the server ensures that:
 * the INSERT does nothing if another transaction has inserted the row, which
 * is then found.  An index of live rows is sufficient for callers that ignore
 * deleted rows.  Otherwise callers that find no row lock their criteria, and
 * look again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "api/create.h"
#include "api/criteria.h"
#include "catalog/pg_am_d.h"
#include "dtmodel.h"
#include "json/object.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/distributed.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(dtmodel_get_or_create);

/* The state of one call. */
typedef struct Search
{
	DtRowCall	call;
	DtDataPlace criteria_place;
	DtDataPlace data_place;
	DtData		criteria;
	DtData		data;			/* criteria and defaults */
	DtOnDeleted on_deleted;
	bool		can_conflict;	/* ON CONFLICT works on this table */
	Oid			unique;			/* unique index of all rows, or invalid */
	Oid			live_unique;	/* unique index of live rows, or invalid */
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
		if (search->criteria.items[i].is_settings)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("settings cannot be criteria"),
					 errdetail("Rows of table \"%s\" are found by their columns.",
							   RelationGetRelationName(search->call.rel)),
					 errhint("Pass settings in defaults.")));
	}
}

/* Reads the values of a new row: the defaults, overridden by the criteria. */
static void
read_data(Search *search, const DtRawValue *criteria, FunctionCallInfo fcinfo)
{
	DtRawValue	defaults = dtmodel_raw_empty_object;
	DtRawValue	both;

	if (!PG_ARGISNULL(2))
		defaults = dtmodel_raw_root(PG_GETARG_JSONB_P(2));
	(void) dtmodel_read_data(&search->data_place, &defaults, false);
	both = dtmodel_raw_root(dtmodel_object_with_defaults(criteria, &defaults));
	search->data = dtmodel_read_data(&search->data_place, &both, false);
}

/*
 * Whether values that the criteria hold to be equal are also equal for the
 * index.  It may have another operator class than the default one of the
 * column's type, or another collation than the column.
 */
static bool
compares_as_criteria(const Search *search, Relation index, int i,
					 const DtField *field)
{
	TupleDesc	desc = RelationGetDescr(search->call.rel);
	Oid			collation = TupleDescAttr(desc, field->attnum - 1)->attcollation;
	Oid			type = index->rd_opcintype[i];

	if (index->rd_rel->relam != BTREE_AM_OID ||
		get_opfamily_member(index->rd_opfamily[i], type, type,
							BTEqualStrategyNumber) !=
		lookup_type_cache(field->typid, TYPECACHE_EQ_OPR)->eq_opr)
		return false;
	return !OidIsValid(collation) ||
		collation == index->rd_indcollation[i] ||
		get_collation_isdeterministic(collation);
}

/* Whether the index ensures that no two of its rows meet the criteria. */
static bool
covers(Relation index, const Search *search)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique || !form->indimmediate || !form->indisvalid)
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		const DtDataItem *given = dtmodel_find_data_item(&search->criteria,
														 form->indkey.values[i]);

		if (given == NULL || given->value.type == JENTRY_ISNULL ||
			!compares_as_criteria(search, index, i, &given->field))
			return false;
	}
	return true;
}

static void
check_index(Search *search, Relation index)
{
	if (!index->rd_index->indimmediate)
		search->can_conflict = false;
	if (!covers(index, search))
		return;
	if (RelationGetIndexPredicate(index) == NIL)
		search->unique = RelationGetRelid(index);
	else if (dtmodel_is_of_live_rows(search->call.rel, index,
									 dtmodel_soft_delete_of(dtmodel_get_model(search->call.rel))))
		search->live_unique = RelationGetRelid(index);
}

static void
check_indexes(Search *search)
{
	ListCell   *cell;

	search->can_conflict = true;
	foreach(cell, RelationGetIndexList(search->call.rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		check_index(search, index);
		index_close(index, AccessShareLock);
	}
}

/*
 * Whether a unique index is sufficient for all callers to get the same row.
 *
 * An index of live rows is, if only these count.  A caller for whom deleted
 * rows count must not miss a row that was inserted and deleted after its
 * search.  The index does not prevent that, but the lock does, since the
 * other caller had it too.
 */
static bool
is_covered(const Search *search)
{
	return search->can_conflict &&
		(OidIsValid(search->unique) ||
		 (OidIsValid(search->live_unique) &&
		  search->on_deleted == DT_DELETED_IGNORE));
}

static void
report_deleted_row(const Search *search, Datum row)
{
	Search		looked = *search;

	check_indexes(&looked);
	dtmodel_report_deleted_row(&search->call, row, OidIsValid(looked.unique) ?
							   looked.unique : looked.live_unique);
}

/*
 * Looks for the row.  If deleted rows are to be returned, one counts as live;
 * if they are ignored, one counts only if it prevents a new row, by an index
 * of all rows.
 */
static DtFound
find(const Search *search, Datum *row)
{
	DtFound		found;

	if (search->on_deleted == DT_DELETED_IGNORE && !OidIsValid(search->unique))
		return dtmodel_find_live_by_criteria(&search->call, &search->criteria_place,
											 &search->criteria, row);
	found = dtmodel_find_by_criteria(&search->call, &search->criteria_place,
									 &search->criteria, row);
	if (found != DT_FOUND_DELETED)
		return found;
	if (search->on_deleted == DT_DELETED_ERROR)
		report_deleted_row(search, *row);
	return search->on_deleted == DT_DELETED_RETURN ? DT_FOUND_LIVE : found;
}

static bool
insert(const Search *search, DtPlanPurpose purpose, Datum *row)
{
	return dtmodel_insert_row(&search->call, &search->data_place,
							  &search->data, purpose, row);
}

/* Restores the row that was found, if it is deleted and that is requested. */
static DtFound
restore_if_asked(const Search *search, DtFound found, Datum *row)
{
	bool		restored;

	if (found == DT_FOUND_DELETED && search->on_deleted == DT_DELETED_RESTORE)
		return dtmodel_restore_found(&search->call, &search->criteria_place,
									 &search->criteria, row, &restored);
	return found;
}

/* Whether a new row may exist beside a deleted one. */
static bool
is_beside_deleted(const Search *search)
{
	return OidIsValid(search->live_unique) && !OidIsValid(search->unique);
}

/* Few if there is no row at all: a trigger may have prevented the INSERT. */
static int
max_tries(DtFound found)
{
	return found == DT_FOUND_DELETED ? DT_MAX_TRIES : 3;
}

/*
 * Inserts the row, or finds the one that another transaction has inserted by
 * now.  If that may be deleted again before we find it, it tries again.  If
 * the row is neither inserted nor found, it is in conflict with some other
 * row: the last INSERT raises the error about that.
 */
static bool
insert_or_find(const Search *search, Datum *row, bool *created)
{
	DtFound		found = DT_FOUND_NONE;

	*created = true;
	for (int i = 0; search->can_conflict && i < max_tries(found); i++)
	{
		if (insert(search, DT_PLAN_INSERT_IF_NONE, row))
			return true;
		found = restore_if_asked(search, find(search, row), row);
		if (found == DT_FOUND_LIVE)
		{
			*created = false;
			return true;
		}
		if (found == DT_FOUND_DELETED && !is_beside_deleted(search))
			break;
	}
	if (found == DT_FOUND_DELETED)
		report_deleted_row(search, *row);
	return insert(search, DT_PLAN_INSERT, row);
}

/*
 * Returns whether there is a row now; a trigger may have prevented the
 * INSERT.
 */
static bool
get_or_create(Search *search, Datum *row, bool *created)
{
	DtFound		found = find(search, row);

	*created = false;
	if (found == DT_FOUND_LIVE)
		return true;
	check_indexes(search);
	if (!is_covered(search))
	{
		dtmodel_check_not_distributed(search->call.rel, "get_or_create",
									  "Callers on several servers that look for the same row can only be kept apart by a unique index, and none covers the criteria.",
									  search->on_deleted == DT_DELETED_IGNORE ?
									  "Find the row by the columns of a unique index." :
									  "Find the row by the columns of an index that is unique among deleted rows too, or let on_deleted be \"ignore\".");
		dtmodel_lock_criteria(&search->criteria_place, &search->criteria);
		found = find(search, row);
	}
	if (restore_if_asked(search, found, row) == DT_FOUND_LIVE)
		return true;
	return insert_or_find(search, row, created);
}

/*
 * get_or_create(model anyelement, criteria jsonb, defaults jsonb DEFAULT NULL,
 *				 on_deleted text DEFAULT 'ignore',
 *				 OUT instance anyelement, OUT created boolean)
 *
 * Returns the row whose columns have the values of criteria, or inserts one
 * with these values and those of defaults.  Callers that look for the same
 * row at the same time get the same row.  Criteria that are empty, or with a
 * key that is not a column, are an error (22023); JSON null means NULL.
 *
 * on_deleted says what happens if there is only a deleted row: "ignore"
 * inserts a new row, "return" returns the deleted one, "restore" restores it,
 * "error" is an error (23505), as it always is if the deleted row prevents a
 * new one.
 *
 * Source: ModelBase.get_or_create of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_or_create(PG_FUNCTION_ARGS)
{
	Search		search = {.call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock)};
	DtRawValue	criteria = dtmodel_data_argument(fcinfo, 1, "criteria");
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
