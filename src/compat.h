/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Every difference between the server versions that dtmodel builds on.
 *	  No other file asks for PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DTMODEL_COMPAT_H
#define DTMODEL_COMPAT_H

#include "access/genam.h"
#include "access/sysattr.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000
#include "miscadmin.h"
#endif

#if PG_VERSION_NUM < 140000
#error "dtmodel needs PostgreSQL 14 or later"
#endif

/* 15 reserves the prefix, 14 can only warn about what it does not know. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 18 has the attribute before the declaration, where C11 has it. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 16 moved the macros for values of variable length out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * A server that gcc built has gnu_printf in its header, of which clang, when it
 * builds us, knows nothing.
 */
#ifdef __clang__
#define compat_attribute_printf(f, a) __attribute__((format(printf, f, a)))
#else
#define compat_attribute_printf(f, a) pg_attribute_printf(f, a)
#endif

/* Before 15, the right to set a parameter could not be granted. */
static inline bool
compat_may_set(const char *parameter pg_attribute_unused(), Oid roleid)
{
#if PG_VERSION_NUM < 150000
	return superuser_arg(roleid);
#else
	return pg_parameter_aclcheck(parameter, roleid, ACL_SET) == ACLCHECK_OK;
#endif
}

/*
 * The role that has set a parameter, by SET or for a function.  15 knows it, and
 * before, as for what comes from the configuration, it is InvalidOid.
 */
static inline Oid
compat_setting_role(const char *parameter pg_attribute_unused())
{
#if PG_VERSION_NUM >= 150000
	const struct config_generic *setting = NULL;
#if PG_VERSION_NUM >= 160000
	setting = find_option(parameter, false, true, 0);
#else
	for (int i = 0; i < GetNumConfigOptions(); i++)
	{
		if (strcmp(get_guc_variables()[i]->name, parameter) == 0)
			setting = get_guc_variables()[i];
	}
#endif
	if (setting != NULL && setting->source >= PGC_S_INTERACTIVE)
		return setting->srole;
#endif
	return InvalidOid;
}

/* What a check hook hands on; 16 wants it from an allocator of its own. */
static inline void *
compat_guc_malloc(size_t size)
{
#if PG_VERSION_NUM < 160000
	return malloc(size);
#else
	return guc_malloc(LOG, size);
#endif
}

/* Likewise for a string that a check hook puts in place of the given one. */
static inline char *
compat_guc_strdup(const char *text)
{
#if PG_VERSION_NUM < 160000
	return strdup(text);
#else
	return guc_strdup(LOG, text);
#endif
}

static inline void
compat_guc_free(void *value)
{
#if PG_VERSION_NUM < 160000
	free(value);
#else
	guc_free(value);
#endif
}

/* 16 lets the decoding of a time say more about an error. */
static inline int
compat_decode_time(char **fields, int *types, int count, int *type,
				   struct pg_tm *parts, fsec_t *fraction, int *zone)
{
#if PG_VERSION_NUM < 160000
	return DecodeDateTime(fields, types, count, type, parts, fraction, zone);
#else
	DateTimeErrorExtra extra;

	return DecodeDateTime(fields, types, count, type, parts, fraction, zone,
						  &extra);
#endif
}

/* Before 16, ownership had a function for each kind of object. */
static inline bool
compat_relation_ownercheck(Oid relid, Oid roleid)
{
#if PG_VERSION_NUM < 160000
	return pg_class_ownercheck(relid, roleid);
#else
	return object_ownercheck(RelationRelationId, relid, roleid);
#endif
}

/*
 * Whether a command that the server has collected adds a column.  Before 16, it
 * has another type if it is to reach the tables that inherit.
 */
static inline bool
compat_adds_column(AlterTableType type)
{
#if PG_VERSION_NUM < 160000
	if (type == AT_AddColumnRecurse)
		return true;
#endif
	return type == AT_AddColumn;
}

