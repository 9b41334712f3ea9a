/*-------------------------------------------------------------------------
 *
 * past.c
 *	  The past versions of rows, read from the history table.
 *
 * A version in the history table says when, how and by whom it ended, and so
 * how the version after it began.  Versions of one row are in the order of
 * their ends; those that ended at the same time, in one transaction, are in
 * the order in which they were written.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "api/history/past.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/audit/mixin.h"
#include "mixin/history/ending.h"
#include "mixin/soft_delete/live.h"
#include "model/ddl.h"
#include "server/record.h"
#include "utils/builtins.h"

static void
read_mixins(DtPast *past)
{
	const DtModel *model = dtmodel_get_model(past->rel);

	if (dtmodel_timestamps_of(model) != NULL)
		past->timestamps = *dtmodel_timestamps_of(model);
	if (!AttributeNumberIsValid(past->timestamps.updated_at.attnum))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has a history, but no timestamps",
						RelationGetRelationName(past->rel)),
				 errhint("Call %s.add_timestamps(%s).", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(past->rel)),
				 errtable(past->rel)));
	if (dtmodel_soft_delete_of(model) != NULL)
	{
		past->has_soft_delete = true;
		past->soft_delete = *dtmodel_soft_delete_of(model);
	}
	if (dtmodel_audit_of(model) != NULL)
		past->created_by = dtmodel_audit_of(model)->created_by.attnum;
}

/* The current version of a row cannot be read while an older one is shown. */
static void
check_shows_present(Relation rel)
{
	if (dtmodel_as_of == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the history of table \"%s\" cannot be read while dtmodel.as_of is set",
					RelationGetRelationName(rel)),
			 errhint("Use RESET dtmodel.as_of."),
			 errtable(rel)));
}

/*
 * Opens the history of a table.  An error (42809) if it has none, or is a
 * partition; (55000) while dtmodel.as_of is set; and for what keeps versions
 * from being written.
 */
DtPast
dtmodel_open_past(Relation rel)
{
	DtPast		past = {.rel = rel};

	check_shows_present(rel);
	dtmodel_check_no_partition(rel);
	past.table = dtmodel_open_history_table(rel, dtmodel_usable_history(rel),
											AccessShareLock);

	/* Opening a table may read the model again. */
	past.map = dtmodel_map_history(rel, dtmodel_usable_history(rel), past.table);
	past.key = dtmodel_usable_key(rel);
	read_mixins(&past);
	return past;
}

void
dtmodel_close_past(const DtPast *past)
{
	table_close(past->table, AccessShareLock);
}

/* The current version, given as a row of the model. */
DtRowVersion
dtmodel_current_version(const DtPast *past, Datum row)
{
	HeapTupleData tuple = dtmodel_tuple_of_row(row);
	DtRowVersion version = {.row = heap_copytuple(&tuple)};

	version.valid_from = dtmodel_valid_from(&past->timestamps, version.row,
											RelationGetDescr(past->rel));
	version.valid_to = DT_NOEND;
	return version;
}

/* The row of the model that a row of the history table holds. */
static HeapTuple
row_of_past(const DtPast *past, const Datum *values, const bool *nulls)
{
	TupleDesc	desc = RelationGetDescr(past->rel);
	Datum	   *row_values = palloc0(sizeof(Datum) * desc->natts);
	bool	   *row_nulls = palloc(sizeof(bool) * desc->natts);

	for (int i = 0; i < desc->natts; i++)
	{
		int			place = past->map.places[i] - 1;

		row_nulls[i] = place < 0 || nulls[place];
		if (!row_nulls[i])
			row_values[i] = values[place];
	}
	return heap_form_tuple(desc, row_values, row_nulls);
}

