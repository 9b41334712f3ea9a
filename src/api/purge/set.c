/*-------------------------------------------------------------------------
 *
 * set.c
 *	  Sets of rows to be purged: the places of rows of one table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "api/purge/purge.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"

/* Adds a place to a set, which is enlarged if needed. */
void
dtmodel_add_place(DtPlaceSet *set, ItemPointer place)
{
	if (set->count == set->space)
	{
		set->space = Max(set->space * 2, 64);
		set->places = set->places == NULL ?
			palloc(sizeof(ItemPointerData) * set->space) :
			repalloc(set->places, sizeof(ItemPointerData) * set->space);
	}
	set->places[set->count++] = *place;
}

/* The places as an array, for a query. */
Datum
dtmodel_places_array(const DtPlaceSet *set)
{
	Datum	   *places = palloc(sizeof(Datum) * Max(set->count, 1));

	for (int i = 0; i < set->count; i++)
		places[i] = PointerGetDatum(&set->places[i]);
	return PointerGetDatum(construct_array(places, set->count, TIDOID,
										   sizeof(ItemPointerData), false,
										   TYPALIGN_SHORT));
}

/* The set of a table in a list, which is added if there is none. */
DtPlaceSet *
dtmodel_set_of_table(List **sets, Oid relid)
{
	DtPlaceSet *set;
	ListCell   *cell;

	foreach(cell, *sets)
	{
		set = lfirst(cell);
		if (set->relid == relid)
			return set;
	}
	set = palloc0(sizeof(DtPlaceSet));
	set->relid = relid;
	*sets = lappend(*sets, set);
	return set;
}

/*
 * The rows that a query returned as (tableoid, ctid), from this column on: a
 * list of sets, one for each table.
 */
List *
dtmodel_returned_rows(int column)
{
	TupleDesc	desc = SPI_tuptable->tupdesc;
	List	   *sets = NIL;
	bool		isnull;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		Oid			relid = DatumGetObjectId(SPI_getbinval(row, desc, column, &isnull));
		Datum		place = SPI_getbinval(row, desc, column + 1, &isnull);

		dtmodel_add_place(dtmodel_set_of_table(&sets, relid),
						  (ItemPointer) DatumGetPointer(place));
	}
	return sets;
}
