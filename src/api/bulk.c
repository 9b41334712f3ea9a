/*-------------------------------------------------------------------------
 *
 * bulk.c
 *	  Inserting many rows from a list of JSON objects.
 *
 * Objects that give the same columns are inserted by one INSERT, which reads
 * them from a tuplestore.  So there is one statement for each set of columns,
 * and large lists are kept on disk.
 *
 * For each object the INSERT's WHERE clause reads a parameter, and we are
 * called for its value.  So we know the current object when there is an
 * error, and to which object a returned row belongs, even if triggers have
 * skipped rows.
 *
 * Neither works for a table that Citus distributes: there each object is
 * inserted as create() does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/create.h"
#include "api/data.h"
#include "api/result_receiver.h"
#include "catalog/pg_type.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "model/distributed.h"
#include "model/row_call.h"
#include "server/record.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/queryenvironment.h"

PG_FUNCTION_INFO_V1(dtmodel_bulk_create);

/*
 * The tuplestore's name in the query, and that of its first column, which is
 * always true: the WHERE clause compares it with the parameter, and so has to
 * be evaluated for each object.
 */
#define OBJECTS "dtmodel_objects"
#define IS_THERE "is_there"

/* Objects that give the same columns. */
typedef struct ObjectGroup
{
	DtData		data;			/* of the first object */
	TupleDesc	desc;			/* is_there, and then the columns */
	Tuplestorestate *store;
	int64	   *numbers;		/* of the objects, in their order */
	int64		size;			/* the allocated length of that array */
	int64		count;
	int64		begun;			/* how many the INSERT has read */
} ObjectGroup;

/* The state of one call. */
typedef struct Bulk
{
	DtRowCall	call;
	DtResultReceiver *result;
	bool		strict;
	List	   *groups;
	ObjectGroup *last;			/* the group of the previous object */
	ObjectGroup *inserting;		/* the group whose INSERT runs */
	DtRawValue	list;			/* of all objects */
	int64		count;			/* the number of objects */
	int64		at;				/* the object that is being written, or -1 */
	HeapTuple  *rows;			/* by object; NULL if there is only one group */
} Bulk;

static void
object_context(void *argument)
{
	Bulk	   *bulk = (Bulk *) argument;

	if (bulk->at >= 0)
		errcontext("data[" INT64_FORMAT "]", bulk->at);
}

static TupleDesc
make_desc(const DtData *data)
{
	TupleDesc	desc = CreateTemplateTupleDesc(data->count + 1);

	TupleDescInitEntry(desc, 1, IS_THERE, BOOLOID, -1, 0);
	for (int i = 0; i < data->count; i++)
		TupleDescInitEntry(desc, i + 2, psprintf("c%d", i),
						   dtmodel_field_parameter(&data->items[i].field), -1, 0);
	compat_finish_row_type(desc);
	return desc;
}

static ObjectGroup *
make_group(Bulk *bulk, const DtData *data)
{
	ObjectGroup *group = palloc0(sizeof(ObjectGroup));

	group->data.count = data->count;
	group->data.items = palloc(sizeof(DtDataItem) * Max(data->count, 1));
	memcpy(group->data.items, data->items, sizeof(DtDataItem) * data->count);
	group->data.columns = bms_copy(data->columns);
	group->desc = make_desc(data);
	group->store = tuplestore_begin_heap(false, false, work_mem);
	group->size = 16;
	group->numbers = palloc(sizeof(int64) * group->size);
	bulk->groups = lappend(bulk->groups, group);
	return group;
}

/* The group of objects that give exactly these columns. */
static ObjectGroup *
find_group(Bulk *bulk, const DtData *data)
{
	ListCell   *cell;

	if (bulk->last != NULL && bms_equal(bulk->last->data.columns, data->columns))
		return bulk->last;
	foreach(cell, bulk->groups)
	{
		ObjectGroup *group = (ObjectGroup *) lfirst(cell);

		if (bms_equal(group->data.columns, data->columns))
			return group;
	}
	return NULL;
}

static void
add_number(ObjectGroup *group, int64 number)
{
	if (group->count == group->size)
	{
		group->size *= 2;
		group->numbers = repalloc_huge(group->numbers,
									   sizeof(int64) * group->size);
	}
	group->numbers[group->count++] = number;
}

static void
add_to_group(ObjectGroup *group, const DtDataPlace *place, const DtData *data)
{
	Datum	   *values = palloc(sizeof(Datum) * (data->count + 1));
	bool	   *isnull = palloc0(sizeof(bool) * (data->count + 1));
	char	   *nulls = palloc(data->count + 1);

	values[0] = BoolGetDatum(true);
	dtmodel_data_values(place, data, values + 1, nulls);
	for (int i = 0; i < data->count; i++)
		isnull[i + 1] = nulls[i] == 'n';
	tuplestore_putvalues(group->store, group->desc, values, isnull);
	add_number(group, place->index);
}

