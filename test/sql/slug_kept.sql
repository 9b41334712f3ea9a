--
-- slugs are kept if clients write all columns, and are replaced on request
--
SELECT getdatabaseencoding() <> 'UTF8' OR
       NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA slug_kept;
SET search_path = slug_kept;
CREATE TABLE posts (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('posts', 'title'), dtmodel.add_timestamps('posts'), dtmodel.add_audit('posts');
INSERT INTO posts VALUES (1, 'One'), (2, 'Two'), (3, '?!');

-- NULL or the same slug keeps it, whatever else changes
UPDATE posts SET title = 'Uno', slug = NULL WHERE id = 1 RETURNING slug;
UPDATE posts SET title = 'Eins', slug = slug WHERE id = 1 RETURNING slug;
UPDATE posts SET title = 'Un', slug = 'one' WHERE id = 1 RETURNING slug;
SELECT slug FROM dtmodel.update(NULL::posts, 1, '{"title": "Ena", "slug": null}');
-- also in an INSERT that becomes an UPDATE, where EXCLUDED has a generated slug
INSERT INTO posts (id, title) VALUES (1, 'Ichi'), (4, 'Four')
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, slug = EXCLUDED.slug RETURNING id, title, slug;
INSERT INTO posts (id, title, slug) VALUES (1, 'Ichi', 'given'), (4, 'Shi', '')
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, slug = EXCLUDED.slug RETURNING id, title, slug;
INSERT INTO posts (id, title) VALUES (3, 'Three')
ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, slug = EXCLUDED.slug RETURNING id, title, slug;
-- a title without letters and digits gives no slug: the old one is kept
UPDATE posts SET title = '?!', slug = '' WHERE id = 3 RETURNING slug;
UPDATE posts SET slug = '' WHERE id = 3 RETURNING slug;
UPDATE posts SET slug = 'one' WHERE id = 1 RETURNING slug;

-- a new slug for the current title: by a call, by an empty text
SELECT id, title, slug FROM posts ORDER BY id;
SELECT (dtmodel.new_slug(p)).slug FROM posts AS p WHERE id = 1;
SELECT (dtmodel.new_slug(p)).slug FROM posts AS p WHERE id = 1;
SELECT (dtmodel.new_slug(p)).slug AS no_words FROM posts AS p WHERE id = 3;
INSERT INTO posts VALUES (5, '...'), (6, NULL) RETURNING slug;
SELECT (dtmodel.new_slug(p)).slug IS NULL AS no_words FROM posts AS p WHERE id = 5;
UPDATE posts SET title = 'Two' WHERE id = 1;
SELECT (dtmodel.new_slug(p)).slug FROM posts AS p WHERE id = 1;
UPDATE posts SET slug = '', title = 'Dos' WHERE id = 1 RETURNING slug;
UPDATE posts SET slug = '' WHERE id = 1 RETURNING slug;
-- the current row counts, not the one that is passed
SELECT slug FROM dtmodel.new_slug((SELECT ROW(1, 'Passed', 'x', now(), now(), 'x', 'x')::posts));
SELECT dtmodel.new_slug(ROW(99, 'x', 'x', now(), now(), 'x', 'x')::posts) IS NULL AS gone;
SELECT dtmodel.new_slug(NULL::posts);
\echo :SQLSTATE
SELECT dtmodel.new_slug(p) FROM (VALUES (1)) AS v LEFT JOIN posts AS p ON false;
\echo :SQLSTATE
CREATE TABLE plain (id int PRIMARY KEY);
SELECT dtmodel.new_slug(ROW(1)::plain);
\echo :SQLSTATE
-- one with a number is kept as long as another row has it without a number, however many there are
CREATE TABLE many (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('many', 'title', max_length => 24), dtmodel.add_soft_delete('many'), dtmodel.create_live_view('many');
INSERT INTO many SELECT i, 'Same' FROM generate_series(1, 100) AS i;
INSERT INTO many SELECT 100 + i, 'A title that is too long for its slugs' FROM generate_series(1, 20) AS i;
SELECT slug FROM many WHERE id IN (42, 101, 111) ORDER BY id;
SELECT count(*) AS changed FROM many AS m WHERE m.slug <> (dtmodel.new_slug(m)).slug;
UPDATE many SET slug = '' WHERE id = 42 RETURNING slug;
UPDATE many SET slug = 'same-x' WHERE id = 43;
UPDATE many SET slug = 'same-044' WHERE id = 44;
SELECT m.id, m.slug <> (dtmodel.new_slug(m)).slug AS changed FROM many AS m WHERE id IN (43, 44) ORDER BY id;
DELETE FROM many WHERE id = 1;
UPDATE many SET slug = '' WHERE id = 42 RETURNING slug;
-- a deleted row whose slug another row has by now
UPDATE many SET title = 'Same', slug = 'same-7' WHERE id = 1;
UPDATE many SET slug = '' WHERE id = 1 RETURNING slug IN ('same', 'same-7') AS taken;
-- if a slug cannot be empty; a row that a trigger or a rule also updates is not affected
CREATE DOMAIN address AS text CHECK (VALUE ~ '^[a-z0-9-]+$');
CREATE TABLE paths (id int PRIMARY KEY, title text, slug address);
SELECT dtmodel.add_slug('paths', 'title');
INSERT INTO paths VALUES (1, 'One'), (2, 'Two'), (3, 'Three');
UPDATE paths SET title = 'New ' || title;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE slug_kept.paths SET slug = slug WHERE id = 2; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON paths FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION touch();
CREATE RULE touch AS ON UPDATE TO paths WHERE NEW.id = 1 DO ALSO UPDATE many SET slug = slug WHERE id = 43;
UPDATE many SET title = 'Other' WHERE id = 43;
SELECT (dtmodel.new_slug(p)).slug FROM paths AS p WHERE id = 1;
SELECT slug FROM paths ORDER BY id;
SELECT slug LIKE 'same%' AS kept FROM many WHERE id = 43;
UPDATE paths SET slug = slug WHERE id = 3 RETURNING slug;
-- the text of our query has no effect when a client sends it
/* dtmodel */ /* new slug */ UPDATE paths SET slug = slug WHERE id = 3 RETURNING slug;
CREATE TABLE inheritors () INHERITS (paths);
SELECT dtmodel.add_slug('inheritors', 'title');
INSERT INTO inheritors VALUES (4, 'Four');
UPDATE inheritors SET title = 'New four';
SELECT (dtmodel.new_slug(p)).slug FROM paths AS p WHERE id = 4;
DROP TABLE inheritors;
-- a row of a view of live rows
SELECT n.id, n.slug, pg_typeof(n) FROM live_many AS v, dtmodel.new_slug(v) AS n WHERE v.id = 5;
UPDATE live_many SET title = 'Else' WHERE id = 5 RETURNING slug;
SELECT (dtmodel.new_slug(v)).slug FROM live_many AS v WHERE id = 5;

-- if the trigger does not fire, the empty text would be stored
ALTER TABLE posts DISABLE TRIGGER zz_dtmodel_slug;
SELECT dtmodel.new_slug(p) FROM posts AS p WHERE id = 1;
\echo :SQLSTATE
CALL dtmodel.fill_slugs('posts');
\echo :SQLSTATE
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_slug;
SET session_replication_role = replica;
SELECT dtmodel.new_slug(p) FROM posts AS p WHERE id = 1;
\echo :SQLSTATE
CALL dtmodel.fill_slugs('posts');
\echo :SQLSTATE
ALTER TABLE posts ENABLE ALWAYS TRIGGER zz_dtmodel_slug;
SELECT (dtmodel.new_slug(p)).slug FROM posts AS p WHERE id = 1;
RESET session_replication_role;
ALTER TABLE posts ENABLE TRIGGER zz_dtmodel_slug;
SELECT id, slug FROM posts ORDER BY id;

-- a row without a slug gets one when it is updated
UPDATE posts SET title = 'At last' WHERE id = 5 RETURNING slug;

-- a slug that is filled in is not a change of the row; any other slug is
CREATE TABLE old (LIKE posts);
ALTER TABLE old ADD PRIMARY KEY (id);
INSERT INTO old (id, title, slug, created_at, updated_at) SELECT i, 'Old ' || i % 100, CASE WHEN i = 2 THEN '' END, '2001-01-01', '2001-01-01' FROM generate_series(1, 2000) AS i;
INSERT INTO old (id, title, created_at, updated_at) VALUES (3000, NULL, '2001-01-01', '2001-01-01'), (3001, '...', '2001-01-01', '2001-01-01');
SELECT dtmodel.add_slug('old', 'title'), dtmodel.add_timestamps('old'), dtmodel.add_audit('old');
CREATE VIEW state AS
SELECT count(*) FILTER (WHERE slug <> '') AS slugs, count(DISTINCT slug) FILTER (WHERE slug <> '') AS different,
       count(*) FILTER (WHERE updated_at > '2001-01-01') AS moved, count(updated_by) AS signed FROM old;
UPDATE old SET slug = NULL WHERE id = 1;
UPDATE old SET slug = '' WHERE id = 2;
UPDATE old SET slug = 'given' WHERE id = 3;
UPDATE old SET id = id WHERE id = 4;
SELECT (dtmodel.new_slug(o)).slug FROM old AS o WHERE id = 5;
SELECT id, slug FROM old WHERE id < 6 ORDER BY id;
TABLE state;
SET client_min_messages = notice;
CALL dtmodel.fill_slugs('old', batch_size => 300);
CALL dtmodel.fill_slugs('old');
SET client_min_messages = warning;
TABLE state;
UPDATE old SET slug = 'changed' WHERE id = 3;
UPDATE old SET slug = '', title = title WHERE id = 3;
UPDATE old SET title = 'changed', slug = NULL WHERE id = 4;
TABLE state;
-- another change together with it is one
UPDATE old SET slug = NULL, title = 'x' WHERE id = 3001;
TABLE state;

-- each batch is a transaction: completed batches are kept
TRUNCATE old;
ALTER TABLE old DISABLE TRIGGER zz_dtmodel_slug;
INSERT INTO old (id, title) SELECT i, string_agg(md5(i || ' ' || j), ' ') FROM generate_series(1, 100) AS i, generate_series(1, 20) AS j GROUP BY i;
ALTER TABLE old ENABLE TRIGGER zz_dtmodel_slug;
ALTER TABLE old ADD CHECK (id <> 90 OR slug IS NULL);
\set VERBOSITY terse
CALL dtmodel.fill_slugs('old', 10);
\echo :SQLSTATE
\set VERBOSITY default
SELECT count(slug) BETWEEN 10 AND 89 AS some FROM old;
BEGIN;
CALL dtmodel.fill_slugs('old');
\echo :SQLSTATE
ROLLBACK;
CALL dtmodel.fill_slugs('old', 0);
\echo :SQLSTATE
CALL dtmodel.fill_slugs(NULL);
\echo :SQLSTATE
CALL dtmodel.fill_slugs('plain');
\echo :SQLSTATE

-- as the caller
CREATE ROLE slug_kept_user;
GRANT USAGE ON SCHEMA slug_kept TO slug_kept_user;
GRANT SELECT ON posts, old TO slug_kept_user;
SET ROLE slug_kept_user;
\set VERBOSITY terse
SELECT dtmodel.new_slug(p) FROM posts AS p;
\echo :SQLSTATE
CALL dtmodel.fill_slugs('old');
\echo :SQLSTATE
\set VERBOSITY default
RESET ROLE;
GRANT UPDATE (slug) ON posts TO slug_kept_user;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON posts FOR SELECT USING (true);
CREATE POLICY change ON posts FOR UPDATE USING (id = 2);
SET ROLE slug_kept_user;
SELECT id, (dtmodel.new_slug(p)).slug FROM posts AS p WHERE id < 3 ORDER BY id;
RESET ROLE;

-- with on_update, slugs follow their source with NULL too
CREATE TABLE pages (id int PRIMARY KEY, name text);
SELECT dtmodel.add_slug('pages', 'name', on_update => true);
INSERT INTO pages VALUES (1, 'About');
UPDATE pages SET slug = NULL RETURNING slug;
UPDATE pages SET name = 'Contact', slug = NULL RETURNING slug;

-- a restored row with NULL for its slug keeps it, if possible
CREATE TABLE soft (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('soft'), dtmodel.add_slug('soft', 'title');
INSERT INTO soft VALUES (1, 'Hello'), (2, 'World');
UPDATE soft SET is_deleted = true, slug = NULL RETURNING slug;
INSERT INTO soft VALUES (3, 'Hello') RETURNING slug;
UPDATE soft SET is_deleted = false, slug = NULL RETURNING id, slug;

-- rows of a live view are instances too
SELECT dtmodel.create_live_view('soft');
UPDATE soft SET title = 'New world' WHERE id = 2;
SELECT pg_typeof(n), n.id, n.slug FROM live_soft AS v, dtmodel.new_slug(v) AS n WHERE v.id = 2;
SELECT id, slug FROM soft ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA slug_kept CASCADE;
DROP ROLE slug_kept_user;
