--
-- soft delete: direct writes to the flag and the time, flags of other meanings
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA soft_delete_flag;
SET search_path = soft_delete_flag;

CREATE TABLE posts (id int PRIMARY KEY, n int);
SELECT dtmodel.add_soft_delete('posts');
CREATE VIEW state AS
    SELECT id, is_deleted, deleted_at IS NOT NULL AS timed,
           deleted_at = '2001-01-01 00:00+00' AS given
    FROM posts ORDER BY id;

-- INSERT: given values are kept, and must be consistent
INSERT INTO posts (id) VALUES (1);
INSERT INTO posts (id, is_deleted) VALUES (2, true);
\echo :SQLSTATE
INSERT INTO posts (id, deleted_at) VALUES (3, '2001-01-01 00:00+00');
\echo :SQLSTATE
INSERT INTO posts (id, is_deleted, deleted_at) VALUES (4, true, '2001-01-01 00:00+00');
INSERT INTO posts (id, is_deleted, deleted_at) VALUES (5, false, '2001-01-01 00:00+00');
\echo :SQLSTATE
INSERT INTO posts (id, is_deleted, deleted_at)
VALUES (2, true, now()), (3, true, '2001-01-01 00:00+00'), (5, true, '2001-01-01 00:00+00');
TABLE state;

-- UPDATE of the flag
UPDATE posts SET is_deleted = true WHERE id = 1;
UPDATE posts SET is_deleted = false WHERE id IN (2, 3);
UPDATE posts SET is_deleted = true, n = 1 WHERE id = 4;
TABLE state;

-- UPDATE of the time: a row that it deletes gets the transaction's time
UPDATE posts SET deleted_at = NULL WHERE id IN (1, 5);
BEGIN;
UPDATE posts SET deleted_at = '2001-01-01 00:00+00' WHERE id = 2;
SELECT deleted_at = now() AS now FROM posts WHERE id = 2;
COMMIT;
TABLE state;

-- UPDATE of both; the time of a deleted row does not change
UPDATE posts SET is_deleted = true, deleted_at = '2001-01-01 00:00+00' WHERE id = 1;
UPDATE posts SET is_deleted = false, deleted_at = NULL WHERE id = 2;
UPDATE posts SET is_deleted = true, deleted_at = NULL WHERE id = 3;
UPDATE posts SET deleted_at = '2002-02-02' WHERE id = 4;
TABLE state;

-- an import keeps the times that it gives
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE posts SET deleted_at = '2002-02-02 00:00+00' WHERE id = 4;
UPDATE posts SET deleted_at = '2001-01-01 00:00+00' WHERE id = 5;
UPDATE posts SET is_deleted = true WHERE id = 2;
SELECT id, is_deleted, deleted_at AT TIME ZONE 'UTC' AS time FROM posts WHERE id IN (4, 5) ORDER BY id;
SELECT deleted_at = now() AS now FROM posts WHERE id = 2;
ROLLBACK;

-- one UPDATE is one deletion, and so are two in one transaction
UPDATE posts SET is_deleted = true WHERE NOT is_deleted;
SELECT count(DISTINCT deleted_at) FROM posts WHERE id IN (2, 5);
BEGIN;
UPDATE posts SET is_deleted = false WHERE id IN (2, 5);
UPDATE posts SET is_deleted = true WHERE id = 2;
UPDATE posts SET deleted_at = now() WHERE id = 5;
SELECT count(DISTINCT deleted_at), min(deleted_at) = now() AS now FROM posts WHERE id IN (2, 5);
COMMIT;

-- restoring a row and setting its time is a contradiction
UPDATE posts SET is_deleted = false, deleted_at = now() WHERE id = 1;
\echo :SQLSTATE
TABLE state;

-- COPY and ON CONFLICT
COPY posts (id, is_deleted) FROM stdin;
6	t
7	f
\.
COPY posts (id, is_deleted, deleted_at) FROM stdin;
6	t	2001-01-01 00:00+00
7	f	\N
\.
INSERT INTO posts VALUES (7, 70) ON CONFLICT (id) DO UPDATE SET is_deleted = true;
SELECT * FROM state WHERE id >= 6;

-- an UPDATE of other columns does not call the trigger
SELECT pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = 'posts'::regclass AND tgname = 'zz_dtmodel_soft_delete_flag';

-- inconsistent values of other triggers violate the CHECK
CREATE FUNCTION sly() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.is_deleted := true; RETURN NEW; END $$;
CREATE TRIGGER sly BEFORE UPDATE ON posts FOR EACH ROW WHEN (OLD.id = 8) EXECUTE FUNCTION sly();
INSERT INTO posts (id) VALUES (8);
\set VERBOSITY terse
UPDATE posts SET n = 1 WHERE id = 8;
\set VERBOSITY default
\echo :SQLSTATE
UPDATE posts SET n = 1, deleted_at = NULL WHERE id = 8;
SELECT * FROM state WHERE id = 8;

