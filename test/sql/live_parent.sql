--
-- require_live_parent: a live row needs a live parent
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA live_parent;
CREATE SCHEMA "Other Schema";
SET search_path = live_parent;

CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_soft_delete('users');
CREATE TABLE posts (id int PRIMARY KEY, author_id int CONSTRAINT fk_author REFERENCES users ON UPDATE CASCADE, title text);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 9) AS i;
RESET client_min_messages;

SELECT dtmodel.require_live_parent('posts', 'author_id');
SELECT dtmodel.require_live_parent('posts', 'author_id');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'posts'::regclass AND NOT tgisinternal ORDER BY tgname;

-- a live row with a live parent, without one, and with a deleted one
INSERT INTO posts VALUES (1, 1), (2, 2), (3, NULL);
DELETE FROM users WHERE id = 2;
INSERT INTO posts VALUES (4, 2);
\echo :SQLSTATE
UPDATE posts SET author_id = 2 WHERE id = 1;
\echo :SQLSTATE
INSERT INTO posts VALUES (4, 99);
\echo :SQLSTATE

-- a row that keeps its parent can change, and can change to no parent
UPDATE posts SET title = 'changed', author_id = author_id;
UPDATE posts SET author_id = 1 WHERE id = 2;
SELECT id, author_id, title FROM posts ORDER BY id;

-- ON CONFLICT DO NOTHING checks nothing if it writes nothing
INSERT INTO posts VALUES (1, 2) ON CONFLICT DO NOTHING;
INSERT INTO posts VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET title = excluded.title;
INSERT INTO posts VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET author_id = 2;
\echo :SQLSTATE

-- the row is checked as a user's trigger has changed it
CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.author_id := 2; RETURN NEW; END $$;
CREATE TRIGGER zzz_move BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION move();
INSERT INTO posts VALUES (4, 1);
\echo :SQLSTATE
DROP TRIGGER zzz_move ON posts;

-- the parent's key changes: the foreign key follows it, deleted or not
INSERT INTO posts VALUES (4, 3), (5, 4);
UPDATE users SET is_deleted = true WHERE id = 3;
UPDATE users SET id = id + 100 WHERE id IN (3, 4);
SELECT id, author_id FROM posts WHERE id IN (4, 5) ORDER BY id;

-- the child has soft delete too: a deleted row can have any parent, but cannot be restored there
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts');
RESET client_min_messages;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
UPDATE users SET is_deleted = false WHERE id = 103;
SELECT dtmodel.require_live_parent('posts', 'author_id');
SELECT dtmodel.describe('posts') -> 'live_parents' AS live_parents, dtmodel.describe('posts') -> 'drift' AS drift;
INSERT INTO posts (id, author_id, is_deleted, deleted_at) VALUES (6, 2, true, '2001-01-01'), (7, 2, true, '2001-01-01');
DELETE FROM posts WHERE id = 5;
DELETE FROM users WHERE id = 104;
SELECT dtmodel.restore(NULL::posts, 5);
\echo :SQLSTATE
UPDATE posts SET is_deleted = false WHERE id = 6;
\echo :SQLSTATE
UPDATE posts SET deleted_at = NULL WHERE id = 7;
\echo :SQLSTATE
SELECT (dtmodel.restore(NULL::users, 104)).id;
SELECT (dtmodel.restore(NULL::posts, 5)).author_id;

-- columns and tables are renamed, and nothing has to be called
ALTER TABLE posts RENAME COLUMN author_id TO "Writer; id";
ALTER TABLE posts RENAME CONSTRAINT fk_author TO fk_writer;
ALTER TABLE posts RENAME COLUMN is_deleted TO gone;
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts', flag => 'gone');
RESET client_min_messages;
ALTER TABLE users RENAME COLUMN id TO "User id";
ALTER TABLE users RENAME TO "The users";
ALTER TABLE "The users" SET SCHEMA "Other Schema";
INSERT INTO posts VALUES (8, 2);
\echo :SQLSTATE
SELECT dtmodel.require_live_parent('posts', 'Writer; id');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'posts'::regclass AND tgname ~ 'live_parent' ORDER BY tgname;

