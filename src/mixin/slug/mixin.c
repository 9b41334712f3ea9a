/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the slug mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "mixin/slug/index.h"
#include "mixin/slug/mixin.h"
#include "mixin/slug/slug.h"
#include "mixin/soft_delete/mixin.h"
#include "model/drift.h"
#include "model/mixin_call.h"

static void
read_options(void *options, Relation rel pg_attribute_unused(),
			 const Trigger *trigger)
{
	DtSlug	   *slug = options;
	const char *max_length = dtmodel_trigger_option(trigger, "max_length");
	const char *on_update = dtmodel_trigger_option(trigger, "on_update");

	slug->max_length = max_length == NULL ? 0 :
		(int) Max(Min(strtol(max_length, NULL, 10), PG_INT32_MAX), 0);
	slug->on_update = on_update != NULL && strcmp(on_update, "true") == 0;
}

static void
add_own_columns(const void *options, DtOwnColumns *own)
{
	const DtSlug *slug = options;

	if (dtmodel_column_fits(&slug->slug, &dtmodel_use_slug))
		dtmodel_add_own_column(&own->filled_in, &slug->slug);
}

static void
describe(StringInfo json, Relation rel pg_attribute_unused(),
		 const void *options)
{
	const DtSlug *slug = options;

	appendStringInfoChar(json, '{');
	dtmodel_append_mixin_columns(json, &dtmodel_slug_mixin, options);
	appendStringInfo(json, ", \"max_length\": %d, \"on_update\": %s}",
					 slug->max_length, slug->on_update ? "true" : "false");
}

static void
find_drift(DtDrift *drift, Relation rel, const void *options)
{
	/* A copy, since what follows may read the model again. */
	DtColumn	column = ((const DtSlug *) options)->slug;

	if (!AttributeNumberIsValid(column.attnum))
		return;
	if (dtmodel_column_fits(&column, &dtmodel_use_slug) &&
		dtmodel_column_length(&column) < DT_MIN_SLUG_LENGTH)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, &column, "TYPE text"),
							 "column \"%s\" is too short for slugs",
							 NameStr(column.name));
	if (!dtmodel_slug_is_unique(rel, column.attnum) &&
		!dtmodel_has_invalid_slug_index(rel, column.attnum))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel, &dtmodel_slug_mixin),
							 "no unique index on \"%s\" makes the slugs of live rows unique",
							 NameStr(column.name));
}

static void
after_change(Oid relid, const DtMixin *other)
{
	if (other == &dtmodel_soft_delete_mixin)
		dtmodel_refresh_slug_index(relid);
}

/* An index that does not fit any more is dropped, which needs this lock. */
static LOCKMODE
lock_after_change(const DtMixin *other)
{
	return other == &dtmodel_soft_delete_mixin ? AccessExclusiveLock : NoLock;
}

static const DtTriggerType triggers[] = {
	{
		.name = "zz_dtmodel_slug",
		.function = "slug_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE,
		.action = &dtmodel_slug_action,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "source",
		.use = &dtmodel_use_any,
		.offset = offsetof(DtSlug, source),
		.is_pinned = true,
	},
	{
		.option = "slug",
		.use = &dtmodel_use_slug,
		.offset = offsetof(DtSlug, slug),
		.in_template = "slug",
	},
};

static const DtOption options[] = {
	{DT_OPTION_COLUMN, "source", NULL, NULL},
	{DT_OPTION_COLUMN, "slug", "slug", NULL},
	{DT_OPTION_UNQUOTED, "max_length", "80", NULL},
	{DT_OPTION_UNQUOTED, "on_update", NULL, NULL},
	{0}
};

const DtMixin dtmodel_slug_mixin = {
	.name = "slug",
	.title = "slugs",
	.add = "add_slug",
	.remove = "remove_slug",
	.refuses_partitioned = true,
	.triggers = triggers,
	.ntriggers = lengthof(triggers),
	.options = options,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtSlug),
	.read = read_options,
	.add_own_columns = add_own_columns,
	.describe = describe,
	.find_drift = find_drift,
	.after_change = after_change,
	.lock_after_change = lock_after_change,
};
