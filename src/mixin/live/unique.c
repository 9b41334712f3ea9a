/*-------------------------------------------------------------------------
 *
 * unique.c
 *	  Uniqueness among live rows: a partial unique index.
 *
 * The value of a deleted row can be used again.  The index alone enforces
 * this; the extension is not needed once the index exists.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/dependency.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mixin/live/live.h"
#include "mixin/soft_delete/soft_delete.h"
#include "mixin/soft_delete/unique.h"
#include "model/change.h"
#include "model/constraint.h"
#include "model/distributed.h"
#include "model/shown_key.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/relcache.h"

/* An error shows this many duplicates, and says so if there are more. */
#define SHOWN_DUPLICATES 3

/* The arguments of unique_live. */
typedef struct UniqueRequest
{
	DtSoftDelete soft_delete;
	int			ncolumns;
	AttrNumber *columns;
} UniqueRequest;

PG_FUNCTION_INFO_V1(dtmodel_unique_live);

static char *
column_list(Relation rel, const UniqueRequest *request, const char *separator,
			bool quote)
{
	return dtmodel_column_list(RelationGetRelid(rel), request->ncolumns,
							   request->columns, separator, quote);
}

static bool
is_asked_column(const UniqueRequest *request, AttrNumber attnum)
{
	return dtmodel_is_among(attnum, request->ncolumns, request->columns);
}

static void
check_sortable(Relation rel, const UniqueRequest *request)
{
	for (int i = 0; i < request->ncolumns; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
											  request->columns[i] - 1);

		if (OidIsValid(GetDefaultOpClass(att->atttypid, BTREE_AM_OID)))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("column \"%s\" of table \"%s\" cannot be unique",
						NameStr(att->attname), RelationGetRelationName(rel)),
				 errdetail("Its type %s has no default operator class for btree, which a unique index requires.",
						   format_type_be(att->atttypid)),
				 errtablecol(rel, att->attnum)));
	}
}

/* On a partitioned table, an index is unique only within each partition. */
static void
check_partition_key(Relation rel, const UniqueRequest *request)
{
	PartitionKey key = RelationGetPartitionKey(rel);

	for (int i = 0; key != NULL && i < key->partnatts; i++)
	{
		AttrNumber	attnum = key->partattrs[i];

		if (AttributeNumberIsValid(attnum) && is_asked_column(request, attnum))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("columns (%s) of partitioned table \"%s\" cannot be unique",
						column_list(rel, request, ", ", false),
						RelationGetRelationName(rel)),
				 AttributeNumberIsValid(attnum) ?
				 errdetail("Column \"%s\" is part of the partition key, but not one of these columns.",
						   get_attname(RelationGetRelid(rel), attnum, false)) :
				 errdetail("The partition key has an expression."),
				 errhint("Name all columns of the partition key too, or call %s.unique_live on each partition.",
						 DTMODEL_SCHEMA),
				 errtable(rel)));
	}
}

/* Whether the index is unique and has no expressions. */
static bool
is_plain_unique(Relation index)
{
	return index->rd_index->indisunique &&
		RelationGetIndexExpressions(index) == NIL;
}

static bool
has_asked_columns_only(Relation index, const UniqueRequest *request)
{
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		if (!is_asked_column(request, index->rd_index->indkey.values[i]))
			return false;
	}
	return true;
}

/*
 * Refuses a unique index on these columns, or on some of them, that includes
 * deleted rows: their values could still not be used again.
 */
