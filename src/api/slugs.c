/*-------------------------------------------------------------------------
 *
 * slugs.c
 *	  Functions that make slugs: for one row, and for all rows of a table that
 *	  have none.
 *
 * The trigger makes the slugs: on the UPDATE of new_slug(), which it
 * recognizes, and for each row without a slug that is updated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/batch.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/slug/mixin.h"
#include "mixin/slug/slug.h"
#include "model/row_call.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "server/progress.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_new_slug);
PG_FUNCTION_INFO_V1(dtmodel_fill_slugs);

/* Without the trigger the text that requests a slug would be stored. */
static void
check_trigger_fires(Relation rel)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, dtmodel_slug_mixin.triggers);

	if (dtmodel_trigger_fires(trigger->tgenabled))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the slug trigger of table \"%s\" does not fire in this session",
					RelationGetRelationName(rel)),
			 errdetail("It is disabled, or does not fire with the current session_replication_role."),
			 errhint("Use ALTER TABLE %s ENABLE TRIGGER %s.",
					 dtmodel_qualified_name(rel),
					 quote_identifier(trigger->tgname)),
			 errtable(rel)));
}

/* The options of the table's slugs, with columns that were checked. */
static DtSlug
usable_slug(Relation rel)
{
	const DtSlug *slug = dtmodel_slug_of(dtmodel_get_model(rel));

	dtmodel_check_makes_slugs(rel);
	if (slug == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" has no slugs",
						RelationGetRelationName(rel)),
				 errhint("Call %s.add_slug(%s, ...).", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(rel)),
				 errtable(rel)));
	dtmodel_check_mixin_columns(rel, &dtmodel_slug_mixin, slug);
	check_trigger_fires(rel);
	return *slug;
}

static SPIPlanPtr
new_slug_plan(const DtRowCall *call, const DtSlug *slug)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(call->rel),
										 DT_PLAN_NEW_SLUG, NULL);
	const char *column = quote_identifier(NameStr(slug->slug.name));

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, DT_MAKES_SLUG "UPDATE %s AS " DT_ROW_ALIAS
					 " SET %s = " DT_ROW_ALIAS ".%s WHERE ",
					 dtmodel_qualified_name(call->rel), column, column);
	dtmodel_append_key_condition(&plan.query, &call->key, DT_ROW_ALIAS);
	appendStringInfoString(&plan.query, " RETURNING ");
	dtmodel_append_row(&plan.query, call->rel);
	return dtmodel_save_plan(&plan, call->key.ncolumns,
							 dtmodel_key_types(&call->key));
}

/*
 * new_slug(instance anyelement) returns anyelement
 *
 * Gives the row a slug from the current value of its source, and returns the
 * new row.  If the slug without a number is not free, a row that has the slug
 * with a number keeps it; if the source has no letters or digits, the row
 * keeps its slug.  NULL for a row that does not exist any more, and for one
 * whose update a policy or a trigger prevents; an error (22004) for NULL.
 * Errors for a table without slugs (42809) and for one whose slug trigger
 * does not fire (55000).
 */
Datum
dtmodel_new_slug(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock);
	DtSlug		slug = usable_slug(call.rel);
	bool		found = false;
	Datum		row = (Datum) 0;

	dtmodel_set_row(&call, PG_GETARG_DATUM(0));
	if (call.id.complete)
	{
		SPI_connect();
		found = dtmodel_fetch_row(&call, new_slug_plan(&call, &slug),
								  call.id.values, call.id.nulls, false, &row);
		SPI_finish();
	}
	return dtmodel_end_row_call(&call, fcinfo, row, !found);
}

/* The number of blocks of the table that have about this many rows. */
static BlockNumber
blocks_of_rows(Relation rel, int rows)
{
	BlockNumber pages;
	double		tuples;
	double		visible;

	estimate_rel_size(rel, NULL, &pages, &tuples, &visible);
	if (tuples < 1 || rows * (pages / tuples) < 1)
		return 1;
	return Min(rows * (pages / tuples), (double) MaxBlockNumber);
}

/* What fill_slugs has done. */
typedef struct Filling
{
	int64		filled;
	int64		passed_over;	/* the source gives no slug */
} Filling;

/*
 * Fills in the slugs of the rows in these blocks, and counts them.  With any
 * UPDATE the trigger gives a row its slug.
 */
