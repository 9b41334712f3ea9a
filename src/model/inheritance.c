/*-------------------------------------------------------------------------
 *
 * inheritance.c
 *	  Tables that inherit from others, and what they have inherited.
 *
 * A statement on a table reaches the rows of the tables that inherit from it,
 * but the row triggers that fire are those of the table that holds the row.
 * Columns and CHECKs are inherited, triggers are not: so the existing tables
 * get their triggers together with the table that they inherit from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "model/inheritance.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* The tables from which the table inherits directly, in their order. */
List *
dtmodel_parents(Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *parents = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		parents = lappend_oid(parents,
							  ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return parents;
}

/*
 * The tables that inherit from the table, directly or not, the nearest first.
 * Partitions are not among them: they have the triggers of their table.
 */
List *
dtmodel_inheritors(Relation rel, LOCKMODE lockmode)
{
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return NIL;
	return list_delete_first(find_all_inheritors(RelationGetRelid(rel),
												 lockmode, NULL));
}

/* Adds a mixin to a table and to those that inherit from it. */
bool
dtmodel_change_with_inheritors(Oid relid, const DtMixin *mixin,
							   DtChangeTable change_table,
							   const void *request)
{
	const DtCall call = {
		.relid = relid,
		.change_table = change_table,
		.request = request,
		.mixin = mixin,
		.with_inheritors = true,
	};

	return dtmodel_change_tables(&call);
}

/* Whether the table itself has a column that may be the mixin's. */
static bool
has_template_column(Relation rel, const DtMixinColumn *column)
{
	DtColumn	found;

	if (column->in_template == NULL)
		return false;
	dtmodel_find_column(RelationGetDescr(rel), column->in_template, &found);
	return AttributeNumberIsValid(found.attnum) &&
		dtmodel_column_fits(&found, column->use) &&
		!dtmodel_is_inherited_column(rel, &found);
}

/*
 * Called where the columns of a mixin are to be dropped.  If the table does not
 * have the mixin, nothing says which columns these are.  Those with the names
 * of the template may be left from it, or be the user's: a NOTICE.
 */
void
dtmodel_report_left_columns(const DtChange *change, const DtMixin *mixin)
{
	StringInfoData names;
	StringInfoData actions;
	int			count = 0;

	if (change->phase != DT_BEFORE_LOCK ||
		dtmodel_options_of(dtmodel_get_model(change->rel), mixin) != NULL)
		return;
	initStringInfo(&names);
	initStringInfo(&actions);
	for (int i = 0; i < mixin->ncolumns; i++)
	{
		const char *name = mixin->columns[i].in_template;

		if (!has_template_column(change->rel, &mixin->columns[i]))
			continue;
		appendStringInfo(&names, "%s\"%s\"", count > 0 ? ", " : "", name);
		appendStringInfo(&actions, "%s DROP COLUMN %s", count > 0 ? "," : "",
						 quote_identifier(name));
		count++;
	}
	if (count == 0)
		return;
	ereport(NOTICE,
			(errmsg_plural("table \"%s\" has no %s, and its column %s stays",
						   "table \"%s\" has no %s, and its columns %s stay",
						   count, RelationGetRelationName(change->rel),
						   mixin->title, names.data),
			 errhint("To drop what an earlier call has left, use ALTER TABLE %s%s.",
					 change->table, actions.data)));
}

typedef struct DropRequest
{
	const DtMixin *mixin;
	DtDropMixin drop;
	bool		drop_columns;
} DropRequest;

static void
drop_mixin(DtChange *change, const void *asked)
{
	const DropRequest *request = asked;

	if (request->drop_columns)
		dtmodel_report_left_columns(change, request->mixin);
	request->drop(change, request->drop_columns);
}

/*
 * Removes a mixin from a table and from those that inherit from it.  These
 * come first: a column cannot be dropped while a trigger names it.
 */
bool
dtmodel_drop_with_inheritors(Oid relid, const DtMixin *mixin,
							 DtDropMixin drop, bool drop_columns)
{
	const DropRequest request = {
		.mixin = mixin,
		.drop = drop,
		.drop_columns = drop_columns,
	};
	const DtCall call = {
		.relid = relid,
		.change_table = drop_mixin,
		.request = &request,
		.mixin = mixin,
		.with_inheritors = true,
		.inheritors_first = true,
	};

	return dtmodel_change_tables(&call);
}

/*
 * Whether the table, one of its partitions or one that inherits from it has
 * the column: with it they inherit a column that is added to the table.
 */
bool
dtmodel_has_column_anywhere(Relation rel, const char *name, LOCKMODE lockmode)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(RelationGetRelid(rel), lockmode, NULL))
	{
		if (get_attnum(lfirst_oid(cell), name) != InvalidAttrNumber)
			return true;
	}
	return false;
}

/*
 * An inherited column is added and dropped with the table that it comes from.
 */
bool
dtmodel_is_inherited_column(Relation rel, const DtColumn *column)
{
	return AttributeNumberIsValid(column->attnum) &&
		TupleDescAttr(RelationGetDescr(rel), column->attnum - 1)->attinhcount > 0;
}

bool
dtmodel_is_inherited_constraint(Relation rel, const char *name)
{
	Oid			constraint = get_relation_constraint_oid(RelationGetRelid(rel),
														 name, false);
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	bool		inherited;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	inherited = ((Form_pg_constraint) GETSTRUCT(tuple))->coninhcount > 0;
	ReleaseSysCache(tuple);
	return inherited;
}

void
dtmodel_drop_own_column(DtChange *change, const DtColumn *column)
{
	if (!dtmodel_is_inherited_column(change->rel, column))
		dtmodel_drop_column(change, column);
}
