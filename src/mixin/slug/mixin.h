/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the slug mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SLUG_MIXIN_H
#define DTMODEL_SLUG_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef struct DtSlug
{
	DtColumn	source;
	DtColumn	slug;
	int			max_length;
	bool		on_update;		/* the slug follows the source */
} DtSlug;

extern const DtRowAction dtmodel_slug_action;
extern const DtMixin dtmodel_slug_mixin;

static inline const DtSlug *
dtmodel_slug_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_slug_mixin);
}

#endif							/* DTMODEL_SLUG_MIXIN_H */
