/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  What is out of order with a model: the entries, and the checks that are
 *	  the same for all mixins.
 *
 * dtmodel.models checks all tables, so only the catalogs are read, and only
 * weak locks are taken.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "model/drift.h"
#include "model/mixin_call.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteDefine.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The events of a row trigger, as bits of tgtype. */
#define EVENT_BITS (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)

/* Before or after, and for each row or statement. */
#define TIMING_BITS (TRIGGER_TYPE_TIMING_MASK | TRIGGER_TYPE_ROW)

/*
 * Before the name of a trigger that must run before ours: it comes before
 * "zz_dtmodel", and after most other names.
 */
#define EARLIER "zy"

/* Whether a statement calls add_*, which adds what is missing. */
static bool
adds_columns(const char *statement)
{
	return strstr(statement, DTMODEL_SCHEMA ".add_") != NULL;
}

/*
 * Appends an entry about something that is out of order, which the format
 * describes.  A call of add_* would also add a column or table that is missing,
 * and rows that are deleted would be live by an empty one.  So if the user has
 * to decide whether it was renamed, such calls wait for that.
 */
void
dtmodel_append_drift(DtDrift *drift, DtRemedy kind, const char *remedy,
					 const char *format,...)
{
	StringInfo	entries = kind == DT_SESSION ? &drift->session : &drift->table;
	StringInfoData problem;
	va_list		args;
	int			needed;

	if (kind == DT_REPAIR && drift->undecided && adds_columns(remedy))
	{
		kind = DT_ADVICE;
		remedy = psprintf("first decide about what is missing, and then %s", remedy);
	}
	if (kind == DT_REPAIR)
		drift->repairs = lappend(drift->repairs, pstrdup(remedy));
	initStringInfo(&problem);
	do
	{
		va_start(args, format);
		needed = appendStringInfoVA(&problem, format, args);
		va_end(args);
		if (needed > 0)
			enlargeStringInfo(&problem, needed);
	} while (needed > 0);
	appendStringInfoString(entries, entries->len > 0 ? ", {" : "{");
	dtmodel_append_member(entries, "problem", problem.data);
	appendStringInfoString(entries, ", ");
	dtmodel_append_member(entries, kind == DT_ADVICE ? "advice" : "repair",
						  remedy);
	appendStringInfoChar(entries, '}');
}

char *
dtmodel_alter_column(Relation rel, const DtColumn *column, const char *action)
{
	return psprintf("ALTER TABLE %s ALTER COLUMN %s %s",
					dtmodel_qualified_name(rel),
					quote_identifier(NameStr(column->name)), action);
}

/*
 * Columns
 */

/* Whether users choose the column, so that add_* cannot add it. */
static bool
is_of_user(const DtMixinColumn *kept)
{
	return kept->use->type == NULL;
}

static void
drift_of_missing_column(DtDrift *drift, Relation rel, const DtMixin *mixin,
						const DtMixinColumn *kept, const DtColumn *column)
{
	const char *renamed = dtmodel_renamed_column(rel, mixin, kept->option);

	if (renamed != NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel, mixin),
							 "column \"%s\" was renamed to \"%s\"",
							 NameStr(column->name), renamed);
	else if (is_of_user(kept))
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("call %s.%s with the name of another column as %s",
									  DTMODEL_SCHEMA, mixin->add, kept->option),
							 "column \"%s\" does not exist",
							 NameStr(column->name));
	else
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("if it was renamed, call %s.%s with its new name, and otherwise %s",
									  DTMODEL_SCHEMA, mixin->add,
									  dtmodel_repair_statement(rel, mixin)),
							 "column \"%s\" does not exist",
							 NameStr(column->name));
	if (renamed == NULL)
		drift->undecided = true;
}

