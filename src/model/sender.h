/*-------------------------------------------------------------------------
 *
 * sender.h
 *	  The server that sent the statement which is running on a shard.
 *
 * A server on which Citus plans a statement sends parts of it to the shards.
 * The settings of the session and its clock do not arrive there, so the
 * statement carries what its rows depend on: the command, the times and the
 * actor.  They are the same on all shards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SENDER_H
#define DTMODEL_SENDER_H

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "model/model.h"
#include "nodes/primnodes.h"
#include "server/statement.h"

/* What the statement does to the rows that it finds. */
typedef enum DtSentCommand
{
	DT_SENT_UPDATE,
	DT_SENT_DELETE,				/* marks them as deleted */
	DT_SENT_HARD_DELETE			/* deletes them for good */
} DtSentCommand;

typedef struct DtSender
{
	DtSentCommand command;
	bool		is_session;		/* this session; then the others are not set */
	TimestampTz transaction;	/* when it began there */
	TimestampTz statement;
	const char *actor;			/* NULL: none, where a column needs one */
	bool		is_role;		/* no actor was set; this is the role */
} DtSender;

/* Whether this session has received a statement: most do not. */
extern bool dtmodel_has_received;

/*
 * The sender of the statement that is running, or of the one around it; NULL
 * on the server that a client is connected to.
 */
static inline const DtSender *
dtmodel_sender(void)
{
	return dtmodel_has_received ? dtmodel_innermost_note(DT_NOTE_SENDER) : NULL;
}

/* When the transaction began, on the server that has sent the statement. */
static inline TimestampTz
dtmodel_transaction_time(void)
{
	const DtSender *sender = dtmodel_sender();

	return sender == NULL ? GetCurrentTransactionStartTimestamp() :
		sender->transaction;
}

static inline TimestampTz
dtmodel_statement_time(void)
{
	const DtSender *sender = dtmodel_sender();

	return sender == NULL ? GetCurrentStatementStartTimestamp() :
		sender->statement;
}

extern const char *dtmodel_sent_command_name(DtSentCommand command);
extern Const *dtmodel_no_sender(void);
extern DtSentCommand dtmodel_sent_command_of(const char *name);
extern DtSender dtmodel_read_sender(const text *sender);
extern void *dtmodel_receive(MemoryContext query, const text *sender);
pg_noreturn extern void dtmodel_report_planner_only(void);
extern void dtmodel_check_sent(Relation rel);
extern void dtmodel_check_insert_sent(Relation rel);

#endif							/* DTMODEL_SENDER_H */
