/*-------------------------------------------------------------------------
 *
 * soft_live.c
 *	  "The row is live" and "the row is deleted", in every form.
 *
 * The flag says which of the two a row is, or deleted_at where a model has no
 * flag.  A flag that is null does not say that the row is deleted, so the row
 * is live.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "mixin/soft_live.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/relcache.h"

/* Whether the row is deleted. */
bool
dtmodel_is_deleted(const DtSoftDelete *columns, HeapTuple row, TupleDesc desc)
{
	Datum		value;
	bool		isnull;

	if (!dtmodel_column_is_used(&columns->flag))
		return !heap_attisnull(row, columns->deleted_at.attnum, desc);

	value = heap_getattr(row, columns->flag.attnum, desc, &isnull);
	return !isnull && DatumGetBool(value) != columns->flag_is_live;
}

static Expr *
column_var(const DtColumn *column, int rtindex)
{
	return (Expr *) makeVar(rtindex, column->attnum, column->typid,
							column->typmod, InvalidOid, 0);
}

static Node *
null_test(const DtColumn *column, int rtindex, NullTestType type)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = column_var(column, rtindex);
	test->nulltesttype = type;
	test->argisrow = false;
	test->location = -1;
	return (Node *) test;
}

static Node *
boolean_test(const DtColumn *column, int rtindex, BoolTestType type)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = column_var(column, rtindex);
	test->booltesttype = type;
	test->location = -1;
	return (Node *) test;
}

/*
 * "The row is live" as a node, in the words that people write by hand, so that
 * partial indexes which were made with those words can be used.
 */
Node *
dtmodel_live_node(const DtSoftDelete *columns, int rtindex)
{
	const DtColumn *flag = &columns->flag;

	if (!dtmodel_column_is_used(flag))
		return null_test(&columns->deleted_at, rtindex, IS_NULL);
	if (!flag->is_not_null)
		return boolean_test(flag, rtindex,
							columns->flag_is_live ? IS_NOT_FALSE : IS_NOT_TRUE);
	if (columns->flag_is_live)
		return (Node *) column_var(flag, rtindex);
	return (Node *) makeBoolExpr(NOT_EXPR,
								 list_make1(column_var(flag, rtindex)), -1);
}

/* The column's name, after the table's alias if there is one. */
static char *
column_text(const DtColumn *column, const char *alias)
{
	const char *name = quote_identifier(NameStr(column->name));

	return alias == NULL ? pstrdup(name) : psprintf("%s.%s", alias, name);
}

/*
 * "The row is live" as SQL.  These are the words of dtmodel_live_node: only
 * then is a partial index used for queries that are written by hand, and found
 * by their ON CONFLICT.
 */
char *
dtmodel_live_text(const DtSoftDelete *columns, const char *alias)
{
	const DtColumn *flag = &columns->flag;

	if (!dtmodel_column_is_used(flag))
		return psprintf("%s IS NULL", column_text(&columns->deleted_at, alias));
	if (!flag->is_not_null)
		return psprintf("%s IS NOT %s", column_text(flag, alias),
						columns->flag_is_live ? "FALSE" : "TRUE");
	return psprintf("%s%s", columns->flag_is_live ? "" : "NOT ",
					column_text(flag, alias));
}

/* "The row is deleted" as SQL, the opposite of the former: never null. */
char *
dtmodel_deleted_text(const DtSoftDelete *columns, const char *alias)
{
	const DtColumn *flag = &columns->flag;

	if (!dtmodel_column_is_used(flag))
		return psprintf("%s IS NOT NULL",
						column_text(&columns->deleted_at, alias));
	if (!flag->is_not_null)
		return psprintf("%s IS %s", column_text(flag, alias),
						columns->flag_is_live ? "FALSE" : "TRUE");
	return psprintf("%s%s", columns->flag_is_live ? "NOT " : "",
					column_text(flag, alias));
}

/* "The flag says that the row is deleted" as SQL, whatever the time says. */
char *
dtmodel_flagged_text(const DtSoftDelete *columns)
{
	return psprintf("%s IS %s", column_text(&columns->flag, NULL),
					columns->flag_is_live ? "FALSE" : "TRUE");
}

/* "The time says that the row is deleted" as SQL, whatever the flag says. */
char *
dtmodel_timed_text(const DtSoftDelete *columns)
{
	return psprintf("%s IS NOT NULL", column_text(&columns->deleted_at, NULL));
}

static char *
assignments(const DtSoftDelete *columns, const char *time, bool flag)
{
	char	   *text = psprintf("%s = %s",
								column_text(&columns->deleted_at, NULL), time);

	if (!dtmodel_column_is_used(&columns->flag))
		return text;
	return psprintf("%s, %s = %s", text, column_text(&columns->flag, NULL),
					flag ? "true" : "false");
}

/* The assignments of an UPDATE that deletes a row at a time, itself SQL. */
char *
dtmodel_mark_assignments(const DtSoftDelete *columns, const char *time)
{
	return assignments(columns, time, !columns->flag_is_live);
}

/* The assignments of an UPDATE that restores a row. */
char *
dtmodel_restore_assignments(const DtSoftDelete *columns)
{
	return assignments(columns, "NULL", columns->flag_is_live);
}

/*
 * Whether an index is one of the live rows, no more and no less, as we and
 * others make it.  Where no row is ever deleted that is one of all rows.
 */
bool
dtmodel_is_of_live_rows(Relation index, const DtSoftDelete *columns)
{
	List	   *live = columns == NULL ? NIL :
		list_make1(dtmodel_live_node(columns, 1));

	return equal(RelationGetIndexPredicate(index), live);
}
