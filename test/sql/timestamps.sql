--
-- timestamps: created_at stays, updated_at moves when the row changes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA timestamps;
RESET client_min_messages;

CREATE TABLE timestamps.users (
    id int PRIMARY KEY,
    name text,
    visits int NOT NULL DEFAULT 0
);
INSERT INTO timestamps.users VALUES (1, 'before');

-- missing columns are added, existing rows get the current time
SELECT dtmodel.add_timestamps('timestamps.users');
\d timestamps.users
SELECT created_at = updated_at AS same, created_at <= now() AS past FROM timestamps.users;

-- called again, it does nothing
SELECT dtmodel.add_timestamps('timestamps.users');

-- INSERT sets both
INSERT INTO timestamps.users VALUES (2, 'new')
RETURNING created_at = now() AS created, updated_at = now() AS updated;
INSERT INTO timestamps.users (id, name) SELECT i, 'many' FROM generate_series(3, 5) AS i;
COPY timestamps.users (id, name) FROM stdin;
6	copied
\.
SELECT count(*), bool_and(created_at > now() - interval '1 hour') AS recent,
       bool_and(created_at = updated_at) AS same
FROM timestamps.users;

-- UPDATE changes updated_at and nothing else
CREATE TABLE timestamps.seen AS SELECT * FROM timestamps.users;
CREATE VIEW timestamps.moved AS
    SELECT u.id, u.created_at <> s.created_at AS created_moved,
           u.updated_at > s.updated_at AS updated_moved,
           u.updated_at = now() AS updated_now
    FROM timestamps.users AS u JOIN timestamps.seen AS s USING (id)
    WHERE (u.created_at, u.updated_at) <> (s.created_at, s.updated_at)
    ORDER BY u.id;
BEGIN;
UPDATE timestamps.users SET name = 'changed' WHERE id = 1;
TABLE timestamps.moved;
ROLLBACK;

-- created_at cannot be written, and an attempt is not a change
BEGIN;
UPDATE timestamps.users SET created_at = '2001-01-01' WHERE id = 1;
UPDATE timestamps.users SET created_at = NULL WHERE id = 2;
TABLE timestamps.moved;
UPDATE timestamps.users SET created_at = '2001-01-01', name = 'changed' WHERE id = 3;
TABLE timestamps.moved;
ROLLBACK;

-- a write to updated_at counts as a change, but the value is the clock's
BEGIN;
UPDATE timestamps.users SET updated_at = '2001-01-01' WHERE id = 1;
UPDATE timestamps.users SET updated_at = '2999-01-01', name = 'changed' WHERE id = 2;
UPDATE timestamps.users SET updated_at = NULL WHERE id = 3;
TABLE timestamps.moved;
ROLLBACK;

-- an UPDATE that changes nothing does not set updated_at, but counts its rows
BEGIN;
UPDATE timestamps.users SET name = name, visits = 0;
\echo :ROW_COUNT
TABLE timestamps.moved;
ROLLBACK;

-- null to value, value to null, and equal strings in other memory
BEGIN;
UPDATE timestamps.users SET name = NULL WHERE id IN (1, 2);
UPDATE timestamps.users SET name = 'ma' || 'ny' WHERE id = 3;
UPDATE timestamps.users SET name = NULL WHERE id = 4;
TABLE timestamps.moved;
ROLLBACK;

-- updated_at never goes back, even if the clock does
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE timestamps.users SET updated_at = '2999-01-01' WHERE id = 1;
SET LOCAL dtmodel.preserve_timestamps = off;
UPDATE timestamps.users SET name = 'changed' WHERE id = 1 RETURNING updated_at >= '2999-01-01' AS kept;
ROLLBACK;

-- imports keep the times that they give, in each kind of statement
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
INSERT INTO timestamps.users VALUES (7, 'import', 0, '2001-01-01 00:00+00', '2002-02-02 00:00+00')
RETURNING created_at = '2001-01-01 00:00+00' AS created, updated_at = '2002-02-02 00:00+00' AS updated;
UPDATE timestamps.users SET name = 'corrected' WHERE id = 7
RETURNING created_at = '2001-01-01 00:00+00' AS created, updated_at = '2002-02-02 00:00+00' AS updated;
UPDATE timestamps.users SET created_at = '2000-01-01 00:00+00' WHERE id = 7
RETURNING created_at = '2000-01-01 00:00+00' AS created;
ROLLBACK;

