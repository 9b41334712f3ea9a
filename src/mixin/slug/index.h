/*-------------------------------------------------------------------------
 *
 * index.h
 *	  The unique index on slugs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SLUG_INDEX_H
#define DTMODEL_SLUG_INDEX_H

#include "model/ddl.h"

extern List *dtmodel_slug_indexes(Relation rel, AttrNumber attnum);
extern bool dtmodel_slug_is_unique(Relation rel, AttrNumber attnum);
extern bool dtmodel_has_invalid_slug_index(Relation rel, AttrNumber attnum);
extern void dtmodel_change_slug_index(DtChange *change, const DtColumn *slug);
extern void dtmodel_drop_slug_indexes(DtChange *change, const DtColumn *slug);
extern void dtmodel_refresh_slug_index(Oid relid);

#endif							/* DTMODEL_SLUG_INDEX_H */
