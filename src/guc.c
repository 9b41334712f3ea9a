/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  The switches (GUCs): their definitions, their hooks and their values.
 *
 * Every role may set some of them, but they have an effect only for roles
 * with a privilege.  It is not enough to check the current role: inside a
 * SECURITY DEFINER function that is the owner of the function, while the
 * value may have been set by the caller.  So the role that set the value is
 * kept with it, and needs the privilege too.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "compat.h"
#include "guc.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/plancache.h"

bool		dtmodel_preserve_timestamps = false;
bool		dtmodel_hard_delete = false;
bool		dtmodel_with_deleted = false;
char	   *dtmodel_actor_switch = NULL;
bool		dtmodel_actor_locked = false;
Oid			dtmodel_actor_setter = InvalidOid;
uint64		dtmodel_actor_count = 1;
bool		dtmodel_is_preloaded = false;
const DtAsOf *dtmodel_as_of = NULL;

static bool rewrite = true;
static char *as_of_switch = NULL;

/*
 * The role that turned dtmodel.hard_delete on, kept with the value.  NULL if
 * it is off, or if the server's configuration turned it on.
 */
static Oid *hard_delete_setter = NULL;

/*
 * False while values that were set before the library was loaded are checked.
 */
static bool is_defined = false;

/* Whether the planner makes DELETE soft and hides rows in this session. */
bool
dtmodel_rewrites(void)
{
	return dtmodel_is_preloaded && rewrite;
}

/* Shows the switch as off where it cannot have an effect. */
static const char *
show_rewrite(void)
{
	return dtmodel_rewrites() ? "on" : "off";
}

/*
 * Discards plans that were made under the old value.  Where the library is
 * not preloaded, plans do not depend on it.
 */
static void
forget_plans(bool newval pg_attribute_unused(),
			 void *extra pg_attribute_unused())
{
	if (dtmodel_is_preloaded)
		ResetPlanCache();
}

/* Whether a role may set the actor while dtmodel.actor_locked is on. */
bool
dtmodel_may_set_actor(Oid role)
{
	return compat_may_set("dtmodel.actor", role);
}

static bool
refuse_actor(Oid role)
{
	const char *name = GetUserNameFromId(role, false);

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("permission denied to set parameter \"dtmodel.actor\"");
	GUC_check_errdetail("dtmodel.actor_locked is on, and role \"%s\" has not been granted SET on the parameter.",
						name);
	GUC_check_errhint("Use GRANT SET ON PARAMETER dtmodel.actor TO %s.",
					  quote_identifier(name));
	return false;
}

/*
 * Whether the value comes from the server's configuration, and so from no
 * role.
 */
static bool
is_set_by_role(GucSource source)
{
	return source >= PGC_S_USER && !InitializingParallelWorker;
}

/*
 * The role that sets the value which is being checked.  For a value that was
 * set before the library was loaded, that is the outer role: the function
 * that happens to load the library may run as another role.
 */
static Oid
current_setter(void)
{
	return is_defined ? GetUserId() : GetOuterUserId();
}

/* Keeps that role with the value; false if there is no memory for it. */
static bool
keep_setter(void **extra)
{
	Oid		   *setter = compat_guc_malloc(sizeof(Oid));

	if (setter == NULL)
		return false;
	*setter = current_setter();
	*extra = setter;
	return true;
}

static Oid
setter_of(const void *extra)
{
	return extra == NULL ? InvalidOid : *(const Oid *) extra;
}

static bool
check_actor(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0' || !is_set_by_role(source))
		return true;
	if (dtmodel_actor_locked && IsTransactionState() &&
		!dtmodel_may_set_actor(current_setter()))
		return refuse_actor(current_setter());
	return keep_setter(extra);
}

static void
assign_actor(const char *newval pg_attribute_unused(), void *extra)
{
	dtmodel_actor_setter = setter_of(extra);
	dtmodel_actor_count++;
}

static bool
check_hard_delete(bool *newval, void **extra, GucSource source)
{
	return !*newval || !is_set_by_role(source) || keep_setter(extra);
}

static void
assign_hard_delete(bool newval, void *extra)
{
	hard_delete_setter = extra;
	forget_plans(newval, extra);
}

/* The role that turned it on; invalid if the server's configuration did. */
Oid
dtmodel_hard_delete_setter(void)
{
	return setter_of(hard_delete_setter);
}

/*
 * Before the library is loaded, only the server knows which role set the
 * value, and it does not keep that.  It may have been the role of a function
 * that has the switch in a SET clause.
 */
static void
define_hard_delete(void)
{
	Oid			role = compat_setting_role("dtmodel.hard_delete");

	DefineCustomBoolVariable("dtmodel.hard_delete",
							 "Makes DELETE remove the rows of soft-delete models physically.",
							 "Requires the TRUNCATE privilege on the table in addition to DELETE.",
							 &dtmodel_hard_delete,
							 false,
							 PGC_USERSET,
							 0,
							 check_hard_delete, assign_hard_delete, NULL);
	if (hard_delete_setter != NULL && OidIsValid(role))
		*hard_delete_setter = role;
}

/*
 * dtmodel.actor_locked is defined first, since a value of dtmodel.actor that
 * was set earlier is checked as soon as that is defined.
 */
