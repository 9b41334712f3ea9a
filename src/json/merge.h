/*-------------------------------------------------------------------------
 *
 * merge.h
 *	  Merging one jsonb document into another.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MERGE_H
#define DTMODEL_MERGE_H

#include "json/format.h"

typedef enum DtMergeRule
{
	DT_MERGE_SHALLOW,			/* b's members replace a's */
	DT_MERGE_DEEP,				/* ... but objects are merged into objects */
	DT_MERGE_PATCH				/* ... and null removes: RFC 7396 */
} DtMergeRule;

extern Datum dtmodel_empty_document(void);
extern Datum dtmodel_merge_objects(DtMergeRule rule, Datum a,
								   const DtRawValue *root_a,
								   const DtRawValue *root_b);

#endif							/* DTMODEL_MERGE_H */
