/*-------------------------------------------------------------------------
 *
 * event.c
 *	  Event triggers: how they are called, what their command has done, and
 *	  commands of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "compat.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "parser/parser.h"
#include "server/event.h"
#include "tcop/utility.h"
#include "utils/memutils.h"

const EventTriggerData *
dtmodel_event_data(FunctionCallInfo fcinfo, const char *function,
				   const char *event)
{
	const EventTriggerData *data = (const EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) || strcmp(data->event, event) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.%s must be called as an event trigger on %s",
						DTMODEL_INTERNAL_SCHEMA, function, event)));
	return data;
}

/*
 * The first column of a query on one of the functions that tell an event
 * trigger what the command has done; it is passed by value.
 */
Datum *
dtmodel_read_event(const char *query, int *count)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum	   *values;

	SPI_connect();
	(void) SPI_execute(query, true, 0);
	*count = (int) SPI_processed;
	values = MemoryContextAlloc(caller, sizeof(Datum) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		bool		isnull;

		values[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
								  1, &isnull);
	}
	SPI_finish();
	return values;
}

/*
 * The CollectedCommands of the command that has ended, which know the objects
 * that it has found for its names.
 */
List *
dtmodel_collected_commands(void)
{
	int			count;
	Datum	   *values = dtmodel_read_event("SELECT command FROM pg_catalog.pg_event_trigger_ddl_commands()",
											&count);
	List	   *commands = NIL;

	for (int i = 0; i < count; i++)
		commands = lappend(commands, DatumGetPointer(values[i]));
	return commands;
}

/*
 * Runs a command as a part of the one that has fired the event trigger: other
 * event triggers find it among what that command has done, and none is fired
 * for it.
 */
void
dtmodel_run_node(Node *statement)
{
	PlannedStmt *planned = makeNode(PlannedStmt);

	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = statement;
	planned->stmt_location = -1;
	ProcessUtility(planned, "", false, PROCESS_UTILITY_SUBCOMMAND, NULL, NULL,
				   None_Receiver, NULL);
	CommandCounterIncrement();
}

/* The same for a command in SQL. */
void
dtmodel_run_command(const char *sql)
{
	dtmodel_run_node(linitial_node(RawStmt,
								   raw_parser(sql, RAW_PARSE_DEFAULT))->stmt);
}
