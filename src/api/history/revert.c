/*-------------------------------------------------------------------------
 *
 * revert.c
 *	  Writing rows back as they were.
 *
 * It is an UPDATE like any other, or an INSERT of a row that does not exist
 * any more, by the caller: privileges, policies, triggers and constraints
 * apply, the mixins stamp the row, and what it replaces becomes a version.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/history/past.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "model/ddl.h"
#include "model/shown_key.h"
#include "server/record.h"
#include "tcop/dest.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_revert_row);
PG_FUNCTION_INFO_V1(dtmodel_revert_by_id);
PG_FUNCTION_INFO_V1(dtmodel_revert_transaction);

/* Members of the set of a plan for a transaction. */
#define OF_TRANSACTION 1
#define WITH_INSERT 2
#define LOCKS 3
#define FINDS_CHANGED 4
#define FINDS_MISSING 5

/* Whether the column can be written back at all. */
static bool
is_written(const DtPast *past, Form_pg_attribute att)
{
	return AttributeNumberIsValid(past->map.places[att->attnum - 1]) &&
		att->attgenerated == '\0';
}

/* Whether an UPDATE writes the column back. */
static bool
is_updated(const DtPast *past, Form_pg_attribute att)
{
	return is_written(past, att) && !dtmodel_is_in_key(&past->key, att->attnum) &&
		att->attidentity != ATTRIBUTE_IDENTITY_ALWAYS &&
		!dtmodel_is_stamped(past->rel, att->attnum);
}

/* Whether the column counts the versions of its row. */
static bool
is_row_version(const DtMixinColumn *column)
{
	return column->is_row_version;
}

/*
 * Whether an INSERT writes the column back.  The row was inserted at its first
 * time, but is valid from now on.
 */
static bool
is_inserted(const DtPast *past, Form_pg_attribute att)
{
	return is_written(past, att) &&
		att->attnum != past->timestamps.updated_at.attnum &&
		!dtmodel_is_managed(dtmodel_get_model(past->rel), att->attnum,
							is_row_version);
}

/* The columns that an INSERT writes back, each with the prefix before it. */
static char *
inserted_list(const DtPast *past, const char *prefix)
{
	TupleDesc	desc = RelationGetDescr(past->rel);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (is_inserted(past, att))
			appendStringInfo(&list, "%s%s%s", list.len > 0 ? ", " : "", prefix,
							 quote_identifier(NameStr(att->attname)));
	}
	return list.data;
}

/*
 * A version has NULL in a column that is younger than itself and got a value of
 * its own in each row.  If the column must not be null, the row keeps what it
 * has.
 */
static char *
assignments_of(const DtPast *past)
{
	TupleDesc	desc = RelationGetDescr(past->rel);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = quote_identifier(NameStr(att->attname));

		if (!is_updated(past, att))
			continue;
		appendStringInfo(&list, compat_is_not_null(desc, i) ?
						 "%s%s = COALESCE(" DT_PAST_ALIAS ".%s, " DT_ROW_ALIAS ".%s)" :
						 "%s%s = " DT_PAST_ALIAS ".%s",
						 list.len > 0 ? ", " : "", name, name, name);
	}
	return list.data;
}

/*
 * Appends an UPDATE of the rows t to the versions h.  If there is nothing to
 * write, as in a table of keys only, it finds the rows.
 */
static void
append_update(StringInfo query, const DtPast *past, const char *versions,
			  const char *returned)
{
	char	   *table = dtmodel_qualified_name(past->rel);
	char	   *assignments = assignments_of(past);
	bool		writes = assignments[0] != '\0';

	if (writes)
		appendStringInfo(query, "UPDATE %s AS " DT_ROW_ALIAS " SET %s FROM ",
						 table, assignments);
	else
		appendStringInfo(query, "SELECT %s FROM %s AS " DT_ROW_ALIAS ", ",
						 returned, table);
	appendStringInfo(query, "%s AS " DT_PAST_ALIAS " WHERE ", versions);
	dtmodel_append_key_join(query, &past->key, DT_ROW_ALIAS, DT_PAST_ALIAS);
	if (writes)
		appendStringInfo(query, " RETURNING %s", returned);
}

