/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the audit mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_AUDIT_MIXIN_H
#define DTMODEL_AUDIT_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef struct DtAudit
{
	DtColumn	created_by;
	DtColumn	updated_by;
} DtAudit;

extern const DtRowAction dtmodel_audit_action;
extern const DtMixin dtmodel_audit_mixin;

static inline const DtAudit *
dtmodel_audit_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_audit_mixin);
}

#endif							/* DTMODEL_AUDIT_MIXIN_H */
