--
-- a partition that is detached from a model remains a model
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA partition_detach;
SET search_path = partition_detach;
CREATE FUNCTION partition_detach.triggers(regclass) RETURNS TABLE (trigger text, fires "char", cloned boolean) LANGUAGE sql AS
    $$ SELECT tgname || CASE WHEN tgtype & 64 + 28 = 8 THEN ' (DELETE)' WHEN tgtype & 8 = 8 THEN ' (DELETE too)' ELSE '' END,
              tgenabled, tgparentid <> 0
       FROM pg_trigger WHERE tgrelid = $1 AND tgname NOT LIKE 'RI_%' ORDER BY tgname $$;

-- all that add_* adds to a plain table, also if its columns have other numbers
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE events (id int, region text, tenant int REFERENCES tenants, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b (tenant int, junk int, region text NOT NULL, id int NOT NULL);
ALTER TABLE events_b DROP COLUMN junk;
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
SELECT dtmodel.add_soft_delete('tenants');
SELECT dtmodel.add_timestamps('events');
SELECT dtmodel.add_audit('events');
SELECT dtmodel.add_settings('events', '{theme}');
SELECT dtmodel.add_soft_delete('events', protect_truncate => true);
SELECT dtmodel.require_live_parent('events', 'tenant');
INSERT INTO tenants VALUES (1), (2);
DELETE FROM tenants WHERE id = 2;
INSERT INTO events (id, region, tenant) VALUES (1, 'a', 1), (2, 'a', 1), (3, 'b', 1), (4, 'b', 1);
DELETE FROM events WHERE id IN (2, 4);
ALTER TABLE events DETACH PARTITION events_b;
SELECT dtmodel.describe('events_b') - '{table,class}'::text[] = dtmodel.describe('events') - '{table,class}'::text[] AS same,
       dtmodel.describe('events_b') -> 'drift' AS drift;
SELECT * FROM triggers('events_b');
DELETE FROM events_b WHERE id = 3;
SELECT (dtmodel.restore(e)).id FROM events_b AS e WHERE id = 4;
UPDATE events_b SET created_at = '2001-01-01' WHERE id = 4;
SELECT id, is_deleted, deleted_at IS NOT NULL AS timed, created_at > '2001-01-02' AS pinned, created_by = current_user AS me
FROM events_b ORDER BY id;
INSERT INTO events_b (id, region, tenant) VALUES (5, 'b', 2);
\echo :SQLSTATE
UPDATE events_b SET settings = '{"colour": 1}';
\echo :SQLSTATE
TRUNCATE events_b;
\echo :SQLSTATE
-- it can be attached again, re-configured, and its mixins removed
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
SELECT * FROM triggers('events_b');
ALTER TABLE events DETACH PARTITION events_b;
SELECT dtmodel.add_soft_delete('events_b', hide => true);
SELECT dtmodel.remove_soft_delete('events_b');
SELECT dtmodel.remove_timestamps('events_b');
SELECT * FROM triggers('events_b');

-- rolled back with the command
BEGIN;
ALTER TABLE events DETACH PARTITION events_a;
DELETE FROM events_a WHERE id = 1;
SELECT id, is_deleted FROM events_a ORDER BY id;
ROLLBACK;
SELECT DISTINCT cloned FROM triggers('events_a');
BEGIN;
SAVEPOINT s;
ALTER TABLE events DETACH PARTITION events_a;
ROLLBACK TO s;
ALTER TABLE events DETACH PARTITION events_a;
COMMIT;
SELECT * FROM triggers('events_a');
ALTER TABLE events ATTACH PARTITION events_a FOR VALUES IN ('a');

-- of a model with some of the mixins, and the NOTICEs; triggers fire for the same events as before
CREATE TABLE docs (id int, body text) PARTITION BY RANGE (id);
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES FROM (1) TO (2);
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES FROM (2) TO (3);
CREATE TABLE docs_3 PARTITION OF docs FOR VALUES FROM (3) TO (4);
SET client_min_messages = notice;
ALTER TABLE docs DETACH PARTITION docs_3;
SELECT dtmodel.add_settings('docs', '{theme}');
ALTER TABLE docs DETACH PARTITION docs_1;
SET client_min_messages = warning;
SELECT model, mixins, drift FROM dtmodel.models WHERE model::text LIKE 'docs%' ORDER BY 1;
ALTER TABLE docs ENABLE ALWAYS TRIGGER zz_dtmodel_settings;
ALTER TABLE docs DETACH PARTITION docs_2;
SELECT * FROM triggers('docs_2');
ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES FROM (2) TO (3);
ALTER TABLE docs DISABLE TRIGGER zz_dtmodel_settings;
ALTER TABLE docs DETACH PARTITION docs_2;
SELECT * FROM triggers('docs_2');

-- triggers of the user, on the partition only and on the partitioned table
CREATE TABLE notes (id int, body text, settings jsonb) PARTITION BY LIST (id);
CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1);
SELECT dtmodel.add_timestamps('notes');
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER own BEFORE INSERT ON notes_1 FOR EACH ROW EXECUTE FUNCTION pass();
CREATE TRIGGER parents BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION pass();
ALTER TABLE notes DETACH PARTITION notes_1;
SELECT * FROM triggers('notes_1');

