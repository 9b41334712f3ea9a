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

/*
 * The locks that the statements of a change need, apart from
 * AccessExclusiveLock.  Creating a trigger or an index keeps writers out;
 * views and functions only need a definition that does not change.
 */
#define DT_TRIGGER_LOCK ShareRowExclusiveLock
#define DT_VIEW_LOCK ShareUpdateExclusiveLock

/* The table is looked at twice before it is changed: see change.c. */
typedef enum DtPhase
{
	DT_BEFORE_LOCK,
	DT_UNDER_LOCK,
	DT_APPLY
} DtPhase;

typedef struct DtChange
{
	Relation	rel;			/* open until the change is applied */
	LOCKMODE	lockmode;		/* of the table, and for what belongs to it */
	DtPhase		phase;
	char	   *table;			/* qualified and quoted */
	List	   *statements;
	LOCKMODE	needed;			/* the strongest that the statements need */
	StringInfoData done;		/* what the statements do, for the NOTICE */
	StringInfoData later;		/* what the user has to do afterwards */
} DtChange;

extern Oid	dtmodel_model_argument(FunctionCallInfo fcinfo);
extern bool dtmodel_is_second_word(FunctionCallInfo fcinfo, int argument,
								   const char *name, const char *first,
								   const char *second);
extern void dtmodel_check_owner(Oid relid);
extern void dtmodel_begin_change(DtChange *change, Oid relid, LOCKMODE lockmode);
extern void dtmodel_apply_change_silently(DtChange *change);
extern void dtmodel_apply_change(DtChange *change);
extern List *dtmodel_foreign_partitions(Relation rel, LOCKMODE lockmode);
extern char *dtmodel_detach_statement(Relation partition);
extern void dtmodel_check_no_partition(Relation rel);

extern void dtmodel_check_not_generated(Relation rel, const DtColumn *column,
										const char *why);
extern void dtmodel_add_statement(DtChange *change, LOCKMODE lockmode,
								  const char *done, char *sql);
extern void dtmodel_add_check(DtChange *change, const char *name,
							  const char *condition, bool known);
extern const char *dtmodel_validity(DtChange *change, const char *constraint);
extern void dtmodel_announce(const DtChange *change, LOCKMODE lockmode,
							 const char *work, const char *hint);
extern void dtmodel_announce_index(const DtChange *change, const char *name,
								   const char *command, const char *function);
extern void dtmodel_read_under_lock(const char *query, long limit);
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

/*
 * Whether to check rows that only the lock keeps as they are.  They are checked
 * before it too, so that an error keeps no session waiting.
 */
static inline bool
dtmodel_checks_rows(const DtChange *change)
{
	return change->phase != DT_UNDER_LOCK;
}

#endif							/* DTMODEL_DDL_H */
