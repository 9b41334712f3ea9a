/*-------------------------------------------------------------------------
 *
 * delete.h
 *	  Deleting a row for good.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DELETE_H
#define DTMODEL_DELETE_H

#include "model/row_call.h"

extern bool dtmodel_delete_for_good(const DtRowCall *call, Datum *row);

#endif							/* DTMODEL_DELETE_H */
