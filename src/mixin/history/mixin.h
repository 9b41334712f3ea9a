/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the history mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_MIXIN_H
#define DTMODEL_HISTORY_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef struct DtHistory
{
	NameData	table;			/* with the past versions of the rows */
	NameData	as_of;			/* the function that shows the past */
	int			nexcluded;
	DtColumn   *excluded;		/* columns without a past */
} DtHistory;

/* Indexes in the mixin's list of triggers. */
typedef enum DtHistoryTrigger
{
	DT_HISTORY,
	DT_HISTORY_MOVE,
	DT_HISTORY_TRUNCATE
} DtHistoryTrigger;

#define DT_HISTORY_TRIGGERS (DT_HISTORY_TRUNCATE + 1)

extern const DtRowAction dtmodel_history_action;
extern const DtTriggerType dtmodel_history_triggers[DT_HISTORY_TRIGGERS];
extern const DtMixin dtmodel_history_mixin;

static inline const DtHistory *
dtmodel_history_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_history_mixin);
}

#endif							/* DTMODEL_HISTORY_MIXIN_H */
