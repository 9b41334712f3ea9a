/*-------------------------------------------------------------------------
 *
 * difference.c
 *	  What differs between two versions of a row, as columns and as JSON.
 *
 * The columns are those of get_modified_keys() that have a past, without those
 * that mixins stamp in every change.  The JSON is a list of the rows that
 * jsonb_changes() returns for the two versions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/history/difference.h"
#include "catalog/pg_type.h"
#include "json/diff.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"

/* The values of a row. */
typedef struct RowValues
{
	Datum	   *values;
	bool	   *nulls;
} RowValues;

/* One place at which the documents differ. */
typedef struct Change
{
	uint32		depth;
	DtRawValue *path;
	bool		has_old;
	bool		has_new;
	DtRawValue	old_value;
	DtRawValue	new_value;
} Change;

/* The walk, and the changes that it has found. */
typedef struct ChangeList
{
	DtDiffWalk	walk;
	uint32		count;
	uint32		size;
	Change	   *changes;
} ChangeList;

/*
 * Generated columns depend on others, which are compared.
 */
static bool
is_compared(const DtPast *past, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(past->rel), attnum - 1);

	return AttributeNumberIsValid(past->map.places[attnum - 1]) &&
		att->attgenerated == '\0' && !dtmodel_is_stamped(past->rel, attnum);
}

DtComparison
dtmodel_prepare_comparison(const DtPast *past)
{
	DtComparison comparison = {.desc = RelationGetDescr(past->rel)};
	DtFields	fields = dtmodel_read_fields(comparison.desc);

	comparison.fields = palloc(sizeof(DtJsonField) * Max(fields.count, 1));
	for (int i = 0; i < fields.count; i++)
	{
		if (is_compared(past, fields.fields[i].attnum))
			dtmodel_init_json_field(&comparison.fields[comparison.count++],
									&fields.fields[i]);
	}
	return comparison;
}

static RowValues
read_row(HeapTuple row, TupleDesc desc)
{
	RowValues	result = {
		.values = palloc(sizeof(Datum) * desc->natts),
		.nulls = palloc(sizeof(bool) * desc->natts),
	};

	heap_deform_tuple(row, desc, result.values, result.nulls);
	return result;
}

static bool
differs(Form_pg_attribute att, const RowValues *a, const RowValues *b)
{
	int			i = att->attnum - 1;

	if (a->nulls[i] || b->nulls[i])
		return a->nulls[i] != b->nulls[i];
	return !datum_image_eq(a->values[i], b->values[i], att->attbyval,
						   att->attlen);
}

/* The names of the columns, in the order of the table. */
static Datum
column_names(const Bitmapset *columns, TupleDesc desc)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(bms_num_members(columns), 1));
	int			count = 0;
	int			attnum = -1;

	while ((attnum = bms_next_member(columns, attnum)) >= 0)
		names[count++] = CStringGetTextDatum(NameStr(TupleDescAttr(desc, attnum - 1)->attname));
	return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

/* An object of the values in these columns. */
static DtRawValue
object_of(const DtComparison *comparison, const RowValues *row,
		  const Bitmapset *columns)
{
	DtRawBuffer buffer;
	DtRawWriter writer;

	dtmodel_begin_document(&buffer, 256);
	dtmodel_write_container(&writer, &buffer, JB_FOBJECT, bms_num_members(columns));
	for (int i = 0; i < comparison->count; i++)
	{
		DtRawValue	key = dtmodel_field_key(&comparison->fields[i].field);

		if (bms_is_member(comparison->fields[i].field.attnum, columns))
			dtmodel_write_value(&writer, &key);
	}
	for (int i = 0; i < comparison->count; i++)
	{
		AttrNumber	attnum = comparison->fields[i].field.attnum;

		if (!bms_is_member(attnum, columns))
			continue;
		if (row->nulls[attnum - 1])
			dtmodel_write_entry(&writer, JENTRY_ISNULL);
		else
			dtmodel_write_field(&writer, &comparison->fields[i],
								row->values[attnum - 1]);
	}
	return dtmodel_raw_root(dtmodel_finish_document(&buffer));
}

