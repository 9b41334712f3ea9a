/*-------------------------------------------------------------------------
 *
 * alter.h
 *	  An ALTER TABLE whose CHECKs need not be checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ALTER_H
#define DTMODEL_ALTER_H

extern void dtmodel_alter_without_scan(const char *sql);

#endif							/* DTMODEL_ALTER_H */
