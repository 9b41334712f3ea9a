/*-------------------------------------------------------------------------
 *
 * soft_cascade.c
 *	  Soft delete and foreign keys.
 *
 * A physical DELETE of a parent reaches its children through the server's own
 * ON DELETE CASCADE.  Such a child has to go physically too, or its reference
 * would dangle.  But a trigger may run any other DELETE inside that cascade,
 * and that one stays soft.  What tells them apart is the row itself: whether
 * a parent that it references is gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "dtmodel.h"
#include "executor/tuptable.h"
#include "mixin/soft_delete.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* The index that the foreign key's parent is found by, if it cascades. */
static Oid
cascading_index(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	Oid			index;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	index = form->confdeltype == FKCONSTR_ACTION_CASCADE ?
		form->conindid : InvalidOid;
	ReleaseSysCache(tuple);
	return index;
}

/* Where in the index a column of the parent's key stands, from 1. */
static int
index_column(Relation index, AttrNumber attnum)
{
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
	{
		if (index->rd_index->indkey.values[i] == attnum)
			return i + 1;
	}
	return 0;
}

static Oid
compared_type(Oid equality)
{
	Oid			parent_type;
	Oid			child_type;

	op_input_types(equality, &parent_type, &child_type);
	return child_type;
}

/*
 * Whether the index can be asked for the parent at all.  The index of a
 * partitioned parent holds no entries, a temporal key is no btree, and a
 * reference of another type than the key may need a cast.
 */
static bool
can_look_up(const ForeignKeyCacheInfo *fk, Relation rel, Relation index)
{
	if (index->rd_rel->relkind != RELKIND_INDEX ||
		index->rd_rel->relam != BTREE_AM_OID)
		return false;
	for (int i = 0; i < fk->nkeys; i++)
	{
		Oid			type = get_atttype(RelationGetRelid(rel), fk->conkey[i]);

		if (!IsBinaryCoercible(type, compared_type(fk->conpfeqop[i])))
			return false;
	}
	return true;
}

/*
 * Makes the scan keys that find the parent.  False when the row references
 * none, because a column of its key is null.
 */
static bool
make_scan_keys(const ForeignKeyCacheInfo *fk, Relation rel, HeapTuple row,
			   Relation index, ScanKey keys)
{
	for (int i = 0; i < fk->nkeys; i++)
	{
		int			column = index_column(index, fk->confkey[i]);
		bool		isnull;
		Datum		value = heap_getattr(row, fk->conkey[i],
										 RelationGetDescr(rel), &isnull);

		if (isnull)
			return false;
		ScanKeyEntryInitialize(&keys[column - 1], 0, column,
							   BTEqualStrategyNumber,
							   compared_type(fk->conpfeqop[i]),
							   index->rd_indcollation[column - 1],
							   get_opcode(fk->conpfeqop[i]), value);
	}
	return true;
}

static bool
index_has_row(Relation parent, Relation index, int nkeys, ScanKey keys)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(parent, NULL);
	IndexScanDesc scan = compat_index_beginscan(parent, index, snapshot, nkeys);
	bool		found;

	index_rescan(scan, keys, nkeys, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	return found;
}

/* Whether the row references a parent through this key, and it is gone. */
static bool
reference_dangles(const ForeignKeyCacheInfo *fk, Oid indexid, Relation rel,
				  HeapTuple row)
{
	Relation	parent = table_open(fk->confrelid, AccessShareLock);
	Relation	index = index_open(indexid, AccessShareLock);
	ScanKeyData keys[INDEX_MAX_KEYS];
	bool		dangles = true;

	/* Where it cannot be asked, the cascade that we are in is reason enough. */
	if (can_look_up(fk, rel, index))
		dangles = make_scan_keys(fk, rel, row, index, keys) &&
			!index_has_row(parent, index, fk->nkeys, keys);

	index_close(index, AccessShareLock);
	table_close(parent, AccessShareLock);
	return dangles;
}

/*
 * Whether a parent that the row references with ON DELETE CASCADE does not
 * exist any more.
 */
bool
dtmodel_parent_is_gone(Relation rel, HeapTuple row)
{
	ListCell   *cell;

	foreach(cell, copyObject(RelationGetFKeyList(rel)))
	{
		const ForeignKeyCacheInfo *fk = lfirst_node(ForeignKeyCacheInfo, cell);
		Oid			index = cascading_index(fk->conoid);

		if (OidIsValid(index) && reference_dangles(fk, index, rel, row))
			return true;
	}
	return false;
}
