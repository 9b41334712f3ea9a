--
-- history: reading, reverting and erasing what is not there or not allowed
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_read_misuse;
SET search_path = history_read_misuse;
SET timezone = 'UTC';
CREATE ROLE history_read_misuse_user;
GRANT USAGE ON SCHEMA history_read_misuse TO history_read_misuse_user;

-- a table without a history, without a key, a partition, no table
CREATE TABLE plain (id int PRIMARY KEY, name text);
SELECT * FROM dtmodel.history(NULL::plain, 1);
\echo :SQLSTATE
SELECT dtmodel.changes(NULL::plain, NULL);
SELECT dtmodel.revert(ROW(1, 'x')::plain, now());
SELECT dtmodel.revert_transaction(NULL::plain, '1');
SELECT dtmodel.erase(NULL::plain, 1);
CALL dtmodel.purge_history('plain', '1 day');
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE part PARTITION OF parted DEFAULT;
SELECT dtmodel.add_timestamps('parted'), dtmodel.add_history('parted');
SELECT * FROM dtmodel.history(NULL::part, 1);
\echo :SQLSTATE
CALL dtmodel.purge_history('part', '1 day');
SELECT * FROM dtmodel.history(1);
\echo :SQLSTATE
CREATE VIEW viewed AS SELECT * FROM plain;
SELECT dtmodel.changes(NULL::viewed, NULL);
\echo :SQLSTATE

-- arguments
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_history('users');
INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob');
UPDATE users SET name = name || '!';
SELECT * FROM dtmodel.history(NULL::users);
\echo :SQLSTATE
SELECT * FROM dtmodel.history(NULL::users, 'x');
\echo :SQLSTATE
SELECT dtmodel.revert(u, NULL) FROM users AS u;
\echo :SQLSTATE
SELECT dtmodel.revert(NULL::users, now());
\echo :SQLSTATE
SELECT dtmodel.revert(u, '2000-01-01 00:00+00') FROM users AS u WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.revert(NULL::users, 99, '2000-01-01 00:00+00');
SELECT dtmodel.revert(NULL::users, 99, NULL);
SELECT dtmodel.revert(NULL::users, NULL::int, NULL) IS NULL;
SELECT dtmodel.revert(u, '2000-01-01 00:00+00') FROM jsonb_populate_record(NULL::users, '{}') AS u;
CALL dtmodel.purge_history('users', '-1 day');
\echo :SQLSTATE
CALL dtmodel.purge_history('users', '1 day', 0);
\echo :SQLSTATE
CALL dtmodel.purge_history('users', NULL);
\echo :SQLSTATE
BEGIN;
CALL dtmodel.purge_history('users', '1 day');
\echo :SQLSTATE
ROLLBACK;

