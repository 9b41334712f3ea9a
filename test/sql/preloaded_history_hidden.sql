--
-- the past of a model whose deleted rows are hidden
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_hidden;
SET search_path = history_hidden, pg_catalog;
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_soft_delete('users'), dtmodel.add_history('users');
CREATE TABLE moments (moment int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
INSERT INTO moments VALUES (1);
DELETE FROM users WHERE id = 1;
INSERT INTO moments VALUES (2);
SELECT name FROM dtmodel.restore(NULL::users, 1);
UPDATE users SET name = upper(name);
INSERT INTO moments VALUES (3);
DELETE FROM users WHERE id = 2;
INSERT INTO moments VALUES (4);
SELECT moment, u.id, u.name, u.is_deleted FROM moments, users_as_of(at) AS u ORDER BY 1, 2;
SELECT dtmodel.add_soft_delete('users', hide => true);
SELECT moment, u.id, u.name, u.is_deleted FROM moments, users_as_of(at) AS u ORDER BY 1, 2;
SET dtmodel.with_deleted = on;
SELECT moment, u.id, u.name, u.is_deleted FROM moments, users_as_of(at) AS u ORDER BY 1, 2;
RESET dtmodel.with_deleted;
SET dtmodel.rewrite = off;
SELECT count(*) FROM moments, users_as_of(at) AS u;
RESET dtmodel.rewrite;
SELECT dtmodel.remove_soft_delete('users');
SELECT count(*) FROM moments, users_as_of(at) AS u;

-- versions that are older than the columns of soft delete were live
CREATE TABLE pages (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('pages'), dtmodel.add_history('pages');
INSERT INTO pages VALUES (1, 'old'), (2, 'stays');
INSERT INTO moments VALUES (5);
UPDATE pages SET title = 'new' WHERE id = 1;
SELECT dtmodel.add_soft_delete('pages', hide => true);
UPDATE pages SET title = 'newest' WHERE id = 1;
SELECT id, title FROM moments, pages_as_of(at) WHERE moment = 5 ORDER BY id;
BEGIN;
SELECT set_config('dtmodel.as_of', (SELECT at::text FROM moments WHERE moment = 5), true) IS NOT NULL AS set;
SELECT id, title FROM pages ORDER BY id;
COMMIT;
DROP SCHEMA history_hidden CASCADE;
