/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Rows that an index finds, without a query.
 *
 * The server checks uniqueness, and replicates rows, in this way.  No
 * privilege is asked for and no policy applies: that is the concern of
 * whoever looks a row up, and below of who may do so on a caller's behalf.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "model/lookup.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

/* "column = value", with the index's own equality; columns count from 1. */
void
dtmodel_init_scan_key(ScanKey scan_key, Relation index, int column,
					  Datum value)
{
	Oid			type = index->rd_opcintype[column - 1];
	Oid			equal = get_opfamily_member(index->rd_opfamily[column - 1],
											type, type, BTEqualStrategyNumber);

	ScanKeyEntryInitialize(scan_key, 0, column, BTEqualStrategyNumber,
						   InvalidOid, index->rd_indcollation[column - 1],
						   get_opcode(equal), value);
}

/* Begins to look for the rows that all scan keys find, in the index's order. */
DtLookup
dtmodel_begin_lookup(Relation rel, Relation index, Snapshot snapshot,
					 int nkeys, ScanKey scan_keys)
{
	DtLookup	lookup;

	lookup.slot = table_slot_create(rel, NULL);
	lookup.scan = compat_index_beginscan(rel, index, snapshot, nkeys);
	index_rescan(lookup.scan, scan_keys, nkeys, NULL, 0);
	return lookup;
}

/* Whether there is one more row, which then is in the slot. */
bool
dtmodel_find_next(DtLookup *lookup)
{
	return index_getnext_slot(lookup->scan, ForwardScanDirection, lookup->slot);
}

void
dtmodel_end_lookup(DtLookup *lookup)
{
	index_endscan(lookup->scan);
	ExecDropSingleTupleTableSlot(lookup->slot);
}

/*
 * Whether a SELECT of whole rows, as whoever calls us, would see all rows of
 * the table just as they are stored, and nobody else has a say in it: no
 * column's privilege, no policy, no heir, no other extension that checks.  An
 * unlogged table has no rows on a standby, where the planner says so.
 */
static bool
caller_reads_as_stored(Relation rel)
{
	Form_pg_class form = rel->rd_rel;

	return form->relkind == RELKIND_RELATION && !form->relhassubclass &&
		(RelationIsPermanent(rel) || !RecoveryInProgress()) &&
		!compat_has_virtual_columns(RelationGetDescr(rel)) &&
		ExecutorCheckPerms_hook == NULL &&
		pg_class_aclcheck(RelationGetRelid(rel), GetUserId(),
						  ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(RelationGetRelid(rel), InvalidOid, true) == RLS_NONE;
}

/* Whether the planner, too, would take the index for a query of now. */
static bool
is_index_usable(Relation index)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID && form->indisvalid &&
		form->indimmediate &&
		(!form->indcheckxmin ||
		 TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data),
							   TransactionXmin));
}

/*
 * Opens the index of a table's primary key, if the row that it finds is what
 * the caller's own query for the key would return.  NULL if only that query
 * can tell.
 */
Relation
dtmodel_open_readable_index(Relation rel, const DtKey *key)
{
	Relation	index;

	if (!ActiveSnapshotSet() || !caller_reads_as_stored(rel))
		return NULL;
	index = index_open(key->index, AccessShareLock);
	if (is_index_usable(index))
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}
