/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  The settings mixin: a jsonb column of named settings, which is checked
 *	  when it is written and completed with defaults when it is read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "json/object.h"
#include "mixin/settings/mixin.h"
#include "mixin/settings/settings.h"
#include "model/key.h"
#include "model/mixin_call.h"
#include "model/row_call.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "model/shown_key.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The stored settings of a row. */
typedef struct StoredSettings
{
	Datum		value;
	bool		isnull;
	bool		is_fetched;
	DtRawValue	document;		/* the value, once it was fetched */
} StoredSettings;

PG_FUNCTION_INFO_V1(dtmodel_settings_trigger);
PG_FUNCTION_INFO_V1(dtmodel_settings);
PG_FUNCTION_INFO_V1(dtmodel_invalid_settings);

/* A copy of the table's options, with a column that was checked. */
DtSettings *
dtmodel_usable_settings(Relation rel)
{
	const DtSettings *settings = dtmodel_settings_of(dtmodel_get_model(rel));

	if (settings == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" has no settings",
						dtmodel_shown_name(rel)),
				 errhint("Call %s.add_settings(%s, ...).", DTMODEL_SCHEMA,
						 dtmodel_quoted_name(rel)),
				 errtable(rel)));
	dtmodel_check_mixin_columns(rel, &dtmodel_settings_mixin, settings);
	return dtmodel_copy_settings(settings);
}

/*
 * Changes the column to that of a live view, with the name that it has there.
 */
static void
show_settings(DtSettings *settings, const DtLiveView *view)
{
	DtColumn   *column = &settings->column;

	column->attnum = dtmodel_column_of_view(view, NameStr(column->name),
											column->attnum);
	column->name = TupleDescAttr(RelationGetDescr(view->rel),
								 column->attnum - 1)->attname;
}

/*
 * The same for rows of any type.  NULL if they are not rows of a table, if
 * the table has no settings, or if the rows are from before it had them.
 */
DtSettings *
dtmodel_settings_of_rows(TupleDesc desc)
{
	Oid			relid = get_typ_typrelid(desc->tdtypeid);
	DtLiveView *view = OidIsValid(relid) ? dtmodel_open_live_view(relid) : NULL;
	DtSettings *settings = NULL;
	Relation	rel;

	if (!OidIsValid(relid))
		return NULL;
	rel = relation_open(view == NULL ? relid : view->source.relid,
						AccessShareLock);
	if (rel->trigdesc != NULL && dtmodel_settings_of(dtmodel_get_model(rel)) != NULL)
		settings = dtmodel_usable_settings(rel);
	if (settings != NULL && view != NULL)
		show_settings(settings, view);
	dtmodel_close_live_view(view);
	relation_close(rel, AccessShareLock);
	return settings != NULL && dtmodel_has_column(desc, &settings->column) ?
		settings : NULL;
}

/*
 * Adds to an error the column and its CHECK, made by us or copied by LIKE, or
 * else our trigger.
 */
static int
errsettings(Relation rel, const DtSettings *settings)
{
	const char *name = dtmodel_find_settings_check(rel, &settings->column);

	if (name == NULL)
		name = dtmodel_find_trigger(rel, dtmodel_settings_mixin.triggers)->tgname;
	errtablecol(rel, settings->column.attnum);
	return err_generic_string(PG_DIAG_CONSTRAINT_NAME, name);
}

static bool
may_show_settings(Relation rel, const DtSettings *settings)
{
	return dtmodel_may_show(rel, 1, &settings->column.attnum);
}

static void
report_no_object(Relation rel, const DtSettings *settings, const DtRawValue *root)
{
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("settings of table \"%s\" must be an object",
					dtmodel_shown_name(rel)),
			 errdetail("Column \"%s\" was given %s.",
					   NameStr(settings->column.name), dtmodel_raw_kind(root)),
			 errhint("Store an object, or NULL for no settings."),
			 errsettings(rel, settings)));
}

