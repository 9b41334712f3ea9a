/*-------------------------------------------------------------------------
 *
 * read.c
 *	  Reading the past: the versions of a row, and what happened to a table.
 *
 * The queries run as the caller, who needs SELECT on the model and on its
 * history, and to whom the policies of both apply.  They name both tables
 * themselves, so rows that the model hides are included.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/history/difference.h"
#include "api/history/past.h"
#include "api/result_receiver.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/live.h"
#include "server/record.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(dtmodel_history_of_row);
PG_FUNCTION_INFO_V1(dtmodel_history_by_id);
PG_FUNCTION_INFO_V1(dtmodel_changes);

/* The columns of the result of history(). */
enum
{
	HISTORY_VALID_FROM,
	HISTORY_VALID_TO,
	HISTORY_OPERATION,
	HISTORY_ACTOR,
	HISTORY_TRANSACTION_ID,
	HISTORY_CHANGED,
	HISTORY_CHANGES,
	HISTORY_VERSION,
	HISTORY_RESULT
};

/* The columns of the result of changes(). */
enum
{
	CHANGES_TIME,
	CHANGES_OPERATION,
	CHANGES_ACTOR,
	CHANGES_TRANSACTION_ID,
	CHANGES_KEY,
	CHANGES_CHANGED,
	CHANGES_CHANGES,
	CHANGES_RESULT
};

/* What began a version: the columns that both results have in common. */
typedef struct Beginning
{
	const char *operation;		/* NULL: not known */
	const char *actor;
	bool		has_transaction_id;
	Datum		transaction_id;
	bool		has_difference;
	DtDifference difference;
} Beginning;

/* A call of history(). */
typedef struct HistoryCall
{
	const DtRowCall *call;
	DtPast		past;
	DtComparison comparison;
	DtResultReceiver *result;
	TupleDesc	desc;			/* of the result */
	bool		has_before;
	DtRowVersion before;		/* the last version so far */
	MemoryContext before_context;	/* of that version */
	MemoryContext context;		/* of the call */
} HistoryCall;

/* A call of changes(). */
typedef struct ChangesCall
{
	DtPast		past;
	DtComparison comparison;
	TupleDesc	desc;			/* of the result */
	int			nkey;
	DtJsonField *key;			/* in the order of a jsonb object's keys */
	int			first_row;		/* attnum of the first whole row in the query */
	MemoryContext context;		/* reset for each row */
} ChangesCall;

/* The parameters of the query of changes(). */
#define SINCE "$1"
#define UNTIL "$2"

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* Who inserted the row, if it says so itself. */
static const char *
creator(const DtPast *past, const DtRowVersion *version)
{
	TupleDesc	desc = RelationGetDescr(past->rel);
	bool		isnull;
	Datum		value;

	if (!AttributeNumberIsValid(past->created_by))
		return NULL;
	value = heap_getattr(version->row, past->created_by, desc, &isnull);
	return isnull ? NULL :
		dtmodel_value_text(value, TupleDescAttr(desc, past->created_by - 1)->atttypid);
}

/* The beginning of what followed a version that has ended. */
static Beginning
beginning_after(const DtRowVersion *before)
{
	Beginning	beginning = {
		.operation = before->operation,
		.actor = before->ended_by,
		.has_transaction_id = true,
		.transaction_id = before->transaction_id,
	};

	return beginning;
}

/* The beginning of a version that does not continue another one. */
static Beginning
beginning_of_first(const DtPast *past, const DtRowVersion *before,
				   const DtRowVersion *version)
{
	Beginning	beginning = {0};

	if (!dtmodel_version_is_new(past, before, version))
		return beginning;
	beginning.operation = "create";
	beginning.actor = creator(past, version);
	return beginning;
}

