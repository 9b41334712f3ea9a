--
-- ALTER TABLE of the columns of audit, version, settings and live parents, with
-- cached plans: the right result, or a clear error, and nothing written without stamps
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA alter_mixins;
SET search_path = alter_mixins;
SET dtmodel.actor = 'ann';

CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, note text, owner int REFERENCES owners);
SELECT dtmodel.add_soft_delete('owners'), dtmodel.add_audit('t'), dtmodel.add_version('t'), dtmodel.add_settings('t', '{theme}'),
       dtmodel.require_live_parent('t', 'owner');
INSERT INTO owners VALUES (1), (2);
DELETE FROM owners WHERE id = 2;
INSERT INTO t (id, note, owner) SELECT i, 'n', 1 FROM generate_series(1, 3) AS i;

-- statements whose plans the session keeps
PREPARE up (text) AS UPDATE t SET note = $1 WHERE id = 1;
PREPARE ins (int) AS INSERT INTO t (id, note, owner) VALUES ($1, 'new', 1);
PREPARE orphan (int) AS INSERT INTO t (id, owner) VALUES ($1, 2);
PREPARE merge (jsonb) AS SELECT dtmodel.update(NULL::t, 1, $1);
PREPARE setting (jsonb) AS UPDATE t SET settings = $1 WHERE id = 1;

-- What each of them does, undone: a state of its row, or its SQLSTATE.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement;
    SELECT 'by ' || coalesce(d ->> 'updated_by', d ->> 'who', '?') || ', version ' || coalesce(d ->> 'version', d ->> 'number', '?') || coalesce(', ' || (d ->> 'settings'), '')
    INTO result FROM (SELECT to_jsonb(t) AS d FROM t ORDER BY id >= 10 DESC, id = 1 DESC LIMIT 1) AS x;
    RAISE EXCEPTION USING MESSAGE = result, ERRCODE = 'UNDO1';
EXCEPTION
    WHEN SQLSTATE 'UNDO1' THEN
        RETURN SQLERRM;
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END $$;
CREATE VIEW outcomes AS
    SELECT outcome('EXECUTE up (''changed'')') AS "update", outcome('EXECUTE ins (10)') AS "insert", outcome('EXECUTE orphan (11)') AS orphan,
           outcome('EXECUTE merge (''{"note": "merged"}'')') AS "call", outcome('EXECUTE merge (''{"theme": "dark"}'')') AS theme,
           outcome('EXECUTE setting (''{"unknown": 1}'')') AS unknown;
SET dtmodel.actor = 'bob';
TABLE outcomes;

-- other columns are dropped and added
ALTER TABLE t DROP COLUMN note, ADD COLUMN more int DEFAULT 1, ADD COLUMN note text;
TABLE outcomes;

-- renamed
ALTER TABLE t RENAME COLUMN updated_by TO who;
TABLE outcomes;
SELECT dtmodel.add_audit('t', updated_by => 'who');
TABLE outcomes;
ALTER TABLE t RENAME COLUMN who TO updated_by;
SELECT dtmodel.add_audit('t');
ALTER TABLE t RENAME COLUMN version TO number;
TABLE outcomes;
SELECT dtmodel.add_version('t', 'number');
TABLE outcomes;
ALTER TABLE t RENAME COLUMN number TO version;
SELECT dtmodel.add_version('t');
ALTER TABLE t RENAME COLUMN settings TO options;
SELECT outcome('EXECUTE ins (10)'), outcome('EXECUTE merge (''{"theme": "dark"}'')'), outcome('UPDATE t SET options = ''{"unknown": 1}'' WHERE id = 1');
ALTER TABLE t RENAME COLUMN options TO settings;
ALTER TABLE t RENAME COLUMN owner TO boss;
SELECT outcome('EXECUTE ins (10)'), outcome('EXECUTE orphan (11)'), outcome('UPDATE t SET boss = 2');
ALTER TABLE t RENAME COLUMN boss TO owner;
TABLE outcomes;

-- retyped: to a type that is accepted, and to one that is not
ALTER TABLE t ALTER COLUMN version TYPE bigint, ALTER COLUMN updated_by TYPE varchar(20);
TABLE outcomes;
BEGIN;
ALTER TABLE t ALTER COLUMN version TYPE text;
SELECT outcome('EXECUTE up (''changed'')'), outcome('EXECUTE merge (''{"note": "merged"}'')');
ROLLBACK;
BEGIN;
ALTER TABLE t ALTER COLUMN updated_by TYPE jsonb USING to_jsonb(updated_by);
SELECT outcome('EXECUTE up (''changed'')'), outcome('EXECUTE ins (10)');
ROLLBACK;
TABLE outcomes;

-- dropped: an error, and right again after a rollback
BEGIN;
ALTER TABLE t DROP COLUMN version;
SELECT outcome('EXECUTE up (''changed'')'), outcome('EXECUTE merge (''{"note": "merged"}'')');
ROLLBACK;
BEGIN;
ALTER TABLE t DROP COLUMN created_by;
SELECT outcome('EXECUTE up (''changed'')'), outcome('EXECUTE ins (10)');
ROLLBACK;
BEGIN;
SELECT dtmodel.remove_version('t', true), dtmodel.remove_settings('t', true);
SELECT outcome('EXECUTE up (''changed'')'), outcome('EXECUTE ins (10)'), outcome('EXECUTE merge (''{"note": "merged"}'')'), outcome('EXECUTE orphan (11)');
ROLLBACK;
TABLE outcomes;
SELECT id, version, created_by, updated_by, settings FROM t ORDER BY id;

DROP SCHEMA alter_mixins CASCADE;
