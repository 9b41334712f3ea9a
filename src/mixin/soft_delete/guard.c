/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  The trigger that protects tables that inherit from a soft-delete model.
 *
 * A DELETE on a table reaches the rows of the tables that inherit from it,
 * but these do not inherit its row triggers.  So existing tables become
 * models together with the one that they inherit from; and a table that is
 * created later is found by a statement trigger, before its rows can be
 * deleted for good by mistake.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "dtmodel.h"
#include "guc.h"
#include "mixin/soft_delete/guard.h"
#include "mixin/soft_delete/hard_delete.h"
#include "mixin/soft_delete/mixin.h"
#include "mixin/soft_delete/soft_delete.h"
#include "model/mixin_call.h"

PG_FUNCTION_INFO_V1(dtmodel_soft_delete_guard_trigger);

/* Partitions have the triggers of their table, so they do not need it. */
void
dtmodel_change_guard_trigger(DtChange *change)
{
	if (change->rel->rd_rel->relkind == RELKIND_RELATION)
		dtmodel_change_trigger(change, &dtmodel_soft_delete_triggers[DT_SOFT_DELETE_GUARD], "DELETE",
							   NIL);
}

static void
check_inheritor(Oid relid, Relation parent)
{
	Relation	rel = table_open(relid, AccessShareLock);

	if (dtmodel_soft_delete_of(dtmodel_get_model(rel)) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" inherits from \"%s\" but has no soft delete",
						RelationGetRelationName(rel),
						RelationGetRelationName(parent)),
				 errdetail("The DELETE would remove its rows for good."),
				 errhint("Call %s again: it includes the tables that inherit.",
						 dtmodel_mixin_call(parent, &dtmodel_soft_delete_mixin, NULL, NULL)),
				 errtable(rel)));
	table_close(rel, AccessShareLock);
}

/*
 * soft_delete_guard_trigger() returns trigger
 *
 * BEFORE DELETE, FOR EACH STATEMENT, on soft-delete models that are not
 * partitioned tables.  Refuses the DELETE (55000) while a table without soft
 * delete inherits from this one, unless dtmodel.hard_delete is in effect.
 * Does nothing on a table that is not such a model any more.
 */
Datum
dtmodel_soft_delete_guard_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	ListCell   *cell;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function %s.soft_delete_guard_trigger must be called as a trigger before a DELETE statement",
						DTMODEL_INTERNAL_SCHEMA)));

	rel = trigdata->tg_relation;
	if (!rel->rd_rel->relhassubclass || dtmodel_may_delete_for_good(rel) ||
		dtmodel_soft_delete_of(dtmodel_get_model(rel)) == NULL)
		return PointerGetDatum(NULL);
	foreach(cell, find_all_inheritors(RelationGetRelid(rel), AccessShareLock, NULL))
		check_inheritor(lfirst_oid(cell), rel);
	return PointerGetDatum(NULL);
}
