--
-- partitioned models: rows that move, partitions that are attached and detached
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA partitions;
SET search_path = partitions;

CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b (note text, junk int, region text NOT NULL, id int NOT NULL);
ALTER TABLE events_b DROP COLUMN junk;
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
SELECT dtmodel.add_timestamps('events', on_insert => 'stamp');
SELECT dtmodel.add_soft_delete('events');
\d events_b
SELECT dtmodel.add_soft_delete('events');
INSERT INTO events SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 20) AS i;
CREATE VIEW state AS
    SELECT tableoid::regclass AS part, id, note, updated_at > created_at AS updated, is_deleted,
           created_at = (SELECT min(created_at) FROM events) AS first
    FROM events ORDER BY id;

-- a row that moves keeps created_at, gets updated_at, and is not deleted
UPDATE events SET region = 'b' WHERE id = 2;
UPDATE events SET region = 'a', note = 'x' WHERE id = 3;
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO events USING (VALUES (4, 'b'), (6, 'b'), (101, 'a')) AS s (id, region) ON events.id = s.id
    WHEN MATCHED THEN UPDATE SET region = s.region
    WHEN NOT MATCHED THEN INSERT (id, region, created_at) VALUES (s.id, s.region, '2001-01-01');
\else
UPDATE events SET region = 'b' WHERE id IN (4, 6);
INSERT INTO events (id, region, created_at) VALUES (101, 'a', '2001-01-01');
\endif
SELECT * FROM state WHERE id IN (2, 3, 4, 6, 101);
SELECT created_at = updated_at AS stamped FROM events WHERE id = 101;

-- moves and inserts in one statement are distinguished
WITH moved AS (UPDATE events SET region = 'a' WHERE id = 5 RETURNING id),
     added AS (INSERT INTO events (id, region, created_at) VALUES (102, 'a', '2001-01-01'), (103, 'b', '2001-01-01')
               RETURNING id, created_at = now() AS stamped)
SELECT id, stamped FROM added ORDER BY id;
WITH added AS (INSERT INTO events (id, region, created_at) VALUES (104, 'a', '2001-01-01') RETURNING created_at = now() AS stamped)
UPDATE events SET region = 'a' FROM added WHERE id IN (7, 9) AND region = 'b' RETURNING id, stamped;
INSERT INTO events (id, region, note, created_at) SELECT i, 'a', 'upserted', '2001-01-01' FROM generate_series(8, 12) AS i
    ON CONFLICT (id, region) DO UPDATE SET note = excluded.note;
SELECT * FROM state WHERE id BETWEEN 5 AND 12 OR id > 100;

-- where INSERT keeps given values, a moved row keeps its values
BEGIN;
SELECT dtmodel.add_timestamps('events');
SELECT tgname, tgtype = (SELECT tgtype FROM pg_trigger
                         WHERE tgrelid = 'events'::regclass AND tgname = 'zz_dtmodel_timestamps') AS same
FROM pg_trigger WHERE tgrelid = 'events_b'::regclass AND tgname = 'zz_dtmodel_timestamps';
WITH added AS (INSERT INTO events (id, region, created_at) VALUES (105, 'a', '2001-01-01'), (106, 'b', DEFAULT)
               RETURNING id, created_at)
UPDATE events SET region = 'a' FROM added WHERE events.id = 19 AND added.id = 105
RETURNING events.id, added.created_at = '2001-01-01' AS given;
INSERT INTO events_b (id, region, updated_at) VALUES (107, 'b', '2001-01-01');
UPDATE events SET region = 'a' WHERE id IN (106, 107);
SELECT s.*, e.created_at = '2001-01-01' AS created_given, e.updated_at = '2001-01-01' AS updated_given
FROM state AS s JOIN events AS e USING (id) WHERE id IN (19, 105, 106, 107) ORDER BY id;
DELETE FROM events WHERE id = 105;
SELECT is_deleted, created_at = '2001-01-01' AS given FROM events WHERE id = 105;
ROLLBACK;

