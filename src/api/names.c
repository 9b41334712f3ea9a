/*-------------------------------------------------------------------------
 *
 * names.c
 *	  The names of classes and their tables: UserProfile, user_profiles.
 *
 * A name does not depend on the database's locale: letters beyond ASCII have
 * the upper and lower case that Unicode gives them.  That needs ICU and a
 * database in UTF8; otherwise such letters are not changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "api/inflection.h"
#include "api/names.h"
#include "dtmodel.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "model/model.h"
#include "utils/builtins.h"

#ifdef USE_ICU
#include <unicode/uchar.h>
#endif

PG_FUNCTION_INFO_V1(dtmodel_table_name);
PG_FUNCTION_INFO_V1(dtmodel_class_name);

/* A name without the underscores at its ends, and their numbers. */
typedef struct NameParts
{
	int			before;
	int			after;
	char	   *words;
} NameParts;

/*
 * Whether a letter beyond ASCII begins here, in an encoding that we can
 * handle.
 */
static bool
is_beyond_ascii(const char *c)
{
	return IS_HIGHBIT_SET(*c) && GetDatabaseEncoding() == PG_UTF8;
}

/* The length in bytes of the character that begins here. */
static int
size_of(const char *c)
{
	return is_beyond_ascii(c) ? pg_utf_mblen((const unsigned char *) c) : 1;
}

#ifdef USE_ICU

static pg_wchar
code_point(const char *c)
{
	return utf8_to_unicode((const unsigned char *) c);
}

static bool
is_upper(const char *c)
{
	if (is_beyond_ascii(c))
		return u_isupper(code_point(c)) || u_istitle(code_point(c));
	return *c >= 'A' && *c <= 'Z';
}

static bool
is_lower(const char *c)
{
	if (is_beyond_ascii(c))
		return u_islower(code_point(c));
	return *c >= 'a' && *c <= 'z';
}

static void
append_code_point(StringInfo name, pg_wchar c)
{
	unsigned char utf8[MAX_MULTIBYTE_CHAR_LEN];

	unicode_to_utf8(c, utf8);
	appendBinaryStringInfo(name, (char *) utf8, pg_utf_mblen(utf8));
}

static void
append_lower(StringInfo name, const char *c)
{
	if (is_beyond_ascii(c))
		append_code_point(name, u_tolower(code_point(c)));
	else
		appendStringInfoChar(name, pg_ascii_tolower(*c));
}

static void
append_upper(StringInfo name, const char *c)
{
	if (is_beyond_ascii(c))
		append_code_point(name, u_totitle(code_point(c)));
	else
		appendStringInfoChar(name, pg_ascii_toupper(*c));
}

#else							/* !USE_ICU */

static bool
is_upper(const char *c)
{
	return *c >= 'A' && *c <= 'Z';
}

static bool
is_lower(const char *c)
{
	return *c >= 'a' && *c <= 'z';
}

static void
append_lower(StringInfo name, const char *c)
{
	if (is_beyond_ascii(c))
		appendBinaryStringInfo(name, c, size_of(c));
	else
		appendStringInfoChar(name, pg_ascii_tolower(*c));
}

static void
append_upper(StringInfo name, const char *c)
{
	if (is_beyond_ascii(c))
		appendBinaryStringInfo(name, c, size_of(c));
	else
		appendStringInfoChar(name, pg_ascii_toupper(*c));
}

#endif							/* USE_ICU */

static bool
is_lower_or_digit(const char *c)
{
	return is_lower(c) || (*c >= '0' && *c <= '9');
}

/* Words are separated by anything other than letters and digits. */
static bool
is_separator(const char *c)
{
	return !IS_HIGHBIT_SET(*c) && !is_upper(c) && !is_lower_or_digit(c);
}

/*
 * Whether a new word begins at a capital: userProfile, HTTPServer.  Before
 * the first character "previous" is NULL.
 */
static bool
begins_word(const char *previous, const char *c)
{
	if (previous == NULL || !is_upper(c))
		return false;
	return is_lower_or_digit(previous) ||
		(is_upper(previous) && is_lower(c + size_of(c)));
}