/* Appends INSERT of the versions h. */
static void
append_insert(StringInfo query, const DtPast *past, const char *versions)
{
	appendStringInfo(query, "INSERT INTO %s AS " DT_ROW_ALIAS " (%s) "
					 "OVERRIDING SYSTEM VALUE SELECT %s FROM %s AS " DT_PAST_ALIAS,
					 dtmodel_qualified_name(past->rel),
					 inserted_list(past, ""),
					 inserted_list(past, DT_PAST_ALIAS "."),
					 versions);
}

/* The past version of the call's row at the time, as a subquery. */
static char *
version_at(const DtPast *past)
{
	int			time = past->key.ncolumns + 1;
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "(SELECT * FROM %s AS v WHERE ",
					 dtmodel_qualified_name(past->table));
	dtmodel_append_key_condition(&query, &past->key, "v");
	appendStringInfo(&query, " AND v.valid_from OPERATOR(pg_catalog.<=) $%d"
					 " AND v.valid_to OPERATOR(pg_catalog.>) $%d"
					 " ORDER BY %s LIMIT 1)", time, time,
					 dtmodel_version_order("v", " DESC"));
	return query.data;
}

static char *
row_text(const DtPast *past)
{
	StringInfoData text;

	initStringInfo(&text);
	dtmodel_append_row(&text, past->rel);
	return text.data;
}

static void
write_query(StringInfo query, const DtPast *past, DtPlanPurpose purpose)
{
	char	   *version = version_at(past);

	switch (purpose)
	{
		case DT_PLAN_REVERT:
			append_update(query, past, version, row_text(past));
			break;
		case DT_PLAN_INSERT_PAST:
			append_insert(query, past, version);
			appendStringInfo(query, " RETURNING %s", row_text(past));
			break;
		default:
			appendStringInfo(query, "SELECT FROM %s AS " DT_PAST_ALIAS, version);
			break;
	}
}

static SPIPlanPtr
get_plan(const DtPast *past, DtPlanPurpose purpose)
{
	const DtKey *key = &past->key;
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(past->rel), purpose, NULL);
	Oid		   *types;

	if (plan.saved != NULL)
		return plan.saved;
	write_query(&plan.query, past, purpose);
	types = palloc(sizeof(Oid) * (key->ncolumns + 1));
	memcpy(types, dtmodel_key_types(key), sizeof(Oid) * key->ncolumns);
	types[key->ncolumns] = TIMESTAMPTZOID;
	return dtmodel_save_plan(&plan, key->ncolumns + 1, types);
}

static void
report_no_version(const DtPast *past, TimestampTz time)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the row of table \"%s\" did not exist at %s",
					RelationGetRelationName(past->rel), timestamptz_to_str(time)),
			 errdetail("Its history has no version of that time."),
			 errhint("%s.history(NULL::%s, id) lists its versions.",
					 DTMODEL_SCHEMA, dtmodel_qualified_name(past->rel)),
			 errtable(past->rel)));
}

/* A call of revert(). */
typedef struct RevertCall
{
	const DtRowCall *call;
	const DtPast *past;
	TimestampTz time;
	Datum	   *values;			/* key and time, for all plans */
	char	   *nulls;
} RevertCall;

static bool
run(const RevertCall *revert, SPIPlanPtr plan, Datum *row)
{
	return dtmodel_fetch_row(revert->call, plan, revert->values, revert->nulls,
							 false, row);
}

static bool
has_version(const RevertCall *revert)
{
	dtmodel_run_plan(get_plan(revert->past, DT_PLAN_HAS_PAST), revert->values,
					 revert->nulls);
	return SPI_processed > 0;
}

/* Whether the current version is already the one of that time. */
static bool
is_current(const RevertCall *revert, Datum row)
{
	return dtmodel_current_version(revert->past, row).valid_from <= revert->time;
}

