--
-- version: 1 for a new row unless it is given, one more with every change, whatever is assigned
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA version;
SET search_path = version, pg_catalog;
RESET client_min_messages;

CREATE TABLE posts (id int PRIMARY KEY, title text, visits int NOT NULL DEFAULT 0);
INSERT INTO posts VALUES (1, 'before');

-- the column is added; existing rows have version 1
SELECT dtmodel.add_version('posts');
\d posts
SELECT id, version FROM posts;
SELECT dtmodel.describe('posts') -> 'version' AS version, dtmodel.describe('posts') -> 'drift' AS drift;

-- called again, it does nothing
SELECT dtmodel.add_version('posts');

-- a new row has version 1 by default; there is no trigger for INSERT, so COPY writes many rows at once
INSERT INTO posts (id, title, version) VALUES (2, 'given', 7), (3, 'default', DEFAULT), (4, 'right', 1)
RETURNING id, version;
COPY posts (id, title, version) FROM stdin;
5	copied	9
\.
SELECT id, version FROM posts ORDER BY id;

-- each change adds one, whatever is assigned; SQLAlchemy and others assign the next version themselves
UPDATE posts SET title = 'changed' WHERE id = 1 RETURNING version;
UPDATE posts SET title = 'again', version = 3 WHERE id = 1 AND version = 2 RETURNING version;
UPDATE posts SET title = 'forged', version = 99 WHERE id = 1 RETURNING version;
UPDATE posts SET title = 'null', version = NULL WHERE id = 1 RETURNING version;
-- the second of two clients that have read version 5
UPDATE posts SET title = 'first', version = 6 WHERE id = 1 AND version = 5;
\echo :ROW_COUNT
UPDATE posts SET title = 'second', version = 6 WHERE id = 1 AND version = 5;
\echo :ROW_COUNT

-- an UPDATE that changes nothing makes no new version; nor does an assignment to the version, unless it is the next one
UPDATE posts SET title = title, visits = 0 WHERE id = 1 RETURNING version;
UPDATE posts SET version = 99 WHERE id = 1 RETURNING version;
UPDATE posts SET title = title, version = version + 2 WHERE id = 1 RETURNING version;
UPDATE posts SET version = 7 WHERE id = 1 AND version = 6 RETURNING version;
UPDATE posts SET title = 'after', version = 8 WHERE id = 1 AND version = 7 RETURNING version;

-- Rails and Hibernate begin with version 0, and then look for it
INSERT INTO posts (id, title, version) VALUES (6, 'of Rails', 0) RETURNING version;
UPDATE posts SET title = 'changed', version = 1 WHERE id = 6 AND version = 0 RETURNING version;
UPDATE posts SET title = 'again', version = 2 WHERE id = 6 AND version = 1 RETURNING version;

-- several changes in one transaction, and one that is rolled back
BEGIN;
UPDATE posts SET visits = 1 WHERE id = 2 RETURNING version;
SAVEPOINT s;
UPDATE posts SET visits = 2 WHERE id = 2 RETURNING version;
ROLLBACK TO s;
UPDATE posts SET visits = 3 WHERE id = 2 RETURNING version;
COMMIT;

-- ON CONFLICT DO UPDATE and MERGE
INSERT INTO posts AS p (id, title, version) VALUES (2, 'conflict', 40)
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, version = EXCLUDED.version RETURNING version;

-- a change by a user's trigger counts once with the statement, and a skipped row does not count
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.title = 'veto' THEN RETURN NULL; END IF;
    NEW.visits := NEW.visits + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION touch();
UPDATE posts SET title = title WHERE id = 3 RETURNING visits, version;
UPDATE posts SET title = 'veto' WHERE id = 3 RETURNING version;
SELECT version FROM posts WHERE id = 3;
DROP TRIGGER touch ON posts;

-- with the other mixins: stamps are not changes, changes of columns that updated_at ignores are
SET client_min_messages = warning;
CREATE TABLE pages (id int PRIMARY KEY, title text, slug text, visits int NOT NULL DEFAULT 0,
                    revision bigint NOT NULL DEFAULT 1);
SELECT dtmodel.add_timestamps('pages', ignore_columns => '{visits}', clock => 'clock'), dtmodel.add_audit('pages'),
       dtmodel.add_slug('pages', 'title'), dtmodel.add_soft_delete('pages', deleted_by => 'deleted_by'),
       dtmodel.add_settings('pages', '{theme}'), dtmodel.add_version('pages', 'revision');
RESET client_min_messages;
INSERT INTO pages (id, title) VALUES (1, 'One'), (2, 'Two');
UPDATE pages SET title = 'Uno' WHERE id = 1 RETURNING revision, updated_at > created_at AS moved;
SET dtmodel.actor = 'bob';
UPDATE pages SET title = title, updated_by = 'eve', created_at = now() WHERE id = 1 RETURNING revision, updated_by = current_user AS same;
UPDATE pages SET visits = 7 WHERE id = 1 RETURNING revision;
UPDATE pages SET settings = '{"theme": "dark"}' WHERE id = 1 RETURNING revision, updated_by;
RESET dtmodel.actor;

