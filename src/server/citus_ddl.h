/*-------------------------------------------------------------------------
 *
 * citus_ddl.h
 *	  Creating triggers on tables that Citus distributes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CITUS_DDL_H
#define DTMODEL_CITUS_DDL_H

extern int	dtmodel_allow_triggers(void);
extern void dtmodel_end_allowing(int nest_level);

#endif							/* DTMODEL_CITUS_DDL_H */
