/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  Work in a scope of its own: under other settings, or in a
 *	  subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SCOPE_H
#define DTMODEL_SCOPE_H

#include "utils/elog.h"

extern void dtmodel_set_in_scope(const char *setting, const char *value);
extern ErrorData *dtmodel_try(void (*work) (void *), void *argument);

#endif							/* DTMODEL_SCOPE_H */
