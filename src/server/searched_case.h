/*-------------------------------------------------------------------------
 *
 * searched_case.h
 *	  CASE value WHEN ... as CASE WHEN value = ...
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SEARCHED_CASE_H
#define DTMODEL_SEARCHED_CASE_H

#include "nodes/parsenodes.h"

extern void dtmodel_search_cases(Query *query);

#endif							/* DTMODEL_SEARCHED_CASE_H */
