--
-- history: erasing a row with its past, and purging old versions
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_erase;
SET search_path = history_erase;

CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_soft_delete('users', hide => true), dtmodel.add_history('users');
CREATE VIEW versions AS SELECT id, count(*) FROM users_history GROUP BY id ORDER BY id;
INSERT INTO users SELECT i, 'n' || i FROM generate_series(1, 5) AS i;
UPDATE users SET name = name || '!';
UPDATE users SET name = name || '?' WHERE id <= 3;
DELETE FROM users WHERE id = 2;
TABLE versions;

-- the row, all of its versions and nothing else; also of a deleted row, of one that is gone, of none
SELECT dtmodel.erase(NULL::users, 1);
SELECT dtmodel.erase(NULL::users, '2');
SELECT (dtmodel.delete(NULL::users, 3, soft => false)).id;
SELECT dtmodel.erase(NULL::users, 3::bigint);
SELECT dtmodel.erase(NULL::users, 3), dtmodel.erase(NULL::users, NULL::int), dtmodel.erase(NULL::users, 99);
TABLE versions;
SELECT id FROM users ORDER BY id;
SELECT count(*) FROM dtmodel.history(NULL::users, 1);
SELECT DISTINCT key FROM dtmodel.changes(NULL::users, NULL);

-- in the transaction that wrote it, and rolled back
BEGIN;
INSERT INTO users VALUES (6, 'six');
SELECT dtmodel.erase(NULL::users, 6);
UPDATE users SET name = 'x';
SELECT dtmodel.erase(NULL::users, 4);
TABLE versions;
ROLLBACK;
TABLE versions;
SELECT id, name FROM users ORDER BY id;

-- a row that another one references stays, with its past
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users);
INSERT INTO posts VALUES (1, 4);
\set VERBOSITY terse
SELECT dtmodel.erase(NULL::users, 4);
\echo :SQLSTATE
\set VERBOSITY default
TABLE versions;
-- a row that is deleted with it keeps its past
DROP TABLE posts;
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE);
SELECT dtmodel.add_timestamps('posts'), dtmodel.add_history('posts');
INSERT INTO posts VALUES (1, 4);
SELECT dtmodel.erase(NULL::users, 4);
SELECT count(*) FROM posts;
SELECT operation FROM dtmodel.history(NULL::posts, 1);
SELECT dtmodel.erase(NULL::posts, 1);
-- a trigger that prevents it
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION keep();
SELECT dtmodel.erase(NULL::users, 5);
\echo :SQLSTATE
TABLE versions;
DROP TRIGGER keep ON users;

-- a composite key, partitions, tables that inherit, without soft delete
CREATE TABLE parted (id int, k int, name text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('parted'), dtmodel.add_history('parted');
INSERT INTO parted VALUES (1, 1, 'a'), (1, 2, 'b');
UPDATE parted SET name = name || '!';
SELECT dtmodel.erase(NULL::parted, '{"id": 1, "k": 2}'::jsonb);
SELECT id, k FROM parted;
SELECT id, k FROM parted_history;
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps('base'), dtmodel.add_history('base');
INSERT INTO child VALUES (1, 'one', 'e'), (2, 'two', 'f');
UPDATE base SET name = name || '!';
UPDATE child SET extra = 'g';
SELECT dtmodel.erase(NULL::base, 1), dtmodel.erase(NULL::child, 2);
SELECT count(*) FROM child;
SELECT count(*) FROM base_history;

-- versions by age: none is old enough
SET client_min_messages = notice;
CALL dtmodel.purge_history('users', '1 hour');
CALL dtmodel.purge_history('users', '0', dry_run => true);
BEGIN;
CALL dtmodel.purge_history('users', '0', dry_run => true);
COMMIT;
INSERT INTO users SELECT i, 'n' || i FROM generate_series(10, 34) AS i;
UPDATE users SET name = name || '!' WHERE id >= 10;
DELETE FROM users WHERE id >= 30;
SELECT count(*) FROM users_history;
-- in batches
CALL dtmodel.purge_history('users', '0', batch_size => 7);
SELECT count(*) FROM users_history;
SET dtmodel.with_deleted = on;
SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM users;
RESET dtmodel.with_deleted;
SELECT operation, (version).name FROM dtmodel.history(NULL::users, 34);
-- only those that ended before
UPDATE users SET name = 'old' WHERE id = 10;
UPDATE users_history SET valid_from = valid_from - interval '3 days', valid_to = valid_to - interval '3 days';
UPDATE users SET name = 'young' WHERE id = 10;
CALL dtmodel.purge_history('users', '2 days');
SELECT name FROM users_history;
-- of partitions and of tables that inherit
CALL dtmodel.purge_history('parted', '0');
INSERT INTO child VALUES (3, 'three', 'e');
INSERT INTO base VALUES (4, 'four');
UPDATE base SET name = name || '!';
CALL dtmodel.purge_history('base', '0');
SELECT count(*) FROM base_history;

-- SELECT of all columns will do
CREATE ROLE history_erase_reader;
GRANT USAGE ON SCHEMA history_erase TO history_erase_reader;
CREATE TABLE granted (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('granted'), dtmodel.add_history('granted');
INSERT INTO granted VALUES (1, 1), (2, 1);
UPDATE granted SET v = 2;
GRANT SELECT (id, v, created_at, updated_at), DELETE, TRUNCATE ON granted TO history_erase_reader;
GRANT SELECT, DELETE, TRUNCATE ON granted_history TO history_erase_reader;
SET ROLE history_erase_reader;
SELECT dtmodel.erase(NULL::granted, 1);
RESET ROLE;
REVOKE SELECT (v) ON granted FROM history_erase_reader;
SET ROLE history_erase_reader;
SELECT dtmodel.erase(NULL::granted, 2);
\echo :SQLSTATE
RESET ROLE;
SELECT id, v FROM granted_history;
DROP OWNED BY history_erase_reader;
DROP ROLE history_erase_reader;

\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA history_erase CASCADE;
