/*-------------------------------------------------------------------------
 *
 * actor.c
 *	  Who acts, and that as the value of a column.
 *
 * The actor is what dtmodel.actor says, or else the outer role: the session's
 * or the one of SET ROLE.  It is the one that a person would name, inside
 * SECURITY DEFINER functions and foreign-key cascades too, which change the
 * current role only.
 *
 * While dtmodel.actor_locked is on, an actor is a claim, and a role needs the
 * right to make it: SET on the parameter dtmodel.actor.  Setting it is refused
 * without, and so is acting under a claim that was made before there was a
 * lock, or by a role that has lost the right since.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "model/actor.h"
#include "model/claim.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The role that said who acts; invalid: the server's configuration did. */
static Oid	claimant = InvalidOid;

/* Counts the values that dtmodel.actor has had. */
static uint64 turn = 1;

static bool
may_claim(Oid role)
{
	return compat_may_set("dtmodel.actor", role);
}

static bool
refuse_claim(Oid role)
{
	const char *name = GetUserNameFromId(role, false);

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("permission denied to set parameter \"dtmodel.actor\"");
	GUC_check_errdetail("dtmodel.actor_locked is on, and role \"%s\" has not been granted SET on the parameter.",
						name);
	GUC_check_errhint("GRANT SET ON PARAMETER dtmodel.actor TO %s.",
					  quote_identifier(name));
	return false;
}

bool
dtmodel_check_actor(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0' || !dtmodel_is_claim(source))
		return true;
	if (dtmodel_actor_locked && IsTransactionState() &&
		!may_claim(dtmodel_claiming_role()))
		return refuse_claim(dtmodel_claiming_role());
	return dtmodel_keep_claimant(extra);
}

void
dtmodel_assign_actor(const char *newval pg_attribute_unused(), void *extra)
{
	claimant = dtmodel_claimant(extra);
	turn++;
}

/* The role that made the claim may be gone. */
static void
report_claim(void)
{
	const char *role = GetUserNameFromId(claimant, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to act as \"%s\"", dtmodel_actor_setting),
			 errdetail("dtmodel.actor_locked is on, and role \"%s\", which set dtmodel.actor, has not been granted SET on the parameter.",
					   role == NULL ? "" : role),
			 errhint("RESET dtmodel.actor.")));
}

/*
 * The name of whoever acts.  It belongs to the setting or to the current
 * memory context: whoever keeps it copies it.
 */
const char *
dtmodel_actor(void)
{
	if (dtmodel_actor_setting[0] == '\0')
		return GetUserNameFromId(GetOuterUserId(), false);

	if (dtmodel_actor_locked && OidIsValid(claimant) && !may_claim(claimant))
		report_claim();
	return dtmodel_actor_setting;
}

/*
 * Prepares the values of a column that was checked to fit.  It belongs to the
 * context, as its values do.
 */
DtActorColumn *
dtmodel_make_actor_column(Relation rel, const DtColumn *column,
						  MemoryContext context)
{
	DtActorColumn *actor = MemoryContextAllocZero(context,
												  sizeof(DtActorColumn));
	Oid			base = getBaseType(column->typid);
	Oid			function;

	actor->column = *column;
	namestrcpy(&actor->table, RelationGetRelationName(rel));
	actor->holds_names = (base == TEXTOID || base == VARCHAROID);
	getTypeInputInfo(column->typid, &function, &actor->parameter);
	fmgr_info_cxt(function, &actor->input, context);
	actor->context = context;
	return actor;
}

/* Nobody said who acts, and a role is not what the column holds. */
static bool
is_unknown(const DtActorColumn *actor)
{
	return dtmodel_actor_setting[0] == '\0' && !actor->holds_names;
}

static void
report_unknown_actor(const DtActorColumn *actor)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("nobody said who acts, and column \"%s\" of table \"%s\" must not be null",
					NameStr(actor->column.name), NameStr(actor->table)),
			 errdetail("The column is of type %s, which holds no name of a role.",
					   format_type_be(actor->column.typid)),
			 errhint("Call %s.set_actor first, in the same transaction.",
					 DTMODEL_SCHEMA)));
}

/* Adds to an error of the type's own where the value came from. */
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
	if (actor->turn != 0 && !actor->isnull &&
		!get_typbyval(actor->column.typid))
		pfree(DatumGetPointer(actor->value));
	actor->turn = 0;
}

/*
 * Who acts, as the column holds it.  Null when nobody said who acts and the
 * column holds no names; an error (23502) when it must not be null.  A value
 * that the column's type cannot read is that type's error.
 */
Datum
dtmodel_actor_value(DtActorColumn *actor, bool *isnull)
{
	if (actor->turn != turn || actor->role != GetOuterUserId())
	{
		MemoryContext caller = MemoryContextSwitchTo(actor->context);

		forget_value(actor);
		actor->isnull = is_unknown(actor);
		if (actor->isnull && actor->column.is_not_null)
			report_unknown_actor(actor);
		actor->value = read_actor(actor, actor->isnull ? NULL : dtmodel_actor());
		actor->role = GetOuterUserId();
		actor->turn = turn;
		MemoryContextSwitchTo(caller);
	}
	*isnull = actor->isnull;
	return actor->value;
}
