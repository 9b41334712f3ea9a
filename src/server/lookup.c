/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Looking up rows through an index, without a query.
 *
 * The server does the same to check uniqueness and to replicate rows.  No
 * privileges are checked and no policy applies, so the rows must not be
 * returned to the user.
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
#include "server/lookup.h"
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

/*
 * Begins to look up the rows that match all scan keys, in the index's order.
 */
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

/* Whether there is another row; if so, it is in the slot. */
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
