/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  Adding the soft-delete mixin to a table, and removing it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/soft_delete/guard.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/partition_key.h"
#include "mixin/soft_delete/soft_delete.h"
#include "mixin/soft_delete/unique.h"
#include "model/constraint.h"
#include "model/inheritance.h"
#include "model/mixin_call.h"
#include "model/row_move.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(dtmodel_add_soft_delete);
PG_FUNCTION_INFO_V1(dtmodel_remove_soft_delete);

/* The arguments of add_soft_delete. */
typedef struct SoftDeleteRequest
{
	const char *flag;			/* NULL: only deleted_at */
	const char *deleted_at;
	const char *deleted_by;		/* NULL: not recorded */
	bool		flag_is_live;
	bool		hide;
	bool		protect_truncate;
	bool		refuses_flag_writes;
	bool		trigger_tier;
} SoftDeleteRequest;

/* The partitions may be partitioned themselves, with other column numbers. */
static void
check_partition_key(Oid relid, const char *name)
{
	Relation	rel = table_open(relid, AccessShareLock);
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (dtmodel_is_partitioned_by(rel, name))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("column \"%s\" is part of the partition key of table \"%s\"",
						name, RelationGetRelationName(rel)),
				 errdetail("A soft delete would move the row to another partition."),
				 errhint("Partition the table by other columns."),
				 errtablecol(rel, column.attnum)));
	table_close(rel, AccessShareLock);
}

static void
check_partition_keys(Relation rel, const SoftDeleteRequest *request)
{
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return;
	foreach(cell, find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL))
	{
		if (request->flag != NULL)
			check_partition_key(lfirst_oid(cell), request->flag);
		check_partition_key(lfirst_oid(cell), request->deleted_at);
	}
}

static void
check_request(const SoftDeleteRequest *request)
{
	if (request->deleted_at == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("deleted_at must not be null"),
				 errdetail("A restore finds the rows of a deletion by its time."),
				 errhint("To use a single column, pass flag => NULL instead.")));
	dtmodel_check_different(request->flag, "flag", request->deleted_at, "deleted_at");
	dtmodel_check_different(request->flag, "flag", request->deleted_by, "deleted_by");
	dtmodel_check_different(request->deleted_by, "deleted_by",
							request->deleted_at, "deleted_at");
}

/* The requested columns, which may not exist yet. */
static DtSoftDelete
asked_columns(const SoftDeleteRequest *request)
{
	DtSoftDelete columns = {.flag_is_live = request->flag_is_live};

	if (request->flag != NULL)
		namestrcpy(&columns.flag.name, request->flag);
	namestrcpy(&columns.deleted_at.name, request->deleted_at);
	return columns;
}

static bool
any_row(const char *table, const char *condition)
{
	bool		found;

	SPI_connect();
	dtmodel_read_under_lock(psprintf(DT_OWN_QUERY "SELECT FROM %s WHERE %s", table,
									 condition), 1);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

static void
report_contradictions(const DtChange *change, const SoftDeleteRequest *request,
					  bool has_time)
{
	DtSoftDelete columns = asked_columns(request);
	const char *flagged = dtmodel_flagged_text(&columns);
	const char *deleted_at = quote_identifier(request->deleted_at);
	const char *add = has_time ? "" :
		psprintf("ALTER TABLE %s ADD COLUMN %s timestamptz; ",
				 change->table, deleted_at);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("table \"%s\" has rows whose \"%s\" and \"%s\" contradict each other",
					RelationGetRelationName(change->rel), request->flag,
					request->deleted_at),
			 errdetail("A deleted row has both the flag and a time of deletion; a live row has neither."),
			 errhint("Correct them first, as in: %sUPDATE %s SET %s = CASE WHEN %s THEN now() END WHERE (%s) <> (%s);",
					 add, change->table, deleted_at, flagged, flagged,
					 dtmodel_timed_text(&columns)),
			 errtable(change->rel)));
}

static void
report_unflagged_rows(const DtChange *change, const SoftDeleteRequest *request)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("table \"%s\" has deleted rows but no column \"%s\"",
					RelationGetRelationName(change->rel), request->flag),
			 errdetail("Column \"%s\" is already set in some rows.", request->deleted_at),
			 errhint("Call %s.add_soft_delete(%s, flag => NULL), or add the column and set it for those rows first.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(change->rel)),
			 errtable(change->rel)));
}

/*
 * Refuses a table with rows whose flag and time contradict each other, before
 * it is locked.  Only the owner of the data knows when those rows were
 * deleted, or whether they were.  The CHECK refuses those that come later.
 */
