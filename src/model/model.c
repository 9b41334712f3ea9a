/*-------------------------------------------------------------------------
 *
 * model.c
 *	  What a relation is: its mixins with their columns and options, read
 *	  from its own triggers, and its primary key.
 *
 * There is no catalogue of models.  A table is a model when it calls one of
 * our trigger functions, and the trigger's arguments, written "key=value",
 * are its options.  What was read is kept per relation; the relcache callback
 * marks it as stale and does nothing else, since it may run at any time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "model/model.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Stale entries are swept when the cache has grown by this many. */
#define MODEL_CACHE_SWEEP 256

/*
 * The triggers of one event fire in the order of their names.  What looks for
 * changes, to stamp the row, comes after what may still take them back.
 */
const DtTriggerName dtmodel_trigger_names[DT_TRIGGER_KINDS] = {
	[DT_TRIGGER_TIMESTAMPS] = {
		"zz_dtmodel_timestamps", "timestamps_trigger"
	},
	[DT_TRIGGER_SOFT_DELETE] = {
		"zz_dtmodel_soft_delete", "soft_delete_trigger"
	},
	[DT_TRIGGER_SOFT_DELETE_FLAG] = {
		"zz_dtmodel_soft_delete_flag", "soft_delete_flag_trigger"
	},
	[DT_TRIGGER_SOFT_CASCADE] = {
		"zz_dtmodel_soft_cascade", "soft_cascade_trigger"
	},
	[DT_TRIGGER_SOFT_DELETE_GUARD] = {
		"zz_dtmodel_soft_delete_guard", "soft_delete_guard_trigger"
	},
	[DT_TRIGGER_PROTECT_TRUNCATE] = {
		"zz_dtmodel_protect_truncate", "protect_truncate_trigger"
	},
	[DT_TRIGGER_SOFT_CASCADE_MOVE] = {
		"zz_dtmodel_soft_cascade_move", "soft_cascade_move_trigger"
	},
	[DT_TRIGGER_AUDIT] = {
		"zz_dtmodel_stamp_audit", "audit_trigger"
	},
	[DT_TRIGGER_SLUG] = {
		"zz_dtmodel_slug", "slug_trigger"
	},
	[DT_TRIGGER_LIVE_PARENT] = {
		"zz_dtmodel_live_parent", "live_parent_trigger"
	},
	[DT_TRIGGER_LIVE_PARENT_UPDATE] = {
		"zz_dtmodel_live_parents", "live_parent_update_trigger"
	},
	[DT_TRIGGER_LIVE_VIEW] = {
		"zz_dtmodel_live_view", "live_view_trigger"
	},
	[DT_TRIGGER_SETTINGS] = {
		"zz_dtmodel_settings", "settings_trigger"
	},
};

static const char *const clock_names[] = {
	[DT_CLOCK_TRANSACTION] = "transaction",
	[DT_CLOCK_STATEMENT] = "statement",
	[DT_CLOCK_CLOCK] = "clock",
};

static HTAB *model_cache = NULL;
static long sweep_at = MODEL_CACHE_SWEEP;

/* Counts the callback's calls, to notice one that comes while we read. */
static uint64 invalidations = 0;

const char *
dtmodel_clock_name(DtClock clock)
{
	return clock_names[clock];
}

/*
 * The columns whose changes do not move updated_at: those that the model
 * ignores, and created_at, which is pinned.  That it is set for the first time
 * is a change, unless it is ignored itself.
 */
Bitmapset *
dtmodel_uncounted_columns(const DtTimestamps *timestamps,
						  bool *created_at_counts)
{
	AttrNumber	created_at = timestamps->created_at.attnum;
	Bitmapset  *columns = NULL;

	for (int i = 0; i < timestamps->nignored; i++)
	{
		/* A column that is gone has no changes to ignore. */
		if (AttributeNumberIsValid(timestamps->ignored[i].attnum))
			columns = bms_add_member(columns, timestamps->ignored[i].attnum);
	}
	*created_at_counts = AttributeNumberIsValid(created_at) &&
		!bms_is_member(created_at, columns);
	if (AttributeNumberIsValid(created_at))
		columns = bms_add_member(columns, created_at);
	return columns;
}

/*
 * A slug that a row gets where it had none is no change of the row's, any
 * other is.  So the slug is added to the columns that do not count; returns
 * it for the comparison of the row, unless no slug counts.
 */
