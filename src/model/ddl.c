/*-------------------------------------------------------------------------
 *
 * ddl.c
 *	  Changing a table: the columns, constraints and triggers of the mixins
 *	  are collected first, and then changed together.
 *
 * The add_* and remove_* functions look at the table under a lock that keeps
 * its definition and its rows still, note each statement that is missing, and
 * run them at the end as the caller.  A table that is already as asked gets
 * no statement and no NOTICE.  Every name is qualified, so the search_path
 * does not matter.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "model/ddl.h"
#include "model/distributed.h"
#include "model/mixin_call.h"
#include "model/view_row.h"
#include "server/alter.h"
#include "server/size.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* A statement of a change. */
typedef struct Statement
{
	char	   *sql;
	bool		holds;			/* no row violates the CHECK that it adds */
} Statement;

/* What stands between the events of a trigger and the columns of an UPDATE. */
#define BEFORE_COLUMNS " OF "

/* The first argument of every add_* and remove_*: the table. */
Oid
dtmodel_model_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errhint("Name the table.")));
	return PG_GETARG_OID(0);
}

/*
 * For an argument that is one of two words, of which NULL means the first:
 * whether it is the second.
 */
bool
dtmodel_is_second_word(FunctionCallInfo fcinfo, int argument,
					   const char *name, const char *first,
					   const char *second)
{
	const char *word;

	if (PG_ARGISNULL(argument))
		return false;
	word = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (strcmp(word, second) == 0)
		return true;
	if (strcmp(word, first) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown %s \"%s\"", name, word),
				 errhint("%s is \"%s\" or \"%s\".", name, first, second)));
	return false;
}

/*
 * Checked before the table is locked, so that users cannot lock tables of
 * others.
 */
void
dtmodel_check_owner(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	if (relkind == '\0')
		dtmodel_report_missing_table(relid);
	if (!compat_relation_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind),
					   get_rel_name(relid));
}

/*
 * Refuses system tables and our own templates: copies of the templates are
 * meant to become models.
 */
static void
check_is_users(Relation rel)
{
	const char *name = RelationGetRelationName(rel);
	Oid			relid = RelationGetRelid(rel);

	if (relid < FirstNormalObjectId)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" is a system catalog", name),
				 errdetail("A system catalog cannot be a model."),
				 errtable(rel)));
	if (getExtensionOfObject(RelationRelationId, relid) ==
		get_extension_oid("dtmodel", true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" is a template of %s", name, DTMODEL_SCHEMA),
				 errhint("Copy it: CREATE TABLE ... (LIKE %s INCLUDING ALL), and make that a model.",
						 dtmodel_qualified_name(rel)),
				 errtable(rel)));
}

/*
 * Statements on a partitioned table reach its partitions, and some lock them
 * more strongly than others.
 */
static void
lock_partitions(Relation rel, LOCKMODE lockmode)
{
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		lockmode >= DT_TRIGGER_LOCK)
		(void) find_all_inheritors(RelationGetRelid(rel), lockmode, NULL);
}

/*
 * Opens a table to change it.  Only its owner may do that, and only a user's
 * table can be a model.
 */
void
dtmodel_begin_change(DtChange *change, Oid relid, LOCKMODE lockmode)
{
	dtmodel_check_owner(relid);
	change->rel = dtmodel_open(relid, lockmode);
	check_is_users(change->rel);
	lock_partitions(change->rel, lockmode);

	change->lockmode = lockmode;
	change->phase = DT_APPLY;
	change->table = dtmodel_qualified_name(change->rel);
	change->statements = NIL;
	change->needed = NoLock;
	initStringInfo(&change->done);
	initStringInfo(&change->later);
}

/*
 * The foreign tables among the partitions of a table, on every level.  All
 * partitions are locked, unless the lock mode is NoLock.
 */
List *
dtmodel_foreign_partitions(Relation rel, LOCKMODE lockmode)
{
	List	   *foreign = NIL;
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NIL;
	foreach(cell, find_all_inheritors(RelationGetRelid(rel), lockmode, NULL))
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			foreign = lappend_oid(foreign, lfirst_oid(cell));
	}
	return foreign;
}

/* The statement that detaches a partition, which is locked. */
char *
dtmodel_detach_statement(Relation partition)
{
	Oid			parent = get_partition_parent(RelationGetRelid(partition), true);

	return psprintf("ALTER TABLE %s DETACH PARTITION %s",
					dtmodel_qualified_name_of(parent),
					dtmodel_qualified_name(partition));
}

