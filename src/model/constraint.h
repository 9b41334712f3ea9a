/*-------------------------------------------------------------------------
 *
 * constraint.h
 *	  The names of constraints and indexes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CONSTRAINT_H
#define DTMODEL_CONSTRAINT_H

#include "model/ddl.h"

extern char *dtmodel_check_name(Relation rel, const char *name);
extern void dtmodel_check_free_name(const DtChange *change, const char *name);
extern char *dtmodel_choose_name(Oid schema, const char *name1,
								 const char *name2, Oid former);
extern bool dtmodel_is_chosen_name(const char *name, const char *name1,
								   const char *name2);
extern char *dtmodel_drop_index_text(Relation rel, Oid indexid);
extern void dtmodel_rename_constraint(DtChange *change, const char *name,
									  const char *new_name);
extern void dtmodel_rename_template_check(DtChange *change, const char *check,
										  const char *name);
extern void dtmodel_rename_primary_key(DtChange *change, Oid constraint);

#endif							/* DTMODEL_CONSTRAINT_H */
