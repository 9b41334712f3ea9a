/*-------------------------------------------------------------------------
 *
 * dtmodel.h
 *	  What every floor of dtmodel shares: the schema's name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_H
#define DTMODEL_H

#include "compat.h"

/* The extension is not relocatable, so its schema has one name for good. */
#define DTMODEL_SCHEMA "dtmodel"

#endif							/* DTMODEL_H */
