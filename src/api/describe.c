/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  Describing a table as a model, in JSON, and what is out of order with
 *	  it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "api/names.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mixin/settings/mixin.h"
#include "model/drift.h"
#include "model/inheritance.h"
#include "model/mixin_call.h"
#include "model/model.h"
#include "server/result.h"
#include "server/subtransaction.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(dtmodel_describe);
PG_FUNCTION_INFO_V1(dtmodel_get_fields);
PG_FUNCTION_INFO_V1(dtmodel_list_mixins);

static void
append_key(StringInfo json, const DtKey *key)
{
	appendStringInfoString(json, "\"primary_key\": [");
	for (int i = 0; i < key->ncolumns; i++)
	{
		if (i > 0)
			appendStringInfoString(json, ", ");
		dtmodel_append_string(json, NameStr(key->columns[i].name));
	}
	appendStringInfoString(json, "]");
}

/* Appends the mixin's columns, or what its descriptor appends. */
static void
append_mixin(StringInfo json, Relation rel, const DtMixin *mixin,
			 const void *options)
{
	appendStringInfo(json, ", \"%s\": ", mixin->name);
	if (mixin->describe != NULL)
	{
		mixin->describe(json, rel, options);
		return;
	}
	appendStringInfoChar(json, '{');
	dtmodel_append_mixin_columns(json, mixin, options);
	appendStringInfoChar(json, '}');
}

static void
append_mixins(StringInfo json, Relation rel)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		const void *options = dtmodel_options_of(dtmodel_get_model(rel),
												 mixins[i]);

		if (options != NULL)
			append_mixin(json, rel, mixins[i], options);
	}
}

static DtDrift
no_drift(void)
{
	DtDrift		drift = {.undecided = false};

	initStringInfo(&drift.table);
	initStringInfo(&drift.session);
	return drift;
}

static void
drift_of_mixin(DtDrift *drift, Relation rel, const DtMixin *mixin)
{
	const void *options = dtmodel_options_of(dtmodel_get_model(rel), mixin);

	if (options != NULL)
		dtmodel_drift_of_columns(drift, rel, mixin, options);
	if (options != NULL && mixin->find_drift != NULL)
		mixin->find_drift(drift, rel, options);
	if (mixin->find_drift_of_any_table != NULL)
		mixin->find_drift_of_any_table(drift, rel);
}

/* Reports mixins that a table must share with the table it inherits from. */
static void
drift_of_inheritor(DtDrift *drift, Relation rel, Relation inheritor,
				   const bool *expected)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (expected[i] &&
			dtmodel_options_of(dtmodel_get_model(inheritor), mixins[i]) == NULL)
			dtmodel_append_drift(drift, DT_REPAIR,
								 dtmodel_repair_statement(rel, mixins[i]),
								 "table \"%s\" inherits from this one but has no %s",
								 RelationGetRelationName(inheritor),
								 mixins[i]->title);
	}
}

/* The rows of a foreign table are gone from this one after the statement. */
static char *
advice_for_foreign(const char *statement)
{
	return psprintf("remove the mixins or, which removes its rows from this one, use %s",
					statement);
}

static void
drift_of_foreign_inheritor(DtDrift *drift, Relation inheritor)
{
	List	   *parents = dtmodel_parents(RelationGetRelid(inheritor));
	char	   *statement = psprintf("ALTER FOREIGN TABLE %s NO INHERIT %s",
									 dtmodel_qualified_name(inheritor),
									 dtmodel_qualified_name_of(linitial_oid(parents)));

	dtmodel_append_drift(drift, DT_ADVICE, advice_for_foreign(statement),
						 "foreign table \"%s\" inherits from this one, and cannot be a part of a model",
						 RelationGetRelationName(inheritor));
}

/* The mixins that tables which inherit must have; NULL if there are none. */
static const bool *
inherited_mixins(Relation rel)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	bool	   *expected = palloc(sizeof(bool) * dtmodel_count_mixins());
	bool		any = false;

	for (int i = 0; mixins[i] != NULL; i++)
	{
		expected[i] = mixins[i]->must_be_inherited &&
			dtmodel_options_of(dtmodel_get_model(rel), mixins[i]) != NULL;
		any |= expected[i];
	}
	return any ? expected : NULL;
}

