/*-------------------------------------------------------------------------
 *
 * align.c
 *	  Finds the elements of a list that another list has as well.
 *
 * This is the "patience diff" algorithm.  The common prefix and the common
 * suffix of the lists are skipped.  Of the elements in between, the fixed
 * points are those that occur once in each list, in the longest sequence that
 * has the same order in both; equal elements next to a fixed point are matched
 * as well.  It takes at most n log n steps, while a longest common subsequence
 * takes n * n.
 *
 * Only bytes are compared to find the prefix and the suffix.  Elements whose
 * bytes differ may still be equal, such as 1.0 and 1.00; this is found when
 * the elements in between are hashed.  In nested lists, comparing values here
 * would read all deeper levels again for each level, while a memo hashes each
 * value only once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/element_numbers.h"
#include "json/patch/align.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * One of the two lists, without the common prefix and suffix.
 */
typedef struct Side
{
	DtRawValue *elements;
	uint32	   *numbers;		/* equal elements have equal numbers */
	uint32		count;
	uint32		at;				/* all before this is done */
} Side;

/*
 * A fixed point: equal elements, and their places in the lists.
 */
typedef struct FixedPoint
{
	uint32		old_at;
	uint32		new_at;
} FixedPoint;

struct DtListAlignment
{
	MemoryContext context;		/* of everything here */
	DtHashMemo *memo;
	uint32		prefix;			/* length of the common prefix */
	uint32		same;			/* leading bytes that are the same in the
								 * first elements after it */
	Side		old_side;
	Side		new_side;
	FixedPoint *points;
	uint32		npoints;
	uint32		next_point;
};

/* How often an element occurs, and its last place. */
typedef struct Occurrence
{
	uint32		old_times;
	uint32		new_times;
	uint32		old_at;
} Occurrence;

/*
 * Finds the common prefix of the lists, by their bytes.
 */
static void
find_prefix(DtListAlignment *alignment, const DtRawValue *a, const DtRawValue *b,
			uint32 same)
{
	DtRawPairWalk pairs = dtmodel_raw_element_pairs(a, b, same);
	DtRawPair	pair;

	alignment->prefix = pairs.count;
	if (dtmodel_raw_next_pair(&pairs, &pair))
	{
		alignment->prefix = pair.number;
		alignment->same = pair.same;
	}
}

/*
 * Returns the length of the common suffix after that prefix.  The first
 * elements after the prefix are known to differ.
 */
static uint32
common_suffix(const DtRawValue *a, const DtRawValue *b, uint32 prefix)
{
	uint32		last_a = dtmodel_raw_count(a);
	uint32		last_b = dtmodel_raw_count(b);
	uint32		n = 0;

	while (last_a-- > prefix && last_b-- > prefix)
	{
		DtRawValue	element_a;
		DtRawValue	element_b;

		CHECK_FOR_INTERRUPTS();
		if ((last_a == prefix && last_b == prefix) ||
			!dtmodel_raw_element(a, last_a, &element_a) ||
			!dtmodel_raw_element(b, last_b, &element_b) ||
			!dtmodel_raw_same_bytes(&element_a, &element_b))
			break;
		n++;
	}
	return n;
}

