/*-------------------------------------------------------------------------
 *
 * model_base.c
 *	  The base of every model: a primary key and timestamps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "mixin/timestamps/mixin.h"
#include "mixin/timestamps/timestamps.h"
#include "model/constraint.h"
#include "model/inheritance.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_add_model);
PG_FUNCTION_INFO_V1(dtmodel_remove_model);

/* The column that add_model makes the primary key. */
#define ID_COLUMN "id"

/* The name of the key is this and the name of the table. */
#define KEY_PREFIX "pk_"

/* The arguments of add_model and, for its tables, what it has found out. */
typedef struct ModelRequest
{
	Oid			relid;
	const char *id_function;	/* NULL: no id */
	bool	   *adds_timestamps;
} ModelRequest;

/* The functions that may be the default of the id. */
static const char *const id_functions[][2] = {
	{"v7", "uuidv7"},
	{"v4", "uuidv4"},
};

/* The function of the default for a kind of id; NULL for "none". */
static const char *
id_function(const char *id)
{
	for (size_t i = 0; i < lengthof(id_functions); i++)
	{
		if (strcmp(id, id_functions[i][0]) == 0)
			return id_functions[i][1];
	}
	if (strcmp(id, "none") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown id \"%s\"", id),
				 errhint("The kinds of id are \"v7\", \"v4\" and \"none\".")));
	return NULL;
}

static void
check_id_is_free(Relation rel)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), ID_COLUMN, &column);
	if (!AttributeNumberIsValid(column.attnum))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("table \"%s\" has a column \"%s\" but no primary key",
					RelationGetRelationName(rel), ID_COLUMN),
			 errhint("Use ALTER TABLE %s ADD PRIMARY KEY (%s), or %s.add_model(%s, id => 'none').",
					 dtmodel_qualified_name(rel), ID_COLUMN, DTMODEL_SCHEMA,
					 dtmodel_quoted_name(rel)),
			 errtablecol(rel, column.attnum)));
}