static void
check_not_wider(Relation rel, Relation index, const UniqueRequest *request)
{
	const char *name = RelationGetRelationName(index);

	if (!is_plain_unique(index) || !has_asked_columns_only(index, request) ||
		RelationGetIndexPredicate(index) != NIL)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("index \"%s\" also covers deleted rows of table \"%s\"",
					name, RelationGetRelationName(rel)),
			 errdetail("As long as it exists, the values of a deleted row cannot be used again."),
			 dtmodel_is_without_overlaps(index) ?
			 errhint("For a key WITHOUT OVERLAPS, %s.",
					 dtmodel_overlaps_advice(rel, index, &request->soft_delete)) :
			 OidIsValid(get_index_constraint(RelationGetRelid(index))) ?
			 errhint("Use ALTER TABLE %s DROP CONSTRAINT %s, and then call %s.unique_live again.",
					 dtmodel_qualified_name(rel), quote_identifier(name),
					 DTMODEL_SCHEMA) :
			 errhint("Use DROP INDEX %s, and then call %s.unique_live again.",
					 dtmodel_qualified_name(index), DTMODEL_SCHEMA),
			 errtable(rel)));
}

/*
 * Whether the index is on these columns, for only some of the rows: one for all
 * rows has been refused.
 */
static bool
is_former(Relation index, const UniqueRequest *request)
{
	return is_plain_unique(index) &&
		index->rd_index->indnkeyatts == request->ncolumns &&
		has_asked_columns_only(index, request);
}

/*
 * Whether the index has exactly the requested properties; its name may
 * differ.
 */
static bool
is_as_asked(Relation rel, Relation index, const UniqueRequest *request)
{
	return is_former(index, request) && index->rd_index->indisvalid &&
		dtmodel_is_of_live_rows(rel, index, &request->soft_delete);
}

/*
 * "(WHERE ...)" of both queries below: the row is live and has no NULL, which
 * never equals another value.
 */
static char *
counted_rows(Relation rel, const UniqueRequest *request)
{
	StringInfoData condition;

	initStringInfo(&condition);
	appendStringInfoString(&condition,
						   dtmodel_live_text(&request->soft_delete, NULL));
	for (int i = 0; i < request->ncolumns; i++)
		appendStringInfo(&condition, " AND %s IS NOT NULL",
						 quote_identifier(get_attname(RelationGetRelid(rel),
													  request->columns[i], false)));
	return condition.data;
}

static char *
describe_duplicates(const char *columns, int ncolumns)
{
	StringInfoData text;

	initStringInfo(&text);
	for (uint64 i = 0; i < Min(SPI_processed, SHOWN_DUPLICATES); i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;

		appendStringInfo(&text, "%s(%s)=(%s) %s times", i > 0 ? ", " : "", columns,
						 dtmodel_shown_values(row, desc, ncolumns, NULL),
						 SPI_getvalue(row, desc, ncolumns + 1));
	}
	if (SPI_processed > SHOWN_DUPLICATES)
		appendStringInfoString(&text, ", and others");
	return text.data;
}

static void
report_duplicates(const DtChange *change, const UniqueRequest *request,
				  const char *duplicates)
{
	char	   *columns = column_list(change->rel, request, ", ", true);

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("live rows of table \"%s\" are not unique",
					RelationGetRelationName(change->rel)),
			 errdetail("The duplicates are %s.", duplicates),
			 errhint("Delete or change all but one row of each first. To find them: SELECT %s, count(*) FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1;",
					 columns, change->table,
					 dtmodel_live_text(&request->soft_delete, NULL), columns),
			 errtable(change->rel)));
}

/*
 * Looks for duplicates before the table is locked.  CREATE INDEX would report
 * only the first one that it finds.
 */
static void
check_rows(const DtChange *change, const UniqueRequest *request)
{
	char	   *columns = column_list(change->rel, request, ", ", true);
	char	   *query;
	char	   *duplicates = NULL;
	MemoryContext caller = CurrentMemoryContext;

	if (change->phase != DT_BEFORE_LOCK)
		return;
	query = psprintf(DT_OWN_QUERY "SELECT %s, pg_catalog.count(*) FROM %s%s WHERE %s GROUP BY %s "
					 "HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 "
					 "ORDER BY pg_catalog.count(*) DESC, %s",
					 columns, dtmodel_only(change->rel), change->table,
					 counted_rows(change->rel, request), columns, columns);
	SPI_connect();
	(void) SPI_execute(query, true, SHOWN_DUPLICATES + 1);
	if (SPI_processed > 0)
	{
		duplicates = describe_duplicates(columns, request->ncolumns);
		duplicates = MemoryContextStrdup(caller, duplicates);
	}
	SPI_finish();
	if (duplicates != NULL)
		report_duplicates(change, request, duplicates);
}

