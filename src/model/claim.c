/*-------------------------------------------------------------------------
 *
 * claim.c
 *	  Which role has set a setting that every role may set.
 *
 * Some settings are in effect only for roles with a privilege.  The current
 * role alone does not tell: inside of a SECURITY DEFINER function it is the
 * owner of the function, while the setting may be the caller's.  So the role
 * that has set it is kept with the value, and needs the privilege too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "model/claim.h"

/* What comes from the server's configuration is the claim of no role. */
bool
dtmodel_is_claim(GucSource source)
{
	return source >= PGC_S_USER && !InitializingParallelWorker;
}

/*
 * The role that sets the value which is being checked.  A value that was set
 * before the library was loaded is the claim of the outer role: the function
 * that happens to load it may run as another one.
 */
Oid
dtmodel_claiming_role(void)
{
	return dtmodel_is_loaded ? GetUserId() : GetOuterUserId();
}

/* Keeps that role with the value; false if there is no memory for it. */
bool
dtmodel_keep_claimant(void **extra)
{
	Oid		   *claimant = compat_guc_malloc(sizeof(Oid));

	if (claimant == NULL)
		return false;
	*claimant = dtmodel_claiming_role();
	*extra = claimant;
	return true;
}

/* The role that was kept; InvalidOid if the value is the claim of no role. */
Oid
dtmodel_claimant(const void *extra)
{
	return extra == NULL ? InvalidOid : *(const Oid *) extra;
}
