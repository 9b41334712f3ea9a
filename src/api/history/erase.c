/*-------------------------------------------------------------------------
 *
 * erase.c
 *	  Erasing a row with all of its past, for good.
 *
 * The row is deleted by the caller, as delete(..., soft => false) does.  Its
 * versions are deleted by the owner of the history, in which no other role
 * writes.  They are deleted before the row, to be counted, and again after
 * it, since the deletion of the row keeps its last version.  It may also have
 * waited for a transaction that wrote others.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/delete.h"
#include "api/history/past.h"
#include "api/purge/purge.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dtmodel_erase);

#define WHY "The whole past of the row must be erased, and no past of a row that is hidden."

static SPIPlanPtr
erase_plan(const DtPast *past)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(past->rel),
										 DT_PLAN_ERASE_PAST, NULL);

	if (plan.saved != NULL)
		return plan.saved;
	appendStringInfo(&plan.query, "DELETE FROM %s AS " DT_PAST_ALIAS " WHERE ",
					 dtmodel_qualified_name(past->table));
	dtmodel_append_key_condition(&plan.query, &past->key, DT_PAST_ALIAS);
	return dtmodel_save_plan(&plan, past->key.ncolumns,
							 dtmodel_key_types(&past->key));
}

/* Returns the number of versions. */
static int64
erase_versions(const DtRowCall *call, const DtPast *past)
{
	DtCaller	caller = dtmodel_act_as_owner(past->table);
	int64		erased;

	dtmodel_run_plan(erase_plan(past), call->id.values, call->id.nulls);
	erased = (int64) SPI_processed;
	dtmodel_act_as(&caller);
	return erased;
}

static void
report_row_stays(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the row of table \"%s\" was not deleted",
					RelationGetRelationName(rel)),
			 errdetail("A trigger prevents its deletion, so it cannot be erased."),
			 errtable(rel)));
}

/*
 * The current version is among those that were kept meanwhile, unless the
 * transaction has inserted it itself.
 */
static int64
erase(const DtRowCall *call, const DtPast *past)
{
	int64		erased = erase_versions(call, past);
	int64		rest;
	bool		found;
	Datum		row;

	found = dtmodel_delete_for_good(call, &row);
	if (dtmodel_fetch_row(call, dtmodel_select_plan(call), call->id.values,
						  call->id.nulls, false, &row))
		report_row_stays(call->rel);
	rest = erase_versions(call, past);
	return erased + Max(rest, (int64) found);
}

/* Whole rows are read, to know that they are there. */
static void
check_may_read(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	const char *role = GetUserNameFromId(GetUserId(), false);

	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ALL) == ACLCHECK_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to erase rows of table \"%s\"",
					RelationGetRelationName(rel)),
			 errdetail("To find the row, role \"%s\" needs the SELECT privilege on the table.",
					   role),
			 errhint("Use GRANT SELECT ON %s TO %s.",
					 dtmodel_qualified_name(rel), quote_identifier(role)),
			 errtable(rel)));
}

/*
 * erase(model anyelement, id anycompatible) returns bigint
 *
 * Deletes the row with this primary key for good, and all of its versions in
 * the history.  Returns their number, with the current one; 0 if there is
 * neither a row nor a past, and for a NULL id.  Rows that a foreign key
 * deletes with it keep their past, as do copies: other tables, the server's
 * log, backups.
 *
 * Needs SELECT, DELETE and TRUNCATE on the table, and that no policy of it or
 * of its history applies to the caller (42501).  An error for a table without
 * a history and for a partition (42809), and if a trigger prevents the
 * deletion (55000) or a foreign key does (23503).
 *
 * Source: none; the reference documents do not erase.
 */
Datum
dtmodel_erase(PG_FUNCTION_ARGS)
{
	DtRowCall	call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	DtPast		past = dtmodel_open_past(call.rel);
	int64		erased = 0;

	dtmodel_check_may_purge(call.rel, "erase rows of");
	check_may_read(call.rel);
	dtmodel_check_sees_all(call.rel, WHY, "erase");
	dtmodel_check_sees_all(past.table, WHY, "erase");
	if (!PG_ARGISNULL(1))
		dtmodel_set_row_by_id(&call, fcinfo);
	if (call.id.complete)
	{
		SPI_connect();
		erased = erase(&call, &past);
		SPI_finish();
	}
	dtmodel_close_past(&past);
	dtmodel_close_row_call(&call);
	PG_RETURN_INT64(erased);
}
