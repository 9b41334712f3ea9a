/*-------------------------------------------------------------------------
 *
 * upsert.c
 *	  upsert(): a new row, or new values for an existing one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "api/criteria.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/distributed.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(dtmodel_upsert);

/* Added to a column in the set of a plan: it is a column of the conflict. */
#define CONFLICT_COLUMN MaxHeapAttributeNumber

/* The parameters after the data, for which we are called in a conflict. */
enum
{
	MET_DELETED,
	MET_LIVE,
	MET_NEXT,					/* one change later than it was read */
	MET_STALE,
	CONFLICTS
};

/* The state of one call. */
typedef struct Upsert
{
	DtRowCall	call;
	DtDataPlace place;
	DtData		data;
	DtData		conflict;		/* the data's values for the conflict columns */
	DtOnDeleted on_deleted;
	bool		restored;		/* the row to be met, which counts one change */
	bool		met;			/* the statement met another row */
	bool		met_deleted;	/* ... which is deleted */
	bool		met_stale;		/* ... or is not the one that was read */
} Upsert;

static void
add_conflict_column(Upsert *upsert, const char *name)
{
	DtColumn	column;
	const DtDataItem *given;

	dtmodel_find_column(RelationGetDescr(upsert->call.rel), name, &column);
	if (!AttributeNumberIsValid(column.attnum))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						name, RelationGetRelationName(upsert->call.rel)),
				 errdetail("conflict_columns names it."),
				 errtable(upsert->call.rel)));
	given = dtmodel_find_data_item(&upsert->data, column.attnum);
	if (given == NULL || given->is_settings)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("data has no value for conflict column \"%s\"", name),
				 errdetail("Without it, no existing row of table \"%s\" can be found.",
						   RelationGetRelationName(upsert->call.rel)),
				 errhint("Add the value, or call %s.create.", DTMODEL_SCHEMA)));
	upsert->conflict.columns = bms_add_member(upsert->conflict.columns,
											  column.attnum);
}

/* The columns that are named, or else those of the primary key. */
static void
read_conflict_columns(Upsert *upsert, FunctionCallInfo fcinfo)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;
	DtKey		key;

	if (PG_ARGISNULL(2))
	{
		key = dtmodel_usable_key(upsert->call.rel);
		for (int i = 0; i < key.ncolumns; i++)
			add_conflict_column(upsert, NameStr(key.columns[i].name));
		return;
	}
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &names, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			add_conflict_column(upsert, NameStr(*DatumGetName(names[i])));
	}
	if (upsert->conflict.columns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("conflict_columns must not be empty"),
				 errhint("Name the columns of a unique index, or leave conflict_columns out for the primary key.")));
}

/* The conflict columns with their values, in the order of the data. */
static void
read_conflict(Upsert *upsert, FunctionCallInfo fcinfo)
{
	DtData	   *conflict = &upsert->conflict;

	read_conflict_columns(upsert, fcinfo);
	conflict->items = palloc(sizeof(DtDataItem) * upsert->data.count);
	for (int i = 0; i < upsert->data.count; i++)
	{
		const DtDataItem *given = &upsert->data.items[i];

		if (bms_is_member(given->field.attnum, conflict->columns))
			conflict->items[conflict->count++] = *given;
	}
}

/* Whether the index includes all rows, or all live rows. */
static bool
is_of_enough_rows(Relation rel, Relation index)
{
	return RelationGetIndexPredicate(index) == NIL ||
		dtmodel_is_of_live_rows(rel, index, dtmodel_soft_delete_of(dtmodel_get_model(rel)));
}

static bool
is_unique_on(Relation rel, Relation index, const Bitmapset *columns)
{
	Form_pg_index form = index->rd_index;
	Bitmapset  *keys = NULL;

	/*
	 * ON CONFLICT DO UPDATE cannot use exclusion constraints or deferrable
	 * indexes.
	 */
	if (!form->indisunique || form->indisexclusion || !form->indimmediate ||
		!form->indisvalid || !is_of_enough_rows(rel, index))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (!AttributeNumberIsValid(form->indkey.values[i]))
			return false;
		keys = bms_add_member(keys, form->indkey.values[i]);
	}
	return bms_equal(keys, columns);
}

