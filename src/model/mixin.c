/*-------------------------------------------------------------------------
 *
 * mixin.c
 *	  The list of mixins, and the triggers by which a table has them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "model/ddl.h"
#include "model/foreign_key.h"
#include "model/mixin.h"
#include "server/relation.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Ends with NULL. */
static const DtMixin *const *mixins;

/* Called once, when the library is loaded. */
void
dtmodel_set_mixins(const DtMixin *const *list)
{
	mixins = list;
}

const DtMixin *const *
dtmodel_mixins(void)
{
	return mixins;
}

int
dtmodel_count_mixins(void)
{
	int			count = 0;

	while (mixins[count] != NULL)
		count++;
	return count;
}

/*
 * The name of a function in this schema of ours; NULL for any other function.
 * If the library is preloaded but the extension is not installed, any user may
 * own a schema of that name.  So only functions in C count, which only a
 * superuser can create.
 */
const char *
dtmodel_function_name(Oid funcid, const char *schema)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	const char *name = NULL;
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == ClanguageId &&
		form->pronamespace == get_namespace_oid(schema, true))
		name = pstrdup(NameStr(form->proname));
	ReleaseSysCache(tuple);
	return name;
}

/* Whether the parent of this key must be live, by a rule of the table. */
bool
dtmodel_requires_live_parent(Relation rel, const DtForeignKey *key)
{
	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->requires_live_parent != NULL &&
			mixins[i]->requires_live_parent(rel, key))
			return true;
	}
	return false;
}

/*
 * Called while a mixin is being added to a table, with these options, or
 * removed, with NULL: the other mixins add their changes.
 */
void
dtmodel_extend_change(DtChange *change, const DtMixin *mixin,
					  const void *options)
{
	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->extend_change != NULL)
			mixins[i]->extend_change(change, mixin, options);
	}
}

/*
 * Called after a mixin was added or removed: the other mixins make changes of
 * their own.
 */
void
dtmodel_after_change(Oid relid, const DtMixin *mixin)
{
	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->after_change != NULL)
			mixins[i]->after_change(relid, mixin);
	}
}

/* The lock that they may need for it. */
LOCKMODE
dtmodel_lock_after_change(Relation rel, const DtMixin *mixin)
{
	const DtModel *model = dtmodel_get_model(rel);
	LOCKMODE	lockmode = NoLock;

	for (int i = 0; mixins[i] != NULL; i++)
	{
		LOCKMODE	one;

		if (mixins[i]->lock_after_change == NULL || model->options[i] == NULL)
			continue;
		one = mixins[i]->lock_after_change(mixin);
		lockmode = Max(lockmode, one);
	}
	return lockmode;
}

static const DtTriggerType *
find_type(const DtMixin *mixin, const char *function)
{
	for (int i = 0; i < mixin->ntriggers; i++)
	{
		if (strcmp(function, mixin->triggers[i].function) == 0)
			return &mixin->triggers[i];
	}
	return NULL;
}

/*
 * The type of our trigger; NULL for any other trigger.  It is recognized by
 * its function, never by its name: users rename triggers, and so do shards of
 * a distributed table.
 */
const DtTriggerType *
dtmodel_trigger_type(const Trigger *trigger)
{
	const char *function = dtmodel_function_name(trigger->tgfoid,
												 DTMODEL_INTERNAL_SCHEMA);
	const DtTriggerType *type = NULL;

	for (int i = 0; function != NULL && type == NULL && mixins[i] != NULL; i++)
		type = find_type(mixins[i], function);
	return type;
}

/*
 * For a trigger function that runs but is not recognized by its name: the
 * schema or the function was renamed.
 */
void
dtmodel_report_unknown_trigger(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a trigger of table \"%s\" is not in schema \"%s\"",
					RelationGetRelationName(rel), DTMODEL_INTERNAL_SCHEMA),
			 errhint("The extension's schemas and functions must keep their names.")));
}

