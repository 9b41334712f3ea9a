/*-------------------------------------------------------------------------
 *
 * names.h
 *	  The names of classes and their tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_NAMES_H
#define DTMODEL_NAMES_H

extern char *dtmodel_make_class_name(const char *table);

#endif							/* DTMODEL_NAMES_H */
