/*-------------------------------------------------------------------------
 *
 * heirs.h
 *	  Soft delete of tables that other tables inherit from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_HEIRS_H
#define DTMODEL_SOFT_DELETE_HEIRS_H

#include "model/ddl.h"

extern void dtmodel_change_guard_trigger(DtChange *change);

#endif							/* DTMODEL_SOFT_DELETE_HEIRS_H */
