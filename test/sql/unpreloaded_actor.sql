--
-- a value that was set before the library was loaded has no effect if it would have been refused
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE ROLE unpreloaded_actor_user;
CREATE SCHEMA unpreloaded_actor;
GRANT USAGE ON SCHEMA unpreloaded_actor TO unpreloaded_actor_user;
CREATE TABLE unpreloaded_actor.posts (id int);
SELECT dtmodel.add_audit('unpreloaded_actor.posts');
GRANT SELECT, INSERT ON unpreloaded_actor.posts TO unpreloaded_actor_user;
CREATE FUNCTION unpreloaded_actor.add(int) RETURNS text LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS 'INSERT INTO unpreloaded_actor.posts VALUES ($1) RETURNING created_by';
SELECT current_database() AS db \gset

-- without a lock it is used
\c -
SET ROLE unpreloaded_actor_user;
SET dtmodel.actor = 'ann';
INSERT INTO unpreloaded_actor.posts VALUES (1) RETURNING created_by;

-- with a lock it is not
RESET ROLE;
ALTER DATABASE :"db" SET dtmodel.actor_locked = on;
\c -
SET ROLE unpreloaded_actor_user;
SET dtmodel.actor = 'the boss';
INSERT INTO unpreloaded_actor.posts VALUES (2) RETURNING created_by;
SHOW dtmodel.actor;
SHOW dtmodel.actor_locked;

-- nor if a function loads the library whose owner has the privilege
\c -
SET ROLE unpreloaded_actor_user;
SET dtmodel.actor = 'the boss';
SELECT unpreloaded_actor.add(3);
SHOW dtmodel.actor;

-- only a superuser can unlock before loading
\c -
SET ROLE unpreloaded_actor_user;
SET dtmodel.actor_locked = off;
SET dtmodel.actor = 'the boss';
INSERT INTO unpreloaded_actor.posts VALUES (4) RETURNING created_by;

-- nor has a value from the connection's options
\c -reuse-previous=on "options='-c dtmodel.actor=boss'"
SHOW dtmodel.actor;
SET ROLE unpreloaded_actor_user;
INSERT INTO unpreloaded_actor.posts VALUES (5) RETURNING created_by;
RESET ROLE;
ALTER DATABASE :"db" RESET dtmodel.actor_locked;

-- the same for other switches
\c -reuse-previous=on "options=''"
SET ROLE unpreloaded_actor_user;
SET dtmodel.preserve_timestamps = on;
INSERT INTO unpreloaded_actor.posts VALUES (6, 'forged', 'forged') RETURNING created_by;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA unpreloaded_actor CASCADE;
DROP ROLE unpreloaded_actor_user;
