/*-------------------------------------------------------------------------
 *
 * partition_setup.c
 *	  Making the monthly partitions of a history ahead of time.
 *
 * A month begins and ends in UTC.  Existing partitions are found by their
 * bounds, so they may have any names, and may have been made by hand.
 *
 * A partition is made as a table and attached, which stops neither readers nor
 * writers of the other partitions, as CREATE TABLE ... PARTITION OF would.
 * Only the default partition is locked, for the versions that it has of the
 * month are moved out of it.  They are inserted when the partition is one: what
 * is written into a table before that is not in a publication of the history,
 * so that a subscriber would lose them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "mixin/history/partition.h"
#include "mixin/history/setup.h"
#include "mixin/history/table.h"
#include "model/ddl.h"
#include "server/plan_cache.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

/* A hundred years. */
#define MOST_MONTHS 1200

/* The last part of the names of partitions: these, and that of a month. */
#define DEFAULT_LABEL "default"
#define LABEL_LENGTH 7

/* The name of the versions that move, in a query. */
#define MOVED "moved"

PG_FUNCTION_INFO_V1(dtmodel_add_history_partitions);

/* What the partitions of a history have in common. */
typedef struct Maker
{
	Oid			table;
	Oid			schema;
	char	   *name;			/* of the history table */
	char	   *qualified_name;
	char	   *columns;		/* that can be written */
	TupleDesc	desc;			/* of these */
	const char *persistence;	/* for CREATE TABLE */
	char	   *storage;		/* at its end */
	List	   *properties;		/* commands of ALTER TABLE */
	Oid			owner;
	Oid			default_partition;	/* InvalidOid: none */
	List	   *made;
} Maker;

/* The last part of the name of a partition, if it was named here. */
const char *
dtmodel_partition_label(const char *name)
{
	size_t		length = strlen(name);

	return length > LABEL_LENGTH ? name + length - LABEL_LENGTH : name;
}

/* The first of a month in UTC, so many months after the one of the time. */
static TimestampTz
first_of_month(TimestampTz time, int months)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			month;
	Timestamp	result;

	if (timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	month = tm.tm_mon - 1 + months;
	tm.tm_year += month / MONTHS_PER_YEAR;
	tm.tm_mon = month % MONTHS_PER_YEAR + 1;
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	if (tm2timestamp(&tm, 0, NULL, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

static char *
label_of_month(TimestampTz month)
{
	struct pg_tm tm;
	fsec_t		fsec;

	(void) timestamp2tm(month, NULL, &tm, &fsec, NULL, NULL);
	return psprintf("%04d_%02d", tm.tm_year, tm.tm_mon);
}

/* A literal that does not depend on the session's settings. */
static char *
time_literal(TimestampTz time)
{
	return quote_literal_cstr(timestamptz_to_str(time));
}

/* The attributes that can be written. */
static List *
written_attributes(Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	List	   *attributes = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && att->attgenerated == '\0')
			attributes = lappend(attributes, att);
	}
	return attributes;
}

static char *
column_list(List *attributes)
{
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, attributes)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
						 quote_identifier(NameStr(((Form_pg_attribute) lfirst(cell))->attname)));
	return list.data;
}

static TupleDesc
row_type(List *attributes)
{
	TupleDesc	desc = CreateTemplateTupleDesc(list_length(attributes));
	ListCell   *cell;

	foreach(cell, attributes)
	{
		Form_pg_attribute att = lfirst(cell);
		int			number = foreach_current_index(cell) + 1;

		TupleDescInitEntry(desc, number, NameStr(att->attname), att->atttypid,
						   att->atttypmod, 0);
		TupleDescInitEntryCollation(desc, number, att->attcollation);
	}
	compat_finish_row_type(desc);
	return desc;
}

/* Where and how the history table says that its partitions are to be stored. */
static char *
storage_of(Relation table)
{
	Form_pg_class form = table->rd_rel;
	StringInfoData storage;

	initStringInfo(&storage);
	if (OidIsValid(form->relam))
		appendStringInfo(&storage, " USING %s",
						 quote_identifier(get_am_name(form->relam)));
	if (OidIsValid(form->reltablespace))
		appendStringInfo(&storage, " TABLESPACE %s",
						 quote_identifier(get_tablespace_name(form->reltablespace)));
	return storage.data;
}