static void
read_object(Bulk *bulk, const DtRawValue *object, int64 index,
			MemoryContext per_object)
{
	DtDataPlace place = {bulk->call.rel, "data", index};
	MemoryContext caller = MemoryContextSwitchTo(per_object);
	DtData		data = dtmodel_read_data(&place, object, bulk->strict);
	ObjectGroup *group = find_group(bulk, &data);

	if (group == NULL)
	{
		MemoryContextSwitchTo(caller);
		group = make_group(bulk, &data);
		MemoryContextSwitchTo(per_object);
	}
	add_to_group(group, &place, &data);
	bulk->last = group;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(per_object);
}

static void
check_is_list(const DtRawValue *list)
{
	if (dtmodel_raw_is_array(list))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("data must be an array of objects"),
			 errdetail("It is %s.", dtmodel_raw_kind(list)),
			 errhint("Pass a JSON array of objects; for one object call %s.create.",
					 DTMODEL_SCHEMA)));
}

static void
read_objects(Bulk *bulk, const DtRawValue *list)
{
	MemoryContext per_object = AllocSetContextCreate(CurrentMemoryContext,
													 "dtmodel bulk_create",
													 ALLOCSET_DEFAULT_SIZES);
	DtRawArrayWalk walk;
	DtRawValue	object;

	walk = dtmodel_raw_walk_array(list);
	while (dtmodel_raw_next_element(&walk, &object))
	{
		CHECK_FOR_INTERRUPTS();
		read_object(bulk, &object, bulk->count++, per_object);
	}
	MemoryContextDelete(per_object);
}

static void
append_insert(StringInfo query, Relation rel, const DtData *data)
{
	appendStringInfo(query, "INSERT INTO %s AS " DT_ROW_ALIAS " ",
					 dtmodel_qualified_name(rel));
	if (data->count > 0)
	{
		appendStringInfoString(query, "(");
		dtmodel_append_columns(query, data);
		appendStringInfoString(query, ") ");
	}
	appendStringInfoString(query, "SELECT ");
	for (int i = 0; i < data->count; i++)
	{
		appendStringInfoString(query, i == 0 ? "" : ", ");
		dtmodel_append_value(query, &data->items[i].field,
							 psprintf("o.c%d", i));
	}
	appendStringInfoString(query, " FROM " OBJECTS " AS o"
						   " WHERE CASE WHEN o." IS_THERE " THEN $1 END"
						   " RETURNING ");
	dtmodel_append_row(query, rel);
}

static SPIPlanPtr
insert_plan(Relation rel, const DtData *data)
{
	DtPlan		plan = dtmodel_find_plan(RelationGetRelid(rel),
										 DT_PLAN_INSERT_MANY, data->columns);
	Oid			type = BOOLOID;

	if (plan.saved != NULL)
		return plan.saved;
	append_insert(&plan.query, rel, data);
	return dtmodel_save_plan(&plan, 1, &type);
}

/* The relation in which the query finds the group's objects. */
static EphemeralNamedRelation
named_objects(const ObjectGroup *group)
{
	EphemeralNamedRelation objects = palloc0(sizeof(EphemeralNamedRelationData));

	objects->md.name = OBJECTS;
	objects->md.reliddesc = InvalidOid;
	objects->md.tupdesc = group->desc;
	objects->md.enrtype = ENR_NAMED_TUPLESTORE;
	objects->md.enrtuples = group->count;
	objects->reldata = group->store;
	return objects;
}

/*
 * Called when the INSERT reads the next object of its group; true to insert
 * it. After the last object, it is a rule of the table that reads them again,
 * for a statement that returns nothing to us.
 */
static bool
begin_object(void *caller, int which pg_attribute_unused())
{
	Bulk	   *bulk = (Bulk *) caller;
	ObjectGroup *group = bulk->inserting;

	bulk->at = group->begun < group->count ?
		group->numbers[group->begun++] : -1;
	return true;
}

static void
insert_group(Bulk *bulk, ObjectGroup *group)
{
	DtCallbackParameters callbacks = {1, begin_object, bulk};
	Datum		value = BoolGetDatum(true);

	bulk->inserting = group;
	SPI_connect();
	if (SPI_register_relation(named_objects(group)) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register \"" OBJECTS "\"");
	dtmodel_run_plan_with_callback(insert_plan(bulk->call.rel, &group->data),
								   &value, NULL, &callbacks,
								   &bulk->result->receiver);
	SPI_finish();
	tuplestore_end(group->store);
}

/*
 * With several groups a row is kept until all rows can be returned in order.
 */
static void
keep_row(DtResultReceiver *result, TupleTableSlot *slot)
{
	Bulk	   *bulk = (Bulk *) result->caller;
	MemoryContext caller = MemoryContextSwitchTo(bulk->call.context);

	if (bulk->at < 0)
		elog(ERROR, "bulk_create returned a row without an object");
	bulk->rows[bulk->at] = dtmodel_copy_result_row(result, slot);
	MemoryContextSwitchTo(caller);
}

