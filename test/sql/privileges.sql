--
-- with the caller's privileges only: roles, column grants, row-level security
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE privileges_owner;
CREATE ROLE privileges_user;
CREATE SCHEMA privileges AUTHORIZATION privileges_owner;
GRANT USAGE ON SCHEMA privileges TO privileges_user;
SET search_path = privileges;

SET ROLE privileges_owner;
CREATE TABLE posts (id int PRIMARY KEY, title text, secret text);
SELECT dtmodel.add_model('posts');
SELECT dtmodel.add_soft_delete('posts');
INSERT INTO posts SELECT i, 'post ' || i, 'secret' FROM generate_series(1, 20) AS i;
CREATE VIEW state AS
    SELECT count(*) AS rows, string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE is_deleted) AS deleted,
           bool_and(is_deleted = (deleted_at IS NOT NULL)) AS in_step
    FROM posts;

-- a soft DELETE needs the DELETE privilege and no other, and fails without it
SET ROLE privileges_user;
DELETE FROM posts;
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::posts, 1);
\echo :SQLSTATE
SET ROLE privileges_owner;
GRANT DELETE ON posts TO privileges_user;
SET ROLE privileges_user;
BEGIN;
DELETE FROM posts;
RESET ROLE;
SELECT rows, in_step, array_length(string_to_array(deleted, ' '), 1) AS deleted FROM state;
ROLLBACK;
SET ROLE privileges_user;
SELECT id FROM posts;
\echo :SQLSTATE
UPDATE posts SET is_deleted = true;
\echo :SQLSTATE
DELETE FROM posts RETURNING secret;
\echo :SQLSTATE

-- the functions return rows, so they need to read them
SELECT dtmodel.soft_delete(NULL::posts, 1);
\echo :SQLSTATE
SELECT dtmodel.restore(NULL::posts, 1);
\echo :SQLSTATE
SET ROLE privileges_owner;
GRANT SELECT (id, title, is_deleted) ON posts TO privileges_user;
SET ROLE privileges_user;
SELECT dtmodel.soft_delete(NULL::posts, 1);
\echo :SQLSTATE
DELETE FROM posts WHERE id = 1;
DELETE FROM posts WHERE secret = 'secret';
\echo :SQLSTATE
SET ROLE privileges_owner;
GRANT SELECT ON posts TO privileges_user;
SET ROLE privileges_user;
SELECT (dtmodel.soft_delete(NULL::posts, 2)).id;
SELECT dtmodel.restore(NULL::posts, 2);
\echo :SQLSTATE
SET ROLE privileges_owner;
GRANT UPDATE (is_deleted, deleted_at) ON posts TO privileges_user;
SET ROLE privileges_user;
SELECT (dtmodel.restore(NULL::posts, 2)).id;
UPDATE posts SET is_deleted = true WHERE id = 3;
UPDATE posts SET title = 'mine' WHERE id = 4;
\echo :SQLSTATE
TABLE state;
\echo :SQLSTATE
RESET ROLE;
TABLE state;

-- column grants: updated_at changes even if the caller cannot write it
SET ROLE privileges_owner;
GRANT UPDATE (title), INSERT (id, title) ON posts TO privileges_user;
SET ROLE privileges_user;
UPDATE posts SET title = 'mine' WHERE id = 4 RETURNING updated_at = now() AS moved;
UPDATE posts SET updated_at = now() WHERE id = 4;
\echo :SQLSTATE
INSERT INTO posts (id, title) VALUES (21, 'mine') RETURNING created_at = now() AS created;
INSERT INTO posts (id, created_at) VALUES (22, now());
\echo :SQLSTATE

-- physical deletion only with TRUNCATE in addition
SET dtmodel.hard_delete = on;
DELETE FROM posts WHERE id = 5;
\echo :SQLSTATE
SELECT (dtmodel.soft_delete(NULL::posts, 5)).id;
SET ROLE privileges_owner;
GRANT TRUNCATE ON posts TO privileges_user;
SET ROLE privileges_user;
DELETE FROM posts WHERE id IN (5, 6) RETURNING id;
RESET dtmodel.hard_delete;
RESET ROLE;
SELECT rows, in_step FROM state;

-- row-level security: policies of DELETE decide, policies of UPDATE do not matter
SET ROLE privileges_owner;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON posts FOR SELECT USING (NOT is_deleted);
CREATE POLICY remove ON posts FOR DELETE USING (id <= 15);
CREATE POLICY change ON posts FOR UPDATE USING (id < 10) WITH CHECK (NOT is_deleted);
SET ROLE privileges_user;
SELECT min(id), max(id) FROM posts;
DELETE FROM posts WHERE id IN (7, 12, 17);
SELECT count(*) FROM posts WHERE id IN (7, 12, 17);
DELETE FROM posts WHERE id = 7;
SELECT r.id, r.is_deleted, r.secret FROM dtmodel.soft_delete(NULL::posts, 8) AS r;
SELECT dtmodel.soft_delete(NULL::posts, 18) IS NULL AS policy_of_delete;
SELECT dtmodel.soft_delete(NULL::posts, 8) IS NULL AS unseen, dtmodel.restore(NULL::posts, 8) IS NULL AS unseen;
UPDATE posts SET is_deleted = true WHERE id = 9;
\echo :SQLSTATE
RESET ROLE;
TABLE state;

-- forced for the owner as well
SET ROLE privileges_owner;
ALTER TABLE posts FORCE ROW LEVEL SECURITY;
DELETE FROM posts WHERE id IN (13, 19);
SELECT count(*) FROM posts WHERE id IN (13, 19);
ALTER TABLE posts NO FORCE ROW LEVEL SECURITY;
TABLE state;
ALTER TABLE posts DISABLE ROW LEVEL SECURITY;

-- triggers of the table run as the caller, SECURITY DEFINER functions as their owner
CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE WARNING '% as %', TG_OP, current_user; RETURN NEW; END $$;
CREATE TRIGGER who BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION who();
CREATE FUNCTION remove(int) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'DELETE FROM privileges.posts WHERE id = $1';
SET ROLE privileges_user;
DELETE FROM posts WHERE id = 14;
SELECT remove(15);
RESET ROLE;
TABLE state;

-- every role can call the functions, but not write to the templates
CREATE ROLE privileges_other;
SET ROLE privileges_other;
SELECT dtmodel.uuidv7() IS NOT NULL AS id, dtmodel.table_name('User');
SELECT count(*) FROM dtmodel.models WHERE model::text = 'privileges.posts';
INSERT INTO dtmodel.model_base DEFAULT VALUES;
\echo :SQLSTATE
RESET ROLE;

DROP SCHEMA privileges CASCADE;
DROP ROLE privileges_owner, privileges_user, privileges_other;