/* What the server does not give to a partition by itself. */
static List *
properties_of(Relation table)
{
	Form_pg_class form = table->rd_rel;
	List	   *properties = NIL;

	if (form->relowner != GetUserId())
		properties = lappend(properties,
							 psprintf("OWNER TO %s",
									  quote_identifier(GetUserNameFromId(form->relowner,
																		 false))));
	if (form->relreplident == REPLICA_IDENTITY_FULL)
		properties = lappend(properties, "REPLICA IDENTITY FULL");
	if (form->relrowsecurity)
		properties = lappend(properties, "ENABLE ROW LEVEL SECURITY");
	if (form->relforcerowsecurity)
		properties = lappend(properties, "FORCE ROW LEVEL SECURITY");
	return properties;
}

static Maker
make_maker(Relation model, Relation table)
{
	List	   *attributes = written_attributes(table);
	Maker		maker = {
		.table = RelationGetRelid(table),
		.schema = RelationGetNamespace(table),
		.name = pstrdup(RelationGetRelationName(table)),
		.qualified_name = dtmodel_qualified_name(table),
		.columns = column_list(attributes),
		.desc = row_type(attributes),
		.persistence = dtmodel_history_persistence(model),
		.storage = storage_of(table),
		.properties = properties_of(table),
		.owner = table->rd_rel->relowner,
		.default_partition = get_default_partition_oid(RelationGetRelid(table)),
	};

	return maker;
}

/*
 * The months before this one of which the default partition has versions.
 * Versions that ended at -infinity or before all months, or whose clock was
 * wrong, stay there.
 */
static List *
months_in_default(const Maker *maker, TimestampTz month)
{
	Relation	partition = relation_open(maker->default_partition, AccessShareLock);
	DtCaller	caller = dtmodel_act_as_root_owner(partition);
	Oid			type = TIMESTAMPTZOID;
	Datum		until = TimestampTzGetDatum(month);
	List	   *months = NIL;

	SPI_execute_with_args(psprintf(DT_OWN_QUERY "SELECT DISTINCT pg_catalog.date_trunc('month', v.valid_to, 'UTC')"
								   " FROM %s AS v WHERE v.valid_to OPERATOR(pg_catalog.>=) '4713-01-01 00:00+00 BC'"
								   " AND v.valid_to OPERATOR(pg_catalog.<) $1 ORDER BY 1",
								   dtmodel_qualified_name(partition)),
						  1, &type, &until, NULL, false, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		TimestampTz *found = palloc(sizeof(TimestampTz));
		bool		isnull;

		*found = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[i],
												   SPI_tuptable->tupdesc, 1,
												   &isnull));
		months = lappend(months, found);
	}
	dtmodel_act_as(&caller);
	relation_close(partition, NoLock);
	return months;
}

/* All months that should have a partition. */
static List *
wanted_months(const Maker *maker, int ahead)
{
	TimestampTz now = GetCurrentTimestamp();
	List	   *months = NIL;

	if (OidIsValid(maker->default_partition))
		months = months_in_default(maker, first_of_month(now, 0));
	for (int i = 0; i <= ahead; i++)
	{
		TimestampTz *month = palloc(sizeof(TimestampTz));

		*month = first_of_month(now, i);
		months = lappend(months, month);
	}
	return months;
}

/*
 * The months that have no partition, not even for a part of them, as one that
 * was made by hand may be.
 */
static List *
missing_months(Relation table, List *wanted)
{
	List	   *missing = NIL;
	ListCell   *cell;

	foreach(cell, wanted)
	{
		TimestampTz month = *(TimestampTz *) lfirst(cell);

		if (dtmodel_is_free_range(table, month, first_of_month(month, 1)))
			missing = lappend(missing, lfirst(cell));
	}
	return missing;
}

static char *
free_name(const Maker *maker, const char *label)
{
	char	   *name = makeObjectName(maker->name, label, NULL);

	for (int i = 1; !dtmodel_is_free_for_table(name, maker->schema); i++)
		name = makeObjectName(maker->name, label, psprintf("%d", i));
	return name;
}

static void
run(const char *command)
{
	(void) SPI_execute(command, false, 0);
}

/* The roles to which default privileges have granted something on the table. */
static List *
grantees(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	List	   *roles = NIL;
	bool		isnull;
	Datum		datum;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	datum = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclPCopy(datum);

		for (int i = 0; i < ACL_NUM(acl); i++)
			roles = list_append_unique_oid(roles, ACL_DAT(acl)[i].ai_grantee);
	}
	ReleaseSysCache(tuple);
	return list_delete_oid(roles, dtmodel_owner_of(relid));
}

