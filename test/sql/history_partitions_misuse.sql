--
-- partitioned histories: what is refused, and to whom
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_partitions_misuse;
SET search_path = history_partitions_misuse;
SET timezone = 'UTC';
CREATE ROLE history_partitions_owner;
CREATE ROLE history_partitions_user;
GRANT USAGE, CREATE ON SCHEMA history_partitions_misuse TO history_partitions_owner, history_partitions_user;
SET ROLE history_partitions_owner;

-- arguments
CREATE TABLE users (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('users');
SELECT dtmodel.add_history('users', partition_by => 'week');
\echo :SQLSTATE
SELECT dtmodel.add_history('users', partition_by => '');
SELECT dtmodel.add_history_partitions('users');
\echo :SQLSTATE
SELECT dtmodel.add_history('users', partition_by => NULL);
SELECT dtmodel.add_history_partitions('users');
\echo :SQLSTATE
-- a history without partitions stays so
SELECT dtmodel.add_history('users', partition_by => 'month');
\echo :SQLSTATE
INSERT INTO users VALUES (1, 'a');
UPDATE users SET name = 'b';
-- the hint works
SELECT dtmodel.remove_history('users');
ALTER TABLE users_history RENAME TO users_before;
SELECT dtmodel.add_history('users', partition_by => 'month');
INSERT INTO users_history SELECT * FROM users_before;
SELECT name FROM dtmodel.history(NULL::users, 1), LATERAL (SELECT (version).name) AS v;
SELECT dtmodel.add_history_partitions(NULL);
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('users', NULL);
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('users', -1);
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('users', 1201);
SELECT dtmodel.add_history_partitions('pg_class');
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('users_pkey');
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('users_history_default');
\echo :SQLSTATE
SELECT dtmodel.add_history('users_history_default');
\echo :SQLSTATE
SELECT dtmodel.add_history('users_history', partition_by => 'month');
\echo :SQLSTATE

-- inheritance
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps('base');
SELECT dtmodel.add_history('base', partition_by => 'month');
\echo :SQLSTATE
SELECT dtmodel.add_history('child', partition_by => 'month');
DROP TABLE child, child_history;
SELECT dtmodel.add_history('base', partition_by => 'month');
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps('child');
SELECT dtmodel.add_history('child');
\echo :SQLSTATE
SELECT dtmodel.add_history('child', partition_by => 'month');
\echo :SQLSTATE
SELECT dtmodel.add_history('base');
\echo :SQLSTATE
DROP TABLE child;
CREATE TABLE child (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('child'), dtmodel.add_history('child');
\set VERBOSITY terse
ALTER TABLE child INHERIT base;
\echo :SQLSTATE
\set VERBOSITY default
DROP TABLE child, child_history;

-- a table that is partitioned by something else
CREATE TABLE notes (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
SELECT dtmodel.remove_history('notes');
ALTER TABLE notes_history RENAME TO other;
CREATE TABLE notes_history (LIKE other) PARTITION BY LIST (operation);
SELECT dtmodel.add_history('notes');
\echo :SQLSTATE
DROP TABLE notes_history;
CREATE TABLE notes_history (LIKE other) PARTITION BY RANGE (valid_to);
SELECT dtmodel.add_history('notes');
SELECT count(*) FROM pg_inherits WHERE inhparent = 'notes_history'::regclass;
INSERT INTO notes VALUES (1);
DELETE FROM notes;
SELECT tableoid::regclass::text ~ '\d$' AS in_month FROM notes_history;

-- without any partition for the time, the change is not made
INSERT INTO users VALUES (2, 'a');
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'users_history'::regclass LOOP
        EXECUTE format('DROP TABLE %s', partition);
    END LOOP;
END $$;
RESET ROLE;
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE users SET name = 'c', updated_at = '2999-01-01 00:00+00';
\echo :SQLSTATE
ROLLBACK;
SET ROLE history_partitions_owner;
SELECT name FROM users ORDER BY id;
SELECT drift FROM dtmodel.models WHERE model = 'users'::regclass;
SELECT count(*) FROM users_as_of(now());
SELECT cardinality(dtmodel.add_history_partitions('users'));
SELECT drift FROM dtmodel.models WHERE model = 'users'::regclass;
UPDATE users SET name = 'c';
-- nor where it would be a foreign table
RESET ROLE;
CREATE FOREIGN DATA WRAPPER history_partitions_wrapper;
CREATE SERVER history_partitions_server FOREIGN DATA WRAPPER history_partitions_wrapper;
DROP TABLE users_history_default;
CREATE FOREIGN TABLE users_history_far PARTITION OF users_history DEFAULT SERVER history_partitions_server;
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE users SET name = 'd', updated_at = '2999-01-01 00:00+00';
\echo :SQLSTATE
ROLLBACK;
DROP FOREIGN TABLE users_history_far;
DROP SERVER history_partitions_server;
DROP FOREIGN DATA WRAPPER history_partitions_wrapper;
SET ROLE history_partitions_owner;
SELECT dtmodel.add_history_partitions('users');

-- commands on a partition
ALTER TABLE users_history_default ALTER name SET NOT NULL;
\echo :SQLSTATE
ALTER TABLE users_history_default OWNER TO history_partitions_user;
\echo :SQLSTATE
\set VERBOSITY sqlstate
ALTER TABLE users_history_default DROP COLUMN name;
ALTER TABLE users_history_default ALTER name TYPE int USING 1;
ALTER TABLE users_history_default RENAME name TO title;
ALTER TABLE users_history_default ADD COLUMN x int;
\set VERBOSITY default
DROP TABLE users_history;
\echo :SQLSTATE
ALTER TABLE users_history_default RENAME TO rest;
RESET ROLE;
CREATE SCHEMA AUTHORIZATION history_partitions_owner;
SET ROLE history_partitions_owner;
ALTER TABLE rest SET SCHEMA history_partitions_owner;
SELECT dtmodel.add_history_partitions('users');
ALTER TABLE users_history DETACH PARTITION history_partitions_owner.rest;
DROP TABLE history_partitions_owner.rest;

-- other roles
RESET ROLE;
GRANT ALL ON users, users_history TO history_partitions_user;
SET ROLE history_partitions_user;
SELECT dtmodel.add_history_partitions('users');
\echo :SQLSTATE
SELECT dtmodel.add_history('users');
\echo :SQLSTATE
-- a trap: no code of the owner runs as the role that makes the partitions
RESET ROLE;
SET ROLE history_partitions_owner;
SELECT cardinality(dtmodel.add_history_partitions('users', 0));
CREATE TABLE ran (who text);
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_partitions_misuse.ran VALUES (current_user);
    RETURN OLD;
END $$;
CREATE TRIGGER trap BEFORE DELETE ON users_history FOR EACH ROW EXECUTE FUNCTION trap();
CREATE FUNCTION trap(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'history_partitions_owner' THEN
        RAISE EXCEPTION 'runs as %', current_user;
    END IF;
    RETURN t;
END $$;
CREATE INDEX ON users_history (history_partitions_misuse.trap(name));
RESET ROLE;
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE users SET name = 'e', updated_at = '2999-01-01 00:00+00';
COMMIT;
SET ROLE history_partitions_owner;
UPDATE users_history SET valid_to = '2020-01-01 00:00+00', valid_from = '2019-01-01 00:00+00';
RESET ROLE;
TRUNCATE ran;
SELECT count(*) FROM users_history_default;
SELECT cardinality(dtmodel.add_history_partitions('users', 0));
SELECT DISTINCT who FROM ran;
-- purging drops partitions as the owner, for roles that may purge
SET ROLE history_partitions_user;
SET client_min_messages = notice;
CALL dtmodel.purge_history('users', '1 year', dry_run => true);
CALL dtmodel.purge_history('users', '1 year');
SET client_min_messages = warning;
SELECT count(*) FROM pg_class WHERE relname = 'users_history_2020_01';
RESET ROLE;
REVOKE TRUNCATE ON users FROM history_partitions_user;
SET ROLE history_partitions_user;
CALL dtmodel.purge_history('users', '0');
\echo :SQLSTATE
RESET ROLE;
-- what depends on a partition keeps it
CREATE TABLE users_history_old PARTITION OF users_history FOR VALUES FROM ('2010-01-01') TO ('2011-01-01');
CREATE VIEW old AS SELECT * FROM users_history_old;
CALL dtmodel.purge_history('users', '1 year');
\echo :SQLSTATE
DROP VIEW old;

-- no code of the owner runs as the owner of a partition, and no cast as the role that makes partitions
SET ROLE history_partitions_owner;
CREATE TYPE kind AS ENUM ('1');
CREATE FUNCTION to_number(k kind) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_partitions_misuse.ran VALUES ('cast as ' || current_user);
    RETURN 1;
END $$;
CREATE CAST (kind AS int) WITH FUNCTION to_number(kind) AS IMPLICIT;
CREATE TABLE kinds (id int PRIMARY KEY);
INSERT INTO kinds VALUES (1);
CREATE TABLE things (id int PRIMARY KEY, name text, kind kind DEFAULT '1');
SELECT dtmodel.add_timestamps('things'), dtmodel.add_history('things', partition_by => 'month');
DROP TABLE things_history_default;
CREATE FUNCTION write_who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_partitions_misuse.ran VALUES (TG_OP || ' as ' || current_user);
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER who BEFORE INSERT OR DELETE ON things_history FOR EACH ROW EXECUTE FUNCTION write_who();
ALTER TABLE things_history ADD FOREIGN KEY (kind) REFERENCES kinds;
RESET ROLE;
CREATE TABLE things_history_rest PARTITION OF things_history DEFAULT;
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
INSERT INTO things (id, name, updated_at) VALUES (1, 'a', '2019-01-01 00:00+00');
UPDATE things SET name = 'b', updated_at = '2020-01-01 00:00+00';
UPDATE things SET name = 'c', updated_at = '2998-01-01 00:00+00';
UPDATE things SET name = 'd', updated_at = '2999-01-01 00:00+00';
COMMIT;
-- the owner of the history needs privileges on such a partition
\set VERBOSITY sqlstate
SELECT dtmodel.add_history_partitions('things');
CALL dtmodel.purge_history('things', '1 year');
\set VERBOSITY default
GRANT SELECT, INSERT, DELETE ON things_history_rest TO history_partitions_owner;
SELECT cardinality(dtmodel.add_history_partitions('things'));
SET ROLE history_partitions_owner;
UPDATE things_history SET valid_from = valid_to - interval '1000 years', valid_to = valid_to - interval '1000 years'
WHERE valid_to > now();
RESET ROLE;
CALL dtmodel.purge_history('things', '0');
SELECT DISTINCT who FROM ran WHERE who ~ ' as ' ORDER BY who;
SELECT count(*) FROM things_history;

-- a role that may not read the history may not read its partitions either, whatever is granted by default
ALTER DEFAULT PRIVILEGES FOR ROLE history_partitions_owner GRANT ALL ON TABLES TO PUBLIC, history_partitions_user;
SET ROLE history_partitions_owner;
CREATE TABLE letters (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('letters'), dtmodel.add_history('letters', partition_by => 'month');
REVOKE ALL ON letters_history FROM PUBLIC, history_partitions_user;
RESET ROLE;
DROP TABLE letters_history_default;
SELECT cardinality(dtmodel.add_history_partitions('letters', 4));
SELECT count(*), bool_or(has_table_privilege('history_partitions_user', inhrelid, 'SELECT')) AS readable,
    bool_and(pg_get_userbyid(relowner) = 'history_partitions_owner') AS owned
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'letters_history'::regclass;
ALTER DEFAULT PRIVILEGES FOR ROLE history_partitions_owner REVOKE ALL ON TABLES FROM PUBLIC, history_partitions_user;

-- a partition that covers two halves of months, and one without an end: the other months get theirs
RESET ROLE;
CREATE TABLE halves (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('halves'), dtmodel.add_history('halves', partition_by => 'month');
DO $$
BEGIN
    EXECUTE format('CREATE TABLE halves_history_some PARTITION OF halves_history FOR VALUES FROM (%L) TO (%L)',
                   (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '6 months 14 days') AT TIME ZONE 'UTC',
                   (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '7 months 14 days') AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TABLE halves_history_end PARTITION OF halves_history FOR VALUES FROM (%L) TO (MAXVALUE)',
                   (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '12 months') AT TIME ZONE 'UTC');
END
$$;
SELECT cardinality(dtmodel.add_history_partitions('halves', 9));
SELECT cardinality(dtmodel.add_history_partitions('halves', 14));

SET client_min_messages = warning;
DROP SCHEMA history_partitions_misuse, history_partitions_owner CASCADE;
DROP ROLE history_partitions_owner, history_partitions_user;
