/*-------------------------------------------------------------------------
 *
 * column.c
 *	  The columns that mixins manage: found by name, checked before use.
 *
 * If a column of a mixin was renamed, retyped or dropped, the statement must
 * fail.  To go on without it would delete rows for good, or not record the
 * times that applications rely on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "model/column.h"
#include "model/mixin.h"
#include "model/mixin_call.h"
#include "server/relation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/*
 * Looks up a user column that is not dropped by its name.  If there is none,
 * attnum is invalid; a NULL name stands for a column that is not used at all.
 */
void
dtmodel_find_column(TupleDesc desc, const char *name, DtColumn *column)
{
	memset(column, 0, sizeof(DtColumn));
	if (name == NULL)
		return;

	namestrcpy(&column->name, name);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || namestrcmp(&att->attname, name) != 0)
			continue;
		column->attnum = att->attnum;
		column->typid = att->atttypid;
		column->typmod = att->atttypmod;
		column->is_not_null = compat_is_not_null(desc, i);
		column->has_default = att->atthasdef;
		return;
	}
}

/*
 * Looks up the columns of an array literal, an option of a trigger; NULL for
 * none.
 */
DtColumn *
dtmodel_find_columns(TupleDesc desc, const char *literal, int *count)
{
	ArrayType  *array;
	Datum	   *names;
	DtColumn   *columns;

	*count = 0;
	if (literal == NULL)
		return NULL;
	array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
													pstrdup(literal),
													TEXTOID, -1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, count);
	columns = palloc(sizeof(DtColumn) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		dtmodel_find_column(desc, TextDatumGetCString(names[i]), &columns[i]);
	return columns;
}

/* Checks that a column exists which a list of columns, a parameter, names. */
void
dtmodel_check_listed_column(Relation rel, const char *name,
							const char *parameter)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (AttributeNumberIsValid(column.attnum))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of table \"%s\" does not exist",
					name, dtmodel_shown_name(rel)),
			 errdetail("The column is in %s.", parameter),
			 errtable(rel)));
}

/*
 * Whether rows of this description have the column as its table has it now. A
 * variable of PL/pgSQL keeps a row as it was before the table was altered.
 */
bool
dtmodel_has_column(TupleDesc desc, const DtColumn *column)
{
	return column->attnum <= desc->natts &&
		TupleDescAttr(desc, column->attnum - 1)->atttypid == column->typid;
}

static bool
is_time(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID;
}

static bool
is_boolean(Oid type)
{
	return type == BOOLOID;
}

static bool
is_text(Oid type)
{
	Oid			base = getBaseType(type);

	return base == TEXTOID || base == VARCHAROID;
}

static bool
is_actor(Oid type)
{
	Oid			base = getBaseType(type);

	return is_text(base) || base == UUIDOID || base == INT4OID ||
		base == INT8OID;
}

static bool
is_jsonb(Oid type)
{
	return type == JSONBOID;
}

static bool
is_any(Oid type pg_attribute_unused())
{
	return true;
}

const DtColumnUse dtmodel_use_time = {
	"timestamp with time zone or timestamp without time zone", is_time,
	"timestamptz"
};
const DtColumnUse dtmodel_use_flag = {"boolean", is_boolean, "boolean"};
const DtColumnUse dtmodel_use_actor = {
	"text, character varying, uuid, integer, bigint or a domain over one of them",
	is_actor, "text"
};
const DtColumnUse dtmodel_use_slug = {
	"text, character varying or a domain over one of them", is_text,
	"text"
};
const DtColumnUse dtmodel_use_document = {"jsonb", is_jsonb, "jsonb"};
const DtColumnUse dtmodel_use_any = {NULL, is_any, NULL};

bool
dtmodel_column_fits(const DtColumn *column, const DtColumnUse *use)
{
	return use->fits(column->typid);
}

/* The maximum number of characters in a column of text. */
int
dtmodel_column_length(const DtColumn *column)
{
	int32		typmod = column->typmod;

	(void) getBaseTypeAndTypmod(column->typid, &typmod);
	return typmod < VARHDRSZ ? PG_INT32_MAX : typmod - VARHDRSZ;
}

