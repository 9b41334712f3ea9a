/*-------------------------------------------------------------------------
 *
 * table.h
 *	  The table that holds the past of a model.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_HISTORY_TABLE_H
#define DTMODEL_HISTORY_TABLE_H

#include "mixin/history/mixin.h"

/* The columns of a version besides those of the model, which come after. */
typedef enum DtHistoryColumn
{
	DT_VALID_FROM,
	DT_VALID_TO,
	DT_OPERATION,
	DT_ENDED_BY,
	DT_TRANSACTION_ID
} DtHistoryColumn;

#define DT_HISTORY_COLUMNS (DT_TRANSACTION_ID + 1)

typedef struct DtHistoryColumnType
{
	const char *name;
	Oid			type;
	const char *definition;
} DtHistoryColumnType;

extern const DtHistoryColumnType dtmodel_history_columns[DT_HISTORY_COLUMNS];

/* Where a history table has the columns of a row. */
typedef struct DtHistoryMap
{
	AttrNumber	own[DT_HISTORY_COLUMNS];
	AttrNumber *places;			/* of each column of the model;
								 * InvalidAttrNumber: has no past */
} DtHistoryMap;

extern bool dtmodel_is_history_table(Oid relid);
extern Oid	dtmodel_owned_history(Oid model, const char *name, Oid schema);
extern void dtmodel_check_can_have_history(Relation model);
extern const DtHistory *dtmodel_usable_history(Relation model);
extern List *dtmodel_history_tables(Oid table, LOCKMODE lockmode);
extern Oid	dtmodel_find_history_table(Relation model, const DtHistory *history);
extern Relation dtmodel_open_history_table(Relation model,
										   const DtHistory *history,
										   LOCKMODE lockmode);
extern bool dtmodel_is_flag_of_past(Relation model, AttrNumber attnum,
									bool *live);
extern char *dtmodel_history_type(Form_pg_attribute att);
extern DtHistory dtmodel_copy_history(const DtHistory *history);
extern bool dtmodel_is_excluded(const DtHistory *history, const char *name);
extern bool dtmodel_has_past(Relation model, const DtHistory *history,
							 AttrNumber attnum);
extern DtHistoryMap dtmodel_map_history(Relation model,
										const DtHistory *history,
										Relation table);
extern bool dtmodel_is_free_for_table(const char *name, Oid schema);
extern char *dtmodel_free_history_column(Oid model, Oid table, const char *name);

#endif							/* DTMODEL_HISTORY_TABLE_H */
