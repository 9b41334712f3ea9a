--
-- purge: physical deletion of rows that were soft-deleted some time ago
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA purge;
SET search_path = purge;

CREATE TABLE logs (line text);
SELECT dtmodel.add_soft_delete('logs');
INSERT INTO logs SELECT 'line ' || i FROM generate_series(1, 25) AS i;
INSERT INTO logs (line, is_deleted, deleted_at) SELECT 'old ' || i, true, now() - interval '31 days' FROM generate_series(1, 25) AS i;
INSERT INTO logs (line, is_deleted, deleted_at) SELECT 'young ' || i, true, now() - interval '29 days' FROM generate_series(1, 5) AS i;
RESET client_min_messages;

-- a dry run changes nothing, and can be part of a transaction
BEGIN;
CALL dtmodel.purge('logs', dry_run => true);
COMMIT;
SELECT split_part(line, ' ', 1) AS kind, count(*) FROM logs GROUP BY kind ORDER BY kind;

-- batches, by default for rows deleted more than 30 days ago; live rows are kept
CALL dtmodel.purge('logs', batch_size => 10);
SELECT split_part(line, ' ', 1) AS kind, count(*) FROM logs GROUP BY kind ORDER BY kind;
CALL dtmodel.purge('logs', '0', batch_size => 1);
CALL dtmodel.purge('logs', '0');
SELECT split_part(line, ' ', 1) AS kind, count(*) FROM logs GROUP BY kind ORDER BY kind;