/* Triggers of a partitioned table are cloned to all its partitions. */
static void
check_no_foreign_partition(Relation rel)
{
	List	   *foreign = dtmodel_foreign_partitions(rel, AccessShareLock);
	Relation	partition;

	if (foreign == NIL)
		return;
	partition = relation_open(linitial_oid(foreign), NoLock);
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("partition \"%s\" of table \"%s\" is a foreign table",
					RelationGetRelationName(partition),
					RelationGetRelationName(rel)),
			 errdetail("A foreign table cannot be a part of a model."),
			 errhint("Use %s first.", dtmodel_detach_statement(partition)),
			 errtable(rel)));
}

/* A partition must be like its table, since rows move from one to another. */
void
dtmodel_check_no_partition(Relation rel)
{
	if (!rel->rd_rel->relispartition)
	{
		check_no_foreign_partition(rel);
		return;
	}

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("table \"%s\" is a partition",
					RelationGetRelationName(rel)),
			 errdetail("A partition has the mixins of its partitioned table."),
			 dtmodel_root_of(rel) == RelationGetRelid(rel) ?
			 errhint("It is being detached: use %s FINALIZE first.",
					 dtmodel_detach_statement(rel)) :
			 errhint("Call the function for %s; its partitions follow.",
					 dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static void
append_item(StringInfo list, const char *separator, const char *item)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? separator : "", item);
}

static void
add_statement(DtChange *change, LOCKMODE lockmode, const char *done, char *sql,
			  bool holds)
{
	Statement  *statement = palloc(sizeof(Statement));

	statement->sql = sql;
	statement->holds = holds;
	change->statements = lappend(change->statements, statement);
	change->needed = Max(change->needed, lockmode);
	if (done != NULL)
		append_item(&change->done, ", ", done);
}

/*
 * Adds a statement, the lock on the table that it needs and, in a few words,
 * what it does; NULL for one that belongs to another, of which the NOTICE
 * tells.
 */
void
dtmodel_add_statement(DtChange *change, LOCKMODE lockmode, const char *done,
					  char *sql)
{
	add_statement(change, lockmode, done, sql, false);
}

/*
 * What follows the definition of a constraint on columns that exist.  To check
 * all rows of a large table would keep other sessions waiting, so there it is
 * left to the user.
 */
const char *
dtmodel_validity(DtChange *change, const char *constraint)
{
	if (!dtmodel_is_large(change->rel))
		return "";
	append_item(&change->later, "; ",
				psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", change->table,
						 quote_identifier(constraint)));
	return " NOT VALID";
}

/*
 * Appends the action to those of the change so far.  All are made by one ALTER
 * TABLE: an event trigger that is fired after it may write the rows.
 */
static char *
add_action(DtChange *change, const char *action)
{
	char	   *alter = psprintf("ALTER TABLE %s ", change->table);
	StringInfoData actions;
	ListCell   *cell;

	initStringInfo(&actions);
	foreach(cell, change->statements)
	{
		const Statement *statement = lfirst(cell);

		if (strncmp(statement->sql, alter, strlen(alter)) != 0)
			elog(ERROR, "unexpected statement before a CHECK: %s", statement->sql);
		append_item(&actions, ", ", statement->sql + strlen(alter));
	}
	append_item(&actions, ", ", action);
	change->statements = NIL;
	return psprintf("%s%s", alter, actions.data);
}

/*
 * Adds a CHECK.  If it is known to hold for all rows, since the columns are
 * added too, the rows are not read, except by Citus, which adds a constraint
 * to shards by a statement of its own.
 */
void
dtmodel_add_check(DtChange *change, const char *name, const char *condition,
				  bool known)
{
	bool		holds = known && !dtmodel_is_distributed(change->rel);
	const char *validity = known ? "" : dtmodel_validity(change, name);
	char	   *action = psprintf("ADD CONSTRAINT %s CHECK (%s)%s",
								  quote_identifier(name), condition, validity);

	add_statement(change, AccessExclusiveLock,
				  psprintf("added constraint \"%s\"", name),
				  holds ? add_action(change, action) :
				  psprintf("ALTER TABLE %s %s", change->table, action),
				  holds);
}

/*
 * Says of a large table, before it is locked, what will take long under this
 * lock, and how to do without, if there is a way.
 */
