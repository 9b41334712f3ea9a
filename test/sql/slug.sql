--
-- slugs: for rows that are inserted without one, unique among live rows
--
SELECT getdatabaseencoding() <> 'UTF8' OR
       NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA slug;
RESET client_min_messages;

CREATE TABLE slug.articles (id int PRIMARY KEY, title text);
INSERT INTO slug.articles VALUES (1, 'Before');
SELECT dtmodel.add_slug('slug.articles', 'title');
\d slug.articles
SELECT dtmodel.add_slug('slug.articles', 'title');

-- existing rows are not changed; their slugs are filled in on request
SELECT slug FROM slug.articles;
UPDATE slug.articles SET slug = NULL WHERE slug IS NULL;
SELECT slug FROM slug.articles;

-- one by one, many in one statement, by COPY
INSERT INTO slug.articles VALUES (2, 'Hello, World!') RETURNING slug;
INSERT INTO slug.articles VALUES (3, 'Hello World'), (4, 'hello world?'), (5, 'Other') RETURNING slug;
COPY slug.articles (id, title) FROM stdin;
6	Hello -- World
7	Hello World
\.
SELECT id, slug FROM slug.articles ORDER BY id;
INSERT INTO slug.articles SELECT i, 'Many' FROM generate_series(101, 1100) AS i;
SELECT count(DISTINCT slug), bool_and(slug = 'many' OR slug = 'many-' || id - 100) AS in_order
FROM slug.articles WHERE id > 100;
DELETE FROM slug.articles WHERE id > 100;

-- no slug without words
INSERT INTO slug.articles VALUES (8, '?!'), (9, NULL), (10, '') RETURNING id, slug;

-- an empty slug is replaced, a given one is kept
INSERT INTO slug.articles (id, title, slug) VALUES (11, 'Empty', '') RETURNING slug;
INSERT INTO slug.articles (id, title, slug) VALUES (12, 'Given', 'As/It/Is') RETURNING slug;
INSERT INTO slug.articles (id, title, slug) VALUES (13, 'Given', 'hello-world');
\echo :SQLSTATE

-- it does not follow the title without on_update
UPDATE slug.articles SET title = 'Renamed' WHERE id = 2 RETURNING slug;
UPDATE slug.articles SET slug = '' WHERE id = 2 RETURNING slug;
UPDATE slug.articles SET slug = 'mine' WHERE id = 3 RETURNING slug;
UPDATE slug.articles SET slug = 'other' WHERE id = 3;
\echo :SQLSTATE
-- the same slug again: the row does not conflict with itself
UPDATE slug.articles SET slug = '' WHERE id = 4 RETURNING slug;
UPDATE slug.articles SET slug = '' WHERE id = 4 RETURNING slug;

-- ON CONFLICT: a row that is not inserted uses no slug
INSERT INTO slug.articles VALUES (5, 'Fresh') ON CONFLICT DO NOTHING;
INSERT INTO slug.articles VALUES (14, 'Fresh') RETURNING slug;
INSERT INTO slug.articles VALUES (14, 'Fresh') ON CONFLICT (id) DO UPDATE SET title = 'Newer' RETURNING title, slug;
INSERT INTO slug.articles (id, title, slug) VALUES (15, 'x', 'fresh') ON CONFLICT (slug) DO UPDATE SET title = 'Newest' RETURNING id, slug;

-- after a rollback it is free again
BEGIN;
INSERT INTO slug.articles VALUES (16, 'Undone') RETURNING slug;
SAVEPOINT s;
INSERT INTO slug.articles VALUES (17, 'Undone') RETURNING slug;
ROLLBACK TO s;
INSERT INTO slug.articles VALUES (17, 'Undone') RETURNING slug;
ROLLBACK;
INSERT INTO slug.articles VALUES (16, 'Undone') RETURNING slug;

-- a statement holds at most one reservation, and a transaction none
BEGIN;
INSERT INTO slug.articles SELECT i, 'Row ' || i FROM generate_series(1001, 1200) AS i;
DO $$
BEGIN
    INSERT INTO slug.articles VALUES (1201, 'Row');
    BEGIN
        INSERT INTO slug.articles VALUES (1202, 'Row'), (1, 'Row');
    EXCEPTION WHEN unique_violation THEN
        NULL;
    END;
