/*-------------------------------------------------------------------------
 *
 * dtmodel.h
 *	  What every floor of dtmodel shares: the schema's name and the settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_H
#define DTMODEL_H

#include "compat.h"

/* The extension is not relocatable, so its schema has one name for good. */
#define DTMODEL_SCHEMA "dtmodel"

/* settings (GUCs), defined in dtmodel.c */
extern bool dtmodel_preserve_timestamps;
extern bool dtmodel_hard_delete;
extern char *dtmodel_actor_setting;
extern bool dtmodel_actor_locked;

/* False while what was set before the library came is looked at. */
extern bool dtmodel_is_loaded;

extern bool dtmodel_is_preloaded(void);
extern bool dtmodel_rewrites(void);

#endif							/* DTMODEL_H */