static void
put_version(HistoryCall *history, const Beginning *beginning, TimestampTz from,
			TimestampTz to, HeapTuple row)
{
	Datum		values[HISTORY_RESULT] = {0};
	bool		nulls[HISTORY_RESULT] = {false};
	Relation	rel = history->past.rel;
	Datum		version;

	values[HISTORY_VALID_FROM] = TimestampTzGetDatum(from);
	values[HISTORY_VALID_TO] = TimestampTzGetDatum(to);
	values[HISTORY_OPERATION] = text_or_null(beginning->operation,
											 &nulls[HISTORY_OPERATION]);
	values[HISTORY_ACTOR] = text_or_null(beginning->actor, &nulls[HISTORY_ACTOR]);
	values[HISTORY_TRANSACTION_ID] = beginning->transaction_id;
	nulls[HISTORY_TRANSACTION_ID] = !beginning->has_transaction_id;
	values[HISTORY_CHANGED] = beginning->difference.columns;
	values[HISTORY_CHANGES] = beginning->difference.changes;
	nulls[HISTORY_CHANGED] = nulls[HISTORY_CHANGES] = !beginning->has_difference;
	nulls[HISTORY_VERSION] = row == NULL;
	if (row != NULL)
	{
		version = heap_copy_tuple_as_datum(dtmodel_with_virtual_columns(rel, row),
										   RelationGetDescr(rel));
		values[HISTORY_VERSION] = history->call->view == NULL ? version :
			dtmodel_row_of_view(history->call->view, rel, version);
	}
	tuplestore_putvalues(history->result->store, history->desc, values, nulls);
}

/* Adds the time from the end of the last version on, when there was no row. */
static void
put_time_without_row(HistoryCall *history, TimestampTz until)
{
	const DtRowVersion *before = &history->before;
	Beginning	beginning = beginning_after(before);

	put_version(history, &beginning, before->valid_to,
				Max(until, before->valid_to), NULL);
}

static void
add_version(HistoryCall *history, const DtRowVersion *version)
{
	const DtPast *past = &history->past;
	const DtRowVersion *before = history->has_before ? &history->before : NULL;
	Beginning	beginning;

	if (before != NULL && dtmodel_version_continues(past, before, version))
	{
		beginning = beginning_after(before);
		beginning.has_difference = true;
		beginning.difference = dtmodel_compare_versions(&history->comparison,
														before->row, version->row);
	}
	else
	{
		if (before != NULL)
			put_time_without_row(history, version->valid_from);
		beginning = beginning_of_first(past, before, version);
	}
	put_version(history, &beginning, version->valid_from, version->valid_to,
				version->row);
}

static MemoryContext
make_context(MemoryContext parent)
{
	return AllocSetContextCreate(parent, "dtmodel version",
								 ALLOCSET_DEFAULT_SIZES);
}

/*
 * Each version is needed until the next one has been compared with it, which
 * may be after the query.
 */
static void
take_past_version(DtResultReceiver *result, TupleTableSlot *slot)
{
	HistoryCall *history = result->caller;
	MemoryContext caller = MemoryContextSwitchTo(make_context(history->context));
	bool		isnull;
	DtRowVersion version = dtmodel_past_version(&history->past,
												slot_getattr(slot, 1, &isnull));

	add_version(history, &version);
	if (history->has_before)
		MemoryContextDelete(history->before_context);
	history->has_before = true;
	history->before = version;
	history->before_context = CurrentMemoryContext;
	MemoryContextSwitchTo(caller);
}

static SPIPlanPtr
past_plan(const DtPast *past)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(past->rel),
										 DT_PLAN_PAST, NULL);
	char	   *table = dtmodel_qualified_name(past->table);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "SELECT " DT_PAST_ALIAS ".*::%s FROM %s AS "
					 DT_PAST_ALIAS " WHERE ", table, table);
	dtmodel_append_key_condition(&plan.query, &past->key, DT_PAST_ALIAS);
	appendStringInfo(&plan.query, " ORDER BY %s",
					 dtmodel_version_order(DT_PAST_ALIAS, ""));
	return dtmodel_save_plan(&plan, past->key.ncolumns,
							 dtmodel_key_types(&past->key));
}

