--
-- to_dict of rows of any origin, and of rows whose type changes
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA to_dict;
SET search_path = to_dict;

CREATE TABLE t (id int, name text, doc jsonb);
INSERT INTO t VALUES (1, 'one', '{"b": 1, "a": [null]}'), (2, NULL, NULL);
CREATE VIEW v AS SELECT id, name FROM t;
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN full_pair AS pair CHECK ((VALUE).x IS NOT NULL);

-- of a table, a view, a subquery, a type, a domain, and an anonymous record
SELECT dtmodel.to_dict(t) FROM t ORDER BY id;
SELECT dtmodel.to_dict(v) FROM v ORDER BY id;
SELECT dtmodel.to_dict(s) FROM (SELECT id * 2 AS twice, name FROM t ORDER BY id) AS s;
SELECT dtmodel.to_dict('(1,a)'::pair) AS type, dtmodel.to_dict('(1,a)'::full_pair) AS domain,
       dtmodel.to_dict(ROW(1, 'a'::text)) AS row, dtmodel.to_dict(NULL::t) AS none;
SELECT dtmodel.to_dict(j) FROM jsonb_to_record('{"a": 1, "b": [2]}') AS j (b int[], a int);

-- a join of tables that have names in common: as in to_jsonb the last one wins
CREATE VIEW joined AS SELECT 2 AS id, 'p'::text AS name, 1 AS user_id;
SELECT d.dict, d.dict = to_jsonb(j) AND d.dict = d.dict::text::jsonb AS same,
       jsonb_set(d.dict, '{id}', '"set"') AS set, d.dict - 'id' AS without_id, d.few, d.fewer
FROM (SELECT t.*, v.* FROM t JOIN joined AS v ON t.id = v.user_id) AS j,
    LATERAL (SELECT dtmodel.to_dict(j) AS dict, dtmodel.to_dict(j, '{doc,user_id}') AS few,
                    dtmodel.to_dict(j, '{name}', '{name,id}') AS fewer OFFSET 0) AS d;
CREATE TABLE dicts AS
SELECT dtmodel.to_dict(j) AS dict FROM (SELECT v.*, t.*, v.name FROM t, joined AS v) AS j;
SELECT dict, dict ->> 'id' AS id, dict || '{"id": 3}' AS other_id FROM dicts ORDER BY dict;

-- the filters
SELECT dtmodel.to_dict(t, '{name}') AS excluded, dtmodel.to_dict(t, NULL, '{name}') AS included,
       dtmodel.to_dict(t, '{name}', '{id,name}') AS both, dtmodel.to_dict(t, includes => '{}') AS nothing,
       dtmodel.to_dict(t, '{id,name,doc}') AS all_excluded, dtmodel.to_dict(t, ARRAY[NULL, 'id']) AS with_null
FROM t WHERE id = 1;
-- another filter for each row
SELECT dtmodel.to_dict(t, ARRAY[CASE id WHEN 1 THEN 'doc' ELSE 'id' END]) FROM t ORDER BY id;

-- variables of PL/pgSQL: a record, a row of the table, the row of a query
DO $$
DECLARE
    r record;
    one to_dict.t;
BEGIN
    FOR r IN SELECT * FROM to_dict.t ORDER BY id LOOP
        RAISE WARNING '%', dtmodel.to_dict(r);
    END LOOP;
    FOR r IN SELECT id + 1 AS next, name FROM to_dict.t ORDER BY id LOOP
        RAISE WARNING '% %', dtmodel.to_dict(r), dtmodel.to_dict(r, includes => '{next}');
    END LOOP;
    SELECT * INTO one FROM to_dict.t WHERE id = 1;
    one.name := 'changed';
    RAISE WARNING '%', dtmodel.to_dict(one);
    one := NULL;
    RAISE WARNING '%', dtmodel.to_dict(one);
END
$$;

