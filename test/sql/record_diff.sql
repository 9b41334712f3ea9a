--
-- get_modified_keys and get_changes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA record_diff;
SET search_path = record_diff;

CREATE TABLE t (gone int, id int PRIMARY KEY, name text, n numeric, f float8, doc jsonb, list int[], twice int GENERATED ALWAYS AS (id * 2) STORED, big text);
ALTER TABLE t DROP COLUMN gone;
SELECT dtmodel.add_settings('t', '{theme,notify}');
ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '% %: % %', TG_WHEN, TG_OP, dtmodel.get_modified_keys(OLD, NEW), dtmodel.get_changes(OLD, NEW);
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER before BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER tell AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tell();

INSERT INTO t (id, name, n, f, doc, list, big, settings)
VALUES (1, 'a', 1.0, 0.0, '{"k": 1}', '{1}', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) AS i), '{"theme": "dark", "notify": {"sms": true, "email": true}}');
UPDATE t SET name = name;
UPDATE t SET name = 'b', n = 1.00, f = '-0', doc = '{"k": 1.0}', list = '[0:0]={1}';
UPDATE t SET name = NULL, list = NULL;
UPDATE t SET id = 2;
UPDATE t SET big = big || '';
UPDATE t SET big = big || 'x';
UPDATE t SET settings = '{"theme": "light", "notify": {"sms": true, "email": false}}';
UPDATE t SET settings = '{"notify": {}}', name = 'c';
UPDATE t SET settings = NULL;
SELECT dtmodel.add_settings('t', '{theme,notify}', combined => false);
UPDATE t SET settings = '{"theme": "light", "notify": {"sms": true}}';
UPDATE t SET settings = '{"theme": "dark", "notify": {"sms": false}}';
DELETE FROM t;

-- a record that a function has changed, and rows in SQL
CREATE FUNCTION change() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    a record_diff.t;
    b record_diff.t;
BEGIN
    a.id := 1;
    b := a;
    b.name := 'x';
    b.settings := '{"theme": 1}';
    RETURN dtmodel.get_modified_keys(a, b) || dtmodel.get_changes(b, a);
END $$;
SELECT change();
SELECT dtmodel.get_modified_keys(a, b) FROM (VALUES (1, 'x', NULL::int)) AS a (x, y, z), (VALUES (1, 'y', 2)) AS b (x, y, z);
SELECT dtmodel.get_modified_keys(a, a), dtmodel.get_modified_keys(a, NULL), dtmodel.get_modified_keys(NULL, a) FROM (VALUES (1, NULL)) AS a (x, y);
SELECT dtmodel.get_modified_keys(NULL, NULL), dtmodel.get_changes(NULL, NULL);
SELECT dtmodel.get_changes(a, b) FROM (VALUES (1, '{"k": 1}'::jsonb)) AS a (x, y), (VALUES (1, '{"k": 2}'::jsonb)) AS b (x, y);

-- PL/pgSQL records that are not rows of a table, whose types all have the same OID
CREATE FUNCTION differ(query text, other text) RETURNS SETOF text[] LANGUAGE plpgsql AS $$
DECLARE
    a record;
    b record;
BEGIN
    FOR a IN EXECUTE query LOOP
        FOR b IN EXECUTE other LOOP
            RETURN NEXT dtmodel.get_modified_keys(a, b);
            RETURN NEXT dtmodel.get_changes(b, a);
        END LOOP;
    END LOOP;
END $$;
CREATE TABLE three (a int, b text, c text);
INSERT INTO three VALUES (1, 'x', 'y');
SELECT differ('SELECT * FROM record_diff.three', 'SELECT a, b || ''x'' AS b, c FROM record_diff.three');
SELECT differ('SELECT * FROM record_diff.three', 'SELECT *, 1 AS d FROM record_diff.three');
\echo :SQLSTATE
SELECT differ('SELECT * FROM record_diff.three', 'SELECT ''text''::text AS a, b, c FROM record_diff.three');
\echo :SQLSTATE

CREATE TABLE gone (a int, b text, c text);
ALTER TABLE gone DROP a;
SELECT dtmodel.get_changes(three, gone) FROM three LEFT JOIN gone ON true;
INSERT INTO gone VALUES ('x', 'y');
SELECT dtmodel.get_changes(three, gone) FROM three, gone;
\echo :SQLSTATE

-- a row that was stored before its table was altered
CREATE TABLE old (id int, note text);
INSERT INTO old VALUES (1, '{"theme": "dark"}');
DO $$
DECLARE
    before record_diff.old;
    changed record_diff.old;
    after record_diff.old;
BEGIN
    SELECT * INTO before FROM record_diff.old;
    changed := before;
    changed.note := '{"theme": "light"}';
    ALTER TABLE record_diff.old ALTER note TYPE jsonb USING note::jsonb;
    PERFORM dtmodel.add_settings('record_diff.old', '{theme}', settings => 'note');
    -- to these rows the column is a text still
    RAISE WARNING '%', dtmodel.get_changes(before, changed);
    RAISE WARNING '%', dtmodel.to_dict(before);
    SELECT * INTO after FROM record_diff.old;
    RAISE WARNING '%', dtmodel.get_changes(NULL, after);
    RAISE WARNING '%', dtmodel.to_dict(after);
    RAISE WARNING '%', dtmodel.get_changes(before, after);
END $$;
\echo :SQLSTATE
CREATE TABLE older (id int);
INSERT INTO older VALUES (1);
DO $$
DECLARE
    before record_diff.older;
BEGIN
    SELECT * INTO before FROM record_diff.older;
    PERFORM dtmodel.add_settings('record_diff.older', '{theme}', schema => '{"theme": {"default": "dark"}}');
    RAISE WARNING '% %', dtmodel.get_changes(NULL, before), dtmodel.to_dict(before);
END $$;
-- another column has taken the name of the settings
CREATE TABLE drifted (id int);
SELECT dtmodel.add_settings('drifted', '{theme}');
INSERT INTO drifted VALUES (1, '{"theme": "dark"}');
ALTER TABLE drifted RENAME settings TO previous;
ALTER TABLE drifted ADD settings text DEFAULT 'text';
SELECT dtmodel.get_changes(NULL, d) FROM drifted AS d;
\echo :SQLSTATE

-- records of two types that have the same columns, and columns of other names
SELECT dtmodel.get_changes(a, b)
FROM (SELECT 1 AS id, 'x'::varchar(5) AS name) AS a, (SELECT 1 AS id, 'y'::varchar(9) AS name) AS b;
SELECT dtmodel.get_changes(a, b)
FROM (SELECT 1 AS id, 'x'::varchar(5) AS name) AS a, (SELECT 1 AS id, 'y'::varchar(9) AS title) AS b;
\echo :SQLSTATE

-- a short value, and one that is stored compressed
CREATE TABLE packed (id int PRIMARY KEY, body text);
INSERT INTO packed VALUES (1, 'short'), (2, repeat('x', 5000)), (3, repeat('x', 5000)), (4, repeat('y', 5000));
SELECT a.id AS old, b.id AS new, dtmodel.get_modified_keys(a, b) FROM packed AS a, packed AS b WHERE a.id IN (1, 2) AND a.id <> b.id ORDER BY 1, 2;

DROP SCHEMA record_diff CASCADE;
