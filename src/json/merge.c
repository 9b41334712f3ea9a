/*-------------------------------------------------------------------------
 *
 * merge.c
 *	  Merging one jsonb document into another.
 *
 * All merges are joins of sorted members.  They differ in what happens to a
 * member that the second document has, which choose() decides.  Values that
 * are not merged member by member are copied as one block, and a merge that
 * changes nothing returns the first document as it was passed, toasted or not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "json/merge.h"
#include "miscadmin.h"

/*
 * What happens to one key.
 */
typedef enum MergeChoice
{
	CHOOSE_A,					/* copy the value of a */
	CHOOSE_B,					/* copy the value of b */
	CHOOSE_NONE,				/* leave it out */
	CHOOSE_BOTH					/* merge b's object into a's, or into {} */
} MergeChoice;

/*
 * A walk through all keys of two objects.
 */
typedef struct MergeSide
{
	DtRawObjectWalk walk;
	DtRawMember member;			/* the current one, if there is more */
	bool		more;
} MergeSide;

typedef struct MergeWalk
{
	DtMergeRule rule;
	MergeSide	a;
	MergeSide	b;
} MergeWalk;

/*
 * One key of a walk: which side has it, and the choice.  These bytes are what
 * is kept of the walk for writing the result, first its keys and then its
 * values.
 */
typedef uint8 MergeStep;

#define STEP_HAS_A 0x10
#define STEP_HAS_B 0x20
#define STEP_CHOICE 0x0f

PG_FUNCTION_INFO_V1(dtmodel_jsonb_deep_merge);
PG_FUNCTION_INFO_V1(dtmodel_merge_settings);

/*
 * Applies the rule to a key that b has.  If a does not have it, a is NULL.
 */
static MergeChoice
choose(DtMergeRule rule, const DtRawValue *a, const DtRawValue *b)
{
	switch (rule)
	{
		case DT_MERGE_SHALLOW:
			return CHOOSE_B;
		case DT_MERGE_DEEP:
			return a != NULL && dtmodel_raw_is_object(a) && dtmodel_raw_is_object(b) ?
				CHOOSE_BOTH : CHOOSE_B;
		case DT_MERGE_PATCH:
			if (b->type == JENTRY_ISNULL)
				return CHOOSE_NONE;
			return dtmodel_raw_is_object(b) ? CHOOSE_BOTH : CHOOSE_B;
	}
	pg_unreachable();
}

/*
 * The object into which b is merged: a if that is an object, otherwise {}.
 */
static const DtRawValue *
merge_target(const DtRawValue *a)
{
	return a != NULL && dtmodel_raw_is_object(a) ? a : &dtmodel_raw_empty_object;
}

static void
side_next(MergeSide *side)
{
	side->more = dtmodel_raw_next_member(&side->walk, &side->member);
}

static void
begin_join(MergeWalk *join, DtMergeRule rule, const DtRawValue *a, const DtRawValue *b)
{
	join->rule = rule;
	join->a.walk = dtmodel_raw_walk_object(a);
	join->b.walk = dtmodel_raw_walk_object(b);
	side_next(&join->a);
	side_next(&join->b);
}

/*
 * Decides about the current key of the join.  There must be one.
 */
static MergeStep
join_step(const MergeWalk *join)
{
	int			order = dtmodel_raw_compare_members(join->a.more ? &join->a.member : NULL,
													join->b.more ? &join->b.member : NULL);

	if (order < 0)
		return STEP_HAS_A | CHOOSE_A;
	if (order > 0)
		return STEP_HAS_B | choose(join->rule, NULL, &join->b.member.value);
	return STEP_HAS_A | STEP_HAS_B |
		choose(join->rule, &join->a.member.value, &join->b.member.value);
}

static void
join_next(MergeWalk *join, MergeStep step)
{
	if (step & STEP_HAS_A)
		side_next(&join->a);
	if (step & STEP_HAS_B)
		side_next(&join->b);
}

static bool merge_changes(DtMergeRule rule, const DtRawValue *a, const DtRawValue *b);

static bool
step_changes(const MergeWalk *join, MergeStep step)
{
	const DtRawValue *a = (step & STEP_HAS_A) ? &join->a.member.value : NULL;
	const DtRawValue *b = &join->b.member.value;

	switch ((MergeChoice) (step & STEP_CHOICE))
	{
		case CHOOSE_A:
			return false;
		case CHOOSE_B:
			return a == NULL || !dtmodel_raw_same_bytes(a, b);
		case CHOOSE_NONE:
			return a != NULL;
		case CHOOSE_BOTH:
			return a == NULL || !dtmodel_raw_is_object(a) || merge_changes(join->rule, a, b);
	}
	pg_unreachable();
}