static void
report_unknown_setting(Relation rel, const DtSettings *settings,
					   const DtRawValue *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 may_show_settings(rel, settings) ?
			 errmsg("unknown setting \"%.*s\" of table \"%s\"",
					(int) key->len, key->data, dtmodel_shown_name(rel)) :
			 errmsg("unknown setting of table \"%s\"",
					dtmodel_shown_name(rel)),
			 errdetail("Column \"%s\" can hold only the settings that were passed to %s.add_settings.",
					   NameStr(settings->column.name), DTMODEL_SCHEMA),
			 errhint("Name it in another call of %s.add_settings(%s, ...), or set on_unknown to \"ignore\" or \"allow\".",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errtablecol(rel, settings->column.attnum)));
}

static void
report_breach(Relation rel, const DtSettings *settings,
			  const DtRawMember *member, const DtRuleBreach *breach)
{
	Jsonb	   *value = dtmodel_raw_document(&member->value);
	char	   *shown = may_show_settings(rel, settings) ?
		JsonbToCString(NULL, &value->root, member->value.len) :
		(char *) dtmodel_raw_kind(&member->value);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("setting \"%.*s\" of table \"%s\" violates its rule",
					(int) member->key.len, member->key.data,
					dtmodel_shown_name(rel)),
			 errdetail("At %s.%.*s: expected %s %s, got %s.",
					   NameStr(settings->column.name),
					   (int) member->key.len, member->key.data,
					   breach->word, breach->expected, shown),
			 member->value.type == JENTRY_ISNULL ?
			 errhint("JSON null is a value. To remove the setting, pass %s.update {\"%s\": [{\"key\": \"%.*s\", \"remove\": true}]}, or subtract its name in SQL.",
					 DTMODEL_SCHEMA, NameStr(settings->column.name),
					 (int) member->key.len, member->key.data) :
			 errhint("Give another value, or change the schema: %s.add_settings(%s, ...).",
					 DTMODEL_SCHEMA, dtmodel_quoted_name(rel)),
			 errsettings(rel, settings)));
}

/*
 * Whether a setting may be stored: it does not break its rule, and the model
 * knows it or allows others.
 */
static bool
is_allowed(const DtSettings *settings, const DtRawMember *member)
{
	DtRawValue	rule;
	DtRuleBreach breach;

	if (!dtmodel_is_setting(settings, &member->key, &rule))
		return settings->on_unknown == DT_UNKNOWN_ALLOW;
	return !dtmodel_breaks_rule(&rule, &member->value, &breach);
}

/*
 * Raises an error for a setting that is not allowed, unless it is ignored.
 * False if the row has changed meanwhile.
 */
static bool
refuse_member(DtRow *row, const DtSettings *settings, const DtRawMember *member)
{
	DtRawValue	rule;
	DtRuleBreach breach;
	bool		is_breach = dtmodel_is_setting(settings, &member->key, &rule) &&
		dtmodel_breaks_rule(&rule, &member->value, &breach);

	if (!is_breach && settings->on_unknown != DT_UNKNOWN_ERROR)
		return true;
	if (!dtmodel_hold_row(row))
		return false;
	if (is_breach)
		report_breach(row->rel, settings, member, &breach);
	report_unknown_setting(row->rel, settings, &member->key);
	return false;
}

/*
 * The value of a setting that the row already has, if any.  The stored
 * settings are fetched once, when they are first needed.
 */
static bool
find_stored(StoredSettings *stored, const DtRawValue *key, DtRawValue *value)
{
	if (stored->isnull)
		return false;
	if (!stored->is_fetched)
		stored->document = dtmodel_raw_root(DatumGetJsonbP(stored->value));
	stored->is_fetched = true;
	return dtmodel_raw_is_object(&stored->document) &&
		dtmodel_raw_find(&stored->document, key, value, NULL);
}

/*
 * The object with only the settings to be stored, or NULL if those are all of
 * it.
 *
 * Stored settings of the row stay as they are: the rules may have changed
 * since they were stored, which is no reason to refuse an update of other
 * settings. A setting that is ignored keeps its old value.
 */