/*
 * A role that may not read the history must not read its partitions: default
 * privileges would be granted on new ones even if they have been revoked on
 * the history.
 */
static void
revoke_default_privileges(Oid relid, const char *qualified)
{
	ListCell   *cell;

	foreach(cell, grantees(relid))
		run(psprintf("REVOKE ALL ON TABLE %s FROM %s", qualified,
					 lfirst_oid(cell) == ACL_ID_PUBLIC ? "PUBLIC" :
					 quote_identifier(GetUserNameFromId(lfirst_oid(cell), false))));
}

/* Creates a table that can become a partition. */
static char *
create_table(Maker *maker, const char *label)
{
	char	   *name = free_name(maker, label);
	char	   *qualified =
		quote_qualified_identifier(get_namespace_name(maker->schema), name);
	Oid			relid;
	ListCell   *cell;

	run(psprintf("CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY"
				 " EXCLUDING INDEXES EXCLUDING STATISTICS EXCLUDING COMMENTS)%s",
				 maker->persistence, qualified, maker->qualified_name,
				 maker->storage));
	relid = get_relname_relid(name, maker->schema);
	revoke_default_privileges(relid, qualified);
	foreach(cell, maker->properties)
		run(psprintf("ALTER TABLE %s %s", qualified, (const char *) lfirst(cell)));
	maker->made = lappend_oid(maker->made, relid);
	return qualified;
}

/*
 * As the owner of the history: foreign keys that it has are checked, with the
 * casts of its types.
 */
static void
attach(const Maker *maker, const char *partition, const char *bounds)
{
	Relation	table = relation_open(maker->table, NoLock);
	DtCaller	caller = dtmodel_act_as_owner(table);

	relation_close(table, NoLock);
	run(psprintf("ALTER TABLE %s ATTACH PARTITION %s %s",
				 maker->qualified_name, partition, bounds));
	dtmodel_act_as(&caller);
}

/* The rows of a query. */
static Tuplestorestate *
fetch(const char *query)
{
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
	SPIExecuteOptions options = {.dest = CreateDestReceiver(DestTuplestore)};

	SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext,
									true, NULL, NULL);
	(void) SPI_execute_extended(query, &options);
	options.dest->rDestroy(options.dest);
	return rows;
}

/*
 * As the owner of the history: the tables may have its triggers and generated
 * columns.  Versions that ended together stay in the order in which they were
 * written.
 */
static Tuplestorestate *
take_from_default(const Maker *maker, TimestampTz from, TimestampTz to)
{
	Relation	rel = relation_open(maker->default_partition, NoLock);
	DtCaller	caller = dtmodel_act_as_root_owner(rel);
	char	   *of_month = psprintf("FROM %s AS v WHERE v.valid_to OPERATOR(pg_catalog.>=) %s"
									" AND v.valid_to OPERATOR(pg_catalog.<) %s",
									dtmodel_qualified_name(rel),
									time_literal(from), time_literal(to));
	Tuplestorestate *moved;

	relation_close(rel, NoLock);
	moved = fetch(psprintf(DT_OWN_QUERY "SELECT %s %s ORDER BY v.ctid",
						   maker->columns, of_month));
	run(psprintf(DT_OWN_QUERY "DELETE %s", of_month));
	dtmodel_act_as(&caller);
	return moved;
}

/* Versions that a trigger skips would be lost. */
static void
check_all_are_put(const Maker *maker, int64 count)
{
	if (SPI_processed != (uint64) count)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("versions of table \"%s\" could not be moved out of its default partition",
						maker->name),
				 errdetail("A BEFORE INSERT trigger skipped some of them."),
				 errhint("Make the trigger accept versions of past months, or disable it meanwhile.")));
}

/* The same for the partition, which has been attached. */
static void
put_into(const Maker *maker, const char *partition, Tuplestorestate *moved)
{
	EphemeralNamedRelationData relation = {
		.md = {
			.name = MOVED,
			.tupdesc = maker->desc,
			.enrtype = ENR_NAMED_TUPLESTORE,
			.enrtuples = tuplestore_tuple_count(moved),
		},
		.reldata = moved,
	};
	Relation	table = relation_open(maker->table, NoLock);
	DtCaller	caller = dtmodel_act_as_root_owner(table);

	relation_close(table, NoLock);
	if (SPI_register_relation(&relation) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register \"" MOVED "\"");
	run(psprintf(DT_OWN_QUERY "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM " MOVED,
				 partition, maker->columns, maker->columns));
	check_all_are_put(maker, tuplestore_tuple_count(moved));
	(void) SPI_unregister_relation(MOVED);
	dtmodel_act_as(&caller);
}

