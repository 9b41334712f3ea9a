--
-- soft delete: who deleted the row
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE deleted_by_ann;
CREATE ROLE deleted_by_bob;
CREATE SCHEMA deleted_by;
GRANT USAGE ON SCHEMA deleted_by TO deleted_by_ann, deleted_by_bob;
SET search_path = deleted_by;

CREATE TABLE posts (id int PRIMARY KEY, LIKE dtmodel.soft_delete_mixin INCLUDING ALL, LIKE dtmodel.audit_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('posts', deleted_by => 'deleted_by');
SELECT dtmodel.add_soft_delete('posts', deleted_by => 'deleted_by');
SELECT dtmodel.describe('posts') -> 'soft_delete' AS soft_delete;
INSERT INTO posts (id) SELECT generate_series(1, 12);
GRANT DELETE, SELECT, UPDATE ON posts TO deleted_by_ann, deleted_by_bob;

-- the current role, or the value of dtmodel.actor
SET ROLE deleted_by_ann;
DELETE FROM posts WHERE id IN (1, 2);
SELECT (dtmodel.soft_delete(NULL::posts, 3)).deleted_by;
SET dtmodel.actor = 'carol';
DELETE FROM posts WHERE id = 4;
UPDATE posts SET is_deleted = true WHERE id = 5;
UPDATE posts SET deleted_at = '2001-01-01' WHERE id = 6;
RESET dtmodel.actor;
RESET ROLE;
CREATE FUNCTION remove(int) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'DELETE FROM deleted_by.posts WHERE id = $1';
SET ROLE deleted_by_bob;
SELECT remove(7);
RESET ROLE;

-- an UPDATE cannot name another user; a second deletion changes nothing; an INSERT keeps what it is given
UPDATE posts SET is_deleted = true, deleted_by = 'dave' WHERE id = 8;
INSERT INTO posts (id, is_deleted, deleted_at, deleted_by) VALUES (13, true, '2001-01-01', 'erin');
INSERT INTO posts (id, is_deleted, deleted_at) VALUES (14, true, '2001-01-01');
INSERT INTO posts (id, deleted_by) VALUES (15, 'another');
DELETE FROM posts WHERE id = 8;
SELECT id, is_deleted, replace(deleted_by, current_user, 'superuser') AS deleted_by FROM posts WHERE id <= 8 OR id > 12 ORDER BY id;

-- nor can a later UPDATE
UPDATE posts SET deleted_by = 'frank' WHERE id IN (4, 13, 14, 15);
UPDATE posts SET deleted_by = NULL WHERE id = 5;
SELECT id, is_deleted, deleted_by FROM posts WHERE id IN (4, 5, 13, 14, 15) ORDER BY id;

-- but an import keeps the value that it gives
SET dtmodel.preserve_timestamps = on;
INSERT INTO posts (id, is_deleted, deleted_at, deleted_by) VALUES (16, true, '2001-01-01', 'gina');
UPDATE posts SET deleted_by = 'frank' WHERE id IN (4, 15);
SELECT id, is_deleted, deleted_by FROM posts WHERE id IN (4, 15, 16) ORDER BY id;
RESET dtmodel.preserve_timestamps;

-- a restore sets it to null
SELECT (dtmodel.restore(NULL::posts, 1)).deleted_by;
UPDATE posts SET is_deleted = false WHERE id = 2;
SELECT id, is_deleted, deleted_by FROM posts WHERE id <= 2 ORDER BY id;

-- in a cascade it is the current actor, not the owner of the child
CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('comments', deleted_by => 'who');
INSERT INTO comments VALUES (1, 9);
SET ROLE deleted_by_ann;
DELETE FROM posts WHERE id = 9;
RESET ROLE;
SELECT p.deleted_by, c.who FROM posts AS p JOIN comments AS c ON c.post = p.id;

-- keys of users; null if no actor is set
CREATE TABLE rows (id int PRIMARY KEY, gone timestamptz);
SELECT dtmodel.add_soft_delete('rows', flag => NULL, deleted_at => 'gone');
ALTER TABLE rows ADD COLUMN u uuid, ADD COLUMN b bigint;
SELECT dtmodel.add_soft_delete('rows', flag => NULL, deleted_at => 'gone', deleted_by => 'b');
INSERT INTO rows (id) VALUES (1), (2), (3);
SET dtmodel.actor = '12345678901';
DELETE FROM rows WHERE id = 1;
RESET dtmodel.actor;
DELETE FROM rows WHERE id = 2;
SET dtmodel.actor = 'no number';
DELETE FROM rows WHERE id = 3;
\echo :SQLSTATE
RESET dtmodel.actor;
SELECT dtmodel.add_soft_delete('rows', flag => NULL, deleted_at => 'gone', deleted_by => 'u');
SET dtmodel.actor = '550e8400-e29b-41d4-a716-446655440000';
DELETE FROM rows WHERE id = 3;
RESET dtmodel.actor;
SELECT id, gone IS NOT NULL AS deleted, b, u FROM rows ORDER BY id;

-- errors
SELECT dtmodel.add_soft_delete('rows', flag => NULL, deleted_at => 'gone', deleted_by => 'gone');
\echo :SQLSTATE
ALTER TABLE rows ADD COLUMN d date;
SELECT dtmodel.add_soft_delete('rows', flag => NULL, deleted_at => 'gone', deleted_by => 'd');
\echo :SQLSTATE
ALTER TABLE rows RENAME COLUMN u TO x;
DELETE FROM rows WHERE id = 2;
\echo :SQLSTATE

-- it is kept in a move to another partition
CREATE TABLE parted (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_soft_delete('parted', deleted_by => 'who');
INSERT INTO parted VALUES (1, 1), (2, 1);
SET dtmodel.actor = 'ann';
DELETE FROM parted WHERE id = 1;
SET dtmodel.actor = 'bob';
UPDATE parted SET part = 2;
RESET dtmodel.actor;
SELECT id, part, is_deleted, who FROM parted ORDER BY id;

-- an UPDATE leaves alone what a live row had, and nothing of it is left after a deletion and a restore
INSERT INTO posts (id, deleted_by) VALUES (17, 'another');
UPDATE posts SET deleted_by = deleted_by, is_deleted = is_deleted WHERE id = 17 RETURNING deleted_by;
UPDATE posts SET deleted_by = NULL WHERE id = 17 RETURNING deleted_by;
UPDATE posts SET is_deleted = true WHERE id = 17 RETURNING deleted_by = current_user AS is_mine;
UPDATE posts SET is_deleted = false, deleted_by = 'another' WHERE id = 17 RETURNING deleted_by;

-- removed
SELECT dtmodel.add_soft_delete('posts');
DELETE FROM posts WHERE id = 10;
SELECT id, is_deleted, deleted_by FROM posts WHERE id = 10;

DROP SCHEMA deleted_by CASCADE;
DROP ROLE deleted_by_ann, deleted_by_bob;
