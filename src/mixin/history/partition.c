/*-------------------------------------------------------------------------
 *
 * partition.c
 *	  History tables that are partitioned by the ends of the versions.
 *
 * Versions are written into the partitions themselves, so only these are
 * opened, and all versions of a batch for one partition are inserted together.
 * The server's own description of the partitions says which one it is.  They
 * may be of any length, and may have partitions themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "dtmodel.h"
#include "mixin/history/partition.h"
#include "mixin/history/table.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/timestamp.h"

/* Whether the partitioned table is partitioned by the ends of its versions. */
bool
dtmodel_has_partition_key(Relation table)
{
	PartitionKey key = RelationGetPartitionKey(table);

	return key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
		key->partattrs[0] == get_attnum(RelationGetRelid(table),
										dtmodel_history_columns[DT_VALID_TO].name);
}

/* A partitioned table of the user's may be partitioned by something else. */
void
dtmodel_check_partition_key(Relation table)
{
	if (dtmodel_has_partition_key(table))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("history table \"%s\" is not partitioned by RANGE (%s)",
					RelationGetRelationName(table),
					dtmodel_history_columns[DT_VALID_TO].name),
			 errdetail("A version is written into the partition of the time when it ended."),
			 errtable(table)));
}

/*
 * The partitions as they are now: to be used before anything may read the
 * catalogs.
 */
static PartitionDesc
partitions_of(Relation table)
{
	return RelationGetPartitionDesc(table, !IsolationUsesXactSnapshot());
}

/* The place among the bounds of the partition that the time is in. */
static int
find_place(Relation table, PartitionBoundInfo bounds, TimestampTz time)
{
	PartitionKey key = RelationGetPartitionKey(table);
	Datum		value = TimestampTzGetDatum(time);
	bool		equal = false;

	return partition_range_datum_bsearch(key->partsupfunc, key->partcollation,
										 bounds, 1, &value, &equal) + 1;
}

/* InvalidOid if there is none, not even a default partition. */
static Oid
find_partition(Relation table, TimestampTz time)
{
	PartitionDesc partitions = partitions_of(table);
	int			index;

	if (partitions->nparts == 0)
		return InvalidOid;
	index = partitions->boundinfo->indexes[find_place(table, partitions->boundinfo,
													  time)];
	if (index < 0)
		index = partitions->boundinfo->default_index;
	return index < 0 ? InvalidOid : partitions->oids[index];
}

/*
 * Whether a version that ends at this time can be written.  The table must be
 * partitioned by these ends.
 */
bool
dtmodel_has_partition_for(Relation table, TimestampTz time)
{
	return OidIsValid(find_partition(table, time));
}

/*
 * Whether no partition has a time from "from" to "to", which is not included;
 * the default partition does not count.
 */
bool
dtmodel_is_free_range(Relation table, TimestampTz from, TimestampTz to)
{
	PartitionDesc partitions = partitions_of(table);
	PartitionBoundInfo bounds = partitions->boundinfo;
	int			place;

	if (partitions->nparts == 0)
		return true;
	place = find_place(table, bounds, from);
	if (bounds->indexes[place] >= 0)
		return false;
	return place == bounds->ndatums ||
		bounds->kind[place][0] == PARTITION_RANGE_DATUM_MAXVALUE ||
		DatumGetTimestampTz(bounds->datums[place][0]) >= to;
}

/* The partitions whose versions all ended before the time, oldest first. */
List *
dtmodel_partitions_before(Relation table, TimestampTz time)
{
	PartitionDesc partitions = partitions_of(table);
	PartitionBoundInfo bounds = partitions->boundinfo;
	List	   *older = NIL;

	for (int i = 0; partitions->nparts > 0 && i < bounds->ndatums; i++)
	{
		if (bounds->indexes[i] >= 0 &&
			bounds->kind[i][0] == PARTITION_RANGE_DATUM_VALUE &&
			DatumGetTimestampTz(bounds->datums[i][0]) <= time)
			older = lappend_oid(older, partitions->oids[bounds->indexes[i]]);
	}
	return older;
}

static void
report_no_partition(Relation model, Relation table, TimestampTz time)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("history table \"%s\" of table \"%s\" has no partition for %s",
					RelationGetRelationName(table),
					RelationGetRelationName(model), timestamptz_to_str(time)),
			 errdetail("A default partition, which would hold it, is missing too."),
			 errhint("Call %s.add_history_partitions(%s).", DTMODEL_SCHEMA,
					 dtmodel_quoted_name(model)),
			 errtable(table)));
}

static void
check_is_table(Relation table, Relation partition)
{
	if (partition->rd_rel->relkind == RELKIND_RELATION ||
		partition->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("partition \"%s\" of history table \"%s\" is a foreign table",
					RelationGetRelationName(partition),
					RelationGetRelationName(table)),
			 errdetail("Versions can be written into ordinary tables only."),
			 errhint("Use ALTER TABLE %s DETACH PARTITION %s.",
					 dtmodel_qualified_name(table),
					 dtmodel_qualified_name(partition)),
			 errtable(partition)));
}

/*
 * The partition for a time.  It cannot be dropped meanwhile, since the
 * partitioned table is locked, but while this waits for the default partition
 * a new one may take the time away from it.
 */
static Relation
open_partition(Relation model, Relation table, TimestampTz time)
{
	for (;;)
	{
		Oid			relid = find_partition(table, time);
		Relation	partition;

		if (!OidIsValid(relid))
			report_no_partition(model, table, time);
		partition = relation_open(relid, RowExclusiveLock);
		if (find_partition(table, time) == relid)
		{
			check_is_table(table, partition);
			return partition;
		}
		relation_close(partition, RowExclusiveLock);
	}
}

/*
 * Moves the versions for one partition from "rest" to "batch".  The order of
 * both stays; mostly one statement ends all of its versions at the same time.
 */
static int
take_versions(Relation table, Oid partition, DtPastVersion *rest, int *count,
			  DtPastVersion *batch)
{
	int			left = 0;
	int			taken = 0;
	TimestampTz last = 0;
	bool		fits = false;

	for (int i = 0; i < *count; i++)
	{
		if (i == 0 || rest[i].valid_to != last)
			fits = find_partition(table, rest[i].valid_to) == partition;
		last = rest[i].valid_to;
		if (fits)
			batch[taken++] = rest[i];
		else
			rest[left++] = rest[i];
	}
	*count = left;
	return taken;
}

/*
 * Writes each of the versions into its partition.  The partitioned table is
 * locked as for writing.
 */
void
dtmodel_write_to_partitions(Relation model, Relation table,
							const DtPastVersion *versions, int count,
							DtWriteVersions write)
{
	DtPastVersion *rest = palloc(sizeof(DtPastVersion) * count);
	DtPastVersion *batch = palloc(sizeof(DtPastVersion) * count);

	dtmodel_check_partition_key(table);
	memcpy(rest, versions, sizeof(DtPastVersion) * count);
	while (count > 0)
	{
		Relation	partition = open_partition(model, table, rest[0].valid_to);
		int			taken = take_versions(table, RelationGetRelid(partition),
										  rest, &count, batch);

		if (partition->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
			dtmodel_write_to_partitions(model, partition, batch, taken, write);
		else
			write(model, partition, batch, taken);
		relation_close(partition, NoLock);
	}
	pfree(rest);
	pfree(batch);
}
