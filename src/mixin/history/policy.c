/*-------------------------------------------------------------------------
 *
 * policy.c
 *	  The policies of a model, which hold for its past, too.
 *
 * Each policy of the model that says which rows a role sees is copied to the
 * history, where the server applies it to the values of the versions.  A copy
 * depends on its original, which is how it is recognized, and it is dropped
 * with it.  A dump and pg_upgrade keep both, but not that dependency: so a
 * policy of the history with the definition of one of the model is taken for
 * its copy.
 *
 * What cannot be copied must not let a role see more.  A permissive policy is
 * left out; without a restrictive one, none is copied.
 *
 * A copy gets the expression itself.  If it were written as SQL, the operators
 * that SQL does not name, as in IS DISTINCT FROM, would be looked up again, in
 * the search_path of a command that may be another role's.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_policy.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "dtmodel.h"
#include "miscadmin.h"
#include "mixin/history/mixin.h"
#include "mixin/history/policy.h"
#include "mixin/history/table.h"
#include "model/drift.h"
#include "model/mixin_call.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteManip.h"
#include "server/dependents.h"
#include "server/event.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

/* A policy of the model, or of its history. */
typedef struct Policy
{
	Oid			oid;
	const char *name;
	bool		permissive;
	char		command;
	List	   *roles;
	Node	   *qual;			/* NULL: none; of a wanted one, on the history */
	const char *problem;		/* NULL: it can be copied */
	Oid			original;		/* of a copy; InvalidOid: not known to be one */
	bool		is_used;		/* it is the copy of a policy */
} Policy;

/* Writing a condition on the model as one on its history. */
typedef struct Conversion
{
	Oid			model;
	Oid			table;
	const DtHistory *history;	/* NULL: any column may have a past */
	int			level;			/* of nested subqueries */
	const char *problem;
} Conversion;

/*
 * Reading policies
 */

static List *
read_roles(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, Anum_pg_policy_polroles, desc, &isnull);
	ArrayType  *array = DatumGetArrayTypeP(datum);
	const Oid  *roles = (const Oid *) ARR_DATA_PTR(array);
	List	   *list = NIL;

	for (int i = 0; i < ARR_DIMS(array)[0]; i++)
		list = lappend_oid(list, roles[i]);
	return list;
}

static Node *
read_qual(HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, Anum_pg_policy_polqual, desc, &isnull);

	return isnull ? NULL : stringToNode(TextDatumGetCString(datum));
}

static Policy *
read_policy(HeapTuple tuple, TupleDesc desc)
{
	Form_pg_policy form = (Form_pg_policy) GETSTRUCT(tuple);
	Policy	   *policy = palloc0(sizeof(Policy));

	policy->oid = form->oid;
	policy->name = pstrdup(NameStr(form->polname));
	policy->permissive = form->polpermissive;
	policy->command = form->polcmd;
	policy->roles = read_roles(tuple, desc);
	policy->qual = read_qual(tuple, desc);
	return policy;
}

/* The policies of a table, in the order of their names. */
static List *
read_policies(Oid relid)
{
	Relation	catalog = table_open(PolicyRelationId, AccessShareLock);
	List	   *policies = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_policy_polrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, PolicyPolrelidPolnameIndexId, true, NULL,
							  1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		policies = lappend(policies, read_policy(tuple, RelationGetDescr(catalog)));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return policies;
}

/* The table that has the policy; InvalidOid if it does not exist any more. */
Oid
dtmodel_table_of_policy(Oid policy)
{
	Relation	catalog = table_open(PolicyRelationId, AccessShareLock);
	Oid			relid = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_policy_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(policy));
	scan = systable_beginscan(catalog, PolicyOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		relid = ((Form_pg_policy) GETSTRUCT(tuple))->polrelid;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return relid;
}

/*
 * Conditions on the history
 */

