/*-------------------------------------------------------------------------
 *
 * mixin_call.c
 *	  The call of add_* that gives a table a mixin as it has it, for hints
 *	  and for drift.
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

/*
 * Whether the value can stand in a call as it is.  A trigger that was created
 * by hand has what the owner of the table wrote, and a superuser may be the one
 * who runs the call.
 */
static bool
is_boolean_or_number(const char *value)
{
	return strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
		(*value != '\0' && strspn(value, "0123456789") == strlen(value));
}

static void
append_option(StringInfo call, const DtOption *option, const char *value)
{
	bool		is_word = option->kind == DT_OPTION_UNQUOTED ||
		option->kind == DT_OPTION_TRIGGER;

	if (value == NULL && option->default_value != NULL)
		appendStringInfo(call, ", %s => NULL", option->name);
	if (value == NULL || (option->default_value != NULL &&
						  strcmp(value, option->default_value) == 0))
		return;
	appendStringInfo(call, ", %s => %s", option->name,
					 is_word && is_boolean_or_number(value) ? value :
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
			appendStringInfo(call, ", %s => %s", parameter,
							 quote_literal_cstr(value));
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

/* The trigger that has the mixin's options; NULL if the table has none. */
static const Trigger *
trigger_with_options(Relation rel, const DtMixin *mixin)
{
	const Trigger *trigger = dtmodel_find_trigger(rel, mixin->triggers);

	for (int i = 1; trigger == NULL && i < mixin->ntriggers; i++)
	{
		trigger = dtmodel_find_trigger(rel, &mixin->triggers[i]);
		if (trigger != NULL && trigger->tgnargs == 0)
			trigger = NULL;
	}
	return trigger;
}

/* Whether a trigger that the table has says with which options it was added. */
bool
dtmodel_knows_options(Relation rel, const DtMixin *mixin)
{
	return trigger_with_options(rel, mixin) != NULL;
}

static const DtOption *
option_of_argument(const DtMixin *mixin, const char *argument)
{
	for (const DtOption *option = mixin->options; option->name != NULL; option++)
	{
		size_t		length = strlen(option->name);

		if (strncmp(argument, option->name, length) == 0 &&
			argument[length] == '=')
			return option;
	}
	return NULL;
}

/*
 * The name that the column of an option has now, by a trigger that lists the
 * columns of its options: the server follows a rename there, and drops the
 * trigger with a column.  NULL if no trigger does.
 */
static const char *
listed_column(Relation rel, const DtMixin *mixin, const Trigger *trigger,
			  const char *name)
{
	int			found = -1;
	int			count = 0;

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const DtOption *option = option_of_argument(mixin, trigger->tgargs[i]);

		if (option == NULL || option->kind != DT_OPTION_COLUMN)
			continue;
		if (strcmp(option->name, name) == 0)
			found = count;
		count++;
	}
	return found < 0 || count != trigger->tgnattr ? NULL :
		get_attname(RelationGetRelid(rel), trigger->tgattr[found], true);
}

/* The new name of a renamed column, if a trigger knows it, or NULL. */
const char *
dtmodel_renamed_column(Relation rel, const DtMixin *mixin, const char *option)
{
	for (int i = 0; i < mixin->ntriggers; i++)
	{
		const Trigger *trigger = mixin->triggers[i].lists_columns ?
			dtmodel_find_trigger(rel, &mixin->triggers[i]) : NULL;

		if (trigger != NULL)
			return listed_column(rel, mixin, trigger, option);
	}
	return NULL;
}

/* Those of the columns that exist, as an array; NULL if there is none. */
static const char *
existing_columns(Relation rel, const char *literal)
{
	int			count;
	DtColumn   *columns = dtmodel_find_columns(RelationGetDescr(rel), literal,
											   &count);
	Datum	   *names = palloc(sizeof(Datum) * Max(count, 1));
	int			left = 0;

	for (int i = 0; i < count; i++)
	{
		if (AttributeNumberIsValid(columns[i].attnum))
			names[left++] = CStringGetTextDatum(NameStr(columns[i].name));
	}
	if (left == 0)
		return NULL;
	return OidOutputFunctionCall(F_ARRAY_OUT,
								 PointerGetDatum(construct_array(names, left, TEXTOID,
																 -1, false,
																 TYPALIGN_INT)));
}

/* Whether the mixin can do without the column of this option. */
static bool
can_be_left_out(const Trigger *trigger, const DtMixin *mixin,
				const DtOption *option)
{
	bool		optional = false;
	bool		any = false;

	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtMixinColumn *column = &mixin->columns[i];

		if (strcmp(column->option, option->name) == 0)
			optional = column->optional;
		any |= dtmodel_trigger_option(trigger, column->option) != NULL;
	}
	return optional && any;
}

static void
append_repaired_option(StringInfo call, Relation rel, const DtMixin *mixin,
					   const Trigger *trigger, const DtOption *option)
{
	const char *value = option_value(rel, trigger, option);
	const char *renamed;

	if (option->kind == DT_OPTION_COLUMN)
	{
		if (value == NULL && !can_be_left_out(trigger, mixin, option))
			return;
		renamed = value == NULL || !is_missing(rel, value) ? NULL :
			dtmodel_renamed_column(rel, mixin, option->name);
		value = renamed != NULL ? renamed : value;
	}
	else if (option->kind == DT_OPTION_COLUMNS && value != NULL)
		value = existing_columns(rel, value);
	append_option(call, option, value);
}

/*
 * The statement that repairs the mixin on the table: it keeps the options,
 * with columns that were renamed, if that is known, without those in lists
 * that do not exist, and with the defaults of arguments that are missing.
 */
char *
dtmodel_repair_statement(Relation rel, const DtMixin *mixin)
{
	const Trigger *trigger = trigger_with_options(rel, mixin);
	StringInfoData call;

	initStringInfo(&call);
	appendStringInfo(&call, "SELECT %s.%s(%s", DTMODEL_SCHEMA, mixin->add,
					 dtmodel_quoted_name(rel));
	for (const DtOption *option = mixin->options;
		 trigger != NULL && option->name != NULL; option++)
		append_repaired_option(&call, rel, mixin, trigger, option);
	appendStringInfoChar(&call, ')');
	return call.data;
}