static void
make_month(Maker *maker, TimestampTz month)
{
	TimestampTz next = first_of_month(month, 1);
	char	   *partition = create_table(maker, label_of_month(month));
	Tuplestorestate *moved = NULL;

	if (OidIsValid(maker->default_partition))
		moved = take_from_default(maker, month, next);
	attach(maker, partition, psprintf("FOR VALUES FROM (%s) TO (%s)",
									  time_literal(month), time_literal(next)));
	if (moved == NULL)
		return;
	if (tuplestore_tuple_count(moved) > 0)
		put_into(maker, partition, moved);
	tuplestore_end(moved);
}

static void
make_all(Maker *maker, List *months)
{
	ListCell   *cell;

	if (months != NIL && OidIsValid(maker->default_partition))
		LockRelationOid(maker->default_partition, AccessExclusiveLock);
	foreach(cell, months)
		make_month(maker, *(TimestampTz *) lfirst(cell));
	if (!OidIsValid(maker->default_partition))
		attach(maker, create_table(maker, DEFAULT_LABEL), "DEFAULT");
}

static void
check_is_partitioned(Relation model, Relation table)
{
	if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("history table \"%s\" of table \"%s\" is not partitioned",
						RelationGetRelationName(table),
						RelationGetRelationName(model)),
				 errtable(table)));
	dtmodel_check_partition_key(table);
}

/*
 * Makes the partitions that a history lacks, up to so many months after the
 * current one, and the default partition.  Returns their oids.  Calls that run
 * at the same time wait for each other.
 */
List *
dtmodel_make_history_partitions(Relation model, Oid table, int months)
{
	Relation	rel = relation_open(table, ShareUpdateExclusiveLock);
	MemoryContext caller = CurrentMemoryContext;
	Maker		maker;
	List	   *missing;
	List	   *made;

	check_is_partitioned(model, rel);
	SPI_connect();
	maker = make_maker(model, rel);
	missing = missing_months(rel, wanted_months(&maker, months));

	/* ALTER TABLE refuses a table that this session has open. */
	relation_close(rel, NoLock);
	make_all(&maker, missing);
	MemoryContextSwitchTo(caller);
	made = list_copy(maker.made);
	SPI_finish();
	return made;
}

static int
months_argument(FunctionCallInfo fcinfo)
{
	int			months;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("months must not be null"),
				 errhint("Omit it for %d months.", DT_MONTHS_AHEAD)));
	months = PG_GETARG_INT32(1);
	if (months < 0 || months > MOST_MONTHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months must be between 0 and %d", MOST_MONTHS)));
	return months;
}

static Oid
history_table_of(Relation model)
{
	Relation	table = dtmodel_open_history_table(model,
												   dtmodel_usable_history(model),
												   AccessShareLock);
	Oid			relid = RelationGetRelid(table);

	relation_close(table, NoLock);
	return relid;
}

static ArrayType *
array_of(List *tables)
{
	Datum	   *oids = palloc(sizeof(Datum) * Max(list_length(tables), 1));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, tables)
		oids[count++] = ObjectIdGetDatum(lfirst_oid(cell));
	return construct_array(oids, count, REGCLASSOID, sizeof(Oid), true,
						   TYPALIGN_INT);
}

/*
 * add_history_partitions(model regclass, months int DEFAULT 3)
 * returns regclass[]
 *
 * Makes the partitions that the history of the table lacks, for the current
 * month and so many after it, in UTC, and for the past months of which the
 * default partition has versions; these versions are moved into them.  Makes
 * the default partition too, if it is missing.  Returns what it has made.
 *
 * Only the owner of the table can call it.  An error for NULLs (22004), for a
 * number of months that is out of range (22023), for a partition, and for a
 * table without a history, or with one that is not partitioned (42809).
 *
 * Source: none; the reference documents ask for audit trails.
 */
Datum
dtmodel_add_history_partitions(PG_FUNCTION_ARGS)
{
	Oid			relid = dtmodel_model_argument(fcinfo);
	int			months = months_argument(fcinfo);
	Relation	model;
	List	   *made;

	dtmodel_check_owner(relid);
	model = dtmodel_open(relid, AccessShareLock);
	dtmodel_check_no_partition(model);
	made = dtmodel_make_history_partitions(model, history_table_of(model),
										   months);
	relation_close(model, NoLock);
	PG_RETURN_ARRAYTYPE_P(array_of(made));
}
