/*-------------------------------------------------------------------------
 *
 * stored.c
 *	  Stored settings that the current rules would refuse.
 *
 * When rules change, rows stay as they are.  The rows with settings that
 * could not be stored now are counted when the rules change, and when drift
 * is computed.  Neither may read all of a large table, so they read a sample.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "mixin/settings/settings.h"
#include "model/drift.h"
#include "server/plan_cache.h"
#include "server/size.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rls.h"

/* About how many rows are read by add_settings, and for drift. */
#define ROWS_AT_CHANGE 100000
#define ROWS_FOR_DRIFT 1000

/* How many times more rows than intended are read if the estimate is wrong. */
#define MOST_TIMES 4

/* The number of rows that are fetched at once, and of names that are shown. */
#define FETCH_ROWS 100
#define NAMES 5

/* About how many rows a table has; -1 if some are on other servers. */
static double
estimate_rows(Relation rel)
{
	double		rows = 0;
	ListCell   *cell;

	foreach(cell, rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ?
			find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL) :
			list_make1_oid(RelationGetRelid(rel)))
	{
		Relation	part = relation_open(lfirst_oid(cell), AccessShareLock);
		double		tuples = 0;

		if (part->rd_rel->relkind == RELKIND_FOREIGN_TABLE)
			tuples = -1;
		else if (part->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
			tuples = dtmodel_estimate_rows(part);
		relation_close(part, AccessShareLock);
		if (tuples < 0)
			return -1;
		rows += tuples;
	}
	return rows;
}

/* Reads the same rows each time, as long as the table does not change. */
static char *
sample_query(Relation rel, const DtSettings *settings, double rows,
			 double estimate)
{
	const char *column = quote_identifier(NameStr(settings->column.name));
	const char *sample = estimate <= rows ? "" :
		psprintf(" TABLESAMPLE pg_catalog.system (%.6f) REPEATABLE (0)",
				 100 * rows / estimate);

	return psprintf(DT_OWN_QUERY "SELECT t.%s FROM %s%s AS t%s WHERE t.%s IS NOT NULL LIMIT %.0f",
					column, dtmodel_only(rel), dtmodel_qualified_name(rel),
					sample, column, MOST_TIMES * rows);
}

