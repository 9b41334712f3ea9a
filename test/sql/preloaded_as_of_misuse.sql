--
-- dtmodel.as_of: what it refuses, and what sees the present
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET timezone = 'UTC';
CREATE SCHEMA as_of_misuse;
SET search_path = as_of_misuse;

-- values
SET dtmodel.as_of = 'soon';
\echo :SQLSTATE
SET dtmodel.as_of = 'infinity';
\echo :SQLSTATE
SET dtmodel.as_of = '2026-02-30';
\echo :SQLSTATE
SET dtmodel.as_of = '12:00';
\echo :SQLSTATE
SET dtmodel.as_of = '400000-01-01';
\echo :SQLSTATE
SHOW dtmodel.as_of;
SET timezone = 'Europe/Berlin';
SET datestyle = 'SQL, DMY';
SET dtmodel.as_of = '02/01/2026 12:00';
SHOW dtmodel.as_of;
RESET timezone;
RESET datestyle;
SHOW dtmodel.as_of;
SET timezone = 'UTC';

-- words mean the time at which they are set
SET dtmodel.as_of = 'yesterday';
SELECT current_setting('dtmodel.as_of')::timestamptz = 'yesterday'::timestamptz AS resolved;
SET dtmodel.as_of = 'now';
SELECT current_setting('dtmodel.as_of') <> 'now' AND current_setting('dtmodel.as_of')::timestamptz < now() AS resolved;
RESET dtmodel.as_of;

