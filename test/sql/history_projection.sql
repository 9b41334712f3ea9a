--
-- Statements after which it is not obvious which versions have ended.  The
-- trigger finds that out afterwards, the projection from the old row: both must
-- keep the same versions.
--
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_projection;
SET search_path = history_projection;

CREATE TABLE pages (id int PRIMARY KEY, n int, title text);
CREATE TABLE notes (id int PRIMARY KEY, page int REFERENCES pages ON UPDATE CASCADE ON DELETE SET NULL, n int);
SELECT dtmodel.add_timestamps('pages', clock => 'clock'), dtmodel.add_history('pages');
SELECT dtmodel.add_timestamps('notes', clock => 'clock'), dtmodel.add_history('notes');
INSERT INTO pages SELECT i, i, 'first' FROM generate_series(1, 4) AS i;
INSERT INTO notes SELECT i, i, i FROM generate_series(1, 2) AS i;

-- the versions that have ended since this was last asked
CREATE VIEW versions AS
SELECT 'pages' AS model, id, n, title, operation, replace(ended_by, session_user, 'session_user') AS ended_by, valid_to > valid_from AS lasted FROM pages_history
UNION ALL SELECT 'notes', id, n, page::text, operation, replace(ended_by, session_user, 'session_user'), valid_to > valid_from FROM notes_history
ORDER BY model, id, n, title;
CREATE FUNCTION ended() RETURNS SETOF versions LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY TABLE versions;
    DELETE FROM pages_history;
    DELETE FROM notes_history;
END $$;

-- a row that is joined twice, or updated by two parts of the statement
UPDATE pages SET n = i FROM generate_series(11, 13) AS i WHERE id < 3;
SELECT * FROM ended();
WITH one AS (UPDATE pages SET n = 21 WHERE id < 3 RETURNING id)
UPDATE pages SET n = 22 FROM one WHERE pages.id = one.id;
SELECT * FROM ended();
WITH one AS (UPDATE pages SET n = 31 WHERE id < 3), gone AS (DELETE FROM pages WHERE id = 4)
UPDATE pages SET n = 32;
SELECT * FROM ended();