/*
 * Writes the row back, or inserts it.  Returns whether it is there as it was;
 * not if a policy or a trigger prevents that.
 */
static bool
write_back(const RevertCall *revert, Datum *row)
{
	const DtPast *past = revert->past;
	bool		found;

	if (run(revert, get_plan(past, DT_PLAN_REVERT), row))
		return true;
	found = run(revert, dtmodel_select_plan(revert->call), row);
	if (found && is_current(revert, *row))
		return true;
	if (!has_version(revert))
		report_no_version(past, revert->time);
	return !found && run(revert, get_plan(past, DT_PLAN_INSERT_PAST), row);
}

static void
set_parameters(RevertCall *revert)
{
	const DtKeyValues *id = &revert->call->id;
	int			nkey = revert->past->key.ncolumns;

	revert->values = palloc(sizeof(Datum) * (nkey + 1));
	revert->nulls = palloc(nkey + 1);
	memcpy(revert->values, id->values, sizeof(Datum) * nkey);
	memcpy(revert->nulls, id->nulls, nkey);
	revert->values[nkey] = TimestampTzGetDatum(revert->time);
	revert->nulls[nkey] = ' ';
}

static TimestampTz
time_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"to\" must not be null"),
				 errhint("Pass the time to revert the row to.")));
	return PG_GETARG_TIMESTAMPTZ(argument);
}

static Datum
revert_row(FunctionCallInfo fcinfo, const DtRowCall *call, TimestampTz time)
{
	DtPast		past = dtmodel_open_past(call->rel);
	RevertCall	revert = {.call = call,.past = &past,.time = time};
	Datum		row = (Datum) 0;
	bool		found;

	if (!call->id.complete)
		report_no_version(&past, time);
	set_parameters(&revert);
	SPI_connect();
	found = write_back(&revert, &row);
	SPI_finish();
	dtmodel_close_past(&past);
	return dtmodel_end_row_call(call, fcinfo, row, !found);
}

/*
 * revert(instance anyelement, "to" timestamptz) returns anyelement
 *
 * Writes the row back as it was at that time, and returns it: an UPDATE by the
 * caller of all columns but the key, generated columns, those without a past,
 * and those that mixins stamp.  A row that was deleted or restored since is
 * restored or deleted.  A row that does not exist any more is inserted, with
 * the default for columns without a past.  A row that has not changed since is
 * returned as it is.  NULL if a policy or a trigger prevents it.
 *
 * An error for NULLs (22004), for a time of which the row has no version
 * (22023), for a table without a history and for a partition (42809), without
 * the privileges for the statements (42501), and for a row that was deleted or
 * restored since if the model has flag_writes => 'error' (55000).
 *
 * Source: none; the reference documents ask for audit trails.
 */
Datum
dtmodel_revert_row(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_instance_call(fcinfo, RowExclusiveLock);

	dtmodel_set_row(&call, PG_GETARG_DATUM(0));
	return revert_row(fcinfo, &call, time_argument(fcinfo, 1));
}

/*
 * revert(model anyelement, id anycompatible, "to" timestamptz)
 * returns anyelement
 *
 * The same for the row with this primary key, which need not exist any more.
 * NULL for a NULL id.
 */
Datum
dtmodel_revert_by_id(PG_FUNCTION_ARGS)
{
	DtRowCall	call;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	dtmodel_set_row_by_id(&call, fcinfo);
	return revert_row(fcinfo, &call, time_argument(fcinfo, 2));
}

/* "column, ..." */
static char *
key_list(const DtPast *past, const char *alias)
{
	StringInfoData list;

	initStringInfo(&list);
	dtmodel_append_key_order(&list, &past->key, alias);
	return list.data;
}

/* "There is another version of the row of v, later", as SQL. */
static char *
later_text(const DtPast *past, const char *condition)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "EXISTS (SELECT FROM %s AS n WHERE ",
					 dtmodel_qualified_name(past->table));
	dtmodel_append_key_join(&text, &past->key, "n", "v");
	appendStringInfo(&text, " AND %s OPERATOR(pg_catalog.>) %s%s)",
					 dtmodel_version_place("n"), dtmodel_version_place("v"),
					 condition);
	return text.data;
}