static Change *
add_change(ChangeList *list)
{
	if (list->count == list->size)
	{
		list->size *= 2;
		list->changes = repalloc(list->changes, sizeof(Change) * list->size);
	}
	return &list->changes[list->count++];
}

/* Lists are compared as wholes, so all steps are keys. */
static void
set_path(Change *change, const DtDiffStep *at)
{
	change->depth = 0;
	for (const DtDiffStep *step = at; step != NULL; step = step->up)
		change->depth++;
	change->path = palloc(sizeof(DtRawValue) * Max(change->depth, 1));
	for (uint32 i = change->depth; i > 0; at = at->up)
		change->path[--i] = at->key;
}

static void
report(DtDiffWalk *walk, DtDiffStep *at, const DtRawValue *old_value,
	   const DtRawValue *new_value)
{
	Change	   *change = add_change((ChangeList *) walk);

	set_path(change, at);
	change->has_old = old_value != NULL;
	change->has_new = new_value != NULL;
	if (change->has_old)
		change->old_value = *old_value;
	if (change->has_new)
		change->new_value = *new_value;
}

static void
write_string(DtRawWriter *writer, const char *string)
{
	DtRawValue	value = dtmodel_raw_string(string, strlen(string));

	dtmodel_write_value(writer, &value);
}

static void
write_path(DtRawWriter *parent, const Change *change)
{
	DtRawWriter writer;

	dtmodel_write_container(&writer, parent->buffer, JB_FARRAY, change->depth);
	for (uint32 i = 0; i < change->depth; i++)
		dtmodel_write_value(&writer, &change->path[i]);
	dtmodel_write_entry(parent, JENTRY_ISCONTAINER);
}

/* Writes one change; its keys are in the order in which jsonb keeps them. */
static void
write_change(DtRawWriter *parent, const Change *change)
{
	DtRawWriter writer;

	dtmodel_write_container(&writer, parent->buffer, JB_FOBJECT,
							2 + change->has_old + change->has_new);
	write_string(&writer, "op");
	write_string(&writer, "path");
	if (change->has_new)
		write_string(&writer, "new_value");
	if (change->has_old)
		write_string(&writer, "old_value");
	write_string(&writer, !change->has_old ? "add" :
				 !change->has_new ? "remove" : "replace");
	write_path(&writer, change);
	if (change->has_new)
		dtmodel_write_value(&writer, &change->new_value);
	if (change->has_old)
		dtmodel_write_value(&writer, &change->old_value);
	dtmodel_write_entry(parent, JENTRY_ISCONTAINER);
}

static Datum
changes_of(const DtRawValue *old_object, const DtRawValue *new_object)
{
	ChangeList	list = {
		.walk = {
			.report = report,
			.compare_lists = dtmodel_diff_lists_as_wholes,
		},
		.size = 8,
	};
	DtRawBuffer buffer;
	DtRawWriter writer;

	list.changes = palloc(sizeof(Change) * list.size);
	dtmodel_diff_values(&list.walk, NULL, old_object, new_object);
	dtmodel_begin_document(&buffer, 256);
	dtmodel_write_container(&writer, &buffer, JB_FARRAY, list.count);
	for (uint32 i = 0; i < list.count; i++)
		write_change(&writer, &list.changes[i]);
	return JsonbPGetDatum(dtmodel_finish_document(&buffer));
}

/* Compares two rows of the model. */
DtDifference
dtmodel_compare_versions(const DtComparison *comparison, HeapTuple old_row,
						 HeapTuple new_row)
{
	RowValues	old_values = read_row(old_row, comparison->desc);
	RowValues	new_values = read_row(new_row, comparison->desc);
	Bitmapset  *columns = NULL;
	DtRawValue	old_object;
	DtRawValue	new_object;
	DtDifference difference;

	for (int i = 0; i < comparison->count; i++)
	{
		AttrNumber	attnum = comparison->fields[i].field.attnum;

		if (differs(TupleDescAttr(comparison->desc, attnum - 1), &old_values,
					&new_values))
			columns = bms_add_member(columns, attnum);
	}
	old_object = object_of(comparison, &old_values, columns);
	new_object = object_of(comparison, &new_values, columns);
	difference.columns = column_names(columns, comparison->desc);
	difference.changes = changes_of(&old_object, &new_object);
	return difference;
}
