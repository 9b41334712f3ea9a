--
-- tables that cannot be models, for each mixin; and partitions by the flag that a
-- model gets afterwards: no row is lost
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA late_partitions;
SET search_path = late_partitions;

CREATE TABLE base (id int PRIMARY KEY, v text, other int);
CREATE VIEW a_view AS SELECT * FROM base;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM base;
CREATE SEQUENCE a_sequence;
CREATE INDEX an_index ON base (v);
CREATE TYPE a_type AS (id int, v text);
CREATE FOREIGN DATA WRAPPER late_partitions_wrapper;
CREATE SERVER late_partitions_server FOREIGN DATA WRAPPER late_partitions_wrapper;
CREATE FOREIGN TABLE a_foreign_table (id int, v text, other int) SERVER late_partitions_server;
CREATE TABLE parent (id int, v text, other int) PARTITION BY LIST (id);
CREATE FOREIGN TABLE a_foreign_partition PARTITION OF parent FOR VALUES IN (1) SERVER late_partitions_server;

CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT dtmodel.' || call;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
SELECT call, string_agg(DISTINCT outcome(format(call, name)), ' ') AS outcomes
FROM unnest('{a_view,a_matview,a_sequence,an_index,a_type,a_foreign_table,a_foreign_partition,pg_class,parent}'::text[]) AS name,
     unnest(ARRAY['add_model(%L)', 'add_timestamps(%L)', 'add_soft_delete(%L)', 'add_soft_delete(%L, flag => NULL)', 'add_audit(%L)',
                  'add_version(%L)', 'add_settings(%L, ''{a}'')', 'add_history(%L)']) AS call
GROUP BY call ORDER BY call;

-- the flag or the time in a partition key, in an expression, of a partition's partitions
CREATE TABLE by_flag (id int, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz) PARTITION BY LIST ((is_deleted::text));
CREATE TABLE by_time (id int, deleted_at timestamptz) PARTITION BY RANGE ((date_trunc('day', deleted_at AT TIME ZONE 'UTC')), id);
CREATE TABLE below (id int, is_deleted boolean NOT NULL DEFAULT false) PARTITION BY LIST (id);
CREATE TABLE below_1 PARTITION OF below FOR VALUES IN (1) PARTITION BY LIST (id);
CREATE TABLE below_11 PARTITION OF below_1 FOR VALUES IN (1) PARTITION BY HASH (is_deleted);
SELECT t, outcome(format('add_soft_delete(%L)', t)) FROM unnest('{by_flag,below}'::text[]) AS t;
SELECT outcome('add_soft_delete(''by_time'', flag => NULL)');

-- partitions that the model gets later: refused by the server, or soft, and all rows stay
CREATE TABLE docs (id int, k int) PARTITION BY LIST (k);
CREATE TABLE docs_0 PARTITION OF docs FOR VALUES IN (0);
SELECT dtmodel.add_soft_delete('docs');
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1) PARTITION BY LIST (is_deleted);
CREATE TABLE docs_1_live PARTITION OF docs_1 FOR VALUES IN (false);
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES IN (2) PARTITION BY LIST (is_deleted);
CREATE TABLE docs_2_live PARTITION OF docs_2 FOR VALUES IN (false);
CREATE TABLE docs_2_deleted PARTITION OF docs_2 FOR VALUES IN (true);
INSERT INTO docs SELECT i, i % 3 FROM generate_series(1, 9) AS i;
\set VERBOSITY sqlstate
DELETE FROM docs WHERE k = 0;
DELETE FROM docs WHERE k = 1;
DELETE FROM docs_1_live WHERE id = 1;
UPDATE docs SET is_deleted = true WHERE k = 1;
DELETE FROM docs;
\set VERBOSITY default
SELECT k, count(*), count(deleted_at) AS deleted FROM docs GROUP BY k ORDER BY k;
DO $$ BEGIN DELETE FROM late_partitions.docs WHERE k = 2; EXCEPTION WHEN check_violation THEN NULL; END $$;
SELECT count(*), count(*) FILTER (WHERE is_deleted <> (deleted_at IS NOT NULL)) AS half_deleted FROM docs WHERE k = 2;
SELECT outcome('add_soft_delete(''docs'')');

SET client_min_messages = error;
DROP SCHEMA late_partitions CASCADE;
DROP FOREIGN DATA WRAPPER late_partitions_wrapper CASCADE;
