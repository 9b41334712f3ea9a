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

#define DT_NO_ELEMENT PG_UINT32_MAX

typedef struct element_hash DtElementNumbers;

extern DtElementNumbers *dtmodel_element_numbers_create(uint32 expected,
														DtHashMemo *memo);
extern void dtmodel_element_numbers_free(DtElementNumbers *table);
extern uint32 dtmodel_element_numbers_add(DtElementNumbers *table,
										  const DtRawValue *element);
extern uint32 dtmodel_element_numbers_find(DtElementNumbers *table,
										   const DtRawValue *element);
extern uint32 dtmodel_element_numbers_count(DtElementNumbers *table);

#endif							/* DTMODEL_JSON_ELEMENT_NUMBERS_H */