void
dtmodel_announce(const DtChange *change, LOCKMODE lockmode, const char *work,
				 const char *hint)
{
	DtTableSize size;

	if (change->phase != DT_BEFORE_LOCK || !dtmodel_is_large(change->rel))
		return;
	size = dtmodel_table_size(change->rel);
	ereport(NOTICE,
			(errmsg("table \"%s\" has about %.0f rows, %s: %s",
					RelationGetRelationName(change->rel), size.rows,
					TextDatumGetCString(DirectFunctionCall1(pg_size_pretty,
															Int64GetDatum(size.bytes))),
					work),
			 lockmode == AccessExclusiveLock ?
			 errdetail("No other session can read or write it until the transaction ends.") :
			 errdetail("No other session can write to it until the transaction ends."),
			 hint == NULL ? 0 : errhint("%s", hint)));
}

/*
 * The same of an index that is missing.  The command builds it, and then the
 * function finds it.
 */
void
dtmodel_announce_index(const DtChange *change, const char *name,
					   const char *command, const char *function)
{
	bool		partitioned = change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;

	dtmodel_announce(change, DT_TRIGGER_LOCK,
					 psprintf("index \"%s\" is built", name),
					 partitioned ?
					 psprintf("To build it while others write, cancel the call, create the index ON ONLY the table, and CONCURRENTLY on each partition, attach these to it, and then call %s.%s again.",
							  DTMODEL_SCHEMA, function) :
					 psprintf("To build it while others write, cancel the call, use %s, and then call %s.%s again.",
							  command, DTMODEL_SCHEMA, function));
}

/*
 * Runs a query, in the SPI, that sees what was committed until now, by those
 * whose locks were waited for too.  The snapshot of the statement that makes
 * the change, or of its transaction, may be older.
 */
void
dtmodel_read_under_lock(const char *query, long limit)
{
	SPIPlanPtr	plan = SPI_prepare(query, 0, NULL);

	(void) SPI_execute_snapshot(plan, NULL, NULL, GetLatestSnapshot(),
								InvalidSnapshot, true, false, limit);
}

static void
run_statement(const Statement *statement)
{
	if (statement->holds)
		dtmodel_alter_without_scan(statement->sql);
	else
		(void) SPI_execute(statement->sql, false, 0);
}

static void
run_statements(List *statements)
{
	ListCell   *cell;

	SPI_connect();
	foreach(cell, statements)
		run_statement(lfirst(cell));
	SPI_finish();
}

/* Carries the change out without a NOTICE. */
void
dtmodel_apply_change_silently(DtChange *change)
{
	/* ALTER TABLE refuses a table that this session has open. */
	relation_close(change->rel, NoLock);
	if (change->statements != NIL)
		run_statements(change->statements);
}

/* Carries the change out and reports in a NOTICE what it has done, if any. */
void
dtmodel_apply_change(DtChange *change)
{
	char	   *name = pstrdup(RelationGetRelationName(change->rel));
	bool		is_complete = change->later.len == 0;

	dtmodel_apply_change_silently(change);
	if (change->done.len > 0)
		ereport(NOTICE,
				(errmsg("table \"%s\": %s", name, change->done.data),
				 is_complete ? 0 :
				 errdetail("Existing rows were not checked, since that would have blocked other sessions."),
				 is_complete ? 0 :
				 errhint("In another transaction, use %s. Other sessions can read and write the table meanwhile.",
						 change->later.data)));
}

/* "why" says why the mixin cannot use a generated column. */
void
dtmodel_check_not_generated(Relation rel, const DtColumn *column,
							const char *why)
{
	if (TupleDescAttr(RelationGetDescr(rel),
					  column->attnum - 1)->attgenerated == '\0')
		return;

	ereport(ERROR,
			(errcode(ERRCODE_GENERATED_ALWAYS),
			 errmsg("column \"%s\" of table \"%s\" is a generated column",
					NameStr(column->name), RelationGetRelationName(rel)),
			 errdetail_internal("%s", why),
			 errhint("Name another column, or make this one an ordinary column."),
			 errtablecol(rel, column->attnum)));
}

/*
 * Makes sure that the table has a column for the use: adds it if it is
 * missing, or checks it.  "column" is filled in; its attnum is invalid if the
 * column is still to be added.  Does nothing for a NULL name.
 */
void
dtmodel_change_column(DtChange *change, const char *name, const DtColumnUse *use,
					  const char *definition, const DtMixin *mixin,
					  const char *parameter, DtColumn *column)
{
	dtmodel_find_column(RelationGetDescr(change->rel), name, column);
	if (name == NULL)
		return;

	if (AttributeNumberIsValid(column->attnum))
	{
		dtmodel_check_column(change->rel, column, use, mixin, parameter);
		dtmodel_check_not_generated(change->rel, column,
									"The trigger of the mixin must be able to write the column.");
		return;
	}

	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("added column \"%s\"", name),
						  psprintf("ALTER TABLE %s ADD COLUMN %s %s",
								   change->table, quote_identifier(name),
								   definition));
}

