/*-------------------------------------------------------------------------
 *
 * inheritance.h
 *	  Tables that inherit from others, and what they have inherited.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_INHERITANCE_H
#define DTMODEL_INHERITANCE_H

#include "model/change.h"

/* Removes a mixin from one table, and with drop_columns its columns too. */
typedef void (*DtDropMixin) (DtChange *change, bool drop_columns);

extern List *dtmodel_parents(Oid relid);
extern List *dtmodel_inheritors(Relation rel, LOCKMODE lockmode);
extern bool dtmodel_change_with_inheritors(Oid relid, const DtMixin *mixin,
										   DtChangeTable change_table,
										   const void *request);
extern bool dtmodel_drop_with_inheritors(Oid relid, const DtMixin *mixin,
										 DtDropMixin drop, bool drop_columns);
extern void dtmodel_report_left_columns(const DtChange *change,
										const DtMixin *mixin);
extern bool dtmodel_has_column_anywhere(Relation rel, const char *name,
										LOCKMODE lockmode);
extern bool dtmodel_is_inherited_column(Relation rel, const DtColumn *column);
extern bool dtmodel_is_inherited_constraint(Relation rel, const char *name);
extern void dtmodel_drop_own_column(DtChange *change, const DtColumn *column);

#endif							/* DTMODEL_INHERITANCE_H */
