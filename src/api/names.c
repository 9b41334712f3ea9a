/*-------------------------------------------------------------------------
 *
 * names.c
 *	  The names of classes and their tables: UserProfile, user_profiles.
 *
 * Only ASCII letters change their case, so that a name does not depend on the
 * database's locale; others pass as they are.
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
#include "model/model.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_table_name);
PG_FUNCTION_INFO_V1(dtmodel_class_name);

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Whatever is neither letter nor digit parts words; so does '_'. */
static bool
is_separator(char c)
{
	return !IS_HIGHBIT_SET(c) && !is_upper(c) && !is_lower_or_digit(c);
}

/* Whether a new word begins at a capital: userProfile, HTTPServer. */
static bool
begins_word(const char *name, int i)
{
	if (i == 0 || !is_upper(name[i]))
		return false;
	return is_lower_or_digit(name[i - 1]) ||
		(is_upper(name[i - 1]) && name[i + 1] >= 'a' && name[i + 1] <= 'z');
}

/* The name's words in lower case, with underscores between them. */
static char *
to_snake_case(const char *name)
{
	StringInfoData snake;

	initStringInfo(&snake);
	for (int i = 0; name[i] != '\0'; i++)
	{
		if (is_separator(name[i]) || begins_word(name, i))
		{
			if (snake.len > 0 && snake.data[snake.len - 1] != '_')
				appendStringInfoChar(&snake, '_');
		}
		if (!is_separator(name[i]))
			appendStringInfoChar(&snake, pg_ascii_tolower(name[i]));
	}
	while (snake.len > 0 && snake.data[snake.len - 1] == '_')
		snake.data[--snake.len] = '\0';
	return snake.data;
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
 * one in the plural, with underscores between them.  NULL for NULL.
 * Source: the __tablename__ convention of the reference documents.
 */
Datum
dtmodel_table_name(PG_FUNCTION_ARGS)
{
	char	   *snake = to_snake_case(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	const char *last = last_word(snake);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%.*s%s", (int) (last - snake),
											  snake, dtmodel_pluralize(last))));
}

static void
append_capitalized(StringInfo class, const char *word)
{
	if (word[0] == '\0')
		return;
	appendStringInfoChar(class, pg_ascii_toupper(word[0]));
	appendStringInfoString(class, word + 1);
}

/* The class of a table of this name. */
char *
dtmodel_make_class_name(const char *table)
{
	StringInfoData class;
	char	   *snake = to_snake_case(table);
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
	return class.len > 0 ? class.data : pstrdup(table);
}

/*
 * class_name(model regclass) returns text
 *
 * The class that a table has by convention: the words of its name, the last
 * one in the singular, each with a capital.  NULL for NULL and for a table
 * that is gone; anything but a table is an error (42809).
 * Source: the __tablename__ convention of the reference documents.
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
