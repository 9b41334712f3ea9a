/*-------------------------------------------------------------------------
 *
 * audit.c
 *	  The audit mixin: created_by and updated_by.
 *
 * Both are set when a row is inserted.  Afterwards created_by keeps its
 * value, and updated_by is set when the row changes; neither can be assigned.
 * The changes that count are those that set updated_at, so that the time and
 * the name of the last change belong together.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "dtmodel.h"
#include "mixin/audit/mixin.h"
#include "model/actor.h"
#include "model/constraint.h"
#include "model/inheritance.h"
#include "model/key.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "model/sender.h"
#include "model/stamp.h"
#include "storage/lmgr.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* The state of the trigger, created once in each statement. */
typedef struct AuditState
{
	DtStamp		stamp;			/* for created_by and updated_by */
	DtAudit		columns;
	MemoryContext context;
	bool		is_shard;		/* of a table of Citus */
	DtActorColumn *creator;		/* NULL until a row needs it */
	DtActorColumn *updater;
} AuditState;

/* The arguments of add_audit; a NULL name stands for no column. */
typedef struct AuditRequest
{
	const char *created_by;
	const char *updated_by;
	Oid			type;			/* invalid: of the referred key, or text */
	Oid			referred;		/* invalid: add no foreign keys */
} AuditRequest;

PG_FUNCTION_INFO_V1(dtmodel_audit_trigger);
PG_FUNCTION_INFO_V1(dtmodel_add_audit);
PG_FUNCTION_INFO_V1(dtmodel_remove_audit);
PG_FUNCTION_INFO_V1(dtmodel_set_actor);

static void *
make_state(Relation rel, const Trigger *trigger pg_attribute_unused())
{
	const DtModel *model = dtmodel_get_model(rel);
	AuditState *state = palloc0(sizeof(AuditState));
	AttrNumber	written[2];

	if (dtmodel_audit_of(model) == NULL)
		dtmodel_report_unknown_trigger(rel);
	state->columns = *dtmodel_audit_of(model);
	dtmodel_check_mixin_columns(rel, &dtmodel_audit_mixin, &state->columns);
	state->context = CurrentMemoryContext;
	state->is_shard = dtmodel_is_shard(&model->citus);
	written[0] = state->columns.created_by.attnum;
	written[1] = state->columns.updated_by.attnum;
	dtmodel_init_stamp(&state->stamp, model, written, lengthof(written));
	return state;
}

/* The actor as a value of the column. */
static Datum
actor_for(const DtRow *row, AuditState *state, const DtColumn *column,
		  DtActorColumn **actor, bool *isnull)
{
	if (*actor == NULL)
		*actor = dtmodel_make_actor_column(row->rel, column, state->context);
	return dtmodel_actor_value(*actor, isnull);
}

/*
 * On a shard the row has the names already: an INSERT was stamped where it was
 * planned, and rows that Citus copies keep what they have, nulls included.
 */
static void
check_stamped(const DtRow *row, const DtColumn *column)
{
	bool		isnull;

	if (!dtmodel_column_is_used(column) || !dtmodel_holds_names(column))
		return;
	(void) dtmodel_new_value(row, column->attnum, &isnull);
	if (isnull)
		dtmodel_check_insert_sent(row->rel);
}

static void
stamp_new_row(DtRow *row, void *argument)
{
	AuditState *state = argument;
	int			columns[2];
	Datum		values[2];
	bool		nulls[2];
	int			count = 0;

	if (state->is_shard)
	{
		check_stamped(row, &state->columns.created_by);
		check_stamped(row, &state->columns.updated_by);
		return;
	}
	if (dtmodel_column_is_used(&state->columns.created_by))
	{
		columns[count] = state->columns.created_by.attnum;
		values[count] = actor_for(row, state, &state->columns.created_by,
								  &state->creator, &nulls[count]);
		count++;
	}
	if (dtmodel_column_is_used(&state->columns.updated_by))
	{
		columns[count] = state->columns.updated_by.attnum;
		values[count] = actor_for(row, state, &state->columns.updated_by,
								  &state->updater, &nulls[count]);
		count++;
	}
	dtmodel_set_values(row, count, columns, values, nulls);
}

/* Sets one of the columns, unless the row already has the value. */
static void
set_name(DtRow *row, const DtColumnPair *pair, Datum value, bool isnull)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(row->rel),
										  pair->attnum - 1);

	if (isnull && !pair->new_isnull)
		dtmodel_set_value(row, pair->attnum, value, true);
	else if (!isnull &&
			 (pair->new_isnull ||
			  !datum_image_eq(pair->new_value, value, att->attbyval, att->attlen)))
		dtmodel_set_pair(row, pair, value);
}