/* A DEFAULT may have no cast to the type, so it is dropped first. */
static void
drift_of_type(DtDrift *drift, Relation rel, const DtMixinColumn *kept,
			  const DtColumn *column)
{
	const char *name = quote_identifier(NameStr(column->name));
	const char *drop = column->has_default ?
		psprintf("DROP DEFAULT, ALTER COLUMN %s ", name) : "";

	dtmodel_append_drift(drift, DT_REPAIR,
						 dtmodel_alter_column(rel, column,
											  psprintf("%sTYPE %s USING %s::%s",
													   drop, kept->use->type,
													   name, kept->use->type)),
						 "column \"%s\" is of type %s instead of %s",
						 NameStr(column->name), format_type_be(column->typid),
						 kept->use->types);
}

/* A virtual column holds nothing that would be lost. */
static void
drift_of_generated(DtDrift *drift, Relation rel, const DtMixin *mixin,
				   const DtMixinColumn *kept, const DtColumn *column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel),
										  column->attnum - 1);
	const char *name = NameStr(column->name);

	if (is_of_user(kept))
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("call %s.%s with the name of another column as %s",
									  DTMODEL_SCHEMA, mixin->add, kept->option),
							 "column \"%s\" is a generated column, whose value the trigger does not see",
							 name);
	else if (compat_is_virtual(att))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE %s DROP COLUMN %s; %s",
									  dtmodel_qualified_name(rel),
									  quote_identifier(name),
									  dtmodel_repair_statement(rel, mixin)),
							 "column \"%s\" is a generated column", name);
	else
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_alter_column(rel, column,
												  "DROP EXPRESSION"),
							 "column \"%s\" is a generated column", name);
}

static void
drift_of_column(DtDrift *drift, Relation rel, const DtMixin *mixin,
				const DtMixinColumn *kept, const DtColumn *column)
{
	if (!AttributeNumberIsValid(column->attnum))
		drift_of_missing_column(drift, rel, mixin, kept, column);
	else if (!dtmodel_column_fits(column, kept->use))
		drift_of_type(drift, rel, kept, column);
	else if (TupleDescAttr(RelationGetDescr(rel),
						   column->attnum - 1)->attgenerated != '\0')
		drift_of_generated(drift, rel, mixin, kept, column);
}

static void
drift_of_missing_argument(DtDrift *drift, Relation rel, const DtMixin *mixin,
						  const DtMixinColumn *kept)
{
	if (is_of_user(kept))
		dtmodel_append_drift(drift, DT_ADVICE,
							 psprintf("call %s.%s with it", DTMODEL_SCHEMA,
									  mixin->add),
							 "a trigger lacks its argument \"%s\"",
							 kept->option);
	else
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel, mixin),
							 "a trigger lacks its argument \"%s\"",
							 kept->option);
}

/*
 * Columns that do not exist any more, that have another type, or that the
 * trigger cannot write.
 */
void
dtmodel_drift_of_columns(DtDrift *drift, Relation rel, const DtMixin *mixin,
						 const void *options)
{
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtMixinColumn *kept = &mixin->columns[i];
		const DtColumn *column = dtmodel_mixin_column(kept, options);

		if (dtmodel_column_is_used(column))
			drift_of_column(drift, rel, mixin, kept, column);
		else if (dtmodel_needs_column(mixin, options, i))
			drift_of_missing_argument(drift, rel, mixin, kept);
	}
}

/*
 * Triggers
 */

void
dtmodel_drift_of_missing_trigger(DtDrift *drift, Relation rel,
								 const DtMixin *mixin,
								 const DtTriggerType *type)
{
	if (dtmodel_find_trigger(rel, type) == NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel, mixin),
							 "trigger \"%s\" does not exist", type->name);
}

/* "trigger "x"", and of which partition. */
static char *
trigger_label(Relation rel, const Trigger *trigger)
{
	if (!rel->rd_rel->relispartition)
		return psprintf("trigger \"%s\"", trigger->tgname);
	return psprintf("trigger \"%s\" of partition \"%s\"", trigger->tgname,
					RelationGetRelationName(rel));
}

static bool
is_enabled(const Trigger *trigger)
{
	return dtmodel_is_fired(trigger->tgenabled);
}

/* The mixin that has triggers of the type. */
static const DtMixin *
mixin_of(const DtTriggerType *type)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (type >= mixins[i]->triggers &&
			type < mixins[i]->triggers + mixins[i]->ntriggers)
			return mixins[i];
	}
	elog(ERROR, "a trigger of no mixin");
	return NULL;
}

