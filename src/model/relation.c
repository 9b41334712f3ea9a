/*-------------------------------------------------------------------------
 *
 * relation.c
 *	  Tables: opened, and named so that no search_path matters.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "model/relation.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The table's name as it can stand in any query, whatever the search_path. */
char *
dtmodel_qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/* The same as a literal, for a hint that calls a function on the table. */
char *
dtmodel_quoted_name(Relation rel)
{
	return quote_literal_cstr(dtmodel_qualified_name(rel));
}

static const char *
relkind_name(char relkind)
{
	switch (relkind)
	{
		case RELKIND_VIEW:
			return "a view";
		case RELKIND_MATVIEW:
			return "a materialized view";
		case RELKIND_FOREIGN_TABLE:
			return "a foreign table";
		case RELKIND_SEQUENCE:
			return "a sequence";
		case RELKIND_COMPOSITE_TYPE:
			return "a composite type";
		default:
			return "an index";
	}
}

/* Refuses what can hold no rows of its own. */
static void
check_relkind(Relation rel)
{
	char		relkind = rel->rd_rel->relkind;

	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
			 errdetail("It is %s, and a model is a table.",
					   relkind_name(relkind)),
			 relkind == RELKIND_VIEW || relkind == RELKIND_FOREIGN_TABLE ?
			 errhint("Name the table that holds the rows.") : 0));
}

/*
 * Opens a table, or what may be one.  NULL when it is gone, as may happen to
 * one whose oid was read from the catalogues; an error (42809) when it is no
 * table.
 */
Relation
dtmodel_try_open(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = try_relation_open(relid, lockmode);

	if (rel != NULL)
		check_relkind(rel);
	return rel;
}

void
dtmodel_report_missing_table(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation with OID %u does not exist", relid)));
}

/* Opens a table that somebody named; it is an error when it is gone. */
Relation
dtmodel_open(Oid relid, LOCKMODE lockmode)
{
	Relation	rel = dtmodel_try_open(relid, lockmode);

	if (rel == NULL)
		dtmodel_report_missing_table(relid);
	return rel;
}