/* Whether the column's default is one that add_model adds. */
static bool
has_our_default(Relation rel, AttrNumber attnum)
{
	Node	   *expr = build_column_default(rel, attnum);
	const char *function = NULL;

	if (expr != NULL && IsA(expr, FuncExpr))
		function = dtmodel_function_name(((FuncExpr *) expr)->funcid,
										 DTMODEL_SCHEMA);
	for (size_t i = 0; function != NULL && i < lengthof(id_functions); i++)
	{
		if (strcmp(function, id_functions[i][1]) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the column was copied from the template, which its comment says.
 * Without it, a key with our default may come from, for example, an ORM, which
 * knows the key by its name.
 */
static bool
is_copied(Relation rel, AttrNumber attnum)
{
	Oid			template = get_relname_relid("model_base",
											 get_namespace_oid(DTMODEL_SCHEMA, true));
	const char *comment = GetComment(RelationGetRelid(rel), RelationRelationId,
									 attnum);
	const char *original = GetComment(template, RelationRelationId,
									  get_attnum(template, ID_COLUMN));

	return comment != NULL && original != NULL && strcmp(comment, original) == 0;
}

/* The column "id" if it alone is the key, as add_model makes it. */
static AttrNumber
find_id(const DtKey *key)
{
	return key->ncolumns == 1 &&
		namestrcmp(&key->columns[0].name, ID_COLUMN) == 0 ?
		key->columns[0].attnum : InvalidAttrNumber;
}

/* Renames a key as it is copied from the template. */
static void
name_key(DtChange *change)
{
	DtKey		key = dtmodel_get_model(change->rel)->key;
	AttrNumber	attnum = find_id(&key);
	Oid			constraint;

	if (!AttributeNumberIsValid(attnum) ||
		!has_our_default(change->rel, attnum) || !is_copied(change->rel, attnum))
		return;
	constraint = get_index_constraint(key.index);
	if (OidIsValid(constraint))
		dtmodel_rename_primary_key(change, constraint);
}

/* Whether the column has the key of another row. */
static bool
is_reference(Relation rel, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(rel))
	{
		const ForeignKeyCacheInfo *key = lfirst_node(ForeignKeyCacheInfo, cell);

		for (int i = 0; i < key->nkeys; i++)
		{
			if (key->conkey[i] == attnum)
				return true;
		}
	}
	return false;
}

/*
 * Clients that leave a key to the database fail if it has no default.  The
 * table is the user's, and others make the key themselves: a NOTICE.
 */
static void
suggest_default(const DtChange *change, const char *function)
{
	Relation	rel = change->rel;
	DtKey		key = dtmodel_get_model(rel)->key;
	DtKeyColumn column;

	if (change->phase != DT_BEFORE_LOCK || function == NULL ||
		key.ncolumns != 1 || key.columns[0].typid != UUIDOID)
		return;
	column = key.columns[0];
	if (build_column_default(rel, column.attnum) != NULL ||
		is_reference(rel, column.attnum))
		return;
	ereport(NOTICE,
			(errmsg("key \"%s\" of table \"%s\" has no default",
					NameStr(column.name), RelationGetRelationName(rel)),
			 errdetail("Every INSERT has to give it."),
			 errhint("If clients leave it to the database, use ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s.%s().",
					 change->table, quote_identifier(NameStr(column.name)),
					 DTMODEL_SCHEMA, function)));
}

/* Each row gets another id, so the server writes the whole table again. */
static void
announce_id(const DtChange *change, const char *function)
{
	const char *index = quote_identifier(makeObjectName("pk", RelationGetRelationName(change->rel),
														NULL));

	dtmodel_announce(change, AccessExclusiveLock,
					 "it is rewritten, to give each of them an " ID_COLUMN,
					 psprintf("To do this while others write, cancel the call, and use ALTER TABLE %s ADD COLUMN " ID_COLUMN " uuid; ALTER TABLE %s ALTER COLUMN " ID_COLUMN " SET DEFAULT %s.%s(); then UPDATE the rows in which it is null, in batches; and then CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (" ID_COLUMN "); ALTER TABLE %s ADD PRIMARY KEY USING INDEX %s; and call %s.add_model again.",
							  change->table, change->table, DTMODEL_SCHEMA, function,
							  index, change->table, change->table, index,
							  DTMODEL_SCHEMA));
}

static void
change_id(DtChange *change, const char *function)
{
	char	   *constraint;

	if (dtmodel_get_model(change->rel)->key.ncolumns > 0)
	{
		name_key(change);
		suggest_default(change, function);
		return;
	}
	if (function == NULL)
		return;
	check_id_is_free(change->rel);

	constraint = dtmodel_choose_name(RelationGetNamespace(change->rel), "pk",
									 RelationGetRelationName(change->rel),
									 InvalidOid);
	announce_id(change, function);
	dtmodel_add_statement(change, AccessExclusiveLock,
						  "added column \"" ID_COLUMN "\"",
						  psprintf("ALTER TABLE %s ADD COLUMN " ID_COLUMN
								   " pg_catalog.uuid DEFAULT %s.%s() CONSTRAINT %s PRIMARY KEY",
								   change->table, DTMODEL_SCHEMA, function,
								   quote_identifier(constraint)));
}

static bool
has_timestamps(Relation rel)
{
	return dtmodel_timestamps_of(dtmodel_get_model(rel)) != NULL;
}

/* Adds timestamps to the table, unless it has them. */
static void
change_timestamps(DtChange *change)
{
	const DtTimestampsRequest request = {
		.created_at = "created_at",
		.updated_at = "updated_at",
	};

	if (!has_timestamps(change->rel))
		dtmodel_change_timestamps(change, &request);
}

/*
 * The table gets what it lacks, and with timestamps those that inherit from it
 * get them too.  If it has them already, add_timestamps has added them to these.
 */
static void
change_model(DtChange *change, const void *asked)
{
	const ModelRequest *request = asked;

	if (RelationGetRelid(change->rel) == request->relid)
	{
		dtmodel_check_no_partition(change->rel);
		change_id(change, request->id_function);
		*request->adds_timestamps = !has_timestamps(change->rel);
	}
	if (*request->adds_timestamps)
		change_timestamps(change);
}

/*
 * add_model(model regclass, id text DEFAULT 'v7') returns void
 *
 * Makes a table a model: adds a primary key "id" of type uuid unless it has a
 * primary key, and timestamps unless it has them, also to tables that inherit
 * from it.  A key as in the template model_base is renamed to pk_<table>.  id
 * is the kind of its default, "v7", "v4", or "none" for no id; NULL is the
 * default.  A NOTICE says that an existing key of type uuid has no default,
 * unless id is "none".
 *
 * Source: ModelBase of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_add_model(PG_FUNCTION_ARGS)
{
	Oid			relid = dtmodel_model_argument(fcinfo);
	bool		adds_timestamps;
	const ModelRequest request = {
		.relid = relid,
		.id_function = id_function(PG_ARGISNULL(1) ? "v7" :
								   text_to_cstring(PG_GETARG_TEXT_PP(1))),
		.adds_timestamps = &adds_timestamps,
	};

	dtmodel_change_with_inheritors(relid, NULL, change_model, &request);
	PG_RETURN_VOID();
}

/*
 * Whether the key is an id as add_model makes it and names it.  Others have
 * other names, also if their default is the same.
 */
static bool
is_our_id(Relation rel, AttrNumber attnum)
{
	DtKey		key = dtmodel_get_model(rel)->key;
	char	   *name;

	if (find_id(&key) != attnum)
		return false;
	name = get_constraint_name(get_index_constraint(key.index));
	return name != NULL && strncmp(name, KEY_PREFIX, strlen(KEY_PREFIX)) == 0;
}

/*
 * A default that stays needs the extension, but the user may have written it,
 * and clients may expect it: it is for the user to replace.
 */
static void
report_default(const DtChange *change, Form_pg_attribute att)
{
	const char *name = NameStr(att->attname);

	if (change->phase != DT_BEFORE_LOCK)
		return;
	ereport(NOTICE,
			(errmsg("column \"%s\" of table \"%s\" keeps its default, which is a function of %s",
					name, RelationGetRelationName(change->rel), DTMODEL_SCHEMA),
			 errhint("If the extension is to be dropped, use ALTER TABLE %s ALTER COLUMN %s SET DEFAULT gen_random_uuid().",
					 change->table, quote_identifier(name))));
}

static void
drop_id(DtChange *change, bool drop_columns)
{
	TupleDesc	desc = RelationGetDescr(change->rel);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		DtColumn	column;

		if (att->attisdropped || !att->atthasdef ||
			!has_our_default(change->rel, att->attnum))
			continue;
		dtmodel_find_column(desc, NameStr(att->attname), &column);
		if (drop_columns && is_our_id(change->rel, att->attnum))
			dtmodel_drop_column(change, &column);
		else
			report_default(change, att);
	}
}

/* The arguments of remove_model. */
typedef struct RemoveRequest
{
	Oid			relid;
	bool		drop_columns;
} RemoveRequest;

static void
drop_model(DtChange *change, const void *asked)
{
	const RemoveRequest *request = asked;

	if (request->drop_columns)
		dtmodel_report_left_columns(change, &dtmodel_timestamps_mixin);
	dtmodel_drop_timestamps(change, request->drop_columns);
	if (RelationGetRelid(change->rel) == request->relid)
		drop_id(change, request->drop_columns);
}

/*
 * remove_model(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Undoes add_model: removes the timestamps, and with drop_columns also drops
 * the columns, including an id that add_model or the template made, whose key
 * has a name that begins with pk_.  Columns that stay keep their defaults; a
 * NOTICE names those that need the extension.  The timestamps of tables that
 * inherit from this one are removed too.  Refused where a history needs them
 * (2BP01).
 */
Datum
dtmodel_remove_model(PG_FUNCTION_ARGS)
{
	const RemoveRequest request = {
		.relid = dtmodel_model_argument(fcinfo),
		.drop_columns = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1),
	};
	const DtCall call = {
		.relid = request.relid,
		.change_table = drop_model,
		.request = &request,
		.with_inheritors = true,
		.inheritors_first = true,
	};

	dtmodel_change_tables(&call);
	PG_RETURN_VOID();
}
