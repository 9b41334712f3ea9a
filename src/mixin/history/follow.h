/*-------------------------------------------------------------------------
 *
 * follow.h
 *	  Carrying changes of a model's definition over to its history.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_FOLLOW_H
#define DTMODEL_HISTORY_FOLLOW_H

#include "mixin/history/mixin.h"

/*
 * What a command has done to a table, as far as the catalogs do not tell it
 * afterwards.  A new name or schema is that of the named table only, and such a
 * command reaches no other one.
 */
typedef struct DtSchemaChange
{
	Oid			table;			/* the one that the command names */
	const char *old_name;		/* RENAME TO; NULL: none */
	Oid			old_schema;		/* SET SCHEMA; InvalidOid: none */
	const char *old_column;		/* RENAME COLUMN; NULL: none */
	const char *new_column;
	List	   *added;			/* of ObjectAddress: columns */
	List	   *retyped;		/* of AlterTableCmd: ALTER COLUMN TYPE */
	bool		secures_rows;	/* ENABLE or FORCE ROW LEVEL SECURITY */
	bool		is_made_permanent;	/* SET LOGGED */
	bool		changes_parents;	/* INHERIT or NO INHERIT */
	bool		changes_key;	/* ADD PRIMARY KEY */
	Oid			policy;			/* CREATE or ALTER POLICY; InvalidOid: none */
	bool		reaches_inheritors;
} DtSchemaChange;

extern void dtmodel_prepare_to_follow(Oid model, const DtSchemaChange *change);
extern void dtmodel_follow_in_history(Oid model, const DtSchemaChange *change);
extern void dtmodel_rewrite_as_of(Oid model);
extern void dtmodel_follow_policies(Oid model, Oid policy);

#endif							/* DTMODEL_HISTORY_FOLLOW_H */
