--
-- MERGE with a source that hides its deleted rows (BY SOURCE is since
-- PostgreSQL 17)
--
SELECT current_setting('server_version_num')::int < 170000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA hidden_merge_source;
SET search_path = hidden_merge_source;
CREATE TABLE sources (dropped int, id int PRIMARY KEY, note text);
ALTER TABLE sources DROP dropped;
CREATE TABLE parted (id int, part int, note text) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('sources', hide => true), dtmodel.add_timestamps('sources'), dtmodel.add_history('sources'),
       dtmodel.add_soft_delete('parted', hide => true);
RESET client_min_messages;
CREATE TABLE targets (id int PRIMARY KEY, note text);
INSERT INTO sources (id, note) VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
INSERT INTO parted (id, part, note) SELECT id, 1, note FROM sources;
INSERT INTO targets SELECT id, 'old' FROM generate_series(3, 6) AS id;
SELECT clock_timestamp() AS before \gset
DELETE FROM sources WHERE id IN (2, 4);
DELETE FROM parted WHERE id IN (2, 4);

-- a hidden row of the source matches nothing, and is not inserted
BEGIN;
MERGE INTO targets AS t USING sources AS s ON t.id = s.id
    WHEN MATCHED THEN UPDATE SET note = s.note
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.note);
SELECT id, note FROM targets ORDER BY id;
ROLLBACK;
BEGIN;
WITH merged AS (MERGE INTO targets AS t USING sources AS s ON t.id = s.id
    WHEN NOT MATCHED BY SOURCE THEN UPDATE SET note = 'not in the source'
    WHEN NOT MATCHED BY TARGET THEN INSERT VALUES (s.id, s.note || ' ' || (s).note || ' ' || (s.ctid IS NULL))
    RETURNING merge_action(), t.id, t.note) SELECT * FROM merged ORDER BY id;
ROLLBACK;
BEGIN;
MERGE INTO targets AS t USING parted ON t.id = parted.id
    WHEN MATCHED THEN DO NOTHING
    WHEN NOT MATCHED BY SOURCE THEN DELETE
    WHEN NOT MATCHED THEN INSERT VALUES (parted.id, parted.tableoid::regclass);
SELECT id, note FROM targets ORDER BY id;
ROLLBACK;
BEGIN;
WITH merged AS (MERGE INTO sources AS t USING sources AS s ON t.id = s.id + 2
    WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING t.id) SELECT id FROM merged ORDER BY id;
SELECT id FROM sources;
ROLLBACK;
BEGIN;
MERGE INTO targets AS t USING (sources AS s JOIN parted AS p USING (id)) ON t.id = s.id
    WHEN NOT MATCHED BY SOURCE THEN DELETE;
SELECT id FROM targets;
ROLLBACK;

-- it is found where the session shows deleted rows, or the past
BEGIN;
SET LOCAL dtmodel.with_deleted = on;
MERGE INTO targets AS t USING sources AS s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE;
SELECT id FROM targets ORDER BY id;
ROLLBACK;
BEGIN;
SET LOCAL dtmodel.as_of = :'before';
MERGE INTO targets AS t USING sources AS s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE;
SELECT id FROM targets ORDER BY id;
ROLLBACK;

-- its policies hold, too
CREATE ROLE hidden_merge_source_reader;
CREATE POLICY few ON sources USING (id > 1);
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA hidden_merge_source TO hidden_merge_source_reader;
GRANT SELECT ON sources TO hidden_merge_source_reader;
GRANT ALL ON targets TO hidden_merge_source_reader;
SET ROLE hidden_merge_source_reader;
BEGIN;
MERGE INTO targets AS t USING sources AS s ON t.id = s.id
    WHEN NOT MATCHED BY SOURCE THEN DELETE
    WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.note);
SELECT id FROM targets ORDER BY id;
ROLLBACK;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA hidden_merge_source CASCADE;
DROP ROLE hidden_merge_source_reader;
