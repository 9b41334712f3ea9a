/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the version mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "mixin/version/mixin.h"
#include "model/drift.h"
#include "model/row.h"
#include "utils/builtins.h"

static bool
is_integer(Oid type)
{
	return type == INT4OID || type == INT8OID;
}

const DtColumnUse dtmodel_use_version = {"integer or bigint", is_integer, "bigint"};

static void
add_own_columns(const void *options, DtOwnColumns *own)
{
	dtmodel_add_own_column(&own->uncounted,
						   &((const DtVersion *) options)->version);
}

static void
find_drift(DtDrift *drift, Relation rel, const void *options)
{
	const DtColumn *version = &((const DtVersion *) options)->version;
	const char *name = quote_identifier(NameStr(version->name));
	Form_pg_attribute att;

	if (!AttributeNumberIsValid(version->attnum) || version->has_default)
		return;
	att = TupleDescAttr(RelationGetDescr(rel), version->attnum - 1);
	if (att->attidentity != '\0')
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, version,
												  psprintf("DROP IDENTITY, ALTER COLUMN %s SET DEFAULT 1",
														   name)),
							 "column \"%s\" is an identity column, so new rows do not have the version 1",
							 NameStr(version->name));
	else
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, version,
												  "SET DEFAULT 1"),
							 "column \"%s\" has no default",
							 NameStr(version->name));
}

/* The last of all, since it counts what the others do. */
static const DtTriggerType triggers[] = {
	{
		.name = "zz_dtmodel_version",
		.function = "version_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_UPDATE,
		.action = &dtmodel_version_action,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "version",
		.use = &dtmodel_use_version,
		.offset = offsetof(DtVersion, version),
		.in_template = "version",
		.is_row_version = true,
		.is_stamped = true,
	},
};

static const DtOption options[] = {
	{DT_OPTION_COLUMN, "version", "version", NULL},
	{0}
};

const DtMixin dtmodel_version_mixin = {
	.name = "version",
	.title = "version",
	.add = "add_version",
	.remove = "remove_version",
	.must_be_inherited = true,
	.triggers = triggers,
	.ntriggers = lengthof(triggers),
	.options = options,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtVersion),
	.add_own_columns = add_own_columns,
	.find_drift = find_drift,
};
