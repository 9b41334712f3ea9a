/*-------------------------------------------------------------------------
 *
 * hash.h
 *	  Hashes of values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_JSON_HASH_H
#define DTMODEL_JSON_HASH_H

#include "json/format.h"

/*
 * The hashes of objects and arrays computed so far, by their addresses.
 */
typedef struct DtHashMemo DtHashMemo;

extern DtHashMemo *dtmodel_make_hash_memo(void);
extern uint64 dtmodel_raw_hash(const DtRawValue *value, DtHashMemo *memo);
extern uint32 dtmodel_hash_random(void);

#endif							/* DTMODEL_JSON_HASH_H */
