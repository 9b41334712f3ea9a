/*-------------------------------------------------------------------------
 *
 * protect.c
 *	  What must be known before a command changes a model or a history.
 *
 * A history follows its model; a command on the history itself could only
 * break it.  So those that would are refused before they begin.
 *
 * The names of the command are looked up without a lock, and it will look them
 * up again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "commands/tablecmds.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/history/arguments.h"
#include "mixin/history/as_of.h"
#include "mixin/history/policy.h"
#include "mixin/history/table.h"
#include "server/event.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_history_protect_trigger);

static Oid
find_relation(const RangeVar *name)
{
	return name == NULL ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
}

/* A literal for a function's first argument. */
static char *
quoted_model(const DtHistoryNames *names)
{
	return quote_literal_cstr(dtmodel_qualified_name_of(names->model));
}

/* For a command on the table, or on this column of it. */
static void
report_history(const DtHistoryNames *names, const char *column)
{
	const char *model = get_rel_name(names->model);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 column == NULL ?
			 errmsg("table \"%s\" holds the history of table \"%s\"",
					names->table, model) :
			 errmsg("column \"%s\" of table \"%s\" is part of the history of table \"%s\"",
					column, names->table, model),
			 errdetail("Changes to \"%s\" could no longer be recorded after this command.",
					   model),
			 errhint("Change table \"%s\", which its history follows, or call %s.remove_history(%s) first.",
					 model, DTMODEL_SCHEMA, quoted_model(names))));
}

/* Columns that were dropped from the model, or added by hand, are free. */
static void
check_column(const DtHistoryNames *names, const char *column)
{
	bool		is_own = false;

	for (int i = 0; i < DT_HISTORY_COLUMNS; i++)
		is_own |= strcmp(dtmodel_history_columns[i].name, column) == 0;
	if (is_own || get_attnum(names->model, column) != InvalidAttrNumber)
		report_history(names, column);
}

/* The model whose history this is a partition of; NULL for any other table. */
static const DtHistoryNames *
find_model_of_partition(Oid table)
{
	List	   *ancestors = OidIsValid(table) && get_rel_relispartition(table) ?
		get_partition_ancestors(table) : NIL;

	return ancestors == NIL ? NULL : dtmodel_model_of_history(llast_oid(ancestors));
}

/* To give it back to the model's owner is a repair. */
static void
check_new_owner(const DtHistoryNames *names, const RoleSpec *role)
{
	if (get_rolespec_oid(role, true) != dtmodel_owner_of(names->model))
		report_history(names, NULL);
}

static void
check_subcommand(const DtHistoryNames *names, const AlterTableCmd *command)
{
	switch (command->subtype)
	{
		case AT_DropColumn:
		case AT_AlterColumnType:
		case AT_SetNotNull:
			check_column(names, command->name);
			break;
		case AT_ChangeOwner:
			check_new_owner(names, command->newowner);
			break;
		case AT_AddInherit:
		case AT_DropInherit:
		case AT_AddOf:
			report_history(names, NULL);
			break;
		default:
			break;
	}
}

/*
 * What the server does not refuse itself.  The owner may detach and drop old
 * partitions, rename them and move them to another schema.
 */
static void
check_subcommand_on_partition(const DtHistoryNames *names,
							  const AlterTableCmd *command)
{
	if (command->subtype == AT_SetNotNull)
		check_column(names, command->name);
	else if (command->subtype == AT_ChangeOwner)
		check_new_owner(names, command->newowner);
}

/* The history table, and its partitions unless they are of another owner. */
static void
give_tables(Oid table, const char *owner)
{
	Oid			old_owner = dtmodel_owner_of(table);
	ListCell   *cell;

	foreach(cell, dtmodel_history_tables(table, AccessExclusiveLock))
	{
		if (dtmodel_owner_of(lfirst_oid(cell)) == old_owner)
			dtmodel_run_command(psprintf("ALTER TABLE %s OWNER TO %s",
										 dtmodel_qualified_name_of(lfirst_oid(cell)),
										 owner));
	}
}

static void
give_history(const DtHistoryNames *names, const char *owner)
{
	Oid			schemaid = get_rel_namespace(names->model);
	char	   *schema = get_namespace_name(schemaid);

	if (OidIsValid(dtmodel_owned_as_of(names->model, names->as_of, schemaid)))
		dtmodel_run_command(psprintf("ALTER FUNCTION %s(pg_catalog.timestamptz) OWNER TO %s",
									 quote_qualified_identifier(schema, names->as_of), owner));
	if (OidIsValid(dtmodel_named_history(names)))
		give_tables(dtmodel_named_history(names), owner);
}

