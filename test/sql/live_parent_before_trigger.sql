--
-- require_live_parent: the row is checked as BEFORE triggers have changed it, and only once
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA before_trigger;
SET search_path = before_trigger;

CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('users');
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users, note text);
INSERT INTO users VALUES (1), (2), (3);
INSERT INTO posts VALUES (1, 1), (2, NULL), (3, 3);
DELETE FROM users WHERE id = 2;
RESET client_min_messages;

SELECT dtmodel.require_live_parent('posts', 'author');
SELECT dtmodel.require_live_parent('posts', 'author');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'posts'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;

-- a trigger changes the key in an UPDATE of another column
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE NEW.note
        WHEN 'move' THEN NEW.author := 2;
        WHEN 'leave' THEN NEW.author := NULL;
        ELSE NULL;
    END CASE;
    RETURN NEW;
END
$$;
CREATE TRIGGER act BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION act();
UPDATE posts SET note = 'move' WHERE id = 1;
\echo :SQLSTATE
UPDATE posts SET note = 'move' WHERE id = 2;
\echo :SQLSTATE
UPDATE posts SET note = 'leave' WHERE id = 3;
UPDATE posts SET note = 'stay', author = author;
INSERT INTO posts VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET note = 'move';
\echo :SQLSTATE
SELECT * FROM posts ORDER BY id;
DROP TRIGGER act ON posts;

-- a trigger restores the row
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts');
RESET client_min_messages;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
CREATE FUNCTION revive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.note = 'revive' THEN
        NEW.is_deleted := false;
        NEW.deleted_at := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER revive BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION revive();
INSERT INTO posts (id, author, is_deleted, deleted_at) VALUES (4, 2, true, now()), (5, 1, true, now());
UPDATE posts SET note = 'revive' WHERE id = 4;
\echo :SQLSTATE
UPDATE posts SET note = 'revive' WHERE id = 5;
SELECT id, author, note, is_deleted FROM posts ORDER BY id;
-- a deleted row can refer to any row, and a row that is being deleted is not checked
UPDATE posts SET author = 2 WHERE id = 4;
UPDATE posts SET author = 2, is_deleted = true WHERE id = 1;
DROP TRIGGER revive ON posts;

