/*-------------------------------------------------------------------------
 *
 * live.c
 *	  What the features of live rows share: the condition, and the columns
 *	  that their callers name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "mixin/live.h"
#include "mixin/soft_target.h"
#include "nodes/nodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

/* Of a value that an error shows, so many bytes at most. */
#define SHOWN_LENGTH 60

/* The column that says whether a row is deleted, with the table's alias. */
static char *
telling_column(const DtSoftDelete *columns, const char *alias)
{
	const DtColumn *column = dtmodel_column_is_used(&columns->flag) ?
		&columns->flag : &columns->deleted_at;
	const char *name = quote_identifier(NameStr(column->name));

	return alias == NULL ? pstrdup(name) : psprintf("%s.%s", alias, name);
}

/*
 * "The row is live" as text.  These are the words that people write by hand,
 * and dtmodel_live_condition's: only then is a partial index used for their
 * queries and found by their ON CONFLICT.
 */
char *
dtmodel_live_text(const DtSoftDelete *columns, const char *alias)
{
	const DtColumn *flag = &columns->flag;
	char	   *column = telling_column(columns, alias);

	if (!dtmodel_column_is_used(flag))
		return psprintf("%s IS NULL", column);
	if (!flag->is_not_null)
		return psprintf("%s IS NOT %s", column,
						columns->flag_is_live ? "FALSE" : "TRUE");
	return columns->flag_is_live ? column : psprintf("NOT %s", column);
}

/* "The row is deleted" as text, for a WHERE: it may also be null. */
char *
dtmodel_deleted_text(const DtSoftDelete *columns, const char *alias)
{
	char	   *column = telling_column(columns, alias);

	if (!dtmodel_column_is_used(&columns->flag))
		return psprintf("%s IS NOT NULL", column);
	return columns->flag_is_live ? psprintf("NOT %s", column) : column;
}

/* The assignments that delete a row; "time" is what deleted_at gets. */
char *
dtmodel_mark_assignments(const DtSoftDelete *columns, const char *time)
{
	char	   *mark = psprintf("%s = %s",
								quote_identifier(NameStr(columns->deleted_at.name)),
								time);

	if (!dtmodel_column_is_used(&columns->flag))
		return mark;
	return psprintf("%s, %s = %s", mark,
					quote_identifier(NameStr(columns->flag.name)),
					columns->flag_is_live ? "false" : "true");
}

/* The assignments that restore it. */
char *
dtmodel_restore_assignments(const DtSoftDelete *columns)
{
	char	   *clear = psprintf("%s = NULL",
								 quote_identifier(NameStr(columns->deleted_at.name)));

	if (!dtmodel_column_is_used(&columns->flag))
		return clear;
	return psprintf("%s, %s = %s", clear,
					quote_identifier(NameStr(columns->flag.name)),
					columns->flag_is_live ? "true" : "false");
}

/* "The row is live" as a node, for comparison with what the catalogues hold. */
Node *
dtmodel_live_node(const DtSoftDelete *columns, int rtindex)
{
	DtSoftTarget target = {.rtindex = rtindex,.columns = *columns};

	return dtmodel_live_condition(&target);
}

/*
 * Whether an index is one of the live rows, no more and no less, as we and
 * others make it.  Where no row is ever deleted that is one of all rows.
 */
bool
dtmodel_is_of_live_rows(Relation index, const DtSoftDelete *columns)
{
	List	   *live = columns == NULL ? NIL :
		list_make1(dtmodel_live_node(columns, 1));

	return equal(RelationGetIndexPredicate(index), live);
}

static AttrNumber
find_column(Relation rel, const char *name)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (!AttributeNumberIsValid(column.attnum))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist", name,
						RelationGetRelationName(rel)),
				 errtable(rel)));
	return column.attnum;
}

static void
check_named_once(Relation rel, const AttrNumber *columns, int last)
{
	for (int i = 0; i < last; i++)
	{
		if (columns[i] == columns[last])
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" is named twice",
							get_attname(RelationGetRelid(rel), columns[last], false)),
					 errtable(rel)));
	}
}

static ArrayType *
names_argument(FunctionCallInfo fcinfo)
{
	ArrayType  *names = PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1);

	if (names == NULL || array_contains_nulls(names))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("columns must not be null"),
				 errhint("Name the columns of the table.")));
	if (ArrayGetNItems(ARR_NDIM(names), ARR_DIMS(names)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no columns are named"),
				 errhint("Name the columns of the table.")));
	return names;
}

/* The second argument of the calls that follow: columns, by their names. */
AttrNumber *
dtmodel_columns_argument(FunctionCallInfo fcinfo, Relation rel, int *ncolumns)
{
	AttrNumber *columns;
	Datum	   *names;

	deconstruct_array(names_argument(fcinfo), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &names, NULL, ncolumns);
	columns = palloc(sizeof(AttrNumber) * *ncolumns);
	for (int i = 0; i < *ncolumns; i++)
	{
		columns[i] = find_column(rel, NameStr(*DatumGetName(names[i])));
		check_named_once(rel, columns, i);
	}
	return columns;
}

/*
 * "1, some text, null": values of a row, to be shown in an error.  Without
 * columns they are the first ones.
 */
char *
dtmodel_row_values(HeapTuple row, TupleDesc desc, int ncolumns,
				   const AttrNumber *columns)
{
	StringInfoData values;

	initStringInfo(&values);
	for (int i = 0; i < ncolumns; i++)
	{
		char	   *value = SPI_getvalue(row, desc,
										 columns == NULL ? i + 1 : columns[i]);
		int			length;
		int			shown;

		if (i > 0)
			appendStringInfoString(&values, ", ");
		if (value == NULL)
			value = "null";
		length = strlen(value);
		shown = pg_mbcliplen(value, length, SHOWN_LENGTH);
		appendBinaryStringInfo(&values, value, shown);
		if (shown < length)
			appendStringInfoString(&values, "...");
	}
	return values.data;
}