/*
 * Does merging object b into object a change a?  "1.0" for "1.00" is a change
 * here: the result has the digits of b.
 */
static bool
merge_changes(DtMergeRule rule, const DtRawValue *a, const DtRawValue *b)
{
	MergeWalk	join;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	begin_join(&join, rule, a, b);
	while (join.b.more)
	{
		MergeStep	step = join_step(&join);

		if (step_changes(&join, step))
			return true;
		join_next(&join, step);
	}
	return false;
}

/*
 * Decides about all keys of objects a and b, and counts the members that
 * remain.
 */
static void
plan_merge(DtMergeRule rule, const DtRawValue *a, const DtRawValue *b,
		   MergeStep *steps, uint32 *nsteps, uint32 *nmembers)
{
	MergeWalk	join;

	*nsteps = *nmembers = 0;
	begin_join(&join, rule, a, b);
	while (join.a.more || join.b.more)
	{
		MergeStep	step = join_step(&join);

		CHECK_FOR_INTERRUPTS();
		steps[(*nsteps)++] = step;
		if ((step & STEP_CHOICE) != CHOOSE_NONE)
			(*nmembers)++;
		join_next(&join, step);
	}
}

/*
 * Returns how many steps are equal to "like" before the first other one.
 */
static uint32
run_length(const MergeStep *steps, uint32 nsteps, MergeStep like)
{
	uint32		n = 0;

	while (n < nsteps && steps[n] == like)
		n++;
	return n;
}

/*
 * Writes the keys that remain.  The cursors move from the first key to the
 * first value.
 */
static void
write_keys(DtRawWriter *writer, const MergeStep *steps, uint32 nsteps,
		   DtRawCursor *a, DtRawCursor *b)
{
	uint32		i = 0;

	while (i < nsteps)
	{
		MergeStep	step = steps[i];
		DtRawValue	key;

		CHECK_FOR_INTERRUPTS();
		if (step == (STEP_HAS_A | CHOOSE_A))
		{
			uint32		run = run_length(steps + i, nsteps - i, step);

			dtmodel_write_run(writer, a, run);
			i += run;
			continue;
		}
		if (step & STEP_HAS_A)
			key = dtmodel_raw_next(a);
		if (step & STEP_HAS_B)
			key = dtmodel_raw_next(b);
		if ((step & STEP_CHOICE) != CHOOSE_NONE)
			dtmodel_write_value(writer, &key);
		i++;
	}
}

static void write_merged(DtRawBuffer *buffer, DtMergeRule rule,
						 const DtRawValue *a, const DtRawValue *b);

/*
 * Writes the values that remain, or result from merging two.
 */
static void
write_values(DtRawWriter *writer, DtMergeRule rule,
			 const MergeStep *steps, uint32 nsteps, DtRawCursor *a, DtRawCursor *b)
{
	uint32		i = 0;

	while (i < nsteps)
	{
		MergeStep	step = steps[i];
		DtRawValue	value_a = dtmodel_raw_null;
		DtRawValue	value_b;

		CHECK_FOR_INTERRUPTS();
		if (step == (STEP_HAS_A | CHOOSE_A))
		{
			uint32		run = run_length(steps + i, nsteps - i, step);

			dtmodel_write_run(writer, a, run);
			i += run;
			continue;
		}
		if (step & STEP_HAS_A)
			value_a = dtmodel_raw_next(a);
		value_b = dtmodel_raw_next(b);
		if ((step & STEP_CHOICE) == CHOOSE_B)
			dtmodel_write_value(writer, &value_b);
		else if ((step & STEP_CHOICE) == CHOOSE_BOTH)
		{
			write_merged(writer->buffer, rule, merge_target(&value_a), &value_b);
			dtmodel_write_entry(writer, JENTRY_ISCONTAINER);
		}
		i++;
	}
}

/*
 * Appends the result of merging object b into object a to the buffer.
 */
