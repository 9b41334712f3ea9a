/*-------------------------------------------------------------------------
 *
 * formed_row.h
 *	  Forming the tuple of a row where the executor projects the row.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_FORMED_ROW_H
#define DTMODEL_FORMED_ROW_H

#include "executor/tuptable.h"

extern bool dtmodel_gains_by_forming(TupleDesc desc);
extern void dtmodel_form_row(TupleTableSlot *slot);

#endif							/* DTMODEL_FORMED_ROW_H */