-- a move is rolled back, then a DELETE: soft
BEGIN;
UPDATE events SET region = 'a' WHERE id = 13;
SAVEPOINT s;
UPDATE events SET region = 'b' WHERE id = 13;
ROLLBACK TO s;
DELETE FROM events WHERE id = 13;
COMMIT;
BEGIN;
SAVEPOINT s;
UPDATE events SET region = 'a' WHERE id = 15;
ROLLBACK TO s;
DELETE FROM events WHERE id = 15;
COMMIT;
SELECT * FROM state WHERE id IN (13, 15);

-- an UPDATE and a DELETE of the same row in one statement: as without dtmodel
WITH u AS (UPDATE events SET note = 'u' WHERE id = 16 RETURNING id) DELETE FROM events WHERE id IN (16, 17);
WITH d AS (DELETE FROM events WHERE id = 18 RETURNING id) UPDATE events SET region = 'b' WHERE id IN (18, 20);
SELECT * FROM state WHERE id BETWEEN 16 AND 20;

-- a deleted row moves too, and stays deleted
UPDATE events SET region = 'b' WHERE id = 13 RETURNING tableoid::regclass, is_deleted;

-- one deletion over all partitions
DELETE FROM events WHERE NOT is_deleted;
SELECT count(*), count(DISTINCT tableoid), count(DISTINCT deleted_at)
FROM events WHERE deleted_at = (SELECT max(deleted_at) FROM events);
SELECT (dtmodel.restore(NULL::events, '{"id": 1, "region": "b"}')).id;
SELECT (dtmodel.soft_delete(NULL::events, '{"id": 1, "region": "b"}')).*  \gset
SELECT :'id' AS id, :'region' AS region, :'is_deleted' AS is_deleted;
SELECT (dtmodel.restore(e)).id FROM events_b AS e WHERE id = 1;

-- physically
BEGIN;
SET LOCAL dtmodel.hard_delete = on;
DELETE FROM events WHERE id = 1 RETURNING id;
ROLLBACK;

-- partitions that are created, attached and detached later
CREATE TABLE events_c PARTITION OF events FOR VALUES IN ('c');
INSERT INTO events VALUES (30, 'c') RETURNING created_at = now() AS stamped;
DELETE FROM events WHERE id = 30;
SELECT is_deleted FROM events_c;
CREATE TABLE events_d (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
INSERT INTO events_d (id, region) VALUES (40, 'd');
ALTER TABLE events ATTACH PARTITION events_d FOR VALUES IN ('d');
DELETE FROM events_d WHERE id = 40;
SELECT id, is_deleted FROM events_d;
ALTER TABLE events DETACH PARTITION events_c;
SELECT dtmodel.describe('events_c') - 'table';
SELECT model, mixins, drift FROM dtmodel.models WHERE model IN ('events'::regclass, 'events_a'::regclass);
SELECT dtmodel.add_soft_delete('events_a');
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('events_a');
\echo :SQLSTATE

-- partitioned by the time of creation
CREATE TABLE logs (id int, created_at timestamptz NOT NULL DEFAULT now()) PARTITION BY RANGE (created_at);
CREATE TABLE logs_old PARTITION OF logs FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE logs_new PARTITION OF logs FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
SELECT dtmodel.add_timestamps('logs');
INSERT INTO logs (id) VALUES (1);
UPDATE logs SET created_at = '2001-01-01', id = 2 RETURNING tableoid::regclass, id;
INSERT INTO logs VALUES (3, '2001-01-01') RETURNING tableoid::regclass;
SELECT dtmodel.add_timestamps('logs', on_insert => 'stamp');
INSERT INTO logs VALUES (3, '2001-01-01');
\echo :SQLSTATE
SET dtmodel.preserve_timestamps = on;
INSERT INTO logs VALUES (3, '2001-01-01') RETURNING tableoid::regclass;
RESET dtmodel.preserve_timestamps;

-- removed
SELECT dtmodel.remove_timestamps('events');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'events'::regclass ORDER BY 1;
SELECT dtmodel.remove_soft_delete('events');
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('events'::regclass, 'events_a'::regclass) ORDER BY 1;

DROP SCHEMA partitions CASCADE;
