--
-- existing indexes of live rows are used, in any form of their condition
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_indexes;
SET search_path = live_indexes;
-- so that an index is used wherever possible
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET jit = off;

-- whether a statement uses an index, including statements that functions run
CREATE FUNCTION uses(index regclass, statement text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_stat_get_xact_numscans(index);
BEGIN
    EXECUTE statement;
    RETURN pg_stat_get_xact_numscans(index) > before;
END
$$;

-- whether a statement creates another index
CREATE FUNCTION adds_index(tbl regclass, statement text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT count(*) FROM pg_index WHERE indrelid = tbl);
BEGIN
    EXECUTE statement;
    RETURN (SELECT count(*) FROM pg_index WHERE indrelid = tbl) > before;
END
$$;

-- how an index with this predicate is treated on this kind of table
CREATE FUNCTION try(columns text, model text, predicate text,
    OUT "unique" text, OUT slug text, OUT upsert text, OUT get_or_create text,
    OUT cascade text, OUT "restrict" text)
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE parents (id int PRIMARY KEY);
    PERFORM dtmodel.add_soft_delete('parents');
    CREATE TABLE strict_parents (id int PRIMARY KEY);
    PERFORM dtmodel.add_soft_delete('strict_parents');
    EXECUTE format('CREATE TABLE items (id int PRIMARY KEY, name text, slug text NOT NULL DEFAULT gen_random_uuid(), %s
        parent int REFERENCES parents ON DELETE CASCADE,
        strict int REFERENCES strict_parents ON DELETE RESTRICT)', columns);
    EXECUTE format('SELECT dtmodel.add_soft_delete(''items'', %s)', model);
    EXECUTE format('CREATE UNIQUE INDEX by_name ON items (name) WHERE %s', predicate);
    EXECUTE format('CREATE UNIQUE INDEX by_slug ON items (slug) WHERE %s', predicate);
    EXECUTE format('CREATE INDEX by_parent ON items (parent) WHERE %s', predicate);
    EXECUTE format('CREATE INDEX by_strict ON items (strict) WHERE %s', predicate);
    INSERT INTO parents SELECT generate_series(1, 100);
    INSERT INTO strict_parents SELECT generate_series(1, 100);
    INSERT INTO items (id, name, parent, strict) SELECT i, 'item ' || i, i, 100 - i FROM generate_series(1, 99) AS i;
    DELETE FROM items WHERE id = 3;
    ANALYZE items;

    "unique" := CASE WHEN adds_index('items', $q$SELECT dtmodel.unique_live('items', 'name')$q$)
                     THEN 'another' ELSE 'is there' END;
    DROP INDEX IF EXISTS uq_items_name;
    slug := CASE WHEN adds_index('items', $q$SELECT dtmodel.add_slug('items', 'name')$q$)
                 THEN 'another' ELSE 'is there' END;
    PERFORM dtmodel.remove_slug('items');
    get_or_create := CASE WHEN uses('by_name', $q$SELECT dtmodel.get_or_create(NULL::items, '{"name": "item 5"}')$q$)
                          THEN 'used' ELSE 'not used' END;
    cascade := CASE WHEN uses('by_parent', $q$UPDATE parents SET is_deleted = true WHERE id = 2$q$)
                    THEN 'used' ELSE 'not used' END;
    "restrict" := CASE WHEN uses('by_strict', $q$UPDATE strict_parents SET is_deleted = true WHERE id = 100$q$)
                       THEN 'used' ELSE 'not used' END;
    BEGIN
        -- EXECUTE, since the type of NULL::items is another one each time
        EXECUTE $q$SELECT dtmodel.upsert(NULL::items, '{"id": 1003, "name": "item 3"}', '{name}', on_deleted => 'restore')$q$;
        EXECUTE $q$SELECT dtmodel.upsert(NULL::items, '{"id": 1004, "name": "item 4"}', '{name}')$q$;
        upsert := (SELECT string_agg(id::text, ', ' ORDER BY id) FROM items WHERE name IN ('item 3', 'item 4'));
    EXCEPTION WHEN invalid_column_reference THEN
        upsert := SQLSTATE;
    END;
    DROP TABLE items, parents, strict_parents;
END
$$;

-- a flag that is true for deleted rows
SELECT predicate, t.*
FROM unnest('{NOT is_deleted, is_deleted = false, is_deleted IS FALSE,
              is_deleted IS NOT TRUE, deleted_at IS NULL, NOT is_deleted AND deleted_at IS NULL}'::text[]) AS predicate,
     LATERAL try('', 'flag => ''is_deleted''', predicate) AS t;
-- one that is true for live rows
SELECT predicate, t.*
FROM unnest('{is_active, is_active = true, is_active IS TRUE,
              is_active IS NOT FALSE, deleted_at IS NULL}'::text[]) AS predicate,
     LATERAL try('', 'flag => ''is_active'', flag_means => ''live''', predicate) AS t;
-- no flag
SELECT predicate, t.* FROM unnest('{deleted_at IS NULL}'::text[]) AS predicate,
     LATERAL try('', 'flag => NULL', predicate) AS t;
-- a flag that can be null: a condition that excludes nulls does not cover all live rows
SELECT predicate, t.*
FROM unnest('{NOT is_deleted, is_deleted IS FALSE, is_deleted IS NOT TRUE, deleted_at IS NULL}'::text[]) AS predicate,
     LATERAL try('is_deleted boolean,', 'flag => ''is_deleted''', predicate) AS t;
-- conditions for more, fewer, or other rows
SELECT predicate, t.*
FROM unnest('{is_deleted, deleted_at IS NOT NULL, name <> ''item 7'', NOT is_deleted AND name <> ''item 7''}'::text[]) AS predicate,
     LATERAL try('', 'flag => ''is_deleted''', predicate) AS t;

-- without a valid CHECK on flag and time, the time does not determine the flag
CREATE TABLE untied (id int PRIMARY KEY, name text);
SELECT dtmodel.add_soft_delete('untied');
CREATE UNIQUE INDEX by_name ON untied (name) WHERE deleted_at IS NULL;
SELECT adds_index('untied', $$SELECT dtmodel.unique_live('untied', 'name')$$) AS tied;
ALTER TABLE untied DROP CONSTRAINT ck_untied_soft_delete;
SELECT adds_index('untied', $$SELECT dtmodel.unique_live('untied', 'name')$$) AS untied;
DROP INDEX uq_untied_name;
SELECT dtmodel.upsert(NULL::untied, '{"id": 1, "name": "a"}', '{name}');
\echo :SQLSTATE
ALTER TABLE untied ADD CONSTRAINT ck_untied_soft_delete CHECK ((is_deleted IS TRUE) = (deleted_at IS NOT NULL)) NOT VALID;
SELECT adds_index('untied', $$SELECT dtmodel.unique_live('untied', 'name')$$) AS not_valid;
DROP INDEX uq_untied_name;
ALTER TABLE untied VALIDATE CONSTRAINT ck_untied_soft_delete;
SELECT adds_index('untied', $$SELECT dtmodel.unique_live('untied', 'name')$$) AS tied_again;
SELECT created FROM dtmodel.upsert(NULL::untied, '{"id": 1, "name": "a"}', '{name}');
SELECT created FROM dtmodel.upsert(NULL::untied, '{"id": 1, "name": "a"}', '{name}');

-- a deleted row is found only on request, and not if there is a live one
INSERT INTO untied VALUES (2, 'a2'), (3, 'b');
DELETE FROM untied WHERE id IN (2, 3);
INSERT INTO untied VALUES (4, 'a2');
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::untied, '{"name": "a2"}', on_deleted => 'return');
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::untied, '{"name": "b"}', on_deleted => 'return');
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::untied, '{"name": "b"}', on_deleted => 'restore');
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::untied, '{"name": "b"}');
SELECT (instance).id, created FROM dtmodel.upsert(NULL::untied, '{"id": 5, "name": "a2"}', '{name}', on_deleted => 'error');
DELETE FROM untied WHERE name = 'b';
SELECT (instance).id, created FROM dtmodel.upsert(NULL::untied, '{"id": 6, "name": "b"}', '{name}', on_deleted => 'return');
SELECT (instance).id, created FROM dtmodel.upsert(NULL::untied, '{"id": 6, "name": "b"}', '{name}', on_deleted => 'error');
\echo :SQLSTATE
SELECT (instance).id, created FROM dtmodel.upsert(NULL::untied, '{"id": 6, "name": "b"}', '{name}');

-- a table without any constraint, in which the time does not say whether a row is live
CREATE TABLE loose (v text, is_deleted boolean, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('loose');
ALTER TABLE loose DROP CONSTRAINT ck_loose_soft_delete, ALTER is_deleted DROP DEFAULT;
CREATE UNIQUE INDEX loose_timed ON loose (v) WHERE deleted_at IS NULL;
SELECT dtmodel.unique_live('loose', 'v');
SELECT indexrelid::regclass, pg_get_expr(indpred, indrelid) FROM pg_index WHERE indrelid = 'loose'::regclass ORDER BY indexrelid::regclass::text;
-- unique indexes of deleted rows, of live ones, and of rows of both kinds, which are hidden
CREATE TABLE timed_only (id int PRIMARY KEY, v text, w text);
SELECT dtmodel.add_soft_delete('timed_only', flag => NULL, hide => true);
CREATE UNIQUE INDEX timed_only_deleted ON timed_only (v) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX timed_only_live ON timed_only (v) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX timed_only_both ON timed_only (w) WHERE w <> '';
SELECT problem, repair, advice FROM dtmodel.drift('timed_only');

DROP SCHEMA live_indexes CASCADE;
