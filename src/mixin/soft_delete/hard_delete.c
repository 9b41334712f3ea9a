/*-------------------------------------------------------------------------
 *
 * hard_delete.c
 *	  The privilege to delete rows of a soft-delete model for good.
 *
 * Every role may turn dtmodel.hard_delete on.  It has an effect only if both
 * the current role and the role that turned it on may TRUNCATE the table.  So
 * a SECURITY DEFINER function that deletes softly goes on doing so, even if
 * its caller has turned the switch on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "guc.h"
#include "miscadmin.h"
#include "mixin/soft_delete/hard_delete.h"
#include "server/relation.h"
#include "utils/acl.h"
#include "utils/builtins.h"

bool		dtmodel_soft_is_false = false;

static bool
may_truncate(Relation rel, Oid role)
{
	return pg_class_aclcheck(RelationGetRelid(rel), role,
							 ACL_TRUNCATE) == ACLCHECK_OK;
}

/* The role that lacks the privilege; InvalidOid if none does. */
static Oid
role_without_privilege(Relation rel)
{
	Oid			setter = dtmodel_hard_delete_setter();

	if (!may_truncate(rel, GetUserId()))
		return GetUserId();
	if (OidIsValid(setter) && setter != GetUserId() &&
		!may_truncate(rel, setter))
		return setter;
	return InvalidOid;
}

/* Whether rows of the table may be deleted for good now. */
bool
dtmodel_may_delete_for_good(Relation rel)
{
	return dtmodel_hard_delete && !OidIsValid(role_without_privilege(rel));
}

/* The role that turned it on may have been dropped. */
static void
report_setter(Relation rel, Oid setter)
{
	const char *role = GetUserNameFromId(setter, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to delete rows of table \"%s\" for good",
					RelationGetRelationName(rel)),
			 errdetail("dtmodel.hard_delete was turned on by role \"%s\", which has no TRUNCATE privilege on the table.",
					   role == NULL ? "" : role),
			 errhint("Use SET dtmodel.hard_delete = off, or turn it on as a role that has the privilege."),
			 errtable(rel)));
}

/* Refuses (42501) to delete for good without the privilege. */
void
dtmodel_check_hard_delete(Relation rel)
{
	Oid			lacking = role_without_privilege(rel);
	const char *role;

	if (!OidIsValid(lacking))
		return;
	if (lacking != GetUserId())
		report_setter(rel, lacking);

	role = GetUserNameFromId(lacking, false);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to delete rows of table \"%s\" for good",
					RelationGetRelationName(rel)),
			 dtmodel_soft_is_false ?
			 errdetail("Role \"%s\" has no TRUNCATE privilege on the table.", role) :
			 errdetail("dtmodel.hard_delete is on, and role \"%s\" has no TRUNCATE privilege on the table.",
					   role),
			 errhint("Use GRANT TRUNCATE ON %s TO %s, or %s.",
					 dtmodel_qualified_name(rel), quote_identifier(role),
					 dtmodel_soft_is_false ? "leave out soft => false" :
					 "SET dtmodel.hard_delete = off"),
			 errtable(rel)));
}