CREATE TABLE parents (id int PRIMARY KEY, n int);
CREATE TABLE kids (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE, n int);
CREATE TABLE others (id int PRIMARY KEY, parent int REFERENCES parents, n int);
SELECT dtmodel.add_timestamps(t), dtmodel.add_soft_delete(t), dtmodel.add_history(t) FROM unnest('{kids, parents}'::regclass[]) AS t;
SELECT dtmodel.require_live_parent('others', 'parent');
CREATE TABLE users (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('users');
ALTER TABLE kids ADD author int REFERENCES users ON DELETE CASCADE;
SELECT dtmodel.add_history('kids');
CREATE VIEW seen AS SELECT id, n FROM parents;
INSERT INTO parents (id, n) VALUES (1, 1), (2, 2), (3, 3);
DELETE FROM parents WHERE id = 3;
INSERT INTO users VALUES (1);
INSERT INTO kids (id, parent, n, author) VALUES (1, 1, 1, 1);

-- each kind of write, also of what was prepared before
PREPARE changed AS UPDATE parents SET n = 0;
SET dtmodel.as_of = '2000-01-01';
SELECT count(*) FROM parents;
EXECUTE changed;
\echo :SQLSTATE
INSERT INTO parents (id) VALUES (4);
\echo :SQLSTATE
INSERT INTO parents (id) VALUES (1) ON CONFLICT DO NOTHING;
\echo :SQLSTATE
UPDATE seen SET n = 0;
\echo :SQLSTATE
DELETE FROM parents;
\echo :SQLSTATE
WITH w AS (DELETE FROM kids RETURNING *) SELECT * FROM w;
\echo :SQLSTATE
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
\set merge 'MERGE INTO parents USING (VALUES (1)) AS s (id) ON parents.id = s.id WHEN MATCHED THEN DELETE'
\else
\set merge 'DELETE FROM parents USING (VALUES (1)) AS s (id) WHERE parents.id = s.id'
\endif
:merge;
\echo :SQLSTATE
TRUNCATE kids;
\echo :SQLSTATE
COPY kids (id) FROM '/dev/null';
\echo :SQLSTATE
COPY kids TO STDOUT;
\echo :SQLSTATE
SELECT * FROM parents FOR UPDATE;
\echo :SQLSTATE
SELECT * FROM seen FOR SHARE;
\echo :SQLSTATE
\set VERBOSITY terse
SELECT dtmodel.create(NULL::parents, '{"id": 4}');
SELECT dtmodel.update(NULL::parents, 1, '{"n": 3}');
SELECT dtmodel.soft_delete(NULL::parents, 1);
SELECT dtmodel.restore(NULL::parents, 1);
SELECT dtmodel.delete(jsonb_populate_record(NULL::parents, '{"id": 1}'), soft => false);
CALL dtmodel.purge('parents', older_than => '0');
SELECT dtmodel.bulk_create(NULL::parents, '[{"id": 4}]');
SELECT dtmodel.get_or_create(NULL::parents, '{"id": 1}');
SELECT dtmodel.upsert(NULL::parents, '{"id": 1, "n": 3}', '{id}');
\set VERBOSITY default

-- what is found in the past need not be created
SET dtmodel.as_of = '2100-01-01';
SELECT (instance).id, created FROM dtmodel.get_or_create(NULL::parents, '{"id": 1}');
SET dtmodel.as_of = '2000-01-01';

-- what the past does not have
SELECT ctid FROM parents;
\echo :SQLSTATE
SELECT 1 FROM kids WHERE EXISTS (SELECT FROM parents WHERE parents.tableoid = 1 AND kids.tableoid = 2);
\echo :SQLSTATE
SELECT * FROM parents TABLESAMPLE bernoulli (10);
\echo :SQLSTATE

-- foreign keys, checks of live parents and dumps see the present
INSERT INTO others VALUES (1, 1, 1);
INSERT INTO others VALUES (2, 3, 1);
\echo :SQLSTATE
INSERT INTO others VALUES (2, 9, 1);
\echo :SQLSTATE
BEGIN;
ALTER TABLE others DROP CONSTRAINT others_parent_fkey;
ALTER TABLE others ADD CONSTRAINT others_parent_fkey FOREIGN KEY (parent) REFERENCES parents;
ROLLBACK;
BEGIN;
DECLARE _pg_dump_cursor CURSOR FOR SELECT id FROM ONLY parents;
MOVE ALL IN _pg_dump_cursor;
\echo :ROW_COUNT
ROLLBACK;
SET application_name = 'pg_dump';
COPY parents (id, n) TO STDOUT;
COPY (SELECT id FROM parents) TO STDOUT;
RESET application_name;
-- and a table without a history can be written
UPDATE others SET n = n + (SELECT count(*) FROM parents);
SELECT * FROM others;
DELETE FROM others;
RESET dtmodel.as_of;
SELECT id, n, is_deleted FROM parents ORDER BY id;
SELECT id FROM kids;

-- a cascade does not write them either
BEGIN;
SET LOCAL dtmodel.as_of = '2000-01-01';
\set VERBOSITY terse
DELETE FROM users;
\set VERBOSITY default
\echo :SQLSTATE
ROLLBACK;
CREATE TABLE tops (id int PRIMARY KEY);
ALTER TABLE kids ADD top int REFERENCES tops ON DELETE CASCADE;
SELECT dtmodel.add_history('kids');
INSERT INTO tops VALUES (1);
UPDATE kids SET top = 1;
SET dtmodel.as_of = '2000-01-01';
\set VERBOSITY terse
DELETE FROM tops;
\set VERBOSITY default
\echo :SQLSTATE
RESET dtmodel.as_of;
DELETE FROM tops;
SELECT count(*) FROM kids WHERE NOT is_deleted;

-- the versions of a row
SET dtmodel.as_of = '2000-01-01';
SELECT * FROM dtmodel.history(NULL::parents, 1);
\echo :SQLSTATE
RESET dtmodel.as_of;

-- a history that is not complete; the event trigger that prevents this is disabled here
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
SET dtmodel.as_of = '2000-01-01';
ALTER TABLE parents_history DROP COLUMN n;
SELECT count(*) FROM parents;
\echo :SQLSTATE
SELECT dtmodel.add_history('parents');
SELECT count(*) FROM parents;
DROP TABLE parents_history;
SELECT count(*) FROM parents;
\echo :SQLSTATE
RESET dtmodel.as_of;

-- a past of another length and collation has the type that the column has now
CREATE TABLE typed (id int PRIMARY KEY, v varchar(5), c text);
SELECT dtmodel.add_timestamps('typed', clock => 'clock'), dtmodel.add_history('typed');
INSERT INTO typed VALUES (1, 'a', 'x');
SELECT clock_timestamp() AS t, pg_sleep(0.01) \gset
UPDATE typed SET v = 'b', c = 'y';
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER TABLE typed ALTER v TYPE varchar(10), ALTER c TYPE text COLLATE "C";
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
SET dtmodel.as_of = :'t';
SELECT v, c, pg_collation_for(c) FROM typed;
CREATE TEMP TABLE taken AS SELECT v, c FROM typed;
RESET dtmodel.as_of;
SELECT attname, format_type(atttypid, atttypmod), attcollation::regcollation FROM pg_attribute WHERE attrelid = 'taken'::regclass AND attnum > 0 ORDER BY attnum;

-- a model whose timestamps were removed by hand
DROP TRIGGER zz_dtmodel_timestamps ON typed;
SET dtmodel.as_of = :'t';
SELECT v FROM typed;
\echo :SQLSTATE
RESET dtmodel.as_of;
-- COPY of a partitioned model, of its partition, of a view of it, and of a table without a past
CREATE TABLE pastless AS SELECT 1 AS id;
CREATE TABLE regions (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE region PARTITION OF regions DEFAULT;
CREATE VIEW shown AS SELECT * FROM regions;
SELECT dtmodel.add_timestamps('regions'), dtmodel.add_history('regions');
SET dtmodel.as_of = :'t';
\set VERBOSITY terse
COPY regions TO STDOUT;
\echo :SQLSTATE
COPY regions (id) FROM '/dev/null';
\echo :SQLSTATE
COPY region TO STDOUT;
\echo :SQLSTATE
COPY region (id) FROM '/dev/null';
\echo :SQLSTATE
COPY pastless TO STDOUT;
COPY shown TO STDOUT;
\echo :SQLSTATE
\set VERBOSITY default
RESET dtmodel.as_of;

-- what is no time at all
SET dtmodel.as_of = '%';
\echo :SQLSTATE

-- more fields than a time has
SET dtmodel.as_of = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30';
\echo :SQLSTATE

-- times of another type, that were dropped, and that a trigger does not name
CREATE TABLE retyped (id int PRIMARY KEY);
CREATE TABLE timeless (id int PRIMARY KEY);
CREATE TABLE unused (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps(t), dtmodel.add_history(t) FROM unnest('{retyped, timeless, unused}'::regclass[]) AS t;
DROP TRIGGER zz_dtmodel_timestamps ON unused;
CREATE TRIGGER zz_dtmodel_timestamps BEFORE UPDATE ON unused FOR EACH ROW
    EXECUTE FUNCTION dtmodel_internal.timestamps_trigger('created_at=created_at');
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER TABLE retyped ALTER updated_at TYPE timestamp;
ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
ALTER TABLE timeless DROP updated_at;
SET dtmodel.as_of = '2026-01-01';
SELECT * FROM retyped;
\echo :SQLSTATE
SELECT * FROM timeless;
\echo :SQLSTATE
SELECT * FROM unused;
\echo :SQLSTATE

-- system columns of other tables, on each level of the query
RESET dtmodel.as_of;
CREATE TABLE joined (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('joined'), dtmodel.add_history('joined');
INSERT INTO joined VALUES (1);
SET dtmodel.as_of = 'now';
SELECT j.id, c.relname FROM joined AS j, pg_class AS c WHERE c.oid = 'joined'::regclass AND c.ctid IS NOT NULL;
SELECT j.id FROM joined AS j WHERE EXISTS (SELECT FROM pg_class AS c WHERE c.oid = 'joined'::regclass AND c.tableoid IS NOT NULL);
SELECT j.id, (SELECT j.ctid FROM pg_class AS c LIMIT 1) FROM joined AS j;
\echo :SQLSTATE
RESET dtmodel.as_of;

ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
DROP SCHEMA as_of_misuse CASCADE;
