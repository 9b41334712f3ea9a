/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Every difference between the server versions that dtmodel builds on.
 *	  No other file asks for PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_COMPAT_H
#define DTMODEL_COMPAT_H

#include "utils/guc.h"

#if PG_VERSION_NUM < 140000
#error "dtmodel needs PostgreSQL 14 or later"
#endif

/* 15 reserves the prefix, 14 can only warn about what it does not know. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

#endif							/* DTMODEL_COMPAT_H */