AttrNumber
dtmodel_ignore_slug(const DtModel *model, Bitmapset **ignored)
{
	const DtColumn *slug = model->slug == NULL ? NULL : &model->slug->slug;

	if (slug == NULL || !AttributeNumberIsValid(slug->attnum) ||
		!dtmodel_column_fits(slug, DT_COLUMN_SLUG) ||
		bms_is_member(slug->attnum, *ignored))
		return InvalidAttrNumber;
	*ignored = bms_add_member(*ignored, slug->attnum);
	return slug->attnum;
}

bool
dtmodel_parse_clock(const char *name, DtClock *clock)
{
	for (size_t i = 0; i < lengthof(clock_names); i++)
	{
		if (strcmp(name, clock_names[i]) == 0)
		{
			*clock = (DtClock) i;
			return true;
		}
	}
	return false;
}

/*
 * The name of a function in our schema; NULL for any other function.  Where
 * the library is preloaded, but the extension is not there, the schema may
 * belong to any user.  So it has to be one in C, which only a superuser can
 * make.
 */
const char *
dtmodel_function_name(Oid funcid)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	const char *name = NULL;
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prolang == ClanguageId &&
		form->pronamespace == get_namespace_oid(DTMODEL_SCHEMA, true))
		name = pstrdup(NameStr(form->proname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * Which of our triggers this is.  The function decides, never the trigger's
 * name: users rename triggers, and shards of a distributed table do too.
 */
DtTriggerKind
dtmodel_trigger_kind(const Trigger *trigger)
{
	const char *function = dtmodel_function_name(trigger->tgfoid);

	for (int kind = 0; function != NULL && kind < DT_TRIGGER_KINDS; kind++)
	{
		if (strcmp(function, dtmodel_trigger_names[kind].function) == 0)
			return (DtTriggerKind) kind;
	}
	return DT_TRIGGER_NONE;
}

/*
 * For a trigger function that runs and yet is not known by its name: somebody
 * renamed the schema or the function.
 */
void
dtmodel_report_unknown_trigger(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a trigger of table \"%s\" is not in schema \"%s\"",
					RelationGetRelationName(rel), DTMODEL_SCHEMA),
			 errhint("The extension's schema and functions must keep their names.")));
}

/* A copy of the table's first trigger of this kind; NULL if it has none. */
const Trigger *
dtmodel_find_trigger(Relation rel, DtTriggerKind kind)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (dtmodel_trigger_kind(&triggers->triggers[i]) == kind)
			return &triggers->triggers[i];
	}
	return NULL;
}

/* The value of "key=value" among the trigger's arguments, or NULL. */
const char *
dtmodel_trigger_option(const Trigger *trigger, const char *key)
{
	size_t		length = strlen(key);

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		const char *argument = trigger->tgargs[i];

		if (strncmp(argument, key, length) == 0 && argument[length] == '=')
			return argument + length + 1;
	}
	return NULL;
}

/* Reads ignore_columns, an array literal of names. */
static void
read_ignored(DtTimestamps *timestamps, TupleDesc desc, const char *literal)
{
	ArrayType  *array;
	Datum	   *names;

	if (literal == NULL)
		return;

	array = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN,
													pstrdup(literal),
													TEXTOID, -1));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &timestamps->nignored);
	timestamps->ignored = palloc(sizeof(DtColumn) * timestamps->nignored);
	for (int i = 0; i < timestamps->nignored; i++)
		dtmodel_find_column(desc, TextDatumGetCString(names[i]),
							&timestamps->ignored[i]);
}

static DtTimestamps *
read_timestamps(TupleDesc desc, const Trigger *trigger)
{
	DtTimestamps *timestamps = palloc0(sizeof(DtTimestamps));
	const char *clock = dtmodel_trigger_option(trigger, "clock");

	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "created_at"),
						&timestamps->created_at);
	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "updated_at"),
						&timestamps->updated_at);
	read_ignored(timestamps, desc, dtmodel_trigger_option(trigger, "ignore_columns"));
	if (clock != NULL)
		(void) dtmodel_parse_clock(clock, &timestamps->clock);
	timestamps->stamps_inserts =
		dtmodel_trigger_option(trigger, "on_insert") != NULL;
	return timestamps;
}

