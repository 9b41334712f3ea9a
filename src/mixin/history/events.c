/*-------------------------------------------------------------------------
 *
 * events.c
 *	  The event triggers by which a history follows its model.
 *
 * What a command has done is read from what the server has collected about it:
 * so it does not matter which table its names stand for by now, which role runs
 * it, or from where.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/history/arguments.h"
#include "miscadmin.h"
#include "mixin/history/follow.h"
#include "mixin/history/policy.h"
#include "mixin/history/setup.h"
#include "model/inheritance.h"
#include "nodes/nodes.h"
#include "server/dependents.h"
#include "server/event.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(dtmodel_history_follow_trigger);
PG_FUNCTION_INFO_V1(dtmodel_history_drop_trigger);

/* The table and those that inherit from it, as far as the command goes. */
static List *
reached_tables(Oid relid, const DtSchemaChange *change)
{
	Relation	rel;
	List	   *inheritors;

	if (!change->reaches_inheritors)
		return list_make1_oid(relid);
	rel = relation_open(relid, AccessShareLock);
	inheritors = dtmodel_inheritors(rel, AccessShareLock);
	relation_close(rel, NoLock);
	return lcons_oid(relid, inheritors);
}

static void
follow_table(Oid relid, const DtSchemaChange *change)
{
	List	   *tables = reached_tables(relid, change);

	for (int i = list_length(tables) - 1; i >= 0; i--)
		dtmodel_prepare_to_follow(list_nth_oid(tables, i), change);
	for (int i = 0; i < list_length(tables); i++)
		dtmodel_follow_in_history(list_nth_oid(tables, i), change);
}

/* A command on a composite type reaches the tables OF it. */
static void
follow_relation(Oid relid, const DtSchemaChange *change)
{
	ListCell   *cell;

	follow_table(relid, change);
	if (get_rel_relkind(relid) != RELKIND_COMPOSITE_TYPE)
		return;
	foreach(cell, dtmodel_dependents(TypeRelationId, get_rel_type_id(relid),
									 RelationRelationId))
		follow_table(lfirst_oid(cell), change);
}

/* TRUNCATE of a single partition fires its own trigger only. */
static void
follow_new_partition(Oid partition)
{
	char		relkind = get_rel_relkind(partition);
	List	   *ancestors;

	if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) ||
		!get_rel_relispartition(partition))
		return;
	ancestors = get_partition_ancestors(partition);
	if (ancestors != NIL && dtmodel_history_names(llast_oid(ancestors)) != NULL)
		dtmodel_add_truncate_triggers(partition);
}

/*
 * The command has found a table under this name.  Since then another session
 * may have created one of the same name in an earlier schema of search_path.
 */
static void
follow_attach(Oid parent, const PartitionCmd *command)
{
	Oid			partition = RangeVarGetRelid(command->name, NoLock, true);

	if (get_rel_relkind(parent) != RELKIND_PARTITIONED_TABLE)
		return;
	if (!OidIsValid(partition) || !get_rel_relispartition(partition) ||
		get_partition_parent(partition, false) != parent)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("another table \"%s\" was created concurrently",
						command->name->relname),
				 errhint("Name the tables with their schemas.")));
	follow_new_partition(partition);
}

static bool
adds_primary_key(const AlterTableCmd *command)
{
	return (command->subtype == AT_AddIndex ||
			command->subtype == AT_AddIndexConstraint) &&
		IsA(command->def, IndexStmt) && ((IndexStmt *) command->def)->primary;
}

/* What the server has done. */
static void
read_collected(const CollectedATSubcmd *collected, DtSchemaChange *change)
{
	AlterTableCmd *command = (AlterTableCmd *) collected->parsetree;

	change->changes_key |= IsA(command, AlterTableCmd) && adds_primary_key(command);

	/* With IF NOT EXISTS, there may be no column that was added. */
	if (IsA(command, AlterTableCmd) && compat_adds_column(command->subtype) &&
		collected->address.objectSubId != 0)
		change->added = lappend(change->added, (void *) &collected->address);
}