static Jsonb *
check_object(DtRow *row, const DtSettings *settings, const DtRawValue *root,
			 StoredSettings *stored)
{
	DtRawObjectWalk walk = dtmodel_raw_walk_object(root);
	DtRawMember *members = palloc(sizeof(DtRawMember) * Max(walk.left, 1));
	uint32		kept = 0;
	bool		is_other = false;

	while (dtmodel_raw_next_member(&walk, &members[kept]))
	{
		DtRawMember *member = &members[kept];
		DtRawValue	value;
		bool		is_stored;

		if (is_allowed(settings, member))
		{
			kept++;
			continue;
		}
		is_stored = find_stored(stored, &member->key, &value);
		if (!is_stored || !dtmodel_raw_equal(&value, &member->value))
		{
			if (!refuse_member(row, settings, member))
				return NULL;
			is_other = true;
		}
		if (is_stored)
			members[kept++].value = value;
	}
	return is_other ? dtmodel_make_object(members, kept) : NULL;
}

/* Whether the value is in the row as it is, with a header of either length. */
static bool
is_plain(Datum value)
{
	return !VARATT_IS_EXTERNAL(DatumGetPointer(value)) &&
		!VARATT_IS_COMPRESSED(DatumGetPointer(value));
}

/*
 * Whether both are stored with the same bytes, as after an UPDATE of other
 * columns.  For such an UPDATE this is the only cost.  A row that is projected
 * has longer headers than a stored one.
 */
static bool
is_same(const StoredSettings *a, const StoredSettings *b)
{
	Size		size;

	if (a->isnull || b->isnull)
		return a->isnull && b->isnull;
	if (is_plain(a->value) && is_plain(b->value))
	{
		size = VARSIZE_ANY_EXHDR(DatumGetPointer(a->value));
		return size == VARSIZE_ANY_EXHDR(DatumGetPointer(b->value)) &&
			memcmp(VARDATA_ANY(DatumGetPointer(a->value)),
				   VARDATA_ANY(DatumGetPointer(b->value)), size) == 0;
	}
	size = VARSIZE_ANY(DatumGetPointer(a->value));
	return size == VARSIZE_ANY(DatumGetPointer(b->value)) &&
		memcmp(DatumGetPointer(a->value), DatumGetPointer(b->value), size) == 0;
}

/* Checks the settings of the row that it did not have before. */
static void
check_row(DtRow *row, const DtSettings *settings, StoredSettings *stored)
{
	StoredSettings new_settings = {0};
	DtRawValue	root;
	Jsonb	   *kept;

	new_settings.value = dtmodel_new_value(row, settings->column.attnum,
										   &new_settings.isnull);
	if (new_settings.isnull || is_same(stored, &new_settings))
		return;
	root = dtmodel_raw_root(DatumGetJsonbP(new_settings.value));
	if (!dtmodel_raw_is_object(&root))
	{
		if (dtmodel_hold_row(row))
			report_no_object(row->rel, settings, &root);
		return;
	}
	kept = check_object(row, settings, &root, stored);
	if (kept != NULL)
		dtmodel_set_value(row, settings->column.attnum, JsonbPGetDatum(kept),
						  false);
}

/* A row that moves in has had settings in the other partition. */
static void
check_new_row(DtRow *row, void *argument)
{
	const DtSettings *settings = argument;
	StoredSettings stored = {.isnull = true};

	if (row->moves_in)
		stored.value = dtmodel_departed_value(row->fcinfo,
											  NameStr(settings->column.name),
											  &stored.isnull);
	check_row(row, settings, &stored);
}

static void
check_changed_row(DtRow *row, void *argument)
{
	const DtSettings *settings = argument;
	StoredSettings stored = {0};

	if (!dtmodel_may_change(row, settings->column.attnum))
		return;
	stored.value = dtmodel_old_value(row, settings->column.attnum, &stored.isnull);
	check_row(row, settings, &stored);
}

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	return dtmodel_usable_settings(rel);
}

const DtRowAction dtmodel_settings_action = {
	.function = "settings_trigger",
	.events = DT_ON_INSERT | DT_ON_UPDATE | DT_ON_DELETE,
	.only_assigned = true,
	.make_state = make_state,
	.insert = check_new_row,
	.update = check_changed_row,
};

