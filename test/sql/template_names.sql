--
-- names on tables made by LIKE: the same as those of add_*
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA template_names;
SET search_path = template_names;
CREATE FUNCTION names(model regclass) RETURNS TABLE (name name, kind "char", index regclass) LANGUAGE sql AS $$
    SELECT conname, contype, nullif(conindid, 0)::regclass FROM pg_constraint
    WHERE conrelid = model AND contype <> 'n' ORDER BY conname $$;

-- the same as of a table to which add_* adds the columns
CREATE TABLE users (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
                    LIKE dtmodel.configurable_mixin INCLUDING ALL, name text);
SELECT * FROM names('users');
SET client_min_messages = notice;
SELECT dtmodel.add_model('users');
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_settings('users', '{theme}');
SELECT dtmodel.add_model('users');
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_settings('users', '{theme}');
SET client_min_messages = warning;
CREATE TABLE others (name text);
SELECT dtmodel.add_model('others'), dtmodel.add_soft_delete('others'), dtmodel.add_settings('others', '{theme}');
SELECT * FROM names('users');
SELECT * FROM names('others');
SELECT dtmodel.describe('users') -> 'drift' AS drift;
\set VERBOSITY terse
INSERT INTO users (name, is_deleted) VALUES ('x', true);
\set VERBOSITY default

-- quoted, and truncated to 63 bytes
SELECT 'My "table" of a name that is as long as the names of tables may' AS long \gset
CREATE TABLE :"long" (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_model(quote_ident(:'long')::regclass), dtmodel.add_soft_delete(quote_ident(:'long')::regclass);
SELECT * FROM names(quote_ident(:'long')::regclass);
CREATE TABLE "Odd ""name""" (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_model('"Odd ""name"""'), dtmodel.add_soft_delete('"Odd ""name"""');
SELECT * FROM names('"Odd ""name"""');

-- names that a user chose are kept, and so are keys of other kinds
CREATE TABLE chosen (LIKE dtmodel.soft_delete_mixin INCLUDING ALL, id uuid DEFAULT dtmodel.uuidv7() CONSTRAINT my_key PRIMARY KEY);
ALTER TABLE chosen RENAME CONSTRAINT ck_soft_delete TO my_ck_soft_delete;
CREATE TABLE numbered (id bigint PRIMARY KEY, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_model('chosen'), dtmodel.add_soft_delete('chosen'), dtmodel.add_model('numbered'), dtmodel.add_soft_delete('numbered');
SELECT * FROM names('chosen');
SELECT * FROM names('numbered');

-- names that are in use
CREATE TABLE taken (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
                    n int CONSTRAINT ck_taken_soft_delete CHECK (n > 0));
CREATE TABLE pk_taken ();
SELECT dtmodel.add_model('taken'), dtmodel.add_soft_delete('taken');
SELECT * FROM names('taken');

-- tables that inherit: they get the same names, unless they inherit the constraint from another table too
CREATE TABLE parent (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
CREATE TABLE inheritor () INHERITS (parent);
CREATE TABLE inheritor_of_inheritor () INHERITS (inheritor);
SELECT dtmodel.add_model('parent'), dtmodel.add_soft_delete('parent');
SELECT 'parent' AS table, * FROM names('parent') UNION ALL SELECT 'inheritor', * FROM names('inheritor')
UNION ALL SELECT 'inheritor of inheritor', * FROM names('inheritor_of_inheritor');
CREATE TABLE one (LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
CREATE TABLE two (LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
CREATE TABLE inheritor_of_both () INHERITS (one, two);
SELECT dtmodel.add_soft_delete('one'), dtmodel.add_soft_delete('two');
SELECT 'one' AS table, * FROM names('one') UNION ALL SELECT 'inheritor', * FROM names('inheritor_of_both');

-- partitions follow their table
CREATE TABLE parted (k int, LIKE dtmodel.soft_delete_mixin INCLUDING ALL, LIKE dtmodel.configurable_mixin INCLUDING ALL) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('parted'), dtmodel.add_settings('parted', '{a}');
SELECT 'parted' AS table, * FROM names('parted') UNION ALL SELECT 'part', * FROM names('parted_1');
CREATE TABLE parted_2 (k int, LIKE dtmodel.soft_delete_mixin INCLUDING ALL, LIKE dtmodel.configurable_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('parted_2'), dtmodel.add_settings('parted_2', '{a}');
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
SELECT * FROM names('parted_2');

-- rolled back with the rest
BEGIN;
CREATE TABLE undone (LIKE dtmodel.model_base INCLUDING ALL);
SAVEPOINT s;
SELECT dtmodel.add_model('undone');
ROLLBACK TO s;
SELECT * FROM names('undone');
COMMIT;

-- a publication of all tables has models, and not the templates, which its
-- subscribers would have to have
CREATE TABLE published (LIKE dtmodel.model_base INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT relpersistence FROM pg_class WHERE oid = 'published'::regclass;
BEGIN;
SET LOCAL client_min_messages = error;      -- wal_level
CREATE PUBLICATION template_names_all FOR ALL TABLES;
SELECT tablename FROM pg_publication_tables
WHERE pubname = 'template_names_all' AND (schemaname = 'dtmodel' OR tablename = 'published');
ROLLBACK;

DROP SCHEMA template_names CASCADE;
