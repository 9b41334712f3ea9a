/*-------------------------------------------------------------------------
 *
 * element_numbers.h
 *	  Gives elements of lists numbers: equal elements have the same number.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_ELEMENT_NUMBERS_H
#define DTMODEL_JSON_ELEMENT_NUMBERS_H

#include "json/format.h"
#include "json/hash.h"

#define NO_ELEMENT PG_UINT32_MAX

typedef struct element_hash ElementNumbers;

extern ElementNumbers *dtmodel_element_numbers_create(uint32 expected,
													  HashMemo *memo);
extern void dtmodel_element_numbers_free(ElementNumbers *table);
extern uint32 dtmodel_element_numbers_add(ElementNumbers *table,
										  const RawValue *element);
extern uint32 dtmodel_element_numbers_find(ElementNumbers *table,
										   const RawValue *element);
extern uint32 dtmodel_element_numbers_count(ElementNumbers *table);

#endif							/* DTMODEL_JSON_ELEMENT_NUMBERS_H */
