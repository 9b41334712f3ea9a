/*-------------------------------------------------------------------------
 *
 * as_of.h
 *	  The function that shows a model as it was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_AS_OF_H
#define DTMODEL_HISTORY_AS_OF_H

#include "mixin/history/mixin.h"
#include "model/ddl.h"
#include "nodes/parsenodes.h"

extern Oid	dtmodel_find_as_of(Relation model, const char *name);
extern Oid	dtmodel_owned_as_of(Oid model, const char *name, Oid schema);
extern Oid	dtmodel_owner_of_as_of(Oid function);
extern bool dtmodel_is_own_as_of(Oid model, Oid function);
extern List *dtmodel_as_of_entries(const Query *query);
extern bool dtmodel_has_virtual_columns(Relation model);
extern char *dtmodel_as_of_text(Relation model, const DtHistory *history);

#endif							/* DTMODEL_HISTORY_AS_OF_H */
