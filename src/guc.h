/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The values of the switches (GUCs).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_GUC_H
#define DTMODEL_GUC_H

#include "datatype/timestamp.h"

extern bool dtmodel_preserve_timestamps;
extern bool dtmodel_hard_delete;
extern bool dtmodel_with_deleted;
extern char *dtmodel_actor_switch;
extern bool dtmodel_actor_locked;

/*
 * The role that set dtmodel.actor; invalid if the server's configuration did.
 */
extern Oid	dtmodel_actor_setter;

/* Counts the values that dtmodel.actor has had. */
extern uint64 dtmodel_actor_count;

/* The library was preloaded, so its planner hook works in this session. */
extern bool dtmodel_is_preloaded;

/* The time of which queries show their models. */
typedef struct DtAsOf
{
	TimestampTz time;
	Oid			setter;			/* the role that set it; invalid if the
								 * server's configuration did */
} DtAsOf;

/* The value of dtmodel.as_of; NULL: the present. */
extern const DtAsOf *dtmodel_as_of;

extern void dtmodel_define_switches(void);
extern void dtmodel_set_guc(const char *name, const char *value);
extern bool dtmodel_rewrites(void);
extern bool dtmodel_may_set_actor(Oid role);
extern Oid	dtmodel_hard_delete_setter(void);

#endif							/* DTMODEL_GUC_H */