static DtSoftDelete *
read_soft_delete(TupleDesc desc, const Trigger *trigger)
{
	DtSoftDelete *soft_delete = palloc0(sizeof(DtSoftDelete));
	const char *flag_means = dtmodel_trigger_option(trigger, "flag_means");

	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "flag"),
						&soft_delete->flag);
	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "deleted_at"),
						&soft_delete->deleted_at);
	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "deleted_by"),
						&soft_delete->deleted_by);
	soft_delete->flag_is_live =
		flag_means != NULL && strcmp(flag_means, "live") == 0;
	soft_delete->hide = dtmodel_trigger_option(trigger, "hide") != NULL;
	soft_delete->refuses_flag_writes =
		dtmodel_trigger_option(trigger, "flag_writes") != NULL;
	soft_delete->trigger_tier = dtmodel_trigger_option(trigger, "tier") != NULL;
	soft_delete->tgenabled = trigger->tgenabled;
	return soft_delete;
}

/* A trigger that is not ours. */
static void
read_other_trigger(DtModel *model, const Trigger *trigger)
{
	if (RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK)
		model->is_referenced = true;
	if (TRIGGER_FOR_ROW(trigger->tgtype) &&
		TRIGGER_FOR_BEFORE(trigger->tgtype) &&
		(TRIGGER_FOR_UPDATE(trigger->tgtype) ||
		 TRIGGER_FOR_DELETE(trigger->tgtype)))
		model->others_act_before = true;
}

static DtAudit *
read_audit(TupleDesc desc, const Trigger *trigger)
{
	DtAudit    *audit = palloc0(sizeof(DtAudit));

	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "created_by"),
						&audit->created_by);
	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "updated_by"),
						&audit->updated_by);
	return audit;
}

static DtSlug *
read_slug(TupleDesc desc, const Trigger *trigger)
{
	DtSlug	   *slug = palloc0(sizeof(DtSlug));
	const char *max_length = dtmodel_trigger_option(trigger, "max_length");
	const char *on_update = dtmodel_trigger_option(trigger, "on_update");

	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "source"), &slug->source);
	dtmodel_find_column(desc, dtmodel_trigger_option(trigger, "slug"), &slug->slug);
	slug->max_length = max_length == NULL ? 0 :
		(int) Max(Min(strtol(max_length, NULL, 10), PG_INT32_MAX), 0);
	slug->on_update = on_update != NULL && strcmp(on_update, "true") == 0;
	return slug;
}

static DtSettings *
read_settings(TupleDesc desc, const Trigger *trigger)
{
	DtSettingsOptions options = {
		.settings = dtmodel_trigger_option(trigger, "settings"),
		.valid_settings = dtmodel_trigger_option(trigger, "valid_settings"),
		.combined = dtmodel_trigger_option(trigger, "combined"),
		.on_unknown = dtmodel_trigger_option(trigger, "on_unknown"),
		.schema = dtmodel_trigger_option(trigger, "schema"),
	};

	return dtmodel_read_settings(desc, &options);
}

static void
read_trigger(DtModel *model, TupleDesc desc, const Trigger *trigger)
{
	switch (dtmodel_trigger_kind(trigger))
	{
		case DT_TRIGGER_TIMESTAMPS:
			model->timestamps = read_timestamps(desc, trigger);
			break;
		case DT_TRIGGER_SOFT_DELETE:
			model->soft_delete = read_soft_delete(desc, trigger);
			model->delete_trigger = trigger->tgoid;
			break;
		case DT_TRIGGER_PROTECT_TRUNCATE:
			model->protect_truncate = true;
			break;
		case DT_TRIGGER_AUDIT:
			model->audit = read_audit(desc, trigger);
			break;
		case DT_TRIGGER_SLUG:
			model->slug = read_slug(desc, trigger);
			break;
		case DT_TRIGGER_SETTINGS:
			model->settings = read_settings(desc, trigger);
			break;
		case DT_TRIGGER_SOFT_DELETE_FLAG:	/* says what its twin says */
			model->flag_trigger = trigger->tgoid;
			break;
		case DT_TRIGGER_SOFT_CASCADE:
			model->cascade_trigger = trigger->tgoid;
			break;
		case DT_TRIGGER_SOFT_DELETE_GUARD:
		case DT_TRIGGER_SOFT_CASCADE_MOVE:
		case DT_TRIGGER_LIVE_PARENT:	/* there may be several */
		case DT_TRIGGER_LIVE_PARENT_UPDATE:
		case DT_TRIGGER_LIVE_VIEW:
			break;
		case DT_TRIGGER_NONE:
			read_other_trigger(model, trigger);
			break;
	}
}

