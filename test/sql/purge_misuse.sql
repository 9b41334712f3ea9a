--
-- purge: errors, privileges, and a hostile search_path
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA purge_misuse;
SET search_path = purge_misuse;

CREATE TABLE plain (id int PRIMARY KEY);
CREATE VIEW v AS SELECT * FROM plain;
CREATE TABLE posts (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('posts');
CALL dtmodel.purge('plain');
\echo :SQLSTATE
CALL dtmodel.purge('v');
\echo :SQLSTATE
CALL dtmodel.purge(NULL);
\echo :SQLSTATE
CALL dtmodel.purge('posts', NULL);
\echo :SQLSTATE
CALL dtmodel.purge('posts', '-1 day');
\echo :SQLSTATE
CALL dtmodel.purge('posts', batch_size => 0);
\echo :SQLSTATE
CALL dtmodel.purge('posts', batch_size => NULL);
\echo :SQLSTATE
CALL dtmodel.purge('posts', dry_run => NULL);
\echo :SQLSTATE

-- it commits, so it cannot be part of a transaction
BEGIN;
CALL dtmodel.purge('posts');
\echo :SQLSTATE
ROLLBACK;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL dtmodel.purge('purge_misuse.posts'); END $$;
SELECT f();
\echo :SQLSTATE
DO $$ BEGIN CALL dtmodel.purge('purge_misuse.posts'); END $$;
\echo :SQLSTATE

-- as the caller, who needs the privileges for physical deletion
CREATE ROLE purge_owner;
CREATE ROLE purge_user;
GRANT USAGE, CREATE ON SCHEMA purge_misuse TO purge_owner;
GRANT USAGE ON SCHEMA purge_misuse TO purge_user;
SET ROLE purge_owner;
CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('users');
CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users);
SELECT dtmodel.add_soft_delete('notes');
INSERT INTO users (id, is_deleted, deleted_at) SELECT i, true, '2001-01-01' FROM generate_series(1, 9) AS i;
INSERT INTO notes (id, user_id, is_deleted, deleted_at) VALUES (1, 1, true, '2001-01-01');
INSERT INTO notes (id, user_id) VALUES (2, 2);
GRANT SELECT, DELETE ON users TO purge_user;
SET ROLE purge_user;
CALL dtmodel.purge('users');
\echo :SQLSTATE
SET ROLE purge_owner;
GRANT TRUNCATE ON users TO purge_user;
SET ROLE purge_user;
CALL dtmodel.purge('users');
\echo :SQLSTATE
SET ROLE purge_owner;
GRANT SELECT ON notes TO purge_user;
SET ROLE purge_user;
CALL dtmodel.purge('users');
\echo :SQLSTATE
SET ROLE purge_owner;
GRANT DELETE, TRUNCATE ON notes TO purge_user;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
SET ROLE purge_user;
CALL dtmodel.purge('users');
\echo :SQLSTATE
SET ROLE purge_owner;
ALTER TABLE notes DISABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON users FOR SELECT USING (id < 7);
CREATE POLICY remove ON users FOR DELETE USING (id > 2);
SET ROLE purge_user;
SET client_min_messages = notice;
CALL dtmodel.purge('users');
SET client_min_messages = warning;
RESET ROLE;
SELECT string_agg(id::text, ' ' ORDER BY id) AS users FROM users;
SELECT string_agg(id::text, ' ' ORDER BY id) AS notes FROM notes;

-- operators, functions and tables of other roles are not used
CREATE SCHEMA purge_hostile;
CREATE FUNCTION purge_hostile.same(int, int) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile operator'; END $$;
CREATE FUNCTION purge_hostile.before(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile operator'; END $$;
CREATE OPERATOR purge_hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = purge_hostile.same);
CREATE OPERATOR purge_hostile.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = purge_hostile.before);
CREATE FUNCTION purge_hostile.count() RETURNS bigint LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile count()'; END $$;
SET search_path = purge_hostile, pg_catalog;
CALL dtmodel.purge('purge_misuse.users');
RESET search_path;
SELECT string_agg(id::text, ' ' ORDER BY id) AS users FROM purge_misuse.users;

DROP SCHEMA purge_hostile CASCADE;
DROP SCHEMA purge_misuse CASCADE;
DROP ROLE purge_owner, purge_user;
