--
-- timestamps and audit of tables that others inherit from
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA timestamps_inheritance;
CREATE SCHEMA timestamps_inheritance_2;
SET search_path = timestamps_inheritance;
SET timezone = 'UTC';

-- tables that inherit, tables that inherit from them, one with two parents, one
-- that declares the columns itself, and one of the same name in another schema
CREATE TABLE base (id int, note text, visits int DEFAULT 0);
CREATE TABLE child (more text) INHERITS (base);
CREATE TABLE other (note text, extra int) INHERITS (base);
CREATE TABLE both_of () INHERITS (child, other);
CREATE TABLE declared (updated_at timestamptz, created_at timestamptz DEFAULT 'epoch') INHERITS (base);
CREATE TABLE timestamps_inheritance_2.child () INHERITS (child);
CREATE TABLE stranger (id int, note text, visits int);
CREATE VIEW triggers AS
    SELECT c.oid::regclass AS inheritor, pg_get_triggerdef(t.oid) AS definition
    FROM pg_class AS c JOIN pg_trigger AS t ON t.tgrelid = c.oid
    WHERE c.relnamespace::regnamespace::text LIKE 'timestamps_inheritance%' ORDER BY c.oid;
SELECT dtmodel.add_timestamps('base', ignore_columns => '{visits}');
RESET client_min_messages;
SELECT * FROM triggers;
SELECT dtmodel.add_timestamps('base', ignore_columns => '{visits}');
SELECT model, mixins, drift FROM dtmodel.models WHERE mixins <> '{}' AND drift <> '{}';
SELECT attrelid::regclass AS inheritor, attname, attislocal, pg_get_expr(adbin, adrelid) AS expression
FROM pg_attribute LEFT JOIN pg_attrdef ON attrelid = adrelid AND attnum = adnum
WHERE attrelid IN ('both_of'::regclass, 'declared'::regclass) AND attname LIKE '%\_at' ORDER BY attrelid, attname;

-- a statement on the parent has the same effect on the rows of all of them
INSERT INTO base VALUES (1);
INSERT INTO child VALUES (2);
INSERT INTO both_of VALUES (3);
INSERT INTO declared (id) VALUES (4);
INSERT INTO timestamps_inheritance_2.child VALUES (5);
INSERT INTO other (id, created_at) VALUES (6, '2001-01-01 00:00+00');
CREATE TABLE before AS SELECT id, created_at, updated_at FROM base;
CREATE VIEW state AS
    SELECT b.tableoid::regclass AS inheritor, id, b.created_at = o.created_at AS kept, b.updated_at > o.updated_at AS moved
    FROM base AS b JOIN before AS o USING (id) ORDER BY id;
UPDATE base SET visits = visits + 1, created_at = 'now';
TABLE state;
UPDATE base SET note = 'changed', created_at = 'now';
TABLE state;
SELECT id, created_at AT TIME ZONE 'UTC' AS created_at FROM base WHERE id IN (4, 6) ORDER BY id;
TRUNCATE before;
INSERT INTO before SELECT id, created_at, updated_at FROM base;
UPDATE ONLY child SET note = 'again';
SELECT * FROM state WHERE moved;

-- another call changes them all; a default of an inheriting table is kept
SELECT dtmodel.add_timestamps('base', clock => 'statement', on_insert => 'stamp');
SELECT DISTINCT definition LIKE '%BEFORE INSERT OR UPDATE%on_insert=stamp%' AS stamps, count(*) FROM triggers GROUP BY 1;
INSERT INTO declared (id, created_at) VALUES (7, '2001-01-01') RETURNING created_at = statement_timestamp() AS stamped;
SELECT DISTINCT attname, pg_get_expr(adbin, adrelid) AS expression, count(*)
FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid IN (SELECT inheritor FROM triggers) AND attname LIKE '%\_at' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT dtmodel.add_timestamps('base');

-- a table that inherits later has the columns and no trigger, which is drift of
-- each table above it; the next call adds the trigger
CREATE TABLE late () INHERITS (child);
INSERT INTO late VALUES (8);
ALTER TABLE stranger ADD COLUMN created_at timestamptz NOT NULL, ADD COLUMN updated_at timestamptz NOT NULL;
ALTER TABLE stranger INHERIT base;
SELECT model, unnest(drift) AS drift FROM dtmodel.models WHERE mixins <> '{}' ORDER BY 1, 2;
BEGIN;
SELECT dtmodel.add_timestamps('base');
ROLLBACK;
SELECT count(*) FROM dtmodel.models WHERE mixins <> '{}' AND drift <> '{}';
SELECT dtmodel.add_timestamps('base');
SELECT count(*) FROM dtmodel.models WHERE mixins <> '{}' AND drift <> '{}';
UPDATE base SET note = 'late' WHERE id = 8 RETURNING updated_at = now() AS moved;
ALTER TABLE stranger NO INHERIT base;
SELECT dtmodel.remove_timestamps('late');
SELECT model, drift FROM dtmodel.models WHERE mixins <> '{}' AND drift <> '{}' ORDER BY 1;
DROP TABLE late;
DROP TABLE stranger;

