/* sql/dtmodel--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dtmodel" to load this file. \quit

-- The schemas must not exist yet: their owners could have created functions and
-- operators in them.
CREATE SCHEMA dtmodel;
CREATE SCHEMA dtmodel_internal;

COMMENT ON SCHEMA dtmodel IS
'the model layer of an application: templates of models, and functions for them and their rows';
COMMENT ON SCHEMA dtmodel_internal IS
'functions that only dtmodel itself calls: those of its triggers and event triggers, and for the planner';

-- Users of models may call the functions; each function checks what its
-- caller may do. Owners of models create triggers, with add_* and when they
-- restore a dump.
GRANT USAGE ON SCHEMA dtmodel, dtmodel_internal TO PUBLIC;

--
-- Identifiers (src/api/identifier.c)
--

CREATE FUNCTION dtmodel.uuidv4()
RETURNS pg_catalog.uuid
AS 'MODULE_PATHNAME', 'dtmodel_uuidv4'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.uuidv4() IS
'a random UUID (RFC 9562, version 4)';

CREATE FUNCTION dtmodel.uuidv7()
RETURNS pg_catalog.uuid
AS 'MODULE_PATHNAME', 'dtmodel_uuidv7'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.uuidv7() IS
'a UUID ordered by time, increasing within a session (RFC 9562, version 7)';

CREATE FUNCTION dtmodel.uuidv7(shift pg_catalog.interval)
RETURNS pg_catalog.uuid
AS 'MODULE_PATHNAME', 'dtmodel_uuidv7_shifted'
LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.uuidv7(pg_catalog.interval) IS
'a UUID of version 7 whose time is shifted by an interval';

CREATE FUNCTION dtmodel.uuidv5(namespace pg_catalog.uuid, name pg_catalog.text)
RETURNS pg_catalog.uuid
AS 'MODULE_PATHNAME', 'dtmodel_uuidv5'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.uuidv5(pg_catalog.uuid, pg_catalog.text) IS
'the UUID of a name in a namespace (RFC 9562, version 5)';

CREATE FUNCTION dtmodel.uuid_timestamp(id pg_catalog.uuid)
RETURNS pg_catalog.timestamptz
AS 'MODULE_PATHNAME', 'dtmodel_uuid_timestamp'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.uuid_timestamp(pg_catalog.uuid) IS
'the time in a UUID of version 1, 6 or 7; NULL for other versions';

--
-- Names (src/api/names.c)
--

CREATE FUNCTION dtmodel.table_name(class pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_table_name'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.table_name(pg_catalog.text) IS
'the table of a class by convention: UserProfile gives user_profiles';

CREATE FUNCTION dtmodel.class_name(model pg_catalog.regclass)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_class_name'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.class_name(pg_catalog.regclass) IS
'the class of a table by convention: user_profiles gives UserProfile';

--
-- Templates, for CREATE TABLE (LIKE ... INCLUDING ALL)
--
-- The table also gets the comments on columns and constraints.
--
-- They have no rows.  They are unlogged so that a publication of all tables
-- leaves them out, and a subscriber need not have them.
--

CREATE UNLOGGED TABLE dtmodel.model_base (
    id pg_catalog.uuid DEFAULT dtmodel.uuidv7()
        CONSTRAINT pk_model_base PRIMARY KEY,
    created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE dtmodel.model_base IS
'template: id, created_at, updated_at; see dtmodel.add_model';
COMMENT ON COLUMN dtmodel.model_base.id IS 'primary key';
COMMENT ON COLUMN dtmodel.model_base.created_at IS 'when the row was created';
COMMENT ON COLUMN dtmodel.model_base.updated_at IS 'when the row was last changed';
COMMENT ON CONSTRAINT pk_model_base ON dtmodel.model_base IS 'identifies the row';

CREATE UNLOGGED TABLE dtmodel.timestamp_mixin (
    created_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now()
);

COMMENT ON TABLE dtmodel.timestamp_mixin IS
'template: created_at, updated_at; see dtmodel.add_timestamps';
COMMENT ON COLUMN dtmodel.timestamp_mixin.created_at IS 'when the row was created';
COMMENT ON COLUMN dtmodel.timestamp_mixin.updated_at IS 'when the row was last changed';

CREATE UNLOGGED TABLE dtmodel.soft_delete_mixin (
    is_deleted pg_catalog.bool NOT NULL DEFAULT false,
    deleted_at pg_catalog.timestamptz,
    CONSTRAINT ck_soft_delete CHECK (
        (is_deleted IS TRUE) OPERATOR(pg_catalog.=) (deleted_at IS NOT NULL))
);

COMMENT ON TABLE dtmodel.soft_delete_mixin IS
'template: is_deleted, deleted_at; see dtmodel.add_soft_delete';
COMMENT ON COLUMN dtmodel.soft_delete_mixin.is_deleted IS 'whether the row is deleted';
COMMENT ON COLUMN dtmodel.soft_delete_mixin.deleted_at IS
'when the row was deleted; null in a live row';
COMMENT ON CONSTRAINT ck_soft_delete ON dtmodel.soft_delete_mixin IS
'a row has a time of deletion if, and only if, it is deleted';

CREATE UNLOGGED TABLE dtmodel.configurable_mixin (
    settings pg_catalog.jsonb,
    CONSTRAINT ck_settings CHECK (
        pg_catalog.jsonb_typeof(settings) OPERATOR(pg_catalog.=) 'object')
);

COMMENT ON TABLE dtmodel.configurable_mixin IS
'template: settings; see dtmodel.add_settings';
COMMENT ON COLUMN dtmodel.configurable_mixin.settings IS
'named settings of the row; null means none';
COMMENT ON CONSTRAINT ck_settings ON dtmodel.configurable_mixin IS
'settings are a JSON object';

CREATE UNLOGGED TABLE dtmodel.audit_mixin (
    created_by pg_catalog.text,
    updated_by pg_catalog.text,
    deleted_by pg_catalog.text
);

COMMENT ON TABLE dtmodel.audit_mixin IS
'template: created_by, updated_by, deleted_by; see dtmodel.add_audit';
COMMENT ON COLUMN dtmodel.audit_mixin.created_by IS 'who created the row';
COMMENT ON COLUMN dtmodel.audit_mixin.updated_by IS 'who last changed the row';
COMMENT ON COLUMN dtmodel.audit_mixin.deleted_by IS
'who deleted the row; null in a live row';

CREATE UNLOGGED TABLE dtmodel.version_mixin (
    version pg_catalog.int4 NOT NULL DEFAULT 1
);

COMMENT ON TABLE dtmodel.version_mixin IS
'template: version; see dtmodel.add_version';
COMMENT ON COLUMN dtmodel.version_mixin.version IS 'how many versions the row has had';

CREATE UNLOGGED TABLE dtmodel.slug_mixin (
    slug pg_catalog.text
);

COMMENT ON TABLE dtmodel.slug_mixin IS
'template: slug; see dtmodel.add_slug';
COMMENT ON COLUMN dtmodel.slug_mixin.slug IS 'identifies the row in a URL';

CREATE UNLOGGED TABLE dtmodel.active_mixin (
    is_active pg_catalog.bool NOT NULL DEFAULT true
);

COMMENT ON TABLE dtmodel.active_mixin IS
'template: is_active; see flag_means of dtmodel.add_soft_delete';
COMMENT ON COLUMN dtmodel.active_mixin.is_active IS 'whether the row is live';

-- Templates can be read, but not written.
GRANT SELECT ON
    dtmodel.model_base, dtmodel.timestamp_mixin, dtmodel.soft_delete_mixin,
    dtmodel.configurable_mixin, dtmodel.audit_mixin, dtmodel.version_mixin,
    dtmodel.slug_mixin, dtmodel.active_mixin
TO PUBLIC;

--
-- Statements that are sent to shards (src/model/sender.c)
--

CREATE FUNCTION dtmodel_internal.sender(
    model pg_catalog.regclass,
    command pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_sender_values'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel_internal.sender(
    pg_catalog.regclass, pg_catalog.text) IS
'for Citus: what a statement on a table of Citus takes to its shards: the command, the times and the actor';

-- Citus evaluates it as a STABLE function, but accepts no such one there.
CREATE FUNCTION dtmodel_internal.sender_in_conflict(
    model pg_catalog.regclass,
    command pg_catalog.text)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_sender_values'
LANGUAGE C IMMUTABLE STRICT PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel_internal.sender_in_conflict(
    pg_catalog.regclass, pg_catalog.text) IS
'for Citus: the same in the condition of ON CONFLICT DO UPDATE';

CREATE FUNCTION dtmodel_internal.actor_for(
    type pg_catalog.anyelement,
    model pg_catalog.regclass,
    "column" pg_catalog.name)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_actor_for'
LANGUAGE C STABLE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel_internal.actor_for(
    pg_catalog.anyelement, pg_catalog.regclass, pg_catalog.name) IS
'for Citus: the actor as the value of a column of a table whose rows are in shards';

CREATE FUNCTION dtmodel_internal.sent(
    "column" pg_catalog.anyelement,
    sender pg_catalog.text)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'dtmodel_sent'
LANGUAGE C IMMUTABLE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel_internal.sent(
    pg_catalog.anyelement, pg_catalog.text) IS
'for Citus: marks the condition of a statement that is sent to a shard';

CREATE FUNCTION dtmodel_internal.received(sender pg_catalog.text)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'dtmodel_received'
LANGUAGE C STABLE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel_internal.received(pg_catalog.text) IS
'for Citus: keeps the sender of a statement while it runs on a shard';

--
-- Timestamps (src/mixin/timestamps)
--

CREATE FUNCTION dtmodel_internal.timestamps_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_timestamps_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.timestamps_trigger() IS
'trigger of dtmodel.add_timestamps: sets the times of the row';

CREATE FUNCTION dtmodel.add_timestamps(
    model pg_catalog.regclass,
    created_at pg_catalog.name DEFAULT 'created_at',
    updated_at pg_catalog.name DEFAULT 'updated_at',
    ignore_columns pg_catalog.name[] DEFAULT '{}',
    clock pg_catalog.text DEFAULT 'transaction',
    on_insert pg_catalog.text DEFAULT 'default')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_timestamps'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_timestamps(
    pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name[],
    pg_catalog.text, pg_catalog.text) IS
'makes a table record when its rows were created and last changed';

CREATE FUNCTION dtmodel.remove_timestamps(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_timestamps'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_timestamps(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_timestamps';

--
-- The base model (src/mixin/model_base.c)
--

CREATE FUNCTION dtmodel.add_model(
    model pg_catalog.regclass,
    id pg_catalog.text DEFAULT 'v7')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_model'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_model(
    pg_catalog.regclass, pg_catalog.text) IS
'makes a table a model: a primary key and timestamps';

CREATE FUNCTION dtmodel.remove_model(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_model'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_model(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_model; columns that stay keep their defaults, and drop_columns drops an id only if the name of its key begins with pk_, as those that add_model gives';

--
-- Soft delete (src/mixin/soft_delete)
--

CREATE FUNCTION dtmodel_internal.soft_delete_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_soft_delete_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.soft_delete_trigger() IS
'trigger of dtmodel.add_soft_delete: marks the row instead of deleting it';

CREATE FUNCTION dtmodel_internal.soft_delete_flag_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_soft_delete_flag_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.soft_delete_flag_trigger() IS
'trigger of dtmodel.add_soft_delete: keeps the flag and the time of deletion consistent';

CREATE FUNCTION dtmodel_internal.soft_cascade_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_soft_cascade_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.soft_cascade_trigger() IS
'trigger of dtmodel.add_soft_delete: deletes and restores along foreign keys';

CREATE FUNCTION dtmodel_internal.soft_cascade_move_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_soft_cascade_move_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.soft_cascade_move_trigger() IS
'trigger of dtmodel.add_soft_delete on partitioned tables: deletes and restores along foreign keys when a row moves to another partition';

CREATE FUNCTION dtmodel_internal.soft_delete_guard_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_soft_delete_guard_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.soft_delete_guard_trigger() IS
'trigger of dtmodel.add_soft_delete: refuses a DELETE on a table from which tables without soft delete inherit';

CREATE FUNCTION dtmodel_internal.protect_truncate_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_protect_truncate_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.protect_truncate_trigger() IS
'trigger of dtmodel.add_soft_delete with protect_truncate: refuses TRUNCATE';

CREATE FUNCTION dtmodel.tier()
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_tier'
LANGUAGE C STABLE PARALLEL RESTRICTED;

COMMENT ON FUNCTION dtmodel.tier() IS
'what makes DELETE soft in this session: the planner (preloaded) or the trigger';

CREATE FUNCTION dtmodel.add_soft_delete(
    model pg_catalog.regclass,
    flag pg_catalog.name DEFAULT 'is_deleted',
    deleted_at pg_catalog.name DEFAULT 'deleted_at',
    deleted_by pg_catalog.name DEFAULT NULL,
    flag_means pg_catalog.text DEFAULT 'deleted',
    hide pg_catalog.bool DEFAULT false,
    protect_truncate pg_catalog.bool DEFAULT false,
    flag_writes pg_catalog.text DEFAULT 'follow',
    tier pg_catalog.text DEFAULT 'any')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_soft_delete'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_soft_delete(
    pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.name,
    pg_catalog.text, pg_catalog.bool, pg_catalog.bool, pg_catalog.text,
    pg_catalog.text) IS
'makes DELETE on a table mark its rows as deleted';

CREATE FUNCTION dtmodel.remove_soft_delete(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_soft_delete'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_soft_delete(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_soft_delete';

CREATE FUNCTION dtmodel.soft_delete(instance pg_catalog.anyelement)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_soft_delete_row'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.soft_delete(pg_catalog.anyelement) IS
'soft-deletes a row and returns it';

CREATE FUNCTION dtmodel.soft_delete(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_soft_delete_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.soft_delete(
    pg_catalog.anyelement, pg_catalog.anycompatible) IS
'soft-deletes the row with the given primary key and returns it';

CREATE FUNCTION dtmodel.restore(instance pg_catalog.anyelement)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_restore_row'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.restore(pg_catalog.anyelement) IS
'restores a deleted row and returns it';

CREATE FUNCTION dtmodel.restore(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_restore_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.restore(
    pg_catalog.anyelement, pg_catalog.anycompatible) IS
'restores the deleted row with the given primary key and returns it';

CREATE FUNCTION dtmodel.restore_deletion(
    model pg_catalog.anyelement,
    deleted_at pg_catalog.timestamptz)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'dtmodel_restore_deletion'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.restore_deletion(
    pg_catalog.anyelement, pg_catalog.timestamptz) IS
'restores all rows of one deletion, and returns how many of them are rows of the table';

--
-- Audit (src/mixin/audit)
--

CREATE FUNCTION dtmodel_internal.audit_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_audit_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.audit_trigger() IS
'trigger of dtmodel.add_audit: records the actor in the row';

CREATE FUNCTION dtmodel.add_audit(
    model pg_catalog.regclass,
    created_by pg_catalog.name DEFAULT 'created_by',
    updated_by pg_catalog.name DEFAULT 'updated_by',
    type pg_catalog.regtype DEFAULT NULL,
    "references" pg_catalog.regclass DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_audit'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_audit(
    pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.regtype,
    pg_catalog.regclass) IS
'makes a table record who created its rows and who changed them last';

CREATE FUNCTION dtmodel.remove_audit(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_audit'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_audit(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_audit';

CREATE FUNCTION dtmodel.set_actor(actor pg_catalog.text)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_set_actor'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.set_actor(pg_catalog.text) IS
'sets the actor for the rest of the transaction';

--
-- Version (src/mixin/version)
--

CREATE FUNCTION dtmodel_internal.version_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_version_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.version_trigger() IS
'trigger of dtmodel.add_version: counts the changes of the row';

CREATE FUNCTION dtmodel.add_version(
    model pg_catalog.regclass,
    version pg_catalog.name DEFAULT 'version')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_version'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_version(
    pg_catalog.regclass, pg_catalog.name) IS
'makes a table number the versions of its rows, for optimistic locking';

CREATE FUNCTION dtmodel.remove_version(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_version'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_version(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_version';

--
-- History (src/mixin/history)
--

CREATE FUNCTION dtmodel_internal.history_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_trigger() IS
'trigger of dtmodel.add_history: keeps the version that has ended';

CREATE FUNCTION dtmodel_internal.history_move_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_move_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_move_trigger() IS
'trigger of dtmodel.add_history: detects rows that move to another partition';

CREATE FUNCTION dtmodel_internal.history_truncate_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_truncate_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_truncate_trigger() IS
'trigger of dtmodel.add_history: keeps the rows that TRUNCATE deletes';

CREATE FUNCTION dtmodel.add_history(
    model pg_catalog.regclass,
    exclude pg_catalog.name[] DEFAULT '{}',
    partition_by pg_catalog.text DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_history'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_history(
    pg_catalog.regclass, pg_catalog.name[], pg_catalog.text) IS
'makes a table keep every version of its rows, and shows it as it was';

CREATE FUNCTION dtmodel.add_history_partitions(
    model pg_catalog.regclass,
    months pg_catalog.int4 DEFAULT 3)
RETURNS pg_catalog.regclass[]
AS 'MODULE_PATHNAME', 'dtmodel_add_history_partitions'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_history_partitions(
    pg_catalog.regclass, pg_catalog.int4) IS
'makes the monthly partitions that a history lacks, and returns them';

CREATE FUNCTION dtmodel.remove_history(
    model pg_catalog.regclass,
    drop_history pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_history'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_history(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_history; the past is a table rather than columns, and stays unless drop_history is true';

--
-- Reading the past (src/api/history)
--

CREATE FUNCTION dtmodel.history(instance pg_catalog.anyelement)
RETURNS TABLE (
    valid_from pg_catalog.timestamptz,
    valid_to pg_catalog.timestamptz,
    operation pg_catalog.text,
    actor pg_catalog.text,
    transaction_id pg_catalog.xid8,
    changed pg_catalog.text[],
    changes pg_catalog.jsonb,
    version pg_catalog.anyelement)
AS 'MODULE_PATHNAME', 'dtmodel_history_of_row'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.history(pg_catalog.anyelement) IS
'the versions of a row, oldest first, with what began each of them';

CREATE FUNCTION dtmodel.history(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible)
RETURNS TABLE (
    valid_from pg_catalog.timestamptz,
    valid_to pg_catalog.timestamptz,
    operation pg_catalog.text,
    actor pg_catalog.text,
    transaction_id pg_catalog.xid8,
    changed pg_catalog.text[],
    changes pg_catalog.jsonb,
    version pg_catalog.anyelement)
AS 'MODULE_PATHNAME', 'dtmodel_history_by_id'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.history(
    pg_catalog.anyelement, pg_catalog.anycompatible) IS
'the versions of the row with the given primary key, which may not exist any more';

CREATE FUNCTION dtmodel.changes(
    model pg_catalog.anyelement,
    since pg_catalog.timestamptz,
    until pg_catalog.timestamptz DEFAULT 'infinity')
RETURNS TABLE (
    "time" pg_catalog.timestamptz,
    operation pg_catalog.text,
    actor pg_catalog.text,
    transaction_id pg_catalog.xid8,
    key pg_catalog.jsonb,
    changed pg_catalog.text[],
    changes pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'dtmodel_changes'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.changes(
    pg_catalog.anyelement, pg_catalog.timestamptz, pg_catalog.timestamptz) IS
'the changes of the rows of a table in a period, oldest first';

CREATE FUNCTION dtmodel.revert(
    instance pg_catalog.anyelement,
    "to" pg_catalog.timestamptz)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_revert_row'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.revert(
    pg_catalog.anyelement, pg_catalog.timestamptz) IS
'reverts a row to what it was at a time, and returns it';

CREATE FUNCTION dtmodel.revert(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible,
    "to" pg_catalog.timestamptz)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_revert_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.revert(
    pg_catalog.anyelement, pg_catalog.anycompatible,
    pg_catalog.timestamptz) IS
'reverts the row with the given primary key to what it was at a time, and returns it';

CREATE FUNCTION dtmodel.revert_transaction(
    model pg_catalog.anyelement,
    transaction_id pg_catalog.xid8,
    force pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'dtmodel_revert_transaction'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.revert_transaction(
    pg_catalog.anyelement, pg_catalog.xid8, pg_catalog.bool) IS
'reverts the rows that a transaction updated or deleted to what they were before; rows that it inserted stay';

CREATE FUNCTION dtmodel.erase(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'dtmodel_erase'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.erase(
    pg_catalog.anyelement, pg_catalog.anycompatible) IS
'physically deletes the row with the given primary key and all of its past';

CREATE PROCEDURE dtmodel.purge_history(
    model pg_catalog.regclass,
    older_than pg_catalog.interval,
    batch_size pg_catalog.int4 DEFAULT 1000,
    dry_run pg_catalog.bool DEFAULT false)
AS 'MODULE_PATHNAME', 'dtmodel_purge_history'
LANGUAGE C;

COMMENT ON PROCEDURE dtmodel.purge_history(
    pg_catalog.regclass, pg_catalog.interval, pg_catalog.int4,
    pg_catalog.bool) IS
'physically deletes past versions that ended long enough ago, in batches';

--
-- Slugs (src/mixin/slug)
--

CREATE FUNCTION dtmodel.slugify(
    source pg_catalog.text,
    separator pg_catalog.text DEFAULT '-',
    max_length pg_catalog.int4 DEFAULT NULL)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_slugify_text'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.slugify(
    pg_catalog.text, pg_catalog.text, pg_catalog.int4) IS
'converts text to a slug: words of lower-case Latin letters and digits, joined by the separator';

CREATE FUNCTION dtmodel_internal.slug_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_slug_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.slug_trigger() IS
'trigger of dtmodel.add_slug: gives the row a unique slug';

CREATE FUNCTION dtmodel.add_slug(
    model pg_catalog.regclass,
    source pg_catalog.name,
    slug pg_catalog.name DEFAULT 'slug',
    max_length pg_catalog.int4 DEFAULT 80,
    on_update pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_slug'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_slug(
    pg_catalog.regclass, pg_catalog.name, pg_catalog.name, pg_catalog.int4,
    pg_catalog.bool) IS
'makes a table give its rows slugs, which are unique among live rows';

CREATE FUNCTION dtmodel.remove_slug(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_slug'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_slug(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_slug';

CREATE FUNCTION dtmodel.new_slug(instance pg_catalog.anyelement)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_new_slug'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.new_slug(pg_catalog.anyelement) IS
'gives a row a new slug, made from the current value of its source, and returns the row';

CREATE PROCEDURE dtmodel.fill_slugs(
    model pg_catalog.regclass,
    batch_size pg_catalog.int4 DEFAULT 1000)
AS 'MODULE_PATHNAME', 'dtmodel_fill_slugs'
LANGUAGE C;

COMMENT ON PROCEDURE dtmodel.fill_slugs(
    pg_catalog.regclass, pg_catalog.int4) IS
'gives slugs to the rows of a table that have none, in batches';

--
-- Live rows (src/mixin/live)
--

CREATE FUNCTION dtmodel.unique_live(
    model pg_catalog.regclass,
    VARIADIC columns pg_catalog.name[])
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_unique_live'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.unique_live(
    pg_catalog.regclass, pg_catalog.name[]) IS
'makes columns unique among the live rows of a table';

CREATE FUNCTION dtmodel_internal.live_parent_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_live_parent_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.live_parent_trigger() IS
'trigger of dtmodel.require_live_parent: refuses to insert a live row whose parent is deleted';

CREATE FUNCTION dtmodel_internal.live_parent_update_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_live_parent_update_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.live_parent_update_trigger() IS
'trigger of dtmodel.require_live_parent: refuses an UPDATE that leaves a live row under a deleted parent';

CREATE FUNCTION dtmodel.require_live_parent(
    child pg_catalog.regclass,
    VARIADIC fk_columns pg_catalog.name[])
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_require_live_parent'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.require_live_parent(
    pg_catalog.regclass, pg_catalog.name[]) IS
'makes a table refuse live rows whose parent is deleted';

CREATE FUNCTION dtmodel.remove_live_parent(
    child pg_catalog.regclass,
    VARIADIC fk_columns pg_catalog.name[])
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_live_parent'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_live_parent(
    pg_catalog.regclass, pg_catalog.name[]) IS
'undoes dtmodel.require_live_parent';

CREATE FUNCTION dtmodel_internal.live_view_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_live_view_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.live_view_trigger() IS
'trigger of dtmodel.create_live_view: deletes the row from the table';

CREATE FUNCTION dtmodel.create_live_view(
    model pg_catalog.regclass,
    view pg_catalog.name DEFAULT NULL)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_create_live_view'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.create_live_view(
    pg_catalog.regclass, pg_catalog.name) IS
'creates an updatable view of the live rows of a table';

--
-- ATTACH and DETACH PARTITION (src/model/partition_ddl.c)
--

CREATE FUNCTION dtmodel_internal.partition_attach_trigger()
RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dtmodel_partition_attach_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.partition_attach_trigger() IS
'event trigger: prepares a model to become a partition of a partitioned model';

CREATE FUNCTION dtmodel_internal.partition_detach_trigger()
RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dtmodel_partition_detach_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.partition_detach_trigger() IS
'event trigger: keeps a partition a model after it is detached';

-- ALWAYS: a DELETE on a detached table would be just as final on a replica.
CREATE EVENT TRIGGER dtmodel_partition_attach ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION dtmodel_internal.partition_attach_trigger();
ALTER EVENT TRIGGER dtmodel_partition_attach ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER dtmodel_partition_attach IS
'prepares a model to become a partition of a partitioned model';

CREATE EVENT TRIGGER dtmodel_partition_detach ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION dtmodel_internal.partition_detach_trigger();
ALTER EVENT TRIGGER dtmodel_partition_detach ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER dtmodel_partition_detach IS
'keeps a partition a model after it is detached';

--
-- What a command does to a model, done to its history too
-- (src/mixin/history/events.c, protect.c)
--

CREATE FUNCTION dtmodel_internal.history_protect_trigger()
RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_protect_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_protect_trigger() IS
'event trigger: refuses commands that would break a history';

CREATE FUNCTION dtmodel_internal.history_follow_trigger()
RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_follow_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_follow_trigger() IS
'event trigger: makes a history follow the changes of its model';

CREATE FUNCTION dtmodel_internal.history_drop_trigger()
RETURNS pg_catalog.event_trigger
AS 'MODULE_PATHNAME', 'dtmodel_history_drop_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.history_drop_trigger() IS
'event trigger: changes a history whose model has lost a column with its type';

-- ALWAYS: the next change of a row would fail on a replica too. Tables can be
-- renamed as indexes, and their columns as those of views and types.
CREATE EVENT TRIGGER dtmodel_history_protect ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER VIEW',
                 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'ALTER TYPE',
                 'DROP TABLE', 'CREATE POLICY', 'ALTER POLICY', 'DROP POLICY')
    EXECUTE FUNCTION dtmodel_internal.history_protect_trigger();
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER dtmodel_history_protect IS
'refuses commands that would break a history';

CREATE EVENT TRIGGER dtmodel_history_follow ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'ALTER INDEX', 'ALTER VIEW',
                 'ALTER MATERIALIZED VIEW', 'ALTER FOREIGN TABLE', 'ALTER TYPE',
                 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE SCHEMA',
                 'CREATE POLICY', 'ALTER POLICY')
    EXECUTE FUNCTION dtmodel_internal.history_follow_trigger();
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER dtmodel_history_follow IS
'makes a history follow the changes of its model';

-- Policies, and whatever they, a column's type or a generated column can
-- depend on.
CREATE EVENT TRIGGER dtmodel_history_drop ON sql_drop
    WHEN TAG IN ('DROP POLICY',
                 'DROP TYPE', 'DROP DOMAIN', 'DROP TABLE', 'DROP VIEW',
                 'DROP MATERIALIZED VIEW', 'DROP FOREIGN TABLE',
                 'DROP FUNCTION', 'DROP ROUTINE', 'DROP LANGUAGE',
                 'DROP SCHEMA', 'DROP EXTENSION', 'DROP COLLATION',
                 'DROP OPERATOR', 'DROP OWNED', 'DROP CAST',
                 'DROP TEXT SEARCH CONFIGURATION',
                 'DROP TEXT SEARCH DICTIONARY', 'DROP TEXT SEARCH PARSER',
                 'DROP TEXT SEARCH TEMPLATE')
    EXECUTE FUNCTION dtmodel_internal.history_drop_trigger();
ALTER EVENT TRIGGER dtmodel_history_drop ENABLE ALWAYS;

COMMENT ON EVENT TRIGGER dtmodel_history_drop IS
'changes a history whose model has lost a column with its type, or a policy';

--
-- Deleting for good (src/api/purge)
--

CREATE PROCEDURE dtmodel.purge(
    model pg_catalog.regclass,
    older_than pg_catalog.interval DEFAULT '30 days',
    batch_size pg_catalog.int4 DEFAULT 1000,
    dry_run pg_catalog.bool DEFAULT false)
AS 'MODULE_PATHNAME', 'dtmodel_purge'
LANGUAGE C;

COMMENT ON PROCEDURE dtmodel.purge(
    pg_catalog.regclass, pg_catalog.interval, pg_catalog.int4,
    pg_catalog.bool) IS
'physically deletes rows that were soft-deleted long enough ago, in batches';

--
-- Settings (src/mixin/settings)
--

CREATE FUNCTION dtmodel_internal.settings_trigger()
RETURNS pg_catalog.trigger
AS 'MODULE_PATHNAME', 'dtmodel_settings_trigger'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel_internal.settings_trigger() IS
'trigger of dtmodel.add_settings: checks what is stored';

CREATE FUNCTION dtmodel.add_settings(
    model pg_catalog.regclass,
    valid_settings pg_catalog.text[] DEFAULT NULL,
    combined pg_catalog.bool DEFAULT true,
    settings pg_catalog.name DEFAULT 'settings',
    schema pg_catalog.jsonb DEFAULT NULL,
    on_unknown pg_catalog.text DEFAULT 'error')
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_add_settings'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.add_settings(
    pg_catalog.regclass, pg_catalog.text[], pg_catalog.bool, pg_catalog.name,
    pg_catalog.jsonb, pg_catalog.text) IS
'gives a table named settings, stored in one jsonb column';

CREATE FUNCTION dtmodel.remove_settings(
    model pg_catalog.regclass,
    drop_columns pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_remove_settings'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.remove_settings(
    pg_catalog.regclass, pg_catalog.bool) IS
'undoes dtmodel.add_settings';

CREATE FUNCTION dtmodel.settings(instance pg_catalog.anyelement)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_settings'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.settings(pg_catalog.anyelement) IS
'the settings of a row, with the defaults of those that it lacks';

CREATE FUNCTION dtmodel.invalid_settings(instance pg_catalog.anyelement)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'dtmodel_invalid_settings'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.invalid_settings(pg_catalog.anyelement) IS
'the settings of a row that were stored under other rules and are no longer valid';

--
-- Working with rows (src/api)
--
-- A function that runs a query may call any other function, in a policy or a
-- default, and so is not parallel safe.
--

CREATE FUNCTION dtmodel.create(
    model pg_catalog.anyelement,
    data pg_catalog.jsonb,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_create'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.create(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.bool) IS
'inserts a row with the columns and settings in a JSON object';

-- Raises an error: the name of a table is not its type.
CREATE FUNCTION dtmodel.create(
    model pg_catalog.text,
    data pg_catalog.jsonb,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.void
AS 'MODULE_PATHNAME', 'dtmodel_create_by_name'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.create(
    pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool) IS
'raises an error: the model must be NULL cast to the table, as in NULL::users';

CREATE FUNCTION dtmodel.bulk_create(
    model pg_catalog.anyelement,
    data pg_catalog.jsonb,
    strict pg_catalog.bool DEFAULT false)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_bulk_create'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.bulk_create(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.bool) IS
'inserts a row for each object in a JSON array and returns the rows in the same order';

CREATE FUNCTION dtmodel.update(
    instance pg_catalog.anyelement,
    data pg_catalog.jsonb,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_update_row'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.update(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.bool) IS
'updates a row with the columns and settings in a JSON object';

CREATE FUNCTION dtmodel.update(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible,
    data pg_catalog.jsonb,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_update_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.update(
    pg_catalog.anyelement, pg_catalog.anycompatible, pg_catalog.jsonb,
    pg_catalog.bool) IS
'updates the row with the given primary key with the columns and settings in a JSON object';

-- The same, so that data without a type is not taken for "strict".
CREATE FUNCTION dtmodel.update(
    model pg_catalog.anyelement,
    id pg_catalog.text,
    data pg_catalog.text,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_update_by_text'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.update(
    pg_catalog.anyelement, pg_catalog.text, pg_catalog.text,
    pg_catalog.bool) IS
'updates the row with the given primary key with the columns and settings in a JSON object';

CREATE FUNCTION dtmodel.update(
    model pg_catalog.anyelement,
    id pg_catalog.jsonb,
    data pg_catalog.text,
    strict pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_update_by_text'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.update(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.text,
    pg_catalog.bool) IS
'updates the row with the given primary key with the columns and settings in a JSON object';

CREATE FUNCTION dtmodel.delete(
    instance pg_catalog.anyelement,
    soft pg_catalog.bool DEFAULT true)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_delete_row'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.delete(
    pg_catalog.anyelement, pg_catalog.bool) IS
'deletes a row, softly if its table has soft delete, and returns it';

CREATE FUNCTION dtmodel.delete(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible,
    soft pg_catalog.bool DEFAULT true)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_delete_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.delete(
    pg_catalog.anyelement, pg_catalog.anycompatible, pg_catalog.bool) IS
'deletes the row with the given primary key, softly if its table has soft delete';

-- The same, so that an id without a type is not taken for "soft".
CREATE FUNCTION dtmodel.delete(
    model pg_catalog.anyelement,
    id pg_catalog.text,
    soft pg_catalog.bool DEFAULT true)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_delete_by_id'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.delete(
    pg_catalog.anyelement, pg_catalog.text, pg_catalog.bool) IS
'deletes the row with the given primary key, softly if its table has soft delete';

CREATE FUNCTION dtmodel.get_by_id(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible)
RETURNS pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_get_by_id'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.get_by_id(
    pg_catalog.anyelement, pg_catalog.anycompatible) IS
'the row with the given primary key, deleted or not';

CREATE FUNCTION dtmodel_internal.get_all_support(pg_catalog.internal)
RETURNS pg_catalog.internal
AS 'MODULE_PATHNAME', 'dtmodel_get_all_support'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel_internal.get_all_support(pg_catalog.internal) IS
'for the planner: puts the query of dtmodel.get_all into the plan of its caller';

CREATE FUNCTION dtmodel.get_all(
    model pg_catalog.anyelement,
    "limit" pg_catalog.int8 DEFAULT NULL,
    "offset" pg_catalog.int8 DEFAULT NULL,
    after_id pg_catalog.anycompatible DEFAULT NULL,
    include_deleted pg_catalog.bool DEFAULT false)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_get_all'
LANGUAGE C STABLE
SUPPORT dtmodel_internal.get_all_support;

COMMENT ON FUNCTION dtmodel.get_all(
    pg_catalog.anyelement, pg_catalog.int8, pg_catalog.int8,
    pg_catalog.anycompatible, pg_catalog.bool) IS
'the live rows of a table in the order of their keys, all or a page of them';

CREATE FUNCTION dtmodel.get_deleted(
    model pg_catalog.anyelement,
    deleted_at pg_catalog.timestamptz DEFAULT NULL,
    since pg_catalog.interval DEFAULT NULL)
RETURNS SETOF pg_catalog.anyelement
AS 'MODULE_PATHNAME', 'dtmodel_get_deleted'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.get_deleted(
    pg_catalog.anyelement, pg_catalog.timestamptz, pg_catalog.interval) IS
'the deleted rows of a table, including hidden ones: all, those of one deletion, or those deleted since a time';

CREATE FUNCTION dtmodel.count(
    model pg_catalog.anyelement,
    include_deleted pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.int8
AS 'MODULE_PATHNAME', 'dtmodel_count'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.count(
    pg_catalog.anyelement, pg_catalog.bool) IS
'how many live rows a table has';

CREATE FUNCTION dtmodel.exists(
    model pg_catalog.anyelement,
    id pg_catalog.anycompatible,
    include_deleted pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.bool
AS 'MODULE_PATHNAME', 'dtmodel_exists'
LANGUAGE C STABLE;

COMMENT ON FUNCTION dtmodel.exists(
    pg_catalog.anyelement, pg_catalog.anycompatible, pg_catalog.bool) IS
'whether there is a live row with the given primary key';

CREATE FUNCTION dtmodel.get_or_create(
    model pg_catalog.anyelement,
    criteria pg_catalog.jsonb,
    defaults pg_catalog.jsonb DEFAULT NULL,
    on_deleted pg_catalog.text DEFAULT 'ignore',
    OUT instance pg_catalog.anyelement,
    OUT created pg_catalog.bool)
AS 'MODULE_PATHNAME', 'dtmodel_get_or_create'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.get_or_create(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.jsonb,
    pg_catalog.text) IS
'finds the row with the columns in a JSON object, or inserts it';

CREATE FUNCTION dtmodel.upsert(
    model pg_catalog.anyelement,
    data pg_catalog.jsonb,
    conflict_columns pg_catalog.name[] DEFAULT NULL,
    on_deleted pg_catalog.text DEFAULT 'ignore',
    strict pg_catalog.bool DEFAULT false,
    OUT instance pg_catalog.anyelement,
    OUT created pg_catalog.bool)
AS 'MODULE_PATHNAME', 'dtmodel_upsert'
LANGUAGE C VOLATILE;

COMMENT ON FUNCTION dtmodel.upsert(
    pg_catalog.anyelement, pg_catalog.jsonb, pg_catalog.name[],
    pg_catalog.text, pg_catalog.bool) IS
'inserts a row, or updates the row that has the same values in a unique index';

CREATE FUNCTION dtmodel.to_dict(
    instance pg_catalog.anyelement,
    excludes pg_catalog.text[] DEFAULT NULL,
    includes pg_catalog.text[] DEFAULT NULL)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_to_dict'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.to_dict(
    pg_catalog.anyelement, pg_catalog.text[], pg_catalog.text[]) IS
'a row as a JSON object, its settings beside its columns';

CREATE FUNCTION dtmodel.get(
    instance pg_catalog.anyelement,
    excludes pg_catalog.text[] DEFAULT NULL,
    includes pg_catalog.text[] DEFAULT NULL)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_get'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.get(
    pg_catalog.anyelement, pg_catalog.text[], pg_catalog.text[]) IS
'deprecated: call dtmodel.to_dict';

CREATE FUNCTION dtmodel.repr(instance pg_catalog.anyelement)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_repr'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.repr(pg_catalog.anyelement) IS
'a row as text for debugging: <User(id=1)>';

CREATE FUNCTION dtmodel.str(instance pg_catalog.anyelement)
RETURNS pg_catalog.text
AS 'MODULE_PATHNAME', 'dtmodel_str'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.str(pg_catalog.anyelement) IS
'a row as readable text: User 1';

--
-- What changed (src/api/record_diff.c)
--

CREATE FUNCTION dtmodel.get_modified_keys(
    old pg_catalog.record,
    new pg_catalog.record)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'dtmodel_get_modified_keys'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.get_modified_keys(
    pg_catalog.record, pg_catalog.record) IS
'the columns that differ between two versions of a row, such as OLD and NEW';

CREATE FUNCTION dtmodel.get_changes(
    old pg_catalog.record,
    new pg_catalog.record)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'dtmodel_get_changes'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.get_changes(
    pg_catalog.record, pg_catalog.record) IS
'the columns that differ between two versions of a row, with the paths at which settings differ';

--
-- What a table is (src/api/describe.c)
--

CREATE FUNCTION dtmodel.get_fields(model pg_catalog.regclass)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'dtmodel_get_fields'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.get_fields(pg_catalog.regclass) IS
'the columns of a table, without its settings';

CREATE FUNCTION dtmodel.describe(model pg_catalog.regclass)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_describe'
LANGUAGE C STABLE STRICT;

COMMENT ON FUNCTION dtmodel.describe(pg_catalog.regclass) IS
'what a table is: class, primary key, mixins and their options, drift';

CREATE FUNCTION dtmodel.mixins(
    OUT mixin pg_catalog.text,
    OUT columns pg_catalog.text[])
RETURNS SETOF pg_catalog.record
AS 'MODULE_PATHNAME', 'dtmodel_list_mixins'
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;

COMMENT ON FUNCTION dtmodel.mixins() IS
'all mixins, with the columns of their templates';

-- A table that has a mixin's columns but not its trigger is listed too, since
-- that is drift.
CREATE VIEW dtmodel_internal.descriptions AS
    SELECT t.oid::pg_catalog.regclass AS model,
           d.description
    FROM (SELECT c.oid,
                 EXISTS (SELECT
                         FROM pg_catalog.pg_trigger AS t
                         JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) t.tgfoid
                         JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
                         WHERE t.tgrelid OPERATOR(pg_catalog.=) c.oid
                           AND n.nspname OPERATOR(pg_catalog.=) 'dtmodel_internal') AS has_trigger,
                 EXISTS (SELECT
                         FROM pg_catalog.pg_attribute AS a
                         JOIN dtmodel.mixins() AS m
                             ON a.attname OPERATOR(pg_catalog.=) ANY (m.columns::pg_catalog.name[])
                         WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid) AS has_column
          FROM pg_catalog.pg_class AS c
          WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p']::pg_catalog."char"[])
            AND NOT c.relispartition) AS t,
         LATERAL dtmodel.describe(t.oid) AS d (description)
    WHERE (t.has_trigger OR t.has_column)
      AND (t.has_trigger OR
           pg_catalog.jsonb_array_length(d.description OPERATOR(pg_catalog.->) 'drift') OPERATOR(pg_catalog.>) 0);

COMMENT ON VIEW dtmodel_internal.descriptions IS
'every table that is a model or has the columns of one, as dtmodel.describe describes it';
COMMENT ON COLUMN dtmodel_internal.descriptions.model IS 'the table';
COMMENT ON COLUMN dtmodel_internal.descriptions.description IS 'what dtmodel.describe returns for it';

GRANT SELECT ON dtmodel_internal.descriptions TO PUBLIC;

CREATE VIEW dtmodel.models AS
    SELECT d.model,
           d.description OPERATOR(pg_catalog.->>) 'class' AS class,
           ARRAY(SELECT pg_catalog.jsonb_array_elements_text(
                            d.description OPERATOR(pg_catalog.->) 'primary_key')) AS primary_key,
           ARRAY(SELECT m.mixin
                 FROM dtmodel.mixins() AS m
                 WHERE d.description OPERATOR(pg_catalog.?) m.mixin) AS mixins,
           ARRAY(SELECT pg_catalog.concat_ws(': ',
                            e.entry OPERATOR(pg_catalog.->>) 'problem',
                            e.entry OPERATOR(pg_catalog.->>) 'repair',
                            e.entry OPERATOR(pg_catalog.->>) 'advice')
                 FROM pg_catalog.jsonb_array_elements(
                          d.description OPERATOR(pg_catalog.->) 'drift') AS e (entry)) AS drift,
           ARRAY(SELECT pg_catalog.concat_ws(': ',
                            e.entry OPERATOR(pg_catalog.->>) 'problem',
                            e.entry OPERATOR(pg_catalog.->>) 'repair')
                 FROM pg_catalog.jsonb_array_elements(
                          d.description OPERATOR(pg_catalog.->) 'session') AS e (entry)) AS session
    FROM dtmodel_internal.descriptions AS d;

COMMENT ON VIEW dtmodel.models IS
'every table that is a model or has the columns of one: its mixins, and what is out of order with them';
COMMENT ON COLUMN dtmodel.models.model IS 'the table';
COMMENT ON COLUMN dtmodel.models.class IS 'its class by convention: User for users';
COMMENT ON COLUMN dtmodel.models.primary_key IS 'the columns of its primary key';
COMMENT ON COLUMN dtmodel.models.mixins IS 'its mixins';
COMMENT ON COLUMN dtmodel.models.drift IS 'what prevents them from working';
COMMENT ON COLUMN dtmodel.models.session IS 'what prevents them from working in this session';

GRANT SELECT ON dtmodel.models TO PUBLIC;

CREATE FUNCTION dtmodel.drift(model pg_catalog.regclass DEFAULT NULL)
RETURNS TABLE (
    model pg_catalog.regclass,
    problem pg_catalog.text,
    repair pg_catalog.text,
    advice pg_catalog.text)
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    SELECT d.model,
           e.entry OPERATOR(pg_catalog.->>) 'problem',
           e.entry OPERATOR(pg_catalog.->>) 'repair',
           e.entry OPERATOR(pg_catalog.->>) 'advice'
    FROM (SELECT m.model, m.description
          FROM dtmodel_internal.descriptions AS m
          WHERE $1 IS NULL
          UNION ALL
          SELECT $1, dtmodel.describe($1)) AS d,
         LATERAL pg_catalog.jsonb_array_elements(
             d.description OPERATOR(pg_catalog.->) 'drift') AS e (entry);
END;

COMMENT ON FUNCTION dtmodel.drift(pg_catalog.regclass) IS
'what prevents the mixins of a table, or of all tables, from working, with the statements that repair it';

--
-- Changes and JSON (src/json)
--

CREATE FUNCTION dtmodel.get_difference_between_dictionaries(
    old_value pg_catalog.jsonb,
    new_value pg_catalog.jsonb,
    path pg_catalog.text DEFAULT '',
    ignore_order pg_catalog.bool DEFAULT false)
RETURNS pg_catalog.text[]
AS 'MODULE_PATHNAME', 'dtmodel_get_difference_between_dictionaries'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.get_difference_between_dictionaries(
    pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.text, pg_catalog.bool) IS
'the paths at which two documents differ; arrays are compared as a whole, or as sets';

CREATE FUNCTION dtmodel.jsonb_changes(
    old pg_catalog.jsonb,
    new pg_catalog.jsonb,
    arrays pg_catalog.bool DEFAULT false)
RETURNS TABLE (
    path pg_catalog.text[],
    op pg_catalog.text,
    old_value pg_catalog.jsonb,
    new_value pg_catalog.jsonb)
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_changes'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_changes(
    pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.bool) IS
'the places at which two documents differ, with the old and the new value; optionally also inside arrays';

CREATE FUNCTION dtmodel.jsonb_deep_merge(
    a pg_catalog.jsonb,
    b pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_deep_merge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_deep_merge(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'a with b merged into it: objects are merged at every level, and null is kept as a value';

CREATE FUNCTION dtmodel.jsonb_merge_patch(
    doc pg_catalog.jsonb,
    patch pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_merge_patch'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_merge_patch(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'the document with a JSON merge patch (RFC 7396) applied; null removes a member';

CREATE FUNCTION dtmodel.merge_settings(
    settings pg_catalog.jsonb,
    patch pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_merge_settings'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.merge_settings(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'settings with the members of patch added or replaced, one level deep; NULL counts as {}';

--
-- JSON patches (src/json/patch)
--

CREATE FUNCTION dtmodel.jsonb_diff(
    old pg_catalog.jsonb,
    new pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_diff'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_diff(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'the JSON patch (RFC 6902) that changes the old document to the new one';

CREATE FUNCTION dtmodel.jsonb_patch(
    doc pg_catalog.jsonb,
    patch pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_patch'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_patch(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'the document with a JSON patch (RFC 6902) applied, the whole patch or none of it';

CREATE FUNCTION dtmodel.jsonb_merge_diff(
    old pg_catalog.jsonb,
    new pg_catalog.jsonb)
RETURNS pg_catalog.jsonb
AS 'MODULE_PATHNAME', 'dtmodel_jsonb_merge_diff'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION dtmodel.jsonb_merge_diff(
    pg_catalog.jsonb, pg_catalog.jsonb) IS
'the JSON merge patch (RFC 7396) that changes the old document to the new one';
