/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The descriptors of live parents and live views.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "dtmodel.h"
#include "mixin/live/live.h"
#include "mixin/live/mixin.h"
#include "mixin/live/parent.h"
#include "mixin/soft_delete/mixin.h"
#include "model/drift.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static bool
is_live_parent(const Trigger *trigger)
{
	return dtmodel_trigger_type(trigger) == &dtmodel_live_triggers[DT_LIVE_PARENT];
}

/* The keys whose parents must be live, as a list of lists of columns. */
static void
describe(StringInfo json, Relation rel, const void *options pg_attribute_unused())
{
	TriggerDesc *triggers = dtmodel_triggers(rel);
	const char *before = "";

	appendStringInfoChar(json, '[');
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		DtLiveParent live_parent;

		if (!is_live_parent(&triggers->triggers[i]))
			continue;
		live_parent = dtmodel_read_live_parent(&triggers->triggers[i]);
		appendStringInfo(json, "%s[", before);
		for (int j = 0; j < live_parent.ncolumns; j++)
		{
			if (j > 0)
				appendStringInfoString(json, ", ");
			dtmodel_append_string(json, get_attname(RelationGetRelid(rel),
													live_parent.columns[j], false));
		}
		appendStringInfoChar(json, ']');
		before = ", ";
	}
	appendStringInfoChar(json, ']');
}

static void
find_drift(DtDrift *drift, Relation rel,
		   const void *options pg_attribute_unused())
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (is_live_parent(&triggers->triggers[i]))
			dtmodel_drift_of_live_parent(drift, rel, &triggers->triggers[i]);
	}
}

/* The columns of a key whose parent must be live, as arguments of a call. */
static char *
live_parent_columns(Relation rel, const Trigger *trigger)
{
	DtLiveParent live_parent = dtmodel_read_live_parent(trigger);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < live_parent.ncolumns; i++)
		appendStringInfo(&columns, ", %s",
						 quote_literal_cstr(get_attname(RelationGetRelid(rel),
														live_parent.columns[i],
														false)));
	return columns.data;
}

static bool
has_live_parent(Relation rel, const char *columns)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (is_live_parent(trigger) &&
			strcmp(live_parent_columns(rel, trigger), columns) == 0)
			return true;
	}
	return false;
}

static void
check_live_parent(Relation rel, const Trigger *trigger, Relation parent)
{
	const char *columns = live_parent_columns(rel, trigger);

	if (has_live_parent(parent, columns))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" requires live parents, but partitioned table \"%s\" does not",
					RelationGetRelationName(rel),
					RelationGetRelationName(parent)),
			 errdetail("A partition requires what its partitioned table requires, so this would be lost."),
			 errhint("Call %s.require_live_parent(%s%s) or %s.remove_live_parent(%s%s) first.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(parent), columns,
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel), columns),
			 errtable(rel)));
}

/* A partition must have the same live parents as its partitioned table. */
static void
check_attach(Relation rel, Relation parent)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (is_live_parent(&triggers->triggers[i]))
			check_live_parent(rel, &triggers->triggers[i], parent);
	}
}

static void
extend_change(DtChange *change, const DtMixin *other, const void *options)
{
	const DtSoftDelete *columns = options;

	if (other == &dtmodel_soft_delete_mixin)
		dtmodel_change_live_parents(change, columns == NULL ? NULL :
									NameStr(columns->deleted_at.name));
}

/* The table of a live view need not have triggers for live parents. */
static void
find_drift_of_any_table(DtDrift *drift, Relation rel)
{
	const DtModel *model;

	dtmodel_drift_of_live_parents(drift, rel);
	model = dtmodel_get_model(rel);
	if (dtmodel_soft_delete_of(model) != NULL)
		dtmodel_drift_of_live_views(drift, rel, model);
}

const DtTriggerType dtmodel_live_triggers[DT_LIVE_TRIGGERS] = {
	[DT_LIVE_PARENT] = {
		.name = "zz_dtmodel_live_parent",
		.function = "live_parent_trigger",
		.timing = TRIGGER_TYPE_ROW,
	},
	[DT_LIVE_PARENT_UPDATE] = {
		.name = "zz_dtmodel_live_parents",
		.function = "live_parent_update_trigger",
		.timing = TRIGGER_TYPE_ROW,
	},
	[DT_LIVE_VIEW] = {
		.name = "zz_dtmodel_live_view",
		.function = "live_view_trigger",
		.timing = TRIGGER_TYPE_INSTEAD | TRIGGER_TYPE_ROW,
	},
};

const DtMixin dtmodel_live_mixin = {
	.name = "live_parents",
	.triggers = dtmodel_live_triggers,
	.ntriggers = DT_LIVE_TRIGGERS,
	.describe = describe,
	.find_drift = find_drift,
	.find_drift_of_any_table = find_drift_of_any_table,
	.extend_change = extend_change,
	.requires_live_parent = dtmodel_has_live_parent_trigger,
	.check_attach = check_attach,
};
