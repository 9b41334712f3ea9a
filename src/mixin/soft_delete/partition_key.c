/*-------------------------------------------------------------------------
 *
 * partition_key.c
 *	  Partition keys with the flag or the time of a soft delete.
 *
 * A deleted row has to stay where it is: a BEFORE trigger cannot move the row
 * that it changes to another partition.  add_soft_delete() refuses such keys,
 * but a partition that is made or attached later may have one of its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "mixin/soft_delete/partition_key.h"
#include "nodes/bitmapset.h"
#include "utils/lsyscache.h"

/* Whether the column, if there is one of that name, is in the partition key. */
bool
dtmodel_is_partitioned_by(Relation rel, const char *name)
{
	DtColumn	column;
	bool		in_expression;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return AttributeNumberIsValid(column.attnum) &&
		has_partition_attrs(rel,
							bms_make_singleton(column.attnum -
											   FirstLowInvalidHeapAttributeNumber),
							&in_expression);
}

static void
drift_of_partition_key(DtDrift *drift, Relation partition,
					   const DtColumn *column)
{
	if (!dtmodel_column_is_used(column) ||
		!dtmodel_is_partitioned_by(partition, NameStr(column->name)))
		return;
	dtmodel_append_drift(drift, DT_ADVICE,
						 "partition it by other columns",
						 "column \"%s\" is part of the partition key of \"%s\", so the triggers cannot delete its rows",
						 NameStr(column->name),
						 RelationGetRelationName(partition));
}

/*
 * Reports the table, and its partitions that are partitioned themselves.  Those
 * may have been dropped meanwhile.
 */
void
dtmodel_drift_of_partition_keys(DtDrift *drift, Relation rel,
								const DtSoftDelete *soft_delete)
{
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return;
	foreach(cell, find_all_inheritors(RelationGetRelid(rel), NoLock, NULL))
	{
		Relation	partition;

		if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_PARTITIONED_TABLE)
			continue;
		partition = try_relation_open(lfirst_oid(cell), AccessShareLock);
		if (partition == NULL)
			continue;
		drift_of_partition_key(drift, partition, &soft_delete->flag);
		drift_of_partition_key(drift, partition, &soft_delete->deleted_at);
		relation_close(partition, AccessShareLock);
	}
}
