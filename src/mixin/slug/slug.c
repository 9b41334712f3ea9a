/*-------------------------------------------------------------------------
 *
 * slug.c
 *	  The slug mixin: a name for each row that can be a part of a URL.
 *
 * A slug is made from another column when a row has none, and then stays:
 * published URLs must keep working.  So NULL in an UPDATE keeps the slug,
 * since a client that does not know about slugs may write NULL with all other
 * columns.  An empty slug requests a new one, and so does the UPDATE of
 * new_slug(), which also works if the column's type does not allow an empty
 * text.  Slugs follow their source only if the model asks for it with
 * on_update.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "mixin/slug/mixin.h"
#include "mixin/slug/slug.h"
#include "mixin/slug/slugify.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/row_trigger.h"
#include "parser/parsetree.h"
#include "server/plan_cache.h"
#include "server/query_text.h"
#include "server/statement.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* The state of the trigger, created once in each statement. */
typedef struct SlugState
{
	DtSlug		slug;
	bool		is_new_slug;	/* the statement is the UPDATE of new_slug() */
	bool		has_soft_delete;
	DtSoftDelete soft_delete;
	FmgrInfo	write_source;
	FmgrInfo	read_slug;
	Oid			parameter;		/* of read_slug */
	MemoryContext context;
	DtSlugChoice *choice;		/* NULL until a row needs a slug */
	StringInfoData made;		/* for the row of the last call, if it was an
								 * INSERT */
} SlugState;

/* The old and the new slug of a row that is updated; NULL for none. */
typedef struct SlugChange
{
	const char *old_slug;
	const char *new_slug;
	bool		asked_for;		/* a new one is requested: it is empty */
} SlugChange;

PG_FUNCTION_INFO_V1(dtmodel_slug_trigger);

/*
 * The plan of a statement if it is the UPDATE of new_slug(), or else NULL.
 * Statements added by a rule have the same text, but there its table is not
 * the first one.
 */
static const ModifyTable *
find_new_slug(const QueryDesc *query)
{
	const ModifyTable *plan = (const ModifyTable *) query->plannedstmt->planTree;

	if (!dtmodel_is_run_by_us(query->sourceText) ||
		!dtmodel_starts_with(query->sourceText, DT_OWN_QUERY DT_MAKES_SLUG) ||
		!IsA(plan, ModifyTable) || plan->nominalRelation != 1)
		return NULL;
	return plan;
}

/*
 * Notes that for the trigger, when the executor is ready to run the
 * statement.
 */
void
dtmodel_prepare_new_slug(QueryDesc *query)
{
	const ModifyTable *plan = find_new_slug(query);
	ListCell   *cell;

	if (plan == NULL)
		return;
	foreach(cell, plan->resultRelations)
		(void) dtmodel_make_note(query->estate->es_query_cxt, DT_NOTE_NEW_SLUG,
								 rt_fetch(lfirst_int(cell),
										  query->plannedstmt->rtable)->relid, 1);
}

static void
check_max_length(Relation rel, const DtSlug *slug)
{
	if (slug->max_length >= DT_MIN_SLUG_LENGTH)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("max_length of slugs of table \"%s\" must be at least %d",
					RelationGetRelationName(rel), DT_MIN_SLUG_LENGTH),
			 errhint("Drop the trigger and let %s.add_slug(%s, ...) create it.",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtable(rel)));
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	const DtSlug *slug = dtmodel_slug_of(model);
	SlugState  *state = palloc0(sizeof(SlugState));

	if (slug == NULL)
		dtmodel_report_unknown_trigger(rel);
	dtmodel_check_mixin_columns(rel, &dtmodel_slug_mixin, slug);

	check_max_length(rel, slug);
	state->slug = *slug;
	state->slug.max_length = Min(slug->max_length,
								 dtmodel_column_length(&slug->slug));
	state->is_new_slug = dtmodel_find_note(CurrentMemoryContext,
										   DT_NOTE_NEW_SLUG,
										   RelationGetRelid(rel)) != NULL;
	state->has_soft_delete = (dtmodel_soft_delete_of(model) != NULL);
	if (state->has_soft_delete)
		state->soft_delete = dtmodel_usable_soft_delete(rel);
	state->context = CurrentMemoryContext;
	initStringInfo(&state->made);
	return state;
}

static DtSlugChoice *
choice_of(const DtRow *row, SlugState *state)
{
	if (state->choice == NULL)
		state->choice = dtmodel_begin_slug_choice(row->rel, &state->slug,
												  state->context);
	return state->choice;
}

static const char *
text_of(Datum value, bool isnull)
{
	return isnull ? NULL : TextDatumGetCString(value);
}

/* The slug that the row is to have, as it is given. */
static const char *
given_slug(const DtRow *row, const SlugState *state)
{
	bool		isnull;
	Datum		value = dtmodel_new_value(row, state->slug.slug.attnum, &isnull);

	return text_of(value, isnull);
}

static const char *
unless_empty(const char *slug)
{
	return slug == NULL || slug[0] == '\0' ? NULL : slug;
}

