/*-------------------------------------------------------------------------
 *
 * dependents.h
 *	  The objects that depend on another one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DEPENDENTS_H
#define DTMODEL_DEPENDENTS_H

#include "nodes/pg_list.h"

extern List *dtmodel_dependents(Oid classid, Oid objid, Oid dependent_classid);

#endif							/* DTMODEL_DEPENDENTS_H */
