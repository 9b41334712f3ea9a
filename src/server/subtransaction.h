/*-------------------------------------------------------------------------
 *
 * subtransaction.h
 *	  Work in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SUBTRANSACTION_H
#define DTMODEL_SUBTRANSACTION_H

#include "utils/elog.h"

extern ErrorData *dtmodel_try_in_subtransaction(void (*work) (void *), void *argument);
extern bool dtmodel_keep_subtransaction_if(bool (*work) (void *), void *argument);

#endif							/* DTMODEL_SUBTRANSACTION_H */
