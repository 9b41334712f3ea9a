--
-- soft delete: errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA soft_delete_misuse;
SET search_path = soft_delete_misuse;

-- tables that are refused
CREATE TABLE base (id int PRIMARY KEY);
CREATE VIEW v AS SELECT * FROM base;
CREATE TABLE parted (id int, is_deleted boolean) PARTITION BY LIST (is_deleted);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (false);
CREATE TABLE nested (id int, at timestamptz) PARTITION BY LIST (id);
CREATE TABLE nested_1 (at timestamptz, id int) PARTITION BY RANGE (at);
ALTER TABLE nested ATTACH PARTITION nested_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('v');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('parted');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('part');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('nested', deleted_at => 'at');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('pg_catalog.pg_class');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete(NULL);
\echo :SQLSTATE

-- columns and options that are refused
CREATE TABLE t (id int PRIMARY KEY, state text, flag boolean, at timestamptz);
SELECT dtmodel.add_soft_delete('t', deleted_at => NULL);
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag => 'at', deleted_at => 'at');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag => 'state');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', deleted_at => 'state');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag_means => 'perhaps');
\echo :SQLSTATE

-- rows whose flag and time are not consistent; the hint shows the correction
INSERT INTO t VALUES (1, 'a', true, NULL), (2, 'b', false, NULL);
SELECT dtmodel.add_soft_delete('t', flag => 'flag');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag => 'flag', deleted_at => 'at');
\echo :SQLSTATE
UPDATE t SET at = '2001-01-01';
SELECT dtmodel.add_soft_delete('t', deleted_at => 'at');
\echo :SQLSTATE
SELECT dtmodel.add_soft_delete('t', flag => 'flag', deleted_at => 'at', flag_means => 'live');
\echo :SQLSTATE
\d t
UPDATE t SET at = NULL WHERE id = 2;
SELECT dtmodel.add_soft_delete('t', flag => 'flag', deleted_at => 'at');
DELETE FROM t;
SELECT id, flag, at IS NOT NULL AS timed FROM t ORDER BY id;

-- the columns cannot be dropped while rows are deleted
SELECT dtmodel.remove_soft_delete('t', drop_columns => true);
\echo :SQLSTATE
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM t WHERE at IS NOT NULL;
COMMIT;
SELECT dtmodel.remove_soft_delete('t', drop_columns => true);
\d t

-- rows and ids
CREATE TYPE pair AS (a int, b int);
CREATE TABLE keyless (a int);
SELECT dtmodel.add_soft_delete('keyless');
CREATE TABLE lines (a int, b int, PRIMARY KEY (a, b));
SELECT dtmodel.add_soft_delete('lines');
CREATE TABLE posts (id uuid PRIMARY KEY);
SELECT dtmodel.add_soft_delete('posts');
SELECT dtmodel.soft_delete(1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(ROW(1, 2));
\echo :SQLSTATE
SELECT dtmodel.restore('posts');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::pair, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::v, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::base, 1);
\echo :SQLSTATE
SELECT dtmodel.restore(NULL::base, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::keyless, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::posts, 'no uuid');
\echo :SQLSTATE
SELECT dtmodel.restore(NULL::posts, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, 1);
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, 'no json');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, '[1, 2]');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, '{"a": 1}');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, '{"a": 1, "b": [2]}');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, '{"a": 1, "b": "x"}');
\echo :SQLSTATE
SELECT dtmodel.soft_delete(NULL::lines, '{"a": 1, "b": 12345678901}');
\echo :SQLSTATE

-- the trigger functions in triggers by hand
SELECT dtmodel_internal.soft_delete_trigger();
\echo :SQLSTATE
SELECT dtmodel_internal.soft_delete_flag_trigger();
\echo :SQLSTATE
SELECT dtmodel_internal.protect_truncate_trigger();
\echo :SQLSTATE
INSERT INTO base VALUES (1);
CREATE TRIGGER wrong AFTER UPDATE ON base FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('deleted_at=at');
UPDATE base SET id = 2;
\echo :SQLSTATE
DROP TRIGGER wrong ON base;
-- it is fired before an UPDATE of a partitioned table, and checks its columns there too
CREATE TRIGGER wrong BEFORE UPDATE ON base FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger('deleted_at=at');
UPDATE base SET id = 2;
\echo :SQLSTATE
DROP TRIGGER wrong ON base;
CREATE TRIGGER wrong BEFORE DELETE ON base FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_flag_trigger('deleted_at=at');
DELETE FROM base;
\echo :SQLSTATE
DROP TRIGGER wrong ON base;

-- a trigger by hand without its arguments deletes nothing
CREATE TRIGGER bare BEFORE DELETE ON base FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_trigger();
DELETE FROM base;
\echo :SQLSTATE
SELECT count(*) FROM base;

DROP SCHEMA soft_delete_misuse CASCADE;