/*
 * What the user has written.  Only commands on columns reach the tables that
 * inherit, and have locked them.
 */
static void
read_written(const AlterTableStmt *statement, AlterTableCmd *command,
			 DtSchemaChange *change)
{
	switch (command->subtype)
	{
		case AT_AlterColumnType:
			change->retyped = lappend(change->retyped, command);
			change->reaches_inheritors = statement->relation->inh;
			break;
		case AT_AddColumn:
		case AT_DropColumn:
			change->reaches_inheritors = statement->relation->inh;
			break;
		case AT_EnableRowSecurity:
		case AT_ForceRowSecurity:
			change->secures_rows = true;
			break;
		case AT_SetLogged:
			change->is_made_permanent = true;
			break;
		case AT_AddInherit:
		case AT_DropInherit:
			change->changes_parents = true;
			break;
		case AT_AttachPartition:
			follow_attach(change->table, castNode(PartitionCmd, command->def));
			break;
		default:
			break;
	}
}

/*
 * The server divides an ALTER TABLE that creates a sequence too: its commands
 * are read together.
 */
static void
follow_alter_table(const AlterTableStmt *statement, List *commands)
{
	DtSchemaChange change = {0};
	ListCell   *cell;
	ListCell   *subcell;

	foreach(cell, commands)
	{
		const CollectedCommand *command = lfirst(cell);

		if (command->type != SCT_AlterTable ||
			!equal(command->parsetree, statement))
			continue;
		change.table = command->d.alterTable.objectId;
		foreach(subcell, command->d.alterTable.subcmds)
			read_collected(lfirst(subcell), &change);
	}
	if (!OidIsValid(change.table))
		return;
	foreach(cell, statement->cmds)
		read_written(statement, lfirst_node(AlterTableCmd, cell), &change);
	follow_relation(change.table, &change);
}

/* The functions that show the past name the tables with their schema. */
static void
follow_schema_name(Oid schema)
{
	ListCell   *cell;

	foreach(cell, dtmodel_all_histories())
	{
		const DtHistoryNames *names = lfirst(cell);

		if (get_rel_namespace(names->model) == schema)
			dtmodel_rewrite_as_of(names->model);
	}
}

/* A policy of a model, or one of a history that may be such a policy. */
static void
follow_policy(Oid policy, bool is_new)
{
	Oid			table = dtmodel_table_of_policy(policy);
	const DtHistoryNames *names = dtmodel_model_of_history(table);

	if (OidIsValid(table) && names == NULL)
		dtmodel_follow_policies(table, policy);
	else if (names != NULL && is_new)
		dtmodel_replace_copied_policy(names->model, table, policy);
}

static void
follow_rename(const RenameStmt *statement, const ObjectAddress *address)
{
	DtSchemaChange change = {.table = address->objectId};

	if (address->classId == NamespaceRelationId)
		follow_schema_name(address->objectId);
	if (address->classId == PolicyRelationId)
		follow_policy(address->objectId, false);
	if (address->classId != RelationRelationId)
		return;
	if (address->objectSubId != 0)
	{
		change.old_column = statement->subname;
		change.new_column = statement->newname;
		change.reaches_inheritors = statement->relation->inh;
	}
	else
		change.old_name = statement->relation->relname;
	follow_relation(change.table, &change);
}

static void
follow_set_schema(const CollectedCommand *command)
{
	DtSchemaChange change = {.table = command->d.simple.address.objectId};

	if (command->d.simple.address.classId != RelationRelationId)
		return;
	change.old_schema = command->d.simple.secondaryObject.objectId;
	follow_relation(change.table, &change);
}

static void
follow_simple(const CollectedCommand *command)
{
	if (IsA(command->parsetree, RenameStmt))
		follow_rename((RenameStmt *) command->parsetree,
					  &command->d.simple.address);
	else if (IsA(command->parsetree, AlterObjectSchemaStmt))
		follow_set_schema(command);
	else if (IsA(command->parsetree, CreateStmt))
		follow_new_partition(command->d.simple.address.objectId);
	else if (IsA(command->parsetree, CreatePolicyStmt) ||
			 IsA(command->parsetree, AlterPolicyStmt))
		follow_policy(command->d.simple.address.objectId,
					  IsA(command->parsetree, CreatePolicyStmt));
}

