/*-------------------------------------------------------------------------
 *
 * record_diff.c
 *	  What differs between two versions of a row.
 *
 * Values are compared byte by byte, as for updated_at: 1.0 to 1.00 is a
 * change that a reader can see.  Stored bytes are compared first, so that a
 * value that is stored out of line and was not changed is not fetched.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "json/diff.h"
#include "mixin/settings/settings.h"
#include "server/record.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"

PG_FUNCTION_INFO_V1(dtmodel_get_modified_keys);
PG_FUNCTION_INFO_V1(dtmodel_get_changes);

/* Two versions of a row; one of them may be missing. */
typedef struct Versions
{
	bool		has_old;
	bool		has_new;
	DtRecord	old_row;
	DtRecord	new_row;
	TupleDesc	desc;			/* of either */
} Versions;

static void
report_other_row(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the rows are of different types"),
			 errdetail("%s", detail),
			 errhint("Pass two versions of one row, such as OLD and NEW in a trigger.")));
}

static char *
column_text(Form_pg_attribute att)
{
	return att->attisdropped ? "a dropped column" :
		psprintf("column \"%s\" of type %s", NameStr(att->attname),
				 format_type_be(att->atttypid));
}

/*
 * Rows of one type usually share its descriptor.  Others are compared by
 * their columns: anonymous row types all have the same number, and a row may
 * be from before its table was altered.
 */
static void
check_same_columns(const Versions *versions)
{
	TupleDesc	a = versions->old_row.desc;
	TupleDesc	b = versions->new_row.desc;

	if (a == b)
		return;
	if (a->natts != b->natts)
		report_other_row(psprintf("The old one has %d columns, the new one has %d.",
								  a->natts, b->natts));
	for (int i = 0; i < a->natts; i++)
	{
		Form_pg_attribute x = TupleDescAttr(a, i);
		Form_pg_attribute y = TupleDescAttr(b, i);

		if (x->atttypid != y->atttypid || x->attisdropped != y->attisdropped ||
			strcmp(NameStr(x->attname), NameStr(y->attname)) != 0)
			report_other_row(psprintf("The old one has %s, the new one %s.",
									  column_text(x), column_text(y)));
	}
}

static Versions
open_versions(FunctionCallInfo fcinfo)
{
	Versions	versions = {
		.has_old = !PG_ARGISNULL(0),
		.has_new = !PG_ARGISNULL(1),
	};

	if (versions.has_old)
		dtmodel_open_record(PG_GETARG_DATUM(0), &versions.old_row);
	if (versions.has_new)
		dtmodel_open_record(PG_GETARG_DATUM(1), &versions.new_row);
	if (versions.has_old && versions.has_new)
		check_same_columns(&versions);
	versions.desc = versions.has_new ? versions.new_row.desc :
		versions.old_row.desc;
	return versions;
}

static void
close_versions(Versions *versions)
{
	if (versions->has_old)
		dtmodel_close_record(&versions->old_row);
	if (versions->has_new)
		dtmodel_close_record(&versions->new_row);
}

/* Whether the value is stored in line and not compressed. */
static inline bool
is_plain(const char *value)
{
	return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
}

/* Whether two values, neither of them null, are the same. */
static inline bool
same_value(Form_pg_attribute att, Datum a, Datum b)
{
	if (att->attbyval)
		return a == b;
	if (att->attlen == -1)
	{
		char	   *x = DatumGetPointer(a);
		char	   *y = DatumGetPointer(b);
		Size		length;

		if (x == y)
			return true;
		length = VARSIZE_ANY(x);
		if (length == VARSIZE_ANY(y) && memcmp(x, y, length) == 0)
			return true;
		/* The same bytes may be stored in another form; here they are not. */
		if (is_plain(x) && is_plain(y) &&
			VARATT_IS_SHORT(x) == VARATT_IS_SHORT(y))
			return false;
	}
	return datum_image_eq(a, b, att->attbyval, att->attlen);
}

