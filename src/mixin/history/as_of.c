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

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/history/as_of.h"
#include "mixin/history/table.h"
#include "mixin/soft_delete/live.h"
#include "mixin/timestamps/mixin.h"
#include "utils/builtins.h"
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

static const char *
type_name(Form_pg_attribute att)
{
	return format_type_extended(att->atttypid, att->atttypmod,
								FORMAT_TYPE_TYPEMOD_GIVEN |
								FORMAT_TYPE_FORCE_QUALIFY);
}

/* A virtual generated column is computed from the past of the others. */
static const char *
virtual_expression(Relation model, AttrNumber attnum)
{
	Node	   *expression = compat_virtual_expression(model, attnum);
	List	   *context = deparse_context_for(RelationGetRelationName(model),
											  RelationGetRelid(model));

	return deparse_expression(expression, context, false, false);
}

/* A column of the model in the past; it is null if it has none. */
static const char *
past_expression(Relation model, const DtHistory *history, Form_pg_attribute att)
{
	if (compat_is_virtual(att))
		return virtual_expression(model, att->attnum);
	if (!dtmodel_has_past(model, history, att->attnum))
		return psprintf("NULL::%s", type_name(att));
	return quote_identifier(NameStr(att->attname));
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

/* The body of the function, for the model's current columns. */
char *
dtmodel_as_of_text(Relation model, const DtHistory *history)
{
	TupleDesc	desc = RelationGetDescr(model);
	const DtTimestamps *timestamps = dtmodel_timestamps_of(dtmodel_get_model(model));
	const char *updated_at = quote_identifier(NameStr(timestamps->updated_at.name));
	StringInfoData columns;
	StringInfoData past;
	StringInfoData text;

	initStringInfo(&columns);
	initStringInfo(&past);
	initStringInfo(&text);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped)
			continue;
		appendStringInfo(&columns, "%s, ", quote_identifier(NameStr(att->attname)));
		appendStringInfo(&past, "%s, ", past_expression(model, history, att));
	}
	columns.data[columns.len - 2] = '\0';
	appendStringInfo(&text,
					 "SELECT %s\n"
					 "FROM (SELECT %s, %s AS valid_from, 'infinity'::pg_catalog.timestamptz AS valid_to\n"
					 "      FROM %s\n"
					 "      UNION ALL\n"
					 "      SELECT %svalid_from, valid_to\n"
					 "      FROM %s) AS %s\n"
					 "WHERE valid_from OPERATOR(pg_catalog.<=) $1\n"
					 "  AND valid_to OPERATOR(pg_catalog.>) $1%s",
					 columns.data, columns.data, updated_at,
					 dtmodel_qualified_name(model), past.data,
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(model)),
												NameStr(history->table)),
					 quote_identifier(RelationGetRelationName(model)),
					 hides_past(dtmodel_soft_delete_of(dtmodel_get_model(model))));
	return text.data;
}
