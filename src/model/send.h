/*-------------------------------------------------------------------------
 *
 * send.h
 *	  Sending statements to the shards of a table, and receiving them there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SEND_H
#define DTMODEL_SEND_H

#include "executor/execdesc.h"
#include "model/model.h"
#include "model/sender.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

extern const DtModel *dtmodel_written_model(const Query *query);
extern void dtmodel_check_not_marked(Query *query);
extern void dtmodel_mark_as_sent(Query *query, DtSentCommand command);
extern void dtmodel_send_insert(Query *query, const DtModel *model);
extern void dtmodel_check_copy(const CopyStmt *copy);
extern Expr *dtmodel_call_actor_for(Oid relid, const DtColumn *column);
extern bool dtmodel_receive_statement(Query *query, bool is_local,
									  DtSender *sender, Const **kept);
extern void dtmodel_keep_sender(PlannedStmt *planned, Const *sender);
extern void dtmodel_receive_kept(QueryDesc *query);
extern bool dtmodel_is_own_call(const Node *call);

#endif							/* DTMODEL_SEND_H */
