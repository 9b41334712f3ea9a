/*-------------------------------------------------------------------------
 *
 * mixin_call.c
 *	  The call of add_* that gives a table a mixin as it has it, for hints.
 *
 * An option that is left out of such a call gets its default.  So a hint
 * about one option must repeat all the others, which are the arguments of the
 * mixin's trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "model/mixin_call.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#define NEW_NAME "its new name"

static bool
is_missing(Relation rel, const char *name)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return !AttributeNumberIsValid(column.attnum);
}

/*
 * An array of columns, with the new name in place of those that do not exist.
 */
static char *
new_names(Relation rel, const char *literal)
{
	ArrayType  *array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
																pstrdup(literal),
																TEXTOID, -1));
	Datum	   *names;
	int			count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		if (is_missing(rel, TextDatumGetCString(names[i])))
			names[i] = CStringGetTextDatum(NEW_NAME);
	}
	array = construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT);
	return OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array));
}

/* The value of an option on this table; NULL for none. */
static const char *
option_value(Relation rel, const Trigger *trigger, const DtOption *option)
{
	if (option->kind == DT_OPTION_TRIGGER)
		return dtmodel_find_trigger(rel, option->trigger) == NULL ? NULL : "true";
	return dtmodel_trigger_option(trigger, option->name);
}

/* The same, with new names for columns that do not exist. */
static const char *
new_value(Relation rel, const Trigger *trigger, const DtOption *option)
{
	const char *value = option_value(rel, trigger, option);

	if (value == NULL)
		return NULL;
	if (option->kind == DT_OPTION_COLUMN && is_missing(rel, value))
		return NEW_NAME;
	if (option->kind == DT_OPTION_COLUMNS)
		return new_names(rel, value);
	return value;
}

static void
append_option(StringInfo call, const DtOption *option, const char *value)
{
	if (value == NULL && option->default_value != NULL)
		appendStringInfo(call, ", %s => NULL", option->name);
	if (value == NULL || (option->default_value != NULL &&
						  strcmp(value, option->default_value) == 0))
		return;
	appendStringInfo(call, ", %s => %s", option->name,
					 option->kind == DT_OPTION_UNQUOTED ||
					 option->kind == DT_OPTION_TRIGGER ? value :
					 quote_literal_cstr(value));
}

static void
append_options(StringInfo call, Relation rel, const DtMixin *mixin,
			   const char *parameter, const char *value)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, mixin->triggers);

	for (const DtOption *option = mixin->options; option->name != NULL; option++)
	{
		if (parameter != NULL && strcmp(option->name, parameter) == 0)
			appendStringInfo(call, ", %s => '%s'", parameter, value);
		else if (trigger != NULL)
			append_option(call, option, parameter == NULL ?
						  option_value(rel, trigger, option) :
						  new_value(rel, trigger, option));
	}
}

/*
 * The call that makes the table the model that it is.  With a parameter, the
 * call that gives this another value or, if the value is NULL, "its new
 * name", also to all other columns that do not exist.  For a table without
 * the mixin the call has no other options.
 */
char *
dtmodel_mixin_call(Relation rel, const DtMixin *mixin, const char *parameter,
				   const char *value)
{
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "%s.%s(%s", DTMODEL_SCHEMA, mixin->add,
					 dtmodel_quoted_name(rel));
	append_options(&call, rel, mixin, parameter,
				   value == NULL ? NEW_NAME : value);
	appendStringInfoChar(&call, ')');
	return call.data;
}
