/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What is out of order with a model: the entries, and the checks that are
 *	  the same for all mixins.
 *
 * An entry says what is wrong, and how to repair it.  Both have names that
 * users have chosen, so they are kept apart: in one text a script could not
 * tell where the second begins.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DRIFT_H
#define DTMODEL_DRIFT_H

#include "model/model.h"

/* How to repair what an entry reports. */
typedef enum DtRemedy
{
	DT_REPAIR,					/* an SQL statement, to be run as it is, or
								 * several with "; " between; no data is lost */
	DT_ADVICE,					/* a clause: the user has to decide something */
	DT_SESSION					/* an SQL statement; other sessions may not
								 * have the problem */
} DtRemedy;

/* The entries about a table, as members of JSON arrays. */
typedef struct DtDrift
{
	StringInfoData table;
	StringInfoData session;		/* of DT_SESSION */
	List	   *repairs;		/* the statements that were reported */
	bool		undecided;		/* what is missing may have been renamed */
} DtDrift;

extern void dtmodel_append_drift(DtDrift *drift, DtRemedy kind,
								 const char *remedy, const char *format,...)
			compat_attribute_printf(4, 5);
extern void dtmodel_drift_of_columns(DtDrift *drift, Relation rel,
									 const DtMixin *mixin, const void *options);
extern void dtmodel_drift_of_missing_trigger(DtDrift *drift, Relation rel,
											 const DtMixin *mixin,
											 const DtTriggerType *type);
extern void dtmodel_drift_of_triggers(DtDrift *drift, Relation rel);
extern void dtmodel_drift_of_suspects(DtDrift *drift, Relation rel,
									  bool (*is_suspect_partition) (Oid partition),
									  void (*look) (DtDrift *drift,
													Relation partition,
													Relation root));
extern void dtmodel_drift_of_partitions(DtDrift *drift, Relation rel);
extern const char *dtmodel_partition_without_trigger(Relation rel,
													 const DtTriggerType *type);
extern void dtmodel_drift_of_indexes(DtDrift *drift, Relation rel);
extern void dtmodel_drift_of_rules(DtDrift *drift, Relation rel);
extern void dtmodel_drift_of_event_trigger(DtDrift *drift, const char *name,
										   const char *work);
extern char *dtmodel_alter_column(Relation rel, const DtColumn *column,
								  const char *action);

#endif							/* DTMODEL_DRIFT_H */