/* The unique index of the conflict columns; InvalidOid if there is none. */
static Oid
find_unique(const Upsert *upsert)
{
	Relation	rel = upsert->call.rel;
	Oid			unique = InvalidOid;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!OidIsValid(unique) &&
			is_unique_on(rel, index, upsert->conflict.columns))
			unique = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	return unique;
}

static bool
holds_nulls_equal(const Upsert *upsert)
{
	Relation	rel = upsert->call.rel;
	bool		equal = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		equal |= compat_nulls_not_distinct(index) &&
			is_unique_on(rel, index, upsert->conflict.columns);
		index_close(index, AccessShareLock);
	}
	return equal;
}

/*
 * Whether a conflict is possible: a row with a null does not equal any other.
 */
static bool
can_conflict(const Upsert *upsert)
{
	for (int i = 0; i < upsert->conflict.count; i++)
	{
		if (upsert->conflict.items[i].value.type == JENTRY_ISNULL)
			return holds_nulls_equal(upsert);
	}
	return true;
}

static void
check_unique(const Upsert *upsert)
{
	Relation	rel = upsert->call.rel;
	StringInfoData columns;
	StringInfoData literals;

	if (OidIsValid(find_unique(upsert)))
		return;
	initStringInfo(&columns);
	dtmodel_append_columns(&columns, &upsert->conflict);
	initStringInfo(&literals);
	for (int i = 0; i < upsert->conflict.count; i++)
		appendStringInfo(&literals, ", %s",
						 quote_literal_cstr(NameStr(upsert->conflict.items[i].field.name)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
			 errmsg("table \"%s\" has no unique index on the conflict columns",
					RelationGetRelationName(rel)),
			 errdetail("They are %s.", columns.data),
			 dtmodel_soft_delete_of(dtmodel_get_model(rel)) != NULL ?
			 errhint("Call %s.unique_live(%s%s).", DTMODEL_SCHEMA,
					 dtmodel_quoted_name(rel), literals.data) :
			 errhint("Use CREATE UNIQUE INDEX ON %s (%s).",
					 dtmodel_qualified_name(rel), columns.data),
			 errtable(rel)));
}

static bool
is_assigned(const Upsert *upsert, const DtDataItem *given)
{
	return !given->is_row_version &&
		!bms_is_member(given->field.attnum, upsert->conflict.columns);
}

/* "column = EXCLUDED.column" for each column that is not of the conflict. */
static void
append_assignments(StringInfo query, const Upsert *upsert)
{
	const DtData *data = &upsert->data;
	bool		any = false;
	const char *comma = "";

	for (int i = 0; i < data->count; i++)
		any |= is_assigned(upsert, &data->items[i]);
	for (int i = 0; i < data->count; i++)
	{
		const DtDataItem *given = &data->items[i];
		const char *column = quote_identifier(NameStr(given->field.name));

		/* There has to be one, for the row to come back. */
		if (any && !is_assigned(upsert, given))
			continue;
		appendStringInfo(query, "%s%s = ", comma, column);
		if (given->is_settings)
			dtmodel_append_merge(query, data, column,
								 psprintf("EXCLUDED.%s", column), 1);
		else
			appendStringInfo(query, "EXCLUDED.%s", column);
		comma = ", ";
	}
}

/*
 * Appends that the existing row is the one that was read, if data gives its
 * version.
 */
static void
append_version_condition(StringInfo query, const Upsert *upsert)
{
	const DtData *data = &upsert->data;
	int			version = dtmodel_find_row_version(data);
	int			first = dtmodel_update_count(data) + 1;
	const char *column;

	if (version < 0)
		return;
	column = quote_identifier(NameStr(data->items[version].field.name));
	appendStringInfo(query, " WHEN " DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.=) $%d THEN $%d",
					 column, version + 1, first + MET_LIVE);
	appendStringInfo(query, " WHEN " DT_ROW_ALIAS ".%s OPERATOR(pg_catalog.-) 1 OPERATOR(pg_catalog.=) $%d THEN $%d",
					 column, version + 1, first + MET_NEXT);
}