/* Likewise for the privilege to execute a function. */
static inline bool
compat_may_execute(Oid funcid, Oid roleid)
{
#if PG_VERSION_NUM < 160000
	return pg_proc_aclcheck(funcid, roleid, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return object_aclcheck(ProcedureRelationId, funcid, roleid,
						   ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/* 19 asks the support function of a function for a query in its place. */
#if PG_VERSION_NUM >= 190000
#define COMPAT_HAS_INLINE_IN_FROM
#endif

/* 16 added a list that only the workers of logical replication fill. */
static inline void
compat_eval_plan_qual_init(EPQState *epqstate, EState *estate)
{
#if PG_VERSION_NUM < 160000
	EvalPlanQualInit(epqstate, estate, NULL, NIL, -1);
#else
	EvalPlanQualInit(epqstate, estate, NULL, NIL, -1, NIL);
#endif
}

/* 15 added the columns that ON DELETE SET NULL may name. */
static inline void
compat_deconstruct_foreign_key(HeapTuple tuple, int *ncolumns,
							   AttrNumber *child, AttrNumber *parent,
							   Oid *equality, Oid *child_equality)
{
	Oid			parent_equality[INDEX_MAX_KEYS];
#if PG_VERSION_NUM < 150000
	DeconstructFkConstraintRow(tuple, ncolumns, child, parent, equality,
							   parent_equality, child_equality);
#else
	int			nset;
	AttrNumber	set[INDEX_MAX_KEYS];

	DeconstructFkConstraintRow(tuple, ncolumns, child, parent, equality,
							   parent_equality, child_equality, &nset, set);
#endif
}

/* 18 lets a scan be instrumented, 19 gives it flags. */
static inline IndexScanDesc
compat_index_beginscan(Relation heap, Relation index, Snapshot snapshot,
					   int nkeys)
{
#if PG_VERSION_NUM < 180000
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#elif PG_VERSION_NUM < 190000
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0, 0);
#endif
}

/* 19 wants to know when a row type that is made by hand has all its columns. */
static inline void
compat_finish_row_type(TupleDesc desc pg_attribute_unused())
{
#if PG_VERSION_NUM >= 190000
	TupleDescFinalize(desc);
#endif
}

/* 19 lets the planner's hook know of the EXPLAIN that it plans for. */
#if PG_VERSION_NUM < 190000
#define COMPAT_EXPLAIN_PARAMETER
#define COMPAT_EXPLAIN_ARGUMENT
#else
#define COMPAT_EXPLAIN_PARAMETER , ExplainState *explain
#define COMPAT_EXPLAIN_ARGUMENT , explain
#endif

/* 18 lets extensions add properties to the nodes that EXPLAIN shows. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_HAS_EXPLAIN_HOOK
#endif

/* 18 has generated columns that are made when they are read. */
static inline bool
compat_has_virtual_columns(TupleDesc desc pg_attribute_unused())
{
#if PG_VERSION_NUM < 180000
	return false;
#else
	return desc->constr != NULL && desc->constr->has_generated_virtual;
#endif
}

static inline bool
compat_is_virtual(Form_pg_attribute att pg_attribute_unused())
{
#if PG_VERSION_NUM < 180000
	return false;
#else
	return att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#endif
}

/* The expression of such a column, on the row's own; NULL for any other. */
static inline Node *
compat_virtual_expression(Relation rel pg_attribute_unused(),
						  AttrNumber attnum pg_attribute_unused())
{
#if PG_VERSION_NUM < 180000
	return NULL;
#else
	if (TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated !=
		ATTRIBUTE_GENERATED_VIRTUAL)
		return NULL;
	return build_generation_expression(rel, attnum);
#endif
}

/* 18 has foreign keys that are declared and no more. */
static inline bool
compat_is_enforced(const ForeignKeyCacheInfo *key pg_attribute_unused())
{
#if PG_VERSION_NUM < 180000
	return true;
#else
	return key->conenforced;
#endif
}

/*
 * Says that a query updates a column of a relation in its range table.  This
 * is for triggers and generated columns, and asks for no privilege.
 */
static inline void
compat_add_updated_column(Query *query pg_attribute_unused(),
						  RangeTblEntry *rte, AttrNumber attnum)
{
	int			column = attnum - FirstLowInvalidHeapAttributeNumber;
#if PG_VERSION_NUM < 160000
	rte->updatedCols = bms_add_member(rte->updatedCols, column);
#else
	RTEPermissionInfo *perminfo = getRTEPermissionInfo(query->rteperminfos, rte);

	perminfo->updatedCols = bms_add_member(perminfo->updatedCols, column);
#endif
}

/*
 * Lets the UPDATE privileges of an entry of the range table be asked for by an
 * entry of their own, which has this name and is there for nothing else, as the
 * server has such entries for views.  So columns that are updated from now on
 * need no privilege.
 */
static inline void
compat_split_update_privileges(Query *query, RangeTblEntry *rte,
							   const char *name)
{
	RangeTblEntry *update = copyObject(rte);

	update->alias = NULL;
	update->eref = makeAlias(name, NIL);
	update->inh = false;
	update->inFromCl = false;
	update->securityQuals = NIL;
#if PG_VERSION_NUM < 160000
	update->requiredPerms = ACL_UPDATE;
	update->selectedCols = NULL;
	update->insertedCols = NULL;
	rte->requiredPerms &= ~ACL_UPDATE;
#else
	{
		RTEPermissionInfo *all = getRTEPermissionInfo(query->rteperminfos, rte);
		RTEPermissionInfo *own;

		update->perminfoindex = 0;
		own = addRTEPermissionInfo(&query->rteperminfos, update);
		own->inh = all->inh;
		own->requiredPerms = ACL_UPDATE;
		own->checkAsUser = all->checkAsUser;
		own->updatedCols = bms_copy(all->updatedCols);
		all->requiredPerms &= ~ACL_UPDATE;
	}
#endif
	query->rtable = lappend(query->rtable, update);
}

/*
 * The privileges that an entry of the range table asks for; 16 moved them to a
 * list of their own.
 */
#if PG_VERSION_NUM < 160000
typedef RangeTblEntry CompatPermissions;
#else
typedef RTEPermissionInfo CompatPermissions;
#endif

static inline CompatPermissions *
compat_permissions(Query *query pg_attribute_unused(), RangeTblEntry *rte)
{
#if PG_VERSION_NUM < 160000
	return rte;
#else
	return getRTEPermissionInfo(query->rteperminfos, rte);
#endif
}

/*
 * Takes back that an entry of the range table reads columns which are not among
 * these.  If it reads none, it needs no privilege to read.
 */
static inline void
compat_keep_selected_columns(Query *query, RangeTblEntry *rte,
							 const Bitmapset *columns)
{
	CompatPermissions *permissions = compat_permissions(query, rte);

	permissions->selectedCols = bms_intersect(permissions->selectedCols, columns);
	if (bms_is_empty(permissions->selectedCols))
		permissions->requiredPerms &= ~ACL_SELECT;
}

/*
 * Lets a subquery, whose only entry of the range table is a copy of this one of
 * the query, ask for the privileges that this one asks for.
 */
static inline void
compat_copy_permissions(Query *query pg_attribute_unused(),
						RangeTblEntry *rte pg_attribute_unused(),
						Query *subquery pg_attribute_unused())
{
#if PG_VERSION_NUM >= 160000
	subquery->rteperminfos = list_make1(copyObject(compat_permissions(query, rte)));
	linitial_node(RangeTblEntry, subquery->rtable)->perminfoindex = 1;
#endif
}

/* Gives a query the range table of a parse state, with its privileges. */
static inline void
compat_take_range_table(Query *query, ParseState *state)
{
	query->rtable = state->p_rtable;
#if PG_VERSION_NUM >= 160000
	query->rteperminfos = state->p_rteperminfos;
#endif
}

/* Takes from an entry the privileges that it asks for. */
static inline void
compat_forget_permissions(RangeTblEntry *rte)
{
#if PG_VERSION_NUM < 160000
	rte->requiredPerms = 0;
	rte->checkAsUser = InvalidOid;
	rte->selectedCols = NULL;
#else
	rte->perminfoindex = 0;
#endif
}

/* 18 wants to know which relation RETURNING is of. */
static inline Node *
compat_replace_vars(Node *node, int varno, RangeTblEntry *rte, List *targetlist)
{
#if PG_VERSION_NUM < 180000
	return ReplaceVarsFromTargetList(node, varno, 0, rte, targetlist,
									 REPLACEVARS_REPORT_ERROR, 0, NULL);
#else
	return ReplaceVarsFromTargetList(node, varno, 0, rte, targetlist, 0,
									 REPLACEVARS_REPORT_ERROR, 0, NULL);
#endif
}

/* Whether no row lacks the column; 18 has NOT NULL constraints NOT VALID. */
static inline bool
compat_is_not_null(TupleDesc desc, int column)
{
#if PG_VERSION_NUM < 180000
	return TupleDescAttr(desc, column)->attnotnull;
#else
	return TupleDescCompactAttr(desc, column)->attnullability == ATTNULLABLE_VALID;
#endif
}

/* 18 has constraints that are NOT ENFORCED. */
static inline bool
compat_check_is_enforced(const ConstrCheck *check pg_attribute_unused())
{
#if PG_VERSION_NUM < 180000
	return true;
#else
	return check->ccenforced;
#endif
}

/* 15 lets a unique index hold nulls to be equal. */
#if PG_VERSION_NUM < 150000
#define compat_nulls_not_distinct(index) false
#else
#define compat_nulls_not_distinct(index) ((index)->rd_index->indnullsnotdistinct)
#endif

/* 15 brought MERGE, and the nodes that it is made of. */
#if PG_VERSION_NUM >= 150000
#define COMPAT_HAS_MERGE

/* 17 lets MERGE act on target rows that no source row matches. */
static inline bool
compat_is_unmatched_target(const MergeAction *action pg_attribute_unused())
{
#if PG_VERSION_NUM < 170000
	return false;
#else
	return action->matchKind == MERGE_WHEN_NOT_MATCHED_BY_SOURCE;
#endif
}

/* 19 has ON CONFLICT DO SELECT, which returns the row that it finds. */
static inline bool
compat_selects_conflict(OnConflictAction action pg_attribute_unused())
{
#if PG_VERSION_NUM < 190000
	return false;
#else
	return action == ONCONFLICT_SELECT;
#endif
}

/* 17 keeps MERGE's join condition apart, before it was the WHERE. */
static inline Node **
compat_merge_condition(Query *query)
{
#if PG_VERSION_NUM < 170000
	return &query->jointree->quals;
#else
	return &query->mergeJoinCondition;
#endif
}
#endif							/* COMPAT_HAS_MERGE */

static inline bool
compat_is_merge(CmdType operation pg_attribute_unused())
{
#ifdef COMPAT_HAS_MERGE
	return operation == CMD_MERGE;
#else
	return false;
#endif
}

/* Whether a plan is a MERGE that has an action which deletes. */
static inline bool
compat_merge_deletes(const ModifyTable *plan pg_attribute_unused())
{
#ifdef COMPAT_HAS_MERGE
	ListCell   *list;
	ListCell   *action;

	foreach(list, plan->mergeActionLists)
	{
		foreach(action, (List *) lfirst(list))
		{
			if (lfirst_node(MergeAction, action)->commandType == CMD_DELETE)
				return true;
		}
	}
#endif
	return false;
}

/* The columns that an UPDATE assigns in one of its tables. 18 prunes tables. */
static inline List *
compat_assigned_columns(const ModifyTableState *update, int which)
{
#if PG_VERSION_NUM < 180000
	return list_nth(castNode(ModifyTable, update->ps.plan)->updateColnosLists,
					which);
#else
	return list_nth(update->mt_updateColnosLists, which);
#endif
}

/* The projection of ON CONFLICT DO UPDATE; 19 renamed what holds it. */
static inline ProjectionInfo **
compat_conflict_projection(ResultRelInfo *target)
{
#if PG_VERSION_NUM < 190000
	OnConflictSetState *action = target->ri_onConflict;
#else
	OnConflictActionState *action = target->ri_onConflict;
#endif

	return &action->oc_ProjInfo;
}

#ifdef COMPAT_HAS_MERGE
/* The actions of MERGE; 17 has an array of lists. */
static inline List *
compat_merge_actions(ResultRelInfo *target)
{
#if PG_VERSION_NUM < 170000
	return list_concat_copy(target->ri_matchedMergeAction,
							target->ri_notMatchedMergeAction);
#else
	List	   *actions = NIL;

	for (int kind = 0; kind < NUM_MERGE_MATCH_KINDS; kind++)
		actions = list_concat(actions, target->ri_MergeActions[kind]);
	return actions;
#endif
}
#endif

/* The privileges that a query asks for on an entry of its range table. */
static inline AclMode
compat_required_privileges(EState *estate, Index rtindex)
{
	RangeTblEntry *rte = exec_rt_fetch(rtindex, estate);
#if PG_VERSION_NUM < 160000
	return rte->requiredPerms;
#else
	return getRTEPermissionInfo(estate->es_rteperminfos, rte)->requiredPerms;
#endif
}

/*
 * 15 lets a view read its tables as the role that uses it; before, it always
 * reads them as the view's owner.
 */
#if PG_VERSION_NUM < 150000
#define COMPAT_SECURITY_INVOKER ""
#define compat_is_security_invoker(view) true
#else
#define COMPAT_SECURITY_INVOKER " WITH (security_invoker = true)"
#define compat_is_security_invoker(view) RelationHasSecurityInvoker(view)
#endif

/* 18 took away the promise that a query is run only once. */
static inline void
compat_executor_run_once(QueryDesc *query, uint64 count)
{
#if PG_VERSION_NUM < 180000
	ExecutorRun(query, ForwardScanDirection, count, true);
#else
	ExecutorRun(query, ForwardScanDirection, count);
#endif
}

/* 18 lets a stronger lock count too. */
static inline bool
compat_lock_held_by_me(const LOCKTAG *tag, LOCKMODE mode)
{
#if PG_VERSION_NUM < 170000
	return LockHeldByMe(tag, mode);
#else
	return LockHeldByMe(tag, mode, false);
#endif
}

/*
 * Gives an executor state a range table of one relation and says which of its
 * columns will be updated.  16 moved the columns to a list of their own, 18
 * asks which entries survive pruning.
 */
static inline void
compat_init_range_table(EState *estate, Relation rel, Bitmapset *updated)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(rel);
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM < 160000
	rte->updatedCols = updated;
	ExecInitRangeTable(estate, list_make1(rte));
#else
	{
		List	   *perminfos = NIL;

		addRTEPermissionInfo(&perminfos, rte)->updatedCols = updated;
#if PG_VERSION_NUM < 180000
		ExecInitRangeTable(estate, list_make1(rte), perminfos);
#else
		ExecInitRangeTable(estate, list_make1(rte), perminfos,
						   bms_make_singleton(1));
#endif
	}
#endif
}

/* 19 added flags to the scan of a table. */
static inline TableScanDesc
compat_table_beginscan(Relation rel, Snapshot snapshot)
{
#if PG_VERSION_NUM < 190000
	return table_beginscan(rel, snapshot, 0, NULL);
#else
	return table_beginscan(rel, snapshot, 0, NULL, 0);
#endif
}

/* Index entries for a row that was inserted; 16 and 19 changed the call. */
static inline void
compat_insert_index_entries(ResultRelInfo *target, TupleTableSlot *slot,
							EState *estate)
{
#if PG_VERSION_NUM < 160000
	(void) ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL);
#elif PG_VERSION_NUM < 190000
	(void) ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL,
								 false);
#else
	(void) ExecInsertIndexTuples(target, estate, 0, slot, NIL, NULL);
#endif
}

/*
 * Where an SQL/JSON constructor has what converts its result, for which there
 * is a CaseTestExpr; NULL: the node is none.
 */
static inline Expr **
compat_json_coercion(Node *node)
{
#if PG_VERSION_NUM >= 160000
	if (IsA(node, JsonConstructorExpr))
		return &((JsonConstructorExpr *) node)->coercion;
#else
	(void) node;
#endif
	return NULL;
}

#endif							/* DTMODEL_COMPAT_H */
