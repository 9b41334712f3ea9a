/*-------------------------------------------------------------------------
 *
 * mixins.c
 *	  The list of all mixins.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mixin/audit/mixin.h"
#include "mixin/history/mixin.h"
#include "mixin/live/mixin.h"
#include "mixin/mixins.h"
#include "mixin/settings/mixin.h"
#include "mixin/slug/mixin.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/timestamps/mixin.h"
#include "mixin/version/mixin.h"

/* In the order in which describe() and mixins() list them. */
const DtMixin *const dtmodel_all_mixins[] = {
	&dtmodel_timestamps_mixin,
	&dtmodel_soft_delete_mixin,
	&dtmodel_settings_mixin,
	&dtmodel_audit_mixin,
	&dtmodel_slug_mixin,
	&dtmodel_version_mixin,
	&dtmodel_history_mixin,
	&dtmodel_live_mixin,
	NULL
};