-- how often the parent is read: once for each row that must be checked, and not for others
CREATE FUNCTION looks(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_stat_get_xact_numscans('users_pkey'::regclass);
BEGIN
    EXECUTE statement;
    RETURN pg_stat_get_xact_numscans('users_pkey'::regclass) - before;
END
$$;
-- the foreign key's own check is counted too, if there is one
CREATE TABLE plain (id int PRIMARY KEY, author int REFERENCES users, note text, is_deleted boolean);
INSERT INTO plain VALUES (1, 1), (2, 1);
SET enable_seqscan = off;
SELECT statement, looks(format(statement, 'posts')) - looks(format(statement, 'plain')) AS looks
FROM unnest(ARRAY['INSERT INTO %I (id, author) VALUES (10, 1), (11, 1), (12, NULL)',
                  'UPDATE %I SET note = ''changed'' WHERE id = 10',
                  'UPDATE %I SET author = author WHERE id = 10',
                  'UPDATE %I SET author = 3 WHERE id = 10',
                  'UPDATE %I SET author = 3, note = ''changed'' WHERE id = 11',
                  'UPDATE %I SET author = NULL WHERE id = 11',
                  'UPDATE %I SET is_deleted = true WHERE id = 10',
                  'UPDATE %I SET author = 1 WHERE id = 10']) WITH ORDINALITY AS s (statement, n)
ORDER BY n;
RESET enable_seqscan;
UPDATE posts SET is_deleted = false WHERE id = 10;

-- the key's columns and the time are renamed, and nothing has to be called
ALTER TABLE posts RENAME COLUMN author TO "The author";
ALTER TABLE posts RENAME COLUMN deleted_at TO removed;
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts', deleted_at => 'removed');
RESET client_min_messages;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
UPDATE posts SET "The author" = 2 WHERE id = 12;
\echo :SQLSTATE
-- another column for the time, no soft delete, and none of its columns
SELECT dtmodel.remove_soft_delete('posts');
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
UPDATE posts SET "The author" = 2 WHERE id = 12;
\echo :SQLSTATE
DELETE FROM posts WHERE is_deleted;
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('posts', flag => NULL, deleted_at => 'gone_at');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'zz_dtmodel_live_parents';
SELECT dtmodel.remove_soft_delete('posts', drop_columns => true);
RESET client_min_messages;
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'zz_dtmodel_live_parents';

-- several keys share the trigger, which is dropped with the last of them
SET client_min_messages = warning;
CREATE TABLE docs (tenant bigint, number int, PRIMARY KEY (tenant, number));
SELECT dtmodel.add_soft_delete('docs');
RESET client_min_messages;
ALTER TABLE posts ADD COLUMN tenant int, ADD COLUMN doc int,
    ADD CONSTRAINT fk_doc FOREIGN KEY (tenant, doc) REFERENCES docs;
SELECT dtmodel.require_live_parent('posts', 'doc', 'tenant');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'zz_dtmodel_live_parents';
INSERT INTO docs VALUES (1, 1), (1, 2), (2, 1);
DELETE FROM docs WHERE (tenant, number) = (1, 2);
INSERT INTO posts (id, tenant, doc) VALUES (20, 1, 1), (21, NULL, 2);
UPDATE posts SET doc = 2 WHERE id = 20;
\echo :SQLSTATE
UPDATE posts SET tenant = 1 WHERE id = 21;
\echo :SQLSTATE
UPDATE posts SET tenant = 2 WHERE id = 20;
SELECT dtmodel.remove_live_parent('posts', 'The author');
UPDATE posts SET "The author" = 2 WHERE id = 12;
\echo :SQLSTATE
UPDATE posts SET doc = 2, tenant = 1 WHERE id = 20;
\echo :SQLSTATE
SELECT dtmodel.remove_live_parent('posts', 'tenant', 'doc');
UPDATE posts SET doc = 2, tenant = 1 WHERE id = 20;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'posts'::regclass AND NOT tgisinternal ORDER BY tgname;

-- drift, and the call that removes it
DELETE FROM posts WHERE id IN (12, 20);
DELETE FROM posts WHERE "The author" = 2;
SET client_min_messages = warning;
SELECT dtmodel.require_live_parent('posts', 'The author');
RESET client_min_messages;
DROP TRIGGER zz_dtmodel_live_parents ON posts;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT dtmodel.require_live_parent('posts', 'The author');
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_live_parents;
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT dtmodel.require_live_parent('posts', 'The author');
ALTER TRIGGER zz_dtmodel_live_parents ON posts RENAME TO "other name";
SELECT dtmodel.require_live_parent('posts', 'The author');
UPDATE posts SET "The author" = 2 WHERE id = 11;
\echo :SQLSTATE
CREATE OR REPLACE TRIGGER "other name" AFTER UPDATE ON posts FOR EACH ROW
    WHEN (NEW.note IS NULL) EXECUTE FUNCTION dtmodel_internal.live_parent_update_trigger();
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
SELECT dtmodel.require_live_parent('posts', 'The author');
SELECT dtmodel.describe('posts') -> 'drift' AS drift;
-- the function cannot be called directly, nor in other triggers
SELECT dtmodel_internal.live_parent_update_trigger();
\echo :SQLSTATE
CREATE TRIGGER wrong AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.live_parent_update_trigger();
INSERT INTO posts (id) VALUES (30);
\echo :SQLSTATE
DROP TRIGGER wrong ON posts;

-- types whose equality is not in pg_catalog, and operators that are not equality
SET client_min_messages = warning;
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.equal(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR hostile.= (LEFTARG = int, RIGHTARG = int, FUNCTION = hostile.equal);
CREATE DOMAIN nickname AS varchar(20);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE people (name nickname, mood mood, birth date, PRIMARY KEY (name, mood, birth));
SELECT dtmodel.add_soft_delete('people');
INSERT INTO people VALUES ('ann', 'good', '2001-01-01'), ('ann', 'bad', '2001-01-01');
DELETE FROM people WHERE mood = 'bad';
CREATE TABLE visits (id int PRIMARY KEY, name text, mood mood, birth date, other int REFERENCES users,
    FOREIGN KEY (name, mood, birth) REFERENCES people);
SET search_path = hostile, pg_catalog, before_trigger;
SELECT dtmodel.require_live_parent('before_trigger.visits', 'name', 'mood', 'birth');
SELECT dtmodel.require_live_parent('before_trigger.visits', 'other');
SET search_path = before_trigger;
RESET client_min_messages;
INSERT INTO visits VALUES (1, 'ann', 'good', '2001-01-01', 1);
UPDATE visits SET mood = 'bad';
\echo :SQLSTATE
UPDATE visits SET other = 2;
\echo :SQLSTATE
UPDATE visits SET mood = NULL, other = 3;

-- partitions have the trigger too, and a row that moves is checked once
SET client_min_messages = warning;
CREATE TABLE bookings (id int, account int REFERENCES users, day int) PARTITION BY LIST (day);
CREATE TABLE bookings_1 (day int, id int, account int);
ALTER TABLE bookings ATTACH PARTITION bookings_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('bookings');
SELECT dtmodel.require_live_parent('bookings', 'account');
CREATE TABLE bookings_2 PARTITION OF bookings FOR VALUES IN (2);
INSERT INTO bookings VALUES (1, 1, 1), (2, 3, 2);
CREATE FUNCTION book() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.account := 2; RETURN NEW; END $$;
CREATE TRIGGER book BEFORE UPDATE ON bookings_1 FOR EACH ROW EXECUTE FUNCTION book();
RESET client_min_messages;
UPDATE bookings SET id = 3 WHERE id = 1;
\echo :SQLSTATE
UPDATE bookings SET day = 2 WHERE id = 1;
\echo :SQLSTATE
UPDATE bookings SET day = 1, id = 4 WHERE id = 2;
SELECT dtmodel.describe('bookings_1') -> 'drift', dtmodel.describe('bookings') -> 'drift';

SET client_min_messages = warning;
DROP SCHEMA before_trigger CASCADE;
DROP SCHEMA hostile CASCADE;