-- privileges: on the table and on its history, each as it is needed
\set VERBOSITY terse
SET ROLE history_read_misuse_user;
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON users TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
SELECT * FROM dtmodel.changes(NULL::users, NULL);
\echo :SQLSTATE
RESET ROLE;
REVOKE SELECT ON users FROM history_read_misuse_user;
GRANT SELECT ON users_history TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
SELECT * FROM dtmodel.changes(NULL::users, NULL);
\echo :SQLSTATE
RESET ROLE;
GRANT SELECT ON users TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT operation, (version).name FROM dtmodel.history(NULL::users, 1);
SELECT operation FROM dtmodel.changes(NULL::users, NULL);
SELECT dtmodel.revert(u, created_at) FROM users AS u WHERE id = 1;
\echo :SQLSTATE
SELECT dtmodel.revert_transaction(NULL::users, transaction_id) FROM users_history WHERE id = 1;
\echo :SQLSTATE
\set VERBOSITY default
SELECT dtmodel.erase(NULL::users, 1);
\echo :SQLSTATE
CALL dtmodel.purge_history('users', '0');
\echo :SQLSTATE
\set VERBOSITY terse
RESET ROLE;
GRANT UPDATE (name) ON users TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT r.name FROM users AS u, dtmodel.revert(u, created_at) AS r WHERE u.id = 1;
SELECT dtmodel.revert_transaction(NULL::users, (SELECT transaction_id FROM users_history WHERE id = 2));
\echo :SQLSTATE
SELECT dtmodel.revert_transaction(NULL::users, (SELECT transaction_id FROM users_history WHERE id = 2), true);
RESET ROLE;
DELETE FROM users WHERE id = 2;
SET ROLE history_read_misuse_user;
SELECT dtmodel.revert(h.version, h.valid_from) FROM dtmodel.history(NULL::users, 2) AS h WHERE operation = 'create';
\echo :SQLSTATE
SELECT dtmodel.revert_transaction(NULL::users, (SELECT transaction_id FROM users_history WHERE operation = 'delete'));
\echo :SQLSTATE
RESET ROLE;
GRANT DELETE, TRUNCATE ON users TO history_read_misuse_user;
REVOKE SELECT ON users FROM history_read_misuse_user;
SET ROLE history_read_misuse_user;
\set VERBOSITY default
SELECT dtmodel.erase(NULL::users, 2);
\echo :SQLSTATE
CALL dtmodel.purge_history('users', '0', dry_run => true);
RESET ROLE;
GRANT SELECT (id, name) ON users TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT dtmodel.erase(NULL::users, 2);
\echo :SQLSTATE
\set VERBOSITY terse
RESET ROLE;
GRANT SELECT ON users TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT dtmodel.erase(NULL::users, 2);
CALL dtmodel.purge_history('users', '0');
DELETE FROM users_history;
\echo :SQLSTATE
RESET ROLE;
SELECT count(*) FROM users_history;

-- policies: of the table for the present and the past, and of its history for the past
CREATE TABLE docs (id int PRIMARY KEY, owner text, body text);
SELECT dtmodel.add_timestamps('docs'), dtmodel.add_history('docs');
INSERT INTO docs VALUES (1, 'history_read_misuse_user', 'mine'), (2, 'other', 'theirs');
UPDATE docs SET body = body || '!';
UPDATE docs SET owner = 'history_read_misuse_user' WHERE id = 2;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs USING (owner = current_user);
GRANT SELECT, UPDATE, INSERT, DELETE, TRUNCATE ON docs TO history_read_misuse_user;
GRANT SELECT ON docs_history TO history_read_misuse_user;
SET ROLE history_read_misuse_user;
SELECT id, operation, changed, (version).body FROM docs, dtmodel.history(docs) ORDER BY id, valid_from;
SELECT operation, key, changes FROM dtmodel.changes(NULL::docs, NULL);
RESET ROLE;
CREATE POLICY few ON docs_history AS RESTRICTIVE USING (body <> 'mine');
SET ROLE history_read_misuse_user;
SELECT id, operation, changed, (version).body FROM docs, dtmodel.history(docs) ORDER BY id, valid_from;
SELECT operation, key, changes FROM dtmodel.changes(NULL::docs, NULL);
RESET ROLE;
DROP POLICY few ON docs_history;
SET ROLE history_read_misuse_user;
\set VERBOSITY terse
\set VERBOSITY sqlstate
SELECT dtmodel.revert(d, created_at) FROM docs AS d WHERE id = 2;
\set VERBOSITY default
SELECT r.body FROM docs AS d, dtmodel.revert(d, created_at) AS r WHERE d.id = 1;
SELECT dtmodel.erase(NULL::docs, 1);
\echo :SQLSTATE
CALL dtmodel.purge_history('docs', '0');
\echo :SQLSTATE
RESET ROLE;
SELECT count(*) FROM docs_history;

-- a history that lacks a column, or was dropped; the event trigger that prevents
-- this is disabled here
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
ALTER TABLE users_history DROP COLUMN name;
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
DROP TABLE users_history;
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
SELECT dtmodel.erase(NULL::users, 1);
\echo :SQLSTATE
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
SELECT dtmodel.remove_history('users');
SELECT * FROM dtmodel.history(NULL::users, 1);

\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA history_read_misuse CASCADE;
DROP ROLE history_read_misuse_user;