static AttrNumber
place_of(const Conversion *conversion, const char *name)
{
	if (conversion->history != NULL &&
		dtmodel_is_excluded(conversion->history, name))
		return InvalidAttrNumber;
	return get_attnum(conversion->table, name);
}

static void
convert_column(Conversion *conversion, Var *var)
{
	const char *name;
	AttrNumber	place;

	if (var->varattno <= 0)
	{
		conversion->problem = "It reads whole rows, or a system column.";
		return;
	}
	name = get_attname(conversion->model, var->varattno, false);
	place = place_of(conversion, name);
	if (!AttributeNumberIsValid(place))
		conversion->problem = psprintf("It reads column \"%s\", which has no past.",
									   name);
	else if (get_atttype(conversion->table, place) != var->vartype)
		conversion->problem = psprintf("It reads column \"%s\", whose past is of another type.",
									   name);
	var->varattno = place;
	var->varattnosyn = place;
}

/* A policy that reads its own table is an endless recursion. */
static void
check_tables(Conversion *conversion, const Query *query)
{
	ListCell   *cell;

	foreach(cell, query->rtable)
	{
		const RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		if (rte->rtekind == RTE_RELATION && rte->relid == conversion->table)
			conversion->problem = "It reads the history itself.";
	}
}

/* In a policy, its table is the first entry of the outermost range table. */
static bool
convert(Node *node, void *context)
{
	Conversion *conversion = context;
	bool		stop;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varno == 1 && var->varlevelsup == (Index) conversion->level)
			convert_column(conversion, var);
		return conversion->problem != NULL;
	}
	if (!IsA(node, Query))
		return expression_tree_walker(node, convert, context);
	check_tables(conversion, (Query *) node);
	if (conversion->problem != NULL)
		return true;
	conversion->level++;
	stop = query_tree_walker((Query *) node, convert, context, 0);
	conversion->level--;
	return stop;
}

static bool
is_for_reading(const Policy *policy)
{
	return policy->command == '*' || policy->command == ACL_SELECT_CHR;
}

/* The policies of the model as they are to be on the history. */
static List *
wanted_policies(Oid model, const DtHistory *history, Oid table)
{
	List	   *wanted = NIL;
	ListCell   *cell;

	foreach(cell, read_policies(model))
	{
		Policy	   *policy = lfirst(cell);
		Conversion	conversion = {.model = model,.table = table,.history = history};

		if (!is_for_reading(policy))
			continue;
		(void) convert(policy->qual, &conversion);
		policy->problem = conversion.problem;
		wanted = lappend(wanted, policy);
	}
	return wanted;
}

/*
 * Copies
 */

static void
set_original(List *policies, Oid policy, Oid original)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		Policy	   *candidate = lfirst(cell);

		if (candidate->oid == policy)
			candidate->original = original;
	}
}

/* The policies of the history; those that are copies know it. */
static List *
policies_of_history(Oid model, Oid table)
{
	List	   *policies = read_policies(table);
	ListCell   *cell;
	ListCell   *copy;

	foreach(cell, read_policies(model))
	{
		Oid			original = ((Policy *) lfirst(cell))->oid;

		foreach(copy, dtmodel_dependents(PolicyRelationId, original, PolicyRelationId))
			set_original(policies, lfirst_oid(copy), original);
	}
	return policies;
}

/*
 * Whether both conditions on the history are the same SQL.  To write one that
 * has a subquery locks the tables that it names.
 */
static bool
have_same_text(Oid table, Node *a, Node *b)
{
	List	   *context;

	if (a == NULL || b == NULL || checkExprHasSubLink(a) != checkExprHasSubLink(b))
		return a == b;
	context = deparse_context_for(get_rel_name(table), table);
	return strcmp(deparse_expression(a, context, false, false),
				  deparse_expression(b, context, false, false)) == 0;
}

/*
 * The same text may mean other operators.  But a policy that a dump has
 * restored may be the same and not equal, which matters only for copies.
 */
