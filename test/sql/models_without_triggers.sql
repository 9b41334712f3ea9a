--
-- tables that have the columns of a mixin but not its triggers
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA models_without_triggers;
SET search_path = models_without_triggers;
CREATE VIEW found AS
    SELECT model, mixins, unnest(CASE drift WHEN '{}' THEN ARRAY[NULL] ELSE drift END) AS drift
    FROM dtmodel.models JOIN pg_class ON pg_class.oid = model
    WHERE relnamespace = 'models_without_triggers'::regnamespace ORDER BY relname, 3;

-- a schema as an ORM makes it
CREATE TABLE all_of_them (
    LIKE dtmodel.model_base INCLUDING ALL,
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    LIKE dtmodel.configurable_mixin INCLUDING ALL,
    LIKE dtmodel.audit_mixin INCLUDING ALL,
    LIKE dtmodel.slug_mixin INCLUDING ALL
);
CREATE TABLE "of; other types" (created_at timestamp, updated_at timestamp, is_deleted boolean, deleted_at timestamp,
                                created_by uuid, updated_by bigint);
CREATE TABLE partly (created_at timestamptz, updated_at timestamptz, is_deleted boolean, deleted_at timestamptz);
SELECT dtmodel.add_timestamps('partly');
CREATE TABLE partitioned (id int, created_at timestamptz, updated_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE partitioned_1 PARTITION OF partitioned FOR VALUES IN (1);
CREATE UNLOGGED TABLE unlogged (LIKE partly);
TABLE found;
SELECT dtmodel.describe('partly') -> 'drift' AS drift, dtmodel.describe('unlogged') AS unlogged;

-- tables that are not reported
CREATE TABLE not_two (created_at timestamptz, is_deleted boolean, deleted_by text, settings jsonb, slug text);
CREATE TABLE not_the_types (created_at date, updated_at timestamptz, is_deleted int, deleted_at timestamptz,
                            created_by json, updated_by text);
CREATE TABLE generated (is_deleted boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED, deleted_at timestamptz);
CREATE TABLE dropped (created_at timestamptz, updated_at timestamptz);
ALTER TABLE dropped DROP COLUMN updated_at;
CREATE TABLE inheritor () INHERITS (partly);
CREATE TABLE inheritor_of_none () INHERITS (all_of_them);
CREATE TEMPORARY TABLE temporary (LIKE partly);
CREATE FOREIGN DATA WRAPPER models_without_triggers;
CREATE SERVER models_without_triggers FOREIGN DATA WRAPPER models_without_triggers;
CREATE FOREIGN TABLE remote (created_at timestamptz, updated_at timestamptz) SERVER models_without_triggers;
CREATE VIEW looks_alike AS SELECT * FROM partly;
CREATE MATERIALIZED VIEW looks_alike_too AS SELECT * FROM partly;
SELECT model FROM found GROUP BY model ORDER BY model::text;
SELECT model FROM dtmodel.models WHERE model::text ~ '^(pg_catalog|information_schema|dtmodel)\.' OR model = 'temporary'::regclass;

-- columns that a table does not inherit are its own
CREATE TABLE inheritor_with_more (created_by text, updated_by text) INHERITS (partly);
SELECT * FROM found WHERE model = 'inheritor_with_more'::regclass;

-- the call in the drift adds the mixin
SELECT dtmodel.add_timestamps('models_without_triggers."of; other types"');
SELECT dtmodel.add_soft_delete('models_without_triggers."of; other types"');
SELECT dtmodel.add_audit('models_without_triggers."of; other types"');
SELECT * FROM found WHERE model = '"of; other types"'::regclass;
ALTER TABLE models_without_triggers."of; other types" ALTER COLUMN is_deleted SET NOT NULL;
SELECT * FROM found WHERE model = '"of; other types"'::regclass;
SELECT dtmodel.remove_audit('"of; other types"');
SELECT * FROM found WHERE model = '"of; other types"'::regclass;
-- and a model with other columns is not reported
SELECT dtmodel.add_soft_delete('unlogged', flag => NULL, deleted_at => 'gone_at');
SELECT * FROM found WHERE model = 'unlogged'::regclass;

-- objects in search_path do not affect the view
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile unnest'; END $$;
CREATE FUNCTION hostile.jsonb_array_elements_text(jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
SET search_path = hostile, pg_catalog, models_without_triggers;
SELECT count(*) FROM dtmodel.models WHERE model = 'all_of_them'::regclass;
SET search_path = models_without_triggers;

DROP SCHEMA hostile CASCADE;
DROP FOREIGN DATA WRAPPER models_without_triggers CASCADE;

-- a table of the server's is not looked at
SELECT * FROM dtmodel.drift('pg_catalog.pg_class');

-- a session in which many tables without triggers are read
DO $$
BEGIN
    FOR i IN 1..300 LOOP
        EXECUTE format('CREATE TABLE bare_%s ()', i);
        EXECUTE format('SELECT FROM bare_%s', i);
    END LOOP;
END $$;
SELECT count(*) FROM dtmodel.models WHERE model::text LIKE 'bare%';

DROP SCHEMA models_without_triggers CASCADE;
