/*-------------------------------------------------------------------------
 *
 * object.h
 *	  Builds objects from members.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_OBJECT_H
#define DTMODEL_JSON_OBJECT_H

#include "json/format.h"

extern Jsonb *dtmodel_object_with_defaults(const DtRawValue *object,
										   const DtRawValue *defaults);
extern Jsonb *dtmodel_make_object(const DtRawMember *members, uint32 count);

#endif							/* DTMODEL_JSON_OBJECT_H */