static bool
has_condition(Oid table, const Policy *policy, const Policy *wanted)
{
	return equal(policy->qual, wanted->qual) ||
		(!OidIsValid(policy->original) &&
		 have_same_text(table, policy->qual, wanted->qual));
}

/* Whether a policy of the history does what the wanted one is to do. */
static bool
is_like(Oid table, const Policy *policy, const Policy *wanted)
{
	return policy->command == ACL_SELECT_CHR &&
		policy->permissive == wanted->permissive &&
		list_difference_oid(policy->roles, wanted->roles) == NIL &&
		list_difference_oid(wanted->roles, policy->roles) == NIL &&
		has_condition(table, policy, wanted);
}

/* Its copy, or else a policy like it that is not known to be a copy. */
static Policy *
find_copy(Oid table, List *policies, const Policy *wanted)
{
	Policy	   *found = NULL;
	ListCell   *cell;

	foreach(cell, policies)
	{
		Policy	   *policy = lfirst(cell);

		if (policy->is_used || !is_like(table, policy, wanted))
			continue;
		if (policy->original == wanted->oid)
			return policy;
		if (found == NULL && !OidIsValid(policy->original))
			found = policy;
	}
	return found;
}

/* The copy is dropped with its original. */
static void
record_original(Oid copy, Oid original)
{
	ObjectAddress depender;
	ObjectAddress referenced;

	ObjectAddressSet(depender, PolicyRelationId, copy);
	ObjectAddressSet(referenced, PolicyRelationId, original);
	recordDependencyOn(&depender, &referenced, DEPENDENCY_AUTO);
	CommandCounterIncrement();
}

static bool
is_free(Oid table, const char *name)
{
	return !OidIsValid(get_relation_policy_oid(table, name, true));
}

static const char *
free_name(Oid table, const char *name)
{
	const char *chosen = name;

	for (int number = 1; !is_free(table, chosen); number++)
		chosen = makeObjectName(name, psprintf("%d", number), NULL);
	return chosen;
}

static char *
role_names(List *roles)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, roles)
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 lfirst_oid(cell) == ACL_ID_PUBLIC ? "PUBLIC" :
						 quote_identifier(GetUserNameFromId(lfirst_oid(cell), false)));
	return names.data;
}

/* What the expression depends on is recorded as CREATE POLICY does it. */
static void
record_expression(Oid policy, Oid table, Node *qual)
{
	Relation	rel = relation_open(table, NoLock);
	ParseState *state = make_parsestate(NULL);
	ObjectAddress depender;

	(void) addRangeTableEntryForRelation(state, rel, AccessShareLock, NULL, false,
										 false);
	ObjectAddressSet(depender, PolicyRelationId, policy);
	recordDependencyOnExpr(&depender, qual, state->p_rtable, DEPENDENCY_NORMAL);
	free_parsestate(state);
	relation_close(rel, NoLock);
}

static void
set_expression(Oid policy, Oid table, Node *qual)
{
	Relation	catalog = table_open(PolicyRelationId, RowExclusiveLock);
	Datum		values[Natts_pg_policy] = {0};
	bool		nulls[Natts_pg_policy] = {0};
	bool		replace[Natts_pg_policy] = {0};
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	values[Anum_pg_policy_polqual - 1] = CStringGetTextDatum(nodeToString(qual));
	replace[Anum_pg_policy_polqual - 1] = true;
	ScanKeyInit(&key, Anum_pg_policy_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(policy));
	scan = systable_beginscan(catalog, PolicyOidIndexId, true, NULL, 1, &key);
	tuple = heap_modify_tuple(systable_getnext(scan), RelationGetDescr(catalog),
							  values, nulls, replace);
	CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
	systable_endscan(scan);
	table_close(catalog, RowExclusiveLock);
	record_expression(policy, table, qual);
	CacheInvalidateRelcacheByRelid(table);
	CommandCounterIncrement();
}

