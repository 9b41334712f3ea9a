/*-------------------------------------------------------------------------
 *
 * actor.h
 *	  Who acts, and that as the value of a column.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_ACTOR_H
#define DTMODEL_ACTOR_H

#include "fmgr.h"
#include "model/column.h"
#include "utils/rel.h"

/* Who acts as one column holds it, kept for as long as nobody else acts. */
typedef struct DtActorColumn
{
	DtColumn	column;
	NameData	table;
	bool		holds_names;	/* any text, and so the name of a role too */
	FmgrInfo	input;
	Oid			parameter;		/* of the input function */
	MemoryContext context;		/* for the value */
	uint64		count;			/* of the values of dtmodel.actor; 0: none yet */
	Oid			role;
	Datum		value;
	bool		isnull;
} DtActorColumn;

extern const char *dtmodel_actor(void);
extern DtActorColumn *dtmodel_make_actor_column(Relation rel,
												const DtColumn *column,
												MemoryContext context);
extern Datum dtmodel_actor_value(DtActorColumn *actor, bool *isnull);

#endif							/* DTMODEL_ACTOR_H */