/* Whether the table can have a live view without the column. */
static bool
can_do_without(Relation rel, const DtColumn *column)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	const DtModel *model = dtmodel_get_model(rel);
	bool		has_live_rows = false;

	for (int i = 0; mixins[i] != NULL; i++)
	{
		for (int j = 0; model->options[i] != NULL && j < mixins[i]->ncolumns; j++)
		{
			const DtMixinColumn *kept = &mixins[i]->columns[j];

			if (!kept->marks_deleted)
				continue;
			has_live_rows = true;
			if (dtmodel_mixin_column(kept, model->options[i])->attnum == column->attnum)
				return false;
		}
	}
	return has_live_rows;
}

static void
report_live_views(Relation rel, const DtColumn *column, List *views)
{
	StringInfoData names;
	StringInfoData calls;
	ListCell   *cell;

	initStringInfo(&names);
	initStringInfo(&calls);
	foreach(cell, views)
	{
		DtLiveView *view = dtmodel_open_live_view(lfirst_oid(cell));
		char	   *call = dtmodel_live_view_call(view->rel, &view->source, rel);

		append_item(&names, ", ", dtmodel_qualified_name(view->rel));
		if (call != NULL && can_do_without(rel, column))
			append_item(&calls, ", ", call);
		dtmodel_close_live_view(view);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop column \"%s\" of table \"%s\" because a view of live rows shows it",
					NameStr(column->name), RelationGetRelationName(rel)),
			 calls.len == 0 ? errhint("Use DROP VIEW %s first.", names.data) :
			 errhint("Use DROP VIEW %s first, and %s afterwards.", names.data,
					 calls.data),
			 errtablecol(rel, column->attnum)));
}

/*
 * A live view shows every column.  The server's own error would name the
 * view, but not the function that creates it again.
 */
static void
check_no_live_view(Relation rel, const DtColumn *column)
{
	List	   *views = dtmodel_live_views(RelationGetRelid(rel), column->attnum);

	if (views != NIL)
		report_live_views(rel, column, views);
}

/* Gives a column that existed before a default for new rows if it has none. */
void
dtmodel_add_default(DtChange *change, const DtColumn *column, const char *value)
{
	const char *name = NameStr(column->name);

	if (!AttributeNumberIsValid(column->attnum) || column->has_default)
		return;
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("set the default of column \"%s\" to %s",
								   name, value),
						  psprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s",
								   change->table, quote_identifier(name), value));
}

/* Drops a column if it exists. */
void
dtmodel_drop_column(DtChange *change, const DtColumn *column)
{
	if (!AttributeNumberIsValid(column->attnum))
		return;

	check_no_live_view(change->rel, column);
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("dropped column \"%s\"", NameStr(column->name)),
						  psprintf("ALTER TABLE %s DROP COLUMN %s", change->table,
								   quote_identifier(NameStr(column->name))));
}

/*
 * The events as bits of tgtype.  The names of columns, which come last, are
 * skipped.
 */
static int16
event_bits(const char *events)
{
	static const struct
	{
		const char *name;
		int16		bit;
	}			all[] = {
		{"INSERT", TRIGGER_TYPE_INSERT},
		{"UPDATE", TRIGGER_TYPE_UPDATE},
		{"DELETE", TRIGGER_TYPE_DELETE},
		{"TRUNCATE", TRIGGER_TYPE_TRUNCATE},
	};
	const char *columns = strstr(events, BEFORE_COLUMNS);
	char	   *names = columns == NULL ? pstrdup(events) :
		pnstrdup(events, columns - events);
	int16		bits = 0;

	for (size_t i = 0; i < lengthof(all); i++)
	{
		if (strstr(names, all[i].name) != NULL)
			bits |= all[i].bit;
	}
	return bits;
}

/* Whether the trigger is fired at this time and for exactly these events. */
static bool
fires_on(const Trigger *trigger, int16 timing, const char *events)
{
	return trigger->tgtype == (timing | event_bits(events)) &&
		(trigger->tgnattr > 0) == (strstr(events, BEFORE_COLUMNS) != NULL);
}

static bool
has_options(const Trigger *trigger, List *options)
{
	ListCell   *cell;
	int			i = 0;

	if (trigger->tgnargs != list_length(options))
		return false;
	foreach(cell, options)
	{
		if (strcmp(trigger->tgargs[i++], (char *) lfirst(cell)) != 0)
			return false;
	}
	return true;
}