/* The same; NULL if it has none or an empty one. */
static const char *
new_slug_of(const DtRow *row, const SlugState *state)
{
	return unless_empty(given_slug(row, state));
}

static const char *
old_slug_of(const DtRow *row, const SlugState *state)
{
	bool		isnull;
	Datum		value = dtmodel_old_value(row, state->slug.slug.attnum, &isnull);

	return unless_empty(text_of(value, isnull));
}

static void
prepare_source(SlugState *state)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(state->slug.source.typid, &function, &is_varlena);
	fmgr_info_cxt(function, &state->write_source, state->context);
}

/*
 * The slug made from a value of the source; NULL if that has no letters or
 * digits.
 */
static const char *
base_of(SlugState *state, Datum value, bool isnull)
{
	char	   *source;
	char	   *base;

	if (isnull)
		return NULL;
	if (!OidIsValid(state->write_source.fn_oid))
		prepare_source(state);
	source = OutputFunctionCall(&state->write_source, value);
	base = dtmodel_slugify(source, strlen(source), "-", state->slug.max_length);
	return base[0] == '\0' ? NULL : base;
}

static const char *
new_base_of(const DtRow *row, SlugState *state)
{
	bool		isnull;
	Datum		value = dtmodel_new_value(row, state->slug.source.attnum, &isnull);

	return base_of(state, value, isnull);
}

static const char *
old_base_of(const DtRow *row, SlugState *state)
{
	bool		isnull;
	Datum		value = dtmodel_old_value(row, state->slug.source.attnum, &isnull);

	return base_of(state, value, isnull);
}

static void
prepare_slug(SlugState *state)
{
	Oid			function;

	getTypeInputInfo(state->slug.slug.typid, &function, &state->parameter);
	fmgr_info_cxt(function, &state->read_slug, state->context);
}

/* Sets the slug, converted to the type of its column. */
static void
set_slug(DtRow *row, SlugState *state, const char *slug)
{
	Datum		value;

	if (!OidIsValid(state->read_slug.fn_oid))
		prepare_slug(state);
	value = InputFunctionCall(&state->read_slug, (char *) slug,
							  state->parameter, state->slug.slug.typmod);
	dtmodel_set_value(row, state->slug.slug.attnum, value, slug == NULL);
}

/*
 * A free slug of this base, reserved for the row; NULL without a base.
 */
static const char *
choose_slug(const DtRow *row, SlugState *state, const char *base,
			ItemPointer own, const char *current)
{
	return base == NULL ? NULL :
		dtmodel_choose_slug(choice_of(row, state), base, own, current);
}

/* Gives a row that is updated a slug of this base. */
static void
make_slug(DtRow *row, SlugState *state, const char *base)
{
	if (!dtmodel_hold_row(row))
		return;
	set_slug(row, state, choose_slug(row, state, base, dtmodel_old_tid(row),
									 old_slug_of(row, state)));
}

/* Forgets what the row before this one had. */
static void
begin_row(SlugState *state)
{
	resetStringInfo(&state->made);
	if (state->choice != NULL)
		dtmodel_end_reservation(state->choice);
}

/*
 * Gives a new row a slug unless it has one.  The slug is noted for an INSERT
 * that continues as an UPDATE, where it is the slug of EXCLUDED.
 */
static void
name_new_row(DtRow *row, void *argument)
{
	SlugState  *state = argument;
	const char *slug = new_slug_of(row, state);

	begin_row(state);
	if (slug != NULL)
	{
		dtmodel_reserve_slug(choice_of(row, state), slug);
		return;
	}
	slug = choose_slug(row, state, new_base_of(row, state), NULL, NULL);
	if (slug != NULL)
		appendStringInfoString(&state->made, slug);
	set_slug(row, state, slug);
}

/*
 * Whether the row is restored.  Either of its two columns may say so; the
 * other one will follow.
 */
static bool
is_restored(const DtRow *row, const SlugState *state)
{
	bool		has_no_time;

	if (!state->has_soft_delete ||
		!dtmodel_was_deleted(&state->soft_delete, row))
		return false;
	(void) dtmodel_new_value(row, state->soft_delete.deleted_at.attnum,
							 &has_no_time);
	return has_no_time || !dtmodel_becomes_deleted(&state->soft_delete, row);
}

/* A restored row keeps its slug, unless a live row has it now. */
static void
name_restored_row(DtRow *row, SlugState *state)
{
	const char *slug = new_slug_of(row, state);
	const char *base = new_base_of(row, state);
	size_t		length = base == NULL ? 0 : strlen(base);

	if (dtmodel_reserve_free_slug(choice_of(row, state), slug, dtmodel_old_tid(row)))
		return;

	/*
	 * A slug made from the source gets the next number, instead of a second
	 * one.
	 */
	if (base == NULL || strncmp(slug, base, length) != 0 ||
		(slug[length] != '\0' && slug[length] != '-'))
		base = slug;
	make_slug(row, state, base);
}

/* Whether the source would now give another slug than before. */
static bool
source_moved(const DtRow *row, SlugState *state, const char **base)
{
	const char *old_base;

	if (!state->slug.on_update ||
		!dtmodel_may_change(row, state->slug.source.attnum))
		return false;
	old_base = old_base_of(row, state);
	*base = new_base_of(row, state);
	return *base != NULL &&
		(old_base == NULL || strcmp(*base, old_base) != 0);
}