/* Whether the relation has a trigger of ours. */
bool
dtmodel_has_own_trigger(Relation rel)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (dtmodel_trigger_type(&triggers->triggers[i]) != NULL)
			return true;
	}
	return false;
}

/* Whether sessions whose replication role is not "replica" fire a trigger. */
bool
dtmodel_is_fired(char tgenabled)
{
	return tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
		tgenabled == TRIGGER_FIRES_ALWAYS;
}

/* Whether the trigger has the name with which add_* creates it. */
bool
dtmodel_has_usual_name(const Trigger *trigger, const DtTriggerType *type)
{
	return strcmp(trigger->tgname, type->name) == 0;
}

/*
 * A copy of the table's trigger of this type; NULL if it has none.  If users
 * have created others with its function, it is the one with the usual name
 * and, if ours was renamed, the first.
 */
const Trigger *
dtmodel_find_trigger(Relation rel, const DtTriggerType *type)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);
	const Trigger *found = NULL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if ((found == NULL || dtmodel_has_usual_name(trigger, type)) &&
			dtmodel_trigger_type(trigger) == type)
			found = trigger;
	}
	return found;
}

/* The first of the mixin's triggers that the table has; NULL for none. */
const Trigger *
dtmodel_find_any_trigger(Relation rel, const DtMixin *mixin)
{
	const Trigger *trigger = NULL;

	for (int i = 0; trigger == NULL && i < mixin->ntriggers; i++)
		trigger = dtmodel_find_trigger(rel, &mixin->triggers[i]);
	return trigger;
}

/* Whether a trigger with this tgenabled fires in this session. */
bool
dtmodel_trigger_fires(char tgenabled)
{
	return tgenabled == TRIGGER_FIRES_ALWAYS ||
		tgenabled == (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA ?
					  TRIGGER_FIRES_ON_REPLICA : TRIGGER_FIRES_ON_ORIGIN);
}

/* The value of "key=value" in the trigger's arguments, or NULL. */
const char *
dtmodel_trigger_option(const Trigger *trigger, const char *key)
{
	size_t		length = strlen(key);

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const char *argument = trigger->tgargs[i];

		if (strncmp(argument, key, length) == 0 && argument[length] == '=')
			return argument + length + 1;
	}
	return NULL;
}

/*
 * Whether the mixin cannot do without this one of its columns.  A mixin whose
 * columns are all optional needs one of them, and the last one is named.
 */
bool
dtmodel_needs_column(const DtMixin *mixin, const void *options, int which)
{
	if (!mixin->columns[which].optional)
		return true;
	if (which < mixin->ncolumns - 1)
		return false;
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		if (dtmodel_column_is_used(dtmodel_mixin_column(&mixin->columns[i],
														options)))
			return false;
	}
	return true;
}

/* Makes sure that the columns of a mixin exist and have the right types. */
void
dtmodel_check_mixin_columns(Relation rel, const DtMixin *mixin,
							const void *options)
{
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtMixinColumn *kept = &mixin->columns[i];
		const DtColumn *column = dtmodel_mixin_column(kept, options);

		if (dtmodel_column_is_used(column) ||
			dtmodel_needs_column(mixin, options, i))
			dtmodel_check_column(rel, column, kept->use, mixin, kept->option);
	}
}

void
dtmodel_append_string(StringInfo json, const char *value)
{
	if (value == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, value);
}

void
dtmodel_append_member(StringInfo json, const char *key, const char *value)
{
	appendStringInfo(json, "\"%s\": ", key);
	dtmodel_append_string(json, value);
}

/* The members for a mixin's columns, some of which a model may do without. */
void
dtmodel_append_mixin_columns(StringInfo json, const DtMixin *mixin,
							 const void *options)
{
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtColumn *column = dtmodel_mixin_column(&mixin->columns[i],
													  options);

		if (i > 0)
			appendStringInfoString(json, ", ");
		dtmodel_append_member(json, mixin->columns[i].option,
							  dtmodel_column_is_used(column) ?
							  NameStr(column->name) : NULL);
	}
}
