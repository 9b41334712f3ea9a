/*-------------------------------------------------------------------------
 *
 * create.h
 *	  Inserting one row with a JSON object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CREATE_H
#define DTMODEL_CREATE_H

#include "api/data.h"
#include "model/row_call.h"

extern bool dtmodel_insert_row(const DtRowCall *call, const DtDataPlace *place,
							   const DtData *data, DtPlanPurpose purpose,
							   Datum *row);

#endif							/* DTMODEL_CREATE_H */
