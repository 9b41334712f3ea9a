--
-- slugs: errors
--
SELECT getdatabaseencoding() <> 'UTF8' OR
       NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA slug_misuse;
CREATE ROLE slug_misuse_user;
SET search_path = slug_misuse;

CREATE TABLE t (
    id int, title text, n int, short varchar(10),
    upper text GENERATED ALWAYS AS (upper(title)) STORED
);
CREATE VIEW v AS SELECT * FROM t;
CREATE TABLE parted (title text) PARTITION BY LIST (title);
CREATE TABLE part PARTITION OF parted FOR VALUES IN ('a');

-- not a table, a table of another role, in partitions
SELECT dtmodel.add_slug(NULL, 'title');
\echo :SQLSTATE
SELECT dtmodel.add_slug('v', 'title');
\echo :SQLSTATE
SELECT dtmodel.add_slug('parted', 'title');
\echo :SQLSTATE
SELECT dtmodel.add_slug('part', 'title');
\echo :SQLSTATE
GRANT USAGE ON SCHEMA slug_misuse TO slug_misuse_user;
SET ROLE slug_misuse_user;
SELECT dtmodel.add_slug('t', 'title');
\echo :SQLSTATE
SELECT dtmodel.remove_slug('t');
\echo :SQLSTATE
RESET ROLE;

-- columns and options
SELECT dtmodel.add_slug('t', NULL);
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', NULL);
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', 'title');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'nothing');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'upper');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', 'n');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', 'upper');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', 'short');
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', max_length => 23);
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'title', max_length => 1001);
\echo :SQLSTATE

-- existing duplicates
CREATE TABLE twice (title text, slug text);
INSERT INTO twice VALUES ('a', 'same'), ('b', 'same');
SELECT dtmodel.add_slug('twice', 'title');
\echo :SQLSTATE
\d twice

-- nothing was changed so far
\d t

-- the index was dropped
SELECT dtmodel.add_slug('t', 'title');
INSERT INTO t VALUES (1, 'One');
DROP INDEX uq_t_slug;
INSERT INTO t VALUES (2, 'Two');
\echo :SQLSTATE
UPDATE t SET title = 'Uno';
SELECT dtmodel.describe('t') -> 'drift' AS drift;
SELECT dtmodel.add_slug('t', 'title');
INSERT INTO t VALUES (2, 'Two') RETURNING slug;

-- the hint has the options of the model
CREATE TABLE options (title text);
SELECT dtmodel.add_slug('options', 'title', slug => 'the "path"', max_length => 40, on_update => true);
DROP INDEX "uq_options_the ""path""";
INSERT INTO options VALUES ('One');

-- a trigger by hand can have any arguments
CREATE TABLE by_hand (title text, slug text UNIQUE);
CREATE TRIGGER by_hand BEFORE INSERT ON by_hand FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('source=title', 'slug=slug', 'max_length=-5');
INSERT INTO by_hand VALUES ('One'), ('One') RETURNING slug;

-- every write fails after a column was renamed, retyped or dropped, in the same session too
ALTER TABLE t RENAME title TO headline;
INSERT INTO t VALUES (3, 'Three');
\echo :SQLSTATE
SELECT dtmodel.describe('t') -> 'drift' AS drift;
SELECT dtmodel.add_slug('t', 'headline');
ALTER TABLE t RENAME slug TO path;
UPDATE t SET id = 3;
\echo :SQLSTATE
SELECT dtmodel.add_slug('t', 'headline', 'path');
INSERT INTO t VALUES (3, 'Three') RETURNING path;
DROP INDEX uq_t_slug;
ALTER TABLE t ALTER path TYPE int USING 1;
INSERT INTO t VALUES (4, 'Four');
\echo :SQLSTATE
SELECT dtmodel.describe('t') -> 'drift' AS drift;
ALTER TABLE t DROP path;
INSERT INTO t VALUES (4, 'Four');
\echo :SQLSTATE
SELECT dtmodel.remove_slug('t');
INSERT INTO t VALUES (4, 'Four');

-- without soft delete two rows would have the same slug
CREATE TABLE deleted (id int PRIMARY KEY, title text);
SELECT dtmodel.add_slug('deleted', 'title');
SELECT dtmodel.add_soft_delete('deleted');
INSERT INTO deleted VALUES (1, 'One');
SELECT slug FROM dtmodel.soft_delete(NULL::deleted, 1);
INSERT INTO deleted VALUES (2, 'One');
SELECT dtmodel.remove_soft_delete('deleted');
\echo :SQLSTATE

-- the trigger function in other triggers than those of add_slug
SELECT dtmodel_internal.slug_trigger();
\echo :SQLSTATE
CREATE TABLE odd (id int, slug text);
CREATE TRIGGER a AFTER INSERT ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('source=id', 'slug=slug');
INSERT INTO odd VALUES (1);
\echo :SQLSTATE
DROP TRIGGER a ON odd;
CREATE TRIGGER a BEFORE INSERT ON odd FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.slug_trigger('slug=slug');
INSERT INTO odd VALUES (1);
\echo :SQLSTATE

-- a column that got another type
CREATE TABLE retyped (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('retyped'), dtmodel.add_slug('retyped', 'title');
INSERT INTO retyped (id, title) VALUES (1, 'T');
ALTER TABLE retyped ALTER slug TYPE bytea USING slug::bytea;
UPDATE retyped SET title = 'U';
\echo :SQLSTATE
-- without its trigger it is like any column
ALTER TABLE retyped DISABLE TRIGGER zz_dtmodel_slug;
UPDATE retyped SET slug = 'a';
SELECT updated_at > created_at AS changed FROM retyped;

SET client_min_messages = warning;
DROP SCHEMA slug_misuse CASCADE;
DROP ROLE slug_misuse_user;
