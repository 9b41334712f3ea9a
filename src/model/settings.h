/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  What a table's settings may be, read from the options of its trigger.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SETTINGS_H
#define DTMODEL_SETTINGS_H

#include "json/format.h"
#include "model/column.h"

/* What becomes of a setting that the model does not know. */
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
	Jsonb	   *rules;			/* what each valid setting has to be, by name */
	Jsonb	   *defaults;		/* those that have one; NULL if none has */
} DtSettings;

/* The options of the trigger, NULL where it has none. */
typedef struct DtSettingsOptions
{
	const char *settings;
	const char *valid_settings; /* an array literal */
	const char *combined;
	const char *on_unknown;
	const char *schema;			/* a JSON object: the rules that there are */
} DtSettingsOptions;

extern DtSettings *dtmodel_read_settings(TupleDesc desc,
										 const DtSettingsOptions *options);
extern DtSettings *dtmodel_copy_settings(const DtSettings *settings);
extern bool dtmodel_is_setting(const DtSettings *settings, const RawValue *key,
							   RawValue *rule);
extern const char *dtmodel_on_unknown_name(DtOnUnknown on_unknown);
extern bool dtmodel_parse_on_unknown(const char *name, DtOnUnknown *on_unknown);

#endif							/* DTMODEL_SETTINGS_H */
