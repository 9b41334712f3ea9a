/*-------------------------------------------------------------------------
 *
 * index.c
 *	  The unique index on slugs: of the live rows on a soft-delete model, of
 *	  all rows on any other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "dtmodel.h"
#include "mixin/slug/index.h"
#include "mixin/slug/mixin.h"
#include "mixin/soft_delete/live.h"
#include "mixin/soft_delete/mixin.h"
#include "model/constraint.h"
#include "model/mixin_call.h"
#include "server/size.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/*
 * The comment on an index that add_slug creates.  An ORM may create one with
 * the same name, as it declares it.
 */
#define INDEX_COMMENT "made by " DTMODEL_SCHEMA ".add_slug"

static bool
is_unique_on(Relation index, AttrNumber attnum)
{
	return index->rd_index->indisunique &&
		index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indnkeyatts == 1 &&
		index->rd_index->indkey.values[0] == attnum;
}

/* Whether the index is unique on just this column. */
static bool
is_slug_index(Relation index, AttrNumber attnum)
{
	return is_unique_on(index, attnum) && index->rd_index->indisready;
}

/* The unique indexes on a column, for any rows. */
List *
dtmodel_slug_indexes(Relation rel, AttrNumber attnum)
{
	List	   *indexes = NIL;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_slug_index(index, attnum))
			indexes = lappend_oid(indexes, lfirst_oid(cell));
		index_close(index, AccessShareLock);
	}
	return indexes;
}

/* Whether the index has all live rows, and maybe others too. */
static bool
has_live_rows(Relation rel, Relation index)
{
	return !dtmodel_has_index_predicate(index) ||
		dtmodel_is_of_live_rows(rel, index,
								dtmodel_soft_delete_of(dtmodel_get_model(rel)));
}

/* Whether the index is unique for all live rows, and maybe for others too. */
static bool
covers_live_rows(Relation rel, Oid indexid)
{
	Relation	index = index_open(indexid, AccessShareLock);
	bool		covers = index->rd_index->indisvalid &&
		has_live_rows(rel, index);

	index_close(index, AccessShareLock);
	return covers;
}

/* Whether the slugs of the table's live rows are unique by some index. */
bool
dtmodel_slug_is_unique(Relation rel, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, dtmodel_slug_indexes(rel, attnum))
	{
		if (covers_live_rows(rel, lfirst_oid(cell)))
			return true;
	}
	return false;
}

/* Whether an index would make them unique if it were valid. */
bool
dtmodel_has_invalid_slug_index(Relation rel, AttrNumber attnum)
{
	bool		found = false;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		found |= is_unique_on(index, attnum) && !index->rd_index->indisvalid &&
			has_live_rows(rel, index);
		index_close(index, AccessShareLock);
	}
	return found;
}

/* The first part of the index's name, before the name of the column. */
static char *
name_of_table(Relation rel)
{
	return psprintf("uq_%s", RelationGetRelationName(rel));
}

static char *
create_command(const DtChange *change, const char *slug, const char *how,
			   const char *name)
{
	const DtSoftDelete *soft_delete = dtmodel_soft_delete_of(dtmodel_get_model(change->rel));

	return psprintf("CREATE UNIQUE INDEX %s%s ON %s (%s)%s", how,
					quote_identifier(name), change->table, quote_identifier(slug),
					soft_delete == NULL ? "" :
					psprintf(" WHERE %s", dtmodel_live_text(soft_delete, NULL)));
}

/* The command that builds the index while other sessions write. */
static char *
concurrent_command(const DtChange *change, const char *slug)
{
	return create_command(change, slug, "CONCURRENTLY ",
						  dtmodel_choose_name(RelationGetNamespace(change->rel),
											  name_of_table(change->rel), slug,
											  InvalidOid));
}

static void
announce_index(const DtChange *change, const DtColumn *slug, const char *name)
{
	char	   *command = concurrent_command(change, NameStr(slug->name));

	if (!AttributeNumberIsValid(slug->attnum))
		command = psprintf("ALTER TABLE %s ADD COLUMN %s text; %s", change->table,
						   quote_identifier(NameStr(slug->name)), command);
	dtmodel_announce_index(change, name, command, "add_slug");
}

static void
add_index(DtChange *change, const DtColumn *slug, Oid former)
{
	char	   *name = dtmodel_choose_name(RelationGetNamespace(change->rel),
										   name_of_table(change->rel),
										   NameStr(slug->name), former);

	announce_index(change, slug, name);
	dtmodel_add_statement(change, DT_TRIGGER_LOCK,
						  psprintf("added index \"%s\"", name),
						  create_command(change, NameStr(slug->name), "", name));
	dtmodel_add_statement(change, DT_TRIGGER_LOCK, NULL,
						  psprintf("COMMENT ON INDEX %s IS '%s'",
								   quote_qualified_identifier(get_namespace_name(RelationGetNamespace(change->rel)),
															  name),
								   INDEX_COMMENT));
}

/*
 * Whether add_slug has created the index, whatever its name is by now.  What
 * the user has made a constraint of is the user's.
 */
