/*-------------------------------------------------------------------------
 *
 * time_value.c
 *	  A time as the value of a column, in a query.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "model/time_value.h"
#include "nodes/makefuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

static Expr *
in_utc(Expr *time)
{
	Const	   *zone = makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
								 CStringGetTextDatum("UTC"), false, false);

	return (Expr *) makeFuncExpr(F_TIMEZONE_TEXT_TIMESTAMPTZ, TIMESTAMPOID,
								 list_make2(zone, time), InvalidOid,
								 DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* The time, of type timestamptz, in the type of the column. */
Expr *
dtmodel_time_value(Expr *time, const DtColumn *column)
{
	if (column->typid == TIMESTAMPOID)
		time = in_utc(time);
	return (Expr *) coerce_to_target_type(NULL, (Node *) time, column->typid,
										  column->typid, column->typmod,
										  COERCION_ASSIGNMENT,
										  COERCE_IMPLICIT_CAST, -1);
}
