/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  Adding the settings mixin to a table, and removing it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/settings/mixin.h"
#include "mixin/settings/settings.h"
#include "model/constraint.h"
#include "model/inheritance.h"
#include "model/row_move.h"
#include "nodes/bitmapset.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_add_settings);
PG_FUNCTION_INFO_V1(dtmodel_remove_settings);

/* The name of the CHECK that the settings are an object: ck_<table>_<this>. */
#define CHECK_NAME "settings"

/* The arguments of add_settings. */
typedef struct SettingsRequest
{
	const char *settings;		/* the column */
	ArrayType  *valid;			/* names of settings */
	bool		combined;
	DtOnUnknown on_unknown;
	Jsonb	   *schema;			/* NULL: no rules */
} SettingsRequest;

/* The column of the settings may not exist yet. */
static void
check_setting_name(Relation rel, const SettingsRequest *request,
				   const char *name)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (!AttributeNumberIsValid(column.attnum) &&
		strcmp(name, request->settings) != 0)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_COLUMN),
			 errmsg("setting \"%s\" has the name of a column of table \"%s\"",
					name, RelationGetRelationName(rel)),
			 errdetail("Settings and columns are members of the same JSON object."),
			 errhint("Give the setting another name."),
			 errtable(rel), err_generic_string(PG_DIAG_COLUMN_NAME, name)));
}

/* Refuses names that cannot be those of settings, or that are given twice. */
static void
check_valid_settings(Relation rel, const SettingsRequest *request)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;

	deconstruct_array(request->valid, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("valid_settings must not contain nulls")));
		if (VARSIZE_ANY_EXHDR(DatumGetTextPP(names[i])) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a setting must have a name"),
					 errdetail("One of the names is empty.")));
		check_setting_name(rel, request, TextDatumGetCString(names[i]));
		for (int j = 0; j < i; j++)
		{
			if (DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID,
													 names[i], names[j])))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("setting \"%s\" is named twice",
								TextDatumGetCString(names[i])),
						 errdetail("It appears more than once in valid_settings.")));
		}
	}
}

static bool
is_named(ArrayType *valid, const DtRawValue *key)
{
	Datum	   *names;
	int			count;

	deconstruct_array(valid, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		text	   *name = DatumGetTextPP(names[i]);
		DtRawValue	other = dtmodel_raw_string(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

		if (dtmodel_raw_compare_keys(key, &other) == 0)
			return true;
	}
	return false;
}

static void
check_schema(const DtRawValue *schema, ArrayType *valid)
{
	DtRawObjectWalk walk;
	DtRawMember rule;

	if (!dtmodel_raw_is_object(schema))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema of settings must be an object"),
				 errdetail("It is %s.", dtmodel_raw_kind(schema)),
				 errhint("Write it as in {\"theme\": {\"type\": \"string\"}}.")));
	walk = dtmodel_raw_walk_object(schema);
	while (dtmodel_raw_next_member(&walk, &rule))
	{
		if (!is_named(valid, &rule.key))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the schema has a rule for \"%.*s\", which is not a setting",
							(int) rule.key.len, rule.key.data),
					 errhint("Name it in valid_settings too.")));
		dtmodel_check_rule(&rule.key, &rule.value);
	}
}

/*
 * Refuses a JSON Schema of the settings as a whole, of which only the value
 * of "properties" is expected here.  A setting may have that name too, but
 * then it has a rule.
 */
static void
check_no_document(const DtRawValue *schema)
{
	DtRawValue	key = dtmodel_raw_string("properties", strlen("properties"));
	DtRawValue	properties;
	DtRawObjectWalk walk;
	DtRawMember member;

	if (!dtmodel_raw_is_object(schema) ||
		!dtmodel_raw_find(schema, &key, &properties, NULL) ||
		!dtmodel_raw_is_object(&properties))
		return;
	walk = dtmodel_raw_walk_object(schema);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		if (!dtmodel_raw_is_object(&member.value))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("schema of settings must have a rule for each setting"),
					 errdetail("It has \"properties\" and also \"%.*s\", which is not a rule.",
							   (int) member.key.len, member.key.data),
					 errhint("Pass only the value of \"properties\".")));
	}
}

