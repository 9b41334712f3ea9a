/*-------------------------------------------------------------------------
 *
 * model_base.c
 *	  The base of every model: a primary key and timestamps.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/dependency.h"
#include "dtmodel.h"
#include "mixin/timestamps/mixin.h"
#include "mixin/timestamps/timestamps.h"
#include "model/constraint.h"
#include "model/inheritance.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_add_model);
PG_FUNCTION_INFO_V1(dtmodel_remove_model);

/* The column that add_model makes the primary key. */
#define ID_COLUMN "id"

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
		function = dtmodel_function_name(((FuncExpr *) expr)->funcid);
	for (size_t i = 0; function != NULL && i < lengthof(id_functions); i++)
	{
		if (strcmp(function, id_functions[i][1]) == 0)
			return true;
	}
	return false;
}

/* Renames a key as it is copied from the template. */
static void
name_key(DtChange *change)
{
	DtKey		key = dtmodel_get_model(change->rel)->key;
	Oid			constraint;

	if (key.ncolumns != 1 ||
		namestrcmp(&key.columns[0].name, ID_COLUMN) != 0 ||
		!has_our_default(change->rel, key.columns[0].attnum))
		return;
	constraint = get_index_constraint(key.index);
	if (OidIsValid(constraint))
		dtmodel_rename_primary_key(change, constraint);
}

static void
change_id(DtChange *change, const char *function)
{
	char	   *constraint;

	if (dtmodel_get_model(change->rel)->key.ncolumns > 0)
	{
		name_key(change);
		return;
	}
	if (function == NULL)
		return;
	check_id_is_free(change->rel);

	constraint = dtmodel_choose_name(RelationGetNamespace(change->rel), "pk",
									 RelationGetRelationName(change->rel),
									 InvalidOid);
	dtmodel_add_statement(change, "added column \"" ID_COLUMN "\"",
						  psprintf("ALTER TABLE %s ADD COLUMN " ID_COLUMN
								   " pg_catalog.uuid DEFAULT %s.%s() CONSTRAINT %s PRIMARY KEY",
								   change->table, DTMODEL_SCHEMA, function,
								   quote_identifier(constraint)));
}

/* Adds timestamps to the table, unless it has them. */
static void
change_timestamps(DtChange *change)
{
	const DtTimestampsRequest request = {
		.created_at = "created_at",
		.updated_at = "updated_at",
	};

	if (dtmodel_timestamps_of(dtmodel_get_model(change->rel)) == NULL)
		dtmodel_change_timestamps(change, &request);
}

/*
 * add_model(model regclass, id text DEFAULT 'v7') returns void
 *
 * Makes a table a model: adds a primary key "id" of type uuid unless it has a
 * primary key, and timestamps unless it has them, also to tables that inherit
 * from it.  A key as in the template model_base is renamed to pk_<table>.  id
 * is the kind of its default, "v7", "v4", or "none" for no id; NULL is the
 * default.
 *
 * Source: ModelBase of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_add_model(PG_FUNCTION_ARGS)
{
	List	   *tables = dtmodel_with_inheritors(dtmodel_model_argument(fcinfo));
	DtChange	change;
	ListCell   *cell;

	dtmodel_begin_change(&change, linitial_oid(tables));
	dtmodel_check_no_partition(change.rel);
	change_id(&change, PG_ARGISNULL(1) ? id_function("v7") :
			  id_function(text_to_cstring(PG_GETARG_TEXT_PP(1))));

	/*
	 * If it has them already, add_timestamps has added them to those that
	 * inherit.
	 */
	if (dtmodel_timestamps_of(dtmodel_get_model(change.rel)) != NULL)
		tables = list_truncate(tables, 1);
	change_timestamps(&change);
	dtmodel_apply_change(&change);
	for_each_from(cell, tables, 1)
	{
		dtmodel_begin_change(&change, lfirst_oid(cell));
		change_timestamps(&change);
		dtmodel_apply_change(&change);
	}
	PG_RETURN_VOID();
}

/*
 * Replaces our default on every column that has it by the server's own
 * function, so that the table does not need the extension any more.
 */
static void
replace_default(DtChange *change, Form_pg_attribute att)
{
	dtmodel_add_statement(change,
						  psprintf("set the default of column \"%s\" to gen_random_uuid()",
								   NameStr(att->attname)),
						  psprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT pg_catalog.gen_random_uuid()",
								   change->table,
								   quote_identifier(NameStr(att->attname))));
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
		if (drop_columns && namestrcmp(&att->attname, ID_COLUMN) == 0)
			dtmodel_drop_column(change, &column);
		else
			replace_default(change, att);
	}
}

/*
 * remove_model(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Undoes add_model: removes the timestamps, and with drop_columns also drops
 * the columns, including an id that add_model or the template made.  An id
 * that stays gets the server's gen_random_uuid() as its default.  The
 * timestamps of tables that inherit from this one are removed too.
 */
Datum
dtmodel_remove_model(PG_FUNCTION_ARGS)
{
	List	   *tables = dtmodel_with_inheritors(dtmodel_model_argument(fcinfo));
	bool		drop_columns = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);

	for (int i = list_length(tables) - 1; i >= 0; i--)
	{
		DtChange	change;

		dtmodel_begin_change(&change, list_nth_oid(tables, i));
		dtmodel_drop_timestamps(&change, drop_columns);
		if (i == 0)
			drop_id(&change, drop_columns);
		dtmodel_apply_change(&change);
	}
	PG_RETURN_VOID();
}
