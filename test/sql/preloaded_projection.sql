--
-- The work of BEFORE triggers is done where the executor projects the new row:
-- which triggers a statement still fires
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_projection;
SET search_path = preloaded_projection, pg_catalog;
SHOW dtmodel.rewrite;

-- the triggers that a statement calls, and how often; what it does is rolled back
CREATE FUNCTION fired(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    BEGIN
        FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || statement LOOP
            CONTINUE WHEN line NOT LIKE 'Trigger %';
            RETURN NEXT line;
        END LOOP;
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        RETURN;
    END;
END $$;

CREATE TABLE pages (id int PRIMARY KEY, title text, n int);
SELECT dtmodel.add_timestamps('pages'), dtmodel.add_audit('pages'), dtmodel.add_soft_delete('pages', deleted_by => 'deleted_by'),
       dtmodel.add_settings('pages', '{theme}'), dtmodel.add_version('pages'), dtmodel.add_slug('pages', 'title');
INSERT INTO pages (id, title) VALUES (1, 'One'), (2, 'Two');

-- none of ours
SELECT fired('UPDATE pages SET n = 1');
SELECT fired($$UPDATE pages SET settings = '{"theme": "dark"}', created_by = 'eve', version = 7$$);
SELECT fired($$INSERT INTO pages (id, title) VALUES (3, 'Three')$$);
-- where a slug may be taken, the row is locked first; so all of them fire
SELECT fired($$UPDATE pages SET slug = 'uno' WHERE id = 1$$);
SELECT fired($$INSERT INTO pages (id, title) VALUES (1, 'Uno') ON CONFLICT (id) DO UPDATE SET n = 1$$);
SELECT dtmodel.remove_slug('pages');
SELECT fired($$INSERT INTO pages (id, title) VALUES (1, 'Uno') ON CONFLICT (id) DO UPDATE SET n = 1$$);
-- a deletion and a restore fire the one that cascades
SELECT fired('UPDATE pages SET is_deleted = true WHERE id = 1');
SELECT fired('UPDATE pages SET deleted_at = now() WHERE id = 1');
SELECT fired('DELETE FROM pages WHERE id = 1');

-- the switch, and a trigger of the user that fires before the row
SET dtmodel.rewrite = off;
SELECT fired('UPDATE pages SET n = 1');
RESET dtmodel.rewrite;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER pass BEFORE UPDATE OF title ON pages FOR EACH ROW EXECUTE FUNCTION pass();
SELECT fired('UPDATE pages SET n = 1');
SELECT fired('UPDATE pages SET title = title');
ALTER TABLE pages DISABLE TRIGGER pass;
SELECT fired('UPDATE pages SET title = title');
ALTER TABLE pages ENABLE REPLICA TRIGGER pass;
SELECT fired('UPDATE pages SET title = title');
DROP TRIGGER pass ON pages;
CREATE TRIGGER pass AFTER UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION pass();
SELECT fired('UPDATE pages SET n = 1');
DROP TRIGGER pass ON pages;

-- a trigger of ours that does not fire does nothing in the projection either
CREATE TABLE notes (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_version('notes');
INSERT INTO notes (id, updated_at) VALUES (1, '2024-01-01');
ALTER TABLE notes DISABLE TRIGGER zz_dtmodel_timestamps;
UPDATE notes SET title = 'a' RETURNING updated_at = '2024-01-01' AS kept, version;
ALTER TABLE notes ENABLE REPLICA TRIGGER zz_dtmodel_timestamps;
UPDATE notes SET title = 'b' RETURNING updated_at = '2024-01-01' AS kept, version;
SET session_replication_role = replica;
UPDATE notes SET title = 'c' RETURNING updated_at = '2024-01-01' AS kept, version;
RESET session_replication_role;
ALTER TABLE notes ENABLE TRIGGER zz_dtmodel_timestamps;
-- ours with a condition, or twice
CREATE OR REPLACE TRIGGER zz_dtmodel_version BEFORE UPDATE ON notes FOR EACH ROW WHEN (NEW.title <> 'e')
EXECUTE FUNCTION dtmodel_internal.version_trigger('version=version');
UPDATE notes SET title = 'd' RETURNING version;
UPDATE notes SET title = 'e' RETURNING version;
SELECT fired($$UPDATE notes SET title = 'f'$$);
DROP TRIGGER zz_dtmodel_version ON notes;
SELECT dtmodel.add_version('notes');
SELECT fired($$UPDATE notes SET title = 'f'$$);
CREATE TRIGGER again BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.version_trigger('version=version');
SELECT fired($$UPDATE notes SET title = 'f'$$);
DROP TRIGGER again ON notes;

-- columns that were renamed or dropped are errors with the first row, as in the trigger
ALTER TABLE notes RENAME version TO revision;
UPDATE notes SET title = 'f' WHERE false;
UPDATE notes SET title = 'f';
\echo :SQLSTATE
ALTER TABLE notes DROP revision;
UPDATE notes SET title = 'f';
\echo :SQLSTATE
SELECT dtmodel.remove_version('notes');
UPDATE notes SET title = 'f' RETURNING updated_at > '2024-01-01' AS moved;

-- partitions: an UPDATE of one fires nothing, a move fires for the DELETE and the INSERT
CREATE TABLE parts (id int, k int, n int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (n int, k int NOT NULL, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('parts'), dtmodel.add_audit('parts'), dtmodel.add_soft_delete('parts');
INSERT INTO parts VALUES (1, 1), (2, 2);
SELECT fired('UPDATE parts SET n = 1');
SELECT fired COLLATE "C" FROM fired('UPDATE parts SET k = 3 - k WHERE id = 1') ORDER BY 1;
SET dtmodel.actor = 'eve';
UPDATE parts SET k = 3 - k, created_by = 'mallory' RETURNING tableoid::regclass, id, is_deleted, created_by = current_user AS kept, updated_by;
RESET dtmodel.actor;

-- memory of a statement does not grow with its rows
CREATE TABLE many (id int PRIMARY KEY, n int, settings jsonb);
SELECT dtmodel.add_audit('many'), dtmodel.add_settings('many', '{a}', on_unknown => 'ignore');
INSERT INTO many SELECT i, i, '{"b": 1}' FROM generate_series(1, 20000) AS i;
SELECT count(*), count(settings) FILTER (WHERE settings = '{}') AS empty FROM many;
DO $$
DECLARE
    before bigint := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
    most bigint;
BEGIN
    WITH changed AS (
        UPDATE many SET n = n + 1, settings = '{"a": 1, "b": 2}'
        RETURNING CASE WHEN id = 20000 THEN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE many.id > 0) END AS used
    ) SELECT max(used) INTO most FROM changed;
    IF most IS NULL OR most - before > 4 * 1024 * 1024 THEN
        RAISE EXCEPTION 'the statement uses % bytes', most - before;
    END IF;
END $$;

-- a partition whose trigger for DELETE is none for UPDATE: a row that moves is not deleted
CREATE TABLE halves (id int, half int, v text, PRIMARY KEY (id, half)) PARTITION BY LIST (half);
CREATE TABLE halves_1 PARTITION OF halves FOR VALUES IN (1);
CREATE TABLE halves_2 PARTITION OF halves FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('halves');
DROP TRIGGER zz_dtmodel_soft_delete ON halves;
CREATE TRIGGER zz_dtmodel_soft_delete BEFORE DELETE ON halves FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('flag=is_deleted', 'deleted_at=deleted_at');
INSERT INTO halves VALUES (1, 1, 'a');
UPDATE halves SET v = 'b';
UPDATE halves SET half = 2;
SELECT tableoid::regclass, id, half, v, is_deleted FROM halves;
SELECT problem, repair, advice FROM dtmodel.drift('halves');

DROP SCHEMA preloaded_projection CASCADE;
