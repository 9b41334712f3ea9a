/*-------------------------------------------------------------------------
 *
 * policy.h
 *	  The policies of a model, which hold for its past, too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_POLICY_H
#define DTMODEL_HISTORY_POLICY_H

#include "mixin/history/mixin.h"

extern void dtmodel_copy_policies(Oid model, const DtHistory *history,
								  Oid table, Oid changed);
extern void dtmodel_drift_of_policies(struct DtDrift *drift, Relation model,
									  const DtHistory *history, Oid table);
extern void dtmodel_recognize_policies(Oid model, Oid table);
extern bool dtmodel_is_copied_policy(Oid model, Oid table, const char *name);
extern void dtmodel_rename_copied_policy(Oid model, Oid table,
										 const char *name);
extern void dtmodel_replace_copied_policy(Oid model, Oid table, Oid policy);
extern Oid	dtmodel_table_of_policy(Oid policy);

#endif							/* DTMODEL_HISTORY_POLICY_H */