END
$$;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;

-- max_length keeps words whole, with room for the number
SELECT dtmodel.add_slug('slug.articles', 'title', max_length => 24);
INSERT INTO slug.articles SELECT i, 'The quick brown fox jumps over' FROM generate_series(20, 22) AS i RETURNING slug;
INSERT INTO slug.articles SELECT i, repeat('x', 30) FROM generate_series(23, 24) AS i RETURNING slug;
CREATE TABLE slug.narrow (title varchar(100), slug varchar(30));
SELECT dtmodel.add_slug('slug.narrow', 'title');
INSERT INTO slug.narrow SELECT repeat('word ', 12) FROM generate_series(1, 2) RETURNING slug;

-- slugs that follow their source; a change that gives the same slug changes nothing
CREATE TABLE slug.pages (id int, name text);
SELECT dtmodel.add_slug('slug.pages', 'name', slug => 'path', on_update => true);
INSERT INTO slug.pages VALUES (1, 'About us'), (2, 'Contact'), (3, 'About us') RETURNING path;
UPDATE slug.pages SET name = 'Contact' WHERE id = 1 RETURNING path;
UPDATE slug.pages SET name = 'CONTACT!' WHERE id = 1 RETURNING path;
UPDATE slug.pages SET name = 'Imprint', path = 'legal' WHERE id = 2 RETURNING path;
UPDATE slug.pages SET name = name WHERE id = 2 RETURNING path;
UPDATE slug.pages SET name = NULL WHERE id = 2 RETURNING path;
UPDATE slug.pages SET name = 'Swap ' || 4 - id WHERE id <> 2 RETURNING id, path;
UPDATE slug.pages SET name = 'All the same' RETURNING id, path;
SELECT dtmodel.describe('slug.pages') -> 'slug' AS slug;
SELECT mixins FROM dtmodel.models WHERE model = 'slug.pages'::regclass;

-- the source can have any type, and the slug a domain
CREATE DOMAIN slug.path AS varchar(40) CHECK (VALUE ~ '^[a-z0-9-]+$');
CREATE TABLE slug.days (day date, path slug.path);
SELECT dtmodel.add_slug('slug.days', 'day', 'path');
SET datestyle = 'ISO';
INSERT INTO slug.days VALUES ('2024-02-29'), ('2024-02-29') RETURNING path;
RESET datestyle;
INSERT INTO slug.days VALUES ('2024-02-29', 'No Path');
\echo :SQLSTATE