-- the parent loses its soft delete, and gets it again
SET client_min_messages = warning;
SELECT dtmodel.remove_soft_delete('"Other Schema"."The users"');
INSERT INTO posts VALUES (8, 2);
DELETE FROM posts WHERE id = 8;
SELECT dtmodel.add_soft_delete('"Other Schema"."The users"');
INSERT INTO posts VALUES (9, 2);
\echo :SQLSTATE
RESET client_min_messages;

-- several keys, one of them with two columns, and a tree
SET client_min_messages = warning;
CREATE TABLE docs (tenant bigint, number bigint, PRIMARY KEY (number, tenant));
SELECT dtmodel.add_soft_delete('docs', flag => NULL);
CREATE TABLE notes (
    id int PRIMARY KEY, tenant int, doc int, reviewer int REFERENCES "Other Schema"."The users",
    parent int REFERENCES notes,
    FOREIGN KEY (doc, tenant) REFERENCES docs (number, tenant));
SELECT dtmodel.add_soft_delete('notes', flag => 'is_active', flag_means => 'live');
RESET client_min_messages;
SELECT dtmodel.require_live_parent('notes', 'tenant', 'doc');
SELECT dtmodel.require_live_parent('notes', 'doc', 'tenant');
SELECT dtmodel.require_live_parent('notes', 'reviewer');
SELECT dtmodel.require_live_parent('notes', 'parent');
INSERT INTO docs VALUES (1, 1), (1, 2);
DELETE FROM docs WHERE number = 2;
INSERT INTO notes VALUES (1, 1, 1, 1), (2, 1, NULL, NULL), (3, NULL, 2, NULL);
INSERT INTO notes VALUES (4, 1, 2);
\echo :SQLSTATE
INSERT INTO notes VALUES (4, 1, 1, 2);
\echo :SQLSTATE
INSERT INTO notes (id, parent) VALUES (10, 10), (12, 11), (11, 10);
UPDATE notes SET is_active = false WHERE id >= 10;
INSERT INTO notes (id, parent) VALUES (13, 12);
\echo :SQLSTATE
UPDATE notes SET is_active = true WHERE id = 12;
\echo :SQLSTATE
UPDATE notes SET is_active = true WHERE id >= 10;
SELECT count(*) FROM notes WHERE is_active;

-- removed
SELECT dtmodel.remove_live_parent('notes', 'doc', 'tenant');
SELECT dtmodel.remove_live_parent('notes', 'doc', 'tenant');
INSERT INTO notes VALUES (4, 1, 2);

-- partitioned tables on both sides
SET client_min_messages = warning;
CREATE TABLE accounts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES FROM (0) TO (10);
CREATE TABLE accounts_2 PARTITION OF accounts FOR VALUES FROM (10) TO (20);
SELECT dtmodel.add_soft_delete('accounts');
CREATE TABLE bookings (account int REFERENCES accounts, day int, id int) PARTITION BY LIST (day);
CREATE TABLE bookings_1 (id int, day int, account int);
ALTER TABLE bookings ATTACH PARTITION bookings_1 FOR VALUES IN (1);
SELECT dtmodel.require_live_parent('bookings', 'account');
CREATE TABLE bookings_2 PARTITION OF bookings FOR VALUES IN (2);
INSERT INTO accounts VALUES (1), (2), (11), (12);
DELETE FROM accounts WHERE id IN (2, 12);
INSERT INTO bookings VALUES (1, 1, 1), (11, 2, 2);
INSERT INTO bookings VALUES (2, 1, 3);
\echo :SQLSTATE
INSERT INTO bookings_2 VALUES (12, 2, 3);
\echo :SQLSTATE
UPDATE bookings SET day = 3 - day;
UPDATE bookings SET account = 12;
\echo :SQLSTATE

DROP SCHEMA live_parent CASCADE;
DROP SCHEMA "Other Schema" CASCADE;