static void
check_rows(const DtChange *change, const SoftDeleteRequest *request,
		   const DtColumn *flag, const DtColumn *deleted_at)
{
	bool		has_flag = AttributeNumberIsValid(flag->attnum);
	bool		has_time = AttributeNumberIsValid(deleted_at->attnum);
	DtSoftDelete columns = asked_columns(request);
	const char *flagged = dtmodel_flagged_text(&columns);
	const char *timed = dtmodel_timed_text(&columns);
	const char *contradicting = !has_time ? flagged :
		psprintf("(%s) OPERATOR(pg_catalog.<>) (%s)", flagged, timed);

	if (change->phase != DT_BEFORE_LOCK)
		return;
	if (has_flag && any_row(change->table, contradicting))
		report_contradictions(change, request, has_time);
	if (!has_flag && has_time && any_row(change->table, timed))
		report_unflagged_rows(change, request);
}

static void
drop_check(DtChange *change, const char *check)
{
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("dropped constraint \"%s\"", check),
						  psprintf("ALTER TABLE %s DROP CONSTRAINT %s", change->table,
								   quote_identifier(check)));
}

/* Whether no table has one of the columns yet, so that all rows are live. */
static bool
are_new(const DtChange *change, const SoftDeleteRequest *request)
{
	return !dtmodel_has_column_anywhere(change->rel, request->flag,
										change->lockmode) &&
		!dtmodel_has_column_anywhere(change->rel, request->deleted_at,
									 change->lockmode);
}

static void
add_check(DtChange *change, const SoftDeleteRequest *request, const char *name)
{
	DtSoftDelete columns = asked_columns(request);

	dtmodel_add_check(change, name,
					  psprintf("(%s) OPERATOR(pg_catalog.=) (%s)",
							   dtmodel_flagged_text(&columns),
							   dtmodel_timed_text(&columns)),
					  are_new(change, request));
}

static List *
trigger_options(const SoftDeleteRequest *request)
{
	List	   *options = NIL;

	if (request->flag != NULL)
		options = lappend(options, psprintf("flag=%s", request->flag));
	options = lappend(options, psprintf("deleted_at=%s", request->deleted_at));
	if (request->deleted_by != NULL)
		options = lappend(options, psprintf("deleted_by=%s", request->deleted_by));
	if (request->flag_is_live)
		options = lappend(options, "flag_means=live");
	if (request->hide)
		options = lappend(options, "hide=true");
	if (request->refuses_flag_writes)
		options = lappend(options, "flag_writes=error");
	if (request->trigger_tier)
		options = lappend(options, "tier=trigger");
	return options;
}

static bool
is_named(const char *check, const char *name)
{
	return check != NULL && strcmp(check, name) == 0;
}

/*
 * Makes sure that the table has the CHECK for this request, if it needs one,
 * and no other.  A CHECK that was copied from the template differs only in
 * its name, and is renamed.
 */
static void
change_check(DtChange *change, const SoftDeleteRequest *request,
			 const DtColumn *flag, const DtColumn *deleted_at)
{
	const DtSoftDelete *former = dtmodel_soft_delete_of(dtmodel_get_model(change->rel));
	bool		former_is_live = former != NULL && former->flag_is_live;
	const char *check = dtmodel_find_soft_delete_check(change->rel, flag, deleted_at);
	const char *former_check = former == NULL ? NULL :
		dtmodel_find_soft_delete_check(change->rel, &former->flag, &former->deleted_at);
	const char *name = dtmodel_check_name(change->rel, DT_SOFT_DELETE_CHECK);

	if (check != NULL && (former_is_live == request->flag_is_live ||
						  dtmodel_is_inherited_constraint(change->rel, check)))
	{
		dtmodel_rename_template_check(change, check, DT_SOFT_DELETE_CHECK);
		return;
	}
	if (request->flag != NULL)
		check_rows(change, request, flag, deleted_at);
	if (request->flag != NULL && !is_named(check, name) &&
		!is_named(former_check, name))
		dtmodel_check_free_name(change, name);
	if (former_check != NULL)
		drop_check(change, former_check);
	if (check != NULL && check != former_check)
		drop_check(change, check);
	if (request->flag != NULL)
		add_check(change, request, name);
}

/* The trigger for UPDATEs of flag, time and deleted_by. */
static void
change_flag_trigger(DtChange *change, const SoftDeleteRequest *request)
{
	StringInfoData columns;

	initStringInfo(&columns);
	if (request->flag != NULL)
		appendStringInfo(&columns, "%s, ", quote_identifier(request->flag));
	appendStringInfoString(&columns, quote_identifier(request->deleted_at));
	if (request->deleted_by != NULL)
		appendStringInfo(&columns, ", %s", quote_identifier(request->deleted_by));
	dtmodel_change_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_FLAG],
						   psprintf("UPDATE OF %s", columns.data),
						   trigger_options(request));
}

