/*-------------------------------------------------------------------------
 *
 * column.h
 *	  The columns that mixins manage: found by name, checked before use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_COLUMN_H
#define DTMODEL_COLUMN_H

#include "access/attnum.h"
#include "datatype/timestamp.h"
#include "utils/rel.h"

/*
 * A column that a mixin manages, with the name from its trigger's arguments.
 */
typedef struct DtColumn
{
	NameData	name;			/* empty: the model does without it */
	AttrNumber	attnum;			/* InvalidAttrNumber: does not exist */
	Oid			typid;
	int32		typmod;
	bool		is_not_null;
	bool		has_default;
} DtColumn;

/*
 * What a managed column is for, which determines the types that it may have.
 */
typedef struct DtColumnUse
{
	const char *types;			/* for messages */
	bool		(*fits) (Oid type);
	const char *type;			/* the one that a column can be given; NULL:
								 * the column is the user's */
} DtColumnUse;

extern const DtColumnUse dtmodel_use_time;	/* timestamptz, or timestamp in
											 * UTC */
extern const DtColumnUse dtmodel_use_flag;
extern const DtColumnUse dtmodel_use_actor; /* a name or a key of the actor */
extern const DtColumnUse dtmodel_use_slug;
extern const DtColumnUse dtmodel_use_document;	/* jsonb */
extern const DtColumnUse dtmodel_use_any;	/* any type that can be written as
											 * text */

/* Errors name the functions of the mixin that a column belongs to. */
struct DtMixin;

static inline bool
dtmodel_column_is_used(const DtColumn *column)
{
	return NameStr(column->name)[0] != '\0';
}

extern void dtmodel_find_column(TupleDesc desc, const char *name,
								DtColumn *column);
extern DtColumn *dtmodel_find_columns(TupleDesc desc, const char *literal,
									  int *count);
extern void dtmodel_check_listed_column(Relation rel, const char *name,
										const char *parameter);
extern bool dtmodel_has_column(TupleDesc desc, const DtColumn *column);
extern TimestampTz dtmodel_time_for_column(TimestampTz time, const DtColumn *column);
extern bool dtmodel_is_precise(const DtColumn *column);
extern bool dtmodel_column_fits(const DtColumn *column,
								const DtColumnUse *use);
extern int	dtmodel_column_length(const DtColumn *column);
extern void dtmodel_check_different(const char *column, const char *parameter,
									const char *other_column,
									const char *other_parameter);
extern void dtmodel_check_column(Relation rel, const DtColumn *column,
								 const DtColumnUse *use, const struct DtMixin *mixin,
								 const char *parameter);

/* Lists of columns. */
extern bool dtmodel_is_among(AttrNumber attnum, int ncolumns,
							 const AttrNumber *columns);
extern bool dtmodel_same_columns(int na, const AttrNumber *a, int nb,
								 const AttrNumber *b);
extern char *dtmodel_column_list(Oid relid, int ncolumns,
								 const AttrNumber *columns,
								 const char *separator, bool quote);

#endif							/* DTMODEL_COLUMN_H */