static void
write_merged(DtRawBuffer *buffer, DtMergeRule rule,
			 const DtRawValue *a, const DtRawValue *b)
{
	DtRawCursor children_a = dtmodel_raw_children(a);
	DtRawCursor children_b = dtmodel_raw_children(b);
	Size		most = (Size) dtmodel_raw_count(a) + dtmodel_raw_count(b);
	MergeStep	few_steps[64];
	MergeStep  *steps = few_steps;
	uint32		nsteps;
	uint32		nmembers;
	DtRawWriter writer;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (most > lengthof(few_steps))
		steps = palloc(most * sizeof(MergeStep));
	plan_merge(rule, a, b, steps, &nsteps, &nmembers);
	dtmodel_write_container(&writer, buffer, JB_FOBJECT, nmembers);
	if (nsteps == dtmodel_raw_count(a) && nmembers == nsteps)
	{
		/* a has all keys, and all remain */
		dtmodel_write_run(&writer, &children_a, nsteps);
		children_b = dtmodel_raw_walk_object(b).values;
	}
	else
		write_keys(&writer, steps, nsteps, &children_a, &children_b);
	write_values(&writer, rule, steps, nsteps, &children_a, &children_b);
	if (steps != few_steps)
		pfree(steps);
}

/* The document {}. */
Datum
dtmodel_empty_document(void)
{
	return JsonbPGetDatum(dtmodel_raw_document(&dtmodel_raw_empty_object));
}

/*
 * Merges object root_b into object root_a, which is the root of datum a.
 */
Datum
dtmodel_merge_objects(DtMergeRule rule, Datum a,
					  const DtRawValue *root_a, const DtRawValue *root_b)
{
	DtRawBuffer buffer;

	if (!merge_changes(rule, root_a, root_b))
		return a;

	dtmodel_begin_document(&buffer, (Size) root_a->len + root_b->len);
	write_merged(&buffer, rule, root_a, root_b);
	return JsonbPGetDatum(dtmodel_finish_document(&buffer));
}

/*
 * jsonb_deep_merge(a jsonb, b jsonb) returns jsonb
 *
 * Merges b into a: objects are merged member by member at every level, and any
 * other value of b, including null, replaces that of a.  If either is not an
 * object, the result is b.
 *
 * Strict.
 */
Datum
dtmodel_jsonb_deep_merge(PG_FUNCTION_ARGS)
{
	Jsonb	   *a = PG_GETARG_JSONB_P(0);
	Jsonb	   *b = PG_GETARG_JSONB_P(1);
	DtRawValue	root_a = dtmodel_raw_root(a);
	DtRawValue	root_b = dtmodel_raw_root(b);

	if (dtmodel_raw_is_object(&root_a) && dtmodel_raw_is_object(&root_b))
		PG_RETURN_DATUM(dtmodel_merge_objects(DT_MERGE_DEEP, PG_GETARG_DATUM(0),
											  &root_a, &root_b));
	PG_RETURN_DATUM(PG_GETARG_DATUM(dtmodel_raw_same_document(a, b) ? 0 : 1));
}

/*
 * merge_settings(settings jsonb, patch jsonb) returns jsonb
 *
 * Replaces the members of settings by those of patch, one level deep; null is
 * kept as a value.  Both must be objects: raises 23514 if settings is not one,
 * and 22023 if patch is not one.
 *
 * SQL NULL counts as the empty object for both.  Never returns NULL.
 */
Datum
dtmodel_merge_settings(PG_FUNCTION_ARGS)
{
	Datum		settings = PG_ARGISNULL(0) ? dtmodel_empty_document() : PG_GETARG_DATUM(0);
	Datum		patch = PG_ARGISNULL(1) ? dtmodel_empty_document() : PG_GETARG_DATUM(1);
	DtRawValue	root = dtmodel_raw_root(DatumGetJsonbP(settings));
	DtRawValue	root_patch = dtmodel_raw_root(DatumGetJsonbP(patch));

	if (!dtmodel_raw_is_object(&root))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("settings must be an object"),
				 errdetail("The settings are %s.", dtmodel_raw_kind(&root)),
				 errhint("Store an object, or NULL for no settings.")));
	if (!dtmodel_raw_is_object(&root_patch))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("patch of settings must be an object"),
				 errdetail("The patch is %s.", dtmodel_raw_kind(&root_patch)),
				 errhint("Pass an object with the settings that change.")));

	PG_RETURN_DATUM(dtmodel_merge_objects(DT_MERGE_SHALLOW, settings, &root, &root_patch));
}
