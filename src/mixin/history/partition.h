/*-------------------------------------------------------------------------
 *
 * partition.h
 *	  History tables that are partitioned by the ends of the versions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_PARTITION_H
#define DTMODEL_HISTORY_PARTITION_H

#include "mixin/history/version.h"
#include "storage/lockdefs.h"

/* The months after the current one that have partitions unless asked. */
#define DT_MONTHS_AHEAD 3

/* Writes versions of rows of the model into one ordinary table. */
typedef void (*DtWriteVersions) (Relation model, Relation table,
								 const DtPastVersion *versions, int count);

extern void dtmodel_write_to_partitions(Relation model, Relation table,
										const DtPastVersion *versions,
										int count, DtWriteVersions write);
extern bool dtmodel_has_partition_key(Relation table);
extern bool dtmodel_has_partition_for(Relation table, TimestampTz time);
extern bool dtmodel_is_free_range(Relation table, TimestampTz from,
								  TimestampTz to);
extern List *dtmodel_partitions_before(Relation table, TimestampTz time);
extern void dtmodel_check_partition_key(Relation table);

/* partition_setup.c */
extern List *dtmodel_make_history_partitions(Relation model, Oid table,
											 int months);
extern const char *dtmodel_partition_label(const char *name);

#endif							/* DTMODEL_HISTORY_PARTITION_H */