static void
add_all_versions(HistoryCall *history)
{
	const DtRowCall *call = history->call;
	Datum		row;

	SPI_connect();
	dtmodel_run_plan_into(past_plan(&history->past), call->id.values,
						  call->id.nulls, true, &history->result->receiver);
	SPI_finish();
	if (dtmodel_select_row(call, &row))
	{
		DtRowVersion current = dtmodel_current_version(&history->past, row);

		add_version(history, &current);
	}
	else if (history->has_before)
		put_time_without_row(history, DT_NOEND);
}

static Datum
list_history(FunctionCallInfo fcinfo, const DtRowCall *call)
{
	HistoryCall history = {.call = call,.context = CurrentMemoryContext};

	history.result = dtmodel_make_result_receiver(fcinfo);
	history.result->take = take_past_version;
	history.result->caller = &history;
	history.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	history.past = dtmodel_open_past(call->rel);
	history.comparison = dtmodel_prepare_comparison(&history.past);
	if (call->id.complete)
		add_all_versions(&history);
	dtmodel_close_past(&history.past);
	dtmodel_close_row_call(call);
	return (Datum) 0;
}

/*
 * history(instance anyelement)
 *		returns table (valid_from timestamptz, valid_to timestamptz,
 *					   operation text, actor text, transaction_id xid8,
 *					   changed text[], changes jsonb, version anyelement)
 *
 * The versions of the row, oldest first, the current one last: since when and
 * until when each was valid, with "infinity" for the current one, so that
 * valid_from <= time AND time < valid_to finds the version of any time; which
 * operation began it, by whom and in which transaction; the columns that it
 * changed, and how, as a list of the rows that jsonb_changes() returns; and the
 * row itself.  Columns that mixins stamp in every change, such as updated_at,
 * are not listed as changed, nor are generated columns.
 *
 * An INSERT is "create".  It writes no version, so its transaction is NULL,
 * its actor is that of created_by, and it is known by a created_at that is
 * the version's valid_from, or with the clock "clock" about that.  Other first versions, from before the history
 * was added or after an older one was purged, have NULLs.  A time without a
 * row, after a hard_delete, truncate, a delete without soft delete, or an
 * update of the primary key, is listed too, with a NULL version; so is one
 * whose version a policy hides.  In the past, excluded columns are NULL.
 *
 * An error for NULL (22004), for a table without a history and for a partition
 * (42809), and without SELECT on the table or on its history (42501).
 *
 * Source: none; the reference documents ask for audit trails.
 */
Datum
dtmodel_history_of_row(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_instance_call(fcinfo, AccessShareLock);

	dtmodel_set_row(&call, PG_GETARG_DATUM(0));
	return list_history(fcinfo, &call);
}

/*
 * history(model anyelement, id anycompatible) returns table (...)
 *
 * The same for the row with this primary key, also if it does not exist any
 * more.  No rows for a NULL id; an id that the key's type cannot read is that
 * type's error.
 */
Datum
dtmodel_history_by_id(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);

	if (!PG_ARGISNULL(1))
		dtmodel_set_row_by_id(&call, fcinfo);
	return list_history(fcinfo, &call);
}