-- a soft delete and a restore are changes, in each form
DELETE FROM pages WHERE id = 1;
SELECT revision FROM pages WHERE id = 1;
SELECT (dtmodel.restore(p)).revision FROM pages AS p WHERE id = 1;
UPDATE pages SET is_deleted = true WHERE id = 1 RETURNING revision;
SELECT (dtmodel.restore(NULL::pages, 1)).revision;
SELECT (dtmodel.soft_delete(NULL::pages, 1)).revision;
SELECT count(*) FROM dtmodel.restore_deletion(NULL::pages, (SELECT deleted_at FROM pages WHERE id = 1));
SELECT revision FROM pages WHERE id = 1;
-- along a foreign key
CREATE TABLE comments (id int PRIMARY KEY, page int REFERENCES pages ON DELETE CASCADE);
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('comments'), dtmodel.add_version('comments');
RESET client_min_messages;
INSERT INTO comments VALUES (1, 1), (2, 1);
DELETE FROM pages WHERE id = 1;
SELECT id, version, is_deleted FROM comments ORDER BY id;
SELECT (dtmodel.restore(NULL::pages, 1)).revision;
SELECT id, version, is_deleted FROM comments ORDER BY id;

-- imports keep the versions that they give
SET dtmodel.preserve_timestamps = on;
INSERT INTO comments (id, page, version) VALUES (3, 1, 12);
RESET dtmodel.preserve_timestamps;
UPDATE comments SET page = 2 WHERE id = 3 RETURNING version;

-- update: a version in data is the one that was read
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"page": 1, "version": 13}');
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"page": 2, "version": 13}');
\echo :SQLSTATE
SELECT (dtmodel.update(c, '{"page": 2, "version": 13}')).version FROM comments AS c WHERE id = 3;
SELECT (dtmodel.update(c, '{"page": 2, "version": "14"}')).version FROM comments AS c WHERE id = 3;
-- without other keys it is compared, and null is not a version; without a version nothing is compared
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"version": 15}');
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"version": 14}');
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"page": 1, "version": null}');
SELECT id, version FROM dtmodel.update(NULL::comments, 3, '{"page": 2}');
-- a row that does not exist is not an error
SELECT id, version FROM dtmodel.update(NULL::comments, 99, '{"page": 1, "version": 1}');

-- upsert compares it with an existing row; a new one has the version in the data
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "page": 1, "version": 1}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "page": 2, "version": 1}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "page": 1, "version": 1}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "version": 1}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "version": 2}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 4, "page": 1}');
SELECT id, version FROM dtmodel.create(NULL::comments, '{"id": 5, "page": 1, "version": 8}');

-- where the version is a conflict column
CREATE UNIQUE INDEX ON comments (id, version);
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 6, "version": 1}', '{id,version}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 6, "version": 1}', '{id,version}');
SELECT (instance).version, created FROM dtmodel.upsert(NULL::comments, '{"id": 6, "page": 1, "version": 1}', '{id,version}');
DROP INDEX comments_id_version_idx;
-- a deleted row that upsert restores: that counts as one more, but not as a change by another client
DELETE FROM comments WHERE id = 6;
SELECT version FROM comments WHERE id = 6;
SELECT (instance).version FROM dtmodel.upsert(NULL::comments, '{"id": 6, "page": 2, "version": 2}', on_deleted => 'restore');
SELECT (instance).version FROM dtmodel.upsert(NULL::comments, '{"id": 6, "page": 2, "version": 3}', on_deleted => 'restore');
SELECT (instance).version FROM dtmodel.upsert(NULL::comments, '{"id": 6, "page": 1, "version": 4}', on_deleted => 'restore');
SELECT (instance).version FROM dtmodel.upsert(NULL::comments, '{"id": 6, "page": 1, "version": 5}', on_deleted => 'restore');

-- partitions: a row that moves has its next version, not its first
CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b (note text, region text NOT NULL, id int NOT NULL);
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
SELECT dtmodel.add_version('events');
INSERT INTO events VALUES (1, 'a', 'x'), (2, 'b', 'y');
UPDATE events SET region = 'b' WHERE id = 1 RETURNING tableoid::regclass, version;
UPDATE events SET region = 'a', version = 50 WHERE id = 2 RETURNING tableoid::regclass, version;
UPDATE events SET note = 'z' RETURNING id, version;
ALTER TABLE events DETACH PARTITION events_b;
UPDATE events_b SET note = 'detached' RETURNING version;
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
UPDATE events_b SET note = 'attached' RETURNING version;

-- tables that inherit
CREATE TABLE parents (id int, note text);
CREATE TABLE inheritors (more int) INHERITS (parents);
SELECT dtmodel.add_version('parents');
INSERT INTO inheritors (id) VALUES (1);
UPDATE parents SET note = 'x' RETURNING tableoid::regclass, version;
CREATE TABLE late () INHERITS (parents);
SELECT dtmodel.describe('parents') -> 'drift' AS drift;

-- a row that a statement finds twice counts once, whatever is assigned to the version
SET enable_hashjoin = off;
SET enable_mergejoin = off;
UPDATE posts SET title = s.title, version = NULL FROM (VALUES (1, 'once'), (1, 'twice')) AS s (id, title) WHERE posts.id = s.id RETURNING posts.id, posts.title, version;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- removed, with the column too
SELECT dtmodel.remove_version('posts');
UPDATE posts SET version = 99 WHERE id = 1 RETURNING version;
SELECT dtmodel.add_version('posts');
UPDATE posts SET title = 'z' WHERE id = 1 RETURNING version;
SELECT dtmodel.remove_version('posts', drop_columns => true);
SELECT dtmodel.remove_version('posts');
\d posts

-- the template
CREATE TABLE templated (id int PRIMARY KEY, LIKE dtmodel.version_mixin INCLUDING ALL);
SELECT dtmodel.add_version('templated');
INSERT INTO templated VALUES (1) RETURNING version;

SET client_min_messages = warning;
DROP SCHEMA version CASCADE;
