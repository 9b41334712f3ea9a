/*-------------------------------------------------------------------------
 *
 * dtmodel.h
 *	  The name of the extension's schema, which all of dtmodel uses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_H
#define DTMODEL_H

#include "compat.h"

/* The extension is not relocatable, so the name is fixed. */
#define DTMODEL_SCHEMA "dtmodel"

#endif							/* DTMODEL_H */
