/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  Live parents and live views, as models have them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "mixin/live/mixin.h"
#include "mixin/live/parent.h"
#include "mixin/soft_delete/mixin.h"
#include "utils/lsyscache.h"

static bool
is_live_parent(const Trigger *trigger)
{
	return dtmodel_trigger_type(trigger) == &dtmodel_live_triggers[DT_LIVE_PARENT];
}

/* The keys whose parents must be live, each a list of its columns. */
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
drift_of_message(StringInfo drift, const char *message)
{
	if (message != NULL)
		dtmodel_append_drift(drift, "%s", message);
}

static void
find_drift(StringInfo drift, Relation rel,
		   const void *options pg_attribute_unused())
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (is_live_parent(&triggers->triggers[i]))
			drift_of_message(drift,
							 dtmodel_drift_of_live_parent(rel, &triggers->triggers[i]));
	}
	drift_of_message(drift, dtmodel_drift_of_live_parents(rel));
}

const DtTriggerType dtmodel_live_triggers[DT_LIVE_TRIGGERS] = {
	[DT_LIVE_PARENT] = {
		"zz_dtmodel_live_parent", "live_parent_trigger",
		TRIGGER_TYPE_ROW, 0
	},
	[DT_LIVE_PARENT_UPDATE] = {
		"zz_dtmodel_live_parents", "live_parent_update_trigger",
		TRIGGER_TYPE_ROW, 0
	},
	[DT_LIVE_VIEW] = {
		"zz_dtmodel_live_view", "live_view_trigger",
		TRIGGER_TYPE_INSTEAD | TRIGGER_TYPE_ROW, 0
	},
};

const DtMixin dtmodel_live_mixin = {
	.name = "live_parents",
	.triggers = dtmodel_live_triggers,
	.ntriggers = DT_LIVE_TRIGGERS,
	.describe = describe,
	.find_drift = find_drift,
};