-- one call site, with rows of several types
CREATE FUNCTION dict_of(query text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN EXECUTE query LOOP
        RETURN NEXT dtmodel.to_dict(r);
    END LOOP;
END
$$;
SELECT dict_of('SELECT * FROM to_dict.t WHERE id = 1');
SELECT dict_of('SELECT name, id AS other FROM to_dict.t WHERE id = 1');
SELECT dict_of('SELECT * FROM to_dict.v WHERE id = 1');

-- the table changes in a session that has called the function before
SELECT dict_of('SELECT * FROM to_dict.t ORDER BY id');
DROP VIEW v;
ALTER TABLE t DROP name;
ALTER TABLE t ADD later text DEFAULT 'default';
SELECT dict_of('SELECT * FROM to_dict.t ORDER BY id');
ALTER TABLE t RENAME later TO last;
ALTER TABLE t ALTER id TYPE numeric;
SELECT dict_of('SELECT * FROM to_dict.t ORDER BY id');
BEGIN;
DECLARE rows CURSOR FOR SELECT dtmodel.to_dict(t, includes => '{id,last}') FROM t ORDER BY id;
FETCH rows;
SAVEPOINT s;
SELECT dtmodel.to_dict(t) FROM t WHERE id = 1 / 0;
ROLLBACK TO s;
FETCH rows;
ROLLBACK;

-- a composite value that was stored before its type got another attribute
CREATE TABLE holder (p pair);
INSERT INTO holder VALUES ('(1,a)');
ALTER TYPE pair ADD ATTRIBUTE z boolean;
SELECT dtmodel.to_dict(p), dtmodel.to_dict(p, includes => '{z}') AS added, dtmodel.to_dict(h) FROM holder AS h;

-- a value out of line, and more columns than one stride of a jsonb object
CREATE TABLE wide (pad text, id int);
ALTER TABLE wide ALTER pad SET STORAGE EXTERNAL;
INSERT INTO wide VALUES (repeat('pad ', 2000), 1);
SELECT length(dtmodel.to_dict(w) ->> 'pad'), dtmodel.to_dict(w, '{pad}') FROM wide AS w;
DO $$
BEGIN
    EXECUTE (SELECT format('CREATE TABLE to_dict.many (%s)', string_agg(format('c%s int DEFAULT %s', i, i), ', ')) FROM generate_series(1, 100) AS i);
END
$$;
INSERT INTO many DEFAULT VALUES;
SELECT dtmodel.to_dict(m) = to_jsonb(m) AS same, dtmodel.to_dict(m, includes => '{c1,c50,c100}') FROM many AS m;

-- settings that change while one call site of a function is used
CREATE TABLE changing (id int PRIMARY KEY, settings jsonb);
SELECT dtmodel.add_settings('changing', '{a}');
INSERT INTO changing VALUES (1, '{"a": 1}');
DO $$
DECLARE
    r to_dict.changing;
    dict jsonb;
BEGIN
    SELECT * INTO r FROM to_dict.changing;
    FOR i IN 1..5 LOOP
        dict := dtmodel.to_dict(r);
        RAISE WARNING '%', dict;
        BEGIN
            CASE i WHEN 1 THEN PERFORM dtmodel.add_settings('to_dict.changing', '{a,b}', schema => '{"b": {"default": 2}}');
                   WHEN 2 THEN PERFORM dtmodel.add_settings('to_dict.changing', '{a,b}', combined => false);
                               dict := 1 / (i - 2);
                   WHEN 3 THEN PERFORM dtmodel.remove_settings('to_dict.changing');
                   WHEN 4 THEN PERFORM dtmodel.add_settings('to_dict.changing', '{a}', combined => false);
                   ELSE NULL;
            END CASE;
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- numbers that JSON does not have
SELECT dtmodel.to_dict(r), dtmodel.to_dict(r) = to_jsonb(r) AS same
FROM (VALUES ('NaN'::numeric, '-Infinity'::float8, 'Infinity'::float4, 1.50)) AS r (n, d, f, plain);

-- filters that change from row to row
SELECT e, dtmodel.to_dict(r, excludes => e) AS excluded, dtmodel.to_dict(r, includes => e) AS included
FROM (SELECT 1 AS id, 2 AS a, 3 AS bb) AS r, unnest('{NULL,a,bb,NULL,id,a}'::text[]) AS n, LATERAL (SELECT CASE WHEN n IS NOT NULL THEN ARRAY[n] END) AS x (e);
SELECT e, dtmodel.to_dict(r, excludes => '{a}', includes => e) AS both
FROM (SELECT 1 AS id, 2 AS a, 3 AS bb) AS r, (VALUES ('{id,a}'::text[]), ('{bb}'), ('{a,bb}'), (NULL), ('{id,a,bb}')) AS x (e);

SELECT dtmodel.to_dict(r), dtmodel.to_dict(r) = to_jsonb(r) AS same FROM (VALUES ('Infinity'::numeric, '-Infinity'::numeric)) AS r (n, m);

-- the former name warns once in a query
SELECT dtmodel.get(r) FROM (VALUES (1), (2)) AS r (a);

DROP SCHEMA to_dict CASCADE;
