--
-- timestamps: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA timestamps_misuse;
SET search_path = timestamps_misuse;

CREATE TABLE t (id int, name text, stamp text, created_at timestamptz, updated_at timestamptz);
CREATE VIEW v AS SELECT * FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM t;
CREATE SEQUENCE s;
CREATE TYPE c AS (a int);
CREATE INDEX i ON t (id);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE f (id int) SERVER nowhere;
CREATE TABLE parted (id int) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);

-- not a table
SELECT dtmodel.add_timestamps('v');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('mv');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('s');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('c');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('i');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('f');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('part');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('nothing_there');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps(1::oid);
\echo :SQLSTATE
SELECT dtmodel.add_timestamps(NULL);
\echo :SQLSTATE

-- columns that are refused
SELECT dtmodel.add_timestamps('t', NULL, NULL);
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', 'created_at', 'created_at');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', created_at => 'stamp');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', ignore_columns => '{name,nowhere}');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', ignore_columns => '{name,NULL}');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', clock => 'sundial');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', on_insert => 'sometimes');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', on_insert => 'Stamp');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', on_insert => '');
\echo :SQLSTATE
CREATE TABLE g (id int, created_at timestamp GENERATED ALWAYS AS ('2001-01-01'::timestamp) STORED);
SELECT dtmodel.add_timestamps('g');
\echo :SQLSTATE

-- NULL options are the defaults
CREATE TABLE nulls (id int);
SELECT dtmodel.add_timestamps('nulls', ignore_columns => NULL, clock => NULL, on_insert => NULL);
SELECT dtmodel.describe('nulls') -> 'timestamps' AS timestamps;
SELECT dtmodel.remove_timestamps('nulls', NULL);
DROP TABLE nulls;

-- the table was not changed
\d t

-- the trigger function in triggers by hand
SELECT dtmodel_internal.timestamps_trigger();
\echo :SQLSTATE
CREATE TRIGGER wrong AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
INSERT INTO t (id) VALUES (1);
UPDATE t SET id = 2;
\echo :SQLSTATE
DROP TRIGGER wrong ON t;
CREATE TRIGGER wrong BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
UPDATE t SET id = 2;
\echo :SQLSTATE
DROP TRIGGER wrong ON t;
CREATE TRIGGER wrong AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
DELETE FROM t;
\echo :SQLSTATE
DROP TRIGGER wrong ON t;
-- before a DELETE, which may be part of a move to another partition, the row passes
CREATE TRIGGER idle BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('updated_at=updated_at');
BEGIN;
DELETE FROM t RETURNING id;
ROLLBACK;
DROP TRIGGER idle ON t;

-- by hand without its arguments, it refuses every row
CREATE TRIGGER bare BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.timestamps_trigger();
UPDATE t SET id = 2;
\echo :SQLSTATE
DROP TRIGGER bare ON t;

-- only the owner can change a table, and other roles do not even lock it
CREATE ROLE timestamps_other;
GRANT ALL ON SCHEMA timestamps_misuse TO timestamps_other;
GRANT ALL ON t TO timestamps_other;
SET ROLE timestamps_other;
SELECT dtmodel.add_timestamps('t');
\echo :SQLSTATE
SELECT dtmodel.remove_timestamps('t');
\echo :SQLSTATE
SET dtmodel.preserve_timestamps = on;
\echo :SQLSTATE
RESET ROLE;

-- a table that is in use in the same session
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM t;
FETCH c;
SELECT dtmodel.add_timestamps('t', created_at => 'born');
\echo :SQLSTATE
ROLLBACK;

DROP SCHEMA timestamps_misuse CASCADE;
DROP FOREIGN DATA WRAPPER nothing CASCADE;
DROP ROLE timestamps_other;
