/*-------------------------------------------------------------------------
 *
 * mixins.h
 *	  The list of all mixins.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MIXINS_H
#define DTMODEL_MIXINS_H

#include "model/mixin.h"

/* Ends with NULL. */
extern const DtMixin *const dtmodel_all_mixins[];

#endif							/* DTMODEL_MIXINS_H */
