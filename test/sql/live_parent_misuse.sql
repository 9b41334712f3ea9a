--
-- require_live_parent: errors, privileges, and a hostile search_path
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_parent_misuse;
SET search_path = live_parent_misuse;

CREATE TABLE plain (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_soft_delete('users');
CREATE TABLE posts (
    id int PRIMARY KEY, a int, b int CONSTRAINT fk_b REFERENCES users, c int REFERENCES plain,
    FOREIGN KEY (a) REFERENCES users ON DELETE CASCADE);
CREATE VIEW v AS SELECT * FROM posts;

SELECT dtmodel.require_live_parent('v', 'a');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent(NULL, 'a');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', VARIADIC NULL);
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', VARIADIC '{}');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', 'nothing');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', 'id');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', 'a', 'b');
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', 'c');
\echo :SQLSTATE
SELECT dtmodel.remove_live_parent('posts', 'nothing');
\echo :SQLSTATE
SELECT dtmodel.remove_live_parent('posts', 'a');

-- live rows that have deleted parents already
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 9) AS i;
INSERT INTO posts (id, b) SELECT i, i FROM generate_series(1, 9) AS i;
DELETE FROM users WHERE id > 5;
SELECT dtmodel.require_live_parent('posts', 'b');
\echo :SQLSTATE
DELETE FROM posts WHERE b > 6;
SELECT dtmodel.require_live_parent('posts', 'b');
\echo :SQLSTATE
DELETE FROM posts WHERE b > 5;
SELECT dtmodel.require_live_parent('posts', 'b');

-- the foreign key is dropped: the trigger reports it, and is removed by its columns
BEGIN;
ALTER TABLE posts DROP CONSTRAINT fk_b;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SAVEPOINT s;
INSERT INTO posts (id, b) VALUES (20, 1);
\echo :SQLSTATE
ROLLBACK TO s;
SELECT dtmodel.remove_live_parent('posts', 'b');
INSERT INTO posts (id, b) VALUES (20, 1);
ROLLBACK;

-- a column of the parent is dropped
BEGIN;
ALTER TABLE users RENAME COLUMN is_deleted TO gone;
INSERT INTO posts (id, b) VALUES (20, 1);
\echo :SQLSTATE
ROLLBACK;

-- the trigger function in a trigger by hand
SELECT dtmodel_internal.live_parent_trigger();
\echo :SQLSTATE
CREATE TRIGGER wrong BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_parent_trigger();
INSERT INTO plain VALUES (1);
\echo :SQLSTATE
DROP TRIGGER wrong ON plain;
CREATE TRIGGER bare AFTER INSERT ON plain FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_parent_trigger();
INSERT INTO plain VALUES (1);
\echo :SQLSTATE
DROP TRIGGER bare ON plain;

-- the parent's rows are read as the table's owner, whatever policies they have
CREATE ROLE live_parent_owner;
CREATE ROLE live_parent_child;
CREATE ROLE live_parent_user;
GRANT USAGE, CREATE ON SCHEMA live_parent_misuse TO live_parent_owner, live_parent_child;
GRANT USAGE ON SCHEMA live_parent_misuse TO live_parent_user;
SET ROLE live_parent_owner;
CREATE TABLE secrets (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('secrets');
INSERT INTO secrets VALUES (1), (2);
DELETE FROM secrets WHERE id = 2;
GRANT REFERENCES ON secrets TO live_parent_child;
SET ROLE live_parent_child;
CREATE TABLE hints (id int, secret int REFERENCES secrets);
GRANT INSERT ON hints TO live_parent_user;
SELECT dtmodel.require_live_parent('hints', 'secret');
\echo :SQLSTATE
SET ROLE live_parent_owner;
GRANT SELECT ON secrets TO live_parent_child;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
SET ROLE live_parent_child;
SELECT dtmodel.require_live_parent('hints', 'secret');
\echo :SQLSTATE
SET ROLE live_parent_owner;
ALTER TABLE secrets DISABLE ROW LEVEL SECURITY;
SET ROLE live_parent_child;
SELECT dtmodel.require_live_parent('hints', 'secret');
SET ROLE live_parent_owner;
REVOKE ALL ON secrets FROM live_parent_child;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
SET ROLE live_parent_user;
INSERT INTO hints VALUES (1, 1);
INSERT INTO hints VALUES (2, 2);
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('hints', 'secret');
\echo :SQLSTATE
RESET ROLE;

-- operators and tables of other roles are not used
CREATE SCHEMA live_parent_hostile;
CREATE FUNCTION live_parent_hostile.same(int, int) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile operator'; END $$;
CREATE OPERATOR live_parent_hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = live_parent_hostile.same);
CREATE TABLE live_parent_hostile.users (id int PRIMARY KEY, is_deleted boolean);
SET search_path = live_parent_hostile, pg_catalog;
SELECT dtmodel.require_live_parent('live_parent_misuse.posts', 'a');
SELECT dtmodel.unique_live('live_parent_misuse.users', 'name');
INSERT INTO live_parent_misuse.posts (id, a) VALUES (30, 1);
INSERT INTO live_parent_misuse.posts (id, a) VALUES (31, 9);
\echo :SQLSTATE
RESET search_path;

DROP SCHEMA live_parent_hostile CASCADE;
DROP SCHEMA live_parent_misuse CASCADE;
DROP ROLE live_parent_owner, live_parent_child, live_parent_user;
