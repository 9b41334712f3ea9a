/*-------------------------------------------------------------------------
 *
 * model.h
 *	  What a relation is: its mixins with their columns and options, read
 *	  from its own triggers, and its primary key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MODEL_H
#define DTMODEL_MODEL_H

#include "model/column.h"
#include "model/fields.h"
#include "model/mixin.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "server/relation.h"

/*
 * A column of the primary key, and the operator that finds its values.  To look
 * for a value calls no CHECK of a domain, as in a WHERE clause.
 */
typedef struct DtKeyColumn
{
	NameData	name;
	AttrNumber	attnum;
	Oid			typid;			/* of a domain, the type that it is over */
	Oid			eqop;			/* the key's own equality */
} DtKeyColumn;

typedef struct DtKey
{
	int			ncolumns;		/* 0: no primary key */
	Oid			index;
	DtKeyColumn *columns;		/* in the order of the key */
} DtKey;

typedef struct DtModel
{
	Oid			relid;			/* hash key */
	bool		valid;			/* cleared by the relcache callback */
	MemoryContext context;		/* holds everything below */
	DtKey		key;
	DtFields	fields;
	const void **options;		/* of each mixin in the list; NULL: without it */
	bool		is_referenced;	/* by a foreign key */
	bool		others_act_before;	/* with a row trigger on UPDATE or DELETE */
} DtModel;

/*
 * The answer belongs to the cache and stands until the next call: whoever
 * keeps a part of it copies that part.
 */
extern const DtModel *dtmodel_get_model(Relation rel);
extern const DtModel *dtmodel_get_model_of_locked(Oid relid);
extern const void *dtmodel_options_of(const DtModel *model,
									  const DtMixin *mixin);
extern uint64 dtmodel_relation_changes(void);

#endif							/* DTMODEL_MODEL_H */