-- with soft delete, in either order: unique among live rows
CREATE TABLE slug.first (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('slug.first', 'title');
SELECT dtmodel.add_soft_delete('slug.first');
CREATE TABLE slug.second (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('slug.second');
SELECT dtmodel.add_slug('slug.second', 'title');
SELECT indexrelid::regclass, pg_get_expr(indpred, indrelid) FROM pg_index
WHERE indrelid IN ('slug.first'::regclass, 'slug.second'::regclass) AND NOT indisprimary ORDER BY 1;
INSERT INTO slug.first VALUES (1, 'Hello'), (2, 'Hello') RETURNING slug;
SELECT slug FROM dtmodel.soft_delete(NULL::slug.first, 1);
INSERT INTO slug.first VALUES (3, 'Hello') RETURNING slug;

-- a restored row keeps its slug if possible and gets the next number otherwise
SELECT id, slug FROM dtmodel.restore(NULL::slug.first, 1);
SELECT id, slug FROM dtmodel.soft_delete(NULL::slug.first, 1);
SELECT id, slug FROM dtmodel.restore(NULL::slug.first, 1);
UPDATE slug.first SET is_deleted = true, slug = 'own name' WHERE id = 1 RETURNING slug;
INSERT INTO slug.first VALUES (4, 'x', 'own name') RETURNING slug;
UPDATE slug.first SET deleted_at = NULL WHERE id = 1 RETURNING slug, is_deleted;

-- other kinds of flags
SELECT dtmodel.add_soft_delete('slug.first', flag => NULL);
SELECT dtmodel.add_soft_delete('slug.second', flag => 'is_active', flag_means => 'live');
SELECT indexrelid::regclass, pg_get_expr(indpred, indrelid) FROM pg_index
WHERE indrelid IN ('slug.first'::regclass, 'slug.second'::regclass) AND NOT indisprimary ORDER BY 1;
SELECT dtmodel.remove_soft_delete('slug.first', drop_columns => true);
SELECT dtmodel.remove_soft_delete('slug.second');
SELECT indexrelid::regclass, pg_get_expr(indpred, indrelid) FROM pg_index
WHERE indrelid IN ('slug.first'::regclass, 'slug.second'::regclass) AND NOT indisprimary ORDER BY 1;

-- an existing unique constraint is sufficient, and is kept
CREATE TABLE slug.older (title text, slug text UNIQUE);
SELECT dtmodel.add_slug('slug.older', 'title');
INSERT INTO slug.older VALUES ('One'), ('One') RETURNING slug;
SELECT dtmodel.remove_slug('slug.older');
\d slug.older

-- so is an index that was there before, also under the name that add_slug gives
CREATE TABLE slug.found (title text, slug text);
CREATE UNIQUE INDEX uq_found_slug ON slug.found (slug);
SELECT dtmodel.add_slug('slug.found', 'title');
SELECT dtmodel.remove_slug('slug.found');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'slug.found'::regclass;
-- an index that add_slug has created is recognized after it was built again
DROP INDEX slug.uq_found_slug;
SELECT dtmodel.add_slug('slug.found', 'title');
SELECT obj_description('slug.uq_found_slug'::regclass, 'pg_class');
ALTER TABLE slug.found ALTER slug TYPE varchar;
REINDEX INDEX CONCURRENTLY slug.uq_found_slug;
SELECT dtmodel.remove_slug('slug.found');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'slug.found'::regclass;
-- add_soft_delete leaves an index of the user too, and says what to do; one of add_slug it replaces, whatever its name is by now
CREATE UNIQUE INDEX uq_found_slug ON slug.found (slug);
SELECT dtmodel.add_slug('slug.found', 'title');
SELECT dtmodel.add_soft_delete('slug.found');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'slug.found'::regclass;
DROP INDEX slug.uq_found_slug;
SELECT dtmodel.add_slug('slug.found', 'title');
ALTER INDEX slug.uq_found_slug RENAME TO slugs;
ALTER TABLE slug.found RENAME TO discovered;
SELECT dtmodel.remove_soft_delete('slug.discovered');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'slug.discovered'::regclass;
ALTER TABLE slug.discovered ADD CONSTRAINT slugs UNIQUE USING INDEX uq_discovered_slug;
SELECT dtmodel.add_soft_delete('slug.discovered');
SELECT dtmodel.remove_slug('slug.discovered');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'slug.discovered'::regclass;
DROP TABLE slug.discovered;

-- a role with INSERT needs no more: the slugs of others are not read as that role
CREATE ROLE slug_user;
GRANT USAGE ON SCHEMA slug TO slug_user;
GRANT INSERT (id, title, slug) ON slug.articles TO slug_user;
ALTER TABLE slug.articles ENABLE ROW LEVEL SECURITY;
CREATE POLICY nothing ON slug.articles FOR SELECT USING (false);
CREATE POLICY anything ON slug.articles FOR INSERT WITH CHECK (true);
SET ROLE slug_user;
INSERT INTO slug.articles (id, title) VALUES (30, 'Hello World');
INSERT INTO slug.articles (id, title, slug) VALUES (31, 'x', 'mine');
\echo :SQLSTATE
RESET ROLE;
SELECT slug FROM slug.articles WHERE id = 30;

-- in an isolated transaction the slug differs from those that others have committed
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO slug.articles VALUES (40, 'Hello World'), (41, 'Hello World') RETURNING slug;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO slug.articles VALUES (42, 'Hello World') RETURNING slug;
COMMIT;

-- a word is not followed by two separators where the number comes
CREATE TABLE slug.cut (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('slug.cut', 'title', max_length => 24);
INSERT INTO slug.cut SELECT i, 'abcdefghijklmnopqrstu vw' FROM generate_series(1, 10) AS i;
SELECT id, slug FROM slug.cut WHERE id IN (1, 2, 10) ORDER BY id;

-- a trigger that makes a slug while its own row, which is not there yet, has been given the same
CREATE TABLE slug.nested (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('slug.nested', 'title');
CREATE FUNCTION slug.nest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 1 THEN
        INSERT INTO slug.nested (id, title) VALUES (2, 'given'), (3, 'given');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zzz_nest BEFORE INSERT ON slug.nested FOR EACH ROW EXECUTE FUNCTION slug.nest();
INSERT INTO slug.nested (id, slug) VALUES (1, 'given');
SELECT id, slug FROM slug.nested ORDER BY id;

-- removed, with and without the column
SELECT dtmodel.remove_slug('slug.articles');
SELECT dtmodel.remove_slug('slug.articles');
\d slug.articles
SELECT dtmodel.remove_slug('slug.pages', drop_columns => true);
\d slug.pages

-- an index that is not valid does not make slugs unique
CREATE TABLE slug.doubles (id int PRIMARY KEY, title text, slug text);
INSERT INTO slug.doubles VALUES (1, 'A', 'a'), (2, 'A', 'a');
CREATE UNIQUE INDEX CONCURRENTLY not_valid ON slug.doubles (slug);
UPDATE slug.doubles SET slug = 'a-2' WHERE id = 2;
SELECT dtmodel.add_slug('slug.doubles', 'title');
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'slug.doubles'::regclass ORDER BY 1;
UPDATE slug.doubles SET slug = 'a' WHERE id = 2;
\echo :SQLSTATE
SELECT problem, repair, advice FROM dtmodel.drift('slug.doubles');

-- an index on more columns does not make slugs unique, nor does one that is not valid; a row without a key has no slug
SET client_min_messages = warning;
CREATE TABLE slug.shared (id int, title text, slug text, tenant int, UNIQUE (slug, tenant));
CREATE UNIQUE INDEX shared_id ON slug.shared (id);
ALTER TABLE slug.shared ADD PRIMARY KEY USING INDEX shared_id;
INSERT INTO slug.shared VALUES (1, 'T', 't', 1), (2, 'T', 't', 2);
CREATE UNIQUE INDEX CONCURRENTLY shared_bad ON slug.shared (slug);
CREATE UNIQUE INDEX CONCURRENTLY shared_some ON slug.shared (slug) WHERE id < 10;
SELECT dtmodel.add_slug('slug.shared', 'title');
\echo :SQLSTATE
UPDATE slug.shared SET slug = 't-2' WHERE id = 2;
SELECT dtmodel.add_slug('slug.shared', 'title');
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'slug.shared'::regclass ORDER BY 1;
SELECT problem, repair, advice FROM dtmodel.drift('slug.shared');
DROP INDEX slug.uq_shared_slug;
SELECT problem, repair, advice FROM dtmodel.drift('slug.shared');
INSERT INTO slug.shared VALUES (3, 'T', NULL, 3);
\echo :SQLSTATE
DROP INDEX slug.shared_bad;
INSERT INTO slug.shared VALUES (3, 'T', NULL, 3);
\echo :SQLSTATE
DROP INDEX slug.shared_some;
CREATE UNIQUE INDEX shared_some ON slug.shared (slug) WHERE id < 10;
COMMENT ON INDEX slug.shared_some IS 'mine';
SELECT dtmodel.add_slug('slug.shared', 'title');
INSERT INTO slug.shared VALUES (3, 'T', NULL, 3) RETURNING slug;
SELECT dtmodel.new_slug(ROW(NULL, 'x', 'y', 1)::slug.shared);
SELECT dtmodel.remove_slug('slug.shared');
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'slug.shared'::regclass ORDER BY 1;

-- an index of ours that is not valid
CREATE TABLE slug.broken (id int PRIMARY KEY, title text, slug text);
INSERT INTO slug.broken VALUES (1, 'T', 't'), (2, 'T', 't');
CREATE UNIQUE INDEX CONCURRENTLY broken_slug ON slug.broken (slug);
COMMENT ON INDEX slug.broken_slug IS 'made by dtmodel.add_slug';
UPDATE slug.broken SET slug = 't-2' WHERE id = 2;
SELECT dtmodel.add_slug('slug.broken', 'title');
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'slug.broken'::regclass ORDER BY 1;

-- an upsert that takes away the slug, or sets the one that was made for the row that was not inserted
CREATE TABLE slug.upserted (id int PRIMARY KEY, title text, k int UNIQUE);
SELECT dtmodel.add_slug('slug.upserted', 'title', on_update => true);
INSERT INTO slug.upserted VALUES (1, 'A', 1);
INSERT INTO slug.upserted VALUES (2, 'A', 1) ON CONFLICT (k) DO UPDATE SET slug = EXCLUDED.slug, title = EXCLUDED.title;
SELECT * FROM slug.upserted;
INSERT INTO slug.upserted VALUES (2, 'B', 1) ON CONFLICT (k) DO UPDATE SET slug = NULL, title = EXCLUDED.title;
SELECT * FROM slug.upserted;

-- a restored row whose slug was not made from its title, and only begins like it
CREATE TABLE slug.returned (id int PRIMARY KEY, title text);
SELECT dtmodel.add_soft_delete('slug.returned'), dtmodel.add_slug('slug.returned', 'title');
INSERT INTO slug.returned VALUES (1, 'Ab');
UPDATE slug.returned SET slug = 'abx';
DELETE FROM slug.returned;
INSERT INTO slug.returned VALUES (2, 'Abx');
SELECT (dtmodel.restore(NULL::slug.returned, 1)).slug;

-- no rows to fill
CREATE TABLE slug.emptied (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('slug.emptied', 'title');
CALL dtmodel.fill_slugs('slug.emptied');

-- a table that is known to be empty
CREATE TABLE slug.unfilled (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('slug.unfilled', 'title');
VACUUM slug.unfilled;
CALL dtmodel.fill_slugs('slug.unfilled');

-- an index that was interrupted when it was nearly built
RESET client_min_messages;
CREATE TABLE slug.halfway (id int PRIMARY KEY, title text, slug text, n int);
INSERT INTO slug.halfway VALUES (1, 'T', 't');
CREATE SEQUENCE slug.calls;
CREATE FUNCTION slug.fails_later(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    ASSERT nextval('slug.calls') = 1;
    RETURN false;
END $$;
CREATE UNIQUE INDEX CONCURRENTLY halfway_bad ON slug.halfway (slug) WHERE slug.fails_later(slug);
SELECT indisready, indisvalid FROM pg_index WHERE indexrelid = 'slug.halfway_bad'::regclass;
SELECT dtmodel.add_slug('slug.halfway', 'title', on_update => true);
SELECT dtmodel.add_soft_delete('slug.halfway');
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'slug.halfway'::regclass ORDER BY 1;
SELECT problem, repair, advice FROM dtmodel.drift('slug.halfway');
DROP INDEX slug.halfway_bad;
-- a change of something else, where slugs follow their source
SELECT dtmodel.add_timestamps('slug.halfway');
UPDATE slug.halfway SET n = 1;
UPDATE slug.halfway SET title = 'U';
SELECT id, slug, n FROM slug.halfway;
-- an index of the user's for some rows, and one that is a constraint
CREATE TABLE slug.partly (id int PRIMARY KEY, title text, slug text);
CREATE UNIQUE INDEX partly_slug ON slug.partly (slug) WHERE id > 10;
SELECT dtmodel.add_slug('slug.partly', 'title');
SELECT dtmodel.add_soft_delete('slug.partly');
SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = 'slug.partly'::regclass ORDER BY indexrelid::regclass::text;
CREATE TABLE slug.bound (id int PRIMARY KEY, title text, slug text, CONSTRAINT uq_bound_slug UNIQUE (slug));
SELECT dtmodel.add_slug('slug.bound', 'title');
SELECT dtmodel.remove_slug('slug.bound');
SELECT conname FROM pg_constraint WHERE conrelid = 'slug.bound'::regclass AND contype = 'u';
-- a slug that was set to null while its trigger was disabled
SELECT dtmodel.add_slug('slug.bound', 'title'), dtmodel.add_timestamps('slug.bound');
INSERT INTO slug.bound (id, title) VALUES (1, 'T');
ALTER TABLE slug.bound DISABLE TRIGGER zz_dtmodel_slug;
UPDATE slug.bound SET slug = NULL;
ALTER TABLE slug.bound ENABLE TRIGGER zz_dtmodel_slug;
SELECT slug, updated_at > created_at AS changed FROM slug.bound;
UPDATE slug.bound SET id = 1;
SELECT slug FROM slug.bound;

SET client_min_messages = warning;
DROP SCHEMA slug CASCADE;
DROP ROLE slug_user;
