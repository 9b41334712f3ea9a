/*-------------------------------------------------------------------------
 *
 * rule.c
 *	  The rule of a setting: which values it may have, in keywords of JSON
 *	  Schema.
 *
 * Unknown words and operands that make no sense are refused when the model is
 * made, rather than ignored when a value is checked.  But users may create
 * the trigger themselves, with any rule.  A rule with such an operand then
 * allows no value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "mixin/settings/settings.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

typedef struct Word
{
	const char *name;

	/*
	 * Whether the word may have this operand; "operand" describes such
	 * operands in errors.
	 */
	bool		(*makes_sense) (const DtRawValue *operand);
	const char *operand;

	/*
	 * Whether the word allows the value.  NULL: it does not restrict values.
	 */
	bool		(*allows) (const DtRawValue *operand, const DtRawValue *value);

	/*
	 * The condition under which "allows" may be called; weaker than
	 * makes_sense.
	 */
	bool		(*is_readable) (const DtRawValue *operand);
} Word;

static const char *const type_names[] = {
	"string", "number", "integer", "boolean", "object", "array", "null",
};

static bool
is_string(const DtRawValue *value)
{
	return value->type == JENTRY_ISSTRING;
}

static bool
is_number(const DtRawValue *value)
{
	return value->type == JENTRY_ISNUMERIC;
}

static bool
is_anything(const DtRawValue *value pg_attribute_unused())
{
	return true;
}

static bool
string_is(const DtRawValue *value, const char *string)
{
	return is_string(value) && value->len == strlen(string) &&
		memcmp(value->data, string, value->len) == 0;
}

static int
compare_numbers(const DtRawValue *a, const DtRawValue *b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											 PointerGetDatum(a->data),
											 PointerGetDatum(b->data)));
}

/* As in JSON Schema, 1.0 is an integer. */
static bool
is_integer(const DtRawValue *value)
{
	Datum		number = PointerGetDatum(value->data);

	return is_number(value) &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, number,
										 DirectFunctionCall1(numeric_floor, number)));
}

static bool
is_count(const DtRawValue *value)
{
	static const char zero[] = "0";
	Datum		number = DirectFunctionCall3(numeric_in, CStringGetDatum(zero),
											 ObjectIdGetDatum(InvalidOid),
											 Int32GetDatum(-1));
	DtRawValue	least = {JENTRY_ISNUMERIC, 0, DatumGetPointer(number)};

	return is_integer(value) && compare_numbers(value, &least) >= 0;
}

static bool
is_type_name(const DtRawValue *value)
{
	for (size_t i = 0; i < lengthof(type_names); i++)
	{
		if (string_is(value, type_names[i]))
			return true;
	}
	return false;
}

static bool
is_list(const DtRawValue *value)
{
	return dtmodel_raw_is_array(value) && dtmodel_raw_count(value) > 0;
}

static bool
names_types(const DtRawValue *operand)
{
	DtRawArrayWalk walk;
	DtRawValue	name;

	if (!is_list(operand))
		return is_type_name(operand);
	walk = dtmodel_raw_walk_array(operand);
	while (dtmodel_raw_next_element(&walk, &name))
	{
		if (!is_type_name(&name))
			return false;
	}
	return true;
}

static bool
has_type(const DtRawValue *name, const DtRawValue *value)
{
	switch (value->type)
	{
		case JENTRY_ISSTRING:
			return string_is(name, "string");
		case JENTRY_ISNUMERIC:
			return string_is(name, "number") ||
				(string_is(name, "integer") && is_integer(value));
		case JENTRY_ISBOOL_TRUE:
		case JENTRY_ISBOOL_FALSE:
			return string_is(name, "boolean");
		case JENTRY_ISNULL:
			return string_is(name, "null");
		default:
			return string_is(name, dtmodel_raw_is_object(value) ? "object" : "array");
	}
}

static bool
allows_type(const DtRawValue *operand, const DtRawValue *value)
{
	DtRawArrayWalk walk;
	DtRawValue	name;

	if (!dtmodel_raw_is_array(operand))
		return has_type(operand, value);
	walk = dtmodel_raw_walk_array(operand);
	while (dtmodel_raw_next_element(&walk, &name))
	{
		if (has_type(&name, value))
			return true;
	}
	return false;
}

static bool
is_among(const DtRawValue *operand, const DtRawValue *value)
{
	DtRawArrayWalk walk = dtmodel_raw_walk_array(operand);
	DtRawValue	element;

	while (dtmodel_raw_next_element(&walk, &element))
	{
		if (dtmodel_raw_equal(&element, value))
			return true;
	}
	return false;
}

/* The words below restrict values of one type and allow all others. */

static bool
is_at_least(const DtRawValue *operand, const DtRawValue *value)
{
	return !is_number(value) || compare_numbers(value, operand) >= 0;
}

static bool
is_at_most(const DtRawValue *operand, const DtRawValue *value)
{
	return !is_number(value) || compare_numbers(value, operand) <= 0;
}

static bool
is_short_enough(const DtRawValue *operand, const DtRawValue *value)
{
	int64		length;

	if (!is_string(value))
		return true;
	length = pg_mbstrlen_with_len(value->data, value->len);
	return DatumGetBool(DirectFunctionCall2(numeric_ge,
											PointerGetDatum(operand->data),
											DirectFunctionCall1(int8_numeric,
																Int64GetDatum(length))));
}

