/*-------------------------------------------------------------------------
 *
 * row_name.c
 *	  A row as a short text: its class and its key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/names.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "model/row_call.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(dtmodel_repr);
PG_FUNCTION_INFO_V1(dtmodel_str);

/* The name of a row: its class, and the values of its key. */
typedef struct RowName
{
	char	   *class;
	DtKey		key;
	char	  **values;			/* of the key, as text; NULL for NULL */
} RowName;

/* The name of the table, also of which this is a shard. */
static const char *
name_of_table(Relation rel)
{
	const DtCitus *citus = &dtmodel_get_model(rel)->citus;

	return dtmodel_is_shard(citus) ? get_rel_name(citus->table) :
		RelationGetRelationName(rel);
}

static RowName
read_row_name(FunctionCallInfo fcinfo)
{
	DtRowCall	call = dtmodel_begin_showing_call(fcinfo, AccessShareLock);
	RowName		name = {
		.class = dtmodel_make_class_name(name_of_table(call.rel)),
		.key = dtmodel_key_if_any(call.rel),
	};
	DtKey		given = call.view == NULL ? name.key :
		dtmodel_key_of_view(call.view, &name.key);
	DtKeyValues id = dtmodel_key_of_row(&given, PG_GETARG_DATUM(0));

	name.values = palloc0(sizeof(char *) * Max(name.key.ncolumns, 1));
	for (int i = 0; i < name.key.ncolumns; i++)
	{
		if (id.nulls[i] != 'n')
			name.values[i] = dtmodel_value_text(id.values[i], name.key.columns[i].typid);
	}
	dtmodel_close_row_call(&call);
	return name;
}

/*
 * repr(instance anyelement) returns text
 *
 * The row as a short text for debugging: <User(id=1)>.  NULL for NULL.
 *
 * Source: ModelBase.__repr__ of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_repr(PG_FUNCTION_ARGS)
{
	RowName		name = read_row_name(fcinfo);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "<%s(", name.class);
	for (int i = 0; i < name.key.ncolumns; i++)
		appendStringInfo(&text, "%s%s=%s", i == 0 ? "" : ", ",
						 NameStr(name.key.columns[i].name),
						 name.values[i] == NULL ? "NULL" : name.values[i]);
	appendStringInfoString(&text, ")>");
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}

/*
 * str(instance anyelement) returns text
 *
 * The row as a short text for users: User 1.  NULL for NULL.
 *
 * Source: ModelBase.__str__ of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_str(PG_FUNCTION_ARGS)
{
	RowName		name = read_row_name(fcinfo);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, name.class);
	for (int i = 0; i < name.key.ncolumns; i++)
		appendStringInfo(&text, " %s",
						 name.values[i] == NULL ? "NULL" : name.values[i]);
	PG_RETURN_TEXT_P(cstring_to_text(text.data));
}