/*
 * What repairs one of our triggers: the statement or, if that was reported
 * before, the call that creates all triggers of the mixin under their usual
 * names, after which the statement would find no other.
 */
static const char *
trigger_repair(const DtDrift *drift, Relation rel, const Trigger *ours,
			   const DtTriggerType *type, const char *statement)
{
	const DtMixin *mixin = mixin_of(type);
	const char *call;
	ListCell   *cell;

	if (mixin->add == NULL || dtmodel_has_usual_name(ours, type))
		return statement;
	call = dtmodel_repair_statement(rel, mixin);
	foreach(cell, drift->repairs)
	{
		if (strstr(lfirst(cell), call) != NULL)
			return call;
	}
	return statement;
}

static void
drift_of_disabled(DtDrift *drift, Relation rel, const Trigger *trigger,
				  const DtTriggerType *type)
{
	char	   *statement = psprintf("ALTER TABLE %s ENABLE TRIGGER %s",
									 dtmodel_qualified_name(rel),
									 quote_identifier(trigger->tgname));

	dtmodel_append_drift(drift, DT_REPAIR,
						 trigger_repair(drift, rel, trigger, type, statement),
						 "%s is %s", trigger_label(rel, trigger),
						 trigger->tgenabled == TRIGGER_DISABLED ? "disabled" :
						 "enabled only for session_replication_role = replica");
}

static bool
has_name(const TriggerDesc *triggers, const char *name)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (strcmp(triggers->triggers[i].tgname, name) == 0)
			return true;
	}
	return false;
}

/* A free name for a trigger that is to run before ours. */
static char *
earlier_name(const TriggerDesc *triggers, const char *name)
{
	char	   *chosen = makeObjectName(EARLIER, name, NULL);

	for (int i = 1; has_name(triggers, chosen); i++)
		chosen = makeObjectName(EARLIER, name, psprintf("%d", i));
	return chosen;
}

static char *
rename_statement(Relation rel, const Trigger *trigger, const char *name)
{
	return psprintf("ALTER TRIGGER %s ON %s RENAME TO %s",
					quote_identifier(trigger->tgname),
					dtmodel_qualified_name(rel), quote_identifier(name));
}

static bool
fires_before_row(const Trigger *trigger)
{
	return TRIGGER_TYPE_MATCHES(trigger->tgtype & ~EVENT_BITS, TRIGGER_TYPE_ROW,
								TRIGGER_TYPE_BEFORE, 0);
}

/* Whether the other trigger fires after ours and may change its result. */
static bool
runs_after(const Trigger *other, const Trigger *ours)
{
	return fires_before_row(other) && fires_before_row(ours) &&
		(other->tgtype & ours->tgtype & EVENT_BITS) != 0 &&
		is_enabled(other) && strcmp(other->tgname, ours->tgname) > 0;
}

/*
 * Whether our trigger was renamed so that other triggers cannot run before it,
 * and can get its name again.
 */
static bool
was_renamed(const TriggerDesc *triggers, const Trigger *ours,
			const DtTriggerType *type)
{
	return strcmp(ours->tgname, EARLIER "_") <= 0 &&
		!has_name(triggers, type->name);
}

/* Reports a trigger of the user after the first of ours that it runs after. */
static void
drift_of_other(DtDrift *drift, Relation rel, const TriggerDesc *triggers,
			   const Trigger *other)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *ours = &triggers->triggers[i];
		const DtTriggerType *type = dtmodel_trigger_type(ours);

		if (type == NULL || !runs_after(other, ours) ||
			was_renamed(triggers, ours, type))
			continue;
		dtmodel_append_drift(drift, DT_REPAIR,
							 rename_statement(rel, other,
											  earlier_name(triggers,
														   other->tgname)),
							 "%s runs after \"%s\"", trigger_label(rel, other),
							 ours->tgname);
		return;
	}
}

