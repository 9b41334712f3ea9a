--
-- functions on rows: tables without columns, with dropped ones, and values that are stored out of line
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA rows_columns;
SET search_path = rows_columns;

-- no column, and none any more
CREATE TABLE nothing ();
CREATE TABLE gone (x int);
ALTER TABLE gone DROP COLUMN x;
SELECT dtmodel.create(NULL::nothing, '{}'), dtmodel.create(NULL::gone, '{}');
SELECT count(*), count(n) FROM dtmodel.bulk_create(NULL::nothing, '[{}, {}]') AS n;
SELECT count(*), count(g) FROM dtmodel.bulk_create(NULL::gone, '[{}, {}]') AS g;
SELECT count(*) FROM dtmodel.get_all(NULL::nothing);
SELECT count(*) FROM dtmodel.get_all(NULL::gone);
SELECT n FROM dtmodel.get_all(NULL::nothing, 1) AS n;
SELECT g FROM dtmodel.get_all(NULL::gone, 1) AS g;
SELECT dtmodel.to_dict(g) FROM dtmodel.get_all(NULL::gone, 1) AS g;

-- dropped columns at either end and between, of any type; two sets of columns, whose rows are kept until all are there
CREATE TABLE parts (a text, id int PRIMARY KEY, b numeric, t text, c jsonb);
ALTER TABLE parts ALTER t SET STORAGE EXTERNAL;
SELECT dtmodel.add_soft_delete('parts');
ALTER TABLE parts DROP COLUMN a, DROP COLUMN b, DROP COLUMN c, ADD COLUMN d text DEFAULT 'd', ADD COLUMN e point;
ALTER TABLE parts DROP COLUMN e;
SELECT id, length(t) AS t, d FROM dtmodel.bulk_create(NULL::parts, jsonb_build_array(
    jsonb_build_object('id', 2, 't', repeat('x', 10000)), '{"id": 1, "d": "D"}'::jsonb, jsonb_build_object('id', 3, 't', repeat('y', 20000))));
SELECT p.id, length(p.t) AS t, length(dtmodel.to_dict(p) ->> 't') AS dict FROM dtmodel.get_all(NULL::parts) AS p;
SELECT id, length(t) AS t, d FROM dtmodel.get_by_id(NULL::parts, 3);
SELECT id, length(t) AS t, d FROM dtmodel.update(NULL::parts, 3, '{"d": "new"}');
SELECT id, t, d FROM dtmodel.update(NULL::parts, 1, '{"t": "short"}');
SELECT (created).id, (created).d FROM (SELECT dtmodel.create(NULL::parts, '{"id": 4}') AS created) AS c;
SELECT (instance).id, length((instance).t) AS t, created FROM dtmodel.upsert(NULL::parts, '{"id": 2, "d": "E"}');
SELECT (instance).id, length((instance).t) AS t, created FROM dtmodel.get_or_create(NULL::parts, '{"id": 3}');
SELECT id, length(t) AS t, is_deleted FROM dtmodel.soft_delete(NULL::parts, 2);
SELECT id, length(t) AS t, is_deleted FROM dtmodel.get_deleted(NULL::parts);
SELECT id, length(t) AS t, is_deleted FROM dtmodel.restore(NULL::parts, 2);
SELECT id, length(t) AS t FROM dtmodel.delete(NULL::parts, 2, soft => false);

-- rows that are listed while they go, one transaction after the other
CREATE TABLE seen (id int, t int);
DO $$
DECLARE
    p rows_columns.parts;
BEGIN
    FOR p IN SELECT * FROM dtmodel.get_all(NULL::rows_columns.parts) LOOP
        PERFORM dtmodel.delete(NULL::rows_columns.parts, p.id, soft => false);
        COMMIT;
        INSERT INTO rows_columns.seen VALUES (p.id, length(p.t));
    END LOOP;
END $$;
SELECT * FROM seen ORDER BY id;
SELECT count(*) FROM parts;

-- rows that were written before a column was added
CREATE TABLE short_rows (id int PRIMARY KEY, v text, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
SELECT dtmodel.add_soft_delete('short_rows');
INSERT INTO short_rows VALUES (1, 'a');
ALTER TABLE short_rows ADD w int;
SELECT dtmodel.get_by_id(NULL::short_rows, 1);
SELECT dtmodel.to_dict(dtmodel.get_by_id(NULL::short_rows, 1));

DROP SCHEMA rows_columns CASCADE;
