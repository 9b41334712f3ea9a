/*-------------------------------------------------------------------------
 *
 * mixin_call.h
 *	  The call of add_* that gives a table a mixin as it has it, for hints.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MIXIN_CALL_H
#define DTMODEL_MIXIN_CALL_H

#include "model/model.h"

extern char *dtmodel_mixin_call(Relation rel, const DtMixin *mixin,
								const char *parameter, const char *value);

#endif							/* DTMODEL_MIXIN_CALL_H */
