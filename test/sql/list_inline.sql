--
-- get_all in FROM: the planner takes it into the caller's plan where it can, and the rows are those of the function
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA list_inline;
SET search_path = list_inline;

CREATE DOMAIN code AS varchar(10) COLLATE "C" CHECK (value <> '');
CREATE TABLE plain (gone int, id int PRIMARY KEY, v text);
ALTER TABLE plain DROP COLUMN gone;
INSERT INTO plain SELECT i, 'v' || i FROM generate_series(1, 12) AS i ORDER BY i % 5, i;
CREATE TABLE soft (id uuid PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('soft');
INSERT INTO soft SELECT ('00000000-0000-0000-0000-0000000000' || lpad(i::text, 2, '0'))::uuid, 'v' || i FROM generate_series(1, 12) AS i ORDER BY i % 5, i;
DELETE FROM soft WHERE v ~ '[369]$';
CREATE TABLE hidden (id code PRIMARY KEY, v text);
SELECT dtmodel.add_soft_delete('hidden', hide => true);
INSERT INTO hidden SELECT CASE WHEN i % 2 = 0 THEN 'k' ELSE 'K' END || i, 'v' || i FROM generate_series(1, 12) AS i;
DELETE FROM hidden WHERE v ~ '[369]$';
CREATE TABLE pairs (b text COLLATE "C", a int, v text, PRIMARY KEY (a, b));
SELECT dtmodel.add_soft_delete('pairs', flag => 'is_active', flag_means => 'live');
INSERT INTO pairs SELECT chr(96 + i % 4), i / 4, 'v' || i FROM generate_series(0, 11) AS i ORDER BY i % 5, i;
DELETE FROM pairs WHERE v ~ '[369]$';
CREATE TABLE timed (id timestamptz PRIMARY KEY, v text);
INSERT INTO timed SELECT '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour', 'v' || i FROM generate_series(0, 11) AS i;
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (more int) INHERITS (parent);
INSERT INTO parent VALUES (2, 'v2'), (5, 'v5');
INSERT INTO child VALUES (1, 'v1', 1), (3, 'v3', 3), (6, 'v6', 6);
CREATE TABLE parted (v text, id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 (id int NOT NULL, gone int, v text);
ALTER TABLE parted_1 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT dtmodel.add_soft_delete('parted', NULL);
INSERT INTO parted SELECT 'v' || i, i FROM generate_series(1, 12) AS i;
DELETE FROM parted WHERE id IN (3, 6);
CREATE TABLE keyless (v text);
INSERT INTO keyless SELECT 'v' || i FROM generate_series(1, 5) AS i;
CREATE TABLE empty (id int PRIMARY KEY);

-- every page of every table, in FROM and WITH ORDINALITY, which the function answers itself
CREATE TABLE pages (model text, arguments text, same boolean, rows bigint);
DO $$
DECLARE
    model text;
    ids text[];
    page text;
    planned text[];
    called text[];
BEGIN
    FOREACH model IN ARRAY '{plain,soft,hidden,pairs,timed,parent,parted,keyless,empty}'::text[] LOOP
        ids := CASE model
            WHEN 'soft' THEN '{"NULL","''00000000-0000-0000-0000-000000000004''","''00000000-0000-0000-0000-000000000003''::uuid"}'
            WHEN 'hidden' THEN '{"NULL","''K3''","''k10''::list_inline.code","''K1''::varchar"}'
            WHEN 'pairs' THEN ARRAY['NULL', $j$'{"a": 1, "b": "b"}'$j$, $j$'{"a": 1, "b": null}'::jsonb$j$, $j$'{"a": -1, "b": ""}'::json$j$]
            WHEN 'timed' THEN '{"NULL","''2024-01-01 03:00+00''","''2024-01-01 03:00''::timestamp","''2024-01-01 03:00+01''::timestamptz"}'
            WHEN 'keyless' THEN '{"NULL"}'
            ELSE '{"NULL",4,4::bigint,''4'',4::numeric}' END;
        FOR page IN
            SELECT format('%s, %s, %s, %s', l, o, a, d)
            FROM unnest('{"NULL",0,1,3,100}'::text[]) AS l, unnest('{"NULL",0,2,100}'::text[]) AS o, unnest(ids) AS a, unnest('{"NULL",false,true}'::text[]) AS d
        LOOP
            EXECUTE format('SELECT array_agg(g::text) FROM dtmodel.get_all(NULL::list_inline.%I, %s) AS g', model, page) INTO planned;
            EXECUTE format('SELECT array_agg((SELECT x FROM (SELECT %s) AS x)::text ORDER BY ordinality) FROM dtmodel.get_all(NULL::list_inline.%I, %s) WITH ORDINALITY AS g',
                           (SELECT string_agg('g.' || quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                            WHERE attrelid = ('list_inline.' || model)::regclass AND attnum > 0 AND NOT attisdropped), model, page) INTO called;
            INSERT INTO pages VALUES (model, page, planned IS NOT DISTINCT FROM called, cardinality(planned));
        END LOOP;
    END LOOP;
END $$;
SELECT model, count(*) AS pages, sum(rows) AS rows, bool_and(same) AS same FROM pages GROUP BY model ORDER BY model;
SELECT * FROM pages WHERE NOT same;

-- arguments by name, from parameters, from a row to the left, and of subqueries and functions
SELECT string_agg(v, ' ') FROM dtmodel.get_all(model => NULL::plain, "offset" => 2, "limit" => 3);
SELECT string_agg(v, ' ') FROM dtmodel.get_all(NULL::plain, (SELECT count(*) FROM keyless), after_id => 5);
SELECT n, string_agg(v, ' ') FROM generate_series(0, 2) AS n LEFT JOIN LATERAL dtmodel.get_all(NULL::plain, n, n + 1) ON true GROUP BY n ORDER BY n;
SELECT n, v FROM (VALUES (1), (NULL), (11)) AS n (n), dtmodel.get_all(NULL::plain, 1, after_id => n) ORDER BY n;
CREATE SEQUENCE counted;
SELECT count(*) FROM dtmodel.get_all(NULL::plain, nextval('counted') + 3), generate_series(1, 2);
SELECT last_value FROM counted;
PREPARE page (bigint, bigint, int, boolean) AS SELECT string_agg(id::text, ' ') FROM dtmodel.get_all(NULL::parted, $1, $2, $3, $4);
SET plan_cache_mode = force_custom_plan;
EXECUTE page (3, 1, 2, false);
EXECUTE page (NULL, NULL, NULL, NULL);
SET plan_cache_mode = force_generic_plan;
EXECUTE page (3, 1, 2, false);
EXECUTE page (NULL, NULL, NULL, NULL);
EXECUTE page (3, 1, 2, true);
RESET plan_cache_mode;

-- an id that the session's time zone changes, in a plan that is kept
PREPARE later AS SELECT count(*) FROM dtmodel.get_all(NULL::timed, after_id => '2024-01-01 06:00');
SET plan_cache_mode = force_generic_plan;
SET timezone = 'UTC';
EXECUTE later;
SET timezone = 'Etc/GMT+3';
EXECUTE later;
RESET plan_cache_mode;
RESET timezone;

-- whole rows, also of an outer join, in a subquery, a CTE, a view, an SQL function, with a LIMIT and in a cursor
SELECT p, dtmodel.to_dict(p) FROM dtmodel.get_all(NULL::plain, 1) AS p;
SELECT n, p, p IS NULL AS is_null FROM generate_series(11, 13) AS n LEFT JOIN dtmodel.get_all(NULL::plain) AS p ON p.id = n ORDER BY n;
SELECT n, d FROM generate_series(12, 13) AS n LEFT JOIN (dtmodel.get_all(NULL::plain) AS p CROSS JOIN dtmodel.to_dict(p) AS d) ON p.id = n ORDER BY n;
SELECT v FROM plain WHERE id IN (SELECT id FROM dtmodel.get_all(NULL::plain, 3)) AND EXISTS (SELECT FROM dtmodel.get_all(NULL::plain) AS a WHERE a.id = plain.id + 10) ORDER BY id;
WITH few AS (SELECT * FROM dtmodel.get_all(NULL::soft, 2)), more AS MATERIALIZED (SELECT * FROM dtmodel.get_all(NULL::soft, 3)) SELECT few.v, more.v FROM more LEFT JOIN few USING (id);
CREATE VIEW listed AS SELECT l.v, s.id IS NOT NULL AS is_soft FROM dtmodel.get_all(NULL::plain, 4) AS l LEFT JOIN dtmodel.get_all(NULL::soft) AS s USING (v);
SELECT * FROM listed ORDER BY v;
CREATE FUNCTION of_hidden(bigint) RETURNS SETOF hidden LANGUAGE sql STABLE AS 'SELECT * FROM dtmodel.get_all(NULL::list_inline.hidden, $1, include_deleted => true)';
SELECT string_agg(v, ' ') FROM of_hidden(4);
SELECT v FROM dtmodel.get_all(NULL::plain) LIMIT 2 OFFSET 1;
SELECT v FROM dtmodel.get_all(NULL::plain) WHERE id > 9;
SELECT v FROM dtmodel.get_all(NULL::plain) ORDER BY id DESC LIMIT 2;
SELECT array_agg(v), row_number() OVER () FROM dtmodel.get_all(NULL::parted) WHERE id < 5;
SELECT string_agg(a.v, ' ') FROM dtmodel.get_all(NULL::plain, 3) AS a, dtmodel.get_all(NULL::plain, 3) AS b WHERE a.id = b.id;
SELECT a.v FROM ROWS FROM (dtmodel.get_all(NULL::plain, 2), generate_series(1, 3)) AS a (id, v, n);
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT v FROM dtmodel.get_all(NULL::plain);
FETCH 2 FROM c;
UPDATE plain SET v = 'new' WHERE id = 3;
FETCH 1 FROM c;
ROLLBACK;

-- in statements that write: the rows are those of the statement's snapshot
BEGIN;
WITH more AS (INSERT INTO plain VALUES (100, 'more') RETURNING id) SELECT count(*), max(more.id) FROM more, dtmodel.get_all(NULL::plain);
INSERT INTO plain (id, v) SELECT id + 100, v FROM dtmodel.get_all(NULL::plain, 5) ON CONFLICT DO NOTHING;
UPDATE plain SET v = l.v || '!' FROM dtmodel.get_all(NULL::plain) AS l WHERE l.id = plain.id - 100 RETURNING plain.id, plain.v;
DELETE FROM plain USING dtmodel.get_all(NULL::plain, after_id => 102) AS l WHERE l.id = plain.id;
SELECT id, v FROM dtmodel.get_all(NULL::plain, after_id => 11) FOR UPDATE;
CREATE TABLE log (n bigint);
CREATE RULE log AS ON INSERT TO keyless DO ALSO INSERT INTO log SELECT count(*) FROM dtmodel.get_all(NULL::keyless) AS k WHERE k.v <> NEW.v;
INSERT INTO keyless VALUES ('v9');
SELECT * FROM log;
ROLLBACK;

-- switches: the function itself hides or shows deleted rows
SET dtmodel.with_deleted = on;
SELECT count(*) FROM hidden;
SELECT count(*) FROM dtmodel.get_all(NULL::hidden);
RESET dtmodel.with_deleted;
PREPARE kept AS SELECT count(*) FROM dtmodel.get_all(NULL::hidden) AS a, dtmodel.get_all(NULL::hidden, include_deleted => true) AS b;
EXECUTE kept;
SET dtmodel.rewrite = off;
EXECUTE kept;
SELECT string_agg(v, ' ') FROM dtmodel.get_all(NULL::soft);
RESET dtmodel.rewrite;
EXECUTE kept;

-- plans that are kept while the table changes
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
INSERT INTO t VALUES (2, 'a2', 'b2'), (1, 'a1', 'b1'), (3, 'a3', 'b3');
CREATE VIEW seen AS SELECT g.* FROM dtmodel.get_all(NULL::t) AS g;
CREATE FUNCTION rows_of() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT g.a || ':' || dtmodel.to_dict(g) FROM dtmodel.get_all(NULL::list_inline.t, after_id => 1) AS g;
END $$;
SET plan_cache_mode = force_generic_plan;
PREPARE named AS SELECT id, g.a FROM dtmodel.get_all(NULL::t) AS g;
PREPARE joined AS SELECT count(*) FROM plain JOIN dtmodel.get_all(NULL::t) AS g USING (id);
EXECUTE named;
EXECUTE joined;
SELECT * FROM rows_of();
SELECT a, b FROM seen;
ALTER TABLE t ADD COLUMN c int;
EXECUTE named;
SELECT * FROM rows_of();
SELECT a, b FROM seen;
DROP VIEW seen;
ALTER TABLE t ALTER c TYPE text USING 'c' || c;
EXECUTE named;
SELECT * FROM rows_of();
ALTER TABLE t DROP COLUMN c;
EXECUTE named;
SELECT * FROM rows_of();
SELECT dtmodel.add_soft_delete('t');
DELETE FROM t WHERE id = 2;
EXECUTE named;
EXECUTE joined;
SELECT dtmodel.to_dict(g) - 'deleted_at' FROM dtmodel.get_all(NULL::t, after_id => 1) AS g;
ALTER TABLE t RENAME is_deleted TO removed;
SELECT dtmodel.add_soft_delete('t', 'removed');
EXECUTE named;
SELECT dtmodel.remove_soft_delete('t');
EXECUTE named;
EXECUTE joined;
ALTER TABLE t DROP CONSTRAINT t_pkey;
EXECUTE joined;
ALTER TABLE t ADD PRIMARY KEY (b);
EXECUTE named;
UPDATE t SET b = 'a' || id WHERE id = 3;
EXECUTE named;
ALTER TABLE t RENAME TO other;
CREATE TABLE t (id int PRIMARY KEY, a text);
EXECUTE joined;
DROP TABLE t;
EXECUTE joined;
ALTER TABLE other SET SCHEMA public;
EXECUTE joined;
DROP TABLE public.other;
RESET plan_cache_mode;

-- arguments that are no constants, and a LIMIT or OFFSET of the caller
CREATE TABLE few (id int PRIMARY KEY);
INSERT INTO few SELECT generate_series(1, 6);
CREATE SEQUENCE calls;
SELECT id FROM dtmodel.get_all(NULL::few, nextval('calls'));
SELECT id FROM dtmodel.get_all(NULL::few, nextval('calls'));
SELECT last_value FROM calls;
SELECT n, array_agg(id) AS ids FROM generate_series(3, 5) AS n, dtmodel.get_all(NULL::few, 2, 0, n) GROUP BY n ORDER BY n;
SELECT id FROM dtmodel.get_all(NULL::few, 2, after_id => (SELECT 2));
SELECT id FROM dtmodel.get_all(NULL::few) OFFSET 4;
SELECT id FROM few WHERE id IN (SELECT id FROM dtmodel.get_all(NULL::few) OFFSET 4) ORDER BY id;
SELECT a.id, b.id FROM few AS a, (SELECT id FROM dtmodel.get_all(NULL::few) OFFSET 5) AS b WHERE a.id < 3 ORDER BY a.id;
SELECT b.id FROM few AS a JOIN dtmodel.get_all(NULL::few, "offset" => 4) AS b USING (id) ORDER BY b.id;
SELECT b.id FROM dtmodel.get_all(NULL::few, 3) AS a JOIN dtmodel.get_all(NULL::few, 3, 1) AS b USING (id) ORDER BY b.id OFFSET 1;

-- other functions in FROM
SELECT count(*) FROM current_date AS d, dtmodel.get_all(NULL::few, 2) WITH ORDINALITY, ROWS FROM (dtmodel.get_all(NULL::few, 1), generate_series(1, 2)) AS r;

DROP SCHEMA list_inline CASCADE;
