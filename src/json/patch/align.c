/*-------------------------------------------------------------------------
 *
 * align.c
 *	  Which elements of a list are found again in another one.
 *
 * This is the patience algorithm of line by line comparison: what the lists
 * begin and end with in common is put aside; of the elements in between,
 * those that occur once in each list, in the longest sequence that has the
 * same order in both, are the fixed points; and around the fixed points equal
 * neighbours are matched as well.  It takes n log n steps at worst, where a
 * longest common subsequence would take n * n.
 *
 * What lists begin and end with in common is found by bytes alone.  Elements of
 * other bytes may still be equal, as 1.0 and 1.00 are; that comes out when the
 * elements in between are hashed.  In lists in lists, comparing all values here
 * would be to go down to the last level for each level, where a memo hashes
 * each of them once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "json/element_numbers.h"
#include "json/patch/align.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * One of the two lists, without what both begin and end with.
 */
typedef struct Side
{
	RawValue   *elements;
	uint32	   *numbers;		/* equal elements have equal numbers */
	uint32		count;
	uint32		at;				/* all before this has been dealt with */
} Side;

/*
 * A fixed point: the same element, at these places.
 */
typedef struct FixedPoint
{
	uint32		old_at;
	uint32		new_at;
} FixedPoint;

struct ListAlignment
{
	MemoryContext context;		/* of all that is below */
	HashMemo   *memo;
	uint32		prefix;			/* elements that both lists begin with */
	uint32		same;			/* bytes in common of the next one of each */
	Side		old_side;
	Side		new_side;
	FixedPoint *points;
	uint32		npoints;
	uint32		next_point;
};

/* How often an element occurs, and where it did last. */
typedef struct Occurrence
{
	uint32		old_times;
	uint32		new_times;
	uint32		old_at;
} Occurrence;

/*
 * What the lists begin with in common, as far as bytes tell.
 */
static void
find_prefix(ListAlignment *alignment, const RawValue *a, const RawValue *b,
			uint32 same)
{
	RawPairs	pairs = dtmodel_raw_element_pairs(a, b, same);
	RawPair		pair;

	alignment->prefix = pairs.count;
	if (dtmodel_raw_next_pair(&pairs, &pair))
	{
		alignment->prefix = pair.number;
		alignment->same = pair.same;
	}
}

/*
 * What the lists end with in common, after that prefix.  Right after the
 * prefix they are known to differ.
 */
static uint32
common_suffix(const RawValue *a, const RawValue *b, uint32 prefix)
{
	uint32		last_a = raw_count(a);
	uint32		last_b = raw_count(b);
	uint32		n = 0;

	while (last_a-- > prefix && last_b-- > prefix)
	{
		RawValue	element_a;
		RawValue	element_b;

		CHECK_FOR_INTERRUPTS();
		if ((last_a == prefix && last_b == prefix) ||
			!dtmodel_raw_element(a, last_a, &element_a) ||
			!dtmodel_raw_element(b, last_b, &element_b) ||
			!raw_same_bytes(&element_a, &element_b))
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
load_side(ListAlignment *alignment, Side *side, const RawValue *list, uint32 suffix)
{
	RawCursor	elements = raw_children_from(list, alignment->prefix);

	side->at = 0;
	side->count = raw_count(list) - alignment->prefix - suffix;
	side->elements = allocate(alignment->context, side->count, sizeof(RawValue));
	side->numbers = NULL;
	for (uint32 i = 0; i < side->count; i++)
		side->elements[i] = raw_next(&elements);
}

static void
number_elements(ListAlignment *alignment, ElementNumbers *table, Side *side)
{

	side->numbers = allocate(alignment->context, side->count, sizeof(uint32));
	for (uint32 i = 0; i < side->count; i++)
		side->numbers[i] = dtmodel_element_numbers_add(table, &side->elements[i]);
}

/*
 * Finds the elements that occur once in each list, in the order of the new
 * one.
 */
static FixedPoint *
find_candidates(ListAlignment *alignment, uint32 different, uint32 *count)
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
 * Which pile does a candidate go on?  The piles' tops are sorted; it is the
 * first whose top does not come before it in the old list.
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
 * Keeps of the candidates the longest sequence that is in order in the old
 * list, too (as in a game of patience).
 */
static void
keep_longest_sequence(ListAlignment *alignment, FixedPoint *candidates, uint32 count)
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
find_fixed_points(ListAlignment *alignment)
{
	ElementNumbers *table = dtmodel_element_numbers_create(alignment->old_side.count,
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
 * Compares two lists whose bytes differ, after so many that are the same.  They
 * must stay where they are until the end.
 */
ListAlignment *
dtmodel_align_begin(const RawValue *old_list, const RawValue *new_list,
					uint32 same, HashMemo *memo)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "dtmodel list alignment",
												  ALLOCSET_SMALL_SIZES);
	ListAlignment *alignment = MemoryContextAllocZero(context, sizeof(ListAlignment));
	uint32		suffix;

	alignment->context = context;
	alignment->memo = memo;
	find_prefix(alignment, old_list, new_list, same);
	suffix = common_suffix(old_list, new_list, alignment->prefix);
	load_side(alignment, &alignment->old_side, old_list, suffix);
	load_side(alignment, &alignment->new_side, new_list, suffix);

	/* With one element against one, or none, there is nothing to find. */
	if (alignment->old_side.count > 0 && alignment->new_side.count > 0 &&
		alignment->old_side.count + alignment->new_side.count > 2)
		find_fixed_points(alignment);
	return alignment;
}

void
dtmodel_align_end(ListAlignment *alignment)
{
	MemoryContextDelete(alignment->context);
}

static bool
same_number(const ListAlignment *alignment, uint32 old_at, uint32 new_at)
{
	return alignment->old_side.numbers != NULL &&
		alignment->old_side.numbers[old_at] == alignment->new_side.numbers[new_at];
}

/*
 * Cuts from the runs between here and these ends what they begin and end with
 * in common.  Returns whether anything is left.
 */
static bool
trim_runs(ListAlignment *alignment, uint32 old_end, uint32 new_end, ListRuns *runs)
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
	runs->same_known = old_at == 0 && new_at == 0;
	runs->same = alignment->same;
	return runs->old_count > 0 || runs->new_count > 0;
}

/*
 * Fetches the next runs of elements that are not found again; false when
 * there are none left.
 */
bool
dtmodel_align_next(ListAlignment *alignment, ListRuns *runs)
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