/* Whether the other trigger and ours run in the wrong order. */
static bool
is_out_of_order(const TriggerDesc *triggers, const Trigger *other,
				const Trigger *ours, const DtTriggerType *type)
{
	const DtTriggerType *others = dtmodel_trigger_type(other);

	if (others == NULL)
		return runs_after(other, ours) && was_renamed(triggers, ours, type);
	return others != type &&
		(runs_after(other, ours) || runs_after(ours, other)) &&
		(strcmp(other->tgname, ours->tgname) > 0) !=
		(strcmp(others->name, type->name) > 0);
}

/* Reports one of our triggers that was renamed, if its name matters. */
static void
drift_of_order(DtDrift *drift, Relation rel, const TriggerDesc *triggers,
			   const Trigger *ours, const DtTriggerType *type)
{
	if (dtmodel_has_usual_name(ours, type) || has_name(triggers, type->name))
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *other = &triggers->triggers[i];

		if (!is_out_of_order(triggers, other, ours, type))
			continue;
		dtmodel_append_drift(drift, DT_REPAIR,
							 trigger_repair(drift, rel, ours, type,
											rename_statement(rel, ours, type->name)),
							 "%s runs %s \"%s\"", trigger_label(rel, ours),
							 runs_after(ours, other) ? "after" : "before",
							 other->tgname);
		return;
	}
}

/*
 * Whether the trigger is of the kind, and for the events, with which add_*
 * creates it.  Where rows can move, a trigger for the event as which they
 * arrive or leave must detect that.
 */
static bool
fires_when_needed(Relation rel, const Trigger *trigger,
				  const DtTriggerType *type)
{
	int16		events = type->events;

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		(trigger->tgtype & (TRIGGER_TYPE_INSERT | TRIGGER_TYPE_DELETE)) != 0)
		events |= type->move_events;
	return (trigger->tgtype & TIMING_BITS) == type->timing &&
		(trigger->tgtype & events) == events &&
		(trigger->tgnattr == 0 || type->lists_columns) &&
		(trigger->tgqual == NULL || type->has_condition);
}

/* Whether the trigger of the partitioned table was disabled with its clones. */
static bool
is_disabled_on(Relation root, const DtTriggerType *type)
{
	const Trigger *trigger = root == NULL ? NULL :
		dtmodel_find_trigger(root, type);

	return trigger != NULL && !is_enabled(trigger);
}

static void
drift_of_own(DtDrift *drift, Relation rel, const TriggerDesc *triggers,
			 const Trigger *ours, const DtTriggerType *type)
{
	const DtMixin *mixin = mixin_of(type);
	const Trigger *kept = dtmodel_find_trigger(rel, type);

	if (mixin->add != NULL && kept->tgoid != ours->tgoid)
	{
		char	   *statement = psprintf("DROP TRIGGER %s ON %s",
										 quote_identifier(ours->tgname),
										 dtmodel_qualified_name(rel));

		dtmodel_append_drift(drift, DT_REPAIR,
							 trigger_repair(drift, rel, ours, type, statement),
							 "%s does again what \"%s\" does",
							 trigger_label(rel, ours), kept->tgname);
		return;
	}
	if (!is_enabled(ours))
		drift_of_disabled(drift, rel, ours, type);
	if (mixin->add != NULL && !fires_when_needed(rel, ours, type))
		dtmodel_append_drift(drift, DT_REPAIR,
							 dtmodel_repair_statement(rel, mixin),
							 "%s is not fired when it must be",
							 trigger_label(rel, ours));
	drift_of_order(drift, rel, triggers, ours, type);
}

/* The clones on a partition follow the triggers of its table, the root. */
static void
drift_of_triggers(DtDrift *drift, Relation rel, Relation root)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	if (triggers == NULL || !dtmodel_has_own_trigger(rel))
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		const DtTriggerType *type = dtmodel_trigger_type(trigger);

		if (trigger->tgisclone)
		{
			if (type != NULL && !is_enabled(trigger) &&
				!is_disabled_on(root, type))
				drift_of_disabled(drift, rel, trigger, type);
		}
		else if (type != NULL)
			drift_of_own(drift, rel, triggers, trigger, type);
		else
			drift_of_other(drift, rel, triggers, trigger);
	}
}

