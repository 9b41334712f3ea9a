/*-------------------------------------------------------------------------
 *
 * actor.h
 *	  The actor, and the actor as the value of a column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ACTOR_H
#define DTMODEL_ACTOR_H

#include "fmgr.h"
#include "model/column.h"
#include "utils/rel.h"

/* The actor as a value of one column, kept until the actor changes. */
typedef struct DtActorColumn
{
	DtColumn	column;
	NameData	table;
	bool		holds_names;	/* it can hold the name of a role */
	FmgrInfo	input;
	Oid			parameter;		/* of the input function */
	MemoryContext context;		/* for the value */
	uint64		count;			/* dtmodel_actor_count for this value; 0: no
								 * value yet */
	Oid			role;
	Datum		value;
	bool		isnull;
} DtActorColumn;

extern const char *dtmodel_actor(void);
extern bool dtmodel_has_actor(void);
extern bool dtmodel_holds_names(const DtColumn *column);
extern DtActorColumn *dtmodel_make_actor_column(Relation rel,
												const DtColumn *column,
												MemoryContext context);
extern bool dtmodel_actor_is_missing(const DtColumn *column);
extern Datum dtmodel_actor_value(DtActorColumn *actor, bool *isnull);

#endif							/* DTMODEL_ACTOR_H */