static inline bool
is_null(bool there, const DtRecord *row, int i)
{
	return !there || row->nulls[i];
}

/*
 * Whether a column differs.  Generated columns are not compared: before an
 * UPDATE they are not computed yet, and they depend on columns that are
 * compared.
 */
static bool
is_modified(const Versions *versions, int i)
{
	Form_pg_attribute att = TupleDescAttr(versions->desc, i);
	bool		old_isnull = is_null(versions->has_old, &versions->old_row, i);
	bool		new_isnull = is_null(versions->has_new, &versions->new_row, i);

	if (att->attisdropped || att->attgenerated != '\0')
		return false;
	if (old_isnull || new_isnull)
		return old_isnull != new_isnull;
	return !same_value(att, versions->old_row.values[i],
					   versions->new_row.values[i]);
}

static Datum
column_name(const Versions *versions, int i)
{
	return CStringGetTextDatum(NameStr(TupleDescAttr(versions->desc, i)->attname));
}

/*
 * get_modified_keys(old record, new record) returns text[]
 *
 * The columns that differ between two versions of a row, in their order.
 * NULL stands for a row whose columns are all NULL.  Rows of different types
 * are an error (42804).
 *
 * Source: get_modified_keys of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_get_modified_keys(PG_FUNCTION_ARGS)
{
	Versions	versions = open_versions(fcinfo);
	Datum	   *names;
	int			count = 0;

	if (versions.desc == NULL)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	names = palloc(sizeof(Datum) * Max(versions.desc->natts, 1));
	for (int i = 0; i < versions.desc->natts; i++)
	{
		if (is_modified(&versions, i))
			names[count++] = column_name(&versions, i);
	}
	close_versions(&versions);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

/* The settings of one version as a document; {} if there are none. */
static Datum
settings_of(bool there, const DtRecord *row, int i)
{
	return is_null(there, row, i) ?
		JsonbPGetDatum(dtmodel_raw_document(&dtmodel_raw_empty_object)) :
		row->values[i];
}

/* Appends the paths at which the settings differ. */
static int
append_setting_paths(const Versions *versions, const DtSettings *settings,
					 Datum **names, int count)
{
	const char *prefix = settings->combined ? "" :
		NameStr(settings->column.name);
	int			i = settings->column.attnum - 1;
	Datum		paths;
	Datum	   *elements;
	int			more;

	paths = DirectFunctionCall4(dtmodel_get_difference_between_dictionaries,
								settings_of(versions->has_old, &versions->old_row, i),
								settings_of(versions->has_new, &versions->new_row, i),
								CStringGetTextDatum(prefix), BoolGetDatum(false));
	deconstruct_array(DatumGetArrayTypeP(paths), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, NULL, &more);
	*names = repalloc(*names, sizeof(Datum) * (versions->desc->natts + more));
	memcpy(*names + count, elements, sizeof(Datum) * more);
	return count + more;
}

/*
 * get_changes(old record, new record) returns text[]
 *
 * The same as get_modified_keys, but with the paths at which the settings
 * differ instead of their column: theme, notifications.sms; on a model whose
 * settings are not combined with its columns, settings.theme.
 */
Datum
dtmodel_get_changes(PG_FUNCTION_ARGS)
{
	Versions	versions = open_versions(fcinfo);
	const DtSettings *settings;
	Datum	   *names;
	int			count = 0;

	if (versions.desc == NULL)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	settings = dtmodel_settings_of_rows(versions.desc);
	names = palloc(sizeof(Datum) * Max(versions.desc->natts, 1));
	for (int i = 0; i < versions.desc->natts; i++)
	{
		if (!is_modified(&versions, i))
			continue;
		if (settings != NULL && i + 1 == settings->column.attnum)
			count = append_setting_paths(&versions, settings, &names, count);
		else
			names[count++] = column_name(&versions, i);
	}
	close_versions(&versions);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, count, TEXTOID, -1, false,
										  TYPALIGN_INT));
}
