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
#include "model/relation.h"
#include "model/settings.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

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

typedef enum DtClock
{
	DT_CLOCK_TRANSACTION,
	DT_CLOCK_STATEMENT,
	DT_CLOCK_CLOCK
} DtClock;

typedef struct DtTimestamps
{
	DtColumn	created_at;
	DtColumn	updated_at;
	DtClock		clock;
	bool		stamps_inserts; /* INSERT is the trigger's work, not the DEFAULT's */
	int			nignored;
	DtColumn   *ignored;		/* columns whose changes do not count */
} DtTimestamps;

typedef struct DtSoftDelete
{
	DtColumn	flag;
	DtColumn	deleted_at;
	DtColumn	deleted_by;
	bool		flag_is_live;	/* the flag is true for live rows */
	bool		hide;			/* queries see live rows only */
	bool		refuses_flag_writes;	/* an UPDATE cannot flip the flag */
	bool		trigger_tier;	/* the planner leaves DELETE to the triggers */
	char		tgenabled;		/* when the trigger fires, as in pg_trigger */
} DtSoftDelete;

typedef struct DtAudit
{
	DtColumn	created_by;
	DtColumn	updated_by;
} DtAudit;

typedef struct DtSlug
{
	DtColumn	source;
	DtColumn	slug;
	int			max_length;
	bool		on_update;		/* the slug follows the source */
} DtSlug;

/* The trigger functions: a table that calls one of them is a model. */
typedef enum DtTriggerKind
{
	DT_TRIGGER_NONE = -1,
	DT_TRIGGER_TIMESTAMPS,
	DT_TRIGGER_AUDIT,
	DT_TRIGGER_SLUG,
	DT_TRIGGER_SOFT_DELETE,
	DT_TRIGGER_SOFT_DELETE_FLAG,
	DT_TRIGGER_SOFT_CASCADE,
	DT_TRIGGER_SOFT_DELETE_GUARD,
	DT_TRIGGER_PROTECT_TRUNCATE,
	DT_TRIGGER_SOFT_CASCADE_MOVE,
	DT_TRIGGER_LIVE_PARENT,
	DT_TRIGGER_LIVE_PARENT_UPDATE,
	DT_TRIGGER_LIVE_VIEW,
	DT_TRIGGER_SETTINGS
} DtTriggerKind;

#define DT_TRIGGER_KINDS (DT_TRIGGER_SETTINGS + 1)

typedef struct DtTriggerName
{
	const char *trigger;		/* the name that add_* gives the trigger */
	const char *function;
} DtTriggerName;

extern const DtTriggerName dtmodel_trigger_names[DT_TRIGGER_KINDS];

typedef struct DtModel
{
	Oid			relid;			/* hash key */
	bool		valid;			/* cleared by the relcache callback */
	MemoryContext context;		/* holds everything below */
	DtKey		key;
	DtFields	fields;
	DtTimestamps *timestamps;	/* NULL: without this mixin */
	DtSoftDelete *soft_delete;
	Oid			delete_trigger; /* of the soft delete, like the next two */
	Oid			flag_trigger;
	Oid			cascade_trigger;
	DtAudit    *audit;
	DtSlug	   *slug;
	DtSettings *settings;
	bool		protect_truncate;
	bool		is_referenced;	/* by a foreign key */
	bool		others_act_before;	/* with a row trigger on UPDATE or DELETE */
} DtModel;

/*
 * The answer belongs to the cache and stands until the next call: whoever
 * keeps a part of it copies that part.
 */
extern const DtModel *dtmodel_get_model(Relation rel);
extern const DtModel *dtmodel_get_model_of_locked(Oid relid);

extern const char *dtmodel_function_name(Oid funcid);
extern DtTriggerKind dtmodel_trigger_kind(const Trigger *trigger);
extern const Trigger *dtmodel_find_trigger(Relation rel, DtTriggerKind kind);
extern const char *dtmodel_trigger_option(const Trigger *trigger,
										  const char *key);
pg_noreturn extern void dtmodel_report_unknown_trigger(Relation rel);
extern const char *dtmodel_clock_name(DtClock clock);
extern Bitmapset *dtmodel_uncounted_columns(const DtTimestamps *timestamps,
											bool *created_at_counts);
extern AttrNumber dtmodel_ignore_slug(const DtModel *model,
									  Bitmapset **ignored);
extern bool dtmodel_parse_clock(const char *name, DtClock *clock);

#endif							/* DTMODEL_MODEL_H */
