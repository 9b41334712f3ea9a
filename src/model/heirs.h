/*-------------------------------------------------------------------------
 *
 * heirs.h
 *	  Tables that inherit from others, and what they have from them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HEIRS_H
#define DTMODEL_HEIRS_H

#include "model/ddl.h"

extern List *dtmodel_heirs(Relation rel);
extern List *dtmodel_with_heirs(Oid relid);
extern bool dtmodel_is_inherited_column(Relation rel, const DtColumn *column);
extern bool dtmodel_is_inherited_constraint(Relation rel, const char *name);
extern void dtmodel_drop_own_column(DtChange *change, const DtColumn *column);

#endif							/* DTMODEL_HEIRS_H */