-- partitions that are partitioned themselves
CREATE TABLE logs (id int, day int, note text) PARTITION BY RANGE (day);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (8) PARTITION BY LIST (day);
CREATE TABLE logs_1_1 (note text, day int, id int);
ALTER TABLE logs_1 ATTACH PARTITION logs_1_1 FOR VALUES IN (1);
CREATE TABLE logs_1_2 PARTITION OF logs_1 FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('logs');
SELECT dtmodel.add_soft_delete('logs');
INSERT INTO logs VALUES (1, 1), (2, 2), (3, 1), (4, 2);
ALTER TABLE logs DETACH PARTITION logs_1;
SELECT 'logs_1' AS table, * FROM triggers('logs_1') UNION ALL SELECT 'logs_1_1', * FROM triggers('logs_1_1');
UPDATE logs_1 SET day = 2 WHERE id = 3;
DELETE FROM logs_1 WHERE id = 1;
DELETE FROM logs_1_2 WHERE id = 2;
SELECT tableoid::regclass, id, is_deleted FROM logs_1 ORDER BY id;
ALTER TABLE logs_1 DETACH PARTITION logs_1_2;
DELETE FROM logs_1_2 WHERE id = 4;
SELECT id, is_deleted FROM logs_1_2 ORDER BY id;
SELECT model, mixins, drift FROM dtmodel.models WHERE model::text LIKE 'logs%' ORDER BY 1;

-- CONCURRENTLY, and FINALIZE of one that failed half-way
ALTER TABLE logs ATTACH PARTITION logs_1 FOR VALUES FROM (1) TO (8);
ALTER TABLE logs_1 DETACH PARTITION logs_1_1 CONCURRENTLY;
DELETE FROM logs_1_1;
SELECT id, is_deleted FROM logs_1_1;
ALTER TABLE logs DETACH PARTITION logs_1 CONCURRENTLY;
SELECT 'logs_1' AS table, * FROM triggers('logs_1');
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TABLE logs_9 PARTITION OF logs FOR VALUES FROM (9) TO (10);
INSERT INTO logs VALUES (9, 9), (10, 9);
CREATE EVENT TRIGGER partition_detach_refuse ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION refuse();
ALTER TABLE logs DETACH PARTITION logs_9 CONCURRENTLY;
DROP EVENT TRIGGER partition_detach_refuse;
DELETE FROM logs_9 WHERE id = 9;
SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'logs_9'::regclass;
ALTER TABLE logs DETACH PARTITION logs_9 FINALIZE;
SELECT * FROM triggers('logs_9');
DELETE FROM logs_9;
SELECT id, is_deleted FROM logs_9 ORDER BY id;

