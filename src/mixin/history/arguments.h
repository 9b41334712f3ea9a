/*-------------------------------------------------------------------------
 *
 * arguments.h
 *	  The arguments of the triggers of histories, in the catalog.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_ARGUMENTS_H
#define DTMODEL_HISTORY_ARGUMENTS_H

#include "mixin/history/mixin.h"

/* A model with a history, and what its trigger says. */
typedef struct DtHistoryNames
{
	Oid			model;
	const char *table;
	const char *as_of;
} DtHistoryNames;

extern List *dtmodel_all_histories(void);
extern DtHistoryNames *dtmodel_history_names(Oid model);
extern Oid	dtmodel_named_history(const DtHistoryNames *names);
extern const DtHistoryNames *dtmodel_model_of_history(Oid table);
extern char *dtmodel_excluded_literal(const DtHistory *history);
extern void dtmodel_set_history_arguments(Relation model,
										  const DtHistory *history);

#endif							/* DTMODEL_HISTORY_ARGUMENTS_H */
