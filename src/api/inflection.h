/*-------------------------------------------------------------------------
 *
 * inflection.h
 *	  English singular and plural.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_INFLECTION_H
#define DTMODEL_INFLECTION_H

extern char *dtmodel_pluralize(const char *word);
extern char *dtmodel_singularize(const char *word);

#endif							/* DTMODEL_INFLECTION_H */
