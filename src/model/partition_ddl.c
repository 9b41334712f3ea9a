/*-------------------------------------------------------------------------
 *
 * partition_ddl.c
 *	  ATTACH PARTITION of a table that is a model already, and DETACH
 *	  PARTITION of one that must stay a model.
 *
 * The server clones the row triggers of a partitioned table to its
 * partitions, and drops the clones when a partition is detached.  A table
 * without them would not be a model any more, and its next DELETE would be
 * physical.  So the detached table gets triggers of its own.  When a table is
 * attached, a clone cannot be created if the table already has a trigger of
 * that name: so the table's own triggers are dropped before.
 *
 * Two event triggers of the extension do this, at the start and at the end of
 * ALTER TABLE.  Their changes are a part of the command, and are rolled back
 * with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "model/constraint.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "server/citus_ddl.h"
#include "server/event.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* The locks of ATTACH PARTITION, which we take earlier. */
#define PARENT_LOCK ShareUpdateExclusiveLock
#define PARTITION_LOCK AccessExclusiveLock

/* The events of triggers, as in pg_trigger. */
#define ALL_EVENTS (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | \
					TRIGGER_TYPE_DELETE | TRIGGER_TYPE_TRUNCATE)

PG_FUNCTION_INFO_V1(dtmodel_partition_attach_trigger);
PG_FUNCTION_INFO_V1(dtmodel_partition_detach_trigger);

/* The subcommand of an ALTER TABLE if it has one of these types, or NULL. */
static AlterTableCmd *
find_command(const Node *statement, AlterTableType type, AlterTableType other)
{
	ListCell   *cell;

	if (!IsA(statement, AlterTableStmt))
		return NULL;
	foreach(cell, ((const AlterTableStmt *) statement)->cmds)
	{
		AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

		if (command->subtype == type || command->subtype == other)
			return command;
	}
	return NULL;
}

static bool
is_table(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
}

/*
 * The events of our trigger on this table: where it is not partitioned no row
 * can move, so the events that only detect moves are left out.
 */
static int16
events_in(const Trigger *trigger, Relation rel)
{
	int16		events = trigger->tgtype & ALL_EVENTS;

	return rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? events :
		events & ~dtmodel_trigger_type(trigger)->move_events;
}

/*
 * Creates on the table a copy of a trigger of its former parent.  The
 * definition refers to columns, which may have other numbers here.
 */
static void
copy_trigger(const Trigger *trigger, Relation rel)
{
	Datum		definition = DirectFunctionCall1(pg_get_triggerdef,
												 ObjectIdGetDatum(trigger->tgoid));
	char	   *sql = TextDatumGetCString(definition);
	RawStmt    *raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	CreateTrigStmt *statement = castNode(CreateTrigStmt, raw->stmt);

	statement->events = events_in(trigger, rel);
	if ((statement->events & TRIGGER_TYPE_UPDATE) == 0)
		statement->columns = NIL;
	(void) CreateTriggerFiringOn(statement, sql, RelationGetRelid(rel),
								 InvalidOid, InvalidOid, InvalidOid,
								 trigger->tgfoid, InvalidOid, NULL, false,
								 false, trigger->tgenabled);
	CommandCounterIncrement();
}

/*
 * Whether the trigger is copied to the table.  A partition may have statement
 * triggers of its own.
 */
static bool
is_copied(const Trigger *trigger, Relation rel)
{
	const DtTriggerType *type = dtmodel_trigger_type(trigger);

	return type != NULL && events_in(trigger, rel) != 0 &&
		(TRIGGER_FOR_ROW(trigger->tgtype) ||
		 dtmodel_find_trigger(rel, type) == NULL);
}

/* Whether the owner of a table has no reason to trust a function. */
static bool
is_others_function(Oid funcid, void *owner)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	Oid			function_owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", funcid);
	function_owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return function_owner != *(Oid *) owner && !superuser_arg(function_owner);
}

/* The CHECKs of a domain may call any function. */
static bool
calls_others_function(Node *node, void *owner)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, is_others_function, owner))
		return true;
	return expression_tree_walker(node, calls_others_function, owner);
}

/*
 * Refuses to leave a table with a condition that calls functions of the owner
 * of its former parent.  As a partition it had the condition too, but its own
 * owner need not know that it stays.  The conditions of add_* call no
 * functions.
 */
static void
check_condition(const Trigger *trigger, Relation parent, Relation rel)
{
	Oid			owner = rel->rd_rel->relowner;

	if (trigger->tgqual == NULL || parent->rd_rel->relowner == owner ||
		!calls_others_function(stringToNode(trigger->tgqual), &owner))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("trigger \"%s\" of table \"%s\" cannot stay on table \"%s\"",
					trigger->tgname, RelationGetRelationName(parent),
					RelationGetRelationName(rel)),
			 errdetail("Its condition calls a function whose owner is not the owner of \"%s\".",
					   RelationGetRelationName(rel)),
			 errhint("Drop the trigger first, or create it without the condition."),
			 errtable(rel)));
}

