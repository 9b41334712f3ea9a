/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  Adding the slug mixin to a table, and removing it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "mixin/slug/index.h"
#include "mixin/slug/mixin.h"
#include "mixin/slug/slug.h"
#include "model/inheritance.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_add_slug);
PG_FUNCTION_INFO_V1(dtmodel_remove_slug);

/* The arguments of add_slug. */
typedef struct SlugRequest
{
	const char *source;
	const char *slug;
	int			max_length;
	bool		on_update;
} SlugRequest;

static void
check_not_partitioned(Relation rel)
{
	dtmodel_check_no_partition(rel);
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table \"%s\" is partitioned",
					RelationGetRelationName(rel)),
			 errdetail("A unique index of a partitioned table cannot make slugs unique across all partitions."),
			 errhint("Fill the column with %s.slugify(...) in the application.",
					 DTMODEL_SCHEMA),
			 errtable(rel)));
}

static void
check_request(const SlugRequest *request)
{
	if (request->source == NULL || request->slug == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source and slug must not be null"),
				 errhint("Name the column that slugs are made from, and the one that holds them.")));
	dtmodel_check_different(request->source, "source", request->slug, "slug");
	if (request->max_length < DT_MIN_SLUG_LENGTH ||
		request->max_length > DT_MAX_SLUG_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_length must be between %d and %d", DT_MIN_SLUG_LENGTH,
						DT_MAX_SLUG_LENGTH),
				 errdetail("It is %d.", request->max_length)));
}

static void
check_source(Relation rel, const SlugRequest *request)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), request->source, &column);
	if (!AttributeNumberIsValid(column.attnum))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						request->source, RelationGetRelationName(rel)),
				 errhint("Name the column that slugs are made from."),
				 errtable(rel)));
	dtmodel_check_not_generated(rel, &column,
								"Its value is computed after the slug is made.");
}

/* The type of the slug must have room for a number. */
static void
check_length(Relation rel, const DtColumn *slug)
{
	int			length;

	if (!AttributeNumberIsValid(slug->attnum))
		return;
	length = dtmodel_column_length(slug);
	if (length >= DT_MIN_SLUG_LENGTH)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of table \"%s\" is too short for slugs",
					NameStr(slug->name), RelationGetRelationName(rel)),
			 errdetail("It holds %d characters, and %d are needed.",
					   length, DT_MIN_SLUG_LENGTH),
			 errhint("Make it longer, or of type text."),
			 errtablecol(rel, slug->attnum)));
}

static List *
trigger_options(const SlugRequest *request)
{
	List	   *options = list_make3(psprintf("source=%s", request->source),
									 psprintf("slug=%s", request->slug),
									 psprintf("max_length=%d", request->max_length));

	if (request->on_update)
		options = lappend(options, "on_update=true");
	return options;
}

static void
change_slug(DtChange *change, const void *asked)
{
	const SlugRequest *request = asked;
	DtColumn	slug;

	check_not_partitioned(change->rel);
	dtmodel_check_makes_slugs(change->rel);
	check_request(request);
	check_source(change->rel, request);
	dtmodel_change_column(change, request->slug, &dtmodel_use_slug,
						  "pg_catalog.text", &dtmodel_slug_mixin, "slug", &slug);
	check_length(change->rel, &slug);
	dtmodel_change_slug_index(change, &slug);
	dtmodel_change_trigger(change, dtmodel_slug_mixin.triggers, "INSERT OR UPDATE",
						   trigger_options(request));
}

/*
 * add_slug(model regclass, source name, slug name DEFAULT 'slug',
 *			max_length integer DEFAULT 80, on_update boolean DEFAULT false)
 * returns void
 *
 * Gives the rows of a table slugs, made from the column "source": adds the
 * column if it is missing, a unique index (of the live rows, on a soft-delete
 * model) and the trigger; calling it again changes the options.  Existing
 * rows keep their slugs.  A NULL max_length or on_update is the default.
 * Duplicates among existing slugs are an error (23505), and so is a
 * partitioned table (0A000).
 *
 * Source: SlugMixin of the reference document sqlalchemy-conventions.
 */
Datum
dtmodel_add_slug(PG_FUNCTION_ARGS)
{
	SlugRequest request = {0};
	Oid			relid = dtmodel_model_argument(fcinfo);

	if (!PG_ARGISNULL(1))
		request.source = NameStr(*PG_GETARG_NAME(1));
	if (!PG_ARGISNULL(2))
		request.slug = NameStr(*PG_GETARG_NAME(2));
	request.max_length = PG_ARGISNULL(3) ? DT_SLUG_LENGTH :
		PG_GETARG_INT32(3);
	request.on_update = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);

	dtmodel_change_table(relid, change_slug, &request);
	PG_RETURN_VOID();
}

static void
drop_slug(DtChange *change, const void *drop_columns)
{
	const DtModel *model = dtmodel_get_model(change->rel);
	DtColumn	slug;

	if (*(const bool *) drop_columns)
		dtmodel_report_left_columns(change, &dtmodel_slug_mixin);
	if (dtmodel_slug_of(model) == NULL)
		return;
	slug = dtmodel_slug_of(model)->slug;
	if (*(const bool *) drop_columns)
		dtmodel_drop_column(change, &slug);
	else
		dtmodel_drop_slug_indexes(change, &slug);
	dtmodel_drop_trigger(change, dtmodel_slug_mixin.triggers);
}

/*
 * remove_slug(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the trigger and the index that add_slug has created, and with
 * drop_columns the slugs too, but not their source.  An index that it has found
 * stays.  Does nothing to a table without slugs.
 */
Datum
dtmodel_remove_slug(PG_FUNCTION_ARGS)
{
	bool		drop_columns = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);

	dtmodel_change_table(dtmodel_model_argument(fcinfo), drop_slug, &drop_columns);
	PG_RETURN_VOID();
}