-- audit, with foreign keys, which are not inherited either
CREATE TABLE people (name text PRIMARY KEY);
INSERT INTO people VALUES ('ann'), ('bob');
SELECT dtmodel.add_audit('child', "references" => 'people');
SELECT conrelid::regclass AS inheritor, conname FROM pg_constraint WHERE confrelid = 'people'::regclass ORDER BY conrelid, conname;
SELECT dtmodel.add_audit('child', "references" => 'people');
SET dtmodel.actor = 'ann';
INSERT INTO both_of VALUES (9);
INSERT INTO timestamps_inheritance_2.child VALUES (10);
SET dtmodel.actor = 'bob';
UPDATE child SET created_by = 'x', note = 'of bob' WHERE id IN (9, 10);
SELECT tableoid::regclass AS inheritor, created_by, updated_by FROM child WHERE id IN (9, 10) ORDER BY id;
SET dtmodel.actor = 'cy';
UPDATE child SET note = 'of cy' WHERE id = 9;
\echo :SQLSTATE
RESET dtmodel.actor;
CREATE TABLE late () INHERITS (both_of);
SELECT model, unnest(drift) AS drift FROM dtmodel.models WHERE mixins <> '{}' ORDER BY 1, 2;
SELECT dtmodel.add_timestamps('base'), dtmodel.add_audit('child');
SELECT count(*) FROM dtmodel.models WHERE mixins <> '{}' AND drift <> '{}';
SELECT dtmodel.remove_audit('child');
SELECT conrelid::regclass AS inheritor, conname FROM pg_constraint WHERE confrelid = 'people'::regclass ORDER BY conrelid, conname;
SELECT DISTINCT mixins FROM dtmodel.models WHERE model IN (SELECT inheritor FROM triggers);
SELECT dtmodel.add_audit('child', "references" => 'people');
SELECT dtmodel.remove_audit('child', drop_columns => true);
SELECT dtmodel.get_fields('child'), dtmodel.get_fields('late'), dtmodel.get_fields('base');

-- removed from an inheriting table only, whose inherited columns stay
SELECT dtmodel.remove_timestamps('other', drop_columns => true);
SELECT dtmodel.get_fields('other');
SELECT model, unnest(drift) AS drift FROM dtmodel.models WHERE mixins <> '{}' ORDER BY 1, 2;

-- removed from all: columns that an inheriting table declares itself stay
DROP VIEW state;
SELECT dtmodel.remove_timestamps('base', drop_columns => true);
SELECT dtmodel.remove_timestamps('base', drop_columns => true);
SELECT count(*) FROM triggers;
SELECT dtmodel.get_fields('base'), dtmodel.get_fields('both_of'), dtmodel.get_fields('declared');

-- add_model makes models of them too, and keeps existing timestamps
CREATE TABLE root (name text);
CREATE TABLE leaf () INHERITS (root);
CREATE TABLE slow (made_at timestamptz) INHERITS (root);
SELECT dtmodel.add_timestamps('slow', 'made_at', 'changed_at', clock => 'clock');
SELECT dtmodel.add_model('root');
SELECT dtmodel.add_model('root');
SELECT model, primary_key, mixins, drift, dtmodel.describe(model) #>> '{timestamps,created_at}' AS created_at
FROM dtmodel.models WHERE mixins <> '{}' ORDER BY 1;
CREATE TABLE late_leaf () INHERITS (root);
SELECT dtmodel.add_model('root');
SELECT drift FROM dtmodel.models WHERE model = 'root'::regclass;
SELECT dtmodel.add_timestamps('late_leaf');
SELECT drift FROM dtmodel.models WHERE model = 'root'::regclass;
SELECT dtmodel.remove_model('root');
SELECT model, mixins FROM dtmodel.models ORDER BY 1;
SELECT * FROM dtmodel.models WHERE mixins <> '{}';
INSERT INTO late_leaf DEFAULT VALUES RETURNING id IS NOT NULL AS id, created_at = now() AS created;
SELECT dtmodel.add_model('root');
SELECT dtmodel.remove_model('root', drop_columns => true);
SELECT dtmodel.get_fields('root'), dtmodel.get_fields('late_leaf'), dtmodel.get_fields('slow');

-- all of them or none: an inheriting table of another owner, one whose column has
-- another type, and a foreign table
CREATE ROLE timestamps_inheritance_other;
GRANT ALL ON SCHEMA timestamps_inheritance TO timestamps_inheritance_other;
ALTER TABLE root OWNER TO timestamps_inheritance_other;
SET ROLE timestamps_inheritance_other;
SELECT dtmodel.add_timestamps('root');
\echo :SQLSTATE
RESET ROLE;
CREATE TABLE unfit (created_at date) INHERITS (root);
SELECT dtmodel.add_timestamps('root');
\echo :SQLSTATE
DROP TABLE unfit;
CREATE FOREIGN DATA WRAPPER timestamps_inheritance;
CREATE SERVER timestamps_inheritance FOREIGN DATA WRAPPER timestamps_inheritance;
CREATE FOREIGN TABLE far () INHERITS (root) SERVER timestamps_inheritance;
SELECT dtmodel.add_timestamps('root');
\echo :SQLSTATE
SELECT dtmodel.add_audit('root');
\echo :SQLSTATE
SELECT count(*) FROM triggers;
SELECT dtmodel.get_fields('root');

SET client_min_messages = warning;
DROP SCHEMA timestamps_inheritance CASCADE;
DROP SCHEMA timestamps_inheritance_2 CASCADE;
DROP FOREIGN DATA WRAPPER timestamps_inheritance CASCADE;
DROP ROLE timestamps_inheritance_other;
