/*-------------------------------------------------------------------------
 *
 * slugify.h
 *	  Text as a part of a URL: "Être ou ne pas être" as "etre-ou-ne-pas-etre".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SLUG_SLUGIFY_H
#define DTMODEL_SLUG_SLUGIFY_H

/* A max_length without a limit. */
#define DT_SLUG_UNLIMITED 0

extern char *dtmodel_slugify(const char *text, int length,
							 const char *separator, int max_length);

#endif							/* DTMODEL_SLUG_SLUGIFY_H */
