/*-------------------------------------------------------------------------
 *
 * model.c
 *	  The model of a relation: its mixins with their columns and options, read
 *	  from its triggers, and its primary key.
 *
 * There is no catalog of models.  A table is a model if it has a trigger with
 * one of our functions; the trigger's arguments, "key=value", are its
 * options. What was read is cached per relation.  The relcache callback only
 * marks it as stale, since it may run at any time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "model/model.h"
#include "server/relation.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Stale entries are removed when the cache has grown by this many. */
#define MODEL_CACHE_SWEEP 256

static HTAB *model_cache = NULL;
static long sweep_at = MODEL_CACHE_SWEEP;

/* Counts calls of the callback, to notice one during a read. */
static uint64 invalidations = 0;

/* Reads a trigger that is not ours. */
static void
read_other_trigger(DtModel *model, const Trigger *trigger)
{
	if (RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK)
		model->is_referenced = true;
	if (TRIGGER_FOR_ROW(trigger->tgtype) &&
		TRIGGER_FOR_BEFORE(trigger->tgtype) &&
		(TRIGGER_FOR_UPDATE(trigger->tgtype) ||
		 TRIGGER_FOR_DELETE(trigger->tgtype)))
		model->has_other_before_triggers = true;
}

/* Finds the columns, then reads the options that only the mixin knows. */
static const void *
read_options(const DtMixin *mixin, Relation rel, const Trigger *trigger)
{
	void	   *options = palloc0(mixin->size);

	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const DtMixinColumn *column = &mixin->columns[i];

		dtmodel_find_column(RelationGetDescr(rel),
							dtmodel_trigger_option(trigger, column->option),
							(DtColumn *) ((char *) options + column->offset));
	}
	if (mixin->read != NULL)
		mixin->read(options, rel, trigger);
	return options;
}

static bool
is_trigger_of(const DtMixin *mixin, const DtTriggerType *type)
{
	return type >= mixin->triggers && type < mixin->triggers + mixin->ntriggers;
}

static void
read_own_trigger(DtModel *model, Relation rel, int which, const Trigger *trigger,
				 const DtTriggerType *type)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	model->triggers[which].tgoid = trigger->tgoid;
	model->triggers[which].type = type;
	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (is_trigger_of(mixins[i], type))
			model->triggers[which].mixin = mixins[i];
		if (type == mixins[i]->triggers &&
			(model->options[i] == NULL || dtmodel_has_usual_name(trigger, type)))
			model->options[i] = read_options(mixins[i], rel, trigger);
	}
}

static void
read_triggers(DtModel *model, Relation rel, const TriggerDesc *triggers)
{
	model->triggers = palloc0(sizeof(DtModelTrigger) * triggers->numtriggers);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		const DtTriggerType *type = dtmodel_trigger_type(trigger);

		if (type == NULL)
			read_other_trigger(model, trigger);
		else
		{
			read_own_trigger(model, rel, i, trigger, type);
			model->ntriggers = triggers->numtriggers;
		}
	}
}

/*
 * The equality operator of a key's column: that of the index, except for a
 * key WITHOUT OVERLAPS.  Its index uses other strategy numbers, and the one
 * that means equality in a btree may mean "overlaps" there.
 */
static Oid
key_equality(Oid opclass, bool has_btree, Oid type)
{
	Oid			input_type;

	if (!has_btree)
		return lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	input_type = get_opclass_input_type(opclass);
	return get_opfamily_member(get_opclass_family(opclass), input_type,
							   input_type, BTEqualStrategyNumber);
}

static const oidvector *
opclasses_of(HeapTuple index)
{
	bool		isnull;
	Datum		opclasses = SysCacheGetAttr(INDEXRELID, index,
											Anum_pg_index_indclass, &isnull);

	Assert(!isnull);
	return (const oidvector *) DatumGetPointer(opclasses);
}

