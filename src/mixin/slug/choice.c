/*-------------------------------------------------------------------------
 *
 * choice.c
 *	  Choosing slugs that no other live row has, while other sessions do the
 *	  same.
 *
 * The unique index tells whether a slug is in use.  It is read as the
 * server's own uniqueness check reads it: without regard to privileges, and
 * with the rows that other transactions have not committed yet.  So a session
 * never waits for the transaction of another, and never conflicts with it.
 *
 * Between that check and the moment when the row is in the index, another
 * session might choose the same slug.  Therefore the slug is reserved
 * meanwhile, by an advisory lock of our own class.  A session that cannot get
 * the lock goes on to the next slug.  Only for a slug that an application
 * gives it waits for the lock, since there is no other.  It waits for a
 * session that chooses that slug, but not for another session that gives it
 * too: these two are separated by the index, where the first may wait for the
 * second's transaction, so the second must not wait for the first.  The lock
 * is released at the next row of the statement or at its end, so that many
 * rows do not need many locks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "common/hashfn.h"
#include "dtmodel.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "mixin/slug/index.h"
#include "mixin/slug/slug.h"
#include "model/distributed.h"
#include "model/mixin_call.h"
#include "server/lookup.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/* The class of our advisory locks; those that users take have 1 and 2. */
#define SLUG_LOCK_CLASS 0x6474

/*
 * The locks of sessions that choose a slug, and of those that are given one.
 */
#define CHOICE_LOCK ExclusiveLock
#define GIVEN_LOCK ShareLock

/*
 * Releases the reservation.  It belongs to the transaction, which may have
 * released it already, and which may last longer than any other owner.
 */
void
dtmodel_end_reservation(DtSlugChoice *choice)
{
	ResourceOwner caller = CurrentResourceOwner;

	if (!choice->reserved)
		return;
	choice->reserved = false;
	if (!compat_lock_held_by_me(&choice->reservation, choice->lockmode))
		return;

	CurrentResourceOwner = TopTransactionResourceOwner;
	(void) LockRelease(&choice->reservation, choice->lockmode, false);
	CurrentResourceOwner = caller;
}

static void
end_choice(void *argument)
{
	dtmodel_end_reservation((DtSlugChoice *) argument);
}

static LockAcquireResult
lock_slug(DtSlugChoice *choice, const char *slug, LOCKMODE lockmode)
{
	ResourceOwner caller = CurrentResourceOwner;
	LockAcquireResult result;

	dtmodel_end_reservation(choice);
	SET_LOCKTAG_ADVISORY(choice->reservation, MyDatabaseId,
						 RelationGetRelid(choice->rel),
						 string_hash(slug, strlen(slug) + 1), SLUG_LOCK_CLASS);
	choice->lockmode = lockmode;

	/* Our own lock, for a row of an outer statement, does not conflict. */
	if (lockmode == CHOICE_LOCK &&
		compat_lock_held_by_me(&choice->reservation, GIVEN_LOCK))
		return LOCKACQUIRE_NOT_AVAIL;

	CurrentResourceOwner = TopTransactionResourceOwner;
	result = LockAcquire(&choice->reservation, lockmode, false,
						 lockmode == CHOICE_LOCK);
	CurrentResourceOwner = caller;
	choice->reserved = (result != LOCKACQUIRE_NOT_AVAIL);
	return result;
}

/* Reserves a slug that was given.  The index will check whether it is free. */
void
dtmodel_reserve_slug(DtSlugChoice *choice, const char *slug)
{
	(void) lock_slug(choice, slug, GIVEN_LOCK);
}

/* Prepares to choose slugs for the rows of one statement. */
DtSlugChoice *
dtmodel_begin_slug_choice(Relation rel, const DtSlug *slug,
						  MemoryContext context)
{
	DtSlugChoice *choice = MemoryContextAllocZero(context, sizeof(DtSlugChoice));
	MemoryContext caller = MemoryContextSwitchTo(context);

	choice->rel = rel;
	choice->attnum = slug->slug.attnum;
	choice->max_length = slug->max_length;
	choice->indexes = dtmodel_slug_indexes(rel, choice->attnum);
	MemoryContextSwitchTo(caller);

	if (choice->indexes == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no unique index makes the slugs in column \"%s\" of table \"%s\" unique",
						NameStr(slug->slug.name), RelationGetRelationName(rel)),
				 errdetail("The index that %s.add_slug created has been dropped.",
						   DTMODEL_SCHEMA),
				 errhint("Call %s to create it again.",
						 dtmodel_mixin_call(rel, &dtmodel_slug_mixin, NULL, NULL)),
				 errtable(rel)));

	choice->callback.func = end_choice;
	choice->callback.arg = choice;
	MemoryContextRegisterResetCallback(context, &choice->callback);
	return choice;
}

