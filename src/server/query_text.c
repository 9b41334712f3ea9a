/*-------------------------------------------------------------------------
 *
 * query_text.c
 *	  Recognizing the queries that the server or its tools run internally.
 *
 * They are recognized by their text.  A plan is kept with its text and used
 * again for that text, so the plan must not depend on anything else: the
 * user, the security context and the calling trigger may differ the next
 * time.  A user's query with the same text is planned in the same way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "server/citus.h"
#include "server/query_text.h"

static bool
starts_with_table(const char *text, const char *before)
{
	size_t		length = strlen(before);

	if (strncmp(text, before, length) != 0)
		return false;
	text += length;
	if (strncmp(text, "ONLY ", strlen("ONLY ")) == 0)
		text += strlen("ONLY ");
	return *text == '"';
}

/*
 * Whether a foreign key runs the query: its checks, its actions, and its
 * validation when it is added or a partition is detached (ri_triggers.c).
 * They quote all names and qualify all operators, which makes them unlike
 * what people and other programs write.
 */
bool
dtmodel_is_foreign_key_query(const char *text)
{
	if (text == NULL || strstr(text, " OPERATOR(") == NULL)
		return false;
	if (starts_with_table(text, "SELECT 1 FROM ") ||
		starts_with_table(text, "SELECT 1 FROM (SELECT "))
		return strstr(text, " FOR KEY SHARE OF x") != NULL;
	if (starts_with_table(text, "DELETE FROM "))
		return strstr(text, " WHERE $1") != NULL;
	if (starts_with_table(text, "UPDATE "))
		return strstr(text, "\" SET \"") != NULL &&
			strstr(text, " WHERE $") != NULL;
	return dtmodel_starts_with(text, "SELECT fk.\"") &&
		(strstr(text, " fk LEFT OUTER JOIN ") != NULL ||
		 strstr(text, " fk JOIN ") != NULL);
}

/* Whether pg_dump --inserts uses the query to read a table. */
bool
dtmodel_is_dump_query(const char *text)
{
	return dtmodel_starts_with(text, "DECLARE _pg_dump_cursor CURSOR FOR ");
}

/* The length of a qualified name, which may be quoted. */
static size_t
name_length(const char *text)
{
	const char *end = text;
	bool		is_quoted = false;

	while (*end != '\0' && (is_quoted || *end != ' '))
		is_quoted ^= (*end++ == '"');
	return end - text;
}

/* The last part of a qualified name, without quotes. */
static char *
unquoted(const char *name, size_t length)
{
	char	   *result = palloc(length + 1);
	size_t		count = 0;
	bool		is_quoted = false;

	for (size_t i = 0; i < length; i++)
	{
		if (name[i] == '.' && !is_quoted)
			count = 0;
		else if (name[i] != '"')
			result[count++] = name[i];
		else if (is_quoted && i + 1 < length && name[i + 1] == '"')
			result[count++] = name[i++];
		else
			is_quoted = !is_quoted;
	}
	result[count] = '\0';
	return result;
}

/*
 * Whether "copy" is the name that Citus gives to the copy of "table": the hash
 * of the name is at its end, so that no other table has that name by chance.
 */
static bool
is_name_of_copy(const char *copy, const char *table)
{
	const char *suffix = strrchr(copy, '_');
	uint32		hash = DatumGetUInt32(hash_any((const unsigned char *) table,
											   strlen(table)));

	return suffix != NULL && strcmp(suffix + 1, psprintf("%u", hash)) == 0;
}

/*
 * Whether Citus copies a table with the query, to distribute it in another way
 * or not at all (alter_table.c in Citus).
 */
bool
dtmodel_is_citus_copy_query(const char *text)
{
	const char *copy;
	const char *table;
	size_t		length;

	if (!dtmodel_starts_with(text, "INSERT INTO ") || !dtmodel_has_citus())
		return false;
	copy = text + strlen("INSERT INTO ");
	length = name_length(copy);
	if (!dtmodel_starts_with(copy + length, " SELECT * FROM ") &&
		(!dtmodel_starts_with(copy + length, " (") ||
		 strstr(copy, ") OVERRIDING SYSTEM VALUE SELECT ") == NULL))
		return false;
	table = strstr(copy + length, " FROM ");
	if (table == NULL)
		return false;
	table += strlen(" FROM ");
	return table[name_length(table)] == '\0' &&
		is_name_of_copy(unquoted(copy, length),
						unquoted(table, name_length(table)));
}
