/*-------------------------------------------------------------------------
 *
 * purge.c
 *	  Deleting for good what was deleted softly a while ago.
 *
 * It is a procedure, since it commits after each batch: rows stay purged if
 * it is interrupted, no lock is held for long, and two can run at the same
 * time. It is in C because PL/pgSQL lacks what it needs: a subtransaction and
 * a value of a switch for each batch with the COMMIT outside of them, the
 * foreign keys in the relcache, and the owner's privileges for the locks
 * only.
 *
 * One scan, with any suitable index, lists the places (ctid) of the rows; the
 * first commit materializes the list, as for every held cursor.  So nothing
 * is scanned twice, even if many rows are skipped.  The list is only a hint:
 * each batch checks again whether the row at that place is to be purged, in
 * case that another row is there now.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/batch.h"
#include "api/purge/purge.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/distributed.h"
#include "server/plan_cache.h"
#include "server/progress.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/portal.h"

/* The number of seconds between reports of the progress. */
#define PROGRESS_SECONDS 5

PG_FUNCTION_INFO_V1(dtmodel_purge);

/* The rate, if enough time has passed to compute one. */
static char *
rate_text(const DtPurge *purge, TimestampTz now)
{
	double		seconds = (now - purge->started) / (double) USECS_PER_SEC;

	if (seconds < PROGRESS_SECONDS)
		return "";
	return psprintf(", %.0f a second", purge->looked_at / seconds);
}

/*
 * Shows the progress to other sessions after each batch, and to the caller from
 * time to time, and at the end.
 */
void
dtmodel_report_purge(DtPurge *purge, bool at_end)
{
	TimestampTz now = GetCurrentTimestamp();
	char	   *progress = psprintf("%s " UINT64_FORMAT " of " UINT64_FORMAT " rows%s",
									purge->dry_run ? "would purge" : "purged",
									purge->done, purge->total,
									rate_text(purge, now));

	dtmodel_show_progress(progress);
	if (at_end || now >= purge->reported_at + PROGRESS_SECONDS * USECS_PER_SEC)
	{
		purge->reported_at = now;
		ereport(NOTICE,
				(errmsg("table \"%s\": %s", purge->table, progress)));
	}
	pfree(progress);
}

static void
report_row_count(const DtPurge *purge, const DtRowCount *count)
{
	const char *done = purge->dry_run ? "would purge" : "purged";

	if (count->rows == 0)
		return;
	if (count->constraint == NULL)
		ereport(NOTICE,
				(errmsg_plural("table \"%s\": %s " UINT64_FORMAT " row together with them",
							   "table \"%s\": %s " UINT64_FORMAT " rows together with them",
							   count->rows, count->table, done, count->rows)));
	else
		ereport(NOTICE,
				(errmsg_plural("table \"%s\": " UINT64_FORMAT " row is still referenced by table \"%s\" (\"%s\")",
							   "table \"%s\": " UINT64_FORMAT " rows are still referenced by table \"%s\" (\"%s\")",
							   count->rows, purge->table, count->rows,
							   count->table, count->constraint)));
}

/* Rows that were purged first, then rows that are held, each by name. */
static int
compare_row_counts(const ListCell *a, const ListCell *b)
{
	const DtRowCount *x = lfirst(a);
	const DtRowCount *y = lfirst(b);
	int			order = strcmp(x->table, y->table);

	if ((x->constraint == NULL) != (y->constraint == NULL))
		return x->constraint == NULL ? -1 : 1;
	if (order != 0 || x->constraint == NULL)
		return order;
	return strcmp(x->constraint, y->constraint);
}

static void
report_end(DtPurge *purge)
{
	uint64		accounted = purge->done + purge->held;
	ListCell   *cell;

	dtmodel_report_purge(purge, true);
	list_sort(purge->row_counts, compare_row_counts);
	foreach(cell, purge->row_counts)
		report_row_count(purge, lfirst(cell));
	if (accounted < purge->total)
		ereport(NOTICE,
				(errmsg_plural("table \"%s\": " UINT64_FORMAT " row was skipped",
							   "table \"%s\": " UINT64_FORMAT " rows were skipped",
							   purge->total - accounted, purge->table,
							   purge->total - accounted),
				 errdetail("They were locked, changed or deleted by other sessions, or a policy or a trigger prevents their deletion.")));
}

/*
 * Checks that the user may TRUNCATE the table, and so delete for good; "action"
 * says what, for the message.
 */
void
dtmodel_check_may_purge(Relation rel, const char *action)
{
	const char *role = GetUserNameFromId(GetUserId(), false);

	if (pg_class_aclmask(RelationGetRelid(rel), GetUserId(),
						 ACL_DELETE | ACL_TRUNCATE, ACLMASK_ALL) ==
		(ACL_DELETE | ACL_TRUNCATE))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to %s table \"%s\"", action,
					RelationGetRelationName(rel)),
			 errdetail("To delete for good, role \"%s\" needs the DELETE and TRUNCATE privileges on the table.",
					   role),
			 errhint("Use GRANT SELECT, DELETE, TRUNCATE ON %s TO %s.",
					 dtmodel_qualified_name(rel), quote_identifier(role)),
			 errtable(rel)));
}

