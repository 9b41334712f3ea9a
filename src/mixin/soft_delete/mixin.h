/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the soft-delete mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_MIXIN_H
#define DTMODEL_SOFT_DELETE_MIXIN_H

#include "model/model.h"
#include "model/row.h"

typedef struct DtSoftDelete
{
	DtColumn	flag;
	DtColumn	deleted_at;
	DtColumn	deleted_by;
	bool		flag_is_live;	/* the flag is true for live rows */
	bool		hide;			/* queries see live rows only */
	bool		refuses_flag_writes;	/* an UPDATE cannot flip the flag */
	bool		trigger_tier;	/* the planner leaves DELETE to the triggers */
	char		tgenabled;		/* when the trigger fires, as in pg_trigger */
} DtSoftDelete;

/* Indexes in the mixin's list of triggers. */
typedef enum DtSoftDeleteTrigger
{
	DT_SOFT_DELETE,
	DT_SOFT_DELETE_FLAG,
	DT_SOFT_CASCADE,
	DT_SOFT_CASCADE_MOVE,
	DT_SOFT_DELETE_GUARD,
	DT_PROTECT_TRUNCATE
} DtSoftDeleteTrigger;

#define DT_SOFT_DELETE_TRIGGERS (DT_PROTECT_TRUNCATE + 1)

extern const DtTriggerType dtmodel_soft_delete_triggers[DT_SOFT_DELETE_TRIGGERS];
extern const DtRowAction dtmodel_soft_delete_action;
extern const DtRowAction dtmodel_soft_delete_flag_action;
extern const DtMixin dtmodel_soft_delete_mixin;

static inline const DtSoftDelete *
dtmodel_soft_delete_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_soft_delete_mixin);
}

/* Whether an UPDATE of these columns can neither delete nor restore a row. */
static inline bool
dtmodel_keeps_marks(const DtSoftDelete *soft_delete, const Bitmapset *updated)
{
	return !bms_is_member(soft_delete->deleted_at.attnum, updated) &&
		!bms_is_member(soft_delete->flag.attnum, updated);
}

#endif							/* DTMODEL_SOFT_DELETE_MIXIN_H */