/* The keys of the schema, for a model whose settings are named only there. */
static ArrayType *
keys_of_schema(Jsonb *schema)
{
	DtRawValue	root = schema != NULL ? dtmodel_raw_root(schema) : dtmodel_raw_empty_object;
	DtRawObjectWalk walk;
	DtRawMember rule;
	Datum	   *names;
	int			count = 0;

	if (!dtmodel_raw_is_object(&root))
		return construct_empty_array(TEXTOID);
	walk = dtmodel_raw_walk_object(&root);
	names = palloc(sizeof(Datum) * Max(walk.left, 1));
	while (dtmodel_raw_next_member(&walk, &rule))
		names[count++] = PointerGetDatum(cstring_to_text_with_len(rule.key.data,
																  rule.key.len));
	return construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
}

static List *
trigger_options(const SettingsRequest *request)
{
	List	   *options = NIL;

	options = lappend(options, psprintf("settings=%s", request->settings));
	options = lappend(options,
					  psprintf("valid_settings=%s",
							   OidOutputFunctionCall(F_ARRAY_OUT,
													 PointerGetDatum(request->valid))));
	if (!request->combined)
		options = lappend(options, "combined=false");
	if (request->on_unknown != DT_UNKNOWN_ERROR)
		options = lappend(options,
						  psprintf("on_unknown=%s",
								   dtmodel_on_unknown_name(request->on_unknown)));
	if (request->schema != NULL)
		options = lappend(options,
						  psprintf("schema=%s",
								   JsonbToCString(NULL, &request->schema->root,
												  VARSIZE(request->schema))));
	return options;
}

/* The same CHECK as in the template. */
static void
add_check(DtChange *change, const char *column, bool is_new)
{
	const char *name = dtmodel_check_name(change->rel, CHECK_NAME);

	dtmodel_check_free_name(change, name);
	dtmodel_add_check(change, name,
					  psprintf("pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) 'object'",
							   quote_identifier(column)),
					  is_new);
}

static bool
is_check_name(const char *name)
{
	size_t		length = strlen(name);
	size_t		suffix = strlen("_" CHECK_NAME);

	return length >= suffix && strcmp(name + length - suffix, "_" CHECK_NAME) == 0;
}

/*
 * The name of the CHECK on the column, made by us or copied from the
 * template; NULL if there is none.
 */
const char *
dtmodel_find_settings_check(Relation rel, const DtColumn *column)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		Bitmapset  *used = NULL;

		if (!is_check_name(constr->check[i].ccname))
			continue;
		pull_varattnos(stringToNode(constr->check[i].ccbin), 1, &used);
		if (bms_membership(used) == BMS_SINGLETON &&
			bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber,
						  used))
			return pstrdup(constr->check[i].ccname);
	}
	return NULL;
}

/* Adds a CHECK to a column that is added, or names one that was copied. */
static void
change_check(DtChange *change, const DtColumn *column)
{
	const char *name = NameStr(column->name);
	const char *check;

	if (!AttributeNumberIsValid(column->attnum))
	{
		add_check(change, name,
				  !dtmodel_has_column_anywhere(change->rel, name,
											   change->lockmode));
		return;
	}
	check = dtmodel_find_settings_check(change->rel, column);
	if (check != NULL)
		dtmodel_rename_template_check(change, check, CHECK_NAME);
}

