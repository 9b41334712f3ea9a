/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  The settings mixin: declarations for its own files and for the functions
 *	  on rows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MIXIN_SETTINGS_H
#define DTMODEL_MIXIN_SETTINGS_H

#include "mixin/settings/mixin.h"

/* Where a value violates its rule: the word of the rule, and its operand. */
typedef struct DtRuleBreach
{
	const char *word;
	const char *expected;
} DtRuleBreach;

extern DtSettings *dtmodel_usable_settings(Relation rel);
extern DtSettings *dtmodel_settings_of_rows(TupleDesc desc);
extern Jsonb *dtmodel_effective_settings(const DtSettings *settings,
										 Jsonb *stored);
extern List *dtmodel_invalid_settings_of(const DtSettings *settings,
										 const Jsonb *stored);

/* stored.c: how many rows have settings that are no longer valid */
typedef struct DtSettingsCount
{
	uint64		looked_at;		/* rows with settings that were read */
	uint64		invalid;
	bool		is_sample;		/* not all rows were read */
	List	   *names;			/* some of the settings that are not valid */
} DtSettingsCount;

extern DtSettingsCount dtmodel_count_invalid_settings(Relation rel,
													  const DtSettings *settings,
													  double rows);
extern void dtmodel_report_invalid_settings(Oid relid);
extern void dtmodel_drift_of_stored_settings(struct DtDrift *drift,
											 Relation rel,
											 const DtSettings *settings);

/* setup.c */
extern const char *dtmodel_find_settings_check(Relation rel,
											   const DtColumn *column);

/* rule.c */
extern void dtmodel_check_rule(const DtRawValue *name, const DtRawValue *rule);
extern bool dtmodel_breaks_rule(const DtRawValue *rule, const DtRawValue *value,
								DtRuleBreach *breach);

#endif							/* DTMODEL_MIXIN_SETTINGS_H */
