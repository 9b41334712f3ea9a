/*-------------------------------------------------------------------------
 *
 * change.h
 *	  What add_* and remove_* do: they look at a table, lock it once, and
 *	  change it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_CHANGE_H
#define DTMODEL_CHANGE_H

#include "model/ddl.h"

/* Adds to the change of one table what is asked for. */
typedef void (*DtChangeTable) (DtChange *change, const void *request);

typedef struct DtCall
{
	Oid			relid;
	DtChangeTable change_table;
	const void *request;
	const DtMixin *mixin;		/* that is added or removed; NULL: the other
								 * mixins have nothing to do afterwards */
	bool		with_inheritors;	/* also the tables that inherit */
	bool		inheritors_first;
} DtCall;

extern bool dtmodel_change_tables(const DtCall *call);
extern bool dtmodel_change_table(Oid relid, DtChangeTable change_table,
								 const void *request);

#endif							/* DTMODEL_CHANGE_H */