static void
report_missing_column(Relation rel, const DtColumn *column,
					  const DtMixin *mixin, const char *parameter)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of table \"%s\" does not exist",
					NameStr(column->name), dtmodel_shown_name(rel)),
			 errdetail("A trigger that was created by %s.%s uses that column.",
					   DTMODEL_SCHEMA, mixin->add),
			 errhint("If it was renamed, call %s; to do without it, call %s.%s(%s).",
					 dtmodel_mixin_call(rel, mixin, parameter, NULL),
					 DTMODEL_SCHEMA, mixin->remove, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static void
report_missing_argument(Relation rel, const DtMixin *mixin,
						const char *parameter)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a trigger of table \"%s\" lacks its argument \"%s\"",
					dtmodel_shown_name(rel), parameter),
			 errhint("Drop the trigger and let %s.%s(%s) create it.",
					 DTMODEL_SCHEMA, mixin->add, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

/* Rounds a time as an assignment to, for example, timestamptz(3) would. */
TimestampTz
dtmodel_time_for_column(TimestampTz time, const DtColumn *column)
{
	if (column->typmod < 0)
		return time;
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_scale,
												   TimestampTzGetDatum(time),
												   Int32GetDatum(column->typmod)));
}

/* Whether a column of times keeps microseconds, unlike timestamptz(3). */
bool
dtmodel_is_precise(const DtColumn *column)
{
	return column->typmod < 0 || column->typmod >= MAX_TIMESTAMP_PRECISION;
}

/*
 * Checks that two columns given to add_*, each of which may be NULL, differ.
 */
void
dtmodel_check_different(const char *column, const char *parameter,
						const char *other_column, const char *other_parameter)
{
	if (column != NULL && other_column != NULL &&
		strcmp(column, other_column) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s and %s cannot be the same column", parameter,
						other_parameter),
				 errdetail("Both are named \"%s\".", column)));
}

/*
 * Checks that a column which a mixin is about to write exists and has the
 * right type.  "parameter" is the argument of add_* that names it.
 */
void
dtmodel_check_column(Relation rel, const DtColumn *column, const DtColumnUse *use,
					 const DtMixin *mixin, const char *parameter)
{
	if (!dtmodel_column_is_used(column))
		report_missing_argument(rel, mixin, parameter);
	if (!AttributeNumberIsValid(column->attnum))
		report_missing_column(rel, column, mixin, parameter);

	if (!dtmodel_column_fits(column, use))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" is of type %s",
						NameStr(column->name), dtmodel_shown_name(rel),
						format_type_be(column->typid)),
				 errdetail("%s.%s requires a column of type %s.",
						   DTMODEL_SCHEMA, mixin->add,
						   use->types),
				 errhint("Change the type of the column, or name another one: %s.",
						 dtmodel_mixin_call(rel, mixin, parameter, "...")),
				 errtablecol(rel, column->attnum)));
}

bool
dtmodel_is_among(AttrNumber attnum, int ncolumns, const AttrNumber *columns)
{
	for (int i = 0; i < ncolumns; i++)
	{
		if (columns[i] == attnum)
			return true;
	}
	return false;
}

/* Whether two lists without duplicates contain the same columns. */
bool
dtmodel_same_columns(int na, const AttrNumber *a, int nb, const AttrNumber *b)
{
	if (na != nb)
		return false;
	for (int i = 0; i < na; i++)
	{
		if (!dtmodel_is_among(a[i], nb, b))
			return false;
	}
	return true;
}

/* The names of columns, separated by commas. */
char *
dtmodel_column_list(Oid relid, int ncolumns, const AttrNumber *columns,
					const char *separator, bool quote)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < ncolumns; i++)
	{
		const char *name = get_attname(relid, columns[i], false);

		appendStringInfo(&list, "%s%s", i > 0 ? separator : "",
						 quote ? quote_identifier(name) : name);
	}
	return list.data;
}
