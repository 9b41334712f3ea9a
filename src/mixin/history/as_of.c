/*-------------------------------------------------------------------------
 *
 * as_of.c
 *	  The function that shows a model as it was.
 *
 * It is an SQL function that the server inlines, so conditions on it and joins
 * use the indexes of both tables.  For that neither arm of its UNION ALL may
 * have a condition, and the function is STABLE and not STRICT.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/history/as_of.h"
#include "mixin/history/table.h"
#include "mixin/soft_delete/live.h"
#include "mixin/timestamps/mixin.h"
#include "server/inline.h"
#include "server/plan_cache.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

/*
 * The function of this name in the model's schema, for a timestamptz.  A
 * partition may be in another schema.
 */
Oid
dtmodel_find_as_of(Relation model, const char *name)
{
	Oid			type = TIMESTAMPTZOID;

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(&type, 1)),
						   ObjectIdGetDatum(get_rel_namespace(dtmodel_root_of(model))));
}

static bool
may_be_changed(HeapTuple tuple, Oid model)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

	return form->proowner == dtmodel_owner_of(model) &&
		form->prolang == SQLlanguageId &&
		form->prorettype == get_rel_type_id(model) &&
		heap_attisnull(tuple, Anum_pg_proc_prosqlbody, NULL);
}

/*
 * The function of this name in a schema, if it is ours to change: it is the
 * model owner's, and returns rows of the model.
 */
Oid
dtmodel_owned_as_of(Oid model, const char *name, Oid schema)
{
	Oid			type = TIMESTAMPTZOID;
	HeapTuple	tuple = SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum(name),
										PointerGetDatum(buildoidvector(&type, 1)),
										ObjectIdGetDatum(schema));
	Oid			function = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (may_be_changed(tuple, model))
		function = ((Form_pg_proc) GETSTRUCT(tuple))->oid;
	ReleaseSysCache(tuple);
	return function;
}

/* Whether we made the function for the table, which need not be a model. */
bool
dtmodel_is_own_as_of(Oid model, Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		isnull;
	Datum		body;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	result = may_be_changed(tuple, model) &&
		dtmodel_is_own_query(TextDatumGetCString(body));
	ReleaseSysCache(tuple);
	return result;
}

/* InvalidOid if there is no such function any more. */
Oid
dtmodel_owner_of_as_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/* Whether it is the function of a model. */
static bool
is_function_of(Relation rel, Oid funcid)
{
	const DtHistory *history = dtmodel_history_of(dtmodel_get_model(rel));

	return history != NULL &&
		dtmodel_find_as_of(rel, NameStr(history->as_of)) == funcid;
}

/* Whether the function is one of these; it returns rows of the model. */
static bool
is_as_of(Oid funcid)
{
	Oid			relid = get_typ_typrelid(get_func_rettype(funcid));
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';
	Relation	rel;
	bool		found;

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return false;
	found = is_function_of(rel, funcid);
	relation_close(rel, AccessShareLock);
	return found;
}

/* The entries of the range table that call such functions. */
List *
dtmodel_as_of_entries(const Query *query)
{
	List	   *entries = NIL;
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);
		Oid			funcid = dtmodel_called_sql_function(rte);

		if (OidIsValid(funcid) && !rte->funcordinality && is_as_of(funcid))
			entries = lappend(entries, rte);
	}
	return entries;
}

/* A column of the model in the past; it is null if it has none. */
static const char *
past_expression(Relation model, const DtHistory *history, Form_pg_attribute att)
{
	const char *name = quote_identifier(NameStr(att->attname));
	bool		live;

	if (!dtmodel_has_past(model, history, att->attnum))
		return psprintf("NULL::%s", dtmodel_history_type(att));
	if (dtmodel_is_flag_of_past(model, att->attnum, &live))
		return psprintf("COALESCE(%s, %s)", name, live ? "true" : "false");
	return name;
}

/* Whether the model has virtual generated columns. */
bool
dtmodel_has_virtual_columns(Relation model)
{
	TupleDesc	desc = RelationGetDescr(model);

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped &&
			compat_is_virtual(TupleDescAttr(desc, i)))
			return true;
	}
	return false;
}

