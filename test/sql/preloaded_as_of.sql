--
-- dtmodel.as_of: queries show models as they were
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET timezone = 'UTC';
CREATE SCHEMA as_of;
SET search_path = as_of, pg_catalog;

-- a row of each kind: changed twice, deleted, restored, created later, removed
CREATE TABLE offers (id int PRIMARY KEY, gone int, item varchar(20), price numeric, secret text);
ALTER TABLE offers DROP COLUMN gone;
SELECT dtmodel.add_timestamps('offers'), dtmodel.add_soft_delete('offers');
SELECT dtmodel.add_history('offers', exclude => '{secret}');
CREATE TABLE orders (id int PRIMARY KEY, offer int);
INSERT INTO orders SELECT i, i FROM generate_series(1, 6) AS i;
SET dtmodel.preserve_timestamps = on;
INSERT INTO offers (id, item, price, secret, created_at, updated_at)
    SELECT i, 'item ' || i, i, 's', '2026-01-01', '2026-01-01' FROM generate_series(1, 4) AS i;
UPDATE offers SET price = price * 10, updated_at = '2026-02-01' WHERE id IN (1, 2);
UPDATE offers SET is_deleted = true, deleted_at = '2026-03-01', updated_at = '2026-03-01' WHERE id IN (2, 3);
INSERT INTO offers (id, item, price, created_at, updated_at) VALUES (5, 'item 5', 5, '2026-03-01', '2026-03-01');
UPDATE offers SET is_deleted = false, deleted_at = NULL, updated_at = '2026-04-01' WHERE id = 3;
UPDATE offers SET price = price * 10, updated_at = '2026-04-01' WHERE id = 1;
RESET dtmodel.preserve_timestamps;
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM offers WHERE id = 4;
COMMIT;

CREATE VIEW shown AS SELECT id, item, price, is_deleted FROM offers;
PREPARE shown AS SELECT * FROM shown ORDER BY id;
EXECUTE shown;
SET dtmodel.as_of = '2026-01-15 12:00';
SHOW dtmodel.as_of;
EXECUTE shown;
SET dtmodel.as_of = '2026-02-01';
EXECUTE shown;
SET dtmodel.as_of = '2026-01-31 23:59:59.999999';
EXECUTE shown;
SET dtmodel.as_of = '2026-03-15';
EXECUTE shown;
SET dtmodel.as_of = '2025-12-31';
EXECUTE shown;
SET dtmodel.as_of = '2100-01-01';
EXECUTE shown;
RESET dtmodel.as_of;

-- the same as the function, which shows its own time whatever is set
SELECT at, (SELECT count(*) FROM offers_as_of(at)), (SELECT sum(price) FROM offers_as_of(at))
FROM unnest('{2026-01-15, 2026-02-15, 2026-03-15, 2026-04-15}'::timestamptz[]) AS at;
SET dtmodel.as_of = '2026-02-15';
SELECT count(*), sum(price) FROM offers;
SELECT at, (SELECT count(*) FROM offers_as_of(at)), (SELECT sum(price) FROM offers_as_of(at))
FROM unnest('{2026-01-15, 2026-02-15, 2026-03-15, 2026-04-15}'::timestamptz[]) AS at;
SELECT count(*), sum(price) FROM offers_as_of('2026-01-15');
SELECT a.id, a.price, b.price FROM offers_as_of('2026-01-15') AS a JOIN offers AS b USING (id) ORDER BY id;
SELECT sum((o).price) FROM (SELECT offers_as_of('2026-01-15') AS o) AS s;
SELECT count(*) FROM offers_as_of((SELECT '2026-01-15'::timestamptz));
SELECT count(*) FROM ROWS FROM (offers_as_of('2026-01-15')) WITH ORDINALITY;

