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

-- triggers that were created by hand, and are not fired when they must be
SET search_path = live_parent_misuse;
CREATE TABLE fathers (id int PRIMARY KEY);
CREATE TABLE sons (id int PRIMARY KEY, a int REFERENCES fathers, b int REFERENCES fathers);
SELECT dtmodel.add_soft_delete('fathers'), dtmodel.add_soft_delete('sons'), dtmodel.require_live_parent('sons', 'a'), dtmodel.require_live_parent('sons', 'b');
CREATE FUNCTION problems(trigger text, function text, definition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TRIGGER %I ON sons', trigger);
    EXECUTE format('CREATE TRIGGER %I %s EXECUTE FUNCTION dtmodel_internal.%I()', trigger, definition, function);
    RAISE EXCEPTION USING ERRCODE = 'TH000', MESSAGE = (SELECT string_agg(d.problem, '; ') FROM dtmodel.drift('sons') AS d);
EXCEPTION WHEN SQLSTATE 'TH000' THEN
    RETURN SQLERRM;
END
$$;
SELECT definition, problems('zz_dtmodel_live_parent_a', 'live_parent_trigger', definition)
FROM unnest('{AFTER INSERT OR UPDATE OF a ON sons, BEFORE INSERT OR UPDATE OF a ON sons FOR EACH ROW, AFTER UPDATE OF a ON sons FOR EACH ROW, AFTER INSERT OR UPDATE OF a ON sons FOR EACH ROW WHEN (NEW.a > 0)}'::text[]) AS definition;
SELECT definition, problems('zz_dtmodel_live_parents', 'live_parent_update_trigger', definition)
FROM unnest('{AFTER UPDATE ON sons, BEFORE UPDATE ON sons FOR EACH ROW, AFTER INSERT ON sons FOR EACH ROW, AFTER UPDATE OF a ON sons FOR EACH ROW WHEN (NEW.a IS NOT NULL AND (OLD.a = NEW.a) IS NOT TRUE)}'::text[]) AS definition;

-- a trigger that is disabled checks nothing, and prevents no restore
INSERT INTO fathers VALUES (1), (2);
INSERT INTO sons VALUES (1, 1), (2, 1);
DELETE FROM sons WHERE id = 1;
DELETE FROM fathers WHERE id = 2;
ALTER TABLE sons DISABLE TRIGGER zz_dtmodel_live_parent_a;
UPDATE sons SET a = 2 WHERE id = 2;
UPDATE sons SET b = 2 WHERE id = 2;
\echo :SQLSTATE
UPDATE sons SET a = 2 WHERE id = 1;
SELECT dtmodel.restore(NULL::sons, 1);
ALTER TABLE sons ENABLE TRIGGER zz_dtmodel_live_parent_a;
DELETE FROM sons WHERE id = 1;
SELECT dtmodel.restore(NULL::sons, 1);
\echo :SQLSTATE
SELECT id, a, b, is_deleted FROM sons ORDER BY 1;

DROP SCHEMA live_parent_hostile CASCADE;
DROP SCHEMA live_parent_misuse CASCADE;
DROP ROLE live_parent_owner, live_parent_child, live_parent_user;