/* The name's words in lower case, with underscores between them. */
static char *
to_snake_case(const char *name)
{
	const char *previous = NULL;
	StringInfoData snake;

	initStringInfo(&snake);
	for (const char *c = name; *c != '\0'; c += size_of(c))
	{
		if (is_separator(c) || begins_word(previous, c))
		{
			if (snake.len > 0 && snake.data[snake.len - 1] != '_')
				appendStringInfoChar(&snake, '_');
		}
		if (!is_separator(c))
			append_lower(&snake, c);
		previous = c;
	}
	while (snake.len > 0 && snake.data[snake.len - 1] == '_')
		snake.data[--snake.len] = '\0';
	return snake.data;
}

/*
 * Underscores at the ends of a name are kept, as in _private, and do not
 * separate words.
 */
static NameParts
split_name(const char *text)
{
	NameParts	name = {.before = strspn(text, "_")};
	int			length = strlen(text) - name.before;

	while (length > 0 && text[name.before + length - 1] == '_')
	{
		length--;
		name.after++;
	}
	name.words = pnstrdup(text + name.before, length);
	return name;
}

static char *
join_name(const NameParts *name, const char *words)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < name->before; i++)
		appendStringInfoChar(&text, '_');
	appendStringInfoString(&text, words);
	for (int i = 0; i < name->after; i++)
		appendStringInfoChar(&text, '_');
	return text.data;
}

/* The last of the words in a snake-case name. */
static const char *
last_word(const char *snake)
{
	const char *underscore = strrchr(snake, '_');

	return underscore == NULL ? snake : underscore + 1;
}

/*
 * table_name(class text) returns text
 *
 * The table that a class has by convention: its words in lower case, the last
 * one in the plural, with underscores between them.  Underscores at the ends of
 * the name stay.  NULL for NULL.
 * Source: the __tablename__ convention of the reference documents.
 */
Datum
dtmodel_table_name(PG_FUNCTION_ARGS)
{
	NameParts	name = split_name(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *snake = to_snake_case(name.words);
	const char *last = last_word(snake);
	char	   *words = psprintf("%.*s%s", (int) (last - snake), snake,
								 dtmodel_pluralize(last));

	PG_RETURN_TEXT_P(cstring_to_text(join_name(&name, words)));
}

static void
append_capitalized(StringInfo class, const char *word)
{
	if (word[0] == '\0')
		return;
	append_upper(class, word);
	appendStringInfoString(class, word + size_of(word));
}

/* The name of the class of a table. */
char *
dtmodel_make_class_name(const char *table)
{
	StringInfoData class;
	NameParts	name = split_name(table);
	char	   *snake = to_snake_case(name.words);
	char	   *singular = dtmodel_singularize(last_word(snake));
	char	   *word = snake;
	char	   *underscore;

	initStringInfo(&class);
	while ((underscore = strchr(word, '_')) != NULL)
	{
		*underscore = '\0';
		append_capitalized(&class, word);
		word = underscore + 1;
	}
	append_capitalized(&class, singular);
	return class.len > 0 ? join_name(&name, class.data) : pstrdup(table);
}

/*
 * class_name(model regclass) returns text
 *
 * The class that a table has by convention: the words of its name, the last
 * one in the singular, each with a capital.  Underscores at the ends of the
 * name stay.  NULL for NULL and for a table that does not exist any more;
 * anything but a table is an error (42809).  Source: the __tablename__
 * convention of the reference documents.
 */
Datum
dtmodel_class_name(PG_FUNCTION_ARGS)
{
	Relation	rel = dtmodel_try_open(PG_GETARG_OID(0), AccessShareLock);
	char	   *class;

	if (rel == NULL)
		PG_RETURN_NULL();
	class = dtmodel_make_class_name(RelationGetRelationName(rel));
	relation_close(rel, AccessShareLock);
	PG_RETURN_TEXT_P(cstring_to_text(class));
}
