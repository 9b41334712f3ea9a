/*-------------------------------------------------------------------------
 *
 * live.c
 *	  "The row is live" and "the row is deleted", in every form.
 *
 * The flag decides or, if the model has no flag, deleted_at.  If the flag is
 * null the row is live, since the flag does not say that it is deleted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "mixin/soft_delete/live.h"
#include "nodes/bitmapset.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/*
 * The conditions for a live row, with a flag that is true for deleted rows.
 * For a flag that is true for live rows they are inverted.
 */
typedef enum LiveForm
{
	LIVE_BY_FLAG,				/* NOT is_deleted */
	LIVE_BY_FLAG_OR_NULL,		/* is_deleted IS NOT TRUE */
	LIVE_BY_FLAG_NOT_NULL,		/* is_deleted IS FALSE */
	LIVE_BY_TIME				/* deleted_at IS NULL */
} LiveForm;

#define LIVE_FORMS (LIVE_BY_TIME + 1)

static AttrNumber
deciding_column(const DtSoftDelete *columns)
{
	return dtmodel_column_is_used(&columns->flag) ? columns->flag.attnum :
		columns->deleted_at.attnum;
}

/* Whether this value of that column says that the row is deleted. */
static bool
says_deleted(const DtSoftDelete *columns, Datum value, bool isnull)
{
	if (isnull)
		return false;
	return !dtmodel_column_is_used(&columns->flag) ||
		DatumGetBool(value) != columns->flag_is_live;
}

/* Whether the row is deleted. */
bool
dtmodel_is_deleted(const DtSoftDelete *columns, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(row, deciding_column(columns), desc, &isnull);

	return says_deleted(columns, value, isnull);
}

/* Whether a row that is about to be updated is deleted. */
bool
dtmodel_was_deleted(const DtSoftDelete *columns, const DtRow *row)
{
	bool		isnull;
	Datum		value = dtmodel_old_value(row, deciding_column(columns), &isnull);

	return says_deleted(columns, value, isnull);
}

/* Whether it will be deleted after that. */
bool
dtmodel_becomes_deleted(const DtSoftDelete *columns, const DtRow *row)
{
	bool		isnull;
	Datum		value = dtmodel_new_value(row, deciding_column(columns), &isnull);

	return says_deleted(columns, value, isnull);
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

/* The condition of a form, as a node. */
static Node *
form_node(LiveForm form, const DtSoftDelete *columns, int rtindex)
{
	const DtColumn *flag = &columns->flag;
	bool		flag_is_live = columns->flag_is_live;

	switch (form)
	{
		case LIVE_BY_FLAG:
			if (flag_is_live)
				return (Node *) column_var(flag, rtindex);
			return (Node *) makeBoolExpr(NOT_EXPR,
										 list_make1(column_var(flag, rtindex)), -1);
		case LIVE_BY_FLAG_OR_NULL:
			return boolean_test(flag, rtindex,
								flag_is_live ? IS_NOT_FALSE : IS_NOT_TRUE);
		case LIVE_BY_FLAG_NOT_NULL:
			return boolean_test(flag, rtindex, flag_is_live ? IS_TRUE : IS_FALSE);
		case LIVE_BY_TIME:
			break;
	}
	return null_test(&columns->deleted_at, rtindex, IS_NULL);
}

/* The column's name, after the table's alias if there is one. */
static char *
column_text(const DtColumn *column, const char *alias)
{
	const char *name = quote_identifier(NameStr(column->name));

	return alias == NULL ? pstrdup(name) : psprintf("%s.%s", alias, name);
}

/* The condition of a form, as SQL. */
static char *
form_text(LiveForm form, const DtSoftDelete *columns, const char *alias)
{
	char	   *flag = column_text(&columns->flag, alias);
	bool		flag_is_live = columns->flag_is_live;

	switch (form)
	{
		case LIVE_BY_FLAG:
			return psprintf("%s%s", flag_is_live ? "" : "NOT ", flag);
		case LIVE_BY_FLAG_OR_NULL:
			return psprintf("%s IS NOT %s", flag, flag_is_live ? "FALSE" : "TRUE");
		case LIVE_BY_FLAG_NOT_NULL:
			return psprintf("%s IS %s", flag, flag_is_live ? "TRUE" : "FALSE");
		case LIVE_BY_TIME:
			break;
	}
	return psprintf("%s IS NULL", column_text(&columns->deleted_at, alias));
}

/*
 * The form that users write: our own indexes have it as their predicate, so
 * that users' queries and ON CONFLICT clauses match them, and rows are hidden
 * with it, so that users' indexes can be used.
 */
static LiveForm
usual_form(const DtSoftDelete *columns)
{
	if (!dtmodel_column_is_used(&columns->flag))
		return LIVE_BY_TIME;
	return columns->flag.is_not_null ? LIVE_BY_FLAG : LIVE_BY_FLAG_OR_NULL;
}

/* "The row is live" as a node, in the usual form. */
Node *
dtmodel_live_node(const DtSoftDelete *columns, int rtindex)
{
	return form_node(usual_form(columns), columns, rtindex);
}

/* "The row is live" as SQL, in the usual form. */
char *
dtmodel_live_text(const DtSoftDelete *columns, const char *alias)
{
	return form_text(usual_form(columns), columns, alias);
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

/*
 * "The flag says that the row is deleted" as SQL, without regard to the time.
 */
char *
dtmodel_flagged_text(const DtSoftDelete *columns)
{
	return psprintf("%s IS %s", column_text(&columns->flag, NULL),
					columns->flag_is_live ? "FALSE" : "TRUE");
}

/*
 * "The time says that the row is deleted" as SQL, without regard to the flag.
 */
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

/* The assignments of an UPDATE that deletes a row, at a time given as SQL. */
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

static bool
is_check_name(const char *name)
{
	size_t		length = strlen(name);
	size_t		suffix = strlen(DT_SOFT_DELETE_CHECK);

	return strncmp(name, "ck_", 3) == 0 && length >= suffix &&
		strcmp(name + length - suffix, DT_SOFT_DELETE_CHECK) == 0;
}

/*
 * The name of the CHECK that flag and time agree, made by us or copied from
 * the template; NULL if there is none.
 */
const char *
dtmodel_find_soft_delete_check(Relation rel, const DtColumn *flag, const DtColumn *deleted_at)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	Bitmapset  *pair = NULL;

	if (!AttributeNumberIsValid(flag->attnum) ||
		!AttributeNumberIsValid(deleted_at->attnum))
		return NULL;

	pair = bms_make_singleton(flag->attnum - FirstLowInvalidHeapAttributeNumber);
	pair = bms_add_member(pair, deleted_at->attnum -
						  FirstLowInvalidHeapAttributeNumber);
	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		Bitmapset  *used = NULL;

		if (!is_check_name(constr->check[i].ccname))
			continue;
		pull_varattnos(stringToNode(constr->check[i].ccbin), 1, &used);
		if (bms_equal(used, pair))
			return constr->check[i].ccname;
	}
	return NULL;
}

