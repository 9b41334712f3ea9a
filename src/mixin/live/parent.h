/*-------------------------------------------------------------------------
 *
 * parent.h
 *	  Live rows whose parents must be live: declarations for the trigger and
 *	  its setup.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LIVE_PARENT_H
#define DTMODEL_LIVE_PARENT_H

#include "access/attnum.h"
#include "model/ddl.h"
#include "nodes/pg_list.h"
#include "model/foreign_key.h"
#include "utils/rel.h"

/* What one trigger checks: the foreign keys on some columns. */
typedef struct DtLiveParent
{
	int			ncolumns;
	AttrNumber *columns;
} DtLiveParent;

extern DtLiveParent dtmodel_read_live_parent(const Trigger *trigger);
extern List *dtmodel_live_parent_keys(Relation rel,
									  const DtLiveParent *live_parent);
extern bool dtmodel_has_live_parent_trigger(Relation rel,
											const DtForeignKey *key);

/* parent_setup.c */
extern void dtmodel_drift_of_live_parent(struct DtDrift *drift, Relation rel,
										 const Trigger *trigger);
extern void dtmodel_drift_of_live_parents(struct DtDrift *drift, Relation rel);
extern void dtmodel_change_live_parents(DtChange *change,
										const char *deleted_at);

#endif							/* DTMODEL_LIVE_PARENT_H */