void
dtmodel_drift_of_triggers(DtDrift *drift, Relation rel)
{
	drift_of_triggers(drift, rel, NULL);
}

/*
 * Partitions
 */

/*
 * Whether a partition has triggers to look at: ours that are not enabled, and
 * others that are only its own.
 */
static bool
is_suspect(Form_pg_trigger trigger, const void *asked pg_attribute_unused())
{
	if (dtmodel_function_name(trigger->tgfoid, DTMODEL_INTERNAL_SCHEMA) != NULL)
		return !dtmodel_is_fired(trigger->tgenabled);
	return !OidIsValid(trigger->tgparentid) && !trigger->tgisinternal;
}

/* Whether a trigger of the partition is as asked. */
static bool
has_trigger_as(Oid partition,
			   bool (*is_as_asked) (Form_pg_trigger trigger, const void *asked),
			   const void *asked)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	bool		found = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(partition));
	scan = systable_beginscan(catalog, TriggerRelidNameIndexId, true, NULL, 1,
							  &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = is_as_asked((Form_pg_trigger) GETSTRUCT(tuple), asked);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* A foreign table cannot have them. */
static bool
has_suspect_trigger(Oid partition)
{
	return get_rel_relkind(partition) != RELKIND_FOREIGN_TABLE &&
		has_trigger_as(partition, is_suspect, NULL);
}

/*
 * Looks at the partitions that are suspect, of what the user can change one by
 * one.  There can be very many of the others, which are not locked; meanwhile,
 * a suspect may have been dropped or detached.
 */
void
dtmodel_drift_of_suspects(DtDrift *drift, Relation rel,
						  bool (*is_suspect_partition) (Oid partition),
						  void (*look) (DtDrift *drift, Relation partition,
										Relation root))
{
	List	   *suspects = NIL;
	ListCell   *cell;

	foreach(cell, find_all_inheritors(RelationGetRelid(rel), NoLock, NULL))
	{
		if (lfirst_oid(cell) != RelationGetRelid(rel) &&
			is_suspect_partition(lfirst_oid(cell)))
			suspects = lappend_oid(suspects, lfirst_oid(cell));
	}
	foreach(cell, suspects)
	{
		Relation	partition = try_relation_open(lfirst_oid(cell),
												  AccessShareLock);

		if (partition == NULL)
			continue;
		if (partition->rd_rel->relispartition)
			look(drift, partition, rel);
		relation_close(partition, AccessShareLock);
	}
}

static bool
has_function(Form_pg_trigger trigger, const void *asked)
{
	const char *function = dtmodel_function_name(trigger->tgfoid,
												 DTMODEL_INTERNAL_SCHEMA);

	return function != NULL && strcmp(function, asked) == 0;
}

/*
 * The name of a partition that lacks a statement trigger, which is not cloned
 * to it; NULL if all have it.
 */
const char *
dtmodel_partition_without_trigger(Relation rel, const DtTriggerType *type)
{
	const char *name = NULL;
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NULL;
	foreach(cell, find_all_inheritors(RelationGetRelid(rel), NoLock, NULL))
	{
		if (name == NULL &&
			get_rel_relkind(lfirst_oid(cell)) != RELKIND_FOREIGN_TABLE &&
			!has_trigger_as(lfirst_oid(cell), has_function, type->function))
			name = get_rel_name(lfirst_oid(cell));
	}
	return name;
}

void
dtmodel_drift_of_partitions(DtDrift *drift, Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE ||
		!dtmodel_has_own_trigger(rel))
		return;
	dtmodel_drift_of_suspects(drift, rel, has_suspect_trigger, drift_of_triggers);
	dtmodel_drift_of_event_trigger(drift, "dtmodel_partition_attach",
								   "models cannot be attached");
	dtmodel_drift_of_event_trigger(drift, "dtmodel_partition_detach",
								   "detached partitions are not models");
}

/*
 * Rules
 */