-- all levels and kinds of queries
SELECT o, o IS NULL, row_to_json(o)->'price' FROM offers AS o WHERE id = 1;
SELECT id, (SELECT price FROM offers WHERE offers.id = offer) FROM orders ORDER BY id;
SELECT orders.id, price FROM orders LEFT JOIN offers ON offers.id = offer ORDER BY 1;
SELECT orders.id, o FROM orders LEFT JOIN offers AS o ON o.id = offer AND price > 9 ORDER BY 1;
SELECT orders.id, price FROM offers FULL JOIN orders ON offers.id = offer ORDER BY 1;
SELECT count(*) FROM orders WHERE EXISTS (SELECT FROM offers WHERE offers.id = offer AND price > 9);
SELECT orders.id, x.price FROM orders, LATERAL (SELECT * FROM offers WHERE offers.id = offer LIMIT 1) AS x ORDER BY 1;
WITH q AS MATERIALIZED (SELECT * FROM offers) SELECT sum(price) FROM q;
WITH RECURSIVE q (id, price) AS (
    SELECT id, price FROM offers WHERE id = 1
    UNION ALL SELECT o.id, o.price FROM q JOIN offers AS o ON o.id = q.id + 1)
SELECT * FROM q ORDER BY id;
SELECT sum(price) FROM (SELECT price FROM offers UNION ALL SELECT price FROM offers) AS u;
SELECT item, sum(price) FROM offers GROUP BY GROUPING SETS ((item), ()) ORDER BY 2, 1;
VALUES ((SELECT sum(price) FROM offers));
SELECT count(*) FROM ONLY offers;
SELECT secret FROM offers WHERE id = 1;
CREATE TABLE copied AS SELECT id, price FROM offers;
CREATE MATERIALIZED VIEW kept AS SELECT id, price FROM offers;
INSERT INTO copied SELECT id + 100, price FROM offers WHERE id = 2;
UPDATE copied SET price = -copied.price FROM offers WHERE offers.id = copied.id AND offers.price > 9;
DELETE FROM copied USING offers WHERE offers.id = copied.id AND offers.id = 4;
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO copied USING offers ON offers.id = copied.id WHEN MATCHED THEN UPDATE SET price = copied.price * 2;
\else
UPDATE copied SET price = copied.price * 2 FROM offers WHERE offers.id = copied.id;
\endif
RESET dtmodel.as_of;
SELECT * FROM copied ORDER BY id;
SELECT * FROM kept ORDER BY id;
SET dtmodel.as_of = '2026-01-15';
REFRESH MATERIALIZED VIEW kept;
COPY (SELECT id, price FROM offers ORDER BY id) TO STDOUT;
RESET dtmodel.as_of;
SELECT * FROM kept ORDER BY id;

-- functions: inlined, in SQL, in PL/pgSQL, with a time of their own
CREATE FUNCTION inlined(id int) RETURNS SETOF offers LANGUAGE sql STABLE AS 'SELECT * FROM as_of.offers AS o WHERE o.id = $1';
CREATE FUNCTION nested() RETURNS TABLE (price numeric) LANGUAGE sql STABLE AS 'SELECT price FROM as_of.inlined(1)';
CREATE FUNCTION called() RETURNS numeric LANGUAGE sql STABLE AS 'SELECT sum(price) FROM as_of.offers';
CREATE FUNCTION summed() RETURNS numeric LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT sum(price) FROM as_of.offers); END';
CREATE FUNCTION fixed() RETURNS numeric LANGUAGE sql STABLE SET dtmodel.as_of = '2026-01-15' AS 'SELECT sum(price) FROM as_of.offers';
CREATE FUNCTION changing() RETURNS SETOF numeric LANGUAGE plpgsql AS $$
DECLARE
    at text;
BEGIN
    FOREACH at IN ARRAY '{2026-01-15, "", 2026-02-15, ""}'::text[] LOOP
        PERFORM set_config('dtmodel.as_of', at, true);
        RETURN NEXT as_of.called();
        RETURN NEXT (SELECT sum(price) FROM as_of.offers);
    END LOOP;