/*
 * Foreign tables cannot be models, and prevent the calls that others need; so
 * these are reported before those.
 */
static void
drift_of_inheritors(DtDrift *drift, Relation rel, bool foreign)
{
	const bool *expected = inherited_mixins(rel);
	ListCell   *cell;

	if (expected == NULL)
		return;
	foreach(cell, dtmodel_inheritors(rel, AccessShareLock))
	{
		Relation	inheritor = relation_open(lfirst_oid(cell), AccessShareLock);
		bool		is_foreign = inheritor->rd_rel->relkind == RELKIND_FOREIGN_TABLE;

		if (foreign && is_foreign)
			drift_of_foreign_inheritor(drift, inheritor);
		else if (!foreign && !is_foreign)
			drift_of_inheritor(drift, rel, inheritor, expected);
		relation_close(inheritor, AccessShareLock);
	}
}

static void
drift_of_foreign_partition(DtDrift *drift, Relation partition)
{
	if (partition->rd_rel->relispartition)
		dtmodel_append_drift(drift, DT_ADVICE,
							 advice_for_foreign(dtmodel_detach_statement(partition)),
							 "partition \"%s\" is a foreign table, which cannot be a part of a model",
							 RelationGetRelationName(partition));
}

/*
 * The server lets a foreign table become a partition of a model, with its
 * triggers, but these refuse to fire there.  A table can have very many
 * partitions, so only those that are reported are locked; meanwhile, they may
 * have been dropped or detached.
 */
static void
drift_of_foreign_partitions(DtDrift *drift, Relation rel)
{
	ListCell   *cell;

	if (!dtmodel_has_own_trigger(rel))
		return;
	foreach(cell, dtmodel_foreign_partitions(rel, NoLock))
	{
		Relation	partition = try_relation_open(lfirst_oid(cell),
												  AccessShareLock);

		if (partition == NULL)
			continue;
		drift_of_foreign_partition(drift, partition);
		relation_close(partition, AccessShareLock);
	}
}

/*
 * Whether it is a column of the table that may be the mixin's.  An inherited
 * column is reported for the parent table.
 */
static bool
is_template_column(Relation rel, const char *name, const DtColumnUse *use)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return AttributeNumberIsValid(column.attnum) &&
		dtmodel_column_fits(&column, use) &&
		!dtmodel_is_inherited_column(rel, &column) &&
		TupleDescAttr(RelationGetDescr(rel),
					  column.attnum - 1)->attgenerated == '\0';
}

/* Whether the table is part of what a mixin keeps of another one. */
static bool
is_own_table(Oid relid)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i]->is_own_table != NULL && mixins[i]->is_own_table(relid))
			return true;
	}
	return false;
}

/* Tables that are not models and should not become models. */
static bool
is_no_candidate(Relation rel)
{
	return RelationGetRelid(rel) < FirstNormalObjectId ||
		rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP ||
		rel->rd_rel->relispartition || is_own_table(RelationGetRelid(rel)) ||
		OidIsValid(getExtensionOfObject(RelationRelationId,
										RelationGetRelid(rel)));
}

/*
 * "a" and "b", the columns of the template; NULL if the table does not have
 * them all, or if they are too common to mean anything.
 */
static char *
template_columns(Relation rel, const DtMixin *mixin)
{
	StringInfoData names;

	if (!mixin->implied_by_columns)
		return NULL;
	initStringInfo(&names);
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtMixinColumn *column = &mixin->columns[i];

		if (column->in_template == NULL)
			continue;
		if (!is_template_column(rel, column->in_template, column->use))
			return NULL;
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? " and " : "",
						 column->in_template);
	}
	return names.data;
}

