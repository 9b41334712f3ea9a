/*-------------------------------------------------------------------------
 *
 * projection.h
 *	  The work of row triggers, done where the executor projects the new row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PROJECTION_H
#define DTMODEL_PROJECTION_H

#include "executor/execdesc.h"

extern void dtmodel_project_row_actions(QueryDesc *query);
extern void dtmodel_complete_row_actions(QueryDesc *query);

#endif							/* DTMODEL_PROJECTION_H */