/* "The row, which is called by the alias, was inserted then", as SQL. */
static char *
created_text(const DtPast *past, const char *alias, const char *time)
{
	const DtColumn *created_at = &past->timestamps.created_at;
	char	   *created;
	char	   *begun;
	char	   *interval;

	if (!AttributeNumberIsValid(created_at->attnum) ||
		!AttributeNumberIsValid(past->map.places[created_at->attnum - 1]))
		return "false";
	created = psprintf("%s.%s", alias, quote_identifier(NameStr(created_at->name)));
	begun = psprintf("CAST(%s AS %s)",
					 created_at->typid == TIMESTAMPOID ?
					 psprintf("pg_catalog.timezone('UTC', %s)", time) : time,
					 format_type_extended(created_at->typid, created_at->typmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN |
										  FORMAT_TYPE_FORCE_QUALIFY));
	interval = psprintf("'" INT64_FORMAT " microseconds'::pg_catalog.interval",
						(int64) dtmodel_clock_tolerance(past));
	return psprintf("%s OPERATOR(pg_catalog.>=) (%s OPERATOR(pg_catalog.-) %s)"
					" AND %s OPERATOR(pg_catalog.<=) (%s OPERATOR(pg_catalog.+) %s)",
					created, begun, interval, created, begun, interval);
}

static char *
live_text(const DtPast *past, const char *alias)
{
	return past->has_soft_delete ?
		dtmodel_live_text(&past->soft_delete, alias) : "true";
}

/*
 * Appends versions that an INSERT began in the time, as in
 * dtmodel_version_is_new().  "before" is a condition on the versions p.
 */
static void
append_created(StringInfo query, const DtPast *past, Relation rel,
			   const char *alias, const char *time, const char *before)
{
	appendStringInfo(query, " FROM %s AS %s LEFT JOIN LATERAL "
					 "(SELECT p.operation FROM %s AS p WHERE ",
					 dtmodel_qualified_name(rel), alias,
					 dtmodel_qualified_name(past->table));
	dtmodel_append_key_join(query, &past->key, "p", alias);
	appendStringInfo(query, "%s ORDER BY %s LIMIT 1) AS b ON true WHERE "
					 "%s OPERATOR(pg_catalog.>=) " SINCE " AND "
					 "%s OPERATOR(pg_catalog.<) " UNTIL " AND "
					 "(b.operation IS NULL AND %s"
					 " OR b.operation OPERATOR(pg_catalog.=) ANY ('{hard_delete,truncate}'::pg_catalog.text[])"
					 " OR b.operation OPERATOR(pg_catalog.=) 'delete' AND %s)",
					 before, dtmodel_version_order("p", " DESC"), time, time,
					 created_text(past, alias, time), live_text(past, alias));
}

static void
append_key(StringInfo query, const DtKey *key, const char *alias)
{
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(query, "%s.%s, ", alias,
						 quote_identifier(NameStr(key->columns[i].name)));
}

/*
 * Appends the versions that ended in the time, each with the version after it,
 * past or current.
 */
static void
append_ended(StringInfo query, const DtPast *past, const char *model,
			 const char *table, const char *updated_at)
{
	appendStringInfoString(query, "SELECT e.valid_to, e.transaction_id, ");
	append_key(query, &past->key, "e");
	appendStringInfo(query, "e.valid_from, e.ctid, e.*::%s, n.version, t.*::%s FROM %s AS e "
					 "LEFT JOIN LATERAL (SELECT h.*::%s AS version FROM %s AS h WHERE ",
					 table, model, table, table, table);
	dtmodel_append_key_join(query, &past->key, "h", "e");
	appendStringInfo(query, " AND %s OPERATOR(pg_catalog.>) %s ORDER BY %s LIMIT 1) AS n ON true "
					 "LEFT JOIN %s AS t ON ",
					 dtmodel_version_place("h"), dtmodel_version_place("e"),
					 dtmodel_version_order("h", ""), model);
	dtmodel_append_key_join(query, &past->key, "t", "e");
	appendStringInfo(query, " AND t.%s OPERATOR(pg_catalog.=) e.valid_to"
					 " WHERE e.valid_to OPERATOR(pg_catalog.>=) " SINCE
					 " AND e.valid_to OPERATOR(pg_catalog.<) " UNTIL, updated_at);
}