/* Whether a row other than our own has the slug, committed or not. */
static bool
index_has(Relation rel, Oid indexid, Datum slug, ItemPointer own)
{
	Relation	index = index_open(indexid, AccessShareLock);
	SnapshotData snapshot;
	ScanKeyData scan_key;
	DtLookup	lookup;
	bool		found = false;

	InitDirtySnapshot(snapshot);
	dtmodel_init_scan_key(&scan_key, index, 1, slug);
	lookup = dtmodel_begin_lookup(rel, index, &snapshot, 1, &scan_key);
	while (!found && dtmodel_find_next(&lookup))
		found = own == NULL || !ItemPointerEquals(&lookup.slot->tts_tid, own);
	dtmodel_end_lookup(&lookup);
	index_close(index, AccessShareLock);
	return found;
}

static bool
is_taken(const DtSlugChoice *choice, const char *slug, ItemPointer own)
{
	Datum		value = CStringGetTextDatum(slug);
	ListCell   *cell;

	foreach(cell, choice->indexes)
	{
		if (index_has(choice->rel, lfirst_oid(cell), value, own))
			return true;
	}
	return false;
}

/* Whether a row has the slug, committed or not. */
bool
dtmodel_slug_is_taken(const DtSlugChoice *choice, const char *slug)
{
	return is_taken(choice, slug, NULL);
}

/*
 * Reserves a slug if it is free.  "own" is the row itself if it is in the
 * table already.  A slug that we have already reserved is that of a row of an
 * outer statement, which fired us.
 */
bool
dtmodel_reserve_free_slug(DtSlugChoice *choice, const char *slug, ItemPointer own)
{
	if (lock_slug(choice, slug, CHOICE_LOCK) == LOCKACQUIRE_OK &&
		!is_taken(choice, slug, own))
		return true;
	dtmodel_end_reservation(choice);
	return false;
}

/* The slug with a number from 2 on: base-2, base-3 ... */
static const char *
numbered(const DtSlugChoice *choice, const char *base, int64 number)
{
	char	   *suffix = psprintf("-" INT64_FORMAT, number);
	int			length = pg_mbcliplen(base, strlen(base),
									  choice->max_length - (int) strlen(suffix));

	while (length > 0 && base[length - 1] == '-')
		length--;
	return psprintf("%.*s%s", length, base, suffix);
}

/*
 * The smallest number that is free, found in few steps even if many are in
 * use, since they are assigned in order.  If some were given back, it is any
 * free number.
 */
static int64
find_free_number(const DtSlugChoice *choice, const char *base, ItemPointer own)
{
	int64		taken = 1;
	int64		free = 2;

	while (is_taken(choice, numbered(choice, base, free), own))
	{
		taken = free;
		free *= 2;
	}
	while (free - taken > 1)
	{
		int64		middle = taken + (free - taken) / 2;

		if (is_taken(choice, numbered(choice, base, middle), own))
			taken = middle;
		else
			free = middle;
	}
	return free;
}

/* Whether the slug is the base with a number. */
static bool
is_numbered(const DtSlugChoice *choice, const char *base, const char *slug)
{
	const char *hyphen = strrchr(slug, '-');
	int64		number = hyphen == NULL ? 0 : strtoll(hyphen + 1, NULL, 10);

	return number > 1 && strcmp(numbered(choice, base, number), slug) == 0;
}

/*
 * Checks that slugs can be made for the table: whether one is free is read from
 * an index, and on tables that Citus distributes there are several.
 */
void
dtmodel_check_makes_slugs(Relation rel)
{
	dtmodel_check_not_distributed(rel, "add_slug",
								  "A server cannot know all slugs of the table, to make a new one.",
								  "Give rows their slugs, for example with " DTMODEL_SCHEMA ".slugify.");
}

/*
 * Chooses a free slug of this base and reserves it for the row.  "current" is
 * the row's own, NULL for none: it is kept if it differs only by its number.
 */
const char *
dtmodel_choose_slug(DtSlugChoice *choice, const char *base, ItemPointer own,
					const char *current)
{
	int64		number;

	dtmodel_check_makes_slugs(choice->rel);
	if (dtmodel_reserve_free_slug(choice, base, own))
		return base;
	if (current != NULL && is_numbered(choice, base, current) &&
		dtmodel_reserve_free_slug(choice, current, own))
		return current;
	number = find_free_number(choice, base, own);
	while (!dtmodel_reserve_free_slug(choice, numbered(choice, base, number), own))
	{
		CHECK_FOR_INTERRUPTS();
		number++;
	}
	return numbered(choice, base, number);
}
