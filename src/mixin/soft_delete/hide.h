/*-------------------------------------------------------------------------
 *
 * hide.h
 *	  Hiding the deleted rows of models that asked for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_HIDE_H
#define DTMODEL_SOFT_DELETE_HIDE_H

#include "nodes/parsenodes.h"

extern void dtmodel_hide_deleted(Query *query);

#endif							/* DTMODEL_SOFT_DELETE_HIDE_H */