/* Copies our triggers, and returns their names in quotes. */
static char *
copy_triggers(TriggerDesc *triggers, Relation parent, Relation rel)
{
	StringInfoData names;
	int			level = NewGUCNestLevel();

	/* No other names are found while a definition is written and parsed. */
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	initStringInfo(&names);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_copied(trigger, rel))
			continue;
		check_condition(trigger, parent, rel);
		copy_trigger(trigger, rel);
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 trigger->tgname);
	}
	AtEOXact_GUC(true, level);
	return names.data;
}

/* Adds what a model needs once it is not a partition any more. */
static void
add_what_partitions_lack(Oid relid)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	DtChange	change;
	int			nest_level;

	dtmodel_begin_change(&change, relid, DT_TRIGGER_LOCK);
	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->after_detach != NULL &&
			dtmodel_options_of(dtmodel_get_model(change.rel), mixins[i]) != NULL)
			mixins[i]->after_detach(&change);
	}
	nest_level = dtmodel_begin_citus_ddl();
	dtmodel_apply_change_silently(&change);
	dtmodel_end_citus_ddl(nest_level);
}

static void
report_detached_foreign_table(Relation rel, Relation parent)
{
	ereport(NOTICE,
			(errmsg("foreign table \"%s\" is no longer a model",
					RelationGetRelationName(rel)),
			 errdetail("It had its triggers as a partition of table \"%s\".",
					   RelationGetRelationName(parent)),
			 errtable(rel)));
}

/*
 * Makes the detached table the model that its former parent is.  The command
 * is run by the owner of the parent; the table may have another owner, as
 * whom the triggers are created.
 */
static void
keep_model(Relation parent, Relation rel)
{
	TriggerDesc *triggers = dtmodel_triggers(parent);
	DtCaller	caller;
	char	   *names;

	if (!dtmodel_has_own_trigger(parent))
		return;
	if (!is_table(rel))
	{
		report_detached_foreign_table(rel, parent);
		return;
	}

	caller = dtmodel_act_as_owner(rel);
	names = copy_triggers(triggers, parent, rel);
	add_what_partitions_lack(RelationGetRelid(rel));
	dtmodel_act_as(&caller);
	ereport(NOTICE,
			(errmsg("table \"%s\" remains a model", RelationGetRelationName(rel)),
			 errdetail("Its triggers are those of table \"%s\": %s.",
					   RelationGetRelationName(parent), names),
			 errtable(rel)));
}

/*
 * Opens a table that the command has found under this name and locked.  Since
 * then another session may have created a table of the same name in an
 * earlier schema of search_path, but we hold no lock on that one.
 */
static Relation
open_locked(const RangeVar *name, LOCKMODE mode, bool missing_ok)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, missing_ok);
	LOCKTAG		tag;

	if (!OidIsValid(relid))
		return NULL;
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	if (!compat_lock_held_by_me(&tag, mode))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("another table \"%s\" was created concurrently",
						name->relname),
				 errhint("Name the tables with their schemas.")));
	return relation_open(relid, NoLock);
}

/* With IF EXISTS, nothing was done if the partitioned table does not exist. */
static void
follow_detach(const AlterTableStmt *statement, AlterTableCmd *command)
{
	LOCKMODE	parent_lock = AlterTableGetLockLevel(list_make1(command));
	Relation	parent = open_locked(statement->relation, parent_lock,
									 statement->missing_ok);
	Relation	rel;

	if (parent == NULL)
		return;
	rel = open_locked(castNode(PartitionCmd, command->def)->name,
					  PARTITION_LOCK, false);
	keep_model(parent, rel);
	relation_close(rel, NoLock);
	relation_close(parent, NoLock);
}

/*
 * partition_detach_trigger() returns event_trigger
 *
 * ON ddl_command_end, for ALTER TABLE.  After DETACH PARTITION from a model,
 * CONCURRENTLY and FINALIZE too, the detached table gets the triggers that it
 * had as a partition, and stays the model that it was.
 */
Datum
dtmodel_partition_detach_trigger(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = dtmodel_event_data(fcinfo,
													  "partition_detach_trigger",
													  "ddl_command_end");
	AlterTableCmd *command = find_command(data->parsetree, AT_DetachPartition,
										  AT_DetachPartitionFinalize);

	if (command != NULL)
	{
		/*
		 * CONCURRENTLY gets here in a transaction that it has started,
		 * without a snapshot.
		 */
		PushActiveSnapshot(GetTransactionSnapshot());
		follow_detach((const AlterTableStmt *) data->parsetree, command);
		PopActiveSnapshot();
	}
	PG_RETURN_NULL();
}