/*
 * Gives the history to the new owner of its model, before the model itself:
 * afterwards it would not be known that they had one owner.
 */
static void
follow_owner(const AlterTableStmt *statement, const RoleSpec *role)
{
	Oid			relid = find_relation(statement->relation);
	const DtHistoryNames *names;

	if (!OidIsValid(relid) || get_rel_relispartition(relid) ||
		dtmodel_history_names(relid) == NULL)
		return;
	relid = RangeVarGetRelidExtended(statement->relation, AccessExclusiveLock,
									 RVR_MISSING_OK,
									 RangeVarCallbackOwnsRelation, NULL);
	names = OidIsValid(relid) ? dtmodel_history_names(relid) : NULL;
	if (names != NULL)
		give_history(names,
					 quote_identifier(GetUserNameFromId(get_rolespec_oid(role, false),
														false)));
}

/*
 * Policies
 */

static void
report_copied_policy(const DtHistoryNames *names, const char *policy)
{
	const char *model = get_rel_name(names->model);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("policy \"%s\" of table \"%s\" is a copy of a policy of table \"%s\"",
					policy, names->table, model),
			 errdetail("The policies of a model apply to its past, too."),
			 errhint("Change the policy of table \"%s\", or add one to table \"%s\".",
					 model, names->table)));
}

/*
 * Makes sure that the copies of the model's policies are known, one of which
 * may be dropped with its original.  They are locked in the order of the
 * command.
 */
static void
recognize_policies(const RangeVar *model)
{
	Oid			relid = find_relation(model);
	const DtHistoryNames *names;
	Oid			table;

	if (!OidIsValid(relid) || get_rel_relispartition(relid) ||
		dtmodel_history_names(relid) == NULL ||
		!compat_relation_ownercheck(relid, GetUserId()))
		return;
	relid = RangeVarGetRelidExtended(model, AccessExclusiveLock, RVR_MISSING_OK,
									 RangeVarCallbackOwnsRelation, NULL);
	names = OidIsValid(relid) ? dtmodel_history_names(relid) : NULL;
	table = names == NULL ? InvalidOid : dtmodel_named_history(names);
	if (OidIsValid(table))
		dtmodel_recognize_policies(relid, table);
}

static void
before_create_policy(const CreatePolicyStmt *statement)
{
	Oid			table = find_relation(statement->table);
	const DtHistoryNames *names = dtmodel_model_of_history(table);

	if (names != NULL)
		dtmodel_rename_copied_policy(names->model, table,
									 statement->policy_name);
}

static void
before_alter_policy(const RangeVar *relation, const char *policy)
{
	Oid			table = find_relation(relation);
	const DtHistoryNames *names = dtmodel_model_of_history(table);

	if (names != NULL && dtmodel_is_copied_policy(names->model, table, policy))
		report_copied_policy(names, policy);
	recognize_policies(relation);
}

/* The names of a policy begin with those of its table. */
static void
before_drop_policy(const DropStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->objects)
	{
		List	   *names = lfirst_node(List, cell);

		recognize_policies(makeRangeVarFromNameList(list_truncate(list_copy(names),
																  list_length(names) - 1)));
	}
}

/*
 * Altering tables
 */

static void
check_attach(const PartitionCmd *command)
{
	const DtHistoryNames *names = dtmodel_model_of_history(find_relation(command->name));

	if (names != NULL)
		report_history(names, NULL);
}

static void
before_alter_table(const AlterTableStmt *statement)
{
	Oid			relid = find_relation(statement->relation);
	const DtHistoryNames *names = dtmodel_model_of_history(relid);
	const DtHistoryNames *partitioned = find_model_of_partition(relid);
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

		if (names != NULL)
			check_subcommand(names, command);
		if (partitioned != NULL)
			check_subcommand_on_partition(partitioned, command);
		if (command->subtype == AT_ChangeOwner)
			follow_owner(statement, command->newowner);
		if (command->subtype == AT_AttachPartition)
			check_attach(castNode(PartitionCmd, command->def));
		if (command->subtype == AT_DropColumn && command->behavior == DROP_CASCADE)
			recognize_policies(statement->relation);
	}
}

static void
before_rename(const RenameStmt *statement)
{
	const DtHistoryNames *names = dtmodel_model_of_history(find_relation(statement->relation));

	if (statement->renameType == OBJECT_POLICY)
		before_alter_policy(statement->relation, statement->subname);
	if (names == NULL)
		return;
	if (statement->renameType == OBJECT_COLUMN ||
		statement->renameType == OBJECT_ATTRIBUTE)
		check_column(names, statement->subname);
	else if (statement->renameType == OBJECT_TABLE ||
			 statement->renameType == OBJECT_INDEX)
		report_history(names, NULL);
}