static void
append_upsert(StringInfo query, const Upsert *upsert)
{
	Relation	rel = upsert->call.rel;
	int			count = dtmodel_update_count(&upsert->data);
	const char *deleted = "false";
	DtSoftDelete columns;

	appendStringInfo(query, "INSERT INTO %s AS " DT_ROW_ALIAS " (",
					 dtmodel_qualified_name(rel));
	dtmodel_append_columns(query, &upsert->data);
	appendStringInfoString(query, ") VALUES (");
	dtmodel_append_values(query, &upsert->data);
	appendStringInfoString(query, ") ON CONFLICT (");
	dtmodel_append_columns(query, &upsert->conflict);
	appendStringInfoString(query, ")");
	if (dtmodel_soft_delete_of(dtmodel_get_model(rel)) != NULL)
	{
		columns = dtmodel_usable_soft_delete(rel);
		deleted = dtmodel_deleted_text(&columns, DT_ROW_ALIAS);
		appendStringInfo(query, " WHERE %s", dtmodel_live_lookup_text(rel, &columns, DT_ROW_ALIAS));
	}
	appendStringInfoString(query, " DO UPDATE SET ");
	append_assignments(query, upsert);
	appendStringInfo(query, " WHERE CASE WHEN %s THEN $%d", deleted,
					 count + MET_DELETED + 1);
	append_version_condition(query, upsert);
	appendStringInfo(query, " ELSE $%d END RETURNING ",
					 count + 1 + (dtmodel_find_row_version(&upsert->data) < 0 ?
								  MET_LIVE : MET_STALE));
	dtmodel_append_row(query, rel);
}

static SPIPlanPtr
upsert_plan(const Upsert *upsert)
{
	Bitmapset  *set = bms_copy(dtmodel_update_set(&upsert->data));
	int			count = dtmodel_update_count(&upsert->data);
	int			column = -1;
	Oid		   *types;
	DtPlan		plan;

	while ((column = bms_next_member(upsert->conflict.columns, column)) >= 0)
		set = bms_add_member(set, CONFLICT_COLUMN + column);
	plan = dtmodel_find_plan(RelationGetRelid(upsert->call.rel), DT_PLAN_UPSERT,
							 set);
	if (plan.saved != NULL)
		return plan.saved;
	check_unique(upsert);
	types = palloc(sizeof(Oid) * (count + CONFLICTS));
	dtmodel_update_types(&upsert->data, types);
	for (int i = 0; i < CONFLICTS; i++)
		types[count + i] = BOOLOID;
	append_upsert(&plan.query, upsert);
	return dtmodel_save_plan(&plan, count + CONFLICTS, types);
}

/*
 * Notes the row that is met; a live one is to be updated, if it is the one that
 * was read.  To restore it was our own change.
 */
static bool
note_conflict(void *caller, int which)
{
	Upsert	   *upsert = (Upsert *) caller;

	upsert->met = true;
	upsert->met_deleted = which == MET_DELETED;
	upsert->met_stale = which == MET_STALE ||
		(which == MET_NEXT && !upsert->restored);
	return !upsert->met_deleted && !upsert->met_stale;
}

/* Runs the statement; false if it has neither inserted nor updated a row. */
static bool
run_upsert(Upsert *upsert, Datum *row)
{
	int			count = dtmodel_update_count(&upsert->data);
	Datum	   *values = palloc(sizeof(Datum) * (count + CONFLICTS));
	char	   *nulls = palloc(count + CONFLICTS);
	DtCallbackParameters callbacks = {CONFLICTS, note_conflict, upsert};
	MemoryContext caller = CurrentMemoryContext;
	volatile bool found = false;

	dtmodel_update_values(&upsert->place, &upsert->data, values, nulls);
	for (int i = count; i < count + CONFLICTS; i++)
	{
		values[i] = BoolGetDatum(true);
		nulls[i] = ' ';
	}
	upsert->met = upsert->met_deleted = upsert->met_stale = false;
	PG_TRY();
	{
		found = dtmodel_fetch_row_with_callback(&upsert->call, upsert_plan(upsert),
												values, nulls, &callbacks, row);
	}
	PG_CATCH();
	{
		dtmodel_rethrow(&upsert->place, &upsert->data, caller);
	}
	PG_END_TRY();
	return found;
}

