--
-- ALTER TABLE of a model, with cached plans: the right result, or a clear error
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA alter_table;
CREATE SCHEMA elsewhere;
SET search_path = alter_table;

CREATE TABLE t (id int PRIMARY KEY, note text);
SELECT dtmodel.add_model('t');
SELECT dtmodel.add_soft_delete('t');
INSERT INTO t (id) SELECT generate_series(1, 20);
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s rows, %s deleted', count(*), count(deleted_at)) FROM alter_table.t $$;
PREPARE up AS UPDATE t SET note = 'changed' WHERE id = $1 RETURNING updated_at = now() AS moved;
PREPARE del AS DELETE FROM t WHERE id = $1;
PREPARE soft AS SELECT (dtmodel.soft_delete(NULL::t, $1::int)).id;
PREPARE back AS SELECT (dtmodel.restore(NULL::t, $1::int)).id;
EXECUTE up (1);
EXECUTE del (1);
EXECUTE soft (2);
EXECUTE back (1);
SELECT state();

-- other columns are added and dropped
ALTER TABLE t DROP COLUMN note, ADD COLUMN note text, ADD COLUMN more numeric DEFAULT 1.5;
EXECUTE up (3);
EXECUTE del (3);
EXECUTE soft (4);
EXECUTE back (4);
SELECT state();

-- managed columns renamed: an error with the call to make; nothing is deleted
ALTER TABLE t RENAME COLUMN deleted_at TO gone_at;
EXECUTE del (5);
\echo :SQLSTATE
EXECUTE soft (5);
\echo :SQLSTATE
EXECUTE back (2);
\echo :SQLSTATE
UPDATE t SET is_deleted = true WHERE id = 5;
\echo :SQLSTATE
-- an INSERT does not use the triggers
INSERT INTO t (id) VALUES (21);
\echo :SQLSTATE
ALTER TABLE t RENAME COLUMN gone_at TO deleted_at;
EXECUTE del (5);
SELECT state();
ALTER TABLE t RENAME COLUMN is_deleted TO gone;
EXECUTE del (6);
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag => 'gone');
EXECUTE del (6);
EXECUTE soft (7);
EXECUTE back (7);
SELECT state();
ALTER TABLE t RENAME COLUMN gone TO is_deleted;
SELECT dtmodel.add_soft_delete('t');
ALTER TABLE t RENAME COLUMN updated_at TO changed_at;
UPDATE t SET note = 'renamed' WHERE id = 8;
\echo :SQLSTATE
EXECUTE del (8);
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('t', updated_at => 'changed_at');
UPDATE t SET note = 'renamed' WHERE id = 8 RETURNING changed_at = now() AS moved;
ALTER TABLE t RENAME COLUMN changed_at TO updated_at;
SELECT dtmodel.add_timestamps('t');
EXECUTE up (8);

-- swapped names: the triggers find the columns by name
ALTER TABLE t RENAME COLUMN created_at TO tmp;
ALTER TABLE t RENAME COLUMN updated_at TO created_at;
ALTER TABLE t RENAME COLUMN tmp TO updated_at;
UPDATE t SET note = 'swapped', created_at = '2001-01-01' WHERE id = 8
RETURNING updated_at = now() AS moved, created_at > '2020-01-01' AS kept;

-- retyped: to a type that is accepted, and to one that is not; the server does
-- not retype a column that a trigger names
\set VERBOSITY terse
ALTER TABLE t ALTER COLUMN deleted_at TYPE text;
\set VERBOSITY default
\echo :SQLSTATE
ALTER TABLE t ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
UPDATE t SET note = 'retyped' WHERE id = 9 RETURNING updated_at = now() AT TIME ZONE 'UTC' AS utc;
EXECUTE del (9);
SELECT state();
ALTER TABLE t ALTER COLUMN updated_at TYPE text;
UPDATE t SET note = 'retyped' WHERE id = 10;
\echo :SQLSTATE
EXECUTE del (10);
\echo :SQLSTATE
ALTER TABLE t ALTER COLUMN updated_at TYPE timestamptz USING now();
EXECUTE del (10);
SELECT state();

-- dropped: an UPDATE fails, an INSERT does not use the trigger
ALTER TABLE t DROP COLUMN updated_at;
UPDATE t SET note = 'dropped' WHERE id = 11;
\echo :SQLSTATE
INSERT INTO t (id) VALUES (22);
\echo :SQLSTATE
EXECUTE del (11);
\echo :SQLSTATE
ALTER TABLE t ADD COLUMN updated_at timestamptz;
EXECUTE del (11);
SELECT state();

-- the key renamed, retyped, replaced
ALTER TABLE t RENAME COLUMN id TO number;
SELECT (dtmodel.soft_delete(NULL::t, 12)).number;
ALTER TABLE t ALTER COLUMN number TYPE bigint;
SELECT (dtmodel.restore(NULL::t, 12)).number;
ALTER TABLE t DROP CONSTRAINT t_pkey;
SELECT (dtmodel.soft_delete(NULL::t, 12)).number;
\echo :SQLSTATE
UPDATE t SET note = number::text;
ALTER TABLE t ADD PRIMARY KEY (note);
SELECT (dtmodel.soft_delete(NULL::t, '12')).number;
SELECT state();

-- the table renamed and moved to another schema: nothing has to be done
ALTER TABLE t RENAME TO renamed;
ALTER TABLE renamed SET SCHEMA elsewhere;
DELETE FROM elsewhere.renamed WHERE number = 13;
SELECT (dtmodel.soft_delete(r)).number FROM elsewhere.renamed AS r WHERE number = 14;
SELECT (dtmodel.restore(NULL::elsewhere.renamed, '14')).number;
SELECT count(*), count(deleted_at) FROM elsewhere.renamed;

-- another table with the old name: the old plans are not used
CREATE TABLE t (id text PRIMARY KEY, is_deleted boolean, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('t');
INSERT INTO t (id) VALUES ('12'), ('13');
SELECT (dtmodel.soft_delete(NULL::t, '12')).id;
SELECT id, is_deleted FROM t ORDER BY id;
DROP TABLE t;
CREATE TABLE t (id int PRIMARY KEY);
SELECT dtmodel.soft_delete(NULL::t, 12);
\echo :SQLSTATE

-- after ROLLBACK, the old definition is used
SELECT dtmodel.add_soft_delete('t');
INSERT INTO t VALUES (1), (2), (3);
BEGIN;
ALTER TABLE t RENAME COLUMN is_deleted TO gone;
SELECT dtmodel.add_soft_delete('t', flag => 'gone');
DELETE FROM t WHERE id = 1;
ROLLBACK;
DELETE FROM t WHERE id = 2;
SELECT id, is_deleted FROM t ORDER BY id;
BEGIN;
SELECT dtmodel.remove_soft_delete('t');
DELETE FROM t WHERE id = 1;
ROLLBACK;
DELETE FROM t WHERE id = 3;
SELECT id, is_deleted FROM t ORDER BY id;

DROP SCHEMA alter_table CASCADE;
DROP SCHEMA elsewhere CASCADE;