/* "The version v was the last before its row was physically deleted" */
static char *
physical_text(const DtPast *past)
{
	return psprintf("v.operation OPERATOR(pg_catalog.=) ANY ('{hard_delete,truncate%s}'::pg_catalog.text[])",
					past->has_soft_delete ? "" : ",delete");
}

static void
append_lock(StringInfo query, const DtPast *past)
{
	appendStringInfo(query, "SELECT FROM %s AS " DT_ROW_ALIAS " WHERE EXISTS (SELECT FROM %s AS v WHERE "
					 "v.transaction_id OPERATOR(pg_catalog.=) $1 AND ",
					 dtmodel_qualified_name(past->rel),
					 dtmodel_qualified_name(past->table));
	dtmodel_append_key_join(query, &past->key, "v", DT_ROW_ALIAS);
	appendStringInfo(query, ") ORDER BY %s FOR NO KEY UPDATE",
					 key_list(past, DT_ROW_ALIAS));
}

/* A version of each row that is not any more as the transaction left it. */
static void
append_find_changed(StringInfo query, const DtPast *past)
{
	char	   *table = dtmodel_qualified_name(past->table);
	const char *updated_at = quote_identifier(NameStr(past->timestamps.updated_at.name));

	appendStringInfo(query, "SELECT v.*::%s FROM %s AS v LEFT JOIN %s AS "
					 DT_ROW_ALIAS " ON ", table, table,
					 dtmodel_qualified_name(past->rel));
	dtmodel_append_key_join(query, &past->key, DT_ROW_ALIAS, "v");
	appendStringInfo(query, " WHERE v.transaction_id OPERATOR(pg_catalog.=) $1 AND (%s OR NOT %s AND "
					 "(" DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.<>) v.valid_to OR "
					 DT_ROW_ALIAS ".%s IS NULL AND NOT %s)) ORDER BY %s LIMIT 1",
					 later_text(past, " AND n.transaction_id OPERATOR(pg_catalog.<>) $1"),
					 later_text(past, ""), updated_at, updated_at,
					 physical_text(past), key_list(past, "v"));
}

static void
append_find_missing(StringInfo query, const DtPast *past)
{
	appendStringInfo(query, "SELECT FROM %s AS v WHERE v.transaction_id OPERATOR(pg_catalog.=) $1 "
					 "AND NOT EXISTS (SELECT FROM %s AS " DT_ROW_ALIAS " WHERE ",
					 dtmodel_qualified_name(past->table),
					 dtmodel_qualified_name(past->rel));
	dtmodel_append_key_join(query, &past->key, DT_ROW_ALIAS, "v");
	appendStringInfoString(query, ") LIMIT 1");
}

/*
 * One statement for all rows, since foreign keys may reference a row from
 * another one.  The UPDATE comes first: it may take away a unique value that
 * an inserted row had.
 */
static void
append_revert_all(StringInfo query, const DtPast *past, bool with_insert)
{
	appendStringInfo(query, "WITH before AS MATERIALIZED (SELECT DISTINCT ON (%s) v.* FROM %s AS v "
					 "WHERE v.transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY %s, %s), updated AS (",
					 key_list(past, "v"), dtmodel_qualified_name(past->table),
					 key_list(past, "v"), dtmodel_version_order("v", ""));
	append_update(query, past, "before", "1");
	appendStringInfoChar(query, ')');
	if (with_insert)
	{
		appendStringInfoString(query, ", inserted AS (");
		append_insert(query, past, "before");
		appendStringInfo(query, " WHERE NOT EXISTS (SELECT FROM %s AS o WHERE ",
						 dtmodel_qualified_name(past->rel));
		dtmodel_append_key_join(query, &past->key, "o", DT_PAST_ALIAS);
		appendStringInfoString(query, ") RETURNING 1)");
	}
	appendStringInfo(query, " SELECT (SELECT pg_catalog.count(*) FROM updated)%s",
					 with_insert ? " OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM inserted)" : "");
}