static void
report_lost_mixin(Relation rel, Relation parent, const DtMixin *mixin)
{
	char	   *remove = psprintf("%s.%s(%s)", DTMODEL_SCHEMA, mixin->remove,
								  dtmodel_quoted_name(rel));

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has %s, but partitioned table \"%s\" has none",
					RelationGetRelationName(rel), mixin->title,
					RelationGetRelationName(parent)),
			 errdetail("A partition has the mixins of its partitioned table, so this one would be lost."),
			 mixin->refuses_partitioned ?
			 errhint("Call %s first.", remove) :
			 errhint("Call %s.%s(%s) or %s first.", DTMODEL_SCHEMA, mixin->add,
					 dtmodel_quoted_name(parent), remove),
			 errtable(rel)));
}

static const char *
option_text(const char *value)
{
	return value == NULL ? "none" : psprintf("\"%s\"", value);
}

static void
check_option(Relation rel, const Trigger *trigger, Relation parent,
			 const Trigger *parents, const DtMixin *mixin, const char *option,
			 bool may_be_added)
{
	const char *own = dtmodel_trigger_option(trigger, option);
	const char *other = dtmodel_trigger_option(parents, option);

	if (own == NULL ? other == NULL || may_be_added :
		other != NULL && strcmp(own, other) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has %s with other columns than partitioned table \"%s\"",
					RelationGetRelationName(rel), mixin->title,
					RelationGetRelationName(parent)),
			 errdetail("Its %s is %s, but that of table \"%s\" is %s.",
					   option, option_text(own),
					   RelationGetRelationName(parent), option_text(other)),
			 errhint("Call %s.%s(%s) with the columns of \"%s\", or %s.%s(%s), first.",
					 DTMODEL_SCHEMA, mixin->add, dtmodel_quoted_name(rel),
					 RelationGetRelationName(parent), DTMODEL_SCHEMA,
					 mixin->remove, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static void
check_options(Relation rel, const Trigger *trigger, Relation parent,
			  const Trigger *parents, const DtMixin *mixin)
{
	const char *const *fixed = mixin->options_to_match;

	for (int i = 0; i < mixin->ncolumns; i++)
		check_option(rel, trigger, parent, parents, mixin,
					 mixin->columns[i].option, !mixin->columns[i].has_to_match);
	for (int i = 0; fixed != NULL && fixed[i] != NULL; i++)
		check_option(rel, trigger, parent, parents, mixin, fixed[i], false);
}

static void
check_mixin(Relation rel, Relation parent, const DtMixin *mixin)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, mixin->triggers);
	const Trigger *parents = dtmodel_find_trigger(parent, mixin->triggers);

	if (trigger == NULL)
		return;
	if (parents == NULL)
		report_lost_mixin(rel, parent, mixin);
	check_options(rel, trigger, parent, parents, mixin);
}

/*
 * Checks a trigger of any other kind.  Statement triggers are not cloned, and
 * belong to a mixin that was compared before.
 */
static void
check_other_trigger(Relation rel, const Trigger *trigger,
					const DtTriggerType *type, Relation parent)
{
	if (!TRIGGER_FOR_ROW(trigger->tgtype) ||
		dtmodel_find_trigger(parent, type) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has trigger \"%s\", but partitioned table \"%s\" has none like it",
					RelationGetRelationName(rel), trigger->tgname,
					RelationGetRelationName(parent)),
			 errdetail("A partition has the triggers of its partitioned table, so this one would be lost."),
			 errhint("Drop the trigger, or give the partitioned table the same mixins first."),
			 errtable(rel)));
}

/* Refuses to attach a table that would lose something as a partition. */
static void
check_nothing_is_lost(Relation rel, Relation parent)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->check_attach != NULL)
			mixins[i]->check_attach(rel, parent);
		else
			check_mixin(rel, parent, mixins[i]);
	}
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		const DtTriggerType *type = dtmodel_trigger_type(trigger);

		if (type != NULL)
			check_other_trigger(rel, trigger, type, parent);
	}
}

/* The CHECK of a mixin; NULL if the table has none. */
static const char *
find_check(Relation rel, const DtMixin *mixin)
{
	const void *options = dtmodel_options_of(dtmodel_get_model(rel), mixin);
	const char *check = options == NULL ? NULL : mixin->find_check(rel, options);

	return check == NULL ? NULL : pstrdup(check);
}

/*
 * The server requires the constraints of the partitioned table under their
 * own names, and add_* names a CHECK after its table.
 */
