/*-------------------------------------------------------------------------
 *
 * unique.h
 *	  Unique indexes that include hidden rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_UNIQUE_H
#define DTMODEL_SOFT_DELETE_UNIQUE_H

#include "mixin/soft_delete/mixin.h"

extern void dtmodel_drift_of_hidden_rows(struct DtDrift *drift, Relation rel);
extern void dtmodel_report_hidden_rows(Oid relid);
extern bool dtmodel_is_without_overlaps(Relation index);
extern char *dtmodel_overlaps_advice(Relation rel, Relation index,
									 const DtSoftDelete *columns);

#endif							/* DTMODEL_SOFT_DELETE_UNIQUE_H */
