/*-------------------------------------------------------------------------
 *
 * elements.h
 *	  Which elements of lists are equal, told by small numbers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_ELEMENTS_H
#define DTMODEL_JSON_ELEMENTS_H

#include "json/format.h"
#include "json/hash.h"

#define NO_ELEMENT PG_UINT32_MAX

typedef struct element_hash ElementTable;

extern ElementTable *dtmodel_elements_create(uint32 expected, HashMemo *memo);
extern void dtmodel_elements_free(ElementTable *table);
extern uint32 dtmodel_elements_add(ElementTable *table, const RawValue *element);
extern uint32 dtmodel_elements_find(ElementTable *table, const RawValue *element);
extern uint32 dtmodel_elements_count(ElementTable *table);

#endif							/* DTMODEL_JSON_ELEMENTS_H */