/* What happened, in its order. */
static void
append_changes(StringInfo query, const DtPast *past)
{
	char	   *model = dtmodel_qualified_name(past->rel);
	char	   *table = dtmodel_qualified_name(past->table);
	const char *updated_at = quote_identifier(NameStr(past->timestamps.updated_at.name));
	char	   *time = psprintf("t.%s", updated_at);

	append_ended(query, past, model, table, updated_at);
	appendStringInfoString(query, " UNION ALL SELECT h.valid_from, NULL, ");
	append_key(query, &past->key, "h");
	appendStringInfo(query, "h.valid_from, h.ctid, NULL, h.*::%s, NULL", table);
	append_created(query, past, past->table, "h", "h.valid_from",
				   psprintf(" AND %s OPERATOR(pg_catalog.<) %s",
							dtmodel_version_place("p"),
							dtmodel_version_place("h")));
	appendStringInfo(query, " UNION ALL SELECT %s, NULL, ", time);
	append_key(query, &past->key, "t");
	appendStringInfo(query, "%s, NULL, NULL, NULL, t.*::%s", time, model);
	append_created(query, past, past->rel, "t", time, "");
	appendStringInfoString(query, " ORDER BY 1, 2");
	for (int i = 0; i < past->key.ncolumns + 2; i++)
		appendStringInfo(query, ", %d", i + 3);
}

static SPIPlanPtr
changes_plan(const DtPast *past)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(past->rel),
										 DT_PLAN_CHANGES, NULL);
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};

	if (plan.saved != NULL)
		return plan.saved;
	append_changes(&plan.query, past);
	return dtmodel_save_plan(&plan, lengthof(types), types);
}

/*
 * One look-up in the index of the history for each change is expensive enough
 * for the server to compile the plan, which takes longer than it gains.
 */
static void
run_changes(const ChangesCall *changes, Datum *limits, DestReceiver *receiver)
{
	int			level = NewGUCNestLevel();

	dtmodel_set_guc("jit", "off");
	dtmodel_run_plan_into(changes_plan(&changes->past), limits, NULL, true,
						  receiver);
	AtEOXact_GUC(true, level);
}

/* The key of a row as a JSON object. */
static Datum
key_object(const ChangesCall *changes, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(changes->past.rel);
	DtRawBuffer buffer;
	DtRawWriter writer;
	bool		isnull;

	dtmodel_begin_document(&buffer, 64);
	dtmodel_write_container(&writer, &buffer, JB_FOBJECT, changes->nkey);
	for (int i = 0; i < changes->nkey; i++)
	{
		DtRawValue	name = dtmodel_field_key(&changes->key[i].field);

		dtmodel_write_value(&writer, &name);
	}
	for (int i = 0; i < changes->nkey; i++)
		dtmodel_write_field(&writer, &changes->key[i],
							heap_getattr(row, changes->key[i].field.attnum, desc,
										 &isnull));
	return JsonbPGetDatum(dtmodel_finish_document(&buffer));
}

static void
put_change(const ChangesCall *changes, Tuplestorestate *store, TimestampTz time,
		   const Beginning *beginning, HeapTuple row)
{
	Datum		values[CHANGES_RESULT] = {0};
	bool		nulls[CHANGES_RESULT] = {false};

	values[CHANGES_TIME] = TimestampTzGetDatum(time);
	values[CHANGES_OPERATION] = text_or_null(beginning->operation,
											 &nulls[CHANGES_OPERATION]);
	values[CHANGES_ACTOR] = text_or_null(beginning->actor, &nulls[CHANGES_ACTOR]);
	values[CHANGES_TRANSACTION_ID] = beginning->transaction_id;
	nulls[CHANGES_TRANSACTION_ID] = !beginning->has_transaction_id;
	values[CHANGES_KEY] = key_object(changes, row);
	values[CHANGES_CHANGED] = beginning->difference.columns;
	values[CHANGES_CHANGES] = beginning->difference.changes;
	nulls[CHANGES_CHANGED] = nulls[CHANGES_CHANGES] = !beginning->has_difference;
	tuplestore_putvalues(store, changes->desc, values, nulls);
}