-- foreign keys: each action, with children that are purged as well, deleted later, live, or not models
SET client_min_messages = warning;
CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('users', flag => 'is_active', flag_means => 'live');
CREATE TABLE posts (id int PRIMARY KEY, user_id int CONSTRAINT fk_posts_user REFERENCES users);
SELECT dtmodel.add_soft_delete('posts', flag => NULL);
CREATE TABLE comments (id int PRIMARY KEY, post_id int CONSTRAINT fk_comments_post REFERENCES posts ON DELETE RESTRICT);
SELECT dtmodel.add_soft_delete('comments');
CREATE TABLE sessions (id int, user_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE photos (id int PRIMARY KEY, user_id int CONSTRAINT fk_photos_user REFERENCES users ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('photos');
CREATE TABLE invoices (id int, user_id int CONSTRAINT fk_invoices_user REFERENCES users);
CREATE TABLE likes (id int, user_id int REFERENCES users ON DELETE SET NULL);
CREATE TABLE badges (id int, user_id int NOT NULL CONSTRAINT fk_badges_user REFERENCES users ON DELETE SET NULL);
INSERT INTO users (id) SELECT generate_series(1, 12);
INSERT INTO sessions VALUES (1, 1), (2, 2);
INSERT INTO posts (id, user_id) VALUES (1, 1), (2, 1), (3, 3), (4, 4), (11, 11);
INSERT INTO comments (id, post_id) VALUES (1, 1), (2, 1), (4, 4);
INSERT INTO photos (id, user_id) VALUES (5, 5), (6, 6), (7, 7);
INSERT INTO invoices VALUES (8, 8), (9, 8);
INSERT INTO likes VALUES (1, 1), (9, 9);
INSERT INTO badges VALUES (10, 10);
-- 3 has a live post, 4 a post with a live comment, 5 a live photo, 6 a recently deleted one
ALTER TABLE users DISABLE TRIGGER zz_dtmodel_soft_cascade;
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_soft_cascade;
SET dtmodel.preserve_timestamps = on;
UPDATE users SET deleted_at = '2001-01-01' WHERE id < 12;
UPDATE comments SET deleted_at = '2001-01-01' WHERE id < 4;
UPDATE posts SET deleted_at = '2001-01-01' WHERE id <> 3;
UPDATE photos SET deleted_at = '2001-01-01' WHERE id = 7;
UPDATE photos SET deleted_at = now() WHERE id = 6;
RESET dtmodel.preserve_timestamps;
ALTER TABLE users ENABLE TRIGGER zz_dtmodel_soft_cascade;
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_soft_cascade;
RESET client_min_messages;
CALL dtmodel.purge('users', '1 day', dry_run => true);
CALL dtmodel.purge('users', '1 day', batch_size => 3);
SELECT string_agg(id::text, ' ' ORDER BY id) AS users FROM users;
SELECT string_agg(id::text, ' ' ORDER BY id) AS posts FROM posts;
SELECT string_agg(id::text, ' ' ORDER BY id) AS comments FROM comments;
SELECT string_agg(id::text, ' ' ORDER BY id) AS photos FROM photos;
SELECT string_agg(id::text, ' ' ORDER BY id) AS sessions FROM sessions;
SELECT id, user_id FROM likes ORDER BY id;
-- after the rows that reference them are deleted, they are purged too
DELETE FROM invoices;
DELETE FROM badges;
DELETE FROM comments;
CALL dtmodel.purge('users', '0');

-- trees and cycles that are split between batches
SET client_min_messages = warning;
CREATE TABLE tree (id int PRIMARY KEY, parent int CONSTRAINT fk_tree REFERENCES tree ON DELETE RESTRICT);
CREATE INDEX ON tree (parent);
SELECT dtmodel.add_soft_delete('tree');
CREATE TABLE leaves (id int CONSTRAINT fk_leaves REFERENCES tree);
INSERT INTO tree (id, parent, is_deleted, deleted_at) SELECT i, nullif(i - 1, 0), true, '2001-01-01' FROM generate_series(1, 30) AS i;
INSERT INTO leaves VALUES (20);
INSERT INTO tree (id, is_deleted, deleted_at) VALUES (101, true, '2001-01-01'), (102, true, '2001-01-01');
UPDATE tree SET parent = 203 - id WHERE id > 100;
CREATE TABLE hen (id int PRIMARY KEY, egg int);
CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg;
SELECT dtmodel.add_soft_delete('hen');
SELECT dtmodel.add_soft_delete('egg');
INSERT INTO hen VALUES (1);
INSERT INTO egg VALUES (1, 1);
UPDATE hen SET egg = 1;
UPDATE hen SET is_deleted = true;
UPDATE egg SET is_deleted = true;
RESET client_min_messages;
CALL dtmodel.purge('tree', '0', batch_size => 7);
SELECT count(*), min(id), max(id) FROM tree;
DELETE FROM leaves;
CALL dtmodel.purge('tree', '0', batch_size => 7, dry_run => true);
CALL dtmodel.purge('tree', '0', batch_size => 7);
CALL dtmodel.purge('hen', '0');

-- partitions, times in UTC, names that need quotes
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
CREATE TABLE "Parted; ""x""" (id int PRIMARY KEY, "gone at" timestamp) PARTITION BY RANGE (id);
CREATE TABLE "part ""1""" PARTITION OF "Parted; ""x""" FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF "Parted; ""x""" FOR VALUES FROM (10) TO (20);
SELECT dtmodel.add_soft_delete('"Parted; ""x"""', flag => NULL, deleted_at => 'gone at');
INSERT INTO "Parted; ""x""" (id, "gone at")
    SELECT i, (now() AT TIME ZONE 'UTC') - interval '2 hours' FROM generate_series(1, 19) AS i;
INSERT INTO "Parted; ""x""" (id) VALUES (0);
CREATE TABLE of_parted (id int REFERENCES "Parted; ""x""");
INSERT INTO of_parted VALUES (3), (13);
RESET client_min_messages;
CALL dtmodel.purge('"Parted; ""x"""', '3 hours');
CALL dtmodel.purge('"Parted; ""x"""', '1 hour', batch_size => 4);
SELECT id FROM "Parted; ""x""" ORDER BY id;
RESET timezone;

-- tables that inherit belong to the model
SET client_min_messages = warning;
CREATE TABLE animals (id int PRIMARY KEY);
CREATE TABLE dogs (PRIMARY KEY (id)) INHERITS (animals);
SELECT dtmodel.add_soft_delete('animals');
INSERT INTO animals VALUES (1), (2);
INSERT INTO dogs VALUES (3), (4);
UPDATE animals SET is_deleted = true WHERE id IN (2, 3);
RESET client_min_messages;
CALL dtmodel.purge('animals', '0');
SELECT id FROM animals ORDER BY id;

-- a row that the table's trigger keeps is skipped; other errors end the purge
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.line = 'line 2' THEN RETURN NULL; END IF;
    IF OLD.line = 'line 3' THEN RAISE EXCEPTION 'not this one'; END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep BEFORE DELETE ON logs FOR EACH ROW EXECUTE FUNCTION keep();
UPDATE logs SET is_deleted = true WHERE line IN ('line 1', 'line 2');
CALL dtmodel.purge('logs', '0');
UPDATE logs SET is_deleted = true WHERE line IN ('line 3', 'line 4');
CALL dtmodel.purge('logs', '0', batch_size => 1);
SELECT line FROM logs WHERE is_deleted ORDER BY line;


-- completed batches stay purged when it is interrupted
CREATE FUNCTION interrupt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.line = 'line 7' THEN
        PERFORM pg_cancel_backend(pg_backend_pid());
        PERFORM pg_sleep(60);
    END IF;
    RETURN OLD;
END $$;
CREATE OR REPLACE TRIGGER keep BEFORE DELETE ON logs FOR EACH ROW EXECUTE FUNCTION interrupt();
UPDATE logs SET is_deleted = true WHERE line IN ('line 5', 'line 6', 'line 7', 'line 8');
\set VERBOSITY terse
CALL dtmodel.purge('logs', '0', batch_size => 2);
\set VERBOSITY default
\echo :SQLSTATE
SELECT line FROM logs WHERE is_deleted ORDER BY line;

-- no transaction is left open, and the switch has its old value
SELECT count(*) FROM pg_cursors;
SHOW dtmodel.hard_delete;

-- the rows are found by an index, if there is one
SET client_min_messages = warning;
CREATE TABLE big (id int PRIMARY KEY, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('big');
CREATE INDEX ix_big_deleted_at ON big (deleted_at);
INSERT INTO big (id, is_deleted, deleted_at)
SELECT i, i % 100 = 0, CASE WHEN i % 100 = 0 THEN '2001-01-01'::timestamptz END
FROM generate_series(1, 20000) AS i;
ANALYZE big;
BEGIN;
SELECT coalesce(sum(seq_scan), 0) AS before FROM pg_stat_xact_user_tables WHERE relname = 'big' \gset
CALL dtmodel.purge('big', dry_run => true);
SELECT sum(seq_scan) - :before AS scans, sum(idx_scan) > 0 AS by_index FROM pg_stat_xact_user_tables WHERE relname = 'big';
COMMIT;
CALL dtmodel.purge('big');
SELECT count(*) AS rows, count(deleted_at) AS deleted FROM big;

-- so are the rows that reference them, also if the tables are small or not analyzed
SET client_min_messages = warning;
CREATE TABLE folders (id int PRIMARY KEY);
CREATE TABLE files (id int PRIMARY KEY, folder int REFERENCES folders ON DELETE CASCADE);
CREATE INDEX ix_files_folder ON files (folder);
SELECT dtmodel.add_soft_delete('folders'), dtmodel.add_soft_delete('files');
CREATE INDEX ix_folders_deleted_at ON folders (deleted_at);
INSERT INTO folders (id, is_deleted, deleted_at) SELECT i, true, '2001-01-01' FROM generate_series(1, 2000) AS i;
INSERT INTO files (id, folder, is_deleted, deleted_at) SELECT i, i, true, '2001-01-01' FROM generate_series(1, 2000) AS i;
INSERT INTO files (id, folder) VALUES (3000, 7);
RESET client_min_messages;
BEGIN;
SELECT coalesce(sum(seq_scan), 0) AS before FROM pg_stat_xact_user_tables WHERE relname = 'files' \gset
CALL dtmodel.purge('folders', dry_run => true);
SELECT sum(seq_scan) - :before AS scans, sum(idx_scan) > 0 AS by_index FROM pg_stat_xact_user_tables WHERE relname = 'files';
COMMIT;
SHOW enable_seqscan;

-- a second purge in the same session sees changes since, and keeps no result of an earlier batch
CREATE TABLE memory (bytes bigint);
CREATE FUNCTION note_memory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO memory SELECT sum(used_bytes) FROM pg_backend_memory_contexts;
    RETURN NULL;
END $$;
CREATE TRIGGER note_memory AFTER DELETE ON folders FOR EACH STATEMENT EXECUTE FUNCTION note_memory();
-- quietly, as on a slow server it would report its progress
SET client_min_messages = warning;
CALL dtmodel.purge('folders', batch_size => 100);
RESET client_min_messages;
SELECT count(*) AS folders, (SELECT count(*) FROM files) AS files FROM folders;
SELECT count(*) > 15 AS batches, max(bytes) - (array_agg(bytes ORDER BY ctid))[5] < 500000 AS kept_little FROM memory;
ALTER TABLE files RENAME folder TO "in";
ALTER TABLE files RENAME TO papers;
INSERT INTO folders (id, is_deleted, deleted_at) VALUES (8, true, '2001-01-01');
INSERT INTO papers (id, "in") VALUES (3001, 8);
CALL dtmodel.purge('folders');
SET dtmodel.preserve_timestamps = on;
UPDATE papers SET deleted_at = '2001-01-01' WHERE id = 3000;
RESET dtmodel.preserve_timestamps;
CALL dtmodel.purge('folders');
SET client_min_messages = warning;
SELECT dtmodel.remove_soft_delete('papers');
RESET client_min_messages;
CALL dtmodel.purge('folders');
TABLE papers;

-- a row that several batches reach, and that one of them has to keep
SET client_min_messages = warning;
CREATE TABLE items (id int PRIMARY KEY);
CREATE TABLE pairs (id int PRIMARY KEY, l int REFERENCES items, r int REFERENCES items);
CREATE TABLE pair_notes (id int PRIMARY KEY, pair int REFERENCES pairs);
SELECT dtmodel.add_soft_delete('items'), dtmodel.add_soft_delete('pairs');
INSERT INTO items SELECT generate_series(1, 6);
INSERT INTO pairs VALUES (1, 1, 2), (2, 3, 4), (3, 5, 5);
INSERT INTO pair_notes VALUES (1, 1);
DELETE FROM pairs;
DELETE FROM items;
RESET client_min_messages;
CALL dtmodel.purge('items', '0', batch_size => 1, dry_run => true);
CALL dtmodel.purge('items', '0', batch_size => 1);
SELECT array_agg(id ORDER BY id) FROM items;
SELECT array_agg(id ORDER BY id) FROM pairs;
DELETE FROM pair_notes;
CALL dtmodel.purge('items', '0', batch_size => 1);
SELECT count(*) FROM items;

-- one that is kept before another of its parents is met
SET client_min_messages = warning;
CREATE TABLE nodes (id int PRIMARY KEY, p1 int REFERENCES nodes, p2 int);
CREATE TABLE tags (id int PRIMARY KEY, node int REFERENCES nodes);
ALTER TABLE nodes ADD FOREIGN KEY (p2) REFERENCES nodes;
SELECT dtmodel.add_soft_delete('nodes');
RESET client_min_messages;
INSERT INTO nodes VALUES (1, NULL, NULL), (2, 1, NULL), (3, 1, 2), (4, NULL, NULL);
INSERT INTO tags VALUES (1, 3);
DELETE FROM nodes WHERE id = 3;
DELETE FROM nodes WHERE id = 2;
DELETE FROM nodes;
CALL dtmodel.purge('nodes', '0', batch_size => 1);
SELECT array_agg(id ORDER BY id) FROM nodes;
CALL dtmodel.purge('nodes', '0');
DELETE FROM tags;
CALL dtmodel.purge('nodes', '0', batch_size => 1);
SELECT count(*) FROM nodes;

-- a trigger keeps a row as ON DELETE RESTRICT does
SET client_min_messages = warning;
CREATE TABLE guarded (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('guarded');
CREATE FUNCTION keep_first() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id = 1 AND OLD.is_deleted THEN
        RAISE restrict_violation USING message = 'the first row is needed';
    END IF;
    RETURN OLD;
END
$$;
INSERT INTO guarded VALUES (1), (2);
DELETE FROM guarded;
CREATE TRIGGER keep_first BEFORE DELETE ON guarded FOR EACH ROW EXECUTE FUNCTION keep_first();
RESET client_min_messages;
CALL dtmodel.purge('guarded', '0');
SELECT id FROM guarded;

-- rows that a trigger of the user keeps are not counted; the server deletes their parents nevertheless
SET client_min_messages = warning;
CREATE TABLE keepers (id int PRIMARY KEY);
CREATE TABLE kept (id int PRIMARY KEY, keeper int REFERENCES keepers ON DELETE CASCADE);
SELECT dtmodel.add_soft_delete('keepers'), dtmodel.add_soft_delete('kept');
CREATE FUNCTION keep_deleted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON kept FOR EACH ROW WHEN (OLD.is_deleted) EXECUTE FUNCTION keep_deleted();
INSERT INTO keepers VALUES (1);
INSERT INTO kept VALUES (1, 1);
DELETE FROM keepers;
RESET client_min_messages;
CALL dtmodel.purge('keepers', '0');
SET client_min_messages = warning;
SELECT count(*) FROM keepers;
SELECT count(*) FROM kept;

SET client_min_messages = warning;
DROP SCHEMA purge CASCADE;
