/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Notes that the triggers of one statement share.
 *
 * A trigger function is called with a memory context (fn_mcxt) that lasts as
 * long as the statement that fires it, and is the executor's own
 * (es_query_cxt). It identifies the statement here: all triggers that the
 * statement fires share it, other statements that run meanwhile have their
 * own, and the notes in it are freed with it, however the statement ends.
 *
 * After an error that is long: the executor's memory may last until the end of
 * the transaction, even if a subtransaction catches the error, as where an
 * expression of PL/pgSQL calls a function in SQL.  So the notes that a
 * subtransaction has made are dropped when it is rolled back.  A note that is
 * kept with the transaction lasts as long: in its memory there is room for one,
 * not for one of each subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "server/statement.h"
#include "utils/memutils.h"

typedef struct Note
{
	struct Note *next;
	MemoryContext statement;
	SubTransactionId subtransaction;
	DtNoteKind	kind;
	Oid			about;
	void	   *content;
	MemoryContextCallback callback;
} Note;

static Note *notes = NULL;

/* The statement ends, and the note with it. */
static void
forget_note(void *argument)
{
	Note	  **link = &notes;

	while (*link != NULL && *link != argument)
		link = &(*link)->next;
	if (*link != NULL)
		*link = (*link)->next;
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId own,
				   SubTransactionId parent, void *argument pg_attribute_unused())
{
	Note	  **link = &notes;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	while (*link != NULL)
	{
		Note	   *note = *link;

		if (note->subtransaction != own)
			link = &note->next;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			*link = note->next;
		else
			note->subtransaction = parent;
	}
}

/* The note of the statement; NULL if there is none. */
void *
dtmodel_find_note(MemoryContext statement, DtNoteKind kind, Oid about)
{
	for (Note *note = notes; note != NULL; note = note->next)
	{
		if (note->statement == statement && note->kind == kind &&
			note->about == about)
			return note->content;
	}
	return NULL;
}

/*
 * The note of the statement that is running, or of the one around it; NULL if
 * there is none.
 */
void *
dtmodel_innermost_note(DtNoteKind kind)
{
	for (Note *note = notes; note != NULL; note = note->next)
	{
		if (note->kind == kind)
			return note->content;
	}
	return NULL;
}

/* The notes of all statements that are running. */
List *
dtmodel_notes_of_all(DtNoteKind kind, Oid about)
{
	List	   *contents = NIL;

	for (Note *note = notes; note != NULL; note = note->next)
	{
		if (note->kind == kind && note->about == about)
			contents = lappend(contents, note->content);
	}
	return contents;
}

/* The subtransaction that a note ends with, see above. */
static SubTransactionId
subtransaction_of(MemoryContext statement)
{
	return statement == TopTransactionContext ? TopSubTransactionId :
		GetCurrentSubTransactionId();
}

/* Like dtmodel_find_note, but adds an empty note if there is none yet. */
void *
dtmodel_make_note(MemoryContext statement, DtNoteKind kind, Oid about,
				  Size size)
{
	void	   *content = dtmodel_find_note(statement, kind, about);
	Note	   *note;

	if (content != NULL)
		return content;

	note = MemoryContextAllocZero(statement, sizeof(Note));
	note->statement = statement;
	note->subtransaction = subtransaction_of(statement);
	note->kind = kind;
	note->about = about;
	note->content = MemoryContextAllocZero(statement, size);
	note->callback.func = forget_note;
	note->callback.arg = note;
	MemoryContextRegisterResetCallback(statement, &note->callback);
	note->next = notes;
	notes = note;
	return note->content;
}

void
dtmodel_start_notes(void)
{
	RegisterSubXactCallback(end_subtransaction, NULL);
}