static void
stamp_changed_row(DtRow *row, void *argument)
{
	AuditState *state = argument;
	bool		changed = dtmodel_row_changes(&state->stamp, row);
	const DtColumnPair *created_by = &state->stamp.pairs[0];
	const DtColumnPair *updated_by = &state->stamp.pairs[1];
	bool		isnull = updated_by->old_isnull;
	Datum		value = updated_by->old_value;

	if (!created_by->old_isnull)
		set_name(row, created_by, created_by->old_value, false);
	if (!dtmodel_column_is_used(&state->columns.updated_by))
		return;
	if (changed && dtmodel_actor_is_missing(&state->columns.updated_by) &&
		!dtmodel_hold_row(row))
		return;
	if (changed)
		value = actor_for(row, state, &state->columns.updated_by,
						  &state->updater, &isnull);
	set_name(row, updated_by, value, isnull);
}

const DtRowAction dtmodel_audit_action = {
	.function = "audit_trigger",
	.events = DT_ON_INSERT | DT_ON_UPDATE | DT_ON_DELETE,
	.stamps = true,
	.make_state = make_state,
	.insert = stamp_new_row,
	.update = stamp_changed_row,
};

/*
 * audit_trigger() returns trigger
 *
 * BEFORE INSERT OR UPDATE, and DELETE on a partitioned table, FOR EACH ROW.
 * Its arguments, each "key=value": created_by, updated_by (names of columns, of type text, character varying,
 * uuid, integer or bigint, or of a domain over one of them).
 *
 * INSERT sets both columns to the actor.  UPDATE restores the value of
 * created_by, unless it was null.  It sets updated_by to the actor if
 * something else in the row changes, and otherwise restores its value too.  A
 * row that an UPDATE moves to another partition is not treated as a new row
 * there.  While dtmodel.preserve_timestamps is on, the row is not changed.  A
 * column that does not exist (42703) or has another type (42804) is an error,
 * and so is an actor that the column cannot hold (22P02 or the type's own
 * error) or that was set without the privilege (42501).
 *
 * Source: AuditMixin of the reference document sqlalchemy-conventions.
 */
Datum
dtmodel_audit_trigger(PG_FUNCTION_ARGS)
{
	return dtmodel_run_row_action(fcinfo, &dtmodel_audit_action);
}

static void
check_request(const AuditRequest *request)
{
	if (request->created_by == NULL && request->updated_by == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("audit needs at least one column"),
				 errhint("Name created_by, updated_by or both.")));
	dtmodel_check_different(request->created_by, "created_by",
							request->updated_by, "updated_by");
}

/*
 * The type of the key that the columns reference, which must be a single
 * column.
 */
static Oid
referred_type(Oid referred)
{
	Relation	rel = dtmodel_open(referred, AccessShareLock);
	DtKey		key = dtmodel_usable_key(rel);

	if (key.ncolumns > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("the primary key of table \"%s\" has several columns",
						RelationGetRelationName(rel)),
				 errdetail("A column of audit holds one value."),
				 errhint("Name a table with a primary key of one column.")));
	relation_close(rel, NoLock);
	return get_atttype(referred, key.columns[0].attnum);
}

static const char *
column_type(const AuditRequest *request)
{
	DtColumn	column = {.typid = request->type};

	if (OidIsValid(request->referred) && !OidIsValid(request->type))
		column.typid = referred_type(request->referred);
	if (!OidIsValid(column.typid))
		column.typid = TEXTOID;
	if (!dtmodel_column_fits(&column, &dtmodel_use_actor))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type %s cannot hold an actor",
						format_type_be(column.typid)),
				 errhint("The types are %s.",
						 dtmodel_use_actor.types)));
	return format_type_extended(column.typid, -1, FORMAT_TYPE_FORCE_QUALIFY);
}

static char *
reference_name(Relation rel, const char *column, Oid referred)
{
	return makeObjectName(psprintf("fk_%s", RelationGetRelationName(rel)),
						  psprintf("%s_%s", column, get_rel_name(referred)),
						  NULL);
}

static bool
is_reference_of(const ForeignKeyCacheInfo *reference, const DtColumn *column)
{
	return reference->nkeys == 1 && reference->conkey[0] == column->attnum;
}

static bool
has_reference(Relation rel, const DtColumn *column, Oid referred)
{
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(rel))
	{
		const ForeignKeyCacheInfo *reference = lfirst(cell);

		if (is_reference_of(reference, column) &&
			reference->confrelid == referred)
			return true;
	}
	return false;
}

