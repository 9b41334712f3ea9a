/*-------------------------------------------------------------------------
 *
 * hard_delete.h
 *	  The privilege to delete rows of a soft-delete model for good.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_HARD_DELETE_H
#define DTMODEL_SOFT_DELETE_HARD_DELETE_H

#include "utils/rel.h"

/* Whether dtmodel.hard_delete is on only for a call with "soft => false". */
extern bool dtmodel_soft_is_false;

extern bool dtmodel_may_delete_for_good(Relation rel);
extern void dtmodel_check_hard_delete(Relation rel);

#endif							/* DTMODEL_SOFT_DELETE_HARD_DELETE_H */