/* The first trigger may have been the only one that had the options. */
static void
drift_of_partial_mixin(DtDrift *drift, Relation rel, const DtMixin *mixin,
					   const Trigger *trigger)
{
	const char *call = dtmodel_repair_statement(rel, mixin);
	bool		knows_options = dtmodel_knows_options(rel, mixin);

	dtmodel_append_drift(drift, knows_options ? DT_REPAIR : DT_ADVICE,
						 knows_options ? call :
						 psprintf("with the options that it had, %s", call),
						 "trigger \"%s\" but no \"%s\"", trigger->tgname,
						 mixin->triggers[0].name);
}

/* Reports mixins whose first trigger was dropped, and not the others. */
static void
drift_of_partial_mixins(DtDrift *drift, Relation rel)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		const Trigger *trigger = mixins[i]->add == NULL ||
			dtmodel_find_trigger(rel, mixins[i]->triggers) != NULL ? NULL :
			dtmodel_find_any_trigger(rel, mixins[i]);

		if (trigger != NULL)
			drift_of_partial_mixin(drift, rel, mixins[i], trigger);
	}
}

/*
 * Reports mixins whose template columns the table has without the mixin: they
 * may come from, for example, an ORM, which does not create the triggers.
 */
static void
drift_of_missing_mixins(DtDrift *drift, Relation rel)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	if (is_no_candidate(rel))
		return;
	for (int i = 0; mixins[i] != NULL; i++)
	{
		char	   *columns = template_columns(rel, mixins[i]);

		if (columns != NULL &&
			dtmodel_find_any_trigger(rel, mixins[i]) == NULL)
			dtmodel_append_drift(drift, DT_ADVICE,
								 psprintf("unless that is intended, %s",
										  dtmodel_repair_statement(rel, mixins[i])),
								 "columns %s but no %s", columns,
								 mixins[i]->title);
	}
}

/*
 * Everything that is out of order with a table.  Foreign tables come first,
 * and then mixins that are missing: the statements for others may depend on
 * theirs.  A shard of Citus has what its table has, under names of its own; it
 * is the table that is repaired.
 */
static DtDrift
find_drift(Relation rel)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	DtDrift		drift = no_drift();

	if (dtmodel_is_shard(&dtmodel_get_model(rel)->citus))
		return drift;
	drift_of_foreign_partitions(&drift, rel);
	drift_of_inheritors(&drift, rel, true);
	drift_of_partial_mixins(&drift, rel);
	drift_of_missing_mixins(&drift, rel);
	for (int i = 0; mixins[i] != NULL; i++)
		drift_of_mixin(&drift, rel, mixins[i]);
	dtmodel_drift_of_triggers(&drift, rel);
	dtmodel_drift_of_rules(&drift, rel);
	dtmodel_drift_of_indexes(&drift, rel);
	drift_of_inheritors(&drift, rel, false);
	dtmodel_drift_of_partitions(&drift, rel);
	return drift;
}

static void
append_drift(StringInfo json, const DtDrift *drift)
{
	appendStringInfo(json, "\"drift\": [%s], \"session\": [%s]}",
					 drift->table.data, drift->session.data);
}

/* The table and its description. */
typedef struct Description
{
	Oid			relid;
	char	   *schema;
	char	   *table;			/* NULL: it does not exist any more */
	StringInfoData json;
} Description;

static void
append_table(Description *description)
{
	StringInfo	json = &description->json;

	appendStringInfoChar(json, '{');
	dtmodel_append_member(json, "table",
						  quote_qualified_identifier(description->schema,
													 description->table));
	appendStringInfoString(json, ", ");
	dtmodel_append_member(json, "class", dtmodel_make_class_name(description->table));
	appendStringInfoString(json, ", ");
}

static void
describe_table(void *argument)
{
	Description *description = argument;
	Relation	rel = dtmodel_try_open(description->relid, AccessShareLock);
	DtDrift		drift;

	if (rel == NULL)
		return;

	description->schema = get_namespace_name(RelationGetNamespace(rel));
	description->table = pstrdup(RelationGetRelationName(rel));
	append_table(description);
	append_key(&description->json, &dtmodel_get_model(rel)->key);
	append_mixins(&description->json, rel);
	appendStringInfoString(&description->json, ", ");
	drift = find_drift(rel);
	append_drift(&description->json, &drift);
	relation_close(rel, AccessShareLock);
}

