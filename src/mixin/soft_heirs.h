/*-------------------------------------------------------------------------
 *
 * soft_heirs.h
 *	  Soft delete of tables that other tables inherit from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_HEIRS_H
#define DTMODEL_SOFT_HEIRS_H

#include "model/ddl.h"

extern List *dtmodel_heirs(Relation rel);
extern bool dtmodel_is_inherited_column(Relation rel, const DtColumn *column);
extern bool dtmodel_is_inherited_constraint(Relation rel, const char *name);
extern void dtmodel_change_guard_trigger(DtChange *change);

#endif							/* DTMODEL_SOFT_HEIRS_H */
