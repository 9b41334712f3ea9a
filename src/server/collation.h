/*-------------------------------------------------------------------------
 *
 * collation.h
 *	  The names of collations.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_COLLATION_H
#define DTMODEL_COLLATION_H

extern char *dtmodel_collation_name(Oid collation);

#endif							/* DTMODEL_COLLATION_H */
