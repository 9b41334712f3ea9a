/*-------------------------------------------------------------------------
 *
 * query_text.h
 *	  Recognizing the queries that the server or its tools run internally.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_QUERY_TEXT_H
#define DTMODEL_QUERY_TEXT_H

extern bool dtmodel_starts_with(const char *text, const char *prefix);
extern bool dtmodel_is_foreign_key_query(const char *text);
extern bool dtmodel_is_dump_query(const char *text);

#endif							/* DTMODEL_QUERY_TEXT_H */
