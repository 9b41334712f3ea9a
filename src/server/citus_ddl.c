/*-------------------------------------------------------------------------
 *
 * citus_ddl.c
 *	  Creating triggers on tables that Citus distributes.
 *
 * Citus refuses triggers unless it is told that they are known to work on
 * shards, which ours do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/citus.h"
#include "server/citus_ddl.h"
#include "utils/guc.h"

#define ALLOWS_TRIGGERS "citus.enable_unsafe_triggers"

/* Returns what dtmodel_end_allowing() needs; an error ends it too. */
int
dtmodel_allow_triggers(void)
{
	int			nest_level = NewGUCNestLevel();

	if (dtmodel_has_citus())
		(void) set_config_option(ALLOWS_TRIGGERS, "on", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

void
dtmodel_end_allowing(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}
