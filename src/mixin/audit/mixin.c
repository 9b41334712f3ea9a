/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptor of the audit mixin.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "mixin/audit/mixin.h"
#include "model/send.h"

static void
add_own_columns(const void *options, DtOwnColumns *own)
{
	const DtAudit *audit = options;

	dtmodel_add_own_column(&own->pinned, &audit->created_by);
	dtmodel_add_own_column(&own->uncounted, &audit->updated_by);
}

/* It fires after triggers that may undo changes, but before the timestamps. */
static const DtTriggerType triggers[] = {
	{
		.name = "zz_dtmodel_stamp_audit",
		.function = "audit_trigger",
		.timing = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW,
		.events = TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE,
		.move_events = TRIGGER_TYPE_DELETE,
		.action = &dtmodel_audit_action,
	},
};

static const DtMixinColumn columns[] = {
	{
		.option = "created_by",
		.use = &dtmodel_use_actor,
		.offset = offsetof(DtAudit, created_by),
		.optional = true,
		.in_template = "created_by",
		.is_stamped = true,
		.is_pinned = true,
	},
	{
		.option = "updated_by",
		.use = &dtmodel_use_actor,
		.offset = offsetof(DtAudit, updated_by),
		.optional = true,
		.in_template = "updated_by",
		.is_stamped = true,
	},
};

static const DtOption options[] = {
	{DT_OPTION_COLUMN, "created_by", "created_by", NULL},
	{DT_OPTION_COLUMN, "updated_by", "updated_by", NULL},
	{0}
};

static Expr *
inserted_value(Oid relid, const void *options pg_attribute_unused(),
			   const DtColumn *column)
{
	return dtmodel_call_actor_for(relid, column);
}

const DtMixin dtmodel_audit_mixin = {
	.name = "audit",
	.title = "audit",
	.add = "add_audit",
	.remove = "remove_audit",
	.must_be_inherited = true,
	.implied_by_columns = true,
	.triggers = triggers,
	.ntriggers = lengthof(triggers),
	.options = options,
	.columns = columns,
	.ncolumns = lengthof(columns),
	.size = sizeof(DtAudit),
	.add_own_columns = add_own_columns,
	.inserted_value = inserted_value,
};
