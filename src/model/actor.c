/*-------------------------------------------------------------------------
 *
 * actor.c
 *	  The actor, and the actor as the value of a column.
 *
 * The actor is the value of dtmodel.actor or, if that is not set, the outer
 * role: that of the session or of SET ROLE.  It stays the same inside
 * SECURITY DEFINER functions and foreign-key cascades, which change only the
 * current role.
 *
 * While dtmodel.actor_locked is on, a role needs a privilege to set an actor:
 * SET on the parameter dtmodel.actor.  Without it, setting dtmodel.actor is
 * refused, and so is writing under an actor that was set before the lock was
 * on, or by a role that has lost the privilege since.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "model/actor.h"
#include "model/sender.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The role that set the actor may have been dropped. */
static void
report_setter(void)
{
	const char *role = GetUserNameFromId(dtmodel_actor_setter, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to act as \"%s\"", dtmodel_actor_switch),
			 errdetail("dtmodel.actor_locked is on, and role \"%s\", which set dtmodel.actor, has not been granted SET on the parameter.",
					   role == NULL ? "" : role),
			 errhint("Use RESET dtmodel.actor.")));
}

/*
 * The name of the actor.  It belongs to the switch or to the current memory
 * context: callers that keep it must copy it.
 */
const char *
dtmodel_actor(void)
{
	const DtSender *sender = dtmodel_sender();

	if (sender != NULL)
		return sender->actor;
	if (dtmodel_actor_switch[0] == '\0')
		return GetUserNameFromId(GetOuterUserId(), false);

	if (dtmodel_actor_locked && OidIsValid(dtmodel_actor_setter) &&
		!dtmodel_may_set_actor(dtmodel_actor_setter))
		report_setter();
	return dtmodel_actor_switch;
}

/* Whether an actor is set; if not, the actor is a role. */
bool
dtmodel_has_actor(void)
{
	const DtSender *sender = dtmodel_sender();

	return sender != NULL ? !sender->is_role :
		dtmodel_actor_switch[0] != '\0';
}

/* Whether the column can hold the name of a role. */
bool
dtmodel_holds_names(const DtColumn *column)
{
	Oid			base = getBaseType(column->typid);

	return base == TEXTOID || base == VARCHAROID;
}

/*
 * Prepares to compute values of a column whose type was checked.  The result,
 * and the values, are allocated in the given context.
 */
DtActorColumn *
dtmodel_make_actor_column(Relation rel, const DtColumn *column,
						  MemoryContext context)
{
	DtActorColumn *actor = MemoryContextAllocZero(context,
												  sizeof(DtActorColumn));
	Oid			function;

	actor->column = *column;
	namestrcpy(&actor->table, RelationGetRelationName(rel));
	actor->holds_names = dtmodel_holds_names(column);
	getTypeInputInfo(column->typid, &function, &actor->parameter);
	fmgr_info_cxt(function, &actor->input, context);
	actor->context = context;
	return actor;
}

/* Whether no actor is set, and the column cannot hold the name of a role. */
static bool
is_unknown(const DtActorColumn *actor)
{
	return !dtmodel_has_actor() && !actor->holds_names;
}

/* Whether the column needs an actor, and there is none. */
bool
dtmodel_actor_is_missing(const DtColumn *column)
{
	return !dtmodel_has_actor() && column->is_not_null &&
		!dtmodel_holds_names(column);
}

static void
report_unknown_actor(const DtActorColumn *actor)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("no actor is set for column \"%s\" of table \"%s\", which must not be null",
					NameStr(actor->column.name), NameStr(actor->table)),
			 errdetail("The column is of type %s, which cannot hold the name of a role.",
					   format_type_be(actor->column.typid)),
			 errhint("Call %s.set_actor first, in the same transaction.",
					 DTMODEL_SCHEMA)));
}

/* Adds where the value came from to an error of the type's input function. */
static void
explain_value(void *argument)
{
	const DtActorColumn *actor = (const DtActorColumn *) argument;

	errcontext("actor for column \"%s\" of table \"%s\"",
			   NameStr(actor->column.name), NameStr(actor->table));
	errhint("Call %s.set_actor with a value of type %s.", DTMODEL_SCHEMA,
			format_type_be(actor->column.typid));
}

static Datum
read_actor(DtActorColumn *actor, const char *text)
{
	ErrorContextCallback explain = {
		.previous = error_context_stack,
		.callback = explain_value,
		.arg = actor,
	};
	Datum		value;

	error_context_stack = &explain;
	value = InputFunctionCall(&actor->input, (char *) text, actor->parameter,
							  actor->column.typmod);
	error_context_stack = explain.previous;
	return value;
}

static void
forget_value(DtActorColumn *actor)
{
	if (actor->count != 0 && !actor->isnull &&
		!get_typbyval(actor->column.typid))
		pfree(DatumGetPointer(actor->value));
	actor->count = 0;
}

/*
 * The actor as a value of the column.  Null if no actor is set and the column
 * cannot hold the name of a role; an error (23502) if the column must not be
 * null then.  A value that the column's type cannot read is that type's
 * error.
 */
Datum
dtmodel_actor_value(DtActorColumn *actor, bool *isnull)
{
	if (actor->count != dtmodel_actor_count || actor->role != GetOuterUserId())
	{
		MemoryContext caller = MemoryContextSwitchTo(actor->context);

		forget_value(actor);
		actor->isnull = is_unknown(actor);
		if (actor->isnull && actor->column.is_not_null)
			report_unknown_actor(actor);
		actor->value = read_actor(actor, actor->isnull ? NULL : dtmodel_actor());
		actor->role = GetOuterUserId();
		actor->count = dtmodel_actor_count;
		MemoryContextSwitchTo(caller);
	}
	*isnull = actor->isnull;
	return actor->value;
}
