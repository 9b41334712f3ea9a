/*-------------------------------------------------------------------------
 *
 * progress.c
 *	  The progress of a long statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/progress.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"

/*
 * Shows other sessions the progress, in the column "query" of
 * pg_stat_activity, in front of the statement, whose end may be cut off.  The
 * columns with progress of the server's own commands are not for extensions.
 */
void
dtmodel_show_progress(const char *progress)
{
	uint64		query_id = pgstat_get_my_query_id();
	char	   *query = psprintf("/* %s */ %s", progress,
								 debug_query_string == NULL ? "" : debug_query_string);

	pgstat_report_activity(STATE_RUNNING, query);
	pgstat_report_query_id(query_id, true);
	pfree(query);
}