/*
 * Whether the row has a slug and keeps it.  Most updates do not change slugs,
 * and this keeps their cost low.
 */
static bool
same_slug(const DtRow *row, const SlugState *state)
{
	AttrNumber	attnum = state->slug.slug.attnum;
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value = dtmodel_old_value(row, attnum, &old_isnull);
	Datum		new_value = dtmodel_new_value(row, attnum, &new_isnull);

	return !old_isnull && !new_isnull &&
		VARSIZE_ANY_EXHDR(DatumGetPointer(new_value)) > 0 &&
		(old_value == new_value ||
		 datum_image_eq(old_value, new_value, false, -1));
}

static SlugChange
read_change(const DtRow *row, const SlugState *state, bool excluded)
{
	SlugChange	change;

	change.old_slug = old_slug_of(row, state);
	change.new_slug = given_slug(row, state);
	change.asked_for = change.new_slug != NULL && change.new_slug[0] == '\0';
	if (change.asked_for || excluded)
		change.new_slug = NULL;
	return change;
}

/*
 * Whether the slug is that of EXCLUDED, which we made for a row that was not
 * inserted: then the client has not given one.
 */
static bool
is_excluded(const DtRow *row, const SlugState *state)
{
	const char *slug;

	if (state->made.len == 0)
		return false;
	slug = new_slug_of(row, state);
	return slug != NULL && strcmp(slug, state->made.data) == 0 &&
		!dtmodel_slug_is_taken(state->choice, slug);
}

/* For the UPDATE of new_slug(). */
static void
rename_row(DtRow *row, SlugState *state)
{
	const char *base = new_base_of(row, state);

	if (base != NULL || new_slug_of(row, state) == NULL)
		make_slug(row, state, base);
}

/*
 * Gives the row a slug if it needs one.  Returns whether it keeps the one that
 * it had.
 */
static bool
keep_or_make_slug(DtRow *row, SlugState *state, bool excluded)
{
	SlugChange	change = read_change(row, state, excluded);
	bool		makes = change.old_slug == NULL || change.asked_for;
	const char *base;

	if (change.new_slug != NULL)
	{
		dtmodel_reserve_slug(choice_of(row, state), change.new_slug);
		return false;
	}
	base = makes ? new_base_of(row, state) : NULL;
	if (base != NULL || change.old_slug == NULL)
	{
		make_slug(row, state, base);
		return false;
	}
	set_slug(row, state, change.old_slug);
	return true;
}

static void
name_changed_row(DtRow *row, void *argument)
{
	SlugState  *state = argument;
	bool		excluded = is_excluded(row, state);
	const char *base;

	begin_row(state);
	if (state->is_new_slug)
		rename_row(row, state);
	else if (!same_slug(row, state) &&
			 !keep_or_make_slug(row, state, excluded))
		return;
	else if (source_moved(row, state, &base))
		make_slug(row, state, base);
	else if (is_restored(row, state))
		name_restored_row(row, state);
}

/*
 * An UPDATE that does not give rows other slugs.  Otherwise the row must be
 * locked first: sessions that update a row and take a slug would wait for each
 * other.  An INSERT that continues as an UPDATE needs the state that both
 * triggers share.
 */
static bool
may_project(const DtModel *model, const Bitmapset *updated)
{
	const DtSlug *slug = dtmodel_slug_of(model);
	const DtSoftDelete *soft_delete = dtmodel_soft_delete_of(model);

	return slug != NULL &&
		!bms_is_member(slug->slug.attnum, updated) &&
		!(slug->on_update && bms_is_member(slug->source.attnum, updated)) &&
		(soft_delete == NULL || dtmodel_keeps_marks(soft_delete, updated));
}

const DtRowAction dtmodel_slug_action = {
	.function = "slug_trigger",
	.events = DT_ON_INSERT | DT_ON_UPDATE,
	.make_state = make_state,
	.insert = name_new_row,
	.update = name_changed_row,
	.may_project = may_project,
};

/*
 * slug_trigger() returns trigger
 *
 * BEFORE INSERT OR UPDATE, FOR EACH ROW.  Its arguments, each "key=value":
 * source (the name of a column of any type), slug (the name of a column of
 * type text, character varying, or a domain over one of them), max_length,
 * on_update ("true" for slugs that follow their source).
 *
 * A row without a slug gets the slug of its source, with the first number
 * that makes it unique among live rows: -2, -3 and so on.  So does a row that
 * is updated with an empty slug; with NULL it keeps the one that it has, and
 * also if its source has no letters or digits.  A slug that is given stays as
 * it is, and a duplicate is the index's error (23505).  A row that is
 * restored keeps its slug if no live row has it, and otherwise gets the next
 * number.  A column that does not exist (42703) or has another type (42804)
 * is an error, and so is a missing index (55000).
 *
 * Source: SlugMixin of the reference document sqlalchemy-conventions.
 */
Datum
dtmodel_slug_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_slug_action);
}
