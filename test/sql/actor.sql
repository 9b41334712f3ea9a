--
-- the actor: the current role, or the value of dtmodel.actor and the privilege to set it
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE actor_owner;
CREATE ROLE actor_user;
CREATE ROLE actor_app;
CREATE SCHEMA actor AUTHORIZATION actor_owner;
GRANT USAGE ON SCHEMA actor TO actor_user, actor_app;
SET search_path = actor;

SET ROLE actor_owner;
CREATE TABLE authors (id int PRIMARY KEY, name text);
CREATE TABLE posts (
    id int PRIMARY KEY,
    author int REFERENCES authors ON UPDATE CASCADE ON DELETE SET NULL,
    title text
);
CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, event text);
SELECT dtmodel.add_audit('authors'), dtmodel.add_audit('posts'), dtmodel.add_audit('log');
GRANT SELECT, INSERT, UPDATE, DELETE ON authors, posts TO actor_user, actor_app;

-- after SET ROLE, the role of SET ROLE
INSERT INTO authors VALUES (1, 'one') RETURNING created_by, updated_by;
SET ROLE actor_user;
UPDATE authors SET name = 'uno' RETURNING created_by, updated_by;

-- inside SECURITY DEFINER functions, the role that called them
RESET ROLE;
SET ROLE actor_owner;
CREATE FUNCTION add_post(int, text) RETURNS SETOF posts LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS 'INSERT INTO actor.posts (id, author, title) VALUES ($1, (SELECT min(id) FROM actor.authors), $2) RETURNING *';
SET ROLE actor_user;
SELECT id, created_by, updated_by FROM add_post(1, 'by a function');

-- in foreign-key actions, which run as the owner of the table, the role that caused them
UPDATE authors SET id = 2;
SELECT author, created_by, updated_by FROM posts;
SET ROLE actor_app;
DELETE FROM authors;
SELECT author, created_by, updated_by FROM posts;

-- in deferred triggers, the role that commits
RESET ROLE;
SET ROLE actor_owner;
CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$ BEGIN INSERT INTO actor.log (event) VALUES (TG_OP); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER write_log AFTER INSERT ON authors DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION write_log();
SET ROLE actor_user;
BEGIN;
INSERT INTO authors VALUES (3, 'three');
COMMIT;
SET ROLE actor_owner;
SELECT event, created_by FROM log;

-- an actor that was set is used everywhere too
SET ROLE actor_user;
SET dtmodel.actor = 'ann@example.com';
SELECT created_by FROM add_post(2, 'by ann');
BEGIN;
INSERT INTO authors VALUES (4, 'four');
COMMIT;
SET ROLE actor_owner;
SELECT event, created_by FROM log;
RESET dtmodel.actor;

-- the stamps need no privilege on the columns; everything else runs as the caller
GRANT INSERT (id), UPDATE (title) ON posts TO actor_app;
REVOKE SELECT, INSERT, UPDATE ON posts FROM actor_app;
GRANT INSERT (id), UPDATE (title), SELECT (id, updated_by) ON posts TO actor_app;
SET ROLE actor_app;
INSERT INTO posts (id) VALUES (3) RETURNING updated_by;
UPDATE posts SET title = 'by app' WHERE id = 3 RETURNING updated_by;
UPDATE posts SET updated_by = 'forged' WHERE id = 3;
\echo :SQLSTATE
SELECT created_by FROM posts;
\echo :SQLSTATE
RESET ROLE;

-- under row-level security, policies see the stamps
SET ROLE actor_owner;
GRANT SELECT, INSERT, UPDATE ON posts TO actor_app, actor_user;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON posts USING (created_by = current_user);
SET ROLE actor_app;
SELECT id, created_by FROM posts;
INSERT INTO posts (id, created_by) VALUES (4, 'actor_user') RETURNING id, created_by;
UPDATE posts SET created_by = 'actor_user', title = 'still mine' RETURNING id, created_by;
SET dtmodel.actor = 'actor_user';
INSERT INTO posts (id) VALUES (5);
\echo :SQLSTATE
RESET dtmodel.actor;
RESET ROLE;
ALTER TABLE posts DISABLE ROW LEVEL SECURITY;

--
-- locked: setting the actor needs the privilege
--
SET ROLE actor_user;
SET dtmodel.actor_locked = on;
\echo :SQLSTATE
RESET ROLE;
SET dtmodel.actor_locked = on;
SET ROLE actor_user;
SET dtmodel.actor = 'the boss';
\echo :SQLSTATE
SELECT dtmodel.set_actor('the boss');
\echo :SQLSTATE
SELECT set_config('dtmodel.actor', 'the boss', true);
\echo :SQLSTATE
ALTER ROLE actor_user SET dtmodel.actor = 'the boss';
\echo :SQLSTATE
SET dtmodel.actor_locked = off;
\echo :SQLSTATE
SHOW dtmodel.actor;

-- an empty actor needs no privilege
BEGIN;
SELECT dtmodel.set_actor(NULL), dtmodel.set_actor('');
COMMIT;
SET dtmodel.actor = '';
RESET dtmodel.actor;
INSERT INTO posts (id) VALUES (10) RETURNING created_by;

-- a function whose owner has the privilege sets the actor for its caller
RESET ROLE;
CREATE FUNCTION sign_in(token text) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT dtmodel.set_actor('holder of ' || token) $$;
SET ROLE actor_user;
BEGIN;
SELECT sign_in('x');
INSERT INTO posts (id) VALUES (11) RETURNING created_by;
COMMIT;
INSERT INTO posts (id) VALUES (12) RETURNING created_by;

-- a role that was granted the privilege has it everywhere, until it is revoked
RESET ROLE;
SELECT current_setting('server_version_num')::int >= 150000 AS can_grant \gset
\if :can_grant
GRANT SET ON PARAMETER dtmodel.actor TO actor_app;
\else
ALTER ROLE actor_app SUPERUSER;
\endif
SET ROLE actor_app;
SET dtmodel.actor = 'a user of the application';
INSERT INTO posts (id) VALUES (20) RETURNING created_by;
RESET ROLE;
\if :can_grant
REVOKE SET ON PARAMETER dtmodel.actor FROM actor_app;
\else
ALTER ROLE actor_app NOSUPERUSER;
\endif
SET ROLE actor_app;
INSERT INTO posts (id) VALUES (21);
\echo :SQLSTATE
RESET dtmodel.actor;
INSERT INTO posts (id) VALUES (21) RETURNING created_by;

-- an actor that was set before the lock is refused when it is used
RESET ROLE;
SET dtmodel.actor_locked = off;
SET ROLE actor_user;
SET dtmodel.actor = 'the boss';
RESET ROLE;
SET dtmodel.actor_locked = on;
SET ROLE actor_user;
INSERT INTO posts (id) VALUES (13);
\echo :SQLSTATE
UPDATE posts SET title = title WHERE id = 12;
RESET dtmodel.actor;
INSERT INTO posts (id) VALUES (13) RETURNING created_by;

-- superusers may set the actor, also for roles that they switch to
RESET ROLE;
SET dtmodel.actor = 'the boss';
SET ROLE actor_user;
INSERT INTO posts (id) VALUES (14) RETURNING created_by;
RESET ROLE;
RESET dtmodel.actor;
RESET dtmodel.actor_locked;

DROP SCHEMA actor CASCADE;
DROP ROLE actor_owner, actor_user, actor_app;
