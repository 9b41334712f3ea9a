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
