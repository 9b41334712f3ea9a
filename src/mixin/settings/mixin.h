/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor and the options of the settings mixin.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SETTINGS_MIXIN_H
#define DTMODEL_SETTINGS_MIXIN_H

#include "json/format.h"
#include "model/model.h"
#include "model/row.h"

/* What happens to settings that the model does not know. */
typedef enum DtOnUnknown
{
	DT_UNKNOWN_ERROR,
	DT_UNKNOWN_IGNORE,
	DT_UNKNOWN_ALLOW
} DtOnUnknown;

typedef struct DtSettings
{
	DtColumn	column;
	bool		combined;		/* read and written beside the columns */
	DtOnUnknown on_unknown;
	Jsonb	   *rules;			/* the rules of all valid settings, by name */
	Jsonb	   *defaults;		/* of the settings that have one; NULL: none */
} DtSettings;

extern const DtRowAction dtmodel_settings_action;
extern const DtMixin dtmodel_settings_mixin;

static inline const DtSettings *
dtmodel_settings_of(const DtModel *model)
{
	return dtmodel_options_of(model, &dtmodel_settings_mixin);
}

extern DtSettings *dtmodel_copy_settings(const DtSettings *settings);
extern bool dtmodel_is_setting(const DtSettings *settings, const DtRawValue *key,
							   DtRawValue *rule);
extern const char *dtmodel_on_unknown_name(DtOnUnknown on_unknown);
extern bool dtmodel_parse_on_unknown(const char *name, DtOnUnknown *on_unknown);

#endif							/* DTMODEL_SETTINGS_MIXIN_H */
