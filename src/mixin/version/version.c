/*-------------------------------------------------------------------------
 *
 * version.c
 *	  The version mixin: a number that is increased by one with every change
 *	  of a row.
 *
 * It is for optimistic locking: a client that has read a row updates it only
 * if the version is still the same, and sees from the number of updated rows
 * whether it was.  A new row gets its version from the column's DEFAULT, unless
 * INSERT gives one.  The trigger sets the version, so changes by clients that
 * do not use versions are noticed too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/version/mixin.h"
#include "model/inheritance.h"
#include "model/row_trigger.h"
#include "model/stamp.h"
#include "server/relation.h"
#include "utils/builtins.h"

/* The state of the trigger, created once in each statement. */
typedef struct VersionState
{
	DtStamp		stamp;			/* for the version */
	DtColumn	version;
} VersionState;

PG_FUNCTION_INFO_V1(dtmodel_version_trigger);
PG_FUNCTION_INFO_V1(dtmodel_add_version);
PG_FUNCTION_INFO_V1(dtmodel_remove_version);

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	VersionState *state = palloc0(sizeof(VersionState));

	if (dtmodel_version_of(model) == NULL)
		dtmodel_report_unknown_trigger(rel);
	dtmodel_check_mixin_columns(rel, &dtmodel_version_mixin,
								dtmodel_version_of(model));
	state->version = dtmodel_version_of(model)->version;
	dtmodel_init_whole_row_stamp(&state->stamp, state->version.attnum);
	return state;
}

static int64
number_of(const DtColumn *version, Datum value)
{
	return version->typid == INT4OID ? DatumGetInt32(value) :
		DatumGetInt64(value);
}

static Datum
datum_of(const DtColumn *version, int64 number)
{
	return version->typid == INT4OID ? Int32GetDatum((int32) number) :
		Int64GetDatum(number);
}

static bool
is_last(const DtColumn *version, int64 number)
{
	return number >= (version->typid == INT4OID ? PG_INT32_MAX : PG_INT64_MAX);
}

static void
report_last(Relation rel, const DtColumn *version)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("column \"%s\" of table \"%s\" has reached its maximum value",
					NameStr(version->name), dtmodel_shown_name(rel)),
			 version->typid == INT4OID ?
			 errhint("Use ALTER TABLE %s ALTER COLUMN %s TYPE bigint.",
					 dtmodel_qualified_name_of(dtmodel_whole_of(RelationGetRelid(rel))),
					 quote_identifier(NameStr(version->name))) : 0,
			 errtablecol(rel, version->attnum)));
}

/*
 * Whether the UPDATE assigns the version that comes next.  That is a change by
 * itself: a client that counts has counted one, also where all other columns
 * get the values that they have, and looks for it in its next UPDATE.
 */
static bool
is_next(const DtColumn *version, const DtColumnPair *pair, int64 number)
{
	return !pair->new_isnull && !is_last(version, number) &&
		number_of(version, pair->new_value) == number + 1;
}

/* One more than the row has, or what it has: whatever the UPDATE assigns. */
static void
stamp_changed_row(DtRow *row, void *argument)
{
	VersionState *state = argument;
	const DtColumn *version = &state->version;
	bool		changed = dtmodel_row_changes(&state->stamp, row);
	const DtColumnPair *pair = &state->stamp.pairs[0];
	int64		number = pair->old_isnull ? 0 :
		number_of(version, pair->old_value);

	if (is_next(version, pair, number))
		return;
	if (changed && is_last(version, number))
	{
		if (dtmodel_hold_row(row))
			report_last(row->rel, version);
		return;
	}
	if (changed)
		number++;
	else if (pair->old_isnull)
	{
		if (!pair->new_isnull)
			dtmodel_set_value(row, pair->attnum, (Datum) 0, true);
		return;
	}
	if (pair->new_isnull || number_of(version, pair->new_value) != number)
		dtmodel_set_pair(row, pair, datum_of(version, number));
}

const DtRowAction dtmodel_version_action = {
	.function = "version_trigger",
	.events = DT_ON_UPDATE,
	.stamps = true,
	.make_state = make_state,
	.update = stamp_changed_row,
};

/*
 * version_trigger() returns trigger
 *
 * BEFORE UPDATE, FOR EACH ROW.  Its argument is "version=" and the name of a
 * column, of type integer or bigint.
 *
 * The version of a changed row is the old version plus one, whatever the
 * statement assigns; the column's default is 1.  Soft deletes and restores are
 * changes, and so is whatever changes a column, also one that does not count
 * for updated_at, and an assignment of the old version plus one: clients that
 * compute the next version themselves count like that.  While
 * dtmodel.preserve_timestamps is on, the row is not changed.  A column that
 * does not exist (42703) or has another type (42804) is an error, and so is a
 * version that has reached the end of its type (22003).
 */
Datum
dtmodel_version_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_version_action);
}

static void
change_version(DtChange *change, const void *request)
{
	const char *version = request;
	DtColumn	column;

	dtmodel_check_no_partition(change->rel);
	dtmodel_change_column(change, version, &dtmodel_use_version,
						  "pg_catalog.int4 NOT NULL DEFAULT 1",
						  &dtmodel_version_mixin, "version", &column);
	dtmodel_add_default(change, &column, "1");
	dtmodel_change_trigger(change, dtmodel_version_mixin.triggers,
						   "UPDATE", list_make1(psprintf("version=%s", version)));
}

/*
 * add_version(model regclass, version name DEFAULT 'version') returns void
 *
 * Adds a version to the rows of a table: adds the column if it is missing,
 * and the trigger; calling it again changes the options.  A NULL name is an
 * error (22004).  Tables that inherit from this one get the trigger too.
 */
Datum
dtmodel_add_version(PG_FUNCTION_ARGS)
{
	Oid			relid = dtmodel_model_argument(fcinfo);

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("version must not be null"),
				 errhint("Name the column, or leave version out.")));
	dtmodel_change_with_inheritors(relid, &dtmodel_version_mixin, change_version,
								   NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}

static void
drop_version(DtChange *change, bool drop_columns)
{
	const DtVersion *version = dtmodel_version_of(dtmodel_get_model(change->rel));
	DtColumn	column;

	if (version == NULL)
		return;
	column = version->version;
	if (drop_columns)
		dtmodel_drop_own_column(change, &column);
	dtmodel_drop_trigger(change, dtmodel_version_mixin.triggers);
}

/*
 * remove_version(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the trigger, and with drop_columns the column too, also on tables
 * that inherit from this one.  Does nothing to a table without version.
 */
Datum
dtmodel_remove_version(PG_FUNCTION_ARGS)
{
	dtmodel_drop_with_inheritors(dtmodel_model_argument(fcinfo),
								 &dtmodel_version_mixin, drop_version,
								 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}
