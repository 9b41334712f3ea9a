/*-------------------------------------------------------------------------
 *
 * citus_ddl.c
 *	  Changing tables that Citus distributes.
 *
 * Citus refuses triggers unless it is told that they are known to work on
 * shards, which ours do.  And it refuses to change shards in parallel after a
 * table to which they refer was read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/citus.h"
#include "server/citus_ddl.h"
#include "utils/guc.h"

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Lets a change of a table read the table, and those to which it refers, before
 * it creates triggers on it.  Returns what dtmodel_end_citus_ddl() needs; an
 * error ends it too.
 */
int
dtmodel_begin_citus_ddl(void)
{
	int			nest_level = NewGUCNestLevel();

	if (dtmodel_has_citus())
	{
		set("citus.enable_unsafe_triggers", "on");
		set("citus.multi_shard_modify_mode", "sequential");
	}
	return nest_level;
}

/*
 * The same for what an event trigger does, which every server does to its own
 * tables and shards.
 */
int
dtmodel_begin_local_ddl(void)
{
	int			nest_level = NewGUCNestLevel();

	if (dtmodel_has_citus())
		set("citus.enable_ddl_propagation", "off");
	return nest_level;
}

void
dtmodel_end_citus_ddl(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}
