/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  The trigger that protects tables that inherit from a soft-delete model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_GUARD_H
#define DTMODEL_SOFT_DELETE_GUARD_H

#include "model/ddl.h"

extern void dtmodel_change_guard_trigger(DtChange *change);

#endif							/* DTMODEL_SOFT_DELETE_GUARD_H */