static void *
allocate(MemoryContext context, uint32 count, Size size)
{
	return MemoryContextAllocExtended(context, Max(count, 1) * size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
load_side(DtListAlignment *alignment, Side *side, const DtRawValue *list, uint32 suffix)
{
	DtRawCursor elements = dtmodel_raw_children_from(list, alignment->prefix);

	side->at = 0;
	side->count = dtmodel_raw_count(list) - alignment->prefix - suffix;
	side->elements = allocate(alignment->context, side->count, sizeof(DtRawValue));
	side->numbers = NULL;
	for (uint32 i = 0; i < side->count; i++)
		side->elements[i] = dtmodel_raw_next(&elements);
}

static void
number_elements(DtListAlignment *alignment, DtElementNumbers *table, Side *side)
{

	side->numbers = allocate(alignment->context, side->count, sizeof(uint32));
	for (uint32 i = 0; i < side->count; i++)
		side->numbers[i] = dtmodel_element_numbers_add(table, &side->elements[i]);
}

/*
 * Finds the elements that occur once in each list, in the order of the new
 * list.
 */
static FixedPoint *
find_candidates(DtListAlignment *alignment, uint32 different, uint32 *count)
{
	const Side *old_side = &alignment->old_side;
	const Side *new_side = &alignment->new_side;
	Occurrence *occurrences = allocate(alignment->context, different, sizeof(Occurrence));
	FixedPoint *candidates = allocate(alignment->context,
									  Min(old_side->count, new_side->count),
									  sizeof(FixedPoint));

	for (uint32 i = 0; i < old_side->count; i++)
	{
		occurrences[old_side->numbers[i]].old_times++;
		occurrences[old_side->numbers[i]].old_at = i;
	}
	for (uint32 i = 0; i < new_side->count; i++)
		occurrences[new_side->numbers[i]].new_times++;

	*count = 0;
	for (uint32 i = 0; i < new_side->count; i++)
	{
		Occurrence *occurrence = &occurrences[new_side->numbers[i]];

		if (occurrence->old_times == 1 && occurrence->new_times == 1)
		{
			candidates[*count].old_at = occurrence->old_at;
			candidates[(*count)++].new_at = i;
		}
	}
	pfree(occurrences);
	return candidates;
}

/*
 * Returns the pile for a candidate.  The tops of the piles are sorted; it is
 * the first pile whose top does not come before the candidate in the old list.
 */
static uint32
find_pile(const FixedPoint *candidates, const uint32 *tops, uint32 npiles,
		  uint32 old_at)
{
	uint32		low = 0;
	uint32		high = npiles;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (candidates[tops[middle]].old_at < old_at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Keeps the longest sequence of candidates that has the same order in the old
 * list, as in a game of patience.
 */
static void
keep_longest_sequence(DtListAlignment *alignment, FixedPoint *candidates, uint32 count)
{
	uint32	   *tops = allocate(alignment->context, count, sizeof(uint32));
	uint32	   *before = allocate(alignment->context, count, sizeof(uint32));
	uint32		npiles = 0;
	uint32		at;

	for (uint32 i = 0; i < count; i++)
	{
		uint32		pile = find_pile(candidates, tops, npiles,
									 candidates[i].old_at);

		CHECK_FOR_INTERRUPTS();
		before[i] = pile > 0 ? tops[pile - 1] : 0;
		tops[pile] = i;
		npiles = Max(npiles, pile + 1);
	}

	alignment->points = allocate(alignment->context, npiles, sizeof(FixedPoint));
	alignment->npoints = npiles;
	at = npiles > 0 ? tops[npiles - 1] : 0;
	for (uint32 i = npiles; i > 0; i--)
	{
		alignment->points[i - 1] = candidates[at];
		at = before[at];
	}
	pfree(tops);
	pfree(before);
}

static void
find_fixed_points(DtListAlignment *alignment)
{
	DtElementNumbers *table = dtmodel_element_numbers_create(alignment->old_side.count,
															 alignment->memo);
	FixedPoint *candidates;
	uint32		different;
	uint32		count;

	number_elements(alignment, table, &alignment->old_side);
	number_elements(alignment, table, &alignment->new_side);
	different = dtmodel_element_numbers_count(table);
	dtmodel_element_numbers_free(table);

	candidates = find_candidates(alignment, different, &count);
	keep_longest_sequence(alignment, candidates, count);
	pfree(candidates);
}

/*
 * Begins the comparison of two lists whose bytes differ, and whose first
 * "same" bytes are the same.  The lists must not move until dtmodel_align_end.
 */
DtListAlignment *
dtmodel_align_begin(const DtRawValue *old_list, const DtRawValue *new_list,
					uint32 same, DtHashMemo *memo)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "dtmodel list alignment",
												  ALLOCSET_SMALL_SIZES);
	DtListAlignment *alignment = MemoryContextAllocZero(context, sizeof(DtListAlignment));
	uint32		suffix;

	alignment->context = context;
	alignment->memo = memo;
	find_prefix(alignment, old_list, new_list, same);
	suffix = common_suffix(old_list, new_list, alignment->prefix);
	load_side(alignment, &alignment->old_side, old_list, suffix);
	load_side(alignment, &alignment->new_side, new_list, suffix);

	/* One element and one or none: nothing can be found. */
	if (alignment->old_side.count > 0 && alignment->new_side.count > 0 &&
		alignment->old_side.count + alignment->new_side.count > 2)
		find_fixed_points(alignment);
	return alignment;
}

void
dtmodel_align_end(DtListAlignment *alignment)
{
	MemoryContextDelete(alignment->context);
}

static bool
same_number(const DtListAlignment *alignment, uint32 old_at, uint32 new_at)
{
	return alignment->old_side.numbers != NULL &&
		alignment->old_side.numbers[old_at] == alignment->new_side.numbers[new_at];
}

/*
 * Finds the runs up to these ends, without the elements that they have in
 * common at the beginning and at the end.  Returns whether anything is left.
 */
static bool
trim_runs(DtListAlignment *alignment, uint32 old_end, uint32 new_end, DtListRuns *runs)
{
	uint32		old_at = alignment->old_side.at;
	uint32		new_at = alignment->new_side.at;

	while (old_at < old_end && new_at < new_end &&
		   same_number(alignment, old_at, new_at))
	{
		old_at++;
		new_at++;
	}
	while (old_at < old_end && new_at < new_end &&
		   same_number(alignment, old_end - 1, new_end - 1))
	{
		old_end--;
		new_end--;
	}

	runs->old_elements = alignment->old_side.elements + old_at;
	runs->old_count = old_end - old_at;
	runs->new_elements = alignment->new_side.elements + new_at;
	runs->new_count = new_end - new_at;
	runs->new_start = alignment->prefix + new_at;

	/* What is passed over is so in both lists: both are at their beginning. */
	runs->same_known = old_at == 0;
	runs->same = alignment->same;
	return runs->old_count > 0 || runs->new_count > 0;
}

/*
 * Fetches the next runs of elements that only one list has; false when there
 * are none left.
 */
bool
dtmodel_align_next(DtListAlignment *alignment, DtListRuns *runs)
{
	Side	   *old_side = &alignment->old_side;
	Side	   *new_side = &alignment->new_side;

	while (alignment->next_point <= alignment->npoints)
	{
		bool		last = alignment->next_point == alignment->npoints;
		FixedPoint	end = {old_side->count, new_side->count};
		bool		left;

		CHECK_FOR_INTERRUPTS();
		if (!last)
			end = alignment->points[alignment->next_point];
		alignment->next_point++;

		left = trim_runs(alignment, end.old_at, end.new_at, runs);
		old_side->at = end.old_at + 1;
		new_side->at = end.new_at + 1;
		if (left)
			return true;
	}
	return false;
}