/* Lists the places of all rows that are to be purged, for the batches. */
static Portal
open_list(DtPurge *purge)
{
	Relation	rel = dtmodel_open(purge->model, AccessShareLock);
	DtSoftDelete columns = dtmodel_usable_soft_delete(rel);
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(purge->cutoff)};
	char	   *query;

	dtmodel_check_may_purge(rel, "purge");
	dtmodel_check_not_distributed(rel, "purge",
								  "It finds rows by where a server has stored them, and these are on other servers.",
								  psprintf("Set dtmodel.hard_delete to on, and use DELETE FROM %s WHERE %s AND %s < now() - interval '30 days'.",
										   dtmodel_qualified_name(rel),
										   dtmodel_deleted_text(&columns, NULL),
										   quote_identifier(NameStr(columns.deleted_at.name))));
	purge->table = pstrdup(RelationGetRelationName(rel));
	query = psprintf(DT_OWN_QUERY "SELECT " DT_ROW_ALIAS ".tableoid, " DT_ROW_ALIAS
					 ".ctid FROM %s AS " DT_ROW_ALIAS " WHERE %s",
					 dtmodel_qualified_name(rel), dtmodel_expired_text(&columns, DT_ROW_ALIAS));
	table_close(rel, NoLock);
	return SPI_cursor_open_with_args(NULL, query, lengthof(values), types,
									 values, NULL, false, CURSOR_OPT_SCROLL);
}

/* Makes the list a holdable cursor, and counts it. */
void
dtmodel_count_purge_list(DtPurge *purge, Portal list)
{
	PinPortal(list);
	if (!purge->dry_run)
		SPI_commit();
	SPI_scroll_cursor_move(list, FETCH_FORWARD, FETCH_ALL);
	purge->total = SPI_processed;
	SPI_scroll_cursor_move(list, FETCH_ABSOLUTE, 0);
}

/*
 * Purges the next rows of the list; false if there are no more.  Memory of
 * the batch is freed with its connection to SPI.
 */
static bool
purge_batch(DtPurge *purge, Portal list)
{
	uint64		rows;
	ListCell   *cell;

	SPI_connect();
	SPI_cursor_fetch(list, true, purge->batch_size);
	rows = SPI_processed;
	foreach(cell, dtmodel_returned_rows(1))
		dtmodel_purge_rows(purge, lfirst(cell));
	SPI_finish();

	purge->looked_at += rows;
	if (rows == 0)
		return false;
	if (!purge->dry_run)
		SPI_commit();
	dtmodel_report_purge(purge, false);
	return true;
}

static void
purge_all(DtPurge *purge)
{
	Portal		list = open_list(purge);

	dtmodel_count_purge_list(purge, list);
	ereport(NOTICE,
			(errmsg_plural("table \"%s\": " UINT64_FORMAT " row to purge",
						   "table \"%s\": " UINT64_FORMAT " rows to purge",
						   purge->total, purge->table, purge->total)));
	while (purge_batch(purge, list))
		CHECK_FOR_INTERRUPTS();
	UnpinPortal(list);
	SPI_cursor_close(list);
	report_end(purge);
}

/* The arguments that both procedures have. */
static void
check_arguments(FunctionCallInfo fcinfo, const char *procedure)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the arguments of %s.%s must not be null",
						DTMODEL_SCHEMA, procedure),
				 errhint("Omit arguments to use their defaults.")));
	dtmodel_check_batch_size(PG_GETARG_INT32(2));
}

/* What is older than this time is purged. */
static TimestampTz
cutoff_argument(FunctionCallInfo fcinfo, const char *all)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz cutoff;

	cutoff = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													 TimestampTzGetDatum(now),
													 PG_GETARG_DATUM(1)));
	if (cutoff > now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("older_than must not be negative"),
				 errhint("Pass '0' to purge all %s.", all)));
	return cutoff;
}

/* Begins a procedure that purges; connects to SPI. */
DtPurge
dtmodel_begin_purge(FunctionCallInfo fcinfo, const char *procedure,
					const char *all)
{
	DtPurge		purge = {0};

	check_arguments(fcinfo, procedure);
	purge.model = PG_GETARG_OID(0);
	purge.cutoff = cutoff_argument(fcinfo, all);
	purge.batch_size = PG_GETARG_INT32(2);
	purge.dry_run = PG_GETARG_BOOL(3);
	if (!purge.dry_run)
		dtmodel_check_may_commit(fcinfo, procedure,
								 "Run the CALL as a statement of its own, or with dry_run => true.");
	SPI_connect_ext(purge.dry_run ? 0 : SPI_OPT_NONATOMIC);
	purge.context = CurrentMemoryContext;
	purge.started = purge.reported_at = GetCurrentTimestamp();
	return purge;
}

/*
 * CALL purge(model regclass, older_than interval DEFAULT '30 days',
 *			  batch_size int DEFAULT 1000, dry_run boolean DEFAULT false)
 *
 * Deletes for good the rows that were deleted softly longer ago than
 * older_than, in batches of batch_size rows, each in a separate transaction.
 * Rows that other sessions have locked are skipped; so are rows that are
 * still referenced, which NOTICEs count by table and constraint.  A dry run
 * says what would be done.  An error for a NULL (22004), for a batch size or
 * an age that is out of range (22023), in a transaction block (25001), for a
 * table without soft delete (42809), and without the privileges that a
 * physical DELETE needs (42501).
 *
 * Source: none; the reference document dtpyfw.db.model keeps deleted rows.
 */
Datum
dtmodel_purge(PG_FUNCTION_ARGS)
{
	DtPurge		purge = dtmodel_begin_purge(fcinfo, "purge", "deleted rows");

	purge.checked = dtmodel_make_checked_rows(purge.context);
	purge_all(&purge);
	SPI_finish();
	PG_RETURN_VOID();
}