static void
follow_statement(const Node *statement)
{
	List	   *commands = dtmodel_collected_commands();
	ListCell   *cell;

	if (IsA(statement, AlterTableStmt))
	{
		follow_alter_table((const AlterTableStmt *) statement, commands);
		return;
	}
	foreach(cell, commands)
	{
		const CollectedCommand *command = lfirst(cell);

		if (command->type == SCT_Simple)
			follow_simple(command);
	}
}

/* A dump is restored by many commands that concern no model. */
static bool
may_concern_history(const Node *statement)
{
	return !IsA(statement, CreateStmt) ||
		((const CreateStmt *) statement)->partbound != NULL;
}

/*
 * history_follow_trigger() returns event_trigger
 *
 * ON ddl_command_end.  What a command has done to a model is done to its
 * history too: columns added, renamed and changed, the table renamed and
 * moved; rows secured, by the same policies.  A new partition gets the trigger that notices TRUNCATE.
 * A column with a name that a history needs is an error (42701), and so is a
 * change that does not work on the past.
 */
Datum
dtmodel_history_follow_trigger(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = dtmodel_event_data(fcinfo,
													  "history_follow_trigger",
													  "ddl_command_end");

	if (may_concern_history(data->parsetree))
	{
		/* DETACH CONCURRENTLY gets here without a snapshot. */
		PushActiveSnapshot(GetTransactionSnapshot());
		follow_statement(data->parsetree);
		PopActiveSnapshot();
	}
	PG_RETURN_NULL();
}

/* The tables that a query on the dropped objects finds. */
static List *
read_tables(const char *query)
{
	int			count;
	Datum	   *values = dtmodel_read_event(query, &count);
	List	   *tables = NIL;

	for (int i = 0; i < count; i++)
		tables = lappend_oid(tables, DatumGetObjectId(values[i]));
	return tables;
}

/* The tables that have lost a column, and are still there. */
static List *
tables_that_lost_columns(void)
{
	return read_tables("SELECT DISTINCT d.objid"
					   " FROM pg_catalog.pg_event_trigger_dropped_objects() AS d"
					   " JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) d.objid"
					   " WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
					   " AND d.objsubid OPERATOR(pg_catalog.<>) 0 ORDER BY 1");
}

static List *
tables_that_lost_policies(void)
{
	return read_tables("SELECT DISTINCT c.oid"
					   " FROM pg_catalog.pg_event_trigger_dropped_objects() AS d"
					   " JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) d.address_names[1]"
					   " JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid"
					   " AND c.relname OPERATOR(pg_catalog.=) d.address_names[2]"
					   " WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_policy'::pg_catalog.regclass ORDER BY 1");
}

/*
 * The past that a dropped policy has hidden can be shown now.  A role that
 * drops the policy together with another object need not own the table, which
 * may be that object.
 */
static void
follow_dropped_policies(void)
{
	ListCell   *cell;

	foreach(cell, tables_that_lost_policies())
	{
		if (get_rel_relkind(lfirst_oid(cell)) != '\0' &&
			compat_relation_ownercheck(lfirst_oid(cell), GetUserId()))
			dtmodel_follow_policies(lfirst_oid(cell), InvalidOid);
	}
}

/*
 * history_drop_trigger() returns event_trigger
 *
 * ON sql_drop, for commands that may drop a column or a policy of a model with
 * something else, such as its type: the function that shows the past goes on
 * without it.
 */
Datum
dtmodel_history_drop_trigger(PG_FUNCTION_ARGS)
{
	ListCell   *cell;

	(void) dtmodel_event_data(fcinfo, "history_drop_trigger", "sql_drop");
	foreach(cell, tables_that_lost_columns())
	{
		DtSchemaChange none = {0};

		follow_relation(lfirst_oid(cell), &none);
	}
	follow_dropped_policies();
	PG_RETURN_NULL();
}
