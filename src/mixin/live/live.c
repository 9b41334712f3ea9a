/*-------------------------------------------------------------------------
 *
 * live.c
 *	  Common code of the features of live rows: their arguments.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/live/live.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

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

/* The second argument of the functions here: the names of columns. */
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
