/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  What the triggers of one statement tell each other.
 *
 * A trigger function is called with memory (fn_mcxt) that lasts as long as the
 * statement that fires it, and is the executor's own (es_query_cxt).  That
 * memory is what a statement is known by here: all triggers that it fires
 * share it, those of other statements that run in between have their own, and
 * what is noted in it goes when it goes, however the statement ends.
 *
 * A statement that follows a foreign key leaves its AFTER triggers to the one
 * that it runs for.  What its BEFORE triggers have to tell them is therefore
 * noted in the memory of the latter.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "model/statement.h"
#include "utils/memutils.h"

typedef struct Note
{
	struct Note *next;
	MemoryContext statement;
	DtNoteKind	kind;
	Oid			about;
	void	   *content;
	MemoryContextCallback callback;
} Note;

static Note *notes = NULL;

/* The statement that is running its AFTER triggers. */
static MemoryContext firing = NULL;

/* The statement ends, and its note with it. */
static void
forget_note(void *argument)
{
	Note	  **link = &notes;

	while (*link != NULL && *link != argument)
		link = &(*link)->next;
	if (*link != NULL)
		*link = (*link)->next;
}

/* What was noted in the statement; NULL for nothing. */
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

/* The same, but an empty note is made where there is none yet. */
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

/*
 * Says which statement is running its AFTER triggers, and returns the one that
 * was before.
 */
MemoryContext
dtmodel_set_firing(MemoryContext statement)
{
	MemoryContext former = firing;

	firing = statement;
	return former;
}

/* For a statement that begins, and does not fire its AFTER triggers itself. */
void
dtmodel_leave_firing(MemoryContext statement)
{
	MemoryContext *firing_statement;

	if (firing == NULL)
		return;
	firing_statement = dtmodel_make_note(statement, DT_NOTE_FIRING, InvalidOid,
										 sizeof(MemoryContext));
	*firing_statement = firing;
}

/* The statement that fires the AFTER triggers of this one. */
MemoryContext
dtmodel_find_firing(MemoryContext statement)
{
	MemoryContext *firing_statement = dtmodel_find_note(statement,
														DT_NOTE_FIRING,
														InvalidOid);

	return firing_statement == NULL ? statement : *firing_statement;
}