/* The trigger that cascades; it is fired only for a row that flips. */
static void
change_cascade_trigger(DtChange *change, const SoftDeleteRequest *request)
{
	const char *deleted_at = quote_identifier(request->deleted_at);
	const DtSoftDelete *former = dtmodel_soft_delete_of(dtmodel_get_model(change->rel));
	char	   *flips = psprintf("(OLD.%s IS NULL) OPERATOR(pg_catalog.<>) (NEW.%s IS NULL)",
								 deleted_at, deleted_at);

	if (former != NULL &&
		namestrcmp((Name) &former->deleted_at.name, request->deleted_at) != 0)
		dtmodel_set_after_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE], "UPDATE",
								  flips);
	else
		dtmodel_change_after_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE], "UPDATE",
									 flips);
	if (change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_change_after_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE_MOVE],
									 "DELETE", NULL);
}

/*
 * The time identifies a deletion.  With a column of, for example, whole
 * seconds, the deletions of one second could not be distinguished, and would
 * be restored together.
 */
static void
check_precision(const DtChange *change, const DtColumn *deleted_at)
{
	const char *alter;

	if (!AttributeNumberIsValid(deleted_at->attnum) ||
		dtmodel_is_precise(deleted_at))
		return;

	alter = psprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s", change->table,
					 quote_identifier(NameStr(deleted_at->name)),
					 format_type_be(deleted_at->typid));
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column \"%s\" of table \"%s\" does not hold microseconds",
					NameStr(deleted_at->name), RelationGetRelationName(change->rel)),
			 errdetail("It is of type %s. Deletions that get the same time would be restored together.",
					   format_type_with_typemod(deleted_at->typid,
												deleted_at->typmod)),
			 dtmodel_soft_delete_of(dtmodel_get_model(change->rel)) == NULL ?
			 errhint("Use %s, which does not rewrite the table.", alter) :
			 errhint("Call %s.remove_soft_delete(%s), then use %s, which does not rewrite the table, and then call %s.add_soft_delete again.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(change->rel), alter,
					 DTMODEL_SCHEMA),
			 errtablecol(change->rel, deleted_at->attnum)));
}

static void
check_no_default(const DtChange *change, const DtColumn *deleted_at)
{
	if (!AttributeNumberIsValid(deleted_at->attnum) || !deleted_at->has_default)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("column \"%s\" of table \"%s\" has a default",
					NameStr(deleted_at->name),
					RelationGetRelationName(change->rel)),
			 errdetail("Every new row would have a time of deletion, and so be deleted."),
			 errhint("Use ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT.",
					 change->table,
					 quote_identifier(NameStr(deleted_at->name))),
			 errtablecol(change->rel, deleted_at->attnum)));
}

/*
 * "The former columns say that the row is deleted", or NULL if they do not
 * exist any more.
 */
static char *
former_condition(const DtSoftDelete *former)
{
	if (AttributeNumberIsValid(former->flag.attnum))
		return dtmodel_flagged_text(former);
	return AttributeNumberIsValid(former->deleted_at.attnum) ?
		dtmodel_timed_text(former) : NULL;
}

/*
 * Refuses a call that names other columns than the model has if that would
 * make deleted rows live.  The names may have been left out by mistake.
 */
static void
check_none_revived(const DtChange *change, const SoftDeleteRequest *request,
				   const DtColumn *deleted_at)
{
	const DtSoftDelete *former = dtmodel_soft_delete_of(dtmodel_get_model(change->rel));
	DtSoftDelete asked = {.deleted_at = *deleted_at};
	char	   *deleted = former == NULL ? NULL : former_condition(former);

	if (deleted == NULL ||
		namestrcmp((Name) &former->deleted_at.name, request->deleted_at) == 0)
		return;
	if (AttributeNumberIsValid(deleted_at->attnum))
		deleted = psprintf("(%s) AND NOT (%s)", deleted, dtmodel_timed_text(&asked));
	if (!dtmodel_checks_rows(change) || !any_row(change->table, deleted))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("deleted rows of table \"%s\" would be live again",
					RelationGetRelationName(change->rel)),
			 errdetail("The time of their deletion is in column \"%s\", but the call names \"%s\".",
					   NameStr(former->deleted_at.name), request->deleted_at),
			 errhint("The model was made by %s. If a column was renamed, pass its new name.",
					 dtmodel_mixin_call(change->rel, &dtmodel_soft_delete_mixin,
										NULL, NULL)),
			 errtable(change->rel)));
}

