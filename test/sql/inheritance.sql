--
-- soft delete of tables that others inherit from
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA inheritance;
SET search_path = inheritance;

-- psql's \d shows a table that inherits in more than one way
CREATE FUNCTION described(tbl regclass) RETURNS SETOF text LANGUAGE sql AS $$
    (SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
                      'DEFAULT ' || pg_get_expr(adbin, adrelid))
     FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = attrelid AND adnum = attnum
     WHERE attrelid = tbl AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
    UNION ALL
    (SELECT conname || ' ' || pg_get_constraintdef(oid)
     FROM pg_constraint WHERE conrelid = tbl AND contype = 'c' ORDER BY conname)
    UNION ALL
    (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = tbl ORDER BY tgname)
$$;

CREATE TABLE base (id int PRIMARY KEY, note text);
CREATE TABLE child (more text, PRIMARY KEY (id)) INHERITS (base);
CREATE TABLE grandchild () INHERITS (child);
SELECT dtmodel.add_soft_delete('base');
SELECT dtmodel.add_soft_delete('base');
SELECT * FROM described('grandchild');
INSERT INTO base VALUES (1), (2);
INSERT INTO child VALUES (3), (4);
INSERT INTO grandchild VALUES (5), (6), (7);
CREATE VIEW state AS
    SELECT tableoid::regclass AS part, id, is_deleted, deleted_at IS NOT NULL AS timed FROM base ORDER BY id;

-- a DELETE deletes rows of all of them, as one deletion
DELETE FROM base WHERE id IN (1, 3, 5);
DELETE FROM ONLY base WHERE id IN (2, 4);
DELETE FROM grandchild WHERE id = 6;
TABLE state;
SELECT count(DISTINCT deleted_at) FROM base WHERE id IN (1, 3, 5);
SELECT (dtmodel.restore(NULL::base, 5)).id;
SELECT r.id, r.is_deleted FROM dtmodel.soft_delete(NULL::base, 7) AS r;
SELECT r.id, r.is_deleted FROM child AS c, LATERAL dtmodel.restore(c) AS r WHERE c.id = 3;
TABLE state;

-- a table that inherits later is not a model; none of its rows is deleted by mistake
CREATE TABLE late () INHERITS (base);
INSERT INTO late VALUES (8);
SELECT unnest(drift) AS drift FROM dtmodel.models WHERE model = 'base'::regclass;
SELECT dtmodel.add_soft_delete('base');
SELECT drift FROM dtmodel.models WHERE model = 'late'::regclass;
DELETE FROM base WHERE id = 8;
SELECT * FROM state WHERE id = 8;

-- physically
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM base WHERE id IN (1, 5, 8) RETURNING tableoid::regclass, id;
ROLLBACK;

-- an inverted flag, and a table that inherits from one that is not a model
CREATE TABLE accounts (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE members () INHERITS (accounts);
SELECT dtmodel.add_soft_delete('accounts', flag => 'is_active', flag_means => 'live');
SELECT dtmodel.add_soft_delete('members', flag => 'is_active', flag_means => 'live');
INSERT INTO members VALUES (1), (2);
DELETE FROM accounts WHERE id = 1;
SELECT id, is_active FROM accounts ORDER BY id;
CREATE TABLE plain (id int);
CREATE TABLE inheritor (name text) INHERITS (plain);
SELECT dtmodel.add_soft_delete('inheritor');
INSERT INTO inheritor VALUES (1, 'a');
DELETE FROM plain;
SELECT id, name, is_deleted FROM inheritor;

-- removed
UPDATE base SET is_deleted = false;
DROP VIEW state;
SELECT dtmodel.remove_soft_delete('base', drop_columns => true);
SELECT * FROM described('grandchild');
\d base

-- a key is unique in each table; what is changed is what SQL changes, and one row is returned
CREATE TABLE twice (id int PRIMARY KEY, v text);
CREATE TABLE twice_heir () INHERITS (twice);
INSERT INTO twice VALUES (1, 'parent');
INSERT INTO twice_heir VALUES (1, 'heir');
SELECT dtmodel.update(NULL::twice, 1, '{"v": "changed"}');
SELECT tableoid::regclass, * FROM twice ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA inheritance CASCADE;
