/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the version mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_VERSION_MIXIN_H
#define DTMODEL_VERSION_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef struct DtVersion
{
	DtColumn	version;
} DtVersion;

extern const DtRowAction dtmodel_version_action;
extern const DtMixin dtmodel_version_mixin;
extern const DtColumnUse dtmodel_use_version;

static inline const DtVersion *
dtmodel_version_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_version_mixin);
}

#endif							/* DTMODEL_VERSION_MIXIN_H */
