/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  What the triggers of one statement tell each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_STATEMENT_H
#define DTMODEL_STATEMENT_H

#include "utils/palloc.h"

/* What a note is about. */
typedef enum DtNoteKind
{
	DT_NOTE_MOVE,				/* the row that a function saw leave */
	DT_NOTE_FLIP,				/* rows deleted or restored by their move */
	DT_NOTE_RESTORES,			/* rows whose restore is to be completed */
	DT_NOTE_FIRING				/* the statement that fires AFTER triggers */
} DtNoteKind;

extern void *dtmodel_find_note(MemoryContext statement, DtNoteKind kind,
							   Oid about);
extern void *dtmodel_make_note(MemoryContext statement, DtNoteKind kind,
							   Oid about, Size size);

extern MemoryContext dtmodel_set_firing(MemoryContext statement);
extern void dtmodel_leave_firing(MemoryContext statement);
extern MemoryContext dtmodel_find_firing(MemoryContext statement);

#endif							/* DTMODEL_STATEMENT_H */