/* The expression of the CHECK. */
static Node *
check_expression(const DtSoftDelete *columns)
{
	Node	   *flagged = boolean_test(&columns->flag, 1,
									   columns->flag_is_live ? IS_FALSE : IS_TRUE);
	Node	   *timed = null_test(&columns->deleted_at, 1, IS_NOT_NULL);

	return (Node *) make_opclause(BooleanEqualOperator, BOOLOID, false,
								  (Expr *) flagged, (Expr *) timed,
								  InvalidOid, InvalidOid);
}

/* Whether flag and time agree in every row, since a CHECK says so. */
static bool
columns_agree(Relation rel, const DtSoftDelete *columns)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	Node	   *check = check_expression(columns);

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		if (constr->check[i].ccvalid &&
			equal(stringToNode(constr->check[i].ccbin), check))
			return true;
	}
	return false;
}

/* Whether a form is true for exactly the live rows of the table. */
static bool
form_holds(LiveForm form, Relation rel, const DtSoftDelete *columns)
{
	bool		has_flag = dtmodel_column_is_used(&columns->flag);

	switch (form)
	{
		case LIVE_BY_FLAG:
		case LIVE_BY_FLAG_NOT_NULL:
			return has_flag && columns->flag.is_not_null;
		case LIVE_BY_FLAG_OR_NULL:
			return has_flag;
		case LIVE_BY_TIME:
			break;
	}
	return !has_flag || columns_agree(rel, columns);
}

/*
 * "The row is live" as SQL, in every form that is equivalent for this table.
 * The planner does not know that they are; it uses a partial index for a
 * query only if the query implies the predicate of the index.
 */
char *
dtmodel_live_lookup_text(Relation rel, const DtSoftDelete *columns,
						 const char *alias)
{
	LiveForm	usual = usual_form(columns);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, form_text(usual, columns, alias));
	for (LiveForm form = 0; form < LIVE_FORMS; form++)
	{
		if (form != usual && form_holds(form, rel, columns))
			appendStringInfo(&text, " AND %s", form_text(form, columns, alias));
	}
	return text.data;
}

/*
 * "The row is deleted" as SQL, in every equivalent form, so that any index of
 * deleted rows can be used.
 */
char *
dtmodel_deleted_lookup_text(Relation rel, const DtSoftDelete *columns,
							const char *alias)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, dtmodel_deleted_text(columns, alias));
	for (LiveForm form = 0; form < LIVE_FORMS; form++)
	{
		if (form == LIVE_BY_TIME ? form_holds(form, rel, columns) :
			dtmodel_column_is_used(&columns->flag))
			appendStringInfo(&text, " AND NOT (%s)",
							 form_text(form, columns, alias));
	}
	return text.data;
}

/* The form of a condition of an index's predicate; LIVE_FORMS for none. */
static int
find_form(Node *condition, const DtSoftDelete *columns)
{
	int			form = 0;

	while (form < LIVE_FORMS &&
		   !equal(condition, form_node((LiveForm) form, columns, 1)))
		form++;
	return form;
}

