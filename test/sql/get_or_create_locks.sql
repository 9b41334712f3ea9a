--
-- get_or_create without an index: a transaction holds few locks, for any number of values
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA get_or_create_locks;
SET search_path = get_or_create_locks;
CREATE TABLE a (name text);
CREATE TABLE b (name text);
CREATE VIEW locks AS
SELECT objid::regclass AS table, count(*) FILTER (WHERE objsubid <> 1) AS criteria,
       string_agg(mode, ' ' ORDER BY mode) FILTER (WHERE objsubid = 1) AS of_the_table
FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_class'::regclass AND pid = pg_backend_pid() GROUP BY 1 ORDER BY 1;
CREATE FUNCTION make(model anyelement, first int, last int) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE (dtmodel.get_or_create(model, jsonb_build_object('name', 'n' || i))).created) FROM generate_series(first, last) AS i $$;

BEGIN;
SELECT make(NULL::a, 1, 5);
TABLE locks;
-- the same values again need no more locks
DELETE FROM a;
SELECT make(NULL::a, 1, 5);
TABLE locks;
-- many values are one lock
SELECT make(NULL::a, 1, 32);
SELECT criteria BETWEEN 31 AND 32 AS each, of_the_table FROM locks;
SELECT make(NULL::a, 1, 200);
SELECT criteria BETWEEN 31 AND 32 AS each, of_the_table FROM locks;
-- and then for other tables too
SELECT make(NULL::b, 1, 2);
SELECT criteria, of_the_table FROM locks WHERE "table" = 'b'::regclass;
COMMIT;
TABLE locks;
SELECT count(*), count(DISTINCT name) FROM a;

-- the next transaction starts with none; a savepoint releases its locks
BEGIN;
SAVEPOINT s;
SELECT make(NULL::b, 3, 40);
SELECT of_the_table FROM locks;
ROLLBACK TO s;
TABLE locks;
SELECT make(NULL::b, 3, 3);
TABLE locks;
COMMIT;
BEGIN;
SELECT make(NULL::b, 4, 4);
TABLE locks;
COMMIT;

DROP SCHEMA get_or_create_locks CASCADE;
