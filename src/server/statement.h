/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  Notes that the triggers of one statement share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_STATEMENT_H
#define DTMODEL_STATEMENT_H

#include "nodes/pg_list.h"
#include "utils/palloc.h"

/* The kinds of notes. */
typedef enum DtNoteKind
{
	DT_NOTE_UPDATE,				/* the row that is about to be updated */
	DT_NOTE_MOVE,				/* a row that a function saw leave its
								 * partition */
	DT_NOTE_FLIP,				/* rows that an UPDATE deletes or restores
								 * while it moves them */
	DT_NOTE_RESTORES,			/* rows whose restore is completed at the end */
	DT_NOTE_CONFLICTS,			/* ON CONFLICT must not update hidden rows */
	DT_NOTE_NEW_SLUG,			/* the statement gives rows new slugs */
	DT_NOTE_DEPARTURES,			/* rows with a history on their way to other
								 * partitions */
	DT_NOTE_SENDER				/* the server that sent the statement */
} DtNoteKind;

extern void *dtmodel_find_note(MemoryContext statement, DtNoteKind kind,
							   Oid about);
extern void *dtmodel_innermost_note(DtNoteKind kind);
extern List *dtmodel_notes_of_all(DtNoteKind kind, Oid about);
extern void *dtmodel_make_note(MemoryContext statement, DtNoteKind kind,
							   Oid about, Size size);
extern void dtmodel_start_notes(void);

#endif							/* DTMODEL_STATEMENT_H */
