/*-------------------------------------------------------------------------
 *
 * changes.c
 *	  The difference of two jsonb documents as rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "json/diff.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define CHANGES_COLUMNS 4

/*
 * The rows found so far, and the walk that adds to them.
 */
typedef struct ChangeRows
{
	DtDiffWalk	walk;
	Tuplestorestate *store;
	TupleDesc	row_type;
	MemoryContext per_row;
} ChangeRows;

PG_FUNCTION_INFO_V1(dtmodel_jsonb_changes);

static Datum
step_text(DtDiffStep *step)
{
	if (step->key.data != NULL)
		return PointerGetDatum(cstring_to_text_with_len(step->key.data,
														step->key.len));
	return PointerGetDatum(cstring_to_text(psprintf("%u", step->index)));
}

/*
 * The path of a place as an array of keys and element numbers.
 */
static ArrayType *
path_array(DtDiffStep *at)
{
	DtDiffStep *step;
	int			depth = 0;
	int			i;
	Datum	   *path;

	for (step = at; step != NULL; step = step->up)
		depth++;
	path = palloc(Max(depth, 1) * sizeof(Datum));
	for (step = at, i = depth; step != NULL; step = step->up)
		path[--i] = step_text(step);
	return construct_array(path, depth, TEXTOID, -1, false, TYPALIGN_INT);
}

static void
report_row(DtDiffWalk *walk, DtDiffStep *at,
		   const DtRawValue *old_value, const DtRawValue *new_value)
{
	ChangeRows *rows = (ChangeRows *) walk;
	MemoryContext before = MemoryContextSwitchTo(rows->per_row);
	const char *op = old_value == NULL ? "add" :
		new_value == NULL ? "remove" : "replace";
	Datum		values[CHANGES_COLUMNS] = {0};
	bool		nulls[CHANGES_COLUMNS] = {false};

	values[0] = PointerGetDatum(path_array(at));
	values[1] = CStringGetTextDatum(op);
	nulls[2] = old_value == NULL;
	nulls[3] = new_value == NULL;
	if (!nulls[2])
		values[2] = JsonbPGetDatum(dtmodel_raw_document(old_value));
	if (!nulls[3])
		values[3] = JsonbPGetDatum(dtmodel_raw_document(new_value));
	tuplestore_putvalues(rows->store, rows->row_type, values, nulls);

	MemoryContextSwitchTo(before);
	MemoryContextReset(rows->per_row);
}

/*
 * Reports the elements of the longer list that the other one does not have.
 */
static void
report_rest(DtDiffWalk *walk, DtDiffStep *element,
			const DtRawValue *old_list, const DtRawValue *new_list)
{
	DtRawValue	value;

	for (;; element->index++)
	{
		CHECK_FOR_INTERRUPTS();
		if (dtmodel_raw_element(old_list, element->index, &value))
			walk->report(walk, element, &value, NULL);
		else if (dtmodel_raw_element(new_list, element->index, &value))
			walk->report(walk, element, NULL, &value);
		else
			break;
	}
}

/*
 * Compares lists element by element: the first with the first, and so on, so
 * that a number means the same place in both.
 */
static void
lists_by_position(DtDiffWalk *walk, DtDiffStep *at,
				  const DtRawValue *old_list, const DtRawValue *new_list,
				  uint32 same)
{
	DtRawPairWalk pairs = dtmodel_raw_element_pairs(old_list, new_list, same);
	DtRawPair	pair;
	DtDiffStep	element;

	check_stack_depth();
	element.up = at;
	element.key = dtmodel_raw_string(NULL, 0);
	element.caller_data = NULL;
	while (dtmodel_raw_next_pair(&pairs, &pair))
	{
		element.index = pair.number;
		dtmodel_diff_values_from(walk, &element, &pair.a, &pair.b, pair.same);
	}
	element.index = pairs.count;
	report_rest(walk, &element, old_list, new_list);
}

/*
 * Creates the tuplestore in which the function returns its rows.
 */
static void
begin_rows(ChangeRows *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext before;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		!(result->allowedModes & SFRM_Materialize) ||
		get_call_result_type(fcinfo, NULL, &rows->row_type) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning rows called where no rows are accepted"),
				 errhint("Call it in FROM.")));

	before = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	rows->row_type = CreateTupleDescCopy(rows->row_type);
	rows->store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
										false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = rows->store;
	result->setDesc = rows->row_type;
	MemoryContextSwitchTo(before);

	rows->per_row = AllocSetContextCreate(CurrentMemoryContext,
										  "dtmodel changes row",
										  ALLOCSET_DEFAULT_SIZES);
}

/*
 * jsonb_changes(old jsonb, new jsonb, arrays boolean)
 *		returns TABLE (path text[], op text, old_value jsonb, new_value jsonb)
 *
 * The places at which two documents differ, in the key order of jsonb, with
 * the old and the new value.  op is "add", "remove" or "replace"; a value that
 * does not exist is NULL.
 *
 * As in get_difference_between_dictionaries, objects are compared member by
 * member and lists as wholes.  If arrays is true, lists are compared element
 * by element.  Paths are arrays and so are never ambiguous.
 *
 * SQL NULL means no document: if only one argument is NULL, the other one was
 * added or removed as a whole, at the empty path.  NULL for arrays is false.
 */
Datum
dtmodel_jsonb_changes(PG_FUNCTION_ARGS)
{
	bool		arrays = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	DtRawValue	old_value;
	DtRawValue	new_value;
	ChangeRows	rows;

	rows.walk.report = report_row;
	rows.walk.compare_lists = arrays ? lists_by_position :
		dtmodel_diff_lists_as_wholes;
	begin_rows(&rows, fcinfo);

	if (!PG_ARGISNULL(0))
		old_value = dtmodel_raw_root(PG_GETARG_JSONB_P(0));
	if (!PG_ARGISNULL(1))
		new_value = dtmodel_raw_root(PG_GETARG_JSONB_P(1));

	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		dtmodel_diff_values(&rows.walk, NULL, &old_value, &new_value);
	else if (!PG_ARGISNULL(0) || !PG_ARGISNULL(1))
		report_row(&rows.walk, NULL, PG_ARGISNULL(0) ? NULL : &old_value,
				   PG_ARGISNULL(1) ? NULL : &new_value);
	return (Datum) 0;
}