static void
set_parameter(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The expression of a virtual generated column.  Sessions with other settings
 * read the text, so that names and constants are written as in a dump; and its
 * casts are, or it could have another type than the column.
 */
static const char *
virtual_expression(Relation model, AttrNumber attnum)
{
	Node	   *expression = compat_virtual_expression(model, attnum);
	List	   *context = deparse_context_for(RelationGetRelationName(model),
											  RelationGetRelid(model));
	int			level = NewGUCNestLevel();
	const char *text;

	set_parameter("search_path", "pg_catalog, pg_temp");
	set_parameter("datestyle", "ISO");
	set_parameter("intervalstyle", "postgres");
	set_parameter("extra_float_digits", "3");
	set_parameter("standard_conforming_strings", "on");
	text = deparse_expression(expression, context, false, true);
	AtEOXact_GUC(true, level);
	return text;
}

/*
 * The history, with all names that the expressions of virtual columns may have.
 */
static char *
stored_past(Relation model, const DtHistory *history, const char *table)
{
	TupleDesc	desc = RelationGetDescr(model);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "(SELECT ");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !compat_is_virtual(att))
			appendStringInfo(&text, "%s AS %s, ",
							 past_expression(model, history, att),
							 quote_identifier(NameStr(att->attname)));
	}
	appendStringInfo(&text,
					 "%s::pg_catalog.regclass::pg_catalog.oid AS tableoid, valid_from, valid_to\n"
					 "            FROM %s) AS %s",
					 quote_literal_cstr(dtmodel_qualified_name(model)), table,
					 quote_identifier(RelationGetRelationName(model)));
	return text.data;
}

/*
 * The arm of the past.  Virtual generated columns are computed from the past of
 * the others.
 */
static char *
past_arm(Relation model, const DtHistory *history)
{
	TupleDesc	desc = RelationGetDescr(model);
	char	   *table = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(model)),
												   NameStr(history->table));
	bool		computes = dtmodel_has_virtual_columns(model);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "SELECT ");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		appendStringInfo(&text, "%s, ",
						 compat_is_virtual(att) ? virtual_expression(model, att->attnum) :
						 computes ? quote_identifier(NameStr(att->attname)) :
						 past_expression(model, history, att));
	}
	appendStringInfo(&text, "valid_from, valid_to\n      FROM %s",
					 computes ? stored_past(model, history, table) : table);
	return text.data;
}

/*
 * The planner hides deleted rows of the model where it is preloaded; their past
 * is hidden by the same rule.
 */
static const char *
hides_past(const DtSoftDelete *soft_delete)
{
	if (soft_delete == NULL || !soft_delete->hide)
		return "";
	return psprintf("\n"
					"  AND (%s\n"
					"       OR pg_catalog.current_setting('dtmodel.with_deleted', true) OPERATOR(pg_catalog.=) 'on'\n"
					"       OR pg_catalog.current_setting('dtmodel.rewrite', true) IS DISTINCT FROM 'on')",
					dtmodel_live_text(soft_delete, NULL));
}

/*
 * The body of the function, for the model's current columns.  The prefix says
 * that the query has its own conditions for the time and for hidden rows.
 */
char *
dtmodel_as_of_text(Relation model, const DtHistory *history)
{
	TupleDesc	desc = RelationGetDescr(model);
	const DtTimestamps *timestamps = dtmodel_timestamps_of(dtmodel_get_model(model));

	/* A copy, since what follows may read the model again. */
	const char *updated_at =
		quote_identifier(pstrdup(NameStr(timestamps->updated_at.name)));
	StringInfoData columns;
	StringInfoData text;

	initStringInfo(&columns);
	initStringInfo(&text);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			appendStringInfo(&columns, "%s, ", quote_identifier(NameStr(att->attname)));
	}
	columns.data[columns.len - 2] = '\0';
	appendStringInfo(&text,
					 DT_OWN_QUERY "SELECT %s\n"
					 "FROM (SELECT %s, %s AS valid_from, 'infinity'::pg_catalog.timestamptz AS valid_to\n"
					 "      FROM %s\n"
					 "      UNION ALL\n"
					 "      %s) AS %s\n"
					 "WHERE valid_from OPERATOR(pg_catalog.<=) $1\n"
					 "  AND valid_to OPERATOR(pg_catalog.>) $1%s",
					 columns.data, columns.data, updated_at,
					 dtmodel_qualified_name(model), past_arm(model, history),
					 quote_identifier(RelationGetRelationName(model)),
					 hides_past(dtmodel_soft_delete_of(dtmodel_get_model(model))));
	return text.data;
}
