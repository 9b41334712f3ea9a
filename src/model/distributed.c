/*-------------------------------------------------------------------------
 *
 * distributed.c
 *	  What functions refuse to do with tables that Citus distributes.
 *
 * A statement that names such a table works as on any other one, since Citus
 * plans it.  What the functions do without a statement they cannot do there:
 * the table itself is empty, and its rows have no place on this server.
 *
 * A query that reads the table runs on its shards, together with the functions
 * that it calls.  A function that writes would write to the shard alone, to
 * one of several copies of it, and outside of the transaction of the query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "model/distributed.h"
#include "model/model.h"
#include "server/relation.h"
#include "utils/lsyscache.h"

/* Whether Citus keeps the rows of the table in shards. */
bool
dtmodel_is_distributed(Relation rel)
{
	return dtmodel_is_shell(&dtmodel_get_model(rel)->citus);
}

/* Refuses what a function would do to one shard of a table. */
void
dtmodel_check_not_shard(Relation rel)
{
	const DtCitus *citus = &dtmodel_get_model(rel)->citus;

	if (!dtmodel_is_shard(citus))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("a query that reads table \"%s\" cannot pass its rows to this function",
					dtmodel_shown_name(rel)),
			 errdetail("Citus runs the query on the shards of the table, where the function would see and change one copy of one shard."),
			 errhint("Call the function outside of the query: by key, as in %s.restore(NULL::%s, id), or with a row that was fetched before.",
					 DTMODEL_SCHEMA,
					 OidIsValid(citus->table) ? dtmodel_qualified_name_of(citus->table) : "users")));
}

/*
 * Refuses a function that does not work on tables that Citus distributes, nor
 * on their shards.  "why" is a sentence, "hint" says what to do instead.
 */
void
dtmodel_check_not_distributed(Relation rel, const char *function,
							  const char *why, const char *hint)
{
	if (dtmodel_get_model(rel)->citus.kind == DT_CITUS_NONE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s.%s does not support table \"%s\", which Citus distributes",
					DTMODEL_SCHEMA, function, dtmodel_shown_name(rel)),
			 errdetail("%s", why),
			 errhint("%s", hint)));
}

/*
 * Checks that an index on these columns can be unique: each shard has an index
 * of its own, so equal values must be in one shard.
 */
void
dtmodel_check_has_distribution_column(Relation rel, const char *function,
									  int ncolumns, const AttrNumber *columns)
{
	AttrNumber	attnum = dtmodel_get_model(rel)->citus.distribution_column;

	if (!AttributeNumberIsValid(attnum))
		return;
	for (int i = 0; i < ncolumns; i++)
	{
		if (columns[i] == attnum)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s.%s does not support these columns of table \"%s\", which Citus distributes",
					DTMODEL_SCHEMA, function, RelationGetRelationName(rel)),
			 errdetail("Column \"%s\", by which the table is distributed, is not one of them. Rows with equal values can be in several shards, and each has an index of its own.",
					   get_attname(RelationGetRelid(rel), attnum, false)),
			 errhint("Name that column too."),
			 errtable(rel)));
}
