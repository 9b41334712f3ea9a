/*-------------------------------------------------------------------------
 *
 * mixin.h
 *	  The descriptor of a mixin.
 *
 * Each mixin has a folder, and there a descriptor with everything that the
 * other files need to know about it.  They go through the list of descriptors
 * and do not name any mixin.  This folder cannot include the list, which is
 * in mixin/, so the library passes it here when it is loaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_MIXIN_H
#define DTMODEL_MIXIN_H

#include "compat.h"
#include "lib/stringinfo.h"
#include "model/column.h"
#include "nodes/bitmapset.h"
#include "storage/lockdefs.h"
#include "utils/reltrigger.h"

/* A type of trigger: all triggers with its function. */
typedef struct DtTriggerType
{
	const char *name;			/* of a trigger of this type; in this order
								 * they fire */
	const char *function;
	int16		timing;			/* BEFORE and ROW, as in pg_trigger.tgtype */
	int16		events;			/* it must at least be fired for these */
	bool		lists_columns;	/* it is fired for UPDATE OF columns */
	bool		has_condition;	/* it has a WHEN clause */
	int16		move_events;	/* also fired for these where rows can move
								 * from one partition to another */
	const struct DtRowAction *action;	/* of a row trigger; NULL: the
										 * executor's projection cannot do
										 * what it does */

	/*
	 * Whether an AFTER ROW trigger has nothing to do in an UPDATE of these
	 * columns.  NULL: never.
	 */
	bool		(*is_idle) (const void *options, const Bitmapset *updated);
} DtTriggerType;

/* A column that a mixin manages. */
typedef struct DtMixinColumn
{
	const char *option;			/* the option with its name, of the trigger
								 * and of add_* */
	const DtColumnUse *use;
	Size		offset;			/* of its DtColumn in the struct of options */
	const char *in_template;	/* its name in the template; NULL: not there */
	bool		optional;		/* a model may do without it, if it has
								 * another column of the mixin */
	bool		has_to_match;	/* if the partitioned table has it, so must a
								 * table to attach */
	bool		marks_deleted;	/* it says whether a row is live */
	bool		is_stamped;		/* the mixin writes it, whatever an UPDATE
								 * assigns */
	bool		is_pinned;		/* in an UPDATE the mixin gives it no value but
								 * the old one */
	bool		is_row_version; /* update() and upsert() compare it with the
								 * row instead of assigning it */
} DtMixinColumn;

/*
 * How an option of a trigger is written in the call of add_* that creates it.
 */
typedef enum DtOptionKind
{
	DT_OPTION_COLUMN,			/* a column, or NULL for none */
	DT_OPTION_COLUMNS,			/* an array of columns */
	DT_OPTION_TEXT,
	DT_OPTION_UNQUOTED,			/* a number or a boolean */
	DT_OPTION_TRIGGER			/* true if the table has this trigger */
} DtOptionKind;

/* An argument of add_*, and of the trigger unless it is NULL. */
typedef struct DtOption
{
	DtOptionKind kind;
	const char *name;			/* NULL: end of the list */
	const char *default_value;	/* NULL: none, or NULL */
	const DtTriggerType *trigger;
} DtOption;

/* The columns that mixins write, by whether writing them changes the row. */
typedef struct DtOwnColumns
{
	Bitmapset  *uncounted;		/* a new value does not change the row */
	Bitmapset  *pinned;			/* setting it for the first time changes the
								 * row; then it keeps its value */
	Bitmapset  *filled_in;		/* of type text: another value changes the
								 * row, the first one does not */
} DtOwnColumns;

struct DtChange;
struct Expr;
struct DtDrift;
struct DtForeignKey;

