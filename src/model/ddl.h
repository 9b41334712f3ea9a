/*-------------------------------------------------------------------------
 *
 * ddl.h
 *	  Changing a table: the columns, constraints and triggers of the mixins
 *	  are collected first, and then changed together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_DDL_H
#define DTMODEL_DDL_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "model/model.h"

/* Sufficient for CREATE TRIGGER and for reading the rows; blocks writers. */
#define DT_CHANGE_LOCK ShareRowExclusiveLock

typedef struct DtChange
{
	Relation	rel;			/* open until the change is applied */
	char	   *table;			/* qualified and quoted */
	List	   *statements;
	StringInfoData done;		/* what the statements do, for the NOTICE */
} DtChange;

extern Oid	dtmodel_model_argument(FunctionCallInfo fcinfo);
extern bool dtmodel_is_second_word(FunctionCallInfo fcinfo, int argument,
								   const char *name, const char *first,
								   const char *second);
extern void dtmodel_check_owner(Oid relid);
extern void dtmodel_begin_change(DtChange *change, Oid relid);
extern void dtmodel_apply_change_silently(DtChange *change);
extern void dtmodel_apply_change(DtChange *change);
extern List *dtmodel_foreign_partitions(Relation rel, LOCKMODE lockmode);
extern char *dtmodel_detach_statement(Relation partition);
extern void dtmodel_check_no_partition(Relation rel);

extern void dtmodel_check_not_generated(Relation rel, const DtColumn *column,
										const char *why);
extern void dtmodel_add_statement(DtChange *change, const char *done, char *statement);
extern void dtmodel_change_column(DtChange *change, const char *name,
								  const DtColumnUse *use, const char *definition,
								  const DtMixin *mixin, const char *parameter,
								  DtColumn *column);
extern void dtmodel_change_trigger(DtChange *change, const DtTriggerType *type,
								   const char *events, List *options);
extern void dtmodel_change_after_trigger(DtChange *change, const DtTriggerType *type,
										 const char *events, const char *when);
extern void dtmodel_set_after_trigger(DtChange *change, const DtTriggerType *type,
									  const char *events, const char *when);
extern void dtmodel_drop_trigger(DtChange *change, const DtTriggerType *type);
extern void dtmodel_drop_named_trigger(DtChange *change, const char *name);
extern void dtmodel_drop_index(DtChange *change, Oid indexid);
extern void dtmodel_add_default(DtChange *change, const DtColumn *column,
								const char *value);
extern void dtmodel_drop_column(DtChange *change, const DtColumn *column);

#endif							/* DTMODEL_DDL_H */