static void
define_actor(void)
{
	DefineCustomBoolVariable("dtmodel.actor_locked",
							 "Allows only roles that have been granted SET on dtmodel.actor to set it.",
							 "For all other roles, the actor is the role itself. Set this for the server or the database.",
							 &dtmodel_actor_locked,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	DefineCustomStringVariable("dtmodel.actor",
							   "Sets the actor, which is recorded in the audit columns.",
							   "If empty, the actor is the role of the session, or of SET ROLE.",
							   &dtmodel_actor_switch,
							   "",
							   PGC_USERSET,
							   0,
							   check_actor, assign_actor, NULL);
}

/* A SET that has no effect would show the present as the past. */
static bool
refuse_without_preload(void)
{
	GUC_check_errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	GUC_check_errmsg("parameter \"dtmodel.as_of\" needs the library to be preloaded");
	GUC_check_errhint("Add dtmodel to shared_preload_libraries or session_preload_libraries, or use <table>_as_of(timestamptz).");
	return false;
}

/*
 * Reads a time.  A check hook must not raise an error, as the input function
 * of the type does.
 */
static bool
read_time(const char *text, TimestampTz *time)
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			count;
	int			type;
	struct pg_tm parts;
	fsec_t		fraction;
	int			zone;

	if (ParseDateTime(text, work, sizeof(work), fields, types, MAXDATEFIELDS,
					  &count) != 0 ||
		compat_decode_time(fields, types, count, &type, &parts, &fraction,
						   &zone) != 0)
		return false;
	return type == DTK_DATE &&
		tm2timestamp(&parts, fraction, &zone, time) == 0;
}

/*
 * The role that sets the time.  The owner of a database may set it for all
 * sessions, and must not see in that way what it may not read: such a setting
 * counts as set by the role of the session.
 */
static Oid
setter_of_time(GucSource source)
{
	return source >= PGC_S_DATABASE && !InitializingParallelWorker ?
		current_setter() : InvalidOid;
}

/* Keeps the time, with the role that sets it; false if there is no memory. */
static bool
keep_as_of(char **newval, void **extra, TimestampTz time, GucSource source)
{
	char	   *text = compat_guc_strdup(timestamptz_to_str(time));
	DtAsOf	   *as_of = compat_guc_malloc(sizeof(DtAsOf));

	if (text == NULL || as_of == NULL)
	{
		compat_guc_free(text);
		compat_guc_free(as_of);
		return false;
	}
	as_of->time = time;
	as_of->setter = setter_of_time(source);
	compat_guc_free(*newval);
	*newval = text;
	*extra = as_of;
	return true;
}

/*
 * The value becomes the time that it means now, as an absolute one: what a
 * word such as "yesterday" means must not change while it is set.
 */
static bool
check_as_of(char **newval, void **extra, GucSource source)
{
	TimestampTz time;

	if ((*newval)[0] == '\0')
		return true;
	if (!dtmodel_is_preloaded && !InitializingParallelWorker)
		return refuse_without_preload();
	if (read_time(*newval, &time))
		return keep_as_of(newval, extra, time, source);
	GUC_check_errcode(ERRCODE_INVALID_DATETIME_FORMAT);
	GUC_check_errdetail("It must be a point in time, such as \"2026-01-31 12:00:00+00\".");
	return false;
}

/* Plans have the time as a constant. */
static void
assign_as_of(const char *newval pg_attribute_unused(), void *extra)
{
	if (dtmodel_as_of != NULL || extra != NULL)
		ResetPlanCache();
	dtmodel_as_of = extra;
}

static void
define_as_of(void)
{
	DefineCustomStringVariable("dtmodel.as_of",
							   "Shows models that have a history as they were at this time.",
							   "Needs the library to be preloaded. Models that have a history cannot be written while it is set. If empty, queries show the present.",
							   &as_of_switch,
							   "",
							   PGC_USERSET,
							   0,
							   check_as_of, assign_as_of, NULL);
}

void
dtmodel_define_switches(void)
{
	DefineCustomBoolVariable("dtmodel.preserve_timestamps",
							 "Allows INSERT and UPDATE to write the columns that record when and by whom rows were created and updated.",
							 "For imports. Only superusers and roles that have been granted SET on it can turn it on.",
							 &dtmodel_preserve_timestamps,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);

	define_hard_delete();
	DefineCustomBoolVariable("dtmodel.with_deleted",
							 "Shows the deleted rows of models that hide them.",
							 NULL,
							 &dtmodel_with_deleted,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, forget_plans, NULL);

	DefineCustomBoolVariable("dtmodel.rewrite",
							 "Allows the planner to make DELETE soft and to hide deleted rows, and the executor to do the work of row triggers.",
							 "Has an effect only if the library is preloaded. When off, the triggers do that work, and nothing is hidden.",
							 &rewrite,
							 true,
							 PGC_SUSET,
							 0,
							 NULL, forget_plans, show_rewrite);

	define_as_of();
	define_actor();
	MarkGUCPrefixReserved("dtmodel");
	is_defined = true;
}

/* Sets a switch, or a GUC of the server, until the GUC nest level ends. */
void
dtmodel_set_guc(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}
