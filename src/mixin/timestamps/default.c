/*-------------------------------------------------------------------------
 *
 * default.c
 *	  The DEFAULT of the timestamp columns, which INSERT uses.
 *
 * An INSERT keeps the times that it is given; others come from the DEFAULT,
 * which reads the model's clock.  A DEFAULT of the user stays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "mixin/timestamps/default.h"
#include "model/drift.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The functions that read the clocks. */
static const struct
{
	Oid			oid;
	const char *name;
}			clock_functions[] = {
	[DT_CLOCK_TRANSACTION] = {F_NOW, "now"},
	[DT_CLOCK_STATEMENT] = {F_STATEMENT_TIMESTAMP, "statement_timestamp"},
	[DT_CLOCK_CLOCK] = {F_CLOCK_TIMESTAMP, "clock_timestamp"},
};

/*
 * The expression for a column of the type.  AT TIME ZONE needs no schema: it
 * stands for a function of pg_catalog.
 */
static char *
default_expression(const char *schema, DtClock clock, Oid type)
{
	return psprintf(type == TIMESTAMPOID ? "(%s%s() AT TIME ZONE 'UTC')" : "%s%s()",
					schema, clock_functions[clock].name);
}

/*
 * The column's DEFAULT as it was written, without the cast that is added for
 * the type and the precision of the column.
 */
static Node *
read_default(Relation rel, AttrNumber attnum)
{
	return strip_implicit_coercions(build_column_default(rel, attnum));
}

/* Whether a zone of type text is UTC. */
static bool
is_utc(Node *zone)
{
	const Const *value = (Const *) zone;

	return IsA(zone, Const) && !value->constisnull &&
		pg_strcasecmp(TextDatumGetCString(value->constvalue), "UTC") == 0;
}

/* The argument of AT TIME ZONE 'UTC'; NULL for any other expression. */
static Node *
without_utc(Node *expr)
{
	FuncExpr   *call = (FuncExpr *) expr;

	if (!IsA(expr, FuncExpr) || call->funcid != F_TIMEZONE_TEXT_TIMESTAMPTZ ||
		!is_utc(linitial(call->args)))
		return NULL;
	return lsecond(call->args);
}

/* Whether the expression is one that default_expression() makes. */
static bool
is_our_default(Node *expr, Oid type, DtClock *clock)
{
	if (type == TIMESTAMPOID)
		expr = without_utc(expr);
	if (expr == NULL || !IsA(expr, FuncExpr))
		return false;

	for (size_t i = 0; i < lengthof(clock_functions); i++)
	{
		if (((FuncExpr *) expr)->funcid == clock_functions[i].oid)
		{
			*clock = (DtClock) i;
			return true;
		}
	}
	return false;
}

/* Whether the DEFAULT is missing, or is ours with another clock. */
static bool
needs_default(Relation rel, const DtColumn *column, DtClock clock)
{
	Node	   *expr = read_default(rel, column->attnum);
	DtClock		former = clock;

	if (expr == NULL)
		return true;
	return is_our_default(expr, column->typid, &former) && former != clock;
}

static void
set_default(DtChange *change, const char *table, const char *only,
			const DtColumn *column, DtClock clock, const char *of_partition)
{
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("set the default of column \"%s\"%s to %s",
								   NameStr(column->name), of_partition,
								   default_expression("", clock, column->typid)),
						  psprintf("ALTER TABLE %s%s ALTER COLUMN %s SET DEFAULT %s",
								   only, table, quote_identifier(NameStr(column->name)),
								   default_expression("pg_catalog.", clock,
													  column->typid)));
}

/*
 * A partition has a separate DEFAULT, for rows that are inserted directly
 * into it.
 */
static void
change_partition_default(DtChange *change, Oid partition, const char *name,
						 DtClock clock)
{
	Relation	rel = relation_open(partition, NoLock);
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	if (needs_default(rel, &column, clock))
		set_default(change, dtmodel_qualified_name(rel), "ONLY ", &column, clock,
					psprintf(" of partition \"%s\"",
							 RelationGetRelationName(rel)));
	relation_close(rel, NoLock);
}

