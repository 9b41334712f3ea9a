/*-------------------------------------------------------------------------
 *
 * change.c
 *	  What add_* and remove_* do: they look at a table, lock it once, and
 *	  change it.
 *
 * A session that waits for a stronger lock on a table while it holds a weaker
 * one deadlocks with a transaction that has read the table and then writes it.
 * So the locks are taken once, and as strong as the statements of the change
 * need them.  Which statements these are is known only after a look at the
 * table, under a lock that every reader has.  That one is given back before,
 * with the subtransaction in which it was taken: a call that finds nothing to
 * do keeps no lock at all.
 *
 * Between that look and the lock, another session may change the table.  So
 * the table is looked at again, and if it needs a stronger lock now, the lock
 * is given back too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "model/change.h"
#include "model/inheritance.h"
#include "server/citus_ddl.h"
#include "server/subtransaction.h"

typedef struct Attempt
{
	const DtCall *call;
	LOCKMODE	lockmode;		/* AccessShareLock: only to look */
	LOCKMODE	needed;
	List	   *tables;
} Attempt;

static bool
is_first(const Attempt *attempt)
{
	return attempt->lockmode == AccessShareLock;
}

/* Locks a table, which must be one that the user can change. */
static List *
lock_table(Oid relid, LOCKMODE lockmode, bool with_inheritors)
{
	List	   *inheritors = NIL;
	DtChange	change;

	dtmodel_begin_change(&change, relid, lockmode);
	if (with_inheritors)
		inheritors = dtmodel_inheritors(change.rel, lockmode);
	relation_close(change.rel, NoLock);
	return inheritors;
}

/*
 * The tables in the order in which they get what is added.  They stay locked,
 * so that no other table can inherit from one of them meanwhile.
 */
static List *
lock_tables(const DtCall *call, LOCKMODE lockmode)
{
	List	   *inheritors = lock_table(call->relid, lockmode,
										call->with_inheritors);
	ListCell   *cell;

	foreach(cell, inheritors)
		(void) lock_table(lfirst_oid(cell), lockmode, false);
	return lcons_oid(call->relid, inheritors);
}

/* The lock that the change of one table needs; NoLock if there is none. */
static LOCKMODE
look_at_table(const Attempt *attempt, Oid relid)
{
	const DtCall *call = attempt->call;
	LOCKMODE	needed;
	LOCKMODE	afterwards = NoLock;
	DtChange	change;

	dtmodel_begin_change(&change, relid, attempt->lockmode);
	change.phase = is_first(attempt) ? DT_BEFORE_LOCK : DT_UNDER_LOCK;
	call->change_table(&change, call->request);
	needed = change.needed;
	if (needed != NoLock && call->mixin != NULL)
		afterwards = dtmodel_lock_after_change(change.rel, call->mixin);
	relation_close(change.rel, NoLock);
	return Max(needed, afterwards);
}

/*
 * A table that needs the strongest lock is changed in ways that those which
 * inherit from it follow, so these are not looked at before.
 */
static LOCKMODE
look_at_tables(const Attempt *attempt)
{
	LOCKMODE	needed = NoLock;
	ListCell   *cell;

	foreach(cell, attempt->tables)
	{
		LOCKMODE	one = look_at_table(attempt, lfirst_oid(cell));

		needed = Max(needed, one);
		if (needed == AccessExclusiveLock)
			break;
	}
	return needed;
}

/* Returns whether the tables can be changed under the locks that it takes. */
static bool
try_lock(void *argument)
{
	Attempt    *attempt = argument;

	attempt->tables = lock_tables(attempt->call, attempt->lockmode);
	attempt->needed = look_at_tables(attempt);
	return !is_first(attempt) && attempt->needed <= attempt->lockmode;
}

static void
change_table(const DtCall *call, Oid relid, LOCKMODE lockmode)
{
	DtChange	change;

	dtmodel_begin_change(&change, relid, lockmode);
	call->change_table(&change, call->request);
	dtmodel_apply_change(&change);
	if (call->mixin != NULL)
		dtmodel_after_change(relid, call->mixin);
}

static bool
change_tables(const DtCall *call)
{
	Attempt		attempt = {.call = call,.lockmode = AccessShareLock};
	int			count;

	while (!dtmodel_keep_subtransaction_if(try_lock, &attempt))
	{
		if (attempt.needed == NoLock)
			return false;
		attempt.lockmode = attempt.needed;
	}

	count = list_length(attempt.tables);
	for (int i = 0; i < count; i++)
		change_table(call, list_nth_oid(attempt.tables, call->inheritors_first ?
										count - 1 - i : i),
					 attempt.lockmode);
	return true;
}

/*
 * Makes the call on the table, and on those that inherit from it.  Returns
 * whether there was anything to do.
 */
bool
dtmodel_change_tables(const DtCall *call)
{
	int			nest_level = dtmodel_begin_citus_ddl();
	bool		changed = change_tables(call);

	dtmodel_end_citus_ddl(nest_level);
	return changed;
}

/* The same for one table and a change that no other mixin follows. */
bool
dtmodel_change_table(Oid relid, DtChangeTable change_table,
					 const void *request)
{
	const DtCall call = {
		.relid = relid,
		.change_table = change_table,
		.request = request,
	};

	return dtmodel_change_tables(&call);
}