typedef struct DtMixin
{
	const char *name;			/* as in describe() and mixins() */
	const char *title;			/* in messages; NULL: a rule of a model rather
								 * than a mixin */
	const char *add;			/* the functions that add and remove it */
	const char *remove;
	bool		must_be_inherited;	/* tables that inherit must have it too */
	bool		implied_by_columns; /* a table with the template's columns
									 * should have it */
	bool		refuses_partitioned;	/* partitioned tables cannot have it */

	/*
	 * A table with the first of these triggers has the mixin, with the
	 * options in its arguments.
	 */
	const DtTriggerType *triggers;
	int			ntriggers;
	const DtOption *options;	/* the arguments of "add", in their order */
	const char *const *options_to_match;	/* names of options that a table
											 * to attach must have in common
											 * with its partitioned table;
											 * ends with NULL */

	const DtMixinColumn *columns;
	int			ncolumns;

	/*
	 * Its options, a struct of this size, in which the columns are already
	 * filled in.  "read" adds the rest.
	 */
	Size		size;
	void		(*read) (void *options, Relation rel, const Trigger *trigger);

	/*
	 * Adds the columns that it writes itself.  NULL: writing any of its
	 * columns changes the row.
	 */
	void		(*add_own_columns) (const void *options, DtOwnColumns *own);

	/*
	 * Appends its value in describe(), in which each member is a parameter of
	 * "add"; further members of the description may follow it.  NULL: only
	 * its columns.
	 */
	void		(*describe) (StringInfo json, Relation rel, const void *options);

	/*
	 * Appends what keeps it from working, apart from columns that are missing
	 * or have another type.
	 */
	void		(*find_drift) (struct DtDrift *drift, Relation rel,
							   const void *options);

	/* The same for any table, also without the mixin. */
	void		(*find_drift_of_any_table) (struct DtDrift *drift, Relation rel);

	/* Whether a table is one of its own, and so no model. */
	bool		(*is_own_table) (Oid relid);

	/*
	 * The entries in the range table of a query that call functions of its
	 * own, which hide deleted rows themselves.
	 */
	List	   *(*own_entries) (const struct Query *query);

	/*
	 * The expression that every INSERT writes in one of its columns, whatever
	 * the statement gives; NULL: the INSERT decides.  It is needed where the
	 * rows are inserted on another server than that of the statement.
	 */
	struct Expr *(*inserted_value) (Oid relid, const void *options,
									const DtColumn *column);

	/*
	 * Called when another mixin is added to the table, with its options, or
	 * removed, with NULL.  The first adds its own changes to that change; the
	 * second is called when it is done, for changes that depend on its
	 * result.
	 */
	void		(*extend_change) (struct DtChange *change,
								  const struct DtMixin *other,
								  const void *options);
	void		(*after_change) (Oid relid, const struct DtMixin *other);

	/*
	 * The lock on a table with this mixin that after_change may need; NULL:
	 * none.
	 */
	LOCKMODE	(*lock_after_change) (const struct DtMixin *other);

	/* Whether the row that a foreign key references must be live. */
	bool		(*requires_live_parent) (Relation rel,
										 const struct DtForeignKey *key);

	/*
	 * The name of the CHECK that a partition must have under its table's name
	 * for it.
	 */
	const char *(*find_check) (Relation rel, const void *options);

	/*
	 * Refuses a table to attach that has rules which the partitioned table
	 * lacks.
	 */
	void		(*check_attach) (Relation rel, Relation parent);

	/* Adds to a detached table what partitions do not need. */
	void		(*after_detach) (struct DtChange *change);
} DtMixin;

extern void dtmodel_set_mixins(const DtMixin *const *mixins);
extern const DtMixin *const *dtmodel_mixins(void);
extern int	dtmodel_count_mixins(void);

extern bool dtmodel_requires_live_parent(Relation rel,
										 const struct DtForeignKey *key);
extern void dtmodel_extend_change(struct DtChange *change, const DtMixin *mixin,
								  const void *options);
extern void dtmodel_after_change(Oid relid, const DtMixin *mixin);
extern LOCKMODE dtmodel_lock_after_change(Relation rel, const DtMixin *mixin);

extern const char *dtmodel_function_name(Oid funcid, const char *schema);
extern const DtTriggerType *dtmodel_trigger_type(const Trigger *trigger);
extern bool dtmodel_has_own_trigger(Relation rel);
extern bool dtmodel_is_fired(char tgenabled);
extern bool dtmodel_has_usual_name(const Trigger *trigger,
								   const DtTriggerType *type);
extern const Trigger *dtmodel_find_trigger(Relation rel,
										   const DtTriggerType *type);
extern const Trigger *dtmodel_find_any_trigger(Relation rel,
											   const DtMixin *mixin);
extern bool dtmodel_needs_column(const DtMixin *mixin, const void *options,
								 int which);
extern void dtmodel_check_mixin_columns(Relation rel, const DtMixin *mixin,
										const void *options);
extern bool dtmodel_trigger_fires(char tgenabled);
extern const char *dtmodel_trigger_option(const Trigger *trigger,
										  const char *key);
pg_noreturn extern void dtmodel_report_unknown_trigger(Relation rel);

/* For the output of describe(). */
extern void dtmodel_append_string(StringInfo json, const char *value);
extern void dtmodel_append_member(StringInfo json, const char *key,
								  const char *value);
extern void dtmodel_append_mixin_columns(StringInfo json, const DtMixin *mixin,
										 const void *options);

/*
 * Adds a column to a set, unless it is missing or the model does without it.
 */
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