/*
 * Whether the error may come from the arguments of a trigger.  add_* checks
 * them, but any user may create a trigger on a table of their own.
 */
static bool
is_of_arguments(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_DATA_EXCEPTION ||
		category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/* The description of a table for which that failed with this error. */
static void
describe_error(Description *description, const ErrorData *error)
{
	DtDrift		drift = no_drift();

	dtmodel_append_drift(&drift, DT_ADVICE,
						 psprintf("create them again with the functions of %s",
								  DTMODEL_SCHEMA),
						 "the arguments of its triggers cannot be read (%s)",
						 error->message);
	resetStringInfo(&description->json);
	append_table(description);
	appendStringInfoString(&description->json, "\"primary_key\": [], ");
	append_drift(&description->json, &drift);
}

/*
 * describe(model regclass) returns jsonb
 *
 * What the table is: its name, class and primary key, each mixin with its
 * options, under "drift" what prevents a mixin from working, and under
 * "session" what does so in this session, but perhaps not in others.  A table
 * that is not a model has no mixin.  NULL for NULL and for a table that does
 * not exist any more; anything but a table is an error (42809).
 *
 * The view dtmodel.models calls it for each table, so a table that cannot be
 * described must not raise an error.
 */
Datum
dtmodel_describe(PG_FUNCTION_ARGS)
{
	Description description = {.relid = PG_GETARG_OID(0)};
	ErrorData  *error;

	initStringInfo(&description.json);
	error = dtmodel_try_in_subtransaction(describe_table, &description);
	if (error != NULL && !is_of_arguments(error))
		ReThrowError(error);
	if (description.table == NULL)
		PG_RETURN_NULL();
	if (error != NULL)
		describe_error(&description, error);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(description.json.data));
}

/* Settings are not fields: they are read and written by their own names. */
static bool
is_field(Form_pg_attribute att, const DtSettings *settings)
{
	if (settings != NULL && att->attnum == settings->column.attnum)
		return false;
	return !att->attisdropped &&
		!(namestrcmp(&att->attname, "settings") == 0 &&
		  (att->atttypid == JSONBOID || att->atttypid == JSONOID));
}

/*
 * get_fields(model regclass) returns text[]
 *
 * The table's columns in their order, without the settings.  NULL for NULL
 * and for a table that does not exist any more; anything but a table is an
 * error (42809).
 *
 * Source: ModelBase.get_fields of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_fields(PG_FUNCTION_ARGS)
{
	Relation	rel = dtmodel_try_open(PG_GETARG_OID(0), AccessShareLock);
	const DtSettings *settings;
	TupleDesc	desc;
	Datum	   *names;
	int			count = 0;

	if (rel == NULL)
		PG_RETURN_NULL();

	desc = RelationGetDescr(rel);
	settings = dtmodel_settings_of(dtmodel_get_model(rel));
	names = palloc(sizeof(Datum) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (is_field(att, settings))
			names[count++] = CStringGetTextDatum(NameStr(att->attname));
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/* The names that a mixin's template gives its columns. */
static Datum
columns_of_template(const DtMixin *mixin)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(mixin->ncolumns, 1));
	int			count = 0;

	for (int i = 0; i < mixin->ncolumns; i++)
	{
		if (mixin->columns[i].in_template != NULL)
			names[count++] = CStringGetTextDatum(mixin->columns[i].in_template);
	}
	return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/*
 * mixins() returns TABLE (mixin text, columns text[])
 *
 * All mixins, with the columns of their templates.
 */
Datum
dtmodel_list_mixins(PG_FUNCTION_ARGS)
{
	const DtMixin *const *mixins = dtmodel_mixins();
	ReturnSetInfo *result = dtmodel_begin_result(fcinfo);

	for (int i = 0; mixins[i] != NULL; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		if (mixins[i]->title == NULL)
			continue;
		values[0] = CStringGetTextDatum(mixins[i]->name);
		values[1] = columns_of_template(mixins[i]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