static bool
is_our_index(Oid indexid)
{
	const char *comment = GetComment(indexid, RelationRelationId, 0);

	return comment != NULL && strcmp(comment, INDEX_COMMENT) == 0 &&
		!OidIsValid(get_index_constraint(indexid));
}

/* Whether the index is unique for just the live rows. */
static bool
is_exact(Relation rel, Oid indexid)
{
	Relation	index = index_open(indexid, AccessShareLock);
	bool		exact = index->rd_index->indisvalid &&
		dtmodel_is_of_live_rows(rel, index,
								dtmodel_soft_delete_of(dtmodel_get_model(rel)));

	index_close(index, AccessShareLock);
	return exact;
}

/*
 * Makes sure that the slugs of live rows are unique by an index.  If we made
 * one that does not fit any more, because soft delete was added or removed
 * since, it is dropped.  An index of the user is left alone.
 */
void
dtmodel_change_slug_index(DtChange *change, const DtColumn *slug)
{
	List	   *indexes = AttributeNumberIsValid(slug->attnum) ?
		dtmodel_slug_indexes(change->rel, slug->attnum) : NIL;
	Oid			former = InvalidOid;
	bool		found = false;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		if (is_our_index(lfirst_oid(cell)) &&
			!is_exact(change->rel, lfirst_oid(cell)))
		{
			former = lfirst_oid(cell);
			dtmodel_drop_index(change, former);
		}
		else
			found |= covers_live_rows(change->rel, lfirst_oid(cell));
	}
	if (!found)
		add_index(change, slug, former);
}

static bool
has_exact_index(Relation rel, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, dtmodel_slug_indexes(rel, attnum))
	{
		if (is_exact(rel, lfirst_oid(cell)))
			return true;
	}
	return false;
}

/* An index of the user that is unique for all live rows, if there is one. */
static Oid
index_of_user(Relation rel, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, dtmodel_slug_indexes(rel, attnum))
	{
		if (!is_our_index(lfirst_oid(cell)) &&
			covers_live_rows(rel, lfirst_oid(cell)))
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/*
 * An index of all rows makes live ones unique too.  One of the user is kept.
 * Ours is kept on a large table until the user has built the other one, since
 * the table is locked now.
 */
static bool
keeps_wider_index(const DtChange *change, const DtColumn *slug)
{
	Oid			users = index_of_user(change->rel, slug->attnum);

	if (!dtmodel_slug_is_unique(change->rel, slug->attnum) ||
		has_exact_index(change->rel, slug->attnum) ||
		(!OidIsValid(users) && !dtmodel_is_large(change->rel)))
		return false;
	ereport(NOTICE,
			(errmsg("slugs of deleted rows of table \"%s\" are still taken",
					RelationGetRelationName(change->rel)),
			 OidIsValid(users) ?
			 errdetail("Index \"%s\" is unique for them too, and stays.",
					   get_rel_name(users)) :
			 errdetail("Building an index of live rows now would block other sessions."),
			 errhint("Use %s, and then %s.",
					 concurrent_command(change, NameStr(slug->name)),
					 OidIsValid(users) ?
					 dtmodel_drop_index_text(change->rel, users) :
					 psprintf("SELECT %s", dtmodel_mixin_call(change->rel, &dtmodel_slug_mixin,
															  NULL, NULL))),
			 errtable(change->rel)));
	return true;
}

/*
 * For a model to which soft delete was just added, or from which it was
 * removed: other rows must have unique slugs now.  The table is locked, if it
 * has slugs.
 */
void
dtmodel_refresh_slug_index(Oid relid)
{
	DtChange	change;
	const DtSlug *slug;

	dtmodel_begin_change(&change, relid, AccessShareLock);
	slug = dtmodel_slug_of(dtmodel_get_model(change.rel));
	/* A column that is missing gets its index from add_slug. */
	if (slug != NULL && AttributeNumberIsValid(slug->slug.attnum))
	{
		DtColumn	column = slug->slug;

		if (!keeps_wider_index(&change, &column))
			dtmodel_change_slug_index(&change, &column);
	}
	dtmodel_apply_change(&change);
}

static void
report_kept_index(const DtChange *change, Oid indexid)
{
	if (change->phase != DT_BEFORE_LOCK)
		return;
	ereport(NOTICE,
			(errmsg("index \"%s\" of table \"%s\" stays",
					get_rel_name(indexid), RelationGetRelationName(change->rel)),
			 errdetail("It was not created by %s.add_slug.", DTMODEL_SCHEMA),
			 errhint("To drop it, use DROP INDEX %s.",
					 dtmodel_qualified_name_of(indexid))));
}

/* Drops the indexes that add_slug has created, and names those that look so. */
void
dtmodel_drop_slug_indexes(DtChange *change, const DtColumn *slug)
{
	ListCell   *cell;

	foreach(cell, dtmodel_slug_indexes(change->rel, slug->attnum))
	{
		Oid			indexid = lfirst_oid(cell);

		if (is_our_index(indexid))
			dtmodel_drop_index(change, indexid);
		else if (dtmodel_is_chosen_name(get_rel_name(indexid),
										name_of_table(change->rel),
										NameStr(slug->name)) &&
				 !OidIsValid(get_index_constraint(indexid)))
			report_kept_index(change, indexid);
	}
}