static void
create_copy(Oid table, const Policy *wanted)
{
	const char *name = free_name(table, wanted->name);
	Oid			copy;

	dtmodel_run_command(psprintf("CREATE POLICY %s ON %s AS %s FOR SELECT TO %s%s",
								 quote_identifier(name),
								 dtmodel_qualified_name_of(table),
								 wanted->permissive ? "PERMISSIVE" : "RESTRICTIVE",
								 role_names(wanted->roles),
								 wanted->qual == NULL ? "" : " USING (false)"));
	copy = get_relation_policy_oid(table, name, false);
	if (wanted->qual != NULL)
		set_expression(copy, table, wanted->qual);
	record_original(copy, wanted->oid);
}

static void
rename_copy(Oid table, const char *name, const char *new_name)
{
	dtmodel_run_command(psprintf("ALTER POLICY %s ON %s RENAME TO %s",
								 quote_identifier(name),
								 dtmodel_qualified_name_of(table),
								 quote_identifier(new_name)));
}

static void
drop_copy(Oid table, const char *name)
{
	dtmodel_run_command(psprintf("DROP POLICY %s ON %s", quote_identifier(name),
								 dtmodel_qualified_name_of(table)));
}

static void
report_problem(const Policy *policy, Oid model, Oid table)
{
	if (policy->problem == NULL)
		return;
	ereport(NOTICE,
			(errmsg("policy \"%s\" of table \"%s\" cannot be applied to the past",
					policy->name, get_rel_name(model)),
			 errdetail("%s", policy->problem),
			 policy->permissive ?
			 errhint("To show what only this policy would show, create a policy on table \"%s\".",
					 get_rel_name(table)) :
			 errhint("It is RESTRICTIVE, so the other policies do not show the past either. Create policies on table \"%s\".",
					 get_rel_name(table))));
}

/* The policies that are to be copied. */
static List *
copied_policies(List *wanted)
{
	List	   *copied = NIL;
	bool		shows = true;
	ListCell   *cell;

	foreach(cell, wanted)
	{
		const Policy *policy = lfirst(cell);

		shows &= policy->problem == NULL || policy->permissive;
	}
	foreach(cell, wanted)
	{
		Policy	   *policy = lfirst(cell);

		if (policy->problem == NULL && (shows || !policy->permissive))
			copied = lappend(copied, policy);
	}
	return copied;
}

static void
follow_policy(Oid table, List *policies, const Policy *wanted)
{
	Policy	   *copy = find_copy(table, policies, wanted);

	if (copy == NULL)
	{
		create_copy(table, wanted);
		return;
	}
	copy->is_used = true;
	if (!OidIsValid(copy->original))
		record_original(copy->oid, wanted->oid);
	else if (strcmp(copy->name, wanted->name) != 0 && is_free(table, wanted->name))
		rename_copy(table, copy->name, wanted->name);
}

/* Drops the copies that are not wanted any more; their names may be needed. */
static void
drop_former_copies(Oid table, List *policies, List *copied)
{
	ListCell   *cell;
	ListCell   *wanted;

	foreach(cell, policies)
	{
		Policy	   *policy = lfirst(cell);
		bool		stays = !OidIsValid(policy->original);

		foreach(wanted, copied)
			stays |= policy->original == ((Policy *) lfirst(wanted))->oid &&
				is_like(table, policy, lfirst(wanted));
		if (!stays)
		{
			policy->is_used = true;
			drop_copy(table, policy->name);
		}
	}
}

/*
 * Makes the policies of the history those of the model, besides those of its
 * own that it has.  A NOTICE tells if the changed policy, or any (InvalidOid),
 * cannot be copied.  To be called as the owner of both; the model is locked.
 */
