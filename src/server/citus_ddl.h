/*-------------------------------------------------------------------------
 *
 * citus_ddl.h
 *	  Changing tables that Citus distributes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CITUS_DDL_H
#define DTMODEL_CITUS_DDL_H

extern int	dtmodel_begin_citus_ddl(void);
extern int	dtmodel_begin_local_ddl(void);
extern void dtmodel_end_citus_ddl(int nest_level);

#endif							/* DTMODEL_CITUS_DDL_H */
