--
-- hard DELETE needs the TRUNCATE privilege: of the current role, and of the
-- role that turned dtmodel.hard_delete on
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE hard_delete_rights_owner;
CREATE ROLE hard_delete_rights_user;
CREATE SCHEMA hard_delete_rights;
GRANT ALL ON SCHEMA hard_delete_rights TO hard_delete_rights_owner, hard_delete_rights_user;
SET search_path = hard_delete_rights;
\set SHOW_CONTEXT never
SET ROLE hard_delete_rights_owner;

CREATE TABLE posts (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('posts', protect_truncate => true);
CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
SELECT dtmodel.add_soft_delete('comments');
INSERT INTO posts SELECT generate_series(1, 9);
INSERT INTO comments SELECT i, i FROM generate_series(1, 9) AS i;
CREATE VIEW state AS
    SELECT 'posts' AS t, id, is_deleted FROM posts UNION ALL SELECT 'comments', id, is_deleted FROM comments;
CREATE FUNCTION remove(int) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'DELETE FROM hard_delete_rights.posts WHERE id = $1';
CREATE FUNCTION clear() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'TRUNCATE hard_delete_rights.posts CASCADE';
CREATE FUNCTION erase(int) RETURNS void LANGUAGE sql SECURITY DEFINER SET dtmodel.hard_delete = on AS
    'DELETE FROM hard_delete_rights.posts WHERE id = $1';
CREATE FUNCTION forget(int) RETURNS int LANGUAGE sql SECURITY DEFINER AS
    'SELECT (dtmodel.delete(NULL::hard_delete_rights.posts, $1, soft => false)).id';

-- a function of the owner deletes softly; its caller cannot make it delete physically
SET ROLE hard_delete_rights_user;
SELECT remove(1);
SET dtmodel.hard_delete = on;
SELECT remove(2);
\echo :SQLSTATE
SELECT clear();
\echo :SQLSTATE
-- a value that the function sets itself is set by its owner
SELECT erase(3), forget(4);
RESET dtmodel.hard_delete;
SELECT erase(5), forget(6);
RESET ROLE;
SELECT t, id, is_deleted FROM state WHERE id < 7 ORDER BY t DESC, id;

-- the role that turned it on needs the privilege, also after SET ROLE
SET ROLE hard_delete_rights_user;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
SET LOCAL ROLE hard_delete_rights_owner;
DELETE FROM posts WHERE id = 7;
\echo :SQLSTATE
ROLLBACK;
BEGIN;
SET LOCAL ROLE hard_delete_rights_owner;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM posts WHERE id = 7;
SELECT t, id, is_deleted FROM state WHERE id = 7;
ROLLBACK;

-- a foreign key deletes children without any privilege on them
SET ROLE hard_delete_rights_owner;
GRANT SELECT, DELETE, TRUNCATE ON posts TO hard_delete_rights_user;
SET ROLE hard_delete_rights_user;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM posts WHERE id = 7;
RESET ROLE;
SELECT t, id, is_deleted FROM state WHERE id = 7;
ROLLBACK;

-- another DELETE during a foreign-key action is not part of it, whatever the row references
SET ROLE hard_delete_rights_owner;
REVOKE TRUNCATE ON posts FROM hard_delete_rights_user;
GRANT SELECT, DELETE, UPDATE (post) ON comments TO hard_delete_rights_user;
SET ROLE hard_delete_rights_user;
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int REFERENCES parents ON DELETE CASCADE);
INSERT INTO parents VALUES (1);
INSERT INTO children VALUES (1);
CREATE FUNCTION delete_comment() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN DELETE FROM hard_delete_rights.comments WHERE id = 8; RETURN OLD; END$$;
CREATE TRIGGER delete_comment BEFORE DELETE ON children FOR EACH ROW EXECUTE FUNCTION delete_comment();
BEGIN;
UPDATE comments SET post = 99 WHERE id = 8;
DELETE FROM parents;
SELECT id, post, is_deleted FROM comments WHERE id = 8;
ROLLBACK;

-- a table that inherits and has no soft delete is protected too
SET ROLE hard_delete_rights_owner;
CREATE TABLE notes (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('notes');
CREATE TABLE memos () INHERITS (notes);
INSERT INTO memos VALUES (1);
CREATE FUNCTION remove_note(int) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'DELETE FROM hard_delete_rights.notes WHERE id = $1';
SET ROLE hard_delete_rights_user;
SET dtmodel.hard_delete = on;
SELECT remove_note(1);
\echo :SQLSTATE
RESET dtmodel.hard_delete;
RESET ROLE;
SELECT count(*) FROM memos;

-- a role that was dropped has no privilege
SET ROLE hard_delete_rights_user;
SET dtmodel.hard_delete = on;
RESET ROLE;
DROP OWNED BY hard_delete_rights_user;
DROP ROLE hard_delete_rights_user;
DELETE FROM posts WHERE id = 9;
\echo :SQLSTATE
SET dtmodel.hard_delete = on;
DELETE FROM posts WHERE id = 9;
SELECT count(*) FROM posts WHERE id = 9;
RESET dtmodel.hard_delete;

DROP SCHEMA hard_delete_rights CASCADE;
DROP ROLE hard_delete_rights_owner;