/* An error after the last row does not belong to any object. */
static void
forget_object(DtResultReceiver *result)
{
	((Bulk *) result->caller)->at = -1;
}

static void
add_kept_rows(Bulk *bulk)
{
	for (int64 i = 0; i < bulk->count; i++)
	{
		if (bulk->rows[i] != NULL)
			tuplestore_puttuple(bulk->result->store, bulk->rows[i]);
	}
}

/* The object that is being inserted, for a caught error. */
static DtData
current_object(const Bulk *bulk)
{
	DtData		data = {0};
	DtRawArrayWalk walk = dtmodel_raw_walk_array(&bulk->list);

	for (int64 i = 0; i <= bulk->at; i++)
		(void) dtmodel_raw_next_element(&walk, &data.object);
	return data;
}

static void
insert_all(Bulk *bulk)
{
	MemoryContext caller = CurrentMemoryContext;
	ListCell   *cell;

	PG_TRY();
	{
		foreach(cell, bulk->groups)
			insert_group(bulk, (ObjectGroup *) lfirst(cell));
	}
	PG_CATCH();
	{
		DtDataPlace place = {bulk->call.rel, "data", bulk->at};
		DtData		data;

		if (bulk->at < 0)
			PG_RE_THROW();
		data = current_object(bulk);
		dtmodel_rethrow(&place, &data, caller);
	}
	PG_END_TRY();
}

static void
insert_groups(Bulk *bulk)
{
	Size		size = sizeof(HeapTuple) * bulk->count;
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = object_context,
		.arg = bulk,
	};

	bulk->result->caller = bulk;
	bulk->result->done = forget_object;
	if (list_length(bulk->groups) > 1)
	{
		bulk->rows = MemoryContextAllocHuge(bulk->call.context, size);
		memset(bulk->rows, 0, size);
		bulk->result->take = keep_row;
	}
	error_context_stack = &callback;
	insert_all(bulk);
	error_context_stack = callback.previous;
	if (bulk->rows != NULL)
		add_kept_rows(bulk);
}

static void
insert_object(Bulk *bulk, const DtRowCall *call, const DtRawValue *object)
{
	DtDataPlace place = {call->rel, "data", bulk->at};
	DtData		data = dtmodel_read_data(&place, object, bulk->strict);
	HeapTupleData tuple;
	Datum		row;
	bool		inserted;

	SPI_connect();
	inserted = dtmodel_insert_row(call, &place, &data, DT_PLAN_INSERT, &row);
	SPI_finish();
	if (!inserted)
		return;
	tuple = dtmodel_tuple_of_row(row);
	tuplestore_puttuple(bulk->result->store, &tuple);
}

/*
 * Inserts the objects one by one.  Citus cannot read a tuplestore of ours, nor
 * call us from the servers that insert the rows.
 */
static void
insert_each(Bulk *bulk)
{
	DtRowCall	call = bulk->call;
	MemoryContext caller = CurrentMemoryContext;
	DtRawArrayWalk walk = dtmodel_raw_walk_array(&bulk->list);
	DtRawValue	object;

	call.context = AllocSetContextCreate(caller, "dtmodel bulk_create",
										 ALLOCSET_DEFAULT_SIZES);
	while (dtmodel_raw_next_element(&walk, &object))
	{
		CHECK_FOR_INTERRUPTS();
		bulk->at++;
		MemoryContextSwitchTo(call.context);
		insert_object(bulk, &call, &object);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(call.context);
	}
	MemoryContextDelete(call.context);
	bulk->at = -1;
}

static void
insert_list(Bulk *bulk)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = object_context,
		.arg = bulk,
	};

	error_context_stack = &callback;
	insert_each(bulk);
	error_context_stack = callback.previous;
}

/*
 * bulk_create(model anyelement, data jsonb, strict boolean DEFAULT false)
 * returns setof anyelement
 *
 * Inserts a row for each object of a list (22023), as create does for one,
 * and returns the rows in the order of the list; without those whose INSERT a
 * trigger has prevented.  Runs one statement for each set of columns that
 * objects give.  An error names the object, counted from 0, and then nothing
 * is written.
 *
 * Source: ModelBase.bulk_create of the reference document dtpyfw.db.model.
 */
Datum
dtmodel_bulk_create(PG_FUNCTION_ARGS)
{
	Bulk		bulk = {.at = -1};

	bulk.call = dtmodel_begin_row_call(fcinfo, RowExclusiveLock);
	bulk.result = dtmodel_make_result_receiver(fcinfo);
	bulk.strict = dtmodel_flag_argument(fcinfo, 2, false);
	bulk.list = dtmodel_data_argument(fcinfo, 1, "data");
	check_is_list(&bulk.list);
	if (dtmodel_is_distributed(bulk.call.rel))
		insert_list(&bulk);
	else
	{
		read_objects(&bulk, &bulk.list);
		insert_groups(&bulk);
	}
	dtmodel_close_row_call(&bulk.call);
	return (Datum) 0;
}