static const char *
qualified_name(Oid referred)
{
	Relation	rel = dtmodel_open(referred, AccessShareLock);
	const char *name = dtmodel_qualified_name(rel);

	relation_close(rel, NoLock);
	return name;
}

/*
 * Adds a column with a foreign key.  Since it is null in all rows, the server
 * does not look for what it refers to.
 */
static void
add_reference(DtChange *change, const char *name, const char *type, Oid referred)
{
	char	   *constraint = reference_name(change->rel, name, referred);

	dtmodel_check_free_name(change, constraint);
	dtmodel_add_statement(change, AccessExclusiveLock,
						  psprintf("added column \"%s\", added constraint \"%s\"",
								   name, constraint),
						  psprintf("ALTER TABLE %s ADD COLUMN %s %s CONSTRAINT %s REFERENCES %s",
								   change->table, quote_identifier(name), type,
								   quote_identifier(constraint),
								   qualified_name(referred)));
}

/* Foreign keys of partitioned tables cannot be NOT VALID in all versions. */
static const char *
validity(DtChange *change, const char *constraint)
{
	return change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" :
		dtmodel_validity(change, constraint);
}

/* Adds the foreign key of a column that exists. */
static void
change_reference(DtChange *change, const DtColumn *column, Oid referred)
{
	const char *name = NameStr(column->name);
	char	   *constraint;

	if (!AttributeNumberIsValid(column->attnum) || !OidIsValid(referred) ||
		has_reference(change->rel, column, referred))
		return;

	constraint = reference_name(change->rel, name, referred);
	dtmodel_check_free_name(change, constraint);
	dtmodel_add_statement(change, DT_TRIGGER_LOCK,
						  psprintf("added constraint \"%s\"", constraint),
						  psprintf("ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s%s",
								   change->table, quote_identifier(constraint),
								   quote_identifier(name), qualified_name(referred),
								   validity(change, constraint)));
}

/* Adds the column or checks it, and gives it the foreign key that is asked for. */
static void
change_column(DtChange *change, const AuditRequest *request, const char *name,
			  const char *parameter, const char *type)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(change->rel), name, &column);
	if (name != NULL && !AttributeNumberIsValid(column.attnum) &&
		OidIsValid(request->referred))
	{
		add_reference(change, name, type, request->referred);
		return;
	}
	dtmodel_change_column(change, name, &dtmodel_use_actor, type,
						  &dtmodel_audit_mixin, parameter, &column);
	change_reference(change, &column, request->referred);
}

static bool
lacks_reference(Relation rel, const char *name, Oid referred)
{
	DtColumn	column;

	dtmodel_find_column(RelationGetDescr(rel), name, &column);
	return name != NULL && (!AttributeNumberIsValid(column.attnum) ||
							!has_reference(rel, &column, referred));
}

/*
 * The foreign keys need this lock on the referenced table, which has none yet,
 * so that it is not made stronger later.
 */
static void
lock_referred(const DtChange *change, const AuditRequest *request)
{
	if (change->phase != DT_BEFORE_LOCK && OidIsValid(request->referred) &&
		(lacks_reference(change->rel, request->created_by, request->referred) ||
		 lacks_reference(change->rel, request->updated_by, request->referred)))
		LockRelationOid(request->referred, DT_TRIGGER_LOCK);
}

static List *
trigger_options(const AuditRequest *request)
{
	List	   *options = NIL;

	if (request->created_by != NULL)
		options = lappend(options, psprintf("created_by=%s", request->created_by));
	if (request->updated_by != NULL)
		options = lappend(options, psprintf("updated_by=%s", request->updated_by));
	return options;
}

static void
change_audit(DtChange *change, const void *asked)
{
	const AuditRequest *request = asked;
	const char *type;

	dtmodel_check_no_partition(change->rel);
	check_request(request);
	lock_referred(change, request);
	type = column_type(request);
	change_column(change, request, request->created_by, "created_by", type);
	change_column(change, request, request->updated_by, "updated_by", type);
	dtmodel_change_trigger(change, dtmodel_audit_mixin.triggers,
						   dtmodel_events_with_moves(change->rel,
													 "INSERT OR UPDATE"),
						   trigger_options(request));
}

/*
 * add_audit(model regclass, created_by name DEFAULT 'created_by',
 *			 updated_by name DEFAULT 'updated_by', type regtype DEFAULT NULL,
 *			 "references" regclass DEFAULT NULL) returns void
 *
 * Records in a table who created its rows and who changed them last: adds the
 * trigger and the missing columns; calling it again changes the options.  A
 * NULL column name stands for no column.  "references" adds a foreign key
 * from each column to that table's primary key, which must be one column
 * (42830); NULL leaves foreign keys as they are.  type is the type of columns
 * that are added; NULL stands for the type of the referenced key, or text.
 * Tables that inherit from this one get the trigger and the foreign keys too.
 *
 * Source: AuditMixin of the reference document sqlalchemy-conventions.
 */
