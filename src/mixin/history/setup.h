/*-------------------------------------------------------------------------
 *
 * setup.h
 *	  What a history needs of the tables: for the mixin's descriptor.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_SETUP_H
#define DTMODEL_HISTORY_SETUP_H

#include "mixin/history/mixin.h"
#include "model/ddl.h"

extern void dtmodel_leave_history(DtChange *change);
extern bool dtmodel_is_history_time(const DtColumn *updated_at);
extern char *dtmodel_history_time_statement(Relation rel,
											const DtColumn *updated_at);
extern void dtmodel_check_history_names(Relation rel);
extern const char *dtmodel_history_persistence(Relation model);
extern bool dtmodel_lacks_history_index(Relation rel, const DtHistory *history,
										Oid table);
extern const char *dtmodel_key_column_without_past(const DtKey *key,
												   const DtHistory *history,
												   Oid table);
extern char *dtmodel_history_index(Relation rel, const char *table);
extern char *dtmodel_history_column(Form_pg_attribute att);
extern void dtmodel_add_truncate_triggers(Oid partition);
extern void dtmodel_check_history_attach(Relation rel, Relation parent);

#endif							/* DTMODEL_HISTORY_SETUP_H */