/* A past version, given as a row of the history table. */
DtRowVersion
dtmodel_past_version(const DtPast *past, Datum past_row)
{
	HeapTupleData tuple = dtmodel_tuple_of_row(past_row);
	TupleDesc	desc = RelationGetDescr(past->table);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);
	const AttrNumber *own = past->map.own;
	DtRowVersion version;

	heap_deform_tuple(&tuple, desc, values, nulls);
	version.row = row_of_past(past, values, nulls);
	version.valid_from = DatumGetTimestampTz(values[own[DT_VALID_FROM] - 1]);
	version.valid_to = DatumGetTimestampTz(values[own[DT_VALID_TO] - 1]);
	version.operation = TextDatumGetCString(values[own[DT_OPERATION] - 1]);
	version.ended_by = TextDatumGetCString(values[own[DT_ENDED_BY] - 1]);
	version.transaction_id = UInt64GetDatum(DatumGetUInt64(values[own[DT_TRANSACTION_ID] - 1]));
	return version;
}

/*
 * Whether the row did not exist any more after this version.  In a model with
 * soft delete, "delete" left a row that is marked as deleted.
 */
static bool
ended_physically(const DtPast *past, const DtRowVersion *before,
				 const DtRowVersion *version)
{
	if (strcmp(before->operation, "delete") == 0)
		return !past->has_soft_delete ||
			!dtmodel_is_deleted(&past->soft_delete, version->row,
								RelationGetDescr(past->rel));
	return strcmp(before->operation, "hard_delete") == 0 ||
		strcmp(before->operation, "truncate") == 0;
}

/* Whether a version begins with what ended the one before it. */
bool
dtmodel_version_continues(const DtPast *past, const DtRowVersion *before,
						  const DtRowVersion *version)
{
	return before->valid_to == version->valid_from &&
		!ended_physically(past, before, version);
}

/*
 * How far the two times of a new row may be apart: each DEFAULT reads the clock
 * of some models.
 */
TimestampTz
dtmodel_clock_tolerance(const DtPast *past)
{
	return past->timestamps.clock == DT_CLOCK_CLOCK ? USECS_PER_SEC / 10 : 0;
}

/* Whether the version is as old as its row. */
static bool
is_as_old_as_row(const DtPast *past, const DtRowVersion *version)
{
	const DtColumn *created_at = &past->timestamps.created_at;
	TimestampTz created;
	TimestampTz since;
	bool		isnull;
	Datum		time;

	if (!AttributeNumberIsValid(created_at->attnum))
		return false;
	time = heap_getattr(version->row, created_at->attnum,
						RelationGetDescr(past->rel), &isnull);
	if (isnull)
		return false;
	created = DatumGetTimestampTz(time);
	since = dtmodel_time_for_column(version->valid_from, created_at);
	if (TIMESTAMP_NOT_FINITE(created) || TIMESTAMP_NOT_FINITE(since))
		return created == since;
	return created - since <= dtmodel_clock_tolerance(past) &&
		since - created <= dtmodel_clock_tolerance(past);
}

/*
 * Whether an INSERT began the version, which does not continue the one before
 * it (NULL: there is none).
 */
bool
dtmodel_version_is_new(const DtPast *past, const DtRowVersion *before,
					   const DtRowVersion *version)
{
	return (before != NULL && ended_physically(past, before, version)) ||
		is_as_old_as_row(past, version);
}

static bool
is_stamped(const DtMixinColumn *column)
{
	return column->is_stamped;
}

/*
 * Whether only a mixin writes the column, with each change: the history has
 * what such columns say.
 */
bool
dtmodel_is_stamped(Relation rel, AttrNumber attnum)
{
	return dtmodel_is_managed(dtmodel_get_model(rel), attnum, is_stamped);
}

/* Appends "a.column = b.column AND ..." */
void
dtmodel_append_key_join(StringInfo query, const DtKey *key, const char *a,
						const char *b)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		const char *name = quote_identifier(NameStr(key->columns[i].name));

		appendStringInfo(query, "%s%s.%s %s %s.%s", i == 0 ? "" : " AND ", a, name,
						 dtmodel_qualified_operator(key->columns[i].eqop), b, name);
	}
}

/* The order of versions of one row; direction is "" or " DESC". */
char *
dtmodel_version_order(const char *alias, const char *direction)
{
	return psprintf("%s.valid_to%s, %s.valid_from%s, %s.transaction_id%s, %s.ctid%s",
					alias, direction, alias, direction, alias, direction,
					alias, direction);
}

/* The place of a version in that order. */
char *
dtmodel_version_place(const char *alias)
{
	return psprintf("ROW(%s)", dtmodel_version_order(alias, ""));
}
