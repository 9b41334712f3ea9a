--
-- MERGE whose source hides its deleted rows: a hidden row is none that does
-- not match, and the source is read by its indexes
--
SELECT current_setting('server_version_num')::int < 150000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hidden_merge;
SET search_path = hidden_merge;

CREATE TABLE sources (gone int, id numeric PRIMARY KEY, note text);
ALTER TABLE sources DROP COLUMN gone;
CREATE TABLE targets (id numeric PRIMARY KEY, note text);
SELECT dtmodel.add_soft_delete('sources', hide => true);
INSERT INTO sources (id, note) SELECT i, 'note ' || i FROM generate_series(1, 1000) AS i;
INSERT INTO targets VALUES (1, 'old'), (2, 'old');
DELETE FROM sources WHERE id NOT IN (1, 3);
ANALYZE sources, targets;

BEGIN;
MERGE INTO targets AS t USING sources AS s (number, word) ON t.id = s.number
    WHEN MATCHED THEN UPDATE SET note = (s).word
    WHEN NOT MATCHED THEN INSERT VALUES (number, (s.*)::text);
SELECT * FROM targets ORDER BY id;
ROLLBACK;
BEGIN;
MERGE INTO targets AS t USING sources AS s ON t.id = s.id
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.note || ' of ' || s.tableoid::regclass);
SELECT * FROM targets ORDER BY id;
ROLLBACK;
BEGIN;
MERGE INTO targets AS t USING (sources AS s JOIN sources AS o USING (id)) ON t.id = s.id
    WHEN NOT MATCHED THEN INSERT VALUES (o.id, s.note);
SELECT * FROM targets ORDER BY id;
ROLLBACK;

CREATE FUNCTION conditions(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%Index Cond:%' THEN
            RETURN NEXT trim(line);
        END IF;
    END LOOP;
END $$;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT conditions('MERGE INTO targets AS t USING sources AS s ON t.id = s.id AND s.id = 3 WHEN MATCHED THEN UPDATE SET note = s.note');

DROP SCHEMA hidden_merge CASCADE;