Datum
dtmodel_add_audit(PG_FUNCTION_ARGS)
{
	AuditRequest request = {0};
	Oid			relid = dtmodel_model_argument(fcinfo);

	if (!PG_ARGISNULL(1))
		request.created_by = NameStr(*PG_GETARG_NAME(1));
	if (!PG_ARGISNULL(2))
		request.updated_by = NameStr(*PG_GETARG_NAME(2));
	if (!PG_ARGISNULL(3))
		request.type = PG_GETARG_OID(3);
	if (!PG_ARGISNULL(4))
		request.referred = PG_GETARG_OID(4);

	dtmodel_change_with_inheritors(relid, &dtmodel_audit_mixin, change_audit,
								   &request);
	PG_RETURN_VOID();
}

/*
 * Drops the column's foreign keys that have the name which add_audit gives
 * them.
 */
static void
drop_references(DtChange *change, const DtColumn *column)
{
	/* The relcache's list may be freed while we look up names. */
	List	   *references = copyObject(RelationGetFKeyList(change->rel));
	ListCell   *cell;

	foreach(cell, references)
	{
		const ForeignKeyCacheInfo *reference = lfirst(cell);
		char	   *name = get_constraint_name(reference->conoid);

		if (!is_reference_of(reference, column) || name == NULL ||
			strcmp(name, reference_name(change->rel, NameStr(column->name),
										reference->confrelid)) != 0)
			continue;
		dtmodel_add_statement(change, AccessExclusiveLock,
							  psprintf("dropped constraint \"%s\"", name),
							  psprintf("ALTER TABLE %s DROP CONSTRAINT %s",
									   change->table, quote_identifier(name)));
	}
}

static void
drop_audit(DtChange *change, bool drop_columns)
{
	const DtModel *model = dtmodel_get_model(change->rel);
	DtAudit		audit;

	if (dtmodel_audit_of(model) == NULL)
		return;
	audit = *dtmodel_audit_of(model);
	if (drop_columns)
	{
		dtmodel_drop_own_column(change, &audit.created_by);
		dtmodel_drop_own_column(change, &audit.updated_by);
	}
	else
	{
		drop_references(change, &audit.created_by);
		drop_references(change, &audit.updated_by);
	}
	dtmodel_drop_trigger(change, dtmodel_audit_mixin.triggers);
}

/*
 * remove_audit(model regclass, drop_columns boolean DEFAULT false)
 * returns void
 *
 * Drops the trigger and the foreign keys of add_audit, and with drop_columns
 * the two columns too, also on tables that inherit from this one.  Does
 * nothing to a table without audit.
 */
Datum
dtmodel_remove_audit(PG_FUNCTION_ARGS)
{
	dtmodel_drop_with_inheritors(dtmodel_model_argument(fcinfo),
								 &dtmodel_audit_mixin, drop_audit,
								 !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

/*
 * Warns, as SET LOCAL does, if the call has no effect: if it is a statement
 * of the client that is a transaction by itself.  A call from another
 * function affects what that function does next.
 */
static void
warn_without_transaction(const FmgrInfo *function)
{
	const QueryDesc *query = ActivePortal == NULL ? NULL : ActivePortal->queryDesc;

	if (IsTransactionBlock() || IsSubTransaction() || query == NULL ||
		query->estate == NULL ||
		query->estate->es_query_cxt != function->fn_mcxt)
		return;
	ereport(WARNING,
			(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
			 errmsg("%s.set_actor can only be used in transaction blocks",
					DTMODEL_SCHEMA),
			 errhint("Call it after BEGIN, or use SET dtmodel.actor for the session.")));
}

/*
 * set_actor(actor text) returns void
 *
 * Sets the actor for the rest of the transaction, as SET LOCAL dtmodel.actor
 * does: if a connection pooler gives the connection to another client, its
 * next transaction does not have this actor.  NULL and '' mean no actor, and
 * so the role.  Needs the same privilege as setting the switch (42501).  As a
 * transaction by itself it has no effect, and warns (25P01).
 */
Datum
dtmodel_set_actor(PG_FUNCTION_ARGS)
{
	const char *actor = PG_ARGISNULL(0) ? "" :
		text_to_cstring(PG_GETARG_TEXT_PP(0));

	(void) set_config_option("dtmodel.actor", actor, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	warn_without_transaction(fcinfo->flinfo);
	PG_RETURN_VOID();
}