static bool
is_as_asked(const Trigger *trigger, const DtTriggerType *type,
			const char *events, const char *when, List *options)
{
	return strcmp(trigger->tgname, type->name) == 0 &&
		dtmodel_is_fired(trigger->tgenabled) &&
		fires_on(trigger, type->timing, events) &&
		(trigger->tgqual != NULL) == (when[0] != '\0') &&
		has_options(trigger, options);
}

/*
 * Whether the table has the trigger, enabled, for exactly these events and
 * options, and with a condition if it needs one.
 */
static bool
has_trigger(const DtChange *change, const DtTriggerType *type,
			const char *events, const char *when, List *options)
{
	TriggerDesc *triggers = dtmodel_triggers(change->rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (dtmodel_trigger_type(trigger) == type &&
			is_as_asked(trigger, type, events, when, options))
			return true;
	}
	return false;
}

void
dtmodel_drop_named_trigger(DtChange *change, const char *name)
{
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("dropped trigger \"%s\"", name),
						  psprintf("DROP TRIGGER %s ON %s",
								   quote_identifier(name), change->table));
}

/* Drops the triggers of the type, except the one with the name to keep. */
static void
drop_triggers(DtChange *change, const DtTriggerType *type, const char *keep)
{
	TriggerDesc *triggers = dtmodel_triggers(change->rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (dtmodel_trigger_type(trigger) == type &&
			(keep == NULL || strcmp(trigger->tgname, keep) != 0))
			dtmodel_drop_named_trigger(change, trigger->tgname);
	}
}

void
dtmodel_drop_trigger(DtChange *change, const DtTriggerType *type)
{
	drop_triggers(change, type, NULL);
}

void
dtmodel_drop_index(DtChange *change, Oid indexid)
{
	char	   *name = get_rel_name(indexid);
	char	   *schema = get_namespace_name(get_rel_namespace(indexid));

	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("dropped index \"%s\"", name),
						  psprintf("DROP INDEX %s",
								   quote_qualified_identifier(schema, name)));
}

static char *
options_text(List *options)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, options)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "",
						 quote_literal_cstr((char *) lfirst(cell)));
	return text.data;
}

/*
 * Creates the trigger, for these events and with these options, a list of
 * "key=value", and drops other triggers of its type.  "when" is a WHEN
 * clause, or empty.
 */
static void
set_trigger(DtChange *change, const DtTriggerType *type, const char *events,
			const char *when, List *options)
{
	drop_triggers(change, type, type->name);
	dtmodel_add_statement(change, DT_TRIGGER_LOCK,
						  psprintf("set trigger \"%s\"", type->name),
						  psprintf("CREATE OR REPLACE TRIGGER %s %s %s ON %s FOR EACH %s %s "
								   "EXECUTE FUNCTION %s.%s(%s)",
								   type->name,
								   TRIGGER_FOR_BEFORE(type->timing) ? "BEFORE" : "AFTER",
								   events, change->table,
								   TRIGGER_FOR_ROW(type->timing) ? "ROW" : "STATEMENT",
								   when, DTMODEL_INTERNAL_SCHEMA, type->function,
								   options_text(options)));
}

/* The same, unless the table already has exactly this trigger. */
static void
change_trigger(DtChange *change, const DtTriggerType *type, const char *events,
			   const char *when, List *options)
{
	if (has_trigger(change, type, events, when, options))
		drop_triggers(change, type, type->name);
	else
		set_trigger(change, type, events, when, options);
}

/* A BEFORE trigger: FOR EACH ROW, or FOR EACH STATEMENT. */
void
dtmodel_change_trigger(DtChange *change, const DtTriggerType *type,
					   const char *events, List *options)
{
	change_trigger(change, type, events, "", options);
}

static const char *
when_clause(const char *when)
{
	return when == NULL ? "" : psprintf("WHEN (%s)", when);
}

/*
 * An AFTER trigger FOR EACH ROW, with a WHEN condition unless that is NULL. A
 * trigger that exists already is not compared with it.
 */
void
dtmodel_change_after_trigger(DtChange *change, const DtTriggerType *type,
							 const char *events, const char *when)
{
	change_trigger(change, type, events, when_clause(when), NIL);
}

/* The same for a condition that has changed. */
void
dtmodel_set_after_trigger(DtChange *change, const DtTriggerType *type,
						  const char *events, const char *when)
{
	set_trigger(change, type, events, when_clause(when), NIL);
}
