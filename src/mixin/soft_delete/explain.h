/*-------------------------------------------------------------------------
 *
 * explain.h
 *	  What EXPLAIN says of a soft DELETE.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SOFT_DELETE_EXPLAIN_H
#define DTMODEL_SOFT_DELETE_EXPLAIN_H

extern void dtmodel_start_explaining(void);

#endif							/* DTMODEL_SOFT_DELETE_EXPLAIN_H */
