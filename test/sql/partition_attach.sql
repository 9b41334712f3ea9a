--
-- a table that is a model is attached to a partitioned model
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA partition_attach;
SET search_path = partition_attach;
CREATE FUNCTION partition_attach.triggers(regclass) RETURNS TABLE (trigger text, cloned boolean) LANGUAGE sql AS
    $$ SELECT tgname, tgparentid <> 0 FROM pg_trigger
       WHERE tgrelid = $1 AND tgname NOT LIKE 'RI_%' ORDER BY tgname $$;

-- its rows do not change, its triggers become those of the partitioned table
CREATE TABLE events (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
SELECT dtmodel.add_timestamps('events');
SELECT dtmodel.add_soft_delete('events');
CREATE TABLE events_a (region text, junk int, id int, PRIMARY KEY (id, region));
ALTER TABLE events_a DROP COLUMN junk;
SELECT dtmodel.add_soft_delete('events_a', protect_truncate => true);
SELECT dtmodel.add_timestamps('events_a', clock => 'clock');
INSERT INTO events_a VALUES ('a', 1), ('a', 2), ('a', 3);
DELETE FROM events_a WHERE id = 2;
SET client_min_messages = notice;
ALTER TABLE events ATTACH PARTITION events_a FOR VALUES IN ('a');
SET client_min_messages = warning;
SELECT * FROM triggers('events_a');
SELECT conname FROM pg_constraint WHERE conrelid = 'events_a'::regclass AND contype = 'c';
DELETE FROM events WHERE id = 3;
SELECT (dtmodel.restore(e)).id FROM events AS e WHERE id = 2;
SELECT tableoid::regclass, id, is_deleted FROM events ORDER BY id;
SELECT model, mixins, drift FROM dtmodel.models WHERE model::text LIKE 'events%' ORDER BY 1;

-- the default partition, which already has a CHECK of that name
CREATE TABLE events_b (LIKE events INCLUDING ALL);
SELECT dtmodel.add_timestamps('events_b');
SELECT dtmodel.add_soft_delete('events_b');
ALTER TABLE events ATTACH PARTITION events_b DEFAULT;
CREATE TABLE events_c (LIKE events INCLUDING ALL);
SELECT dtmodel.add_soft_delete('events_c');
ALTER TABLE events ATTACH PARTITION events_c FOR VALUES IN ('c');
SELECT * FROM triggers('events_c');

-- a command that fails leaves the table unchanged
CREATE TABLE events_d (LIKE events INCLUDING ALL);
SELECT dtmodel.add_soft_delete('events_d');
INSERT INTO events_d VALUES (4, 'x');
ALTER TABLE events ATTACH PARTITION events_d FOR VALUES IN ('d');
\echo :SQLSTATE
ALTER TABLE events ATTACH PARTITION events_d FOR VALUES IN ('a');
\echo :SQLSTATE
BEGIN;
UPDATE events_d SET region = 'd';
SAVEPOINT s;
ALTER TABLE events ATTACH PARTITION events_d FOR VALUES IN ('d');
ROLLBACK TO s;
DELETE FROM events_d;
SELECT id, is_deleted FROM events_d;
ROLLBACK;
SELECT * FROM triggers('events_d');
ALTER TABLE events ATTACH PARTITION events_a FOR VALUES IN ('e');
\echo :SQLSTATE
ALTER TABLE events ATTACH PARTITION events FOR VALUES IN ('e');
\echo :SQLSTATE
ALTER TABLE events ATTACH PARTITION nothing FOR VALUES IN ('e');
\echo :SQLSTATE
ALTER TABLE nothing ATTACH PARTITION events_d FOR VALUES IN ('d');
\echo :SQLSTATE
SELECT count(*) FROM triggers('events_d');

-- a mixin that the partitioned table lacks
CREATE TABLE tenants (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('tenants');
CREATE TABLE jobs (id int, tenant int REFERENCES tenants, name text, note text, made timestamptz, settings jsonb, slug text,
                   created_by text, updated_by text, created_at timestamptz, updated_at timestamptz,
                   is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz, gone timestamptz) PARTITION BY LIST (id);
CREATE TABLE jobs_1 (LIKE jobs INCLUDING ALL, FOREIGN KEY (tenant) REFERENCES tenants);
SELECT dtmodel.add_settings('jobs', '{theme}');
SELECT dtmodel.add_timestamps('jobs_1');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('jobs');
SELECT dtmodel.add_soft_delete('jobs_1');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs');
SELECT dtmodel.add_audit('jobs_1');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_audit('jobs');
SELECT dtmodel.require_live_parent('jobs_1', 'tenant');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.require_live_parent('jobs', 'tenant');
SELECT dtmodel.add_slug('jobs_1', 'name');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.remove_slug('jobs_1');
SELECT count(*) FROM triggers('jobs_1') WHERE NOT cloned;
BEGIN;
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT * FROM triggers('jobs_1');
ROLLBACK;

-- a mixin with other columns; additional mixins of the partitioned table are allowed
SELECT dtmodel.add_timestamps('jobs_1', updated_at => 'made');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
\echo :SQLSTATE
SELECT dtmodel.add_timestamps('jobs_1', created_at => NULL);
SELECT dtmodel.add_audit('jobs_1', updated_by => NULL);
SELECT dtmodel.add_soft_delete('jobs_1', deleted_at => 'gone');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs_1', flag => NULL);
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs_1', flag_means => 'live');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs_1', deleted_by => 'note');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('jobs', deleted_by => 'note');
ALTER TABLE jobs ATTACH PARTITION jobs_1 FOR VALUES IN (1);
SELECT DISTINCT cloned FROM triggers('jobs_1');

-- a trigger of a mixin without its other triggers
CREATE TABLE files (id int) PARTITION BY LIST (id);
SELECT dtmodel.add_settings('files', '{theme}');
CREATE TABLE files_1 (id int);
SELECT dtmodel.add_settings('files_1', '{theme,colour}');
CREATE TRIGGER cascade AFTER UPDATE ON files_1 FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_cascade_trigger();
ALTER TABLE files ATTACH PARTITION files_1 FOR VALUES IN (1);
\echo :SQLSTATE
DROP TRIGGER cascade ON files_1;
ALTER TABLE files ATTACH PARTITION files_1 FOR VALUES IN (1);
SELECT * FROM triggers('files_1');
INSERT INTO files VALUES (1, '{"colour": 1}');
\echo :SQLSTATE

-- a partitioned table, to a table that is a partition itself
CREATE TABLE logs (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (8) PARTITION BY RANGE (day);
CREATE TABLE logs_1_1 (day int, id int) PARTITION BY LIST (day);
CREATE TABLE logs_1_1_1 PARTITION OF logs_1_1 FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('logs');
SELECT dtmodel.add_soft_delete('logs_1_1');
INSERT INTO logs_1_1 (id, day) VALUES (1, 1), (2, 1);
DELETE FROM logs_1_1 WHERE id = 1;
ALTER TABLE logs_1 ATTACH PARTITION logs_1_1 FOR VALUES FROM (1) TO (2);
SELECT 'logs_1_1' AS table, * FROM triggers('logs_1_1') UNION ALL SELECT 'logs_1_1_1', * FROM triggers('logs_1_1_1');
DELETE FROM logs;
SELECT tableoid::regclass, id, is_deleted FROM logs ORDER BY id;

-- to a partitioned table that is not a model: as without dtmodel
CREATE TABLE plain (id int, is_deleted boolean NOT NULL, deleted_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE plain_1 (id int);
SELECT dtmodel.add_soft_delete('plain_1');
ALTER TABLE plain ATTACH PARTITION plain_1 FOR VALUES IN (1);
SELECT * FROM triggers('plain_1');
INSERT INTO plain_1 VALUES (1);
DELETE FROM plain;
SELECT id, is_deleted FROM plain_1;

-- the privileges are those of the command
CREATE ROLE partition_attach_user;
GRANT USAGE, CREATE ON SCHEMA partition_attach TO partition_attach_user;
SET ROLE partition_attach_user;
CREATE TABLE tasks (id int) PARTITION BY LIST (id);
SELECT dtmodel.add_soft_delete('tasks');
CREATE TABLE tasks_1 (id int);
SELECT dtmodel.add_soft_delete('tasks_1');
ALTER TABLE events ATTACH PARTITION tasks_1 FOR VALUES IN ('t');
\echo :SQLSTATE
ALTER TABLE tasks ATTACH PARTITION events_d FOR VALUES IN (1);
\echo :SQLSTATE
ALTER TABLE tasks ATTACH PARTITION tasks_1 FOR VALUES IN (1);
SELECT * FROM triggers('tasks_1');
RESET ROLE;

-- names are looked up as the command looks them up
CREATE SCHEMA "other; schema";
CREATE TABLE "other; schema"."tasks_2" (id int);
SELECT dtmodel.add_soft_delete('"other; schema"."tasks_2"');
CREATE TABLE tasks_2 (id int);
SELECT dtmodel.add_soft_delete('tasks_2');
CREATE FUNCTION attach() RETURNS void LANGUAGE plpgsql AS
    $$ BEGIN ALTER TABLE tasks ATTACH PARTITION tasks_2 FOR VALUES IN (2); END $$;
SELECT attach();
ALTER TABLE tasks DETACH PARTITION tasks_2;
SET search_path = "other; schema", partition_attach;
SELECT attach();
SELECT partrelid::regclass, inhrelid::regclass FROM pg_inherits JOIN pg_partitioned_table ON inhparent = partrelid
WHERE inhparent = 'tasks'::regclass ORDER BY inhrelid::regclass::text;
SET search_path = partition_attach;
SELECT count(*) FROM triggers('tasks_2') WHERE cloned;
SELECT count(*) > 0 FROM triggers('"other; schema".tasks_2') WHERE cloned;

DROP SCHEMA "other; schema" CASCADE;
-- a table that is not partitioned has no partitions
CREATE TABLE single (id int PRIMARY KEY);
CREATE TABLE other (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('single'), dtmodel.add_timestamps('other');
DO $$
BEGIN
    ALTER TABLE single ATTACH PARTITION other DEFAULT;
    ASSERT false;
EXCEPTION WHEN invalid_object_definition OR wrong_object_type THEN
    NULL;
END
$$;

-- what the server refuses itself
CREATE TABLE refusing (id int, k int) PARTITION BY LIST (k);
CREATE TABLE refusing_1 PARTITION OF refusing FOR VALUES IN (1);
SELECT dtmodel.add_timestamps('refusing');
ALTER TABLE refusing ATTACH PARTITION refusing_1 FOR VALUES IN (2);
\echo :SQLSTATE
CREATE VIEW refused AS SELECT 1 AS id, 2 AS k;
ALTER TABLE refusing ATTACH PARTITION refused FOR VALUES IN (2);
\echo :SQLSTATE

-- a partitioned table that has lost its CHECK: that of the partition keeps its name
CREATE TABLE unchecked (id int, gone boolean NOT NULL DEFAULT false, deleted_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE unchecked_1 (LIKE unchecked INCLUDING DEFAULTS);
SELECT dtmodel.add_soft_delete('unchecked', flag => 'gone'), dtmodel.add_soft_delete('unchecked_1', flag => 'gone');
ALTER TABLE unchecked DROP CONSTRAINT ck_unchecked_soft_delete;
ALTER TABLE unchecked ATTACH PARTITION unchecked_1 FOR VALUES IN (1);
SELECT conname FROM pg_constraint WHERE conrelid = 'unchecked_1'::regclass AND contype = 'c';

-- a partition that requires live parents by another key than the partitioned table does
CREATE TABLE heads (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('heads');
CREATE TABLE limbs (id int, a int REFERENCES heads, b int REFERENCES heads) PARTITION BY LIST (id);
CREATE TABLE limbs_1 (LIKE limbs);
ALTER TABLE limbs_1 ADD FOREIGN KEY (a) REFERENCES heads, ADD FOREIGN KEY (b) REFERENCES heads;
SELECT dtmodel.require_live_parent('limbs', 'a'), dtmodel.require_live_parent('limbs_1', 'b');
ALTER TABLE limbs ATTACH PARTITION limbs_1 FOR VALUES IN (1);
\echo :SQLSTATE

DROP SCHEMA partition_attach CASCADE;
DROP ROLE partition_attach_user;
