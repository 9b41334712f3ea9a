/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  Live parents and live views, as models have them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LIVE_MIXIN_H
#define DTMODEL_LIVE_MIXIN_H

#include "model/model.h"

/* Its triggers, by their place in its list; of the first there may be several. */
typedef enum DtLiveTrigger
{
	DT_LIVE_PARENT,
	DT_LIVE_PARENT_UPDATE,
	DT_LIVE_VIEW
} DtLiveTrigger;

#define DT_LIVE_TRIGGERS (DT_LIVE_VIEW + 1)

extern const DtTriggerType dtmodel_live_triggers[DT_LIVE_TRIGGERS];
extern const DtMixin dtmodel_live_mixin;

#endif							/* DTMODEL_LIVE_MIXIN_H */
