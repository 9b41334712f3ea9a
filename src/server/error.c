/*-------------------------------------------------------------------------
 *
 * error.c
 *	  Errors that are caught to be thrown again, with a hint of ours.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "server/error.h"
#include "utils/rel.h"

/*
 * In PG_CATCH: the error, in the caller's memory context, for ReThrowError().
 * One with another SQLSTATE is thrown again at once.
 */
ErrorData *
dtmodel_take_error(int sqlstate, MemoryContext caller)
{
	ErrorData  *error;

	if (geterrcode() != sqlstate)
		PG_RE_THROW();
	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	FlushErrorState();
	return error;
}

/*
 * Whether an error is about this table.  No catalog can be read after an error,
 * so names are compared; the error of a partition has the partition's name.
 */
bool
dtmodel_is_error_of(const ErrorData *error, Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
		(error->table_name != NULL &&
		 strcmp(error->table_name, RelationGetRelationName(rel)) == 0);
}
