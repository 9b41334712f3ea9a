/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What is out of order with a model: the messages, and the checks that
 *	  are the same for all mixins.
 *
 * A message says what is wrong and, after ": ", the SQL statement that repairs
 * it, to be run as it is, or two of them with "; " between.  Where the user
 * has to decide something, it says that instead, and begins in lower case.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DRIFT_H
#define DTMODEL_DRIFT_H

#include "model/model.h"

extern void dtmodel_append_drift(StringInfo drift, const char *format,...)
			compat_attribute_printf(2, 3);
extern void dtmodel_drift_of_columns(StringInfo drift, Relation rel,
									 const DtMixin *mixin, const void *options);
extern void dtmodel_drift_of_missing_trigger(StringInfo drift, Relation rel,
											 const DtMixin *mixin,
											 const DtTriggerType *type);
extern void dtmodel_drift_of_triggers(StringInfo drift, Relation rel);
extern void dtmodel_drift_of_partitions(StringInfo drift, Relation rel);
extern const char *dtmodel_partition_without_trigger(Relation rel,
													 const DtTriggerType *type);
extern void dtmodel_drift_of_indexes(StringInfo drift, Relation rel);
extern void dtmodel_drift_of_rules(StringInfo drift, Relation rel);
extern void dtmodel_drift_of_event_trigger(StringInfo drift, const char *name,
										   const char *work);
extern char *dtmodel_alter_column(Relation rel, const DtColumn *column,
								  const char *action);

#endif							/* DTMODEL_DRIFT_H */