static bool
matches(const DtRawValue *pattern, const DtRawValue *value)
{
	text	   *subject;
	text	   *expression;

	if (!is_string(value))
		return true;
	subject = cstring_to_text_with_len(value->data, value->len);
	expression = cstring_to_text_with_len(pattern->data, pattern->len);
	return DatumGetBool(DirectFunctionCall2Coll(textregexeq,
												DEFAULT_COLLATION_OID,
												PointerGetDatum(subject),
												PointerGetDatum(expression)));
}

/*
 * A pattern is compiled, which raises an error of its own (2201B) if it is
 * not valid.
 */
static bool
is_pattern(const DtRawValue *operand)
{
	return is_string(operand) && (matches(operand, operand) || true);
}

static const Word words[] = {
	{"type", names_types, "the name of a JSON type, or a list of them", allows_type, is_anything},
	{"enum", is_list, "a list of values", is_among, is_list},
	{"minimum", is_number, "a number", is_at_least, is_number},
	{"maximum", is_number, "a number", is_at_most, is_number},
	{"maxLength", is_count, "a whole number, 0 or more", is_short_enough, is_number},
	{"pattern", is_pattern, "a regular expression", matches, is_string},
	{"default", is_anything, "a value", NULL, NULL},
	{"description", is_string, "a string", NULL, NULL},
};

static char *
json_text(const DtRawValue *value)
{
	Jsonb	   *document = dtmodel_raw_document(value);

	return JsonbToCString(NULL, &document->root, VARSIZE(document));
}

static const Word *
find_word(const DtRawValue *name)
{
	for (size_t i = 0; i < lengthof(words); i++)
	{
		if (string_is(name, words[i].name))
			return &words[i];
	}
	return NULL;
}

static void
report_no_rule(const DtRawValue *name, const DtRawValue *rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the rule of setting \"%.*s\" is not an object",
					(int) name->len, name->data),
			 errdetail("It is %s.", dtmodel_raw_kind(rule)),
			 errhint("Write the schema as in {\"%.*s\": {\"type\": \"string\"}}.",
					 (int) name->len, name->data)));
}

static void
report_unknown_word(const DtRawValue *name, const DtRawValue *word)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown keyword \"%.*s\" in the rule of setting \"%.*s\"",
					(int) word->len, word->data, (int) name->len, name->data),
			 errhint("The keywords are \"type\", \"enum\", \"minimum\", \"maximum\", \"maxLength\", \"pattern\", \"default\" and \"description\".")));
}

static void
report_wrong_operand(const DtRawValue *name, const Word *word,
					 const DtRawValue *operand)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid \"%s\" in the rule of setting \"%.*s\"",
					word->name, (int) name->len, name->data),
			 errdetail("It must be %s, but it is %s.", word->operand,
					   json_text(operand))));
}

static void
check_default(const DtRawValue *name, const DtRawValue *rule)
{
	DtRawValue	key = dtmodel_raw_string("default", strlen("default"));
	DtRawValue	value;
	DtRuleBreach breach;

	if (!dtmodel_raw_find(rule, &key, &value, NULL) ||
		!dtmodel_breaks_rule(rule, &value, &breach))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the default of setting \"%.*s\" violates the setting's own rule",
					(int) name->len, name->data),
			 errdetail("Expected %s %s, got %s.", breach.word, breach.expected,
					   json_text(&value))));
}

static void
rule_context(void *argument)
{
	const DtRawValue *name = argument;

	errcontext("rule of setting \"%.*s\"", (int) name->len, name->data);
}

/*
 * Whether the operand is valid for the word; a pattern may raise an error of
 * its own.
 */
static bool
makes_sense(const DtRawValue *name, const Word *word, const DtRawValue *operand)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = rule_context,
		.arg = (void *) name,
	};
	bool		answer;

	error_context_stack = &callback;
	answer = word->makes_sense(operand);
	error_context_stack = callback.previous;
	return answer;
}

/* Checks that a rule is valid (22023): known words, each with its operand. */
void
dtmodel_check_rule(const DtRawValue *name, const DtRawValue *rule)
{
	DtRawObjectWalk walk;
	DtRawMember member;

	if (!dtmodel_raw_is_object(rule))
		report_no_rule(name, rule);
	walk = dtmodel_raw_walk_object(rule);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		const Word *word = find_word(&member.key);

		if (word == NULL)
			report_unknown_word(name, &member.key);
		if (!makes_sense(name, word, &member.value))
			report_wrong_operand(name, word, &member.value);
	}
	check_default(name, rule);
}

static bool
is_allowed_by(const Word *word, const DtRawValue *operand, const DtRawValue *value)
{
	return word->allows == NULL ||
		(word->is_readable(operand) && word->allows(operand, value));
}

static bool
breaks(DtRuleBreach *breach, const char *word, const DtRawValue *operand)
{
	breach->word = word;
	breach->expected = json_text(operand);
	return true;
}

/*
 * Whether a value violates its rule, and if so, where.  The rule need not have
 * been checked: a user may create the trigger with any arguments.  A rule
 * that cannot be read allows no value.
 */
bool
dtmodel_breaks_rule(const DtRawValue *rule, const DtRawValue *value,
					DtRuleBreach *breach)
{
	DtRawObjectWalk walk;
	DtRawMember member;

	if (!dtmodel_raw_is_object(rule))
		return breaks(breach, "rule", rule);
	walk = dtmodel_raw_walk_object(rule);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		const Word *word = find_word(&member.key);

		if (word != NULL && !is_allowed_by(word, &member.value, value))
			return breaks(breach, word->name, &member.value);
	}
	return false;
}