static bool
is_noted(const DtSettingsCount *count, const char *name)
{
	ListCell   *cell;

	foreach(cell, count->names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

static void
count_row(DtSettingsCount *count, const DtSettings *settings, Datum stored,
		  MemoryContext context)
{
	List	   *invalid = dtmodel_invalid_settings_of(settings,
													  DatumGetJsonbP(stored));
	MemoryContext caller = MemoryContextSwitchTo(context);
	ListCell   *cell;

	count->looked_at++;
	if (invalid != NIL)
		count->invalid++;
	foreach(cell, invalid)
	{
		if (list_length(count->names) < NAMES && !is_noted(count, lfirst(cell)))
			count->names = lappend(count->names, pstrdup(lfirst(cell)));
	}
	MemoryContextSwitchTo(caller);
}

/* Counts the next rows; false if there are none. */
static bool
count_rows(DtSettingsCount *count, const DtSettings *settings, Portal cursor,
		   MemoryContext context, MemoryContext work)
{
	uint64		fetched;

	SPI_cursor_fetch(cursor, true, FETCH_ROWS);
	fetched = SPI_processed;
	for (uint64 i = 0; i < fetched; i++)
	{
		bool		isnull;
		Datum		stored = SPI_getbinval(SPI_tuptable->vals[i],
										   SPI_tuptable->tupdesc, 1, &isnull);
		MemoryContext caller = MemoryContextSwitchTo(work);

		CHECK_FOR_INTERRUPTS();
		count_row(count, settings, stored, context);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(work);
	}
	SPI_freetuptable(SPI_tuptable);
	return fetched > 0;
}

/*
 * Counts the rows whose settings are not all valid, among about this many
 * rows of the table.  The caller has checked that the user may read them.
 */
DtSettingsCount
dtmodel_count_invalid_settings(Relation rel, const DtSettings *settings,
							   double rows)
{
	DtSettingsCount count = {0};
	MemoryContext context = CurrentMemoryContext;
	double		estimate = estimate_rows(rel);
	MemoryContext work;
	Portal		cursor;

	if (estimate < 0)
		return count;
	work = AllocSetContextCreate(context, "dtmodel settings",
								 ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	cursor = SPI_cursor_open_with_args(NULL, sample_query(rel, settings, rows,
														  estimate),
									   0, NULL, NULL, NULL, true, 0);
	while (count_rows(&count, settings, cursor, context, work))
		;
	SPI_cursor_close(cursor);
	SPI_finish();
	MemoryContextDelete(work);
	count.is_sample = estimate > rows || count.looked_at >= MOST_TIMES * rows;
	return count;
}

/* Whether the current user may read the settings of all rows. */
static bool
may_read_settings(Relation rel, const DtSettings *settings)
{
	Oid			relid = RelationGetRelid(rel);

	return AttributeNumberIsValid(settings->column.attnum) &&
		!RELATION_IS_OTHER_TEMP(rel) &&
		DatumGetBool(DirectFunctionCall2(has_schema_privilege_id,
										 ObjectIdGetDatum(RelationGetNamespace(rel)),
										 CStringGetTextDatum("USAGE"))) &&
		(pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		 pg_attribute_aclcheck(relid, settings->column.attnum, GetUserId(),
							   ACL_SELECT) == ACLCHECK_OK) &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

static DtSettingsCount
count_if_allowed(Relation rel, const DtSettings *settings, double rows)
{
	DtSettingsCount count = {0};

	if (may_read_settings(rel, settings) &&
		dtmodel_column_fits(&settings->column, &dtmodel_use_document))
		count = dtmodel_count_invalid_settings(rel, settings, rows);
	return count;
}

/* "3 of 10 rows" */
static char *
count_text(const DtSettingsCount *count)
{
	return psprintf(UINT64_FORMAT " of " UINT64_FORMAT " rows%s", count->invalid,
					count->looked_at, count->is_sample ? " in a sample" : "");
}

static char *
names_text(const DtSettingsCount *count)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, count->names)
		appendStringInfo(&text, "%s\"%s\"", text.len > 0 ? ", " : "",
						 (char *) lfirst(cell));
	if (list_length(count->names) == NAMES)
		appendStringInfoString(&text, " ...");
	return text.data;
}

/*
 * The statement that removes settings that are not valid, including those
 * that are not an object.
 */
static char *
removal_text(Relation rel, const DtSettings *settings)
{
	const char *column = quote_identifier(NameStr(settings->column.name));

	return psprintf("UPDATE %s AS t SET %s = CASE jsonb_typeof(t.%s) WHEN 'object' THEN t.%s - %s.invalid_settings(t.*) ELSE '{}' END WHERE %s.invalid_settings(t.*) <> '{}'",
					dtmodel_qualified_name(rel), column, column, column,
					DTMODEL_SCHEMA, DTMODEL_SCHEMA);
}

/* The NOTICE of add_settings, after it has changed the rules of a table. */
void
dtmodel_report_invalid_settings(Oid relid)
{
	Relation	rel = dtmodel_open(relid, AccessShareLock);
	DtSettings *settings = dtmodel_usable_settings(rel);
	DtSettingsCount count = count_if_allowed(rel, settings, ROWS_AT_CHANGE);

	if (count.invalid > 0)
		ereport(NOTICE,
				(errmsg("table \"%s\": %s have settings that are no longer valid",
						RelationGetRelationName(rel), count_text(&count)),
				 errdetail("The settings are %s. They are kept until they are changed.",
						   names_text(&count)),
				 errhint("To remove them: %s;", removal_text(rel, settings))));
	relation_close(rel, NoLock);
}

/* Reports rows with such settings, unless the user may not read them. */
void
dtmodel_drift_of_stored_settings(DtDrift *drift, Relation rel,
								 const DtSettings *settings)
{
	DtSettingsCount count = count_if_allowed(rel, settings, ROWS_FOR_DRIFT);

	if (count.invalid > 0)
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("unless they are needed, %s",
									  removal_text(rel, settings)),
							 "%s have settings that are not valid (%s)",
							 count_text(&count), names_text(&count));
}
