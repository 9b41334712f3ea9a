/*-------------------------------------------------------------------------
 *
 * hard_delete.h
 *	  Who may delete rows of a soft-delete model for good.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HARD_DELETE_H
#define DTMODEL_HARD_DELETE_H

#include "utils/guc.h"
#include "utils/rel.h"

/* Whether dtmodel.hard_delete is on for a call with "soft => false" alone. */
extern bool dtmodel_soft_is_false;

extern bool dtmodel_may_delete_for_good(Relation rel);
extern void dtmodel_check_hard_delete(Relation rel);

/* hooks of the setting dtmodel.hard_delete */
extern bool dtmodel_check_hard_delete_setting(bool *newval, void **extra,
											  GucSource source);
extern void dtmodel_assign_hard_delete_setting(void *extra);

/* ... and for the value that it has when it is defined. */
extern void dtmodel_claim_hard_delete(Oid role);

#endif							/* DTMODEL_HARD_DELETE_H */
