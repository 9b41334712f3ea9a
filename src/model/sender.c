/*-------------------------------------------------------------------------
 *
 * sender.c
 *	  The server that sent the statement which is running on a shard.
 *
 * sender() is evaluated by Citus where the statement is planned, once each
 * time it is executed, and travels to the shards as a constant.  There
 * received() keeps it as long as the statement runs.  See send.c for how the
 * calls get into a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "guc.h"
#include "miscadmin.h"
#include "model/actor.h"
#include "model/send.h"
#include "model/sender.h"
#include "nodes/makefuncs.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* What a sender is as a text: the command, two times, is_role, the actor. */
#define SENDER_FORMAT "%s/" INT64_FORMAT "/" INT64_FORMAT "/%c/%s"

static const char *const command_names[] = {"update", "delete", "delete for good"};

bool		dtmodel_has_received = false;

PG_FUNCTION_INFO_V1(dtmodel_sender_values);
PG_FUNCTION_INFO_V1(dtmodel_sent);
PG_FUNCTION_INFO_V1(dtmodel_actor_for);
PG_FUNCTION_INFO_V1(dtmodel_received);

const char *
dtmodel_sent_command_name(DtSentCommand command)
{
	return command_names[command];
}

/* What is written with the times of the row cannot be sent to other servers. */
static void
check_not_preserved(Oid relid)
{
	if (!dtmodel_preserve_timestamps)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("dtmodel.preserve_timestamps has no effect on table \"%s\", whose rows Citus keeps in shards",
					get_rel_name(relid)),
			 errhint("Use RESET dtmodel.preserve_timestamps, or import the rows by COPY.")));
}

static text *
sender_text(const char *command, TimestampTz transaction, TimestampTz statement,
			bool is_role, const char *actor)
{
	return cstring_to_text(psprintf(SENDER_FORMAT, command, transaction, statement,
									is_role ? 't' : 'f', actor));
}

/*
 * sender(model regclass, command text) returns text
 *
 * What a statement on a table of Citus takes to the shards, for received().
 * Refuses dtmodel.preserve_timestamps (0A000), and an actor that was set
 * without the privilege (42501).
 */
Datum
dtmodel_sender_values(PG_FUNCTION_ARGS)
{
	check_not_preserved(PG_GETARG_OID(0));
	PG_RETURN_TEXT_P(sender_text(text_to_cstring(PG_GETARG_TEXT_PP(1)),
								 dtmodel_transaction_time(),
								 dtmodel_statement_time(), !dtmodel_has_actor(),
								 dtmodel_actor()));
}

/* The actor is known only to the server that plans the statement. */
pg_noreturn static void
report_unknown_actor(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("INSERT ... SELECT is not supported here on a model with audit, because Citus computes its rows where the actor is not known"),
			 errhint("Use CREATE TEMPORARY TABLE ... AS for the query, and insert from that table.")));
}

/*
 * actor_for(type anyelement, model regclass, "column" name) returns anyelement
 *
 * The actor as a value of the column, which has the type of the first argument.
 * Errors are those of a trigger that writes it.
 */
Datum
dtmodel_actor_for(PG_FUNCTION_ARGS)
{
	Relation	rel;
	DtColumn	column;
	Datum		value = (Datum) 0;
	bool		isnull;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (dtmodel_is_citus_backend())
		report_unknown_actor();
	rel = dtmodel_open(PG_GETARG_OID(1), AccessShareLock);
	dtmodel_find_column(RelationGetDescr(rel), NameStr(*PG_GETARG_NAME(2)), &column);
	isnull = !AttributeNumberIsValid(column.attnum) ||
		!dtmodel_column_fits(&column, &dtmodel_use_actor) ||
		column.typid != get_fn_expr_argtype(fcinfo->flinfo, 0);
	if (!isnull)
		value = dtmodel_actor_value(dtmodel_make_actor_column(rel, &column,
															  CurrentMemoryContext),
									&isnull);
	relation_close(rel, AccessShareLock);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value);
}

/* What a statement takes to the shards that writes neither time nor actor. */
Const *
dtmodel_no_sender(void)
{
	text	   *sender = sender_text(command_names[DT_SENT_UPDATE], 0, 0, true, "");

	return makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
					 PointerGetDatum(sender), false, false);
}

DtSentCommand
dtmodel_sent_command_of(const char *name)
{
	for (int i = 0; i < (int) lengthof(command_names); i++)
	{
		if (strcmp(name, command_names[i]) == 0)
			return (DtSentCommand) i;
	}
	elog(ERROR, "unknown command \"%s\" was sent to a shard", name);
}