static void
change_soft_delete(DtChange *change, const void *asked)
{
	const SoftDeleteRequest *request = asked;
	DtColumn	flag;
	DtColumn	deleted_at;
	DtColumn	deleted_by;
	DtSoftDelete columns;

	dtmodel_check_no_partition(change->rel);
	check_request(request);
	columns = asked_columns(request);
	check_partition_keys(change->rel, request);
	dtmodel_change_column(change, request->flag, &dtmodel_use_flag,
						  request->flag_is_live ?
						  "pg_catalog.bool NOT NULL DEFAULT true" :
						  "pg_catalog.bool NOT NULL DEFAULT false",
						  &dtmodel_soft_delete_mixin, "flag", &flag);
	dtmodel_change_column(change, request->deleted_at, &dtmodel_use_time,
						  "pg_catalog.timestamptz",
						  &dtmodel_soft_delete_mixin, "deleted_at",
						  &deleted_at);
	check_none_revived(change, request, &deleted_at);
	check_precision(change, &deleted_at);
	dtmodel_change_column(change, request->deleted_by, &dtmodel_use_actor,
						  "pg_catalog.text", &dtmodel_soft_delete_mixin,
						  "deleted_by", &deleted_by);
	check_no_default(change, &deleted_at);
	dtmodel_add_default(change, &flag, request->flag_is_live ? "true" : "false");
	change_check(change, request, &flag, &deleted_at);
	change_flag_trigger(change, request);
	dtmodel_change_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE],
						   dtmodel_events_with_moves(change->rel, "DELETE"),
						   trigger_options(request));
	change_cascade_trigger(change, request);
	dtmodel_extend_change(change, &dtmodel_soft_delete_mixin, &columns);
	dtmodel_change_guard_trigger(change);
	if (request->protect_truncate)
		dtmodel_change_trigger(change, &dtmodel_soft_delete_triggers[DT_PROTECT_TRUNCATE], "TRUNCATE",
							   NIL);
	else
		dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_PROTECT_TRUNCATE]);
}

/*
 * The statement that preloads the library for the current database, in
 * addition to what is preloaded already.
 */
static char *
preload_statement(void)
{
	List	   *libraries = NIL;
	ListCell   *cell;
	StringInfoData statement;

	initStringInfo(&statement);
	appendStringInfo(&statement, "ALTER DATABASE %s SET session_preload_libraries = ",
					 quote_identifier(get_database_name(MyDatabaseId)));
	(void) SplitDirectoriesString(pstrdup(session_preload_libraries_string), ',',
								  &libraries);
	foreach(cell, libraries)
	{
		if (strcmp(lfirst(cell), "dtmodel") != 0)
			appendStringInfo(&statement, "%s, ",
							 quote_literal_cstr(lfirst(cell)));
	}
	appendStringInfoString(&statement, "'dtmodel'");
	return statement.data;
}

/* The statement that makes sessions hide the rows; NULL if this one does. */
char *
dtmodel_hiding_statement(void)
{
	if (dtmodel_rewrites())
		return NULL;
	return dtmodel_is_preloaded ? pstrdup("SET dtmodel.rewrite = on") :
		preload_statement();
}

/*
 * Rows are hidden by the planner, and the mixin may be added without the
 * library preloaded: a NOTICE.
 */
static void
report_nothing_is_hidden(Oid relid)
{
	if (dtmodel_rewrites())
		return;

	ereport(NOTICE,
			(errmsg("the deleted rows of table \"%s\" are not hidden in this session",
					get_rel_name(relid)),
			 dtmodel_is_preloaded ?
			 errhint("Use SET dtmodel.rewrite = on.") :
			 errhint("Only sessions that preload the library hide them: %s;",
					 preload_statement())));
}

