/*-------------------------------------------------------------------------
 *
 * slug.h
 *	  The slug mixin: declarations for its own files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_SLUG_H
#define DTMODEL_SLUG_H

#include "executor/execdesc.h"
#include "mixin/slug/mixin.h"
#include "storage/itemptr.h"
#include "storage/lock.h"

extern void dtmodel_prepare_new_slug(QueryDesc *query);

/* The default of max_length in add_slug. */
#define DT_SLUG_LENGTH 80

/* A slug needs room for a letter and a number, and must fit into an index. */
#define DT_MIN_SLUG_LENGTH 24
#define DT_MAX_SLUG_LENGTH 1000

/* choice.c: choosing slugs for the rows of one statement */
typedef struct DtSlugChoice
{
	Relation	rel;			/* open while the statement runs */
	AttrNumber	attnum;
	int			max_length;
	List	   *indexes;		/* that make the slugs unique */
	bool		reserved;
	LOCKTAG		reservation;
	LOCKMODE	lockmode;		/* of the reservation */
	MemoryContextCallback callback;
} DtSlugChoice;

extern DtSlugChoice *dtmodel_begin_slug_choice(Relation rel,
											   const DtSlug *slug,
											   MemoryContext context);
extern void dtmodel_end_reservation(DtSlugChoice *choice);
extern void dtmodel_check_makes_slugs(Relation rel);
extern void dtmodel_reserve_slug(DtSlugChoice *choice, const char *slug);
extern bool dtmodel_slug_is_taken(const DtSlugChoice *choice, const char *slug);
extern bool dtmodel_reserve_free_slug(DtSlugChoice *choice, const char *slug,
									  ItemPointer own);
extern const char *dtmodel_choose_slug(DtSlugChoice *choice, const char *base,
									   ItemPointer own, const char *current);

#endif							/* DTMODEL_SLUG_H */