static SPIPlanPtr
transaction_plan(const DtPast *past, int what)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(past->rel),
										 DT_PLAN_REVERT,
										 bms_make_singleton(what));
	Oid			type = XID8OID;

	if (plan.saved != NULL)
		return plan.saved;
	switch (what)
	{
		case LOCKS:
			append_lock(&plan.query, past);
			break;
		case FINDS_CHANGED:
			append_find_changed(&plan.query, past);
			break;
		case FINDS_MISSING:
			append_find_missing(&plan.query, past);
			break;
		default:
			append_revert_all(&plan.query, past, what == WITH_INSERT);
			break;
	}
	return dtmodel_save_plan(&plan, 1, &type);
}

static void
report_changed_since(const DtPast *past, const DtRowVersion *version)
{
	AttrNumber *columns = palloc(sizeof(AttrNumber) * past->key.ncolumns);
	char	   *key;

	for (int i = 0; i < past->key.ncolumns; i++)
		columns[i] = past->key.columns[i].attnum;
	key = dtmodel_shown_key(past->rel, past->key.ncolumns, columns, version->row);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a row of table \"%s\" has been changed since the transaction",
					RelationGetRelationName(past->rel)),
			 errdetail("%s is not as the transaction left it.", key),
			 errhint("Pass force => true to undo these later changes too."),
			 errtable(past->rel)));
}

static void
check_unchanged(const DtPast *past, Datum transaction_id)
{
	DtRowVersion version;
	bool		isnull;

	dtmodel_run_plan(transaction_plan(past, FINDS_CHANGED), &transaction_id, NULL);
	if (SPI_processed == 0)
		return;
	version = dtmodel_past_version(past, SPI_getbinval(SPI_tuptable->vals[0],
													   SPI_tuptable->tupdesc, 1,
													   &isnull));
	report_changed_since(past, &version);
}

static bool
has_missing_rows(const DtPast *past, Datum transaction_id)
{
	dtmodel_run_plan(transaction_plan(past, FINDS_MISSING), &transaction_id, NULL);
	return SPI_processed > 0;
}

/* No other transaction changes the rows between the check and the UPDATE. */
static int64
revert_all(const DtPast *past, Datum transaction_id, bool force)
{
	bool		isnull;
	int			what;

	dtmodel_run_plan_into(transaction_plan(past, LOCKS), &transaction_id, NULL,
						  false, None_Receiver);
	if (!force)
		check_unchanged(past, transaction_id);
	what = has_missing_rows(past, transaction_id) ? WITH_INSERT : OF_TRANSACTION;
	dtmodel_run_plan(transaction_plan(past, what), &transaction_id, NULL);
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * revert_transaction(model anyelement, transaction_id xid8,
 *					  force boolean DEFAULT false) returns bigint
 *
 * Writes every row of the table that the transaction updated or deleted back
 * as it was before, as revert() does, and returns the number of these rows.
 * Rows that the transaction inserted stay: an INSERT writes nothing into the
 * history.
 *
 * A row that is not as the transaction left it is an error (55000) that says
 * its key, unless force is true.  Rows whose past or present a policy hides
 * are left out, as are those that a policy or a trigger keeps from being
 * written.  0 for NULL, and for a transaction that has changed no row.  Other
 * errors are those of revert().
 *
 * Source: none; the reference documents ask for audit trails.
 */
Datum
dtmodel_revert_transaction(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	DtPast		past = dtmodel_open_past(call.rel);
	int64		reverted = 0;

	if (!PG_ARGISNULL(1))
	{
		SPI_connect();
		reverted = revert_all(&past, PG_GETARG_DATUM(1),
							  dtmodel_flag_argument(fcinfo, 2, false));
		SPI_finish();
	}
	dtmodel_close_past(&past);
	dtmodel_close_row_call(&call);
	PG_RETURN_INT64(reverted);
}
