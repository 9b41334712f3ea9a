/*-------------------------------------------------------------------------
 *
 * inheritance.h
 *	  Tables that inherit from others, and what they have inherited.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_INHERITANCE_H
#define DTMODEL_INHERITANCE_H

#include "model/ddl.h"

/*
 * Functions that add a mixin to one table, or remove it, and with
 * drop_columns its columns too.
 */
typedef void (*DtChangeMixin) (DtChange *change, const void *request);
typedef void (*DtDropMixin) (DtChange *change, bool drop_columns);

extern List *dtmodel_parents(Oid relid);
extern List *dtmodel_inheritors(Relation rel);
extern List *dtmodel_with_inheritors(Oid relid);
extern void dtmodel_change_with_inheritors(Oid relid, const DtMixin *mixin,
										   DtChangeMixin change_mixin,
										   const void *request);
extern void dtmodel_drop_with_inheritors(Oid relid, const DtMixin *mixin,
										 DtDropMixin drop, bool drop_columns);
extern bool dtmodel_is_inherited_column(Relation rel, const DtColumn *column);
extern bool dtmodel_is_inherited_constraint(Relation rel, const char *name);
extern void dtmodel_drop_own_column(DtChange *change, const DtColumn *column);

#endif							/* DTMODEL_INHERITANCE_H */
