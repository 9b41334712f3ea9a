/*-------------------------------------------------------------------------
 *
 * alter.c
 *	  An ALTER TABLE whose CHECKs need not be checked.
 *
 * The server reads the whole table for each CHECK that is added, and keeps all
 * other sessions out meanwhile, even if the columns are new and all rows have
 * the same value there.  CREATE TABLE does not, since its table is empty: it
 * says so in the constraint, and so does this file.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "parser/parser.h"
#include "server/alter.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/snapmgr.h"

/* It becomes valid nevertheless. */
static void
skip_scan_for(Constraint *check)
{
	Assert(check->contype == CONSTR_CHECK);
	check->skip_validation = true;
}

static void
skip_scan(AlterTableStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		const AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);

		if (command->subtype == AT_AddConstraint)
			skip_scan_for((Constraint *) command->def);
	}
}

/*
 * Runs the statement as the current user.  The constraints that it adds are
 * CHECKs, and the caller knows that no row of the table, of its partitions or
 * of the tables that inherit from it violates one of them.
 */
void
dtmodel_alter_without_scan(const char *sql)
{
	RawStmt    *raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	PlannedStmt *planned = makeNode(PlannedStmt);

	skip_scan(castNode(AlterTableStmt, raw->stmt));
	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = raw->stmt;
	planned->stmt_location = -1;
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(planned, sql, false, PROCESS_UTILITY_QUERY, NULL, NULL,
				   None_Receiver, NULL);
	PopActiveSnapshot();
	CommandCounterIncrement();
}
