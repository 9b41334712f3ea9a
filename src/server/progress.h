/*-------------------------------------------------------------------------
 *
 * progress.h
 *	  The progress of a long statement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_PROGRESS_H
#define DTMODEL_PROGRESS_H

extern void dtmodel_show_progress(const char *progress);

#endif							/* DTMODEL_PROGRESS_H */
