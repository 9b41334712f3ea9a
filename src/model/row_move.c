/*-------------------------------------------------------------------------
 *
 * row_move.c
 *	  Rows that move from one partition to another.
 *
 * An UPDATE that changes the partition of a row is carried out as a DELETE
 * and an INSERT, and row triggers are told of all three: BEFORE UPDATE and
 * then BEFORE DELETE of the same tuple, then BEFORE INSERT into the other
 * partition.  To a soft delete the second looks like a deletion, to
 * timestamps the third like a new row.
 *
 * So partitioned models have one more trigger, which fires before the others
 * and keeps a note of the row that is being updated.  A DELETE that meets
 * exactly its note is a move, and the next INSERT of the same command is the
 * row's arrival.  Any other DELETE and INSERT is what it says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "model/row_move.h"
#include "model/row_trigger.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(dtmodel_row_move_trigger);

/* At most so many triggers of ours see one row arrive. */
#define MAX_ARRIVAL_TRIGGERS 16

typedef enum MoveStep
{
	MOVE_NONE,
	MOVE_UPDATING,				/* BEFORE UPDATE was seen */
	MOVE_OUT,					/* and BEFORE DELETE of the same tuple */
	MOVE_IN						/* and BEFORE INSERT */
} MoveStep;

/* The note; there is only ever one row on its way in a command. */
typedef struct Move
{
	MoveStep	step;
	Oid			relid;			/* where the row comes from */
	ItemPointerData tid;
	CommandId	command;
	SubTransactionId subtransaction;
	Oid			arrival_relid;	/* where it arrives */
	int			narrivals;		/* triggers that were told so */
	Oid			arrivals[MAX_ARRIVAL_TRIGGERS];
} Move;

static Move move;

/*
 * The command that fires the trigger.  The snapshot tells it: what triggers
 * run in between has later ones.
 */
static CommandId
current_command(void)
{
	return GetActiveSnapshot()->curcid;
}

static bool
is_of_this_command(void)
{
	return move.command == current_command() &&
		move.subtransaction == GetCurrentSubTransactionId();
}

static bool
is_noted_row(const TriggerData *trigdata)
{
	return move.relid == RelationGetRelid(trigdata->tg_relation) &&
		ItemPointerEquals(&move.tid, &trigdata->tg_trigtuple->t_self);
}

static void
note_update(const TriggerData *trigdata)
{
	move.step = MOVE_UPDATING;
	move.relid = RelationGetRelid(trigdata->tg_relation);
	move.tid = trigdata->tg_trigtuple->t_self;
	move.command = current_command();
	move.subtransaction = GetCurrentSubTransactionId();
}

/*
 * row_move_trigger() returns trigger
 *
 * BEFORE UPDATE OR DELETE, FOR EACH ROW, on partitioned models.  Lets every
 * row pass, and keeps in mind which one is on its way.
 */
Datum
dtmodel_row_move_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = dtmodel_row_trigger(fcinfo, "row_move_trigger",
												DT_ON_UPDATE | DT_ON_DELETE);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		note_update(trigdata);
		return PointerGetDatum(trigdata->tg_newtuple);
	}
	move.step = move.step == MOVE_UPDATING && is_of_this_command() &&
		is_noted_row(trigdata) ? MOVE_OUT : MOVE_NONE;
	return PointerGetDatum(trigdata->tg_trigtuple);
}

/* For a BEFORE DELETE trigger: whether the row only goes to live elsewhere. */
bool
dtmodel_row_moves_out(const TriggerData *trigdata)
{
	return move.step == MOVE_OUT && is_of_this_command() &&
		is_noted_row(trigdata);
}

/*
 * Whether the trigger is one of another row: it stands at another partition,
 * or was told already.  If not, it is told now.
 */
static bool
is_of_another_row(const TriggerData *trigdata)
{
	Oid			trigger = trigdata->tg_trigger->tgoid;

	if (move.arrival_relid != RelationGetRelid(trigdata->tg_relation))
		return true;
	for (int i = 0; i < move.narrivals; i++)
	{
		if (move.arrivals[i] == trigger)
			return true;
	}
	if (move.narrivals < MAX_ARRIVAL_TRIGGERS)
		move.arrivals[move.narrivals++] = trigger;
	return false;
}

/*
 * For a BEFORE INSERT trigger: whether the row arrives from another
 * partition.  Every trigger of the row asks once, so one that asks again asks
 * about another row, which is new.
 */
bool
dtmodel_row_moves_in(const TriggerData *trigdata)
{
	if (!trigdata->tg_relation->rd_rel->relispartition ||
		(move.step != MOVE_OUT && move.step != MOVE_IN) ||
		!is_of_this_command())
		return false;
	if (move.step == MOVE_OUT)
	{
		move.step = MOVE_IN;
		move.arrival_relid = RelationGetRelid(trigdata->tg_relation);
		move.narrivals = 0;
	}
	if (!is_of_another_row(trigdata))
		return true;
	move.step = MOVE_NONE;
	return false;
}

/* Gives the table the trigger if it is partitioned. */
void
dtmodel_change_move_trigger(DtChange *change)
{
	if (change->rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		dtmodel_change_trigger(change, DT_TRIGGER_ROW_MOVE, "UPDATE OR DELETE",
							   NIL);
}

/*
 * Drops the trigger unless a mixin other than the one that is being removed
 * needs it.  "removed" has the bits of that mixin's trigger kinds.
 */
void
dtmodel_drop_move_trigger(DtChange *change, int removed)
{
	TriggerDesc *triggers = dtmodel_triggers(change->rel);

	removed |= 1 << DT_TRIGGER_ROW_MOVE;
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		DtTriggerKind kind = dtmodel_trigger_kind(&triggers->triggers[i]);

		if (kind != DT_TRIGGER_NONE && (removed & (1 << kind)) == 0)
			return;
	}
	dtmodel_drop_trigger(change, DT_TRIGGER_ROW_MOVE);
}