/* The first part of the index's name, before the names of its columns. */
static char *
name_of_table(Relation rel)
{
	return psprintf("uq_%s", RelationGetRelationName(rel));
}

static char *
create_command(const DtChange *change, const UniqueRequest *request,
			   const char *how, const char *name)
{
	return psprintf("CREATE UNIQUE INDEX %s%s ON %s%s (%s) WHERE %s", how,
					quote_identifier(name), dtmodel_only(change->rel),
					change->table, column_list(change->rel, request, ", ", true),
					dtmodel_live_text(&request->soft_delete, NULL));
}

static void
create_index(DtChange *change, const UniqueRequest *request, Oid former)
{
	Oid			schema = RelationGetNamespace(change->rel);
	char	   *names = column_list(change->rel, request, "_", false);
	char	   *name = dtmodel_choose_name(schema, name_of_table(change->rel),
										   names, former);

	dtmodel_announce_index(change, name,
						   create_command(change, request, "CONCURRENTLY ",
										  dtmodel_choose_name(schema, name_of_table(change->rel),
															  names, InvalidOid)),
						   "unique_live");
	check_rows(change, request);
	if (OidIsValid(former))
		dtmodel_drop_index(change, former);
	dtmodel_add_statement(change, DT_TRIGGER_LOCK,
						  psprintf("added index \"%s\"", name),
						  create_command(change, request, "", name));
}

/*
 * Makes sure that there is such an index.  An index on the same columns for
 * other rows, with the name that we give, is from before the options of the
 * model were changed: it is replaced.
 */
static void
change_index(DtChange *change, const UniqueRequest *request)
{
	char	   *names = column_list(change->rel, request, "_", false);
	Oid			former = InvalidOid;
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(change->rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		check_not_wider(change->rel, index, request);
		found |= is_as_asked(change->rel, index, request);
		if (is_former(index, request) &&
			dtmodel_is_chosen_name(RelationGetRelationName(index),
								   name_of_table(change->rel), names))
			former = RelationGetRelid(index);
		index_close(index, NoLock);
	}
	if (!found)
		create_index(change, request, former);
}

/* The columns among the arguments are looked up in the table. */
static void
make_unique(DtChange *change, const void *arguments)
{
	FunctionCallInfo fcinfo = (FunctionCallInfo) arguments;
	UniqueRequest request;

	request.soft_delete = dtmodel_usable_soft_delete(change->rel);
	request.columns = dtmodel_columns_argument(fcinfo, change->rel,
											   &request.ncolumns);
	check_sortable(change->rel, &request);
	check_partition_key(change->rel, &request);
	dtmodel_check_has_distribution_column(change->rel, "unique_live",
										  request.ncolumns, request.columns);
	change_index(change, &request);
}

/*
 * unique_live(model regclass, VARIADIC columns name[]) returns void
 *
 * Makes the columns unique among live rows, by an index
 * uq_<table>_<column>...; does nothing where there is such an index, whatever
 * its name, so that on a large table it can be created CONCURRENTLY before.
 * An error for a NULL (22004), for an unknown column (42703), for live rows
 * that are not unique (23505), for an index that is unique among deleted rows
 * as well (55000), for a table without soft delete (42809), and for a
 * partitioned one whose partition key is not among the columns (0A000).
 *
 * Source: none; the reference document dtpyfw.db.model leaves a unique column
 * of a deleted row taken.
 */
Datum
dtmodel_unique_live(PG_FUNCTION_ARGS)
{
	dtmodel_change_table(dtmodel_model_argument(fcinfo), make_unique, fcinfo);
	PG_RETURN_VOID();
}
