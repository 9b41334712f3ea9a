/*-------------------------------------------------------------------------
 *
 * pointer.h
 *	  JSON pointers (RFC 6901) to places in a document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_POINTER_H
#define DTMODEL_POINTER_H

#include "json/diff.h"
#include "json/format.h"

extern void dtmodel_write_pointer(DtRawBuffer *buffer, DtDiffStep *at);

#endif							/* DTMODEL_POINTER_H */