/* Whether such a condition means that the row is live. */
static bool
means_live(Node *condition, Relation rel, const DtSoftDelete *columns)
{
	int			form = find_form(condition, columns);

	return form < LIVE_FORMS && form_holds((LiveForm) form, rel, columns);
}

/* A comparison of a flag with true or false, as the flag or its negation. */
static Node *
simplify_comparison(Node *condition)
{
	OpExpr	   *comparison = (OpExpr *) condition;
	Const	   *value;

	if (!IsA(condition, OpExpr) || comparison->opno != BooleanEqualOperator ||
		!IsA(lsecond(comparison->args), Const))
		return condition;
	value = lsecond_node(Const, comparison->args);
	if (value->constisnull)
		return condition;
	return DatumGetBool(value->constvalue) ? linitial(comparison->args) :
		(Node *) makeBoolExpr(NOT_EXPR, list_make1(linitial(comparison->args)), -1);
}

static bool
implies_live(Node *condition, Relation rel, const DtSoftDelete *columns)
{
	ListCell   *cell;

	if (condition == NULL || !is_andclause(condition))
		return condition != NULL &&
			means_live(simplify_comparison(condition), rel, columns);
	foreach(cell, ((BoolExpr *) condition)->args)
	{
		if (implies_live(lfirst(cell), rel, columns))
			return true;
	}
	return false;
}

/*
 * Whether the condition of a view, in which the table has this index,
 * excludes deleted rows.  The planner would simplify the condition better,
 * but calls its functions, whose owner the caller need not trust.
 */
bool
dtmodel_implies_live(Relation rel, const Node *condition, int rtindex,
					 const DtSoftDelete *columns)
{
	Node	   *copy = copyObject((Node *) condition);

	ChangeVarNodes(copy, rtindex, 1, 0);
	return implies_live(copy, rel, columns);
}

/*
 * Whether it separates live rows from deleted ones.  What it is for a flag
 * that is null does not matter: that the flag can be null is drift itself.
 */
static bool
separates_deleted_rows(Node *condition, Relation rel, const DtSoftDelete *columns)
{
	Node	   *opposite = negate_clause(condition);

	if (dtmodel_column_is_used(&columns->flag) &&
		(find_form(condition, columns) < LIVE_BY_TIME ||
		 find_form(opposite, columns) < LIVE_BY_TIME))
		return true;
	return means_live(condition, rel, columns) ||
		means_live(opposite, rel, columns);
}

bool
dtmodel_has_index_predicate(Relation index)
{
	return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);
}

static bool
is_of_user(Oid function, void *context pg_attribute_unused())
{
	return function >= FirstNormalObjectId;
}

static bool
calls_function_of_user(Node *node, void *context)
{
	return node != NULL &&
		(check_functions_in_node(node, is_of_user, context) ||
		 expression_tree_walker(node, calls_function_of_user, context));
}

/*
 * The conditions of an index's predicate.  RelationGetIndexPredicate() calls
 * immutable functions in it, as the current user, who may only be looking at
 * the drift of other users' tables.  So if one of them is a user's, the
 * predicate is taken as it is written.
 */
static List *
predicate_of(Relation index)
{
	Node	   *predicate;
	Datum		value;
	bool		isnull;

	if (!dtmodel_has_index_predicate(index))
		return NIL;
	value = SysCacheGetAttr(INDEXRELID, index->rd_indextuple,
							Anum_pg_index_indpred, &isnull);
	predicate = stringToNode(TextDatumGetCString(value));
	return calls_function_of_user(predicate, NULL) ?
		make_ands_implicit((Expr *) predicate) : RelationGetIndexPredicate(index);
}

/*
 * Whether an index is of exactly the live rows, in any form that we or users
 * write.  If rows are never deleted, "columns" is NULL, and such an index is
 * one of all rows.
 */
bool
dtmodel_is_of_live_rows(Relation rel, Relation index,
						const DtSoftDelete *columns)
{
	List	   *predicate = predicate_of(index);
	ListCell   *cell;

	foreach(cell, predicate)
	{
		if (columns == NULL || !means_live(lfirst(cell), rel, columns))
			return false;
	}
	return (predicate == NIL) == (columns == NULL);
}

/*
 * Whether an index includes deleted rows.  One that has the flag or time
 * among its columns distinguishes them from live rows.
 */
bool
dtmodel_counts_deleted_rows(Relation rel, Relation index,
							const DtSoftDelete *columns)
{
	Form_pg_index form = index->rd_index;
	ListCell   *cell;

	foreach(cell, predicate_of(index))
	{
		if (separates_deleted_rows(lfirst(cell), rel, columns))
			return false;
	}
	return !dtmodel_is_among(columns->deleted_at.attnum, form->indnkeyatts,
							 form->indkey.values) &&
		!(dtmodel_column_is_used(&columns->flag) &&
		  dtmodel_is_among(columns->flag.attnum, form->indnkeyatts,
						   form->indkey.values));
}
