/*-------------------------------------------------------------------------
 *
 * query_text.h
 *	  Recognizing the queries that the server or its tools run internally.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_QUERY_TEXT_H
#define DTMODEL_QUERY_TEXT_H

extern bool dtmodel_is_foreign_key_query(const char *text);
extern bool dtmodel_is_dump_query(const char *text);
extern bool dtmodel_is_citus_copy_query(const char *text);

/* Inline: it runs for each statement, and most differ in the first bytes. */
static inline bool
dtmodel_starts_with(const char *text, const char *prefix)
{
	return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

#endif							/* DTMODEL_QUERY_TEXT_H */
