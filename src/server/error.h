/*-------------------------------------------------------------------------
 *
 * error.h
 *	  Errors that are caught to be thrown again, with a hint of ours.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SERVER_ERROR_H
#define DTMODEL_SERVER_ERROR_H

#include "utils/relcache.h"

extern ErrorData *dtmodel_take_error(int sqlstate, MemoryContext caller);
extern bool dtmodel_is_error_of(const ErrorData *error, Relation rel);

#endif							/* DTMODEL_SERVER_ERROR_H */
