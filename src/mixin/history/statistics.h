/*-------------------------------------------------------------------------
 *
 * statistics.h
 *	  Statistics of a model as it was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_STATISTICS_H
#define DTMODEL_HISTORY_STATISTICS_H

extern void dtmodel_start_past_statistics(void);

#endif							/* DTMODEL_HISTORY_STATISTICS_H */
