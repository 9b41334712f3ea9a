--
-- foreign keys do not cover inheriting tables: neither do cascades, RESTRICT, restores and live parents
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA foreign_key_only;
SET search_path = foreign_key_only;
\set VERBOSITY sqlstate

CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE);
CREATE TABLE drafts (PRIMARY KEY (id)) INHERITS (posts);
CREATE TABLE bills (id int PRIMARY KEY, payer int REFERENCES users ON DELETE RESTRICT);
CREATE TABLE reminders (PRIMARY KEY (id)) INHERITS (bills);
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.add_soft_delete('bills');

-- a row of a table that inherits from the child is not a child: not for a cascade, not for RESTRICT
INSERT INTO users VALUES (1), (2);
INSERT INTO posts VALUES (1, 1);
INSERT INTO drafts VALUES (2, 1);
INSERT INTO reminders VALUES (1, 1);
BEGIN;
DELETE FROM users WHERE id = 1;
SELECT id, is_deleted FROM users ORDER BY id;
SELECT tableoid::regclass, id, is_deleted FROM posts ORDER BY id;
UPDATE drafts SET is_deleted = true;
COMMIT;
INSERT INTO bills VALUES (2, 2);
UPDATE users SET is_deleted = true WHERE id = 2;
-- as it is for the foreign key itself
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM users WHERE id = 1;
SELECT tableoid::regclass, id, is_deleted FROM posts ORDER BY id;
ROLLBACK;
-- nor for a restore, although it was deleted in the same transaction
SELECT (dtmodel.restore(NULL::users, 1)).id;
SELECT tableoid::regclass, id, is_deleted FROM posts ORDER BY id;

-- a row of a table that inherits from the parent is not a parent: a live one does not replace a deleted one
CREATE TABLE guests () INHERITS (users);
SELECT dtmodel.add_soft_delete('users');
DELETE FROM ONLY users WHERE id = 1;
INSERT INTO guests VALUES (1);
SELECT (dtmodel.restore(NULL::posts, 1)).id;
SELECT dtmodel.require_live_parent('posts', 'author');
INSERT INTO posts VALUES (3, 1);
-- and a deleted one does not replace a live one
DELETE FROM guests;
INSERT INTO guests VALUES (2);
DELETE FROM guests;
INSERT INTO posts VALUES (3, 2);
SELECT tableoid::regclass, id, author, is_deleted FROM posts ORDER BY id;

-- partitions are covered on both sides
CREATE TABLE accounts (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES IN (1, 2);
CREATE TABLE bookings (id int, account int REFERENCES accounts ON DELETE CASCADE) PARTITION BY LIST (id);
CREATE TABLE bookings_1 PARTITION OF bookings FOR VALUES IN (1, 2);
SELECT dtmodel.add_soft_delete('accounts');
SELECT dtmodel.add_soft_delete('bookings');
INSERT INTO accounts VALUES (1), (2);
INSERT INTO bookings VALUES (1, 1), (2, 2);
DELETE FROM accounts WHERE id = 1;
SELECT id, is_deleted FROM bookings ORDER BY id;
UPDATE bookings SET is_deleted = false;
UPDATE accounts SET is_deleted = false;
SELECT id, is_deleted FROM bookings ORDER BY id;

DROP SCHEMA foreign_key_only CASCADE;
