/*-------------------------------------------------------------------------
 *
 * slugs.c
 *	  New slugs: for one row, and for all rows of a table that have none.
 *
 * The trigger makes them.  It is told which UPDATE asks for a new one, and gives
 * one to each row without that is updated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "api/purge.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "mixin/slug.h"
#include "model/row_call.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_new_slug);
PG_FUNCTION_INFO_V1(dtmodel_fill_slugs);

/* The columns of the table's slugs, which must be in order. */
static DtSlug
usable_slug(Relation rel)
{
	const DtSlug *slug = dtmodel_get_model(rel)->slug;

	if (slug == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" has no slugs",
						RelationGetRelationName(rel)),
				 errhint("Call %s.add_slug(%s, ...).", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(rel)),
				 errtable(rel)));
	dtmodel_check_column(rel, &slug->source, DT_COLUMN_ANY,
						 &dtmodel_slug_mixin, "source");
	dtmodel_check_column(rel, &slug->slug, DT_COLUMN_SLUG,
						 &dtmodel_slug_mixin, "slug");
	return *slug;
}

static SPIPlanPtr
new_slug_plan(const DtRowCall *call, const DtSlug *slug)
{
	Oid			relid = RelationGetRelid(call->rel);
	SPIPlanPtr	plan = dtmodel_find_plan(relid, DT_PLAN_NEW_SLUG);
	const char *column = quote_identifier(NameStr(slug->slug.name));
	StringInfoData query;

	if (plan != NULL)
		return plan;
	initStringInfo(&query);
	appendStringInfo(&query, DT_MAKES_SLUG "UPDATE %s AS " DT_ROW
					 " SET %s = " DT_ROW ".%s WHERE ",
					 dtmodel_qualified_name(call->rel), column, column);
	dtmodel_append_key_condition(&query, &call->key, DT_ROW);
	appendStringInfoString(&query, " RETURNING ");
	dtmodel_append_row(&query, call->rel);
	return dtmodel_save_plan(relid, DT_PLAN_NEW_SLUG, query.data,
							 call->key.ncolumns, dtmodel_key_types(&call->key));
}

/*
 * new_slug(instance anyelement) returns anyelement
 *
 * Gives the row the slug of its source, as that is by now, and returns the new
 * row.  If the slug without a number is not free, the row keeps one with a
 * number that it has.  NULL for NULL, for a row that is gone, and for one that
 * a policy or a trigger keeps from being updated.  A table without slugs is an
 * error (42809).
 */
Datum
dtmodel_new_slug(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock);
	DtSlug		slug = usable_slug(call.rel);
	bool		found = false;
	Datum		row = (Datum) 0;

	dtmodel_take_row(&call, PG_GETARG_DATUM(0));
	if (call.id.complete)
	{
		SPI_connect();
		found = dtmodel_fetch_row(&call, new_slug_plan(&call, &slug),
								  call.id.values, call.id.nulls, false, &row);
		SPI_finish();
	}
	return dtmodel_end_row_call(&call, fcinfo, row, !found);
}

/* So many blocks of the table have about so many rows. */
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

/*
 * Fills in the slugs of the rows in these blocks, and returns how many rows
 * have one now.  Any UPDATE does for the trigger to give a row its slug.
 */
static uint64
fill_blocks(Oid relid, uint64 first, uint64 end)
{
	Relation	rel = dtmodel_open(relid, RowExclusiveLock);
	DtSlug		slug = usable_slug(rel);
	const char *column = quote_identifier(NameStr(slug.slug.name));
	char	   *query;

	query = psprintf(DT_OWN_QUERY "WITH filled AS (UPDATE ONLY %s AS t SET %s = NULL "
					 "WHERE t.ctid OPERATOR(pg_catalog.>=) '(" UINT64_FORMAT ",0)' "
					 "AND t.ctid OPERATOR(pg_catalog.<) '(" UINT64_FORMAT ",0)' "
					 "AND (t.%s IS NULL OR t.%s::pg_catalog.text OPERATOR(pg_catalog.=) '') "
					 "AND t.%s IS NOT NULL RETURNING t.%s) "
					 "SELECT FROM filled AS f WHERE f.%s IS NOT NULL",
					 dtmodel_qualified_name(rel), column, first, end, column,
					 column, quote_identifier(NameStr(slug.source.name)),
					 column, column);
	table_close(rel, NoLock);
	(void) SPI_execute(query, false, 0);
	return SPI_processed;
}

/*
 * Goes through the blocks that there are.  Rows that come later are given
 * slugs as they come, and so are those that others update meanwhile.
 */
static uint64
fill_slugs(Oid relid, int batch_size)
{
	Relation	rel = dtmodel_open(relid, RowExclusiveLock);
	BlockNumber blocks = 0;
	BlockNumber batch = 1;
	uint64		filled = 0;

	(void) usable_slug(rel);
	blocks = RelationGetNumberOfBlocks(rel);
	batch = blocks_of_rows(rel, batch_size);
	table_close(rel, NoLock);
	for (uint64 first = 0; first < blocks; first += batch)
	{
		CHECK_FOR_INTERRUPTS();
		filled += fill_blocks(relid, first, Min(first + batch, MaxBlockNumber));
		SPI_commit();
	}
	return filled;
}

/*
 * CALL fill_slugs(model regclass, batch_size int DEFAULT 1000)
 *
 * Gives a slug to each row that has none, in batches of about so many rows,
 * each a transaction of its own.  Neither updated_at nor updated_by moves.  An
 * error for a NULL (22004), for a batch size that cannot be (22023), in a
 * transaction block (25001), and for a table without slugs (42809).
 */
Datum
dtmodel_fill_slugs(PG_FUNCTION_ARGS)
{
	uint64		filled;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the arguments of %s.fill_slugs must not be null",
						DTMODEL_SCHEMA),
				 errhint("Leave out what is to have its default.")));
	dtmodel_check_batch_size(PG_GETARG_INT32(1));
	dtmodel_check_may_commit(fcinfo, "fill_slugs", "CALL it on its own.");

	SPI_connect_ext(SPI_OPT_NONATOMIC);
	filled = fill_slugs(PG_GETARG_OID(0), PG_GETARG_INT32(1));
	SPI_finish();
	ereport(NOTICE,
			(errmsg_plural("filled in " UINT64_FORMAT " slug",
						   "filled in " UINT64_FORMAT " slugs",
						   filled, filled)));
	PG_RETURN_VOID();
}