/* Ends the part of a text that "rest" points to, and moves on to the next. */
static char *
next_part(char **rest)
{
	char	   *part = *rest;
	char	   *end = strchr(part, '/');

	if (end == NULL)
		elog(ERROR, "a statement was sent to a shard with a part that is missing");
	*end = '\0';
	*rest = end + 1;
	return part;
}

/* What sender() has put into the text. */
DtSender
dtmodel_read_sender(const text *sender)
{
	char	   *rest = text_to_cstring(sender);
	DtSender	result = {0};

	result.command = dtmodel_sent_command_of(next_part(&rest));
	result.transaction = strtoll(next_part(&rest), NULL, 10);
	result.statement = strtoll(next_part(&rest), NULL, 10);
	result.is_role = next_part(&rest)[0] == 't';
	result.actor = rest;
	return result;
}

/*
 * The memory of the statement.  A part that waited for a row and looks at its
 * newest version has an executor state of its own for that, whose memory is in
 * that of the statement; a statement that a function executes is further down.
 */
static MemoryContext
memory_of_statement(MemoryContext query)
{
	MemoryContext parent = MemoryContextGetParent(query);

	return dtmodel_find_note(parent, DT_NOTE_SENDER, InvalidOid) != NULL ?
		parent : query;
}

/*
 * Keeps the sender as long as the statement runs, given the memory of its
 * executor.  Several parts of a statement can be received; they have one time
 * and one actor, and where one of them deletes for good, so does each that
 * deletes.
 */
void *
dtmodel_receive(MemoryContext query, const text *sender)
{
	MemoryContext statement = memory_of_statement(query);
	MemoryContext caller = MemoryContextSwitchTo(statement);
	DtSender	part = dtmodel_read_sender(sender);
	DtSender   *whole = dtmodel_make_note(statement, DT_NOTE_SENDER, InvalidOid,
										  sizeof(DtSender));

	if (whole->command == DT_SENT_HARD_DELETE)
		part.command = DT_SENT_HARD_DELETE;
	*whole = part;
	dtmodel_has_received = true;
	MemoryContextSwitchTo(caller);
	return whole;
}

/* A user who could call it would be a sender. */
pg_noreturn void
dtmodel_report_planner_only(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to call a function that only the planner may call")));
}

/*
 * received(sender text) returns boolean
 *
 * True.  On a shard the planner puts it in the place of sent(), so that it is
 * called before the first row is found.
 */
Datum
dtmodel_received(PG_FUNCTION_ARGS)
{
	FmgrInfo   *function = fcinfo->flinfo;

	if (!dtmodel_is_own_call(function->fn_expr))
		dtmodel_report_planner_only();
	if (function->fn_extra == NULL)
		function->fn_extra = dtmodel_receive(function->fn_mcxt,
											 PG_GETARG_TEXT_PP(0));
	PG_RETURN_BOOL(true);
}

/* The statement was not received, or a user has written the call. */
pg_noreturn static void
report_not_received(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a statement on a table of Citus reached a server where %s is not preloaded",
					DTMODEL_SCHEMA),
			 errhint("On every server of the cluster, add %s to shared_preload_libraries after citus, or use ALTER DATABASE ... SET session_preload_libraries.",
					 DTMODEL_SCHEMA)));
}

/*
 * sent("column" anyelement, sender text) returns boolean
 *
 * Marks the condition of a statement that was sent to a shard.  The planner
 * there takes it out; where it does not, it is an error (55000).  The column
 * keeps Citus from evaluating it before.
 */
Datum
dtmodel_sent(PG_FUNCTION_ARGS pg_attribute_unused())
{
	report_not_received();
}

pg_noreturn static void
report_not_sent(Relation rel)
{
	const char *table = get_rel_name(dtmodel_get_model(rel)->citus.table);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a statement on table \"%s\" was sent to its shards from a session that does not preload %s",
					table == NULL ? RelationGetRelationName(rel) : table,
					DTMODEL_SCHEMA),
			 errdetail("The shards do not know the time and the actor."),
			 errhint("On every server of the cluster, add %s to shared_preload_libraries after citus, or use ALTER DATABASE ... SET session_preload_libraries, and connect again.",
					 DTMODEL_SCHEMA)));
}

/*
 * Refuses (55000) to update or delete rows of a shard by a statement that does
 * not carry what they depend on.  The server's own foreign keys may.
 */
void
dtmodel_check_sent(Relation rel)
{
	if (dtmodel_is_shard(&dtmodel_get_model(rel)->citus) &&
		dtmodel_sender() == NULL && !InNoForceRLSOperation())
		report_not_sent(rel);
}

/*
 * The same for a row of a shard that has no actor, if an INSERT inserts it
 * rather than Citus, which copies rows.
 */
void
dtmodel_check_insert_sent(Relation rel)
{
	if (ActivePortal != NULL && ActivePortal->commandTag == CMDTAG_INSERT)
		report_not_sent(rel);
}
