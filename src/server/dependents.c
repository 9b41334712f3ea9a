/*-------------------------------------------------------------------------
 *
 * dependents.c
 *	  The objects that depend on another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_depend.h"
#include "compat.h"
#include "server/dependents.h"
#include "utils/fmgroids.h"

/*
 * The objects in one catalog that depend as a whole on an object of another
 * one.
 */
List *
dtmodel_dependents(Oid classid, Oid objid, Oid dependent_classid)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	List	   *dependents = NIL;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(classid));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(objid));
	scan = systable_beginscan(catalog, DependReferenceIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);

		if (depend->classid == dependent_classid && depend->objsubid == 0)
			dependents = lappend_oid(dependents, depend->objid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return dependents;
}