/*
 * add_soft_delete(model regclass, flag name DEFAULT 'is_deleted',
 *				   deleted_at name DEFAULT 'deleted_at',
 *				   deleted_by name DEFAULT NULL,
 *				   flag_means text DEFAULT 'deleted',
 *				   hide boolean DEFAULT false,
 *				   protect_truncate boolean DEFAULT false,
 *				   flag_writes text DEFAULT 'follow',
 *				   tier text DEFAULT 'any') returns void
 *
 * Makes DELETE on the table mark its rows: adds the missing columns, a CHECK
 * that they agree, and the triggers; calling it again changes the options.  A
 * NULL flag means no flag; deleted_by names a column for who deleted the row,
 * of type text, uuid, integer or bigint; flag_means "live" is for a flag such
 * as is_active.  hide makes queries see live rows only, where the library is
 * preloaded.  flag_writes "error" refuses an UPDATE that flips the flag.
 * tier "trigger" leaves DELETE to the triggers even where the library is
 * preloaded, so that BEFORE DELETE triggers fire.  A flag without a default
 * gets one.  Rows whose columns contradict each other are an error (23514),
 * and so are a deleted_at with a default (42P16), partitions and partition
 * keys of the flag or time (42809).  Tables that inherit from this one become
 * models too.
 *
 * Source: SoftDeleteMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_add_soft_delete(PG_FUNCTION_ARGS)
{
	SoftDeleteRequest request = {0};
	Oid			relid = dtmodel_model_argument(fcinfo);

	if (!PG_ARGISNULL(1))
		request.flag = NameStr(*PG_GETARG_NAME(1));
	if (!PG_ARGISNULL(2))
		request.deleted_at = NameStr(*PG_GETARG_NAME(2));
	if (!PG_ARGISNULL(3))
		request.deleted_by = NameStr(*PG_GETARG_NAME(3));
	request.flag_is_live = request.flag != NULL &&
		dtmodel_is_second_word(fcinfo, 4, "flag_means", "deleted", "live");
	request.hide = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	request.protect_truncate = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	request.refuses_flag_writes =
		dtmodel_is_second_word(fcinfo, 7, "flag_writes", "follow", "error");
	request.trigger_tier = dtmodel_is_second_word(fcinfo, 8, "tier", "any", "trigger");

	dtmodel_change_with_inheritors(relid, &dtmodel_soft_delete_mixin,
								   change_soft_delete, &request);
	if (request.hide)
	{
		report_nothing_is_hidden(relid);
		dtmodel_report_hidden_rows(relid);
	}
	PG_RETURN_VOID();
}

/*
 * Without the columns a deleted row would look like a live one.  The flag is
 * what is left of deletions where a user has dropped the time.
 */
static void
check_no_deleted_rows(const DtChange *change, const DtSoftDelete *soft_delete)
{
	const char *deleted;

	if (AttributeNumberIsValid(soft_delete->deleted_at.attnum))
		deleted = dtmodel_timed_text(soft_delete);
	else if (AttributeNumberIsValid(soft_delete->flag.attnum))
		deleted = dtmodel_flagged_text(soft_delete);
	else
		return;
	if (!dtmodel_checks_rows(change) || !any_row(change->table, deleted))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has deleted rows",
					RelationGetRelationName(change->rel)),
			 errdetail("Without its columns they would be live again."),
			 errhint("Restore them, or delete them for good first: BEGIN; SET LOCAL dtmodel.hard_delete = on; DELETE FROM %s WHERE %s; COMMIT;",
					 change->table, deleted),
			 errtable(change->rel)));
}

static void
drop_soft_delete(DtChange *change, bool drop_columns)
{
	const DtModel *model = dtmodel_get_model(change->rel);
	DtSoftDelete soft_delete;
	const char *check;

	if (dtmodel_soft_delete_of(model) == NULL)
		return;
	soft_delete = *dtmodel_soft_delete_of(model);
	check = dtmodel_find_soft_delete_check(change->rel, &soft_delete.flag,
										   &soft_delete.deleted_at);
	if (check != NULL && !dtmodel_is_inherited_constraint(change->rel, check))
		drop_check(change, check);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE]);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_FLAG]);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE]);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_CASCADE_MOVE]);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_GUARD]);
	dtmodel_drop_trigger(change, &dtmodel_soft_delete_triggers[DT_PROTECT_TRUNCATE]);
	dtmodel_extend_change(change, &dtmodel_soft_delete_mixin, NULL);
	if (drop_columns)
	{
		check_no_deleted_rows(change, &soft_delete);
		dtmodel_drop_own_column(change, &soft_delete.flag);
		dtmodel_drop_own_column(change, &soft_delete.deleted_at);
		dtmodel_drop_own_column(change, &soft_delete.deleted_by);
	}
}

/*
 * remove_soft_delete(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the triggers and the CHECK, and with drop_columns the columns too,
 * which is refused if there are deleted rows (55000), also on tables that
 * inherit from this one.  Does nothing to a table without soft delete.
 */
Datum
dtmodel_remove_soft_delete(PG_FUNCTION_ARGS)
{
	dtmodel_drop_with_inheritors(dtmodel_model_argument(fcinfo),
								 &dtmodel_soft_delete_mixin, drop_soft_delete,
								 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}
