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

#include "access/htup_details.h"
#include "dtmodel.h"
#include "mixin/slug/mixin.h"
#include "mixin/slug/slug.h"
#include "mixin/slug/slugify.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/row_trigger.h"
#include "model/stamp.h"
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
make_state(const TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
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
choice_of(const TriggerData *trigdata, SlugState *state)
{
	if (state->choice == NULL)
		state->choice = dtmodel_begin_slug_choice(trigdata->tg_relation,
												  &state->slug, state->context);
	return state->choice;
}

/* The row's slug, as it is stored. */
static const char *
stored_slug(const TriggerData *trigdata, HeapTuple row, const SlugState *state)
{
	bool		isnull;
	Datum		value = heap_getattr(row, state->slug.slug.attnum,
									 RelationGetDescr(trigdata->tg_relation),
									 &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* The row's slug; NULL if it has none or an empty one. */
static const char *
slug_of(const TriggerData *trigdata, HeapTuple row, const SlugState *state)
{
	const char *slug = stored_slug(trigdata, row, state);

	return slug == NULL || slug[0] == '\0' ? NULL : slug;
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
 * The slug made from the row's source; NULL if that has no letters or digits.
 */
static const char *
base_of(const TriggerData *trigdata, HeapTuple row, SlugState *state)
{
	bool		isnull;
	Datum		value = heap_getattr(row, state->slug.source.attnum,
									 RelationGetDescr(trigdata->tg_relation),
									 &isnull);
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

static void
prepare_slug(SlugState *state)
{
	Oid			function;

	getTypeInputInfo(state->slug.slug.typid, &function, &state->parameter);
	fmgr_info_cxt(function, &state->read_slug, state->context);
}

/* Stores a slug, converted to the type of its column. */
static HeapTuple
store_slug(const TriggerData *trigdata, HeapTuple row, SlugState *state,
		   const char *slug)
{
	Datum		value;

	if (!OidIsValid(state->read_slug.fn_oid))
		prepare_slug(state);
	value = InputFunctionCall(&state->read_slug, (char *) slug,
							  state->parameter, state->slug.slug.typmod);
	return dtmodel_store_column(trigdata, row, state->slug.slug.attnum, value,
								slug == NULL);
}

/* A free slug of this base, reserved for the row; NULL without a base. */
static const char *
choose_slug(const TriggerData *trigdata, SlugState *state, const char *base)
{
	HeapTuple	old_row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_trigtuple : NULL;

	if (base == NULL)
		return NULL;
	return old_row == NULL ?
		dtmodel_choose_slug(choice_of(trigdata, state), base, NULL, NULL) :
		dtmodel_choose_slug(choice_of(trigdata, state), base, &old_row->t_self,
							slug_of(trigdata, old_row, state));
}

static HeapTuple
make_slug(const TriggerData *trigdata, HeapTuple row, SlugState *state,
		  const char *base)
{
	return store_slug(trigdata, row, state,
					  choose_slug(trigdata, state, base));
}

/*
 * Gives a new row a slug unless it has one.  The slug is noted for an INSERT
 * that continues as an UPDATE, where it is the slug of EXCLUDED.
 */
static HeapTuple
name_new_row(const TriggerData *trigdata, HeapTuple row, SlugState *state)
{
	const char *slug = slug_of(trigdata, row, state);

	if (slug != NULL)
	{
		dtmodel_reserve_slug(choice_of(trigdata, state), slug);
		return row;
	}
	slug = choose_slug(trigdata, state, base_of(trigdata, row, state));
	if (slug != NULL)
		appendStringInfoString(&state->made, slug);
	return store_slug(trigdata, row, state, slug);
}

/*
 * Whether the row is restored.  Either of its two columns may say so; the
 * other one will follow.
 */
static bool
is_restored(const TriggerData *trigdata, HeapTuple row, const SlugState *state)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);

	return state->has_soft_delete &&
		dtmodel_is_deleted(&state->soft_delete, trigdata->tg_trigtuple, desc) &&
		(!dtmodel_is_deleted(&state->soft_delete, row, desc) ||
		 heap_attisnull(row, state->soft_delete.deleted_at.attnum, desc));
}

/* A restored row keeps its slug, unless a live row has it now. */
static HeapTuple
name_restored_row(const TriggerData *trigdata, HeapTuple row, SlugState *state)
{
	const char *slug = slug_of(trigdata, row, state);
	const char *base = base_of(trigdata, row, state);
	size_t		length = base == NULL ? 0 : strlen(base);

	if (dtmodel_reserve_free_slug(choice_of(trigdata, state), slug,
								  &trigdata->tg_trigtuple->t_self))
		return row;

	/*
	 * A slug made from the source gets the next number, instead of a second
	 * one.
	 */
	if (base == NULL || strncmp(slug, base, length) != 0 ||
		(slug[length] != '\0' && slug[length] != '-'))
		base = slug;
	return make_slug(trigdata, row, state, base);
}

/* Whether the source would now give another slug than before. */
static bool
source_moved(const TriggerData *trigdata, HeapTuple row, SlugState *state,
			 const char **base)
{
	const char *old_base;

	if (!state->slug.on_update)
		return false;
	old_base = base_of(trigdata, trigdata->tg_trigtuple, state);
	*base = base_of(trigdata, row, state);
	return *base != NULL &&
		(old_base == NULL || strcmp(*base, old_base) != 0);
}

/*
 * Whether the row has a slug and keeps it.  Most updates do not change slugs,
 * and this keeps their cost low.
 */
static bool
same_slug(const TriggerData *trigdata, HeapTuple row, const SlugState *state)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	AttrNumber	attnum = state->slug.slug.attnum;
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value = heap_getattr(trigdata->tg_trigtuple, attnum, desc,
										 &old_isnull);
	Datum		new_value = heap_getattr(row, attnum, desc, &new_isnull);

	return !old_isnull && !new_isnull &&
		VARSIZE_ANY_EXHDR(DatumGetPointer(new_value)) > 0 &&
		datum_image_eq(old_value, new_value, false, -1);
}

static SlugChange
read_change(const TriggerData *trigdata, HeapTuple row, const SlugState *state,
			bool excluded)
{
	SlugChange	change;

	change.old_slug = slug_of(trigdata, trigdata->tg_trigtuple, state);
	change.new_slug = stored_slug(trigdata, row, state);
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
is_excluded(const TriggerData *trigdata, HeapTuple row, const SlugState *state)
{
	const char *slug;

	if (state->made.len == 0 || !TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return false;
	slug = slug_of(trigdata, row, state);
	return slug != NULL && strcmp(slug, state->made.data) == 0 &&
		!dtmodel_slug_is_taken(state->choice, slug);
}

static HeapTuple
name_changed_row(const TriggerData *trigdata, HeapTuple row, SlugState *state,
				 bool excluded)
{
	const char *base;

	if (state->is_new_slug)
	{
		base = base_of(trigdata, row, state);
		return base == NULL && slug_of(trigdata, row, state) != NULL ? row :
			make_slug(trigdata, row, state, base);
	}
	if (!same_slug(trigdata, row, state))
	{
		SlugChange	change = read_change(trigdata, row, state, excluded);
		bool		makes = change.old_slug == NULL || change.asked_for;

		if (change.new_slug != NULL)
		{
			dtmodel_reserve_slug(choice_of(trigdata, state), change.new_slug);
			return row;
		}
		base = makes ? base_of(trigdata, row, state) : NULL;
		if (base != NULL || change.old_slug == NULL)
			return make_slug(trigdata, row, state, base);
		row = store_slug(trigdata, row, state, change.old_slug);
	}
	if (source_moved(trigdata, row, state, &base))
		return make_slug(trigdata, row, state, base);
	if (is_restored(trigdata, row, state))
		return name_restored_row(trigdata, row, state);
	return row;
}

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
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "slug_trigger",
												DT_ON_INSERT | DT_ON_UPDATE);
	HeapTuple	row = dtmodel_new_row(trigdata);
	SlugState  *state = dtmodel_trigger_state(fcinfo, make_state);
	bool		excluded = is_excluded(trigdata, row, state);

	resetStringInfo(&state->made);
	if (state->choice != NULL)
		dtmodel_end_reservation(state->choice);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(name_new_row(trigdata, row, state));
	return PointerGetDatum(name_changed_row(trigdata, row, state, excluded));
}