void
dtmodel_copy_policies(Oid model, const DtHistory *history, Oid table, Oid changed)
{
	List	   *policies;
	List	   *wanted;
	List	   *copied;
	ListCell   *cell;

	LockRelationOid(table, ShareUpdateExclusiveLock);
	policies = policies_of_history(model, table);
	wanted = wanted_policies(model, history, table);
	foreach(cell, wanted)
	{
		const Policy *policy = lfirst(cell);

		if (!OidIsValid(changed) || policy->oid == changed)
			report_problem(policy, model, table);
	}
	copied = copied_policies(wanted);
	drop_former_copies(table, policies, copied);
	foreach(cell, copied)
		follow_policy(table, policies, lfirst(cell));
}

/* Reports the policies of the model that should be copied, and are not. */
void
dtmodel_drift_of_policies(DtDrift *drift, Relation model,
						  const DtHistory *history, Oid table)
{
	Oid			relid = RelationGetRelid(model);
	List	   *policies;
	ListCell   *cell;

	if (!model->rd_rel->relrowsecurity)
		return;
	policies = policies_of_history(relid, table);
	foreach(cell, copied_policies(wanted_policies(relid, history, table)))
	{
		const Policy *wanted = lfirst(cell);
		Policy	   *copy = find_copy(table, policies, wanted);

		if (copy != NULL)
			copy->is_used = true;
		else
			dtmodel_append_drift(drift, DT_REPAIR,
								 dtmodel_repair_statement(model,
														  &dtmodel_history_mixin),
								 "policy \"%s\" does not hold for table \"%s\"",
								 wanted->name, get_rel_name(table));
	}
}

/*
 * Records which policies of the history are copies, where a dump or pg_upgrade
 * has lost it, before the command drops or changes one of the model.  The model
 * is locked.
 */
void
dtmodel_recognize_policies(Oid model, Oid table)
{
	List	   *policies;
	ListCell   *cell;

	LockRelationOid(table, AccessShareLock);
	policies = policies_of_history(model, table);
	foreach(cell, wanted_policies(model, NULL, table))
	{
		const Policy *wanted = lfirst(cell);
		Policy	   *copy = wanted->problem != NULL ? NULL :
			find_copy(table, policies, wanted);

		if (copy == NULL)
			continue;
		copy->is_used = true;
		if (!OidIsValid(copy->original))
			record_original(copy->oid, wanted->oid);
	}
}

/*
 * Commands on policies of the history
 */

static const Policy *
find_policy(List *policies, Oid oid)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		if (((Policy *) lfirst(cell))->oid == oid)
			return lfirst(cell);
	}
	return NULL;
}

/* Whether the history has a policy of this name that is the model's. */
bool
dtmodel_is_copied_policy(Oid model, Oid table, const char *name)
{
	Oid			oid = get_relation_policy_oid(table, name, true);
	ListCell   *cell;

	if (!OidIsValid(oid))
		return false;
	foreach(cell, read_policies(model))
	{
		if (list_member_oid(dtmodel_dependents(PolicyRelationId,
											   ((Policy *) lfirst(cell))->oid,
											   PolicyRelationId), oid))
			return true;
	}
	return false;
}

/* A copy gives its name to a policy that the user, or a dump, creates. */
void
dtmodel_rename_copied_policy(Oid model, Oid table, const char *name)
{
	if (dtmodel_is_copied_policy(model, table, name))
		rename_copy(table, name, free_name(table, name));
}

/*
 * A policy that was created on the history takes the place of a copy that it is
 * like, as the one that comes from a dump.
 */
void
dtmodel_replace_copied_policy(Oid model, Oid table, Oid policy)
{
	List	   *policies = policies_of_history(model, table);
	const Policy *created = find_policy(policies, policy);
	ListCell   *cell;

	foreach(cell, policies)
	{
		const Policy *copy = lfirst(cell);

		if (!OidIsValid(copy->original) || !is_like(table, created, copy))
			continue;
		record_original(created->oid, copy->original);
		drop_copy(table, copy->name);
		break;
	}
}
