/*-------------------------------------------------------------------------
 *
 * element_numbers.c
 *	  Which elements of lists are equal, told by small numbers.
 *
 * Comparing two lists as sets, or finding what moved between them, asks the
 * same pairs of elements for equality again and again.  A table gives equal
 * elements the same number, in one pass over each list, and from then on
 * numbers are compared.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/element_numbers.h"
#include "miscadmin.h"

typedef struct ElementEntry
{
	RawValue	element;
	uint32		number;			/* 0, 1, ... in the order of adding */
	uint32		hash;
	char		status;			/* for simplehash */
} ElementEntry;

#define SH_PREFIX element
#define SH_ELEMENT_TYPE ElementEntry
#define SH_KEY_TYPE RawValue
#define SH_KEY element
#define SH_HASH_KEY(table, key) ((uint32) dtmodel_raw_hash(&(key), (table)->private_data))
#define SH_EQUAL(table, a, b) dtmodel_raw_equal(&(a), &(b))
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * Begins an empty table for about so many different elements.  The elements
 * themselves stay where they are and must outlive it.  With a memo, which may
 * be NULL, tables of lists in lists do not hash what is in them again.
 */
ElementNumbers *
dtmodel_element_numbers_create(uint32 expected, HashMemo *memo)
{
	return element_create(CurrentMemoryContext, expected, memo);
}

void
dtmodel_element_numbers_free(ElementNumbers *table)
{
	element_destroy(table);
}

/*
 * Returns the number of an element, a new one if no equal one was added.
 */
uint32
dtmodel_element_numbers_add(ElementNumbers *table, const RawValue *element)
{
	ElementEntry *entry;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	entry = element_insert(table, *element, &found);
	if (!found)
		entry->number = table->members - 1;
	return entry->number;
}

/*
 * Returns the number of an element, or NO_ELEMENT if no equal one was added.
 */
uint32
dtmodel_element_numbers_find(ElementNumbers *table, const RawValue *element)
{
	ElementEntry *entry;

	CHECK_FOR_INTERRUPTS();
	entry = element_lookup(table, *element);
	return entry != NULL ? entry->number : NO_ELEMENT;
}

/*
 * How many different elements were added.
 */
uint32
dtmodel_element_numbers_count(ElementNumbers *table)
{
	return table->members;
}
