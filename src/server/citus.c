/*-------------------------------------------------------------------------
 *
 * citus.c
 *	  What a table is to Citus, if the database has that extension.
 *
 * This is read from the catalogs of Citus, which are tables in pg_catalog.
 * Their columns are found by name, since versions of Citus have added some.
 *
 * Citus invalidates the relcache entry of a table when what it knows of the
 * table changes.  It does not do so for a shard, which can be created, and
 * filled, before the row that makes it a shard is committed.  So that row is
 * looked for with a snapshot that includes uncommitted rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "server/citus.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* A name that is too long gets "_", eight digits and the number of the shard. */
#define HASH_LENGTH 9

/* A row of a catalog of Citus, found by an index. */
typedef struct Search
{
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	row;			/* NULL: not found */
} Search;

static Oid
catalog_oid(const char *name)
{
	return get_relname_relid(name, PG_CATALOG_NAMESPACE);
}

/*
 * Whether the database has the extension.  The server's cache of relations
 * keeps the answer, and knows when it changes.
 */
bool
dtmodel_has_citus(void)
{
	return OidIsValid(catalog_oid("pg_dist_partition"));
}

static Search
begin_search(const char *catalog, const char *index, const char *column,
			 RegProcedure equals, Datum value, Snapshot snapshot)
{
	Search		search;
	ScanKeyData key;
	Oid			relid = catalog_oid(catalog);

	search.catalog = table_open(relid, AccessShareLock);
	ScanKeyInit(&key, get_attnum(relid, column), BTEqualStrategyNumber, equals,
				value);
	search.scan = systable_beginscan(search.catalog, catalog_oid(index), true,
									 snapshot, 1, &key);
	search.row = systable_getnext(search.scan);
	return search;
}

static void
end_search(Search *search)
{
	systable_endscan(search->scan);
	table_close(search->catalog, AccessShareLock);
}

/* A column of the row; 0 if it is null. */
static Datum
get_value(const Search *search, const char *column)
{
	bool		isnull;
	AttrNumber	attnum = get_attnum(RelationGetRelid(search->catalog), column);
	Datum		value = heap_getattr(search->row, attnum,
									 RelationGetDescr(search->catalog), &isnull);

	return isnull ? (Datum) 0 : value;
}

/* A key of the whole table and a copy on each server is "n" and "t". */
static DtCitusKind
read_kind(const Search *search)
{
	if (DatumGetChar(get_value(search, "partmethod")) != 'n')
		return DT_CITUS_DISTRIBUTED;
	if (DatumGetChar(get_value(search, "repmodel")) == 't')
		return DT_CITUS_REFERENCE;
	return DatumGetInt32(get_value(search, "colocationid")) == 0 ?
		DT_CITUS_LOCAL : DT_CITUS_SINGLE_SHARD;
}

static AttrNumber
read_distribution_column(const Search *search)
{
	Datum		key = get_value(search, "partkey");

	return key == (Datum) 0 ? InvalidAttrNumber :
		castNode(Var, stringToNode(TextDatumGetCString(key)))->varattno;
}

/* Fills in what the table is if Citus plans the statements that name it. */
static void
find_shell(DtCitus *citus, Oid relid)
{
	Search		search = begin_search("pg_dist_partition",
									  "pg_dist_partition_logical_relid_index",
									  "logicalrelid", F_OIDEQ,
									  ObjectIdGetDatum(relid), NULL);

	if (HeapTupleIsValid(search.row))
	{
		citus->kind = read_kind(&search);
		citus->colocation = DatumGetInt32(get_value(&search, "colocationid"));
		citus->distribution_column = read_distribution_column(&search);
	}
	end_search(&search);
}

/* The number at the end of a shard's name, with "_" before it; NULL if none. */
static const char *
shard_suffix(const char *name)
{
	const char *suffix = strrchr(name, '_');

	if (suffix == NULL || suffix == name || suffix[1] == '\0' ||
		strlen(suffix) > 19 ||
		strspn(suffix + 1, "0123456789") != strlen(suffix + 1))
		return NULL;
	return suffix;
}

/* Whether a shard of the table with this suffix has this name. */
static bool
is_name_of_shard(const char *name, const char *suffix, const char *table)
{
	int			length = strlen(table);
	int			room = NAMEDATALEN - 1 - strlen(suffix);

	if (length > room)
		length = pg_mbcliplen(table, length, room - HASH_LENGTH);
	else if (length != suffix - name)
		return false;
	return strncmp(name, table, length) == 0;
}

/* Its table may have been created by another session, which has not committed. */
static bool
is_shard_of(Relation rel, const char *suffix, Oid table, Snapshot uncommitted)
{
	Search		search = begin_search("pg_class", "pg_class_oid_index", "oid",
									  F_OIDEQ, ObjectIdGetDatum(table),
									  uncommitted);
	bool		is_shard = false;

	if (HeapTupleIsValid(search.row) && table != RelationGetRelid(rel))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(search.row);

		is_shard = form->relnamespace == RelationGetNamespace(rel) &&
			is_name_of_shard(RelationGetRelationName(rel), suffix,
							 NameStr(form->relname));
	}
	end_search(&search);
	return is_shard;
}

/* Fills in what the table is if its name is that of a shard. */
static void
find_shard(DtCitus *citus, Relation rel)
{
	const char *suffix = shard_suffix(RelationGetRelationName(rel));
	SnapshotData uncommitted;
	Search		search;

	if (suffix == NULL)
		return;
	InitDirtySnapshot(uncommitted);
	search = begin_search("pg_dist_shard", "pg_dist_shard_shardid_index",
						  "shardid", F_INT8EQ,
						  Int64GetDatum(strtoll(suffix + 1, NULL, 10)),
						  &uncommitted);
	if (HeapTupleIsValid(search.row))
		citus->table = DatumGetObjectId(get_value(&search, "logicalrelid"));
	end_search(&search);
	if (OidIsValid(citus->table) &&
		is_shard_of(rel, suffix, citus->table, &uncommitted))
		citus->kind = DT_CITUS_SHARD;
	else
	{
		citus->table = InvalidOid;
		citus->may_become_shard = true;
	}
}

/*
 * What a table is to Citus.  The answer holds until the table's relcache entry
 * is invalidated; with may_become_shard, until any is, or the statement ends.
 */
DtCitus
dtmodel_citus_of(Relation rel)
{
	DtCitus		citus = {.kind = DT_CITUS_NONE};

	if (!dtmodel_has_citus())
		return citus;
	find_shell(&citus, RelationGetRelid(rel));
	if (citus.kind == DT_CITUS_NONE)
		find_shard(&citus, rel);
	return citus;
}

/*
 * Whether another server of Citus has connected for a statement that it runs.
 * Citus itself knows it by the name of the application.
 */
bool
dtmodel_is_citus_backend(void)
{
	return application_name != NULL &&
		strncmp(application_name, "citus_internal gpid=",
				strlen("citus_internal gpid=")) == 0;
}