-- functions that write, in several places
CREATE FUNCTION write_note(note int, value int) RETURNS int LANGUAGE plpgsql AS $$BEGIN UPDATE notes SET n = value WHERE id = $1; RETURN value; END$$;
CREATE FUNCTION write_page(page int, value int) RETURNS int LANGUAGE plpgsql AS $$BEGIN UPDATE pages SET n = value WHERE id = $1; RETURN value; END$$;
CREATE FUNCTION try_page(page int, value int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        UPDATE pages SET n = value WHERE id = $1;
        RAISE no_data_found;
    EXCEPTION WHEN no_data_found THEN
        UPDATE notes SET n = value WHERE id = $1;
    END;
    RETURN value;
END $$;
UPDATE pages SET n = write_note(id, 41) WHERE id < 3;
UPDATE pages SET n = 42 WHERE id < 3 AND write_note(id, 42) = 42 RETURNING write_note(id, 43);
SELECT * FROM ended();
UPDATE pages SET n = 44 WHERE id = 1 RETURNING write_page(1, 45), write_page(2, 45);
SELECT * FROM ended();
UPDATE pages SET n = try_page(id, 46) WHERE id < 3;
SELECT * FROM ended();
UPDATE pages SET n = write_page(id, 47) WHERE id = 1;
UPDATE pages SET n = write_page(id + 1, 47) WHERE id < 3;
SELECT * FROM ended();
ALTER TABLE pages ADD CONSTRAINT writes CHECK (write_note(id, n) = n) NOT VALID;
UPDATE pages SET n = 48 WHERE id < 3;
INSERT INTO pages VALUES (1, 0), (3, 0), (9, 0) ON CONFLICT (id) DO UPDATE SET n = 49 WHERE pages.id = 1;
ALTER TABLE pages DROP CONSTRAINT writes;
SELECT * FROM ended();

-- what is rolled back in between, and errors in the middle of a statement
DO $$
BEGIN
    BEGIN
        UPDATE pages SET n = 50 / (id - 3);
    EXCEPTION WHEN division_by_zero THEN
        UPDATE pages SET n = 51 WHERE id = 1;
    END;
    BEGIN
        UPDATE pages SET id = id + 1 WHERE id IN (2, 4);
    EXCEPTION WHEN unique_violation THEN
        UPDATE pages SET n = 52 WHERE id = 2;
    END;
END $$;
SELECT * FROM ended();
BEGIN;
SAVEPOINT s;
UPDATE pages SET n = 53;
ROLLBACK TO s;
UPDATE pages SET n = 54 WHERE id = 1;
SAVEPOINT s;
UPDATE pages SET n = 55 WHERE id = 2;
RELEASE s;
COMMIT;
SELECT * FROM ended();

-- triggers of the user that update the row again, or another
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pages SET n = n + 1 WHERE id = NEW.id AND n < 100;
    UPDATE notes SET n = NEW.n WHERE id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER again AFTER UPDATE OF title ON pages FOR EACH ROW EXECUTE FUNCTION again();
UPDATE pages SET title = 'second' WHERE id < 3;
SELECT * FROM ended();
DROP TRIGGER again ON pages;
-- that keep rows from being updated
CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN OLD.id % 2 = 0 THEN NULL ELSE NEW END; END$$;
CREATE TRIGGER zzz_veto BEFORE UPDATE ON pages FOR EACH ROW EXECUTE FUNCTION veto();
UPDATE pages SET n = 61;
SELECT * FROM ended();
DROP TRIGGER zzz_veto ON pages;
-- that set an actor for the statement alone: a version has the actor of the UPDATE
CREATE FUNCTION set_actor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('dtmodel.actor', CASE TG_WHEN WHEN 'BEFORE' THEN 'statement' ELSE '' END, false);
    RETURN NULL;
END $$;
CREATE TRIGGER set_actor BEFORE UPDATE ON pages FOR EACH STATEMENT EXECUTE FUNCTION set_actor();
CREATE TRIGGER reset_actor AFTER UPDATE ON pages FOR EACH STATEMENT EXECUTE FUNCTION set_actor();
UPDATE pages SET n = 71 WHERE id < 3;
UPDATE pages SET n = 72 WHERE id = 1;
INSERT INTO pages VALUES (3, 0) ON CONFLICT (id) DO UPDATE SET n = 73;
SELECT * FROM ended();
DROP TRIGGER set_actor ON pages;
DROP TRIGGER reset_actor ON pages;

-- foreign keys
UPDATE pages SET id = id + 10 WHERE id < 3;
SELECT * FROM ended();
DELETE FROM pages WHERE id > 10;
SELECT * FROM ended();

-- cursors, prepared statements, and statements inside of others
DO $$
DECLARE
    two CURSOR FOR SELECT * FROM pages ORDER BY id FOR UPDATE;
BEGIN
    FOR page IN two LOOP
        UPDATE pages SET n = 81 WHERE CURRENT OF two;
        UPDATE pages SET n = 82 WHERE id = page.id;
    END LOOP;
END $$;
SELECT * FROM ended();
PREPARE change (int) AS UPDATE pages SET n = $1 WHERE id = 3;
SET plan_cache_mode = force_generic_plan;
EXECUTE change (91);
EXECUTE change (92);
RESET plan_cache_mode;
DEALLOCATE change;
COPY (UPDATE pages SET n = 93 WHERE id = 3 RETURNING n) TO STDOUT;
CREATE FUNCTION change() RETURNS SETOF int LANGUAGE sql AS 'UPDATE pages SET n = 94 RETURNING n';
SELECT * FROM change() LIMIT 1;
SELECT * FROM ended();

-- rows that were written before a column was added, and wide ones
CREATE TABLE wide (id int PRIMARY KEY, gone text, big text);
ALTER TABLE wide ALTER big SET STORAGE EXTERNAL;
SELECT dtmodel.add_timestamps('wide'), dtmodel.add_history('wide');
INSERT INTO wide (id, gone, big) VALUES (1, 'x', repeat('long', 3000)), (2, 'x', NULL);
ALTER TABLE wide DROP gone, ADD late int DEFAULT 42;
UPDATE wide SET big = 'short';
UPDATE wide SET late = 43;
SET dtmodel.preserve_timestamps = on;
UPDATE wide SET late = late, big = big;
UPDATE wide SET late = 44 WHERE id = 1;
RESET dtmodel.preserve_timestamps;
SELECT id, length(big), left(big, 5), late, valid_to > valid_from AS lasted FROM wide_history ORDER BY id, valid_to, late;

DROP SCHEMA history_projection CASCADE;