-- on a replica, and if nothing is detached
ALTER TABLE logs ATTACH PARTITION logs_9 FOR VALUES FROM (9) TO (10);
SET session_replication_role = replica;
ALTER TABLE logs DETACH PARTITION logs_9;
RESET session_replication_role;
SELECT count(*) FROM triggers('logs_9');
ALTER TABLE IF EXISTS no_logs DETACH PARTITION logs_9;
ALTER TABLE logs DETACH PARTITION logs_9;
\echo :SQLSTATE

-- in a function, with a search_path that has another operator <>
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.equal(boolean, boolean) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hostile <>'; END $$;
CREATE OPERATOR hostile.<> (FUNCTION = hostile.equal, LEFTARG = boolean, RIGHTARG = boolean);
CREATE FUNCTION move_away() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN
        ALTER TABLE logs ATTACH PARTITION logs_9 FOR VALUES FROM (9) TO (10);
        ALTER TABLE logs DETACH PARTITION logs_9;
    END $$;
SET search_path = hostile, pg_catalog, partition_detach;
SELECT move_away();
SELECT move_away();
UPDATE logs_9 SET is_deleted = false WHERE id = 10;
DELETE FROM logs_9;
SET search_path = partition_detach;
SELECT id, is_deleted FROM logs_9 ORDER BY id;

-- a partition of another owner
CREATE ROLE partition_detach_parent;
CREATE ROLE partition_detach_child;
GRANT USAGE, CREATE ON SCHEMA partition_detach TO partition_detach_parent, partition_detach_child;
SET ROLE partition_detach_parent;
CREATE TABLE jobs (id int) PARTITION BY LIST (id);
CREATE TABLE jobs_1 PARTITION OF jobs FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs');
RESET ROLE;
ALTER TABLE jobs_1 OWNER TO partition_detach_child;
SET ROLE partition_detach_child;
ALTER TABLE jobs DETACH PARTITION jobs_1;
\echo :SQLSTATE
SET ROLE partition_detach_parent;
ALTER TABLE jobs DETACH PARTITION jobs_1;
SELECT current_user;
SET ROLE partition_detach_child;
INSERT INTO jobs_1 VALUES (1);
DELETE FROM jobs_1;
SELECT id, is_deleted FROM jobs_1;
RESET ROLE;

-- a foreign table can be a partition, on any level, but not a part of a model
CREATE FOREIGN DATA WRAPPER partition_detach_wrapper;
CREATE SERVER partition_detach_server FOREIGN DATA WRAPPER partition_detach_wrapper;
CREATE FOREIGN TABLE docs_4 PARTITION OF docs FOR VALUES FROM (4) TO (5) SERVER partition_detach_server;
CREATE TABLE docs_5 PARTITION OF docs FOR VALUES FROM (5) TO (6) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE "Docs 5" PARTITION OF docs_5 DEFAULT SERVER partition_detach_server;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('docs');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('docs_5');
SELECT dtmodel.add_version('docs');
\echo :SQLSTATE
CREATE TABLE no_model (id int) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE no_model_1 PARTITION OF no_model FOR VALUES FROM (1) TO (2) SERVER partition_detach_server;
SELECT dtmodel.describe('no_model') -> 'drift' AS drift;
ALTER TABLE docs_5 DETACH PARTITION "Docs 5";
SET client_min_messages = notice;
ALTER TABLE docs DETACH PARTITION docs_4;
SET client_min_messages = warning;
SELECT * FROM triggers('docs_4');
SELECT dtmodel.describe('docs') -> 'drift' AS drift;

-- the function can only be called for the event
SELECT dtmodel_internal.partition_detach_trigger();
\echo :SQLSTATE
SELECT dtmodel_internal.partition_attach_trigger();
\echo :SQLSTATE

DROP FOREIGN DATA WRAPPER partition_detach_wrapper CASCADE;
DROP SCHEMA hostile CASCADE;
DROP SCHEMA partition_detach CASCADE;
DROP ROLE partition_detach_parent;
DROP ROLE partition_detach_child;
