/*-------------------------------------------------------------------------
 *
 * element_numbers.c
 *	  Gives elements of lists numbers: equal elements have the same number.
 *
 * Comparing two lists as sets, or finding what moved between them, would
 * compare the same elements again and again.  With one pass over each list, a
 * hash table gives equal elements the same number, and then only numbers are
 * compared.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/element_numbers.h"
#include "miscadmin.h"

typedef struct ElementEntry
{
	DtRawValue	element;
	uint32		number;			/* 0, 1, ... in the order of adding */
	uint32		hash;
	char		status;			/* for simplehash */
} ElementEntry;

#define SH_PREFIX element
#define SH_ELEMENT_TYPE ElementEntry
#define SH_KEY_TYPE DtRawValue
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
 * Creates an empty table for about that number of different elements.  They
 * are not copied and must outlive the table.  With a memo, which may be NULL,
 * nested lists are not hashed again for each level.
 */
DtElementNumbers *
dtmodel_element_numbers_create(uint32 expected, DtHashMemo *memo)
{
	return element_create(CurrentMemoryContext, expected, memo);
}

void
dtmodel_element_numbers_free(DtElementNumbers *table)
{
	element_destroy(table);
}

/*
 * Returns the number of an element: a new number if there is no equal one yet.
 */
uint32
dtmodel_element_numbers_add(DtElementNumbers *table, const DtRawValue *element)
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
 * Returns the number of an element, or DT_NO_ELEMENT if there is no equal one.
 */
uint32
dtmodel_element_numbers_find(DtElementNumbers *table, const DtRawValue *element)
{
	ElementEntry *entry;

	CHECK_FOR_INTERRUPTS();
	entry = element_lookup(table, *element);
	return entry != NULL ? entry->number : DT_NO_ELEMENT;
}

/*
 * Returns the number of different elements.
 */
uint32
dtmodel_element_numbers_count(DtElementNumbers *table)
{
	return table->members;
}
