/*-------------------------------------------------------------------------
 *
 * dtmodel.c
 *	  The front door: the library's magic block, its settings, and what has
 *	  to be put in place when a backend loads it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "dtmodel.h"
#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

bool		dtmodel_preserve_timestamps = false;
bool		dtmodel_hard_delete = false;

void		_PG_init(void);

void
_PG_init(void)
{
	DefineCustomBoolVariable("dtmodel.preserve_timestamps",
							 "Lets INSERT and UPDATE write the columns that record creation and update times.",
							 "For imports. Only superusers, and roles granted SET on it, may turn it on.",
							 &dtmodel_preserve_timestamps,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomBoolVariable("dtmodel.hard_delete",
							 "Makes DELETE on a soft-delete model physical.",
							 "Needs the TRUNCATE privilege on the table besides DELETE.",
							 &dtmodel_hard_delete,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

	MarkGUCPrefixReserved("dtmodel");
}
