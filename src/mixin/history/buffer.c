/*-------------------------------------------------------------------------
 *
 * buffer.c
 *	  Past versions that wait until there are enough of them, or until the
 *	  statement ends.
 *
 * One version at a time would cost several times as much as the change itself.
 * There is a buffer for each table and subtransaction: what a subtransaction
 * has changed is forgotten with it if it is rolled back, and belongs to its
 * parent if it is not.
 *
 * Buffers are emptied at the end of each statement, so later statements see
 * the versions.  A worker of logical replication changes rows without the
 * executor; its buffers are emptied before it commits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "mixin/history/version.h"
#include "model/actor.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define FIRST_CAPACITY 4

/* A buffer is full when it has this many versions, or bytes. */
#define MOST_VERSIONS 1024
#define MOST_BYTES (64 * 1024)

typedef struct VersionBuffer
{
	struct VersionBuffer *next;
	Oid			relid;
	SubTransactionId subid;
	MemoryContext context;		/* of everything below, and of this */
	Size		bytes;			/* of the rows */
	int			count;
	int			capacity;
	const char *ended_by;		/* of the last version */
	DtPastVersion *versions;
} VersionBuffer;

/* Those of the innermost subtransaction come first. */
static VersionBuffer *buffers = NULL;

static VersionBuffer *
find_buffer(Oid relid, SubTransactionId subid)
{
	for (VersionBuffer *buffer = buffers; buffer != NULL && buffer->subid == subid;
		 buffer = buffer->next)
	{
		if (buffer->relid == relid)
			return buffer;
	}
	return NULL;
}

static VersionBuffer *
make_buffer(Oid relid, SubTransactionId subid)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext,
												  "dtmodel history",
												  ALLOCSET_SMALL_SIZES);
	VersionBuffer *buffer = MemoryContextAllocZero(context, sizeof(VersionBuffer));

	buffer->relid = relid;
	buffer->subid = subid;
	buffer->context = context;
	buffer->capacity = FIRST_CAPACITY;
	buffer->versions = MemoryContextAlloc(context,
										  sizeof(DtPastVersion) * FIRST_CAPACITY);
	buffer->next = buffers;
	buffers = buffer;
	return buffer;
}

/* Buffers of a subtransaction can only be first in the list. */
static void
unlink_buffer(VersionBuffer *buffer)
{
	VersionBuffer **link = &buffers;

	while (*link != buffer)
		link = &(*link)->next;
	*link = buffer->next;
}

/* The buffer is no longer in the list if writing fails. */
static void
write_buffer(VersionBuffer *buffer)
{
	unlink_buffer(buffer);
	dtmodel_write_versions(buffer->relid, buffer->versions, buffer->count);
	MemoryContextDelete(buffer->context);
}

/* Most versions of a statement are ended by the same actor. */
static const char *
kept_actor(VersionBuffer *buffer, const char *actor)
{
	if (actor == NULL)
		actor = dtmodel_actor();
	if (buffer->ended_by == NULL || strcmp(buffer->ended_by, actor) != 0)
		buffer->ended_by = MemoryContextStrdup(buffer->context, actor);
	return buffer->ended_by;
}

static DtPastVersion *
add_version(VersionBuffer *buffer)
{
	if (buffer->count == buffer->capacity)
	{
		buffer->capacity *= 2;
		buffer->versions = repalloc(buffer->versions,
									sizeof(DtPastVersion) * buffer->capacity);
	}
	return &buffer->versions[buffer->count++];
}

/* Adds a copy of a version of a row of this table. */
void
dtmodel_keep_version(Relation rel, const DtPastVersion *version)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	VersionBuffer *buffer = find_buffer(RelationGetRelid(rel), subid);
	MemoryContext caller;
	DtPastVersion *kept;

	if (buffer == NULL)
		buffer = make_buffer(RelationGetRelid(rel), subid);
	caller = MemoryContextSwitchTo(buffer->context);
	kept = add_version(buffer);
	*kept = *version;
	kept->row = heap_copytuple(version->row);
	kept->ended_by = kept_actor(buffer, version->ended_by);
	buffer->bytes += version->row->t_len;
	MemoryContextSwitchTo(caller);
	if (buffer->count == MOST_VERSIONS || buffer->bytes >= MOST_BYTES)
		write_buffer(buffer);
}

/*
 * Writes the versions that the current subtransaction has ended.  Those of an
 * outer one stay: an error here would be caught without undoing its changes.
 */
void
dtmodel_finish_history(void)
{
	SubTransactionId subid;

	if (buffers == NULL)
		return;
	subid = GetCurrentSubTransactionId();
	while (buffers != NULL && buffers->subid == subid)
		write_buffer(buffers);
}

static void
finish_transaction(XactEvent event, void *arg pg_attribute_unused())
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (buffers == NULL)
				break;
			PushActiveSnapshot(GetTransactionSnapshot());
			dtmodel_finish_history();
			PopActiveSnapshot();
			break;
		case XACT_EVENT_ABORT:
			buffers = NULL;
			break;
		default:
			break;
	}
}

static void
finish_subtransaction(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent,
					  void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (VersionBuffer *buffer = buffers; buffer != NULL && buffer->subid == subid;
			 buffer = buffer->next)
			buffer->subid = parent;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		while (buffers != NULL && buffers->subid >= subid)
		{
			VersionBuffer *buffer = buffers;

			unlink_buffer(buffer);
			MemoryContextDelete(buffer->context);
		}
	}
}

/* Called once, when the library is loaded. */
void
dtmodel_start_history(void)
{
	RegisterXactCallback(finish_transaction, NULL);
	RegisterSubXactCallback(finish_subtransaction, NULL);
}