/*
 * Handles a deleted row that has the values of the conflict columns.  Returns
 * true if it is to be returned as it is.
 */
static bool
handle_deleted_row(Upsert *upsert, Datum *row)
{
	if (!can_conflict(upsert) ||
		dtmodel_find_by_criteria(&upsert->call, &upsert->place, &upsert->conflict,
								 row) != DT_FOUND_DELETED)
		return false;
	upsert->met = true;
	if (upsert->on_deleted == DT_DELETED_RETURN)
		return true;
	if (upsert->on_deleted != DT_DELETED_RESTORE)
		dtmodel_report_deleted_row(&upsert->call, *row, find_unique(upsert));

	/*
	 * Another transaction may be inserting a row beside the one to be
	 * restored.
	 */
	dtmodel_lock_criteria(&upsert->place, &upsert->conflict);
	if (dtmodel_find_by_criteria(&upsert->call, &upsert->place, &upsert->conflict,
								 row) == DT_FOUND_DELETED)
		(void) dtmodel_restore_found(&upsert->call, &upsert->place, &upsert->conflict,
									 row, &upsert->restored);
	return false;
}

static bool
upsert_row(Upsert *upsert, Datum *row)
{
	bool		is_soft = dtmodel_soft_delete_of(dtmodel_get_model(upsert->call.rel)) != NULL;

	/* An index of live rows alone would allow a new row beside it. */
	if (is_soft && upsert->on_deleted != DT_DELETED_IGNORE &&
		handle_deleted_row(upsert, row))
		return true;
	for (int i = 0; i < DT_MAX_TRIES; i++)
	{
		if (run_upsert(upsert, row))
			return true;
		if (upsert->met_stale)
			dtmodel_report_stale_data(&upsert->place, &upsert->data);
		if (!upsert->met_deleted)
			return false;
		if (handle_deleted_row(upsert, row))
			return true;
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("a row of table \"%s\" is repeatedly deleted and restored by other transactions",
					RelationGetRelationName(upsert->call.rel)),
			 errhint("Try again.")));
}

/*
 * upsert(model anyelement, data jsonb, conflict_columns name[] DEFAULT NULL,
 *		  on_deleted text DEFAULT 'ignore', strict boolean DEFAULT false,
 *		  OUT instance anyelement, OUT created boolean)
 *
 * Inserts a row as create does or, if a row has the same values in the
 * conflict columns, updates that row as update does.  These must be the
 * columns of a unique index (42P10), by default the primary key, and data
 * must have values for all of them (22023).
 *
 * on_deleted says what happens if a deleted row has those values: "ignore"
 * inserts a new one, "return" returns the deleted one, "restore" restores and
 * updates it, "error" is an error (23505), as it always is if the deleted row
 * prevents a new one.  A row with a null in these columns does not equal any
 * other, unless the index is NULLS NOT DISTINCT.
 */
Datum
dtmodel_upsert(PG_FUNCTION_ARGS)
{
	Upsert		upsert = {.call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock)};
	DtRawValue	object = dtmodel_data_argument(fcinfo, 1, "data");
	Datum		row;
	bool		found;

	dtmodel_check_not_distributed(upsert.call.rel, "upsert",
								  "A server that has rows of the table cannot tell whether it has found a deleted row.",
								  "Use INSERT ... ON CONFLICT ... DO UPDATE, or dtmodel.get_or_create and dtmodel.update.");
	upsert.place = (DtDataPlace) {upsert.call.rel, "data", -1};
	upsert.data = dtmodel_read_data(&upsert.place, &object,
									dtmodel_flag_argument(fcinfo, 4, false));
	upsert.on_deleted = dtmodel_on_deleted_argument(fcinfo, 3);
	read_conflict(&upsert, fcinfo);

	SPI_connect();
	found = upsert_row(&upsert, &row);
	SPI_finish();
	return dtmodel_end_row_call_with_flag(&upsert.call, fcinfo, row, !found,
										  found && !upsert.met);
}
