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
extern const char *dtmodel_renamed_column(Relation rel, const DtMixin *mixin,
										  const char *option);
extern bool dtmodel_knows_options(Relation rel, const DtMixin *mixin);
extern char *dtmodel_repair_statement(Relation rel, const DtMixin *mixin);

#endif							/* DTMODEL_MIXIN_CALL_H */
