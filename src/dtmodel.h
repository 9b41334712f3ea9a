/*-------------------------------------------------------------------------
 *
 * dtmodel.h
 *	  The names of the extension's schemas, which all of dtmodel uses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_H
#define DTMODEL_H

#include "compat.h"

/*
 * The extension is not relocatable, so the names are fixed.  What people call
 * is in the first; the functions of triggers and for the planner are in the
 * second.
 */
#define DTMODEL_SCHEMA "dtmodel"
#define DTMODEL_INTERNAL_SCHEMA "dtmodel_internal"

#endif							/* DTMODEL_H */
