/*-------------------------------------------------------------------------
 *
 * claim.h
 *	  Which role has set a setting that every role may set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CLAIM_H
#define DTMODEL_CLAIM_H

#include "utils/guc.h"

/* For the check hook of the setting, and for its assign hook. */
extern bool dtmodel_is_claim(GucSource source);
extern Oid	dtmodel_claiming_role(void);
extern bool dtmodel_keep_claimant(void **extra);
extern Oid	dtmodel_claimant(const void *extra);

#endif							/* DTMODEL_CLAIM_H */