-- columns whose changes do not count
SELECT dtmodel.add_timestamps('timestamps.users', ignore_columns => '{visits}');
BEGIN;
UPDATE timestamps.users SET visits = visits + 1 WHERE id IN (1, 2);
UPDATE timestamps.users SET visits = visits + 1, name = 'changed' WHERE id = 3;
TABLE timestamps.moved;
ROLLBACK;
SELECT dtmodel.describe('timestamps.users') -> 'timestamps' AS timestamps;

-- the three clocks: of the transaction, of the statement, and of the row
SELECT dtmodel.add_timestamps('timestamps.users', clock => 'statement');
BEGIN;
SELECT pg_sleep(0.01);
UPDATE timestamps.users SET name = name || '!'
WHERE pg_sleep(0.001) IS NOT NULL
RETURNING updated_at > now() AS after_begin, updated_at = statement_timestamp() AS statement;
ROLLBACK;
SELECT dtmodel.add_timestamps('timestamps.users', clock => 'clock');
BEGIN;
UPDATE timestamps.users SET name = name || '!' WHERE pg_sleep(0.001) IS NOT NULL;
SELECT count(DISTINCT updated_at) = count(*) AS every_row_its_own,
       bool_and(updated_at > statement_timestamp() - interval '1 hour') AS recent
FROM timestamps.users;
ROLLBACK;
SELECT dtmodel.describe('timestamps.users') #>> '{timestamps,clock}' AS clock;
SELECT dtmodel.add_timestamps('timestamps.users');
SELECT dtmodel.describe('timestamps.users') -> 'timestamps' AS timestamps;

-- other names; only one column; timestamp without time zone is UTC
CREATE TABLE timestamps.legacy (id int, born timestamp, touched timestamp(0));
SELECT dtmodel.add_timestamps('timestamps.legacy', 'born', 'touched');
SET timezone = 'America/New_York';
INSERT INTO timestamps.legacy VALUES (1)
RETURNING born = now() AT TIME ZONE 'UTC' AS utc,
          touched = (now() AT TIME ZONE 'UTC')::timestamp(0) AS rounded;
UPDATE timestamps.legacy SET id = 2
RETURNING touched = (now() AT TIME ZONE 'UTC')::timestamp(0) AS rounded,
          born < now() AT TIME ZONE 'UTC' AS kept;
RESET timezone;
CREATE TABLE timestamps.log (id int);
SELECT dtmodel.add_timestamps('timestamps.log', updated_at => NULL);
INSERT INTO timestamps.log VALUES (1) RETURNING created_at = now() AS created;
UPDATE timestamps.log SET id = 2, created_at = '2001-01-01' RETURNING created_at > '2020-01-01' AS kept;
SELECT dtmodel.describe('timestamps.log') -> 'timestamps' AS timestamps;

-- a null created_at can be set once
CREATE TABLE timestamps.gaps (id int, created_at timestamptz, updated_at timestamptz);
INSERT INTO timestamps.gaps VALUES (1);
SELECT dtmodel.add_timestamps('timestamps.gaps');
UPDATE timestamps.gaps SET created_at = '2001-01-01 00:00+00'
RETURNING created_at = '2001-01-01 00:00+00' AS filled, updated_at = now() AS updated;
UPDATE timestamps.gaps SET created_at = '2002-02-02' RETURNING created_at = '2001-01-01 00:00+00' AS kept;

-- removed, with and without the columns
SELECT dtmodel.remove_timestamps('timestamps.gaps');
UPDATE timestamps.gaps SET created_at = NULL RETURNING created_at;
SELECT dtmodel.remove_timestamps('timestamps.gaps');
SELECT dtmodel.remove_timestamps('timestamps.users', drop_columns => true);
DROP VIEW timestamps.moved;
SELECT dtmodel.remove_timestamps('timestamps.users', drop_columns => true);
\d timestamps.users

-- a row that was written before a column was added, in a table without created_at
CREATE TABLE timestamps.older (id int PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT '2020-01-01');
SELECT dtmodel.add_timestamps('timestamps.older', created_at => NULL);
INSERT INTO timestamps.older VALUES (1), (2);
ALTER TABLE timestamps.older ADD v text;
UPDATE timestamps.older SET v = NULL WHERE id = 1;
UPDATE timestamps.older SET v = 'a' WHERE id = 2;
SELECT id, updated_at > '2020-01-02' AS changed FROM timestamps.older ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA timestamps CASCADE;