/* NULL if it does not exist any more. */
static char *
rule_name(Oid rule)
{
	Relation	catalog = table_open(RewriteRelationId, AccessShareLock);
	char	   *name = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(rule));
	scan = systable_beginscan(catalog, RewriteOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		name = pstrdup(NameStr(((Form_pg_rewrite) GETSTRUCT(tuple))->rulename));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return name;
}

static const char *
event_name(CmdType event)
{
	return event == CMD_UPDATE ? "UPDATE" : "DELETE";
}

/*
 * A rule that replaces an UPDATE or a DELETE by something else.  One that
 * replaces an INSERT writes to another table, which need not be a model.
 */
static void
drift_of_rule(DtDrift *drift, Relation rel, const RewriteRule *rule)
{
	const char *name;

	if (!rule->isInstead ||
		(rule->event != CMD_UPDATE && rule->event != CMD_DELETE) ||
		(rule->enabled != RULE_FIRES_ON_ORIGIN &&
		 rule->enabled != RULE_FIRES_ALWAYS))
		return;
	name = rule_name(rule->ruleId);
	if (name == NULL)
		return;
	dtmodel_append_drift(drift, DT_REPAIR,
						 psprintf("ALTER TABLE %s DISABLE RULE %s",
								  dtmodel_qualified_name(rel),
								  quote_identifier(name)),
						 "rule \"%s\" replaces %s", name,
						 event_name(rule->event));
}

void
dtmodel_drift_of_rules(DtDrift *drift, Relation rel)
{
	if (!dtmodel_has_own_trigger(rel))
		return;
	for (int i = 0; rel->rd_rules != NULL && i < rel->rd_rules->numLocks; i++)
		drift_of_rule(drift, rel, rel->rd_rules->rules[i]);
}

/*
 * Indexes
 */

static bool
is_invalid(Oid indexid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	Form_pg_index form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	result = (form->indisunique || form->indisexclusion) && !form->indisvalid;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * A unique index that could not be built CONCURRENTLY is left, and does not
 * make its columns unique.
 */
void
dtmodel_drift_of_indexes(DtDrift *drift, Relation rel)
{
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_RELATION ||
		!dtmodel_has_own_trigger(rel))
		return;
	foreach(cell, RelationGetIndexList(rel))
	{
		if (is_invalid(lfirst_oid(cell)))
			dtmodel_append_drift(drift, DT_REPAIR,
								 psprintf("REINDEX INDEX %s",
										  dtmodel_qualified_name_of(lfirst_oid(cell))),
								 "index \"%s\" is not valid",
								 get_rel_name(lfirst_oid(cell)));
	}
}

/*
 * Event triggers
 */

/* tgenabled of the event trigger; '\0' if it does not exist. */
static char
event_trigger_state(const char *name)
{
	HeapTuple	tuple = SearchSysCache1(EVENTTRIGGERNAME,
										CStringGetDatum(name));
	char		state;

	if (!HeapTupleIsValid(tuple))
		return '\0';
	state = ((Form_pg_event_trigger) GETSTRUCT(tuple))->evtenabled;
	ReleaseSysCache(tuple);
	return state;
}

/*
 * An event trigger of ours that is missing or not enabled: "work" is what
 * happens without it.
 */
void
dtmodel_drift_of_event_trigger(DtDrift *drift, const char *name,
							   const char *work)
{
	char		state = event_trigger_state(name);
	const char *all = GetConfigOption("event_triggers", true, false);

	if (state == '\0')
		dtmodel_append_drift(drift, DT_ADVICE,
							 "create it as the extension's script does",
							 "event trigger \"%s\" does not exist, so %s",
							 name, work);
	else if (!dtmodel_is_fired(state))
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER EVENT TRIGGER %s ENABLE ALWAYS",
									  name),
							 "event trigger \"%s\" is disabled, so %s", name,
							 work);
	else if (all != NULL && strcmp(all, "off") == 0)
		dtmodel_append_drift(drift, DT_SESSION, "SET event_triggers = on",
							 "event trigger \"%s\" is not fired in this session, so %s",
							 name, work);
}
