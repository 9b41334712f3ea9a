/*-------------------------------------------------------------------------
 *
 * foreign_key.h
 *	  The foreign keys from and to a table, conditions on them as SQL that
 *	  does not depend on search_path, and whether the parent of a row exists.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_FOREIGN_KEY_H
#define DTMODEL_FOREIGN_KEY_H

#include "access/attnum.h"
#include "access/htup.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

typedef struct DtForeignKey
{
	Oid			constraint;
	NameData	name;
	Oid			child;			/* the referencing table */
	Oid			parent;			/* the referenced one */
	char		on_delete;		/* FKCONSTR_ACTION_… */
	Oid			origin;			/* of a partition's key: the key of its table */
	Oid			index;			/* the unique index of the parent's key */
	int			ncolumns;
	AttrNumber	child_columns[INDEX_MAX_KEYS];
	AttrNumber	parent_columns[INDEX_MAX_KEYS];
	Oid			equality[INDEX_MAX_KEYS];	/* parent = child */
	Oid			child_equality[INDEX_MAX_KEYS]; /* child = child */
} DtForeignKey;

/* Lists of DtForeignKey pointers, in the caller's memory. */
extern List *dtmodel_keys_to(Relation parent);
extern List *dtmodel_keys_from(Relation child);

extern bool dtmodel_parent_is_gone(Relation rel, HeapTuple row);

extern int	dtmodel_errforeignkey(const DtForeignKey *key);
extern bool dtmodel_is_temporal(const DtForeignKey *key);
extern char *dtmodel_declared_name(const DtForeignKey *key);

/* As SQL that compares in the way the key does. */
extern void dtmodel_append_parent_key(StringInfo query, const DtForeignKey *key,
									  const char *parent);
extern void dtmodel_append_child_key(StringInfo query, const DtForeignKey *key,
									 const char *child);
extern void dtmodel_append_same_parent(StringInfo query, const DtForeignKey *key,
									   int column, const char *child,
									   const char *other_child);
extern void dtmodel_append_reference(StringInfo query, const DtForeignKey *key,
									 const char *parent, const char *child);

#endif							/* DTMODEL_FOREIGN_KEY_H */