static void
read_key_columns(DtKey *key, TupleDesc desc, HeapTuple tuple)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);
	const oidvector *opclasses = opclasses_of(tuple);
	bool		has_btree = dtmodel_is_btree(index->indexrelid);

	key->ncolumns = index->indnkeyatts;
	key->index = index->indexrelid;
	key->columns = palloc0(sizeof(DtKeyColumn) * key->ncolumns);
	for (int i = 0; i < key->ncolumns; i++)
	{
		DtKeyColumn *column = &key->columns[i];
		Form_pg_attribute att;

		column->attnum = index->indkey.values[i];
		att = TupleDescAttr(desc, column->attnum - 1);
		column->name = att->attname;
		column->typid = getBaseType(att->atttypid);
		column->eqop = key_equality(opclasses->values[i], has_btree, att->atttypid);
	}
}

/*
 * Finds the primary key.  The relcache has its index too, but not if the key
 * is deferrable, which the key of an application may well be.  The index is not
 * locked: the lock on the table keeps the key, and the ALTER TABLE whose event
 * trigger reads the model would deadlock with ALTER INDEX ... ATTACH PARTITION,
 * which locks the index before the table.
 */
static void
read_key(DtModel *model, Relation rel)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		HeapTuple	index = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(index))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(cell));
		if (((Form_pg_index) GETSTRUCT(index))->indisprimary)
			read_key_columns(&model->key, RelationGetDescr(rel), index);
		ReleaseSysCache(index);
	}
}

static void
read_model(DtModel *model, Relation rel, const TriggerDesc *triggers)
{
	model->citus = dtmodel_citus_of(rel);
	read_key(model, rel);
	model->fields = dtmodel_read_fields(RelationGetDescr(rel));
	model->options = palloc0(sizeof(void *) * dtmodel_count_mixins());
	if (triggers != NULL)
		read_triggers(model, rel, triggers);
}

/*
 * Reads the relation into the entry, which stays stale if that fails.  The
 * copy of the triggers is larger than what is kept of them.
 */
static void
fill_entry(DtModel *entry, Relation rel)
{
	uint64		before = invalidations;
	TriggerDesc *triggers = dtmodel_triggers(rel);
	MemoryContext context;
	MemoryContext caller;
	DtModel		model = {.relid = entry->relid};

	context = AllocSetContextCreate(CurrentMemoryContext, "dtmodel model",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	read_model(&model, rel, triggers);
	MemoryContextSwitchTo(caller);
	FreeTriggerDesc(triggers);

	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	model.context = context;
	model.read_at = before;
	model.read_in = GetCurrentStatementStartTimestamp();
	model.valid = (invalidations == before);
	*entry = model;
}

static void
remove_stale_entries(void)
{
	HASH_SEQ_STATUS scan;
	DtModel    *entry;

	hash_seq_init(&scan, model_cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->valid || entry->is_bare)
			continue;
		if (entry->context != NULL)
			MemoryContextDelete(entry->context);
		hash_search(model_cache, &entry->relid, HASH_REMOVE, NULL);
	}
	sweep_at = hash_get_num_entries(model_cache) + MODEL_CACHE_SWEEP;
}

static void
invalidate_model(Datum arg pg_attribute_unused(), Oid relid)
{
	HASH_SEQ_STATUS scan;
	DtModel    *entry;

	invalidations++;
	if (OidIsValid(relid))
	{
		entry = hash_search(model_cache, &relid, HASH_FIND, NULL);
		if (entry != NULL)
			entry->valid = entry->is_bare = false;
		return;
	}

	hash_seq_init(&scan, model_cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		entry->valid = entry->is_bare = false;
}

static void
create_cache(void)
{
	HASHCTL		control = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(DtModel),
	};

	/*
	 * The hash table is in TopMemoryContext, since the callback stays
	 * registered.
	 */
	model_cache = hash_create("dtmodel models", 64, &control,
							  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(invalidate_model, (Datum) 0);
}

static DtModel *
make_entry(Oid relid)
{
	DtModel    *entry;

	if (hash_get_num_entries(model_cache) >= sweep_at)
		remove_stale_entries();
	entry = hash_search(model_cache, &relid, HASH_ENTER, NULL);
	entry->valid = entry->is_bare = false;
	entry->context = NULL;
	return entry;
}

static DtModel *
find_entry(Oid relid)
{
	DtModel    *entry;

	if (model_cache == NULL)
		create_cache();
	entry = hash_search(model_cache, &relid, HASH_FIND, NULL);
	return entry != NULL ? entry : make_entry(relid);
}

/* The options of a mixin; NULL if the model does not have it. */
const void *
dtmodel_options_of(const DtModel *model, const DtMixin *mixin)
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		if (mixins[i] == mixin)
			return model->options[i];
	}
	return NULL;
}