static void
rename_check(DtChange *change, Relation parent, const DtMixin *mixin)
{
	const char *name = find_check(change->rel, mixin);
	const char *parents = find_check(parent, mixin);

	if (name != NULL && parents != NULL)
		dtmodel_rename_constraint(change, name, parents);
}

static void
rename_checks(DtChange *change, Relation parent)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->find_check != NULL)
			rename_check(change, parent, mixins[i]);
	}
}

static void
drop_all_triggers(DtChange *change)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		for (int j = 0; j < mixins[i]->ntriggers; j++)
			dtmodel_drop_trigger(change, &mixins[i]->triggers[j]);
	}
}

/* Drops the table's own triggers; its partitions lose them with it. */
static void
make_part_of_model(Oid relid, Relation parent)
{
	DtChange	change;
	char	   *name;
	int			nest_level;

	dtmodel_begin_change(&change, relid, PARTITION_LOCK);
	name = pstrdup(RelationGetRelationName(change.rel));
	rename_checks(&change, parent);
	drop_all_triggers(&change);
	nest_level = dtmodel_begin_local_ddl();
	dtmodel_apply_change_silently(&change);
	dtmodel_end_citus_ddl(nest_level);
	ereport(NOTICE,
			(errmsg("table \"%s\" becomes a part of the model \"%s\"", name,
					RelationGetRelationName(parent)),
			 errdetail("The triggers of \"%s\" and their options replace its own.",
					   RelationGetRelationName(parent))));
}

/*
 * The command looks the table up again.  With the schema added, it cannot
 * find one that was created in an earlier schema of search_path meanwhile.
 * The schema's name must outlive the event trigger, so it is allocated with
 * the statement.
 */
static void
add_schema_to_name(RangeVar *name, Relation rel)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(rel));

	name->schemaname = MemoryContextStrdup(GetMemoryChunkContext(name), schema);
}

/*
 * Whether it is a model that can be attached; the command itself reports
 * other errors.
 */
static bool
is_attachable_model(Relation rel)
{
	return is_table(rel) && !rel->rd_rel->relispartition &&
		dtmodel_has_own_trigger(rel);
}

static void
prepare_partition(RangeVar *name, Oid relid, Relation parent)
{
	Relation	rel = relation_open(relid, NoLock);
	bool		is_model = is_attachable_model(rel);

	if (is_model)
	{
		check_nothing_is_lost(rel, parent);
		add_schema_to_name(name, rel);

		/* In the order in which the command locks them. */
		(void) find_all_inheritors(relid, PARTITION_LOCK, NULL);
	}
	relation_close(rel, NoLock);
	if (is_model)
		make_part_of_model(relid, parent);
}

/*
 * Takes the locks of the command, in its order: on the partitioned table, its
 * default partition and the table to attach, and like the command only on
 * tables that the user owns.  The command itself reports a missing table.
 */
static void
prepare_attach(RangeVar *parent_name, RangeVar *name)
{
	Oid			parentid = RangeVarGetRelidExtended(parent_name, PARENT_LOCK,
													RVR_MISSING_OK,
													RangeVarCallbackOwnsRelation,
													NULL);
	Oid			default_partition;
	Oid			relid;
	Relation	parent;

	if (!OidIsValid(parentid))
		return;
	parent = relation_open(parentid, NoLock);
	if (parent->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		dtmodel_has_own_trigger(parent))
	{
		add_schema_to_name(parent_name, parent);
		default_partition = get_default_partition_oid(parentid);
		if (OidIsValid(default_partition))
			LockRelationOid(default_partition, PARTITION_LOCK);
		relid = RangeVarGetRelidExtended(name, PARTITION_LOCK, RVR_MISSING_OK,
										 RangeVarCallbackOwnsRelation, NULL);
		if (OidIsValid(relid))
			prepare_partition(name, relid, parent);
	}
	relation_close(parent, NoLock);
}

/*
 * partition_attach_trigger() returns event_trigger
 *
 * ON ddl_command_start, for ALTER TABLE.  Before ATTACH PARTITION to a model,
 * a table that is a model too gives up its own triggers, for those of the
 * partitioned table.  A mixin that would be lost, or that has other columns
 * there, is an error (55000).
 */
Datum
dtmodel_partition_attach_trigger(PG_FUNCTION_ARGS)
{
	const EventTriggerData *data = dtmodel_event_data(fcinfo,
													  "partition_attach_trigger",
													  "ddl_command_start");
	const AlterTableCmd *command = find_command(data->parsetree,
												AT_AttachPartition,
												AT_AttachPartition);

	if (command != NULL)
		prepare_attach(((AlterTableStmt *) data->parsetree)->relation,
					   castNode(PartitionCmd, command->def)->name);
	PG_RETURN_NULL();
}