/*
 * The equality of a key's column: that of the index, unless the key is one
 * WITHOUT OVERLAPS.  The strategies of its index have other numbers, and where
 * a btree has equality there may be "overlaps".
 */
static Oid
key_equality(Relation index, int i, Oid type)
{
	if (index->rd_rel->relam != BTREE_AM_OID)
		return lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	return get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
							   index->rd_opcintype[i], BTEqualStrategyNumber);
}

static void
read_key_columns(DtKey *key, TupleDesc desc, Relation index)
{
	key->ncolumns = index->rd_index->indnkeyatts;
	key->index = RelationGetRelid(index);
	key->columns = palloc0(sizeof(DtKeyColumn) * key->ncolumns);
	for (int i = 0; i < key->ncolumns; i++)
	{
		DtKeyColumn *column = &key->columns[i];
		Form_pg_attribute att;

		column->attnum = index->rd_index->indkey.values[i];
		att = TupleDescAttr(desc, column->attnum - 1);
		column->name = att->attname;
		column->typid = getBaseType(att->atttypid);
		column->eqop = key_equality(index, i, att->atttypid);
	}
}

/*
 * Finds the primary key.  The relcache would name its index too, but not when
 * the key is deferrable, and an application may well have such a key.
 */
static void
read_key(DtModel *model, Relation rel)
{
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisprimary)
			read_key_columns(&model->key, RelationGetDescr(rel), index);
		index_close(index, AccessShareLock);
	}
}

static void
read_model(DtModel *model, Relation rel)
{
	TriggerDesc *triggers = dtmodel_triggers(rel);

	read_key(model, rel);
	model->fields = dtmodel_read_fields(RelationGetDescr(rel));
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		read_trigger(model, RelationGetDescr(rel), &triggers->triggers[i]);
	FreeTriggerDesc(triggers);
}

/* Reads the relation into the entry, which stays stale if that fails. */
static void
fill_entry(DtModel *entry, Relation rel)
{
	uint64		before = invalidations;
	MemoryContext context;
	MemoryContext caller;
	DtModel		model = {.relid = entry->relid};

	context = AllocSetContextCreate(CurrentMemoryContext, "dtmodel model",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	read_model(&model, rel);
	MemoryContextSwitchTo(caller);

	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	model.context = context;
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
		if (entry->valid)
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
			entry->valid = false;
		return;
	}

	hash_seq_init(&scan, model_cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
		entry->valid = false;
}

static void
create_cache(void)
{
	HASHCTL		control = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(DtModel),
	};

	/* The hash table lives in TopMemoryContext, as the callback does. */
	model_cache = hash_create("dtmodel models", 64, &control,
							  HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(invalidate_model, (Datum) 0);
}

static DtModel *
find_entry(Oid relid)
{
	DtModel    *entry;
	bool		found;

	if (model_cache == NULL)
		create_cache();
	if (hash_get_num_entries(model_cache) >= sweep_at)
		remove_stale_entries();

	entry = hash_search(model_cache, &relid, HASH_ENTER, &found);
	if (!found)
	{
		entry->valid = false;
		entry->context = NULL;
	}
	return entry;
}

/*
 * What the relation is.  The caller holds a lock on it, so that a definition
 * which is read cannot change under the caller's feet.
 */
const DtModel *
dtmodel_get_model(Relation rel)
{
	DtModel    *entry = find_entry(RelationGetRelid(rel));

	if (!entry->valid)
		fill_entry(entry, rel);
	return entry;
}

/*
 * The same for a relation that somebody else has locked and that need not be
 * opened as long as it is known: the planner asks about every table.
 */
const DtModel *
dtmodel_get_model_of_locked(Oid relid)
{
	DtModel    *entry = find_entry(relid);

	if (!entry->valid)
	{
		Relation	rel = relation_open(relid, NoLock);

		fill_entry(entry, rel);
		relation_close(rel, NoLock);
	}
	return entry;
}