END $$;
SELECT price, (SELECT price FROM nested()), called(), summed(), fixed() FROM inlined(1);
SET dtmodel.as_of = '2026-02-15';
SELECT price, (SELECT price FROM nested()), called(), summed(), fixed() FROM inlined(1);
RESET dtmodel.as_of;
SELECT price, (SELECT price FROM nested()), called(), summed(), fixed() FROM inlined(1);
SELECT array_agg(c) FROM changing() AS c;

-- rules, whose queries have more tables in their range tables than in FROM
CREATE TABLE plain (id int PRIMARY KEY, n int);
CREATE TABLE noted (id int, n int, price numeric);
CREATE RULE inserted AS ON INSERT TO plain DO ALSO INSERT INTO noted SELECT NEW.id, NEW.n, price FROM offers WHERE offers.id = NEW.id;
CREATE RULE updated AS ON UPDATE TO plain DO ALSO INSERT INTO noted SELECT NEW.id, OLD.n, (SELECT price FROM offers WHERE offers.id = OLD.id);
CREATE RULE deleted AS ON DELETE TO plain DO ALSO UPDATE offers SET price = 0 WHERE id = OLD.id;
SET dtmodel.as_of = '2026-01-15';
INSERT INTO plain VALUES (1, 1), (2, 2);
UPDATE plain SET n = 7 WHERE id = 1;
SELECT * FROM noted ORDER BY id, n, price;
DELETE FROM plain;
\echo :SQLSTATE
RESET dtmodel.as_of;
SELECT count(*) FROM plain;

-- the functions of the extension that read
SET dtmodel.as_of = '2026-02-15';
SELECT (dtmodel.get_by_id(NULL::offers, 2)).price;
SELECT id, price FROM dtmodel.get_all(NULL::offers, 2);
SELECT id FROM (SELECT (dtmodel.get_all(NULL::offers, 2, after_id => 1)).*) AS q;
SELECT dtmodel.count(NULL::offers), dtmodel.exists(NULL::offers, 3), dtmodel.exists(NULL::offers, 5);
SET dtmodel.as_of = '2026-03-15';
SELECT dtmodel.count(NULL::offers), dtmodel.count(NULL::offers, true), dtmodel.exists(NULL::offers, 3);
SELECT id FROM dtmodel.get_deleted(NULL::offers) ORDER BY id;
RESET dtmodel.as_of;
SELECT (dtmodel.get_by_id(NULL::offers, 2)).price, dtmodel.count(NULL::offers);

-- SET LOCAL, savepoints, cursors
BEGIN;
SET LOCAL dtmodel.as_of = '2026-01-15';
SELECT sum(price) FROM offers;
DECLARE past CURSOR WITH HOLD FOR SELECT sum(price) FROM offers;
DECLARE early CURSOR FOR SELECT price FROM offers ORDER BY id;
FETCH 1 FROM early;
SAVEPOINT s;
SET LOCAL dtmodel.as_of = '2026-02-15';
SELECT sum(price) FROM offers;
FETCH 1 FROM early;
ROLLBACK TO s;
SELECT sum(price) FROM offers;
SET LOCAL dtmodel.as_of = '';
FETCH 1 FROM early;
SELECT sum(price) FROM offers;
COMMIT;
FETCH past;
CLOSE past;
SELECT sum(price) FROM offers;
EXECUTE shown;

-- plans that do not depend on their parameters
SET plan_cache_mode = force_generic_plan;
PREPARE generic(int) AS SELECT price FROM offers WHERE id = $1;
EXECUTE generic(1);
SET dtmodel.as_of = '2026-01-15';
EXECUTE generic(1);
EXECUTE generic(2);
SET dtmodel.as_of = '2026-02-15';
EXECUTE generic(2);
RESET dtmodel.as_of;
EXECUTE generic(1);
RESET plan_cache_mode;

