/*-------------------------------------------------------------------------
 *
 * simple_case.h
 *	  Writing CASE value WHEN ... as CASE WHEN value = ...
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SIMPLE_CASE_H
#define DTMODEL_SIMPLE_CASE_H

#include "nodes/parsenodes.h"

extern void dtmodel_replace_simple_cases(Query *query);

#endif							/* DTMODEL_SIMPLE_CASE_H */
