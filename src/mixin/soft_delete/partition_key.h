/*-------------------------------------------------------------------------
 *
 * partition_key.h
 *	  Partition keys with the flag or the time of a soft delete.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PARTITION_KEY_H
#define DTMODEL_PARTITION_KEY_H

#include "model/drift.h"
#include "mixin/soft_delete/mixin.h"

extern bool dtmodel_is_partitioned_by(Relation rel, const char *name);
extern void dtmodel_drift_of_partition_keys(DtDrift *drift, Relation rel,
											const DtSoftDelete *soft_delete);

#endif							/* DTMODEL_PARTITION_KEY_H */