-- a plan in cache follows changes of the model
SET dtmodel.as_of = '2026-01-15';
PREPARE followed AS SELECT sum(price) FROM offers;
EXECUTE followed;
SELECT dtmodel.remove_history('offers');
EXECUTE followed;
SELECT dtmodel.add_history('offers', exclude => '{secret}');
EXECUTE followed;
RESET dtmodel.as_of;

-- joins use the indexes of both tables
INSERT INTO offers (id, item, price) SELECT i, 'many', i FROM generate_series(1001, 3000) AS i;
UPDATE offers SET price = 0 WHERE id > 1000;
ANALYZE offers, offers_history, orders;
CREATE FUNCTION uses_indexes(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan text := '';
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        plan := plan || line || E'\n';
    END LOOP;
    RETURN plan ~ 'Index.* offers_pkey' AND plan ~ 'Index.* offers_history_id_valid_to_idx'
        AND plan !~ 'Seq Scan on offers';
END $$;
SET dtmodel.as_of = '2026-01-15';
SELECT uses_indexes('SELECT * FROM offers WHERE id = 7'),
       uses_indexes('SELECT * FROM orders JOIN offers ON offers.id = offer WHERE orders.id < 3'),
       uses_indexes('SELECT * FROM orders LEFT JOIN shown ON shown.id = offer WHERE orders.id < 3');
SELECT dtmodel.add_soft_delete('offers', hide => true);
SELECT uses_indexes('SELECT * FROM orders JOIN offers ON offers.id = offer WHERE orders.id < 3');
RESET dtmodel.as_of;
SELECT uses_indexes('SELECT * FROM orders JOIN offers_as_of(''2026-01-15'') AS o ON o.id = offer WHERE orders.id < 3');

-- deleted rows that the model hides
DELETE FROM offers WHERE id > 1000;
SET dtmodel.as_of = '2026-03-15';
SELECT array_agg(id ORDER BY id) FROM offers;
SELECT array_agg(id ORDER BY id) FROM offers_as_of('2026-03-15');
SELECT array_agg(id ORDER BY id) FROM inlined(2);
SET dtmodel.with_deleted = on;
SELECT array_agg(id ORDER BY id) FROM offers;
SELECT array_agg(id ORDER BY id) FROM offers_as_of('2026-03-15');
SELECT array_agg(id ORDER BY id) FROM inlined(2);
RESET dtmodel.with_deleted;
SET dtmodel.rewrite = off;
SELECT array_agg(id ORDER BY id) FROM offers;
SELECT array_agg(id ORDER BY id) FROM inlined(2);
RESET dtmodel.rewrite;
RESET dtmodel.as_of;

-- partitions, whose columns are in other places, and tables that inherit
CREATE TABLE parted (id int, part int, n int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (n int, x int, id int NOT NULL, part int NOT NULL);
ALTER TABLE parted_2 DROP COLUMN x;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
CREATE TABLE base (id int PRIMARY KEY, n int);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps(t), dtmodel.add_history(t) FROM unnest('{parted, base}'::regclass[]) AS t;
SET dtmodel.preserve_timestamps = on;
INSERT INTO parted SELECT i, 1 + i % 2, i, '2026-01-01', '2026-01-01' FROM generate_series(1, 4) AS i;
UPDATE parted SET n = n * 10, updated_at = '2026-02-01';
UPDATE parted SET part = 3 - part, updated_at = '2026-03-01' WHERE id = 1;
INSERT INTO base VALUES (1, 1, '2026-01-01', '2026-01-01');
INSERT INTO child VALUES (2, 2, 'e', '2026-01-01', '2026-01-01');
UPDATE base SET n = n * 10, updated_at = '2026-02-01';
RESET dtmodel.preserve_timestamps;
SET dtmodel.as_of = '2026-01-15';
SELECT id, part, n FROM parted ORDER BY id;
SELECT id, part, n FROM parted_1 ORDER BY id;
SELECT p FROM parted_2 AS p ORDER BY id;
SELECT count(*) FROM ONLY parted;
SELECT id, n FROM base ORDER BY id;
SELECT id, n FROM ONLY base;
SELECT id, n, extra FROM child;
SET dtmodel.as_of = '2026-02-15';
SELECT id, part, n FROM parted_2 ORDER BY id;
SET dtmodel.as_of = '2026-03-15';
SELECT id, part, n FROM parted_2 ORDER BY id;
RESET dtmodel.as_of;

-- generated columns, which PostgreSQL 18 computes when they are read
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual \gset
\if :has_virtual
\set generated VIRTUAL
\else
\set generated STORED
\endif
CREATE TABLE priced (id int PRIMARY KEY, price int, twice int GENERATED ALWAYS AS (price * 2) :generated,
                     placed boolean GENERATED ALWAYS AS (tableoid <> 0 AND price > 5) :generated, note text);
SELECT dtmodel.add_timestamps('priced'), dtmodel.add_history('priced', exclude => '{note}');
SET dtmodel.preserve_timestamps = on;
INSERT INTO priced (id, price, note, updated_at) VALUES (1, 1, 'n', '2026-01-01'), (2, 2, 'n', '2026-01-01');
UPDATE priced SET price = 10, updated_at = '2026-02-01' WHERE id = 1;
RESET dtmodel.preserve_timestamps;
SELECT id, price, twice, placed, note FROM priced ORDER BY id;
SET dtmodel.as_of = '2026-01-15';
SELECT id, price, twice, placed, note FROM priced ORDER BY id;
SELECT count(p) FROM priced AS p WHERE twice = 2 AND NOT placed;
RESET dtmodel.as_of;

-- parallel workers, which hide deleted rows, too
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION in_worker() RETURNS numeric LANGUAGE plpgsql STABLE PARALLEL SAFE AS 'BEGIN RETURN (SELECT sum(n) FROM as_of.base); END';
CREATE FUNCTION hidden_in_worker() RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS 'BEGIN RETURN (SELECT count(*) FROM as_of.offers); END';
SET dtmodel.as_of = '2026-01-15';
SELECT sum(n), min(in_worker()), max(in_worker()), max(hidden_in_worker()) FROM parted;
RESET dtmodel.as_of;
SELECT sum(n), min(in_worker()), max(in_worker()), max(hidden_in_worker()) FROM parted;
RESET parallel_leader_participation;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- policies and privileges are those of the present, for both tables
CREATE ROLE as_of_reader;
CREATE TABLE members (who name, team int, PRIMARY KEY (who, team));
CREATE TABLE docs (id int PRIMARY KEY, team int, body text);
SELECT dtmodel.add_timestamps(t), dtmodel.add_history(t) FROM unnest('{members, docs}'::regclass[]) AS t;
SET dtmodel.preserve_timestamps = on;
INSERT INTO members VALUES ('as_of_reader', 1, '2026-01-01', '2026-01-01');
INSERT INTO docs SELECT i, 1 + i % 2, 'old', '2026-01-01', '2026-01-01' FROM generate_series(1, 4) AS i;
UPDATE members SET team = 2, updated_at = '2026-02-01';
UPDATE docs SET body = 'new', updated_at = '2026-02-01' WHERE id < 3;
RESET dtmodel.preserve_timestamps;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
ALTER TABLE docs_history DISABLE ROW LEVEL SECURITY;   -- the model's policies hold for it
CREATE POLICY own ON docs USING (docs IS NOT NULL AND team IN (SELECT team FROM as_of.members));
GRANT USAGE ON SCHEMA as_of TO as_of_reader;
GRANT SELECT ON docs, members, members_history TO as_of_reader;
CREATE VIEW bodies AS SELECT id, body FROM docs;
GRANT SELECT ON bodies TO as_of_reader;
SET ROLE as_of_reader;
SELECT id, team, body FROM docs ORDER BY id;
SET dtmodel.as_of = '2026-01-15';
SELECT team FROM members;
SELECT id, team, body FROM docs;
SELECT id, body FROM bodies;
RESET ROLE;
GRANT SELECT (id, team, body) ON docs_history TO as_of_reader;
SET ROLE as_of_reader;
SELECT id, team, body FROM docs ORDER BY id;
RESET ROLE;
GRANT SELECT (valid_from, valid_to) ON docs_history TO as_of_reader;
SET ROLE as_of_reader;
SELECT id, team, body FROM docs ORDER BY id;
SELECT created_at FROM docs;
SELECT id, body FROM bodies ORDER BY id;
RESET ROLE;
GRANT SELECT ON docs_history TO as_of_reader;
ALTER TABLE docs_history ENABLE ROW LEVEL SECURITY;
PREPARE docs AS SELECT id, team, body FROM docs ORDER BY id;
EXECUTE docs;
SET ROLE as_of_reader;
SELECT id, team, body FROM docs ORDER BY id;
EXECUTE docs;
RESET ROLE;
EXECUTE docs;
CREATE POLICY few ON docs_history USING (id = (SELECT team - 1 FROM as_of.members));
SET ROLE as_of_reader;
SELECT id, team, body FROM docs ORDER BY id;
SET row_security = off;
SELECT id, team, body FROM docs ORDER BY id;
RESET row_security;
RESET ROLE;
-- policies of the history alone, and a plan that was made for another role
CREATE TABLE notes (id int PRIMARY KEY, who name);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
SET dtmodel.preserve_timestamps = on;
RESET dtmodel.as_of;
INSERT INTO notes VALUES (1, 'as_of_reader', '2026-01-01', '2026-01-01'), (2, 'as_of_other', '2026-01-01', '2026-01-01');
UPDATE notes SET who = 'nobody', updated_at = '2026-02-01';
RESET dtmodel.preserve_timestamps;
ALTER TABLE notes_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes_history USING (who = current_user);
GRANT SELECT ON notes, notes_history TO as_of_reader;
SET dtmodel.as_of = '2026-01-15';
CREATE FUNCTION note_ids() RETURNS int[] LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT array_agg(id ORDER BY id) FROM as_of.notes); END $$;
PREPARE notes AS SELECT id FROM notes ORDER BY id;
EXECUTE notes;
SELECT note_ids();
SET ROLE as_of_reader;
EXECUTE notes;
SELECT note_ids();
RESET ROLE;
EXECUTE notes;
SELECT note_ids();
SET ROLE as_of_reader;
SET dtmodel.as_of = '2026-01-15';
RESET ROLE;
-- through a view, without a privilege on the schema
REVOKE USAGE ON SCHEMA as_of FROM as_of_reader;
SET ROLE as_of_reader;
SELECT id FROM as_of.docs;
RESET ROLE;
CREATE SCHEMA as_of_door;
GRANT USAGE ON SCHEMA as_of_door TO as_of_reader;
CREATE VIEW as_of_door.docs AS SELECT id, team, body FROM docs;
GRANT SELECT ON as_of_door.docs TO as_of_reader;
SET ROLE as_of_reader;
SELECT * FROM as_of_door.docs ORDER BY id;
-- with the privileges of an owner, only what the role that set the time may read
\set SHOW_CONTEXT never
RESET ROLE;
REVOKE SELECT ON docs_history FROM as_of_reader;
REVOKE SELECT (id, team, body, valid_from, valid_to) ON docs_history FROM as_of_reader;
CREATE FUNCTION as_of_door.count_docs() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS
    'BEGIN RETURN (SELECT count(*) FROM as_of.docs); END';
SELECT as_of_door.count_docs();
SET ROLE as_of_reader;
SET dtmodel.as_of = '2026-01-15';
SELECT as_of_door.count_docs();
RESET dtmodel.as_of;
SELECT as_of_door.count_docs();
RESET ROLE;
RESET dtmodel.as_of;

DROP SCHEMA as_of, as_of_door CASCADE;
DROP ROLE as_of_reader;