static void
change_settings(DtChange *change, const void *asked)
{
	const SettingsRequest *request = asked;
	DtColumn	column;

	dtmodel_check_no_partition(change->rel);
	if (request->schema != NULL)
	{
		DtRawValue	schema = dtmodel_raw_root(request->schema);

		check_no_document(&schema);
	}
	check_valid_settings(change->rel, request);
	if (request->schema != NULL)
	{
		DtRawValue	schema = dtmodel_raw_root(request->schema);

		check_schema(&schema, request->valid);
	}
	dtmodel_change_column(change, request->settings, &dtmodel_use_document,
						  "pg_catalog.jsonb", &dtmodel_settings_mixin, "settings",
						  &column);
	change_check(change, &column);
	dtmodel_change_trigger(change, dtmodel_settings_mixin.triggers,
						   dtmodel_events_with_moves(change->rel,
													 "INSERT OR UPDATE"),
						   trigger_options(request));
}

static DtOnUnknown
on_unknown_argument(const char *name)
{
	DtOnUnknown on_unknown;

	if (!dtmodel_parse_on_unknown(name, &on_unknown))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown on_unknown \"%s\"", name),
				 errhint("on_unknown is \"error\", \"ignore\" or \"allow\".")));
	return on_unknown;
}

static void
read_request(FunctionCallInfo fcinfo, SettingsRequest *request)
{
	request->combined = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("settings must not be null"),
				 errhint("Name the column that stores them.")));
	request->settings = NameStr(*PG_GETARG_NAME(3));
	if (!PG_ARGISNULL(4))
		request->schema = PG_GETARG_JSONB_P(4);
	if (!PG_ARGISNULL(5))
		request->on_unknown =
			on_unknown_argument(text_to_cstring(PG_GETARG_TEXT_PP(5)));
	if (PG_ARGISNULL(1) && request->schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settings require a list of names or a schema"),
				 errhint("Pass valid_settings, schema or both; to allow any settings, pass valid_settings => '{}' and on_unknown => 'allow'.")));
	request->valid = PG_ARGISNULL(1) ? keys_of_schema(request->schema) :
		PG_GETARG_ARRAYTYPE_P(1);
}

/*
 * add_settings(model regclass, valid_settings text[] DEFAULT NULL,
 *				combined boolean DEFAULT true, settings name DEFAULT 'settings',
 *				schema jsonb DEFAULT NULL, on_unknown text DEFAULT 'error')
 * returns void
 *
 * Adds named settings to a table, in a jsonb column, which is added if it is
 * missing; calling it again changes the options.  The names are those in
 * valid_settings or, if that is NULL, the keys of schema; one of the two must
 * be given (22023).  A setting with the name of a column is refused (42701),
 * and so are a schema with a word that is not known (22023) and a partition
 * (42809).  NULL for combined or on_unknown is the default.  Existing rows
 * keep their settings; a NOTICE says how many have settings that are not
 * valid now.
 *
 * Source: ConfigurableMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_add_settings(PG_FUNCTION_ARGS)
{
	SettingsRequest request = {0};
	Oid			relid = dtmodel_model_argument(fcinfo);
	bool		had_column;

	read_request(fcinfo, &request);
	had_column = get_attnum(relid, request.settings) != InvalidAttrNumber;
	if (dtmodel_change_table(relid, change_settings, &request) && had_column)
		dtmodel_report_invalid_settings(relid);
	PG_RETURN_VOID();
}

static void
drop_settings(DtChange *change, const void *drop_columns)
{
	const DtSettings *settings = dtmodel_settings_of(dtmodel_get_model(change->rel));
	DtColumn	column;

	if (*(const bool *) drop_columns)
		dtmodel_report_left_columns(change, &dtmodel_settings_mixin);
	if (settings == NULL)
		return;
	column = settings->column;

	/* The trigger depends on the column, so it is dropped first. */
	dtmodel_drop_trigger(change, dtmodel_settings_mixin.triggers);
	if (*(const bool *) drop_columns)
		dtmodel_drop_column(change, &column);
}

/*
 * remove_settings(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the trigger, and with drop_columns the column too.  Does nothing to a
 * table without settings.
 */
Datum
dtmodel_remove_settings(PG_FUNCTION_ARGS)
{
	bool		drop_columns = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);

	dtmodel_change_table(dtmodel_model_argument(fcinfo), drop_settings,
						 &drop_columns);
	PG_RETURN_VOID();
}
