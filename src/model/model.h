/*-------------------------------------------------------------------------
 *
 * model.h
 *	  The model of a relation: its mixins with their columns and options, read
 *	  from its triggers, and its primary key.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MODEL_H
#define DTMODEL_MODEL_H

#include "model/column.h"
#include "model/fields.h"
#include "model/mixin.h"
#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "server/citus.h"
#include "server/relation.h"

/*
 * A column of the primary key, and its equality operator.  A comparison does
 * not check the constraints of a domain, as in a WHERE clause.
 */
typedef struct DtKeyColumn
{
	NameData	name;
	AttrNumber	attnum;
	Oid			typid;			/* for a domain, its base type */
	Oid			eqop;			/* equality, by the key's index */
} DtKeyColumn;

typedef struct DtKey
{
	int			ncolumns;		/* 0: no primary key */
	Oid			index;
	DtKeyColumn *columns;		/* in the order of the key */
} DtKey;

/* A trigger of ours. */
typedef struct DtModelTrigger
{
	Oid			tgoid;			/* invalid: not one of ours */
	const DtTriggerType *type;
	const DtMixin *mixin;
} DtModelTrigger;

typedef struct DtModel
{
	Oid			relid;			/* hash key */
	bool		valid;			/* cleared by the relcache callback */
	bool		is_bare;		/* the same; the relation has no triggers, and
								 * may not have been read */
	MemoryContext context;		/* of everything below */
	DtKey		key;
	DtFields	fields;
	const void **options;		/* by mixin, in the order of the list; NULL:
								 * not on this table */
	int			ntriggers;		/* 0: none is ours */
	DtModelTrigger *triggers;	/* in the order of the relation's triggers */
	bool		is_referenced;	/* by a foreign key */
	bool		has_other_before_triggers;	/* other row triggers fire BEFORE
											 * UPDATE or DELETE */
	DtCitus		citus;			/* what the relation is to Citus */
	uint64		read_at;		/* the number of changes of relations then */
	TimestampTz read_in;		/* when the statement began that read it */
} DtModel;

/*
 * The result belongs to the cache and is valid until the next call: callers
 * that keep a part of it must copy that part.
 */
extern const DtModel *dtmodel_get_model(Relation rel);
extern const DtModel *dtmodel_get_model_of_locked(Oid relid);
extern const DtModel *dtmodel_get_model_of_entry(const RangeTblEntry *rte);
extern const void *dtmodel_options_of(const DtModel *model,
									  const DtMixin *mixin);
extern const DtModelTrigger *dtmodel_own_trigger(const DtModel *model, int which,
												 const Trigger *trigger);
extern bool dtmodel_is_in_key(const DtKey *key, AttrNumber attnum);
extern bool dtmodel_is_managed(const DtModel *model, AttrNumber attnum,
							   bool (*matches) (const DtMixinColumn *column));
extern uint64 dtmodel_relation_changes(void);

#endif							/* DTMODEL_MODEL_H */
