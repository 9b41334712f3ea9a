--
-- removing soft delete, or changing its flag, if deleted rows are hidden
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA remove_hidden;
SET search_path = remove_hidden;

CREATE TABLE posts (id int PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('posts', hide => true);
INSERT INTO posts VALUES (1, 'live'), (2, 'deleted');
DELETE FROM posts WHERE id = 2;

-- deleted rows would be live again
SELECT dtmodel.remove_soft_delete('posts', drop_columns => true);
\echo :SQLSTATE
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT count(*) FROM posts WHERE NOT is_deleted;

-- if the columns are kept, the rows stay deleted
BEGIN;
SELECT dtmodel.remove_soft_delete('posts');
SELECT id, v, is_deleted FROM posts ORDER BY id;
ROLLBACK;

-- after the rows are deleted physically, the columns can be dropped
CALL dtmodel.purge('posts', '0');
SELECT dtmodel.remove_soft_delete('posts', drop_columns => true);
SELECT * FROM posts;

-- another flag: rows that are deleted by the old flag and live by the new one
CREATE TABLE users (id int PRIMARY KEY, active boolean NOT NULL DEFAULT true);
SELECT dtmodel.add_soft_delete('users', hide => true);
INSERT INTO users VALUES (1), (2);
DELETE FROM users WHERE id = 2;
SELECT dtmodel.add_soft_delete('users', flag => 'active', flag_means => 'live', hide => true);
\echo :SQLSTATE
SELECT id FROM users WHERE deleted_at IS NULL;

-- unique_live treats hidden rows like other deleted rows: they do not count
CREATE TABLE tags (id int PRIMARY KEY, name text);
SELECT dtmodel.add_soft_delete('tags', hide => true);
INSERT INTO tags VALUES (1, 'a'), (2, 'a');
DELETE FROM tags WHERE id = 2;
SELECT dtmodel.unique_live('tags', 'name');
INSERT INTO tags VALUES (3, 'a');
\echo :SQLSTATE

DROP SCHEMA remove_hidden CASCADE;