/* A version in the query's row; whether there is one. */
static bool
read_version(const ChangesCall *changes, TupleTableSlot *slot, int which,
			 DtRowVersion *version)
{
	bool		isnull;
	Datum		row = slot_getattr(slot, changes->first_row + which, &isnull);

	if (isnull)
		return false;
	*version = which < 2 ? dtmodel_past_version(&changes->past, row) :
		dtmodel_current_version(&changes->past, row);
	return true;
}

static void
add_change(const ChangesCall *changes, DtResultReceiver *result,
		   TupleTableSlot *slot)
{
	DtRowVersion before = {0};
	DtRowVersion version;
	bool		has_before = read_version(changes, slot, 0, &before);
	bool		has_version = read_version(changes, slot, 1, &version) ||
		read_version(changes, slot, 2, &version);
	Beginning	beginning = {.operation = "create"};

	if (has_before)
		beginning = beginning_after(&before);
	else
		beginning.actor = creator(&changes->past, &version);
	if (has_before && has_version &&
		dtmodel_version_continues(&changes->past, &before, &version))
	{
		beginning.has_difference = true;
		beginning.difference = dtmodel_compare_versions(&changes->comparison,
														before.row, version.row);
	}
	put_change(changes, result->store,
			   has_before ? before.valid_to : version.valid_from, &beginning,
			   has_before ? before.row : version.row);
}

static void
take_change(DtResultReceiver *result, TupleTableSlot *slot)
{
	ChangesCall *changes = result->caller;
	MemoryContext caller = MemoryContextSwitchTo(changes->context);

	add_change(changes, result, slot);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(changes->context);
}

static void
prepare_key(ChangesCall *changes)
{
	const DtKey *key = &changes->past.key;
	DtFields	fields = dtmodel_read_fields(RelationGetDescr(changes->past.rel));

	changes->key = palloc(sizeof(DtJsonField) * key->ncolumns);
	for (int i = 0; i < fields.count; i++)
	{
		for (int j = 0; j < key->ncolumns; j++)
		{
			if (key->columns[j].attnum == fields.fields[i].attnum)
				dtmodel_init_json_field(&changes->key[changes->nkey++],
										&fields.fields[i]);
		}
	}
	changes->first_row = key->ncolumns + 5;
}

/*
 * changes(model anyelement, since timestamptz,
 *		   until timestamptz DEFAULT 'infinity')
 *		returns table ("time" timestamptz, operation text, actor text,
 *					   transaction_id xid8, key jsonb, changed text[],
 *					   changes jsonb)
 *
 * What happened to the table from "since" on and before "until", oldest first:
 * one row for each change of a row, with its primary key as an object, and the
 * rest as in history().  Changes of one transaction are in the order of the
 * key.  NULL means no limit.
 *
 * An INSERT is "create"; it is known by a created_at that is the time of the
 * row's first version, or by a version before it that was physically deleted.
 *
 * An error for a table without a history and for a partition (42809), and
 * without SELECT on the table or on its history (42501).
 *
 * Source: none; the reference documents ask for audit trails.
 */
Datum
dtmodel_changes(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, AccessShareLock);
	DtResultReceiver *result = dtmodel_make_result_receiver(fcinfo);
	ChangesCall changes = {.past = dtmodel_open_past(call.rel)};
	Datum		values[] = {
		TimestampTzGetDatum(PG_ARGISNULL(1) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(1)),
		TimestampTzGetDatum(PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2)),
	};

	changes.comparison = dtmodel_prepare_comparison(&changes.past);
	changes.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	changes.context = make_context(CurrentMemoryContext);
	prepare_key(&changes);
	result->take = take_change;
	result->caller = &changes;
	SPI_connect();
	run_changes(&changes, values, &result->receiver);
	SPI_finish();
	dtmodel_close_past(&changes.past);
	dtmodel_close_row_call(&call);
	return (Datum) 0;
}
