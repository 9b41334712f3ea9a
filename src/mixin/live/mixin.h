/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptors of live parents and live views.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_LIVE_MIXIN_H
#define DTMODEL_LIVE_MIXIN_H

#include "model/model.h"

/*
 * Indexes in the mixin's list of triggers; a table may have several of the
 * first.
 */
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