-- an inverted flag: is_active
CREATE TABLE accounts (id int PRIMARY KEY, LIKE dtmodel.active_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live');
\d accounts
INSERT INTO accounts VALUES (1), (2), (3);
INSERT INTO accounts VALUES (4, false);
\echo :SQLSTATE
INSERT INTO accounts VALUES (4, false, now());
DELETE FROM accounts WHERE id = 1;
UPDATE accounts SET is_active = false WHERE id = 2;
UPDATE accounts SET deleted_at = now() WHERE id = 3;
SELECT id, is_active, deleted_at IS NOT NULL AS timed FROM accounts ORDER BY id;
UPDATE accounts SET is_active = true WHERE id <= 2;
UPDATE accounts SET deleted_at = NULL WHERE id = 3;
SELECT id, is_active, deleted_at IS NOT NULL AS timed FROM accounts ORDER BY id;
UPDATE accounts SET is_active = true, deleted_at = now() WHERE id = 4;
\echo :SQLSTATE
SELECT dtmodel.describe('accounts') -> 'soft_delete' AS soft_delete;

-- no flag: only the time
CREATE TABLE notes (id int PRIMARY KEY, removed timestamp);
SELECT dtmodel.add_soft_delete('notes', flag => NULL, deleted_at => 'removed');
\d notes
INSERT INTO notes VALUES (1), (2);
SET timezone = 'Asia/Tokyo';
DELETE FROM notes WHERE id = 1;
SELECT id, (removed AT TIME ZONE 'UTC') BETWEEN now() - interval '1 hour' AND now() + interval '1 hour' AS utc
FROM notes ORDER BY id;
RESET timezone;
SELECT (dtmodel.restore(NULL::notes, 1)).*;
SELECT dtmodel.describe('notes') -> 'soft_delete' AS soft_delete;

-- a flag that can be null: null is live
CREATE TABLE loose (id int PRIMARY KEY, gone boolean, deleted_at timestamptz);
INSERT INTO loose VALUES (1, NULL, NULL), (2, false, NULL), (3, true, now());
SELECT dtmodel.add_soft_delete('loose', flag => 'gone');
DELETE FROM loose WHERE id = 1;
UPDATE loose SET gone = NULL WHERE id = 3;
INSERT INTO loose VALUES (4, NULL, '2001-01-01');
\echo :SQLSTATE
INSERT INTO loose VALUES (4, true, '2001-01-01');
SELECT id, gone, deleted_at IS NOT NULL AS timed FROM loose ORDER BY id;

-- re-configured: another flag, an inverted flag, no flag
ALTER TABLE loose ADD COLUMN active boolean;
UPDATE loose SET active = NOT coalesce(gone, false);
SELECT dtmodel.add_soft_delete('loose', flag => 'active', flag_means => 'live');
DELETE FROM loose WHERE id = 2;
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'loose'::regclass AND contype = 'c';
SELECT id, gone, active, deleted_at IS NOT NULL AS timed FROM loose ORDER BY id;
SELECT dtmodel.add_soft_delete('loose', flag => NULL);
\d loose

-- an UPDATE by a rule on another table is not part of our deletion
SET client_min_messages = warning;
CREATE TABLE strict (id int PRIMARY KEY);
CREATE TABLE ruled (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('strict', flag_writes => 'error'), dtmodel.add_soft_delete('ruled');
INSERT INTO strict VALUES (1);
INSERT INTO ruled VALUES (1);
DELETE FROM ruled;
CREATE RULE forge AS ON UPDATE TO ruled DO ALSO UPDATE strict SET is_deleted = true, deleted_at = '1999-01-01';
SELECT dtmodel.restore(NULL::ruled, 1);
\echo :SQLSTATE
CREATE OR REPLACE RULE forge AS ON UPDATE TO ruled DO INSTEAD UPDATE strict SET is_deleted = true, deleted_at = '1999-01-01' RETURNING old.*;
SELECT dtmodel.restore(NULL::ruled, 1);
\echo :SQLSTATE
TABLE strict;

-- where only the time says it, the time is refused
CREATE TABLE dated (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('dated', flag => NULL, flag_writes => 'error');
INSERT INTO dated VALUES (1);
UPDATE dated SET deleted_at = now();
\echo :SQLSTATE

DROP SCHEMA soft_delete_flag CASCADE;