/*
 * settings_trigger() returns trigger
 *
 * BEFORE INSERT OR UPDATE, and DELETE on a partitioned table, FOR EACH ROW.
 * Its arguments, each "key=value": settings (the name of a jsonb column),
 * valid_settings (an array of names), combined ("false" for settings that are
 * not keys beside the columns), on_unknown ("ignore" or "allow"), schema (a
 * JSON object with the rules of settings).
 *
 * Settings that are not an object (23514), a setting that is not valid
 * (22023) and a value that violates its rule (23514) are errors; on_unknown
 * "ignore" keeps the old value of a setting that is not valid, "allow" stores
 * the new one.  NULL means no settings.  An UPDATE is checked for the
 * settings that it changes, including changes by earlier triggers.  Stored
 * settings stay even if the rules have changed, also when the row moves to
 * another partition.
 *
 * Source: ConfigurableMixin of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_settings_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_settings_action);
}

/*
 * The names of the settings that could not be stored as they are; the name of
 * the column if they are not an object.
 */
List *
dtmodel_invalid_settings_of(const DtSettings *settings, const Jsonb *stored)
{
	DtRawValue	root = dtmodel_raw_root(stored);
	DtRawObjectWalk walk;
	DtRawMember member;
	List	   *names = NIL;

	if (!dtmodel_raw_is_object(&root))
		return list_make1(pstrdup(NameStr(settings->column.name)));
	walk = dtmodel_raw_walk_object(&root);
	while (dtmodel_raw_next_member(&walk, &member))
	{
		if (!is_allowed(settings, &member))
			names = lappend(names, pnstrdup(member.key.data, member.key.len));
	}
	return names;
}

/*
 * The settings as users read them: the stored ones, and the defaults of the
 * others.
 */
Jsonb *
dtmodel_effective_settings(const DtSettings *settings, Jsonb *stored)
{
	DtRawValue	root = stored != NULL ? dtmodel_raw_root(stored) : dtmodel_raw_empty_object;
	DtRawValue	defaults;

	if (!dtmodel_raw_is_object(&root))
		root = dtmodel_raw_empty_object;
	if (settings->defaults == NULL)
		return dtmodel_raw_document(&root);
	defaults = dtmodel_raw_root(settings->defaults);
	return dtmodel_object_with_defaults(&root, &defaults);
}

/*
 * The stored settings of the row in the function's argument, which is of a
 * table or of a live view; NULL if it has none.  "settings" is set to the
 * table's options.
 */
static Jsonb *
settings_argument(FunctionCallInfo fcinfo, DtSettings **settings)
{
	DtRowCall	call = dtmodel_begin_showing_call(fcinfo, AccessShareLock);
	bool		isnull;
	Datum		value;

	*settings = dtmodel_usable_settings(call.rel);
	if (call.view != NULL)
		show_settings(*settings, call.view);
	value = GetAttributeByNum(PG_GETARG_HEAPTUPLEHEADER(0),
							  (*settings)->column.attnum, &isnull);
	dtmodel_close_row_call(&call);
	return isnull ? NULL : DatumGetJsonbP(value);
}

/*
 * settings(instance anyelement) returns jsonb
 *
 * The settings of a row, with defaults for those that it lacks.  NULL for
 * NULL; a row without settings has the defaults.
 */
Datum
dtmodel_settings(PG_FUNCTION_ARGS)
{
	DtSettings *settings;
	Jsonb	   *stored = settings_argument(fcinfo, &settings);

	PG_RETURN_JSONB_P(dtmodel_effective_settings(settings, stored));
}

/*
 * invalid_settings(instance anyelement) returns text[]
 *
 * The names of the row's settings that could not be stored as they are: those
 * that are not valid, and those that break their rules.  They were stored
 * under earlier rules.  Empty if there are none, NULL for NULL.
 */
Datum
dtmodel_invalid_settings(PG_FUNCTION_ARGS)
{
	DtSettings *settings;
	Jsonb	   *stored = settings_argument(fcinfo, &settings);
	List	   *names = stored == NULL ? NIL :
		dtmodel_invalid_settings_of(settings, stored);
	Datum	   *elements;
	ListCell   *cell;

	elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	foreach(cell, names)
		elements[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, list_length(names), TEXTOID,
										  -1, false, TYPALIGN_INT));
}
