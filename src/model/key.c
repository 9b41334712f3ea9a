/*-------------------------------------------------------------------------
 *
 * key.c
 *	  Finding the row that a call is about: its table from the type of an
 *	  argument, its primary key from a row or from an id.
 *
 * Functions on rows are polymorphic: NULL::users stands for the table, a row
 * of users also for the row.  An id may have any type that can be read as the
 * key's type; a key of several columns is given as a JSON object of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/executor.h"
#include "model/key.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* The table of an argument such as NULL::users, or of a row. */
Oid
dtmodel_table_argument(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;

	if (OidIsValid(type) && !OidIsValid(relid))
		relid = get_typ_typrelid(getBaseType(type));
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the model must be a row of a table"),
				 errdetail("It is of type %s.", format_type_be(type)),
				 type == RECORDOID ?
				 errhint("A row of a subquery does not belong to a table. Pass a row of the table itself, or cast it as in ROW(x.*)::users.") :
				 errhint("Pass a row, or NULL cast to the table as in NULL::users.")));
	return relid;
}

/* A copy of the table's primary key; without columns if it has none. */
DtKey
dtmodel_key_if_any(Relation rel)
{
	const DtKey *key = &dtmodel_get_model(rel)->key;
	DtKey		copy = *key;

	copy.columns = palloc(sizeof(DtKeyColumn) * Max(key->ncolumns, 1));
	if (key->ncolumns > 0)
		memcpy(copy.columns, key->columns, sizeof(DtKeyColumn) * key->ncolumns);
	return copy;
}

/* A copy of the table's primary key, which it must have. */
DtKey
dtmodel_usable_key(Relation rel)
{
	DtKey		key = dtmodel_key_if_any(rel);

	if (key.ncolumns == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("table \"%s\" has no primary key",
						RelationGetRelationName(rel)),
				 errhint("Use ALTER TABLE %s ADD PRIMARY KEY (...), or %s.add_model(%s).",
						 dtmodel_qualified_name(rel), DTMODEL_SCHEMA,
						 dtmodel_quoted_name(rel)),
				 errtable(rel)));
	return key;
}

static DtKeyValues
make_key_values(const DtKey *key)
{
	DtKeyValues values;

	values.values = palloc0(sizeof(Datum) * key->ncolumns);
	values.nulls = palloc(key->ncolumns);
	memset(values.nulls, ' ', key->ncolumns);
	values.complete = true;
	return values;
}

static void
set_null(DtKeyValues *values, int i)
{
	values->nulls[i] = 'n';
	values->complete = false;
}

/* The key of a row, a composite value. */
DtKeyValues
dtmodel_key_of_row(const DtKey *key, Datum row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	DtKeyValues values = make_key_values(key);

	for (int i = 0; i < key->ncolumns; i++)
	{
		bool		isnull;

		values.values[i] = GetAttributeByNum(header, key->columns[i].attnum,
											 &isnull);
		if (isnull)
			set_null(&values, i);
	}
	return values;
}

static void
value_context(void *argument)
{
	errcontext("column \"%s\" of the primary key, from the id",
			   NameStr(((const DtKeyColumn *) argument)->name));
}

/* Reads a value with the type's input function. */
static Datum
read_value(const char *text, const DtKeyColumn *column)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = value_context,
		.arg = (void *) column,
	};
	Oid			function;
	Oid			parameter;
	Datum		value;

	getTypeInputInfo(column->typid, &function, &parameter);
	error_context_stack = &callback;
	value = OidInputFunctionCall(function, (char *) text, parameter, -1);
	error_context_stack = callback.previous;
	return value;
}

/* A value as text, by the type's output function. */
char *
dtmodel_value_text(Datum value, Oid type)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	return OidOutputFunctionCall(function, value);
}

static Jsonb *
json_id(Datum id, Oid type)
{
	if (type != JSONBOID)
		id = DirectFunctionCall1(jsonb_in, CStringGetDatum(dtmodel_value_text(id, type)));
	return DatumGetJsonbP(id);
}

/* The text of a scalar in an id; NULL for JSON null. */
static char *
scalar_text(const JsonbValue *value, const DtKeyColumn *column)
{
	switch (value->type)
	{
		case jbvNull:
			return NULL;
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the value for column \"%s\" in the id is not a scalar",
							NameStr(column->name)),
					 errhint("Pass one value for each column of the primary key.")));
	}
	return NULL;
}

static JsonbValue *
find_key_member(Jsonb *object, const DtKeyColumn *column)
{
	const char *name = NameStr(column->name);
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, name,
													 strlen(name), NULL);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the id has no value for column \"%s\"", name),
				 errhint("Pass an object with every column of the primary key.")));
	return value;
}

