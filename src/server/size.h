/*-------------------------------------------------------------------------
 *
 * size.h
 *	  How large a table is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SIZE_H
#define DTMODEL_SIZE_H

#include "utils/rel.h"

typedef struct DtTableSize
{
	double		rows;			/* an estimate */
	int64		bytes;
} DtTableSize;

extern double dtmodel_estimate_rows(Relation rel);
extern DtTableSize dtmodel_table_size(Relation rel);
extern bool dtmodel_is_large(Relation rel);

#endif							/* DTMODEL_SIZE_H */
