--
-- names of indexes and constraints that are truncated or in use
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA long_names;
SET search_path = long_names;
CREATE VIEW indexes AS
SELECT regexp_replace(tablename::text, '(.)\1{9,}', '\1*', 'g') AS table, regexp_replace(indexname::text, '(.)\1{9,}', '\1*', 'g') AS index,
       octet_length(indexname) AS length, substring(indexdef FROM 'WHERE.*') AS rows FROM pg_indexes WHERE schemaname = 'long_names' ORDER BY tablename COLLATE "C", indexname COLLATE "C";

-- two tables whose names differ only at their ends, which the names of their indexes do not have
SELECT repeat('a', 62) || '1' AS one, repeat('a', 62) || '2' AS two \gset
CREATE TABLE :one (title text);
CREATE TABLE :two (title text);
CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_model(:'one'), dtmodel.add_soft_delete(:'one'), dtmodel.unique_live(:'one', 'title'), dtmodel.add_slug(:'one', 'title');
SELECT dtmodel.add_model(:'two'), dtmodel.add_soft_delete(:'two'), dtmodel.unique_live(:'two', 'title'), dtmodel.add_slug(:'two', 'title');
TABLE indexes;
-- the same call changes nothing; with another flag, other indexes replace them
SET client_min_messages = notice;
SELECT dtmodel.add_model(:'two'), dtmodel.add_soft_delete(:'two'), dtmodel.unique_live(:'two', 'title'), dtmodel.add_slug(:'two', 'title');
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete(:'two', flag => NULL), dtmodel.unique_live(:'two', 'title');
TABLE indexes;
INSERT INTO :two (title) VALUES ('Hello');
INSERT INTO :two (title) SELECT upper(title) FROM :two;
SELECT slug FROM :two ORDER BY slug;
SELECT dtmodel.remove_slug(:'two');
TABLE indexes;
-- the foreign keys of both columns, whose names distinguish them
SELECT dtmodel.add_audit(:'one', type => 'int', "references" => 'users');
SELECT conname, octet_length(conname) AS length FROM pg_constraint WHERE conrelid = :'one'::regclass AND contype = 'f' ORDER BY conname COLLATE "C";

-- names of existing relations
CREATE TABLE pk_things ();
CREATE VIEW uq_things_slug AS SELECT 1 AS one;
CREATE SEQUENCE uq_things_title;
CREATE TABLE things (title text);
SELECT dtmodel.add_model('things'), dtmodel.add_soft_delete('things'), dtmodel.add_slug('things', 'title'), dtmodel.unique_live('things', 'title');
SELECT index FROM indexes WHERE "table" = 'things';
-- an index with a number at its end is not necessarily ours
CREATE TABLE pages (slug text, title text);
CREATE UNIQUE INDEX uq_pages_slug_ ON pages (slug);
CREATE UNIQUE INDEX uq_pages_slug_2x ON pages (slug);
CREATE UNIQUE INDEX uq_pages_title_3 ON pages (slug);
SELECT '_' || repeat('1', 62) AS digits \gset
CREATE UNIQUE INDEX :digits ON pages (slug);
SELECT dtmodel.add_slug('pages', 'title'), dtmodel.remove_slug('pages');
SELECT index FROM indexes WHERE "table" = 'pages';

DROP SCHEMA long_names CASCADE;