static void
change_partition_defaults(DtChange *change, const char *name, DtClock clock)
{
	Oid			relid = RelationGetRelid(change->rel);
	ListCell   *cell;

	if (change->rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return;
	foreach(cell, find_all_inheritors(relid, change->lockmode, NULL))
	{
		if (lfirst_oid(cell) != relid)
			change_partition_default(change, lfirst_oid(cell), name, clock);
	}
}

/*
 * Gives the column the DEFAULT of the clock, unless it has one of the user.
 * A column that is still to be added is added with the transaction's clock,
 * so that existing rows get one time, without a rewrite of the table.
 */
void
dtmodel_change_time_default(DtChange *change, const DtColumn *column,
							DtClock clock)
{
	if (!dtmodel_column_is_used(column))
		return;
	if (!AttributeNumberIsValid(column->attnum))
	{
		if (clock != DT_CLOCK_TRANSACTION)
			set_default(change, change->table, dtmodel_only(change->rel), column,
						clock, "");
		return;
	}

	if (needs_default(change->rel, column, clock))
		set_default(change, change->table, "ONLY ", column, clock, "");
	change_partition_defaults(change, NameStr(column->name), clock);
}

/*
 * Whether a column of type timestamp gets the time of the session's zone: from
 * now(), cast or assigned, or from LOCALTIMESTAMP.
 */
static bool
depends_on_time_zone(Node *expr, Oid type)
{
	if (type != TIMESTAMPOID)
		return false;
	return exprType(expr) == TIMESTAMPTZOID || IsA(expr, SQLValueFunction) ||
		(IsA(expr, FuncExpr) &&
		 ((FuncExpr *) expr)->funcid == F_TIMESTAMP_TIMESTAMPTZ);
}

/* "ALTER COLUMN ... SET DEFAULT ...", the one that add_timestamps sets. */
static char *
set_default_action(const DtColumn *column, DtClock clock)
{
	return psprintf("ALTER COLUMN %s SET DEFAULT %s",
					quote_identifier(NameStr(column->name)),
					default_expression("pg_catalog.", clock, column->typid));
}

/* The problem with the DEFAULT; NULL if there is none. */
static const char *
problem_of_default(Relation rel, const DtColumn *column, DtClock clock)
{
	Node	   *expr = read_default(rel, column->attnum);

	if (expr == NULL)
		return psprintf("column \"%s\" has no default, so INSERT does not set it",
						NameStr(column->name));
	if (depends_on_time_zone(expr, column->typid))
		return psprintf("the default of column \"%s\" is a time in the session's time zone instead of UTC",
						NameStr(column->name));
	if (needs_default(rel, column, clock))
		return psprintf("the default of column \"%s\" reads another clock than the trigger",
						NameStr(column->name));
	return NULL;
}

static bool
has_default(Oid relid, const char *name)
{
	HeapTuple	tuple = SearchSysCacheAttName(relid, name);
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return true;
	result = ((Form_pg_attribute) GETSTRUCT(tuple))->atthasdef;
	ReleaseSysCache(tuple);
	return result;
}

/* Partitions are not locked: one that does not exist any more has no name. */
static void
drift_of_partition_defaults(DtDrift *drift, Relation rel,
							const DtColumn *column, DtClock clock)
{
	Oid			relid = RelationGetRelid(rel);
	ListCell   *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return;
	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		Oid			partition = lfirst_oid(cell);
		char	   *name = get_rel_name(partition);

		if (partition != relid && name != NULL &&
			!has_default(partition, NameStr(column->name)))
			dtmodel_append_drift(drift, DT_REPAIR,
								 psprintf("ALTER TABLE ONLY %s %s",
										  quote_qualified_identifier(get_namespace_name(get_rel_namespace(partition)),
																	 name),
										  set_default_action(column, clock)),
								 "column \"%s\" of partition \"%s\" has no default, so INSERT into it does not set it",
								 NameStr(column->name), name);
	}
}

/* Reports a DEFAULT that is missing, or gives another time than the trigger. */
void
dtmodel_drift_of_time_default(DtDrift *drift, Relation rel,
							  const DtColumn *column, DtClock clock)
{
	const char *problem;

	if (!AttributeNumberIsValid(column->attnum) ||
		!dtmodel_column_fits(column, &dtmodel_use_time) ||
		TupleDescAttr(RelationGetDescr(rel),
					  column->attnum - 1)->attgenerated != '\0')
		return;
	problem = problem_of_default(rel, column, clock);
	if (problem != NULL)
		dtmodel_append_drift(drift, DT_REPAIR,
							 psprintf("ALTER TABLE ONLY %s %s",
									  dtmodel_qualified_name(rel),
									  set_default_action(column, clock)),
							 "%s", problem);
	drift_of_partition_defaults(drift, rel, column, clock);
}
