/*-------------------------------------------------------------------------
 *
 * slugify.h
 *	  Text as a part of an address: "Être ou ne pas être" as
 *	  "etre-ou-ne-pas-etre".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SLUG_SLUGIFY_H
#define DTMODEL_SLUG_SLUGIFY_H

/* For max_length: as long as it takes. */
#define DT_SLUG_UNLIMITED 0

extern char *dtmodel_slugify(const char *text, int length,
							 const char *separator, int max_length);

#endif							/* DTMODEL_SLUG_SLUGIFY_H */