static void
before_set_schema(const AlterObjectSchemaStmt *statement)
{
	const DtHistoryNames *names = dtmodel_model_of_history(find_relation(statement->relation));

	if (names != NULL)
		report_history(names, NULL);
}

/*
 * Dropping tables
 */

/* With CASCADE, the tables that inherit are dropped too. */
static List *
dropped_tables(const DropStmt *statement)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, statement->objects)
	{
		Oid			relid = find_relation(makeRangeVarFromNameList(lfirst(cell)));

		if (!OidIsValid(relid))
			continue;
		if (statement->behavior == DROP_CASCADE)
			tables = list_concat_unique_oid(tables,
											find_all_inheritors(relid, NoLock, NULL));
		else
			tables = list_append_unique_oid(tables, relid);
	}
	return tables;
}

static void
report_dropped_history(const DtHistoryNames *names)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot drop table \"%s\" because it holds the history of table \"%s\"",
					names->table, get_rel_name(names->model)),
			 errhint("Call %s.remove_history(%s, drop_history => true) instead.",
					 DTMODEL_SCHEMA, quoted_model(names))));
}

static void
check_no_history(Oid table, const List *dropped)
{
	const DtHistoryNames *names = dtmodel_model_of_history(table);

	if (names != NULL && !list_member_oid(dropped, names->model))
		report_dropped_history(names);
}

/*
 * The function that shows the past returns rows of the model, so the server
 * would refuse to drop the model without it.  It goes with the model, as an
 * index does.  A dump does not have that dependency, so it is recorded when it
 * is needed.
 */
static void
drop_as_of_too(const DtHistoryNames *names)
{
	ObjectAddress function;
	ObjectAddress table;

	ObjectAddressSet(function, ProcedureRelationId,
					 dtmodel_owned_as_of(names->model, names->as_of,
										 get_rel_namespace(names->model)));
	ObjectAddressSet(table, RelationRelationId, names->model);
	if (!OidIsValid(function.objectId))
		return;
	recordDependencyOn(&function, &table, DEPENDENCY_AUTO);
	CommandCounterIncrement();
}

static void
before_drop_of_model(Oid relid, const List *dropped)
{
	const DtHistoryNames *names = get_rel_relispartition(relid) ? NULL :
		dtmodel_history_names(relid);
	Oid			table;

	if (names == NULL)
		return;
	drop_as_of_too(names);
	table = dtmodel_named_history(names);
	if (OidIsValid(table) && !list_member_oid(dropped, table))
		ereport(NOTICE,
				(errmsg("table \"%s\" keeps the past of table \"%s\"",
						names->table, get_rel_name(relid))));
}

static void
before_drop(const DropStmt *statement)
{
	List	   *dropped;
	ListCell   *cell;

	if (statement->removeType == OBJECT_POLICY)
		before_drop_policy(statement);
	if (statement->removeType != OBJECT_TABLE)
		return;
	dropped = dropped_tables(statement);
	foreach(cell, dropped)
		check_no_history(lfirst_oid(cell), dropped);
	foreach(cell, dropped)
		before_drop_of_model(lfirst_oid(cell), dropped);
}

/*
 * history_protect_trigger() returns event_trigger
 *
 * ON ddl_command_start.  Refuses commands on a history that would break it
 * (55000), or drop it without its model (2BP01).  Gives a history to the new
 * owner of its model, and lets a model be dropped, which leaves its past.  Keeps
 * track of which policies of a history are those of its model.
 */
Datum
dtmodel_history_protect_trigger(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = dtmodel_event_data(fcinfo,
													  "history_protect_trigger",
													  "ddl_command_start");
	const Node *statement = data->parsetree;

	if (IsA(statement, AlterTableStmt))
		before_alter_table((const AlterTableStmt *) statement);
	else if (IsA(statement, RenameStmt))
		before_rename((const RenameStmt *) statement);
	else if (IsA(statement, AlterObjectSchemaStmt))
		before_set_schema((const AlterObjectSchemaStmt *) statement);
	else if (IsA(statement, DropStmt))
		before_drop((const DropStmt *) statement);
	else if (IsA(statement, CreatePolicyStmt))
		before_create_policy((const CreatePolicyStmt *) statement);
	else if (IsA(statement, AlterPolicyStmt))
		before_alter_policy(((const AlterPolicyStmt *) statement)->table,
							((const AlterPolicyStmt *) statement)->policy_name);
	PG_RETURN_NULL();
}
