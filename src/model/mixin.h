/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  What a mixin says of itself to the rest of the house.
 *
 * A mixin has a folder of its own, and one descriptor there that says all
 * that others want to know of it.  They walk the list of descriptors and name
 * no mixin.  The list is above this floor, so the library hands it down when
 * it is loaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MIXIN_H
#define DTMODEL_MIXIN_H

#include "compat.h"
#include "lib/stringinfo.h"
#include "model/column.h"
#include "nodes/bitmapset.h"
#include "utils/reltrigger.h"

/* A kind of trigger: those that have its function. */
typedef struct DtTriggerType
{
	const char *name;			/* that a trigger of this kind is given */
	const char *function;
	int16		timing;			/* BEFORE and ROW, as in pg_trigger.tgtype */
	int16		move_events;	/* fired for these only where rows can move
								 * from one partition to another */
} DtTriggerType;

/* A column that a mixin keeps. */
typedef struct DtMixinColumn
{
	const char *option;			/* that names it: of the trigger and of add_* */
	const DtColumnUse *use;
	Size		offset;			/* of its DtColumn in the mixin's options */
	const char *in_template;	/* its name there; NULL: it has none */
	bool		has_to_match;	/* a table to attach must not lack it where
								 * the partitioned table has it */
	bool		tells_live;		/* whether a row is live */
	bool		guards_updates; /* what update() and upsert() give for it is
								 * what the row has to have, not to get */
} DtMixinColumn;

/* How an option of a trigger is written in the call of add_* that made it. */
typedef enum DtOptionKind
{
	DT_OPTION_COLUMN,			/* a column, or NULL for none */
	DT_OPTION_COLUMNS,			/* an array of columns */
	DT_OPTION_TEXT,
	DT_OPTION_PLAIN,			/* a number or a boolean */
	DT_OPTION_TRIGGER			/* true if the table has this trigger */
} DtOptionKind;

/* An argument of add_*, and of the trigger, which has it unless it is NULL. */
typedef struct DtOption
{
	DtOptionKind kind;
	const char *name;			/* NULL: there are no more */
	const char *default_value;	/* NULL: there is none, or it is NULL */
	const DtTriggerType *trigger;
} DtOption;

/* The columns that mixins write, by what a change of theirs is. */
typedef struct DtOwnColumns
{
	Bitmapset  *uncounted;		/* no change of the row's */
	Bitmapset  *pinned;			/* one when the column is set for the first
								 * time; afterwards it keeps its value */
	Bitmapset  *filled_in;		/* of type text: one when the column gets
								 * another value, but not the first */
} DtOwnColumns;

struct DtChange;
struct DtForeignKey;

typedef struct DtMixin
{
	const char *name;			/* as in describe() and mixins() */
	const char *title;			/* in messages; NULL: it is a rule of a model
								 * rather than a mixin */
	const char *add;			/* the functions that give it and take it off */
	const char *remove;
	bool		inherited;		/* tables that inherit have to have it too */
	bool		shows_in_columns;	/* a table with the template's columns is
									 * meant to have it */
	bool		not_partitioned;	/* partitioned tables cannot have it */

	/* The first of its triggers makes a table have it, and has its options. */
	const DtTriggerType *triggers;
	int			ntriggers;
	const DtOption *options;	/* the arguments of "add", in their order */
	const char *const *fixed_options;	/* that a table to attach must have as
										 * its partitioned table has them; ends
										 * with NULL */

	const DtMixinColumn *columns;
	int			ncolumns;

	/*
	 * Its options, as a struct of this size in which the columns are found
	 * already.  "read" adds the others.
	 */
	Size		size;
	void		(*read) (void *options, Relation rel, const Trigger *trigger);

	/* Adds the columns of its own; NULL: a change of each is one of the row. */
	void		(*add_own_columns) (const void *options, DtOwnColumns *own);

	/* Appends its value in describe(); NULL: the columns are all there is. */
	void		(*describe) (StringInfo json, Relation rel, const void *options);

	/*
	 * Appends what keeps it from its work, besides columns that are gone or of
	 * another type.
	 */
	void		(*find_drift) (StringInfo drift, Relation rel,
							   const void *options);

	/* The same for tables that need not have it. */
	void		(*find_outer_drift) (StringInfo drift, Relation rel);

	/*
	 * When another mixin comes to the table, with these options, or goes, with
	 * NULL: joins the change with changes of its own, and makes those that have
	 * to see how the table is then.
	 */
	void		(*join_change) (struct DtChange *change,
								const struct DtMixin *other,
								const void *options);
	void		(*after_change) (Oid relid, const struct DtMixin *other);

	/* Whether the row that a foreign key references has to be live. */
	bool		(*requires_live_parent) (Relation rel,
										 const struct DtForeignKey *key);

	/* The CHECK that a partition has to have under its table's name for it. */
	const char *(*find_check) (Relation rel, const void *options);

	/* Refuses a table to attach that asks for more than what it is attached to. */
	void		(*check_attach) (Relation rel, Relation parent);

	/* Adds to a table what a partition does without. */
	void		(*after_detach) (struct DtChange *change);
} DtMixin;

extern void dtmodel_hand_down_mixins(const DtMixin *const *mixins);
extern const DtMixin *const *dtmodel_mixins(void);
extern int	dtmodel_count_mixins(void);

extern bool dtmodel_requires_live_parent(Relation rel,
										 const struct DtForeignKey *key);
extern void dtmodel_join_change(struct DtChange *change, const DtMixin *mixin,
								const void *options);
extern void dtmodel_after_change(Oid relid, const DtMixin *mixin);

extern const char *dtmodel_function_name(Oid funcid);
extern const DtTriggerType *dtmodel_trigger_type(const Trigger *trigger);
extern const Trigger *dtmodel_find_trigger(Relation rel,
										   const DtTriggerType *type);
extern bool dtmodel_trigger_fires(char tgenabled);
extern const char *dtmodel_trigger_option(const Trigger *trigger,
										  const char *key);
pg_noreturn extern void dtmodel_report_unknown_trigger(Relation rel);

/* What a mixin says in describe() and of its drift. */
extern void dtmodel_append_string(StringInfo json, const char *value);
extern void dtmodel_append_member(StringInfo json, const char *key,
								  const char *value);
extern void dtmodel_append_mixin_columns(StringInfo json, const DtMixin *mixin,
								   const void *options);
extern void dtmodel_append_drift(StringInfo drift, const char *format,...)
			compat_attribute_printf(2, 3);
extern void dtmodel_drift_of_columns(StringInfo drift, const DtMixin *mixin,
									 const void *options);
extern void dtmodel_drift_of_missing_trigger(StringInfo drift, Relation rel,
											 const DtTriggerType *type);

/* Adds a column to a set, unless it is gone or the model goes without it. */
static inline void
dtmodel_add_own_column(Bitmapset **columns, const DtColumn *column)
{
	if (AttributeNumberIsValid(column->attnum))
		*columns = bms_add_member(*columns, column->attnum);
}

/* One of the columns in a mixin's options. */
static inline const DtColumn *
dtmodel_mixin_column(const DtMixinColumn *column, const void *options)
{
	return (const DtColumn *) ((const char *) options + column->offset);
}

#endif							/* DTMODEL_MIXIN_H */
