--
-- a foreign key that is NOT ENFORCED (since PostgreSQL 18) has no effect: no
-- deletion follows it, and no restore is refused because of it
--
SELECT current_setting('server_version_num')::int < 180000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA foreign_keys_unenforced;
SET search_path = foreign_keys_unenforced;

CREATE TABLE teams (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE NOT ENFORCED);
SELECT dtmodel.add_soft_delete('teams'), dtmodel.add_soft_delete('users');
RESET client_min_messages;
INSERT INTO teams VALUES (1);
INSERT INTO users VALUES (1, 1), (2, 2);
DELETE FROM teams;
SELECT id, is_deleted FROM users ORDER BY id;
DELETE FROM users;
SELECT r.id, r.is_deleted FROM users, dtmodel.restore(users) AS r ORDER BY id;
SELECT dtmodel.require_live_parent('users', 'team');
\echo :SQLSTATE

-- once it is enforced, it is like any other
DELETE FROM users WHERE id = 1;
CALL dtmodel.purge('users', older_than => '0');
UPDATE users SET team = 1;
ALTER TABLE users ALTER CONSTRAINT users_team_fkey ENFORCED;
SELECT id, is_deleted FROM dtmodel.restore(NULL::teams, 1);
DELETE FROM teams;
SELECT id, team, is_deleted FROM users;
SELECT id FROM dtmodel.restore(NULL::users, 2);
\echo :SQLSTATE

SET client_min_messages = warning;
DROP SCHEMA foreign_keys_unenforced CASCADE;