static DtKeyValues
key_of_object(const DtKey *key, Jsonb *object)
{
	DtKeyValues values = make_key_values(key);

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the id of a table with a composite primary key must be a JSON object"),
				 errhint("Pass an object with every column of the primary key.")));
	for (int i = 0; i < key->ncolumns; i++)
	{
		const DtKeyColumn *column = &key->columns[i];
		char	   *text = scalar_text(find_key_member(object, column), column);

		if (text == NULL)
			set_null(&values, i);
		else
			values.values[i] = read_value(text, column);
	}
	return values;
}

/* Whether an id of this type is the value of the key's only column. */
static bool
is_of_key_type(const DtKey *key, Oid type)
{
	return type == key->columns[0].typid ||
		getBaseType(type) == key->columns[0].typid;
}

/*
 * The key for an id.  An id of the key's own type is used unchanged, any
 * other is read as the key's type would read it (22P02 if it cannot).
 */
DtKeyValues
dtmodel_key_of_id(const DtKey *key, Datum id, Oid type)
{
	DtKeyValues values;

	if (key->ncolumns > 1)
		return key_of_object(key, json_id(id, type));

	values = make_key_values(key);
	values.values[0] = is_of_key_type(key, type) ? id :
		read_value(dtmodel_value_text(id, type), &key->columns[0]);
	return values;
}

static bool
is_immutable(Oid function)
{
	return func_volatile(function) == PROVOLATILE_IMMUTABLE;
}

/*
 * Whether the key for an id depends on nothing else, such as TimeZone for a
 * key of type timestamptz.
 */
bool
dtmodel_is_key_constant(const DtKey *key, Oid type)
{
	Oid			function;
	Oid			parameter;
	bool		is_varlena;

	if (key->ncolumns == 1 && is_of_key_type(key, type))
		return true;
	getTypeOutputInfo(type, &function, &is_varlena);
	if (!is_immutable(function))
		return false;
	for (int i = 0; i < key->ncolumns; i++)
	{
		getTypeInputInfo(key->columns[i].typid, &function, &parameter);
		if (!is_immutable(function))
			return false;
	}
	return true;
}

/* The types of the key's columns, for the parameters of a plan. */
Oid *
dtmodel_key_types(const DtKey *key)
{
	Oid		   *types = palloc(sizeof(Oid) * key->ncolumns);

	for (int i = 0; i < key->ncolumns; i++)
		types[i] = key->columns[i].typid;
	return types;
}

/* "OPERATOR(schema.name)", which does not depend on search_path. */
char *
dtmodel_qualified_operator(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	name = psprintf("OPERATOR(%s.%s)",
					quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * Appends "alias.column = $1 AND ...", with the operator of the key's index,
 * so that another "=" in search_path cannot replace it.
 */
void
dtmodel_append_key_condition(StringInfo query, const DtKey *key,
							 const char *alias)
{
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(query, "%s%s.%s %s $%d", i == 0 ? "" : " AND ", alias,
						 quote_identifier(NameStr(key->columns[i].name)),
						 dtmodel_qualified_operator(key->columns[i].eqop), i + 1);
}

/*
 * "alias.column operator $parameter", with an operator of the type's own
 * family.
 */
static void
append_comparison(StringInfo query, const DtKeyColumn *column,
				  const char *alias, int strategy, int parameter)
{
	TypeCacheEntry *type = lookup_type_cache(column->typid,
											 TYPECACHE_BTREE_OPFAMILY);
	Oid			operator = get_opfamily_member(type->btree_opf,
											   type->btree_opintype,
											   type->btree_opintype, strategy);

	appendStringInfo(query, "%s.%s %s $%d", alias,
					 quote_identifier(NameStr(column->name)),
					 dtmodel_qualified_operator(operator), parameter);
}

/*
 * Appends the condition that a row's key is greater than the key in the
 * parameters from "first" on.  A comparison of the first column alone comes
 * first, so that the key's index can be used.
 */
void
dtmodel_append_key_after(StringInfo query, const DtKey *key, const char *alias,
						 int first)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		if (i < key->ncolumns - 1)
		{
			append_comparison(query, &key->columns[i], alias,
							  BTGreaterEqualStrategyNumber, first + i);
			appendStringInfoString(query, " AND (");
		}
		append_comparison(query, &key->columns[i], alias,
						  BTGreaterStrategyNumber, first + i);
		if (i < key->ncolumns - 1)
			appendStringInfoString(query, " OR (");
	}
	for (int i = 0; i < key->ncolumns - 1; i++)
		appendStringInfoString(query, "))");
}

/* Appends "alias.column, ...", in the order of the key. */
void
dtmodel_append_key_order(StringInfo query, const DtKey *key, const char *alias)
{
	for (int i = 0; i < key->ncolumns; i++)
		appendStringInfo(query, "%s%s.%s", i == 0 ? "" : ", ", alias,
						 quote_identifier(NameStr(key->columns[i].name)));
}