bool
dtmodel_is_in_key(const DtKey *key, AttrNumber attnum)
{
	for (int i = 0; i < key->ncolumns; i++)
	{
		if (key->columns[i].attnum == attnum)
			return true;
	}
	return false;
}

/* Whether a mixin of the model manages the column as one of the given kind. */
bool
dtmodel_is_managed(const DtModel *model, AttrNumber attnum,
				   bool (*matches) (const DtMixinColumn *column))
{
	const DtMixin *const *mixins = dtmodel_mixins();

	for (int i = 0; mixins[i] != NULL; i++)
	{
		for (int j = 0; model->options[i] != NULL && j < mixins[i]->ncolumns; j++)
		{
			const DtMixinColumn *column = &mixins[i]->columns[j];

			if (matches(column) &&
				dtmodel_mixin_column(column, model->options[i])->attnum == attnum)
				return true;
		}
	}
	return false;
}

/*
 * What the model knows of a trigger, at this place among the relation's
 * triggers; NULL if it is not one of ours.
 */
const DtModelTrigger *
dtmodel_own_trigger(const DtModel *model, int which, const Trigger *trigger)
{
	return which < model->ntriggers &&
		model->triggers[which].tgoid == trigger->tgoid ?
		&model->triggers[which] : NULL;
}

/*
 * Whether the entry can be used.  When Citus makes a table a shard, only that
 * of which it is a shard is invalidated, and not before the transaction ends,
 * which fills the shard.
 */
static bool
is_current(const DtModel *entry)
{
	return entry->valid &&
		(!entry->citus.may_become_shard ||
		 (entry->read_at == invalidations &&
		  entry->read_in == GetCurrentStatementStartTimestamp()));
}

/*
 * The model of a relation.  The caller holds a lock on it, so that its
 * definition cannot change meanwhile.
 */
const DtModel *
dtmodel_get_model(Relation rel)
{
	DtModel    *entry = find_entry(RelationGetRelid(rel));

	if (!is_current(entry))
		fill_entry(entry, rel);
	return entry;
}

/*
 * The same for a relation that is locked elsewhere and need not be opened if
 * it is in the cache: the planner asks about every table.  NULL if it has no
 * triggers and so cannot be a model: most tables have none, and are not read.
 */
const DtModel *
dtmodel_get_model_of_locked(Oid relid)
{
	DtModel    *entry = find_entry(relid);

	if (!entry->is_bare && !is_current(entry))
	{
		Relation	rel = relation_open(relid, NoLock);

		if (rel->trigdesc == NULL)
			entry->is_bare = true;
		else
			fill_entry(entry, rel);
		relation_close(rel, NoLock);
	}
	return entry->is_bare ? NULL : entry;
}

/* The same for an entry of a query's range table, of any kind. */
const DtModel *
dtmodel_get_model_of_entry(const RangeTblEntry *rte)
{
	if (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_VIEW ||
		rte->relid < FirstNormalObjectId)
		return NULL;
	return dtmodel_get_model_of_locked(rte->relid);
}

/*
 * A number that changes whenever any relation may have changed, for callers
 * that keep what they derived from the results above without holding a lock.
 */
uint64
dtmodel_relation_changes(void)
{
	if (model_cache == NULL)
		create_cache();
	return invalidations;
}
