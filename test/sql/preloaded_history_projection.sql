--
-- A history keeps a version where the executor projects the new row: which
-- statements still fire its trigger
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA preloaded_history_projection;
SET search_path = preloaded_history_projection, pg_catalog;

-- the triggers that a statement calls, and how often; what it does is rolled back
CREATE FUNCTION fired(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    BEGIN
        FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
            CONTINUE WHEN line NOT LIKE 'Trigger %';
            RETURN NEXT line;
        END LOOP;
        RETURN NEXT 'versions: ' || (SELECT count(*) FROM pages_history) + (SELECT count(*) FROM parts_history);
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        RETURN;
    END;
END $$;

CREATE TABLE pages (id int PRIMARY KEY, title text, n int);
SELECT dtmodel.add_timestamps('pages'), dtmodel.add_soft_delete('pages'), dtmodel.add_history('pages');
CREATE TABLE parts (id int, k int, n int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (n int, k int NOT NULL, id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('parts'), dtmodel.add_history('parts');
INSERT INTO pages VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO parts VALUES (1, 1), (2, 2), (3, 2);

-- the usual UPDATE does not, whatever row it ends with
SELECT fired('UPDATE pages SET n = 1');
SELECT fired('UPDATE pages SET n = 1 WHERE false');
SELECT fired('UPDATE pages SET n = n');
SELECT fired('UPDATE pages SET n = i FROM generate_series(1, 2) AS i');
SELECT fired($$INSERT INTO pages VALUES (1, 'uno'), (4, 'four'), (2, 'dos') ON CONFLICT (id) DO UPDATE SET title = excluded.title$$);
SELECT fired('WITH one AS (UPDATE pages SET n = 1 WHERE id = 1 RETURNING n) UPDATE pages SET n = one.n FROM one WHERE id > 1');
SELECT fired('WITH one AS (UPDATE pages SET n = 1 WHERE id = 1 RETURNING n) SELECT * FROM one');
SELECT fired('DELETE FROM pages WHERE id < 3');
-- nor does it in partitions, if the rows stay
SELECT fired('UPDATE parts SET n = 1');
SELECT fired COLLATE "C" FROM fired('UPDATE parts SET k = 2') ORDER BY 1;
-- a DELETE that is not soft does
SELECT fired COLLATE "C" FROM fired('DELETE FROM parts') ORDER BY 1;

-- a trigger of the user that fires before the row, and the switch
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN OLD.id = 2 THEN NULL ELSE NEW END; END';
CREATE TRIGGER pass BEFORE UPDATE OF title ON pages FOR EACH ROW EXECUTE FUNCTION pass();
SELECT fired('UPDATE pages SET n = 1');
SELECT fired($$UPDATE pages SET title = 'new'$$);
ALTER TABLE pages DISABLE TRIGGER pass;
SELECT fired($$UPDATE pages SET title = 'new'$$);
DROP TRIGGER pass ON pages;
CREATE TRIGGER pass AFTER UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION pass();
SELECT fired('UPDATE pages SET n = 1');
DROP TRIGGER pass ON pages;
SET dtmodel.rewrite = off;
SELECT fired('UPDATE pages SET n = 1');
RESET dtmodel.rewrite;

-- the trigger of the history with a condition, disabled, or twice
CREATE OR REPLACE TRIGGER zz_dtmodel_history AFTER UPDATE OR DELETE ON pages FOR EACH ROW WHEN (OLD.id <> 2)
EXECUTE FUNCTION dtmodel_internal.history_trigger('history=pages_history', 'as_of=pages_as_of');
SELECT fired('UPDATE pages SET n = 1');
CREATE OR REPLACE TRIGGER zz_dtmodel_history AFTER UPDATE OF n OR DELETE ON pages FOR EACH ROW
EXECUTE FUNCTION dtmodel_internal.history_trigger('history=pages_history', 'as_of=pages_as_of');
SELECT fired('UPDATE pages SET n = 1');
SELECT fired($$UPDATE pages SET title = 'new'$$);
ALTER TABLE pages DISABLE TRIGGER zz_dtmodel_history;
SELECT fired('UPDATE pages SET n = 1');
ALTER TABLE pages ENABLE REPLICA TRIGGER zz_dtmodel_history;
SELECT fired('UPDATE pages SET n = 1');
SET session_replication_role = replica;
SELECT fired('UPDATE pages SET n = 1, updated_at = now()');
RESET session_replication_role;
ALTER TABLE pages ENABLE TRIGGER zz_dtmodel_history;
CREATE TRIGGER zzz_again AFTER UPDATE ON pages FOR EACH ROW
EXECUTE FUNCTION dtmodel_internal.history_trigger('history=pages_history', 'as_of=pages_as_of');
SELECT fired('UPDATE pages SET n = 1');
DROP TRIGGER zzz_again ON pages;

-- memory of a statement does not grow with its rows
CREATE TABLE many (id int PRIMARY KEY, n int);
SELECT dtmodel.add_timestamps('many'), dtmodel.add_history('many');
INSERT INTO many SELECT i, i FROM generate_series(1, 20000) AS i;
DO $$
DECLARE
    before bigint := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
    most bigint;
BEGIN
    WITH changed AS (
        UPDATE many SET n = n + 1
        RETURNING CASE WHEN id = 20000 THEN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE many.id > 0) END AS used
    ) SELECT max(used) INTO most FROM changed;
    IF most IS NULL OR most - before > 2 * 1024 * 1024 THEN
        RAISE EXCEPTION 'the statement uses % bytes', most - before;
    END IF;
END $$;
SELECT count(*) FROM many_history;

-- the actor of each row, if the statement itself changes it
CREATE TABLE acted (id int PRIMARY KEY, n int);
SELECT dtmodel.add_timestamps('acted', clock => 'clock'), dtmodel.add_history('acted');
INSERT INTO acted SELECT i, 0 FROM generate_series(1, 3) AS i;
UPDATE acted SET n = length(set_config('dtmodel.actor', 'actor ' || id, false));
RESET dtmodel.actor;
SELECT id, ended_by FROM acted_history ORDER BY id;

DROP SCHEMA preloaded_history_projection CASCADE;
