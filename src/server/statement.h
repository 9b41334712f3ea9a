/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  What the triggers of one statement tell each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_STATEMENT_H
#define DTMODEL_STATEMENT_H

#include "nodes/pg_list.h"
#include "utils/palloc.h"

/* What a note is about. */
typedef enum DtNoteKind
{
	DT_NOTE_MOVE,				/* the row that a function saw leave */
	DT_NOTE_FLIP,				/* rows deleted or restored by their move */
	DT_NOTE_RESTORES,			/* rows whose restore is to be completed */
	DT_NOTE_NEW_SLUG			/* that it gives rows new slugs */
} DtNoteKind;

extern void *dtmodel_find_note(MemoryContext statement, DtNoteKind kind,
							   Oid about);
extern List *dtmodel_notes_of_all(DtNoteKind kind, Oid about);
extern void *dtmodel_make_note(MemoryContext statement, DtNoteKind kind,
							   Oid about, Size size);

#endif							/* DTMODEL_STATEMENT_H */