static void
fill_blocks(Oid relid, uint64 first, uint64 end, Filling *filling)
{
	Relation	rel = dtmodel_open(relid, RowExclusiveLock);
	DtSlug		slug = usable_slug(rel);
	const char *column = quote_identifier(NameStr(slug.slug.name));
	char	   *query;
	HeapTuple	counts;
	TupleDesc	desc;
	bool		isnull;

	query = psprintf(DT_OWN_QUERY "WITH filled AS (UPDATE ONLY %s AS t SET %s = NULL "
					 "WHERE t.ctid OPERATOR(pg_catalog.>=) '(" UINT64_FORMAT ",0)' "
					 "AND t.ctid OPERATOR(pg_catalog.<) '(" UINT64_FORMAT ",0)' "
					 "AND (t.%s IS NULL OR t.%s::pg_catalog.text OPERATOR(pg_catalog.=) '') "
					 "AND t.%s IS NOT NULL RETURNING t.%s) "
					 "SELECT pg_catalog.count(f.%s), pg_catalog.count(*) FROM filled AS f",
					 dtmodel_qualified_name(rel), column, first, end, column,
					 column, quote_identifier(NameStr(slug.source.name)),
					 column, column);
	table_close(rel, NoLock);
	(void) SPI_execute(query, false, 0);
	counts = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	filling->filled += DatumGetInt64(SPI_getbinval(counts, desc, 1, &isnull));
	filling->passed_over += DatumGetInt64(SPI_getbinval(counts, desc, 2, &isnull)) -
		DatumGetInt64(SPI_getbinval(counts, desc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

static void
show_progress(const Filling *filling, uint64 block, BlockNumber blocks)
{
	char	   *progress = psprintf("block " UINT64_FORMAT " of %u, slugs filled in: " INT64_FORMAT,
									block, blocks, filling->filled);

	dtmodel_show_progress(progress);
	pfree(progress);
}

/*
 * Goes through the blocks that the table has now.  Rows that are inserted or
 * updated meanwhile get their slugs from the trigger.
 */
static Filling
fill_slugs(Oid relid, int batch_size)
{
	Relation	rel = dtmodel_open(relid, RowExclusiveLock);
	BlockNumber blocks = 0;
	BlockNumber batch = 1;
	Filling		filling = {0};

	(void) usable_slug(rel);
	blocks = RelationGetNumberOfBlocks(rel);
	batch = blocks_of_rows(rel, batch_size);
	table_close(rel, NoLock);
	for (uint64 first = 0; first < blocks; first += batch)
	{
		CHECK_FOR_INTERRUPTS();
		fill_blocks(relid, first, Min(first + batch, MaxBlockNumber), &filling);
		SPI_commit();
		show_progress(&filling, Min(first + batch, blocks), blocks);
	}
	return filling;
}

/*
 * CALL fill_slugs(model regclass, batch_size int DEFAULT 1000)
 *
 * Gives a slug to each row that has none, in batches of about batch_size
 * rows, each in a separate transaction.  Neither updated_at nor updated_by
 * changes.  Rows whose source has no letters or digits are skipped, and
 * counted.  An error for a NULL (22004), for a batch size that is out of
 * range (22023), in a transaction block (25001), for a table without slugs
 * (42809), and for one whose slug trigger does not fire (55000).
 */
Datum
dtmodel_fill_slugs(PG_FUNCTION_ARGS)
{
	Filling		filling;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the arguments of %s.fill_slugs must not be null",
						DTMODEL_SCHEMA),
				 errhint("Omit arguments to use their defaults.")));
	dtmodel_check_batch_size(PG_GETARG_INT32(1));
	dtmodel_check_may_commit(fcinfo, "fill_slugs", "Run the CALL as a statement of its own.");

	SPI_connect_ext(SPI_OPT_NONATOMIC);
	filling = fill_slugs(PG_GETARG_OID(0), PG_GETARG_INT32(1));
	SPI_finish();
	ereport(NOTICE,
			(errmsg_plural("filled in " INT64_FORMAT " slug",
						   "filled in " INT64_FORMAT " slugs",
						   filling.filled, filling.filled),
			 filling.passed_over == 0 ? 0 :
			 errdetail_plural(INT64_FORMAT " row was skipped, since its source has no letters and no digits.",
							  INT64_FORMAT " rows were skipped, since their sources have no letters and no digits.",
							  filling.passed_over, filling.passed_over)));
	PG_RETURN_VOID();
}
