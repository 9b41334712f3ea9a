--
-- a history follows what commands do to the definition of its model
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_ddl;
SET search_path = history_ddl;
-- a moment between two changes
CREATE FUNCTION history_ddl.moment() RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.pg_sleep(0.001);
    RETURN pg_catalog.clock_timestamp();
END $$;
-- what a history has of its model, and how that was
CREATE FUNCTION history_ddl.columns(t regclass) RETURNS TABLE (name name, type text, nulls boolean) LANGUAGE sql AS $$
    SELECT attname, format_type(atttypid, atttypmod) ||
           CASE WHEN attcollation = 0 OR attcollation = 100 THEN '' ELSE ' ' || attcollation::regcollation END, NOT attnotnull
    FROM pg_attribute
    WHERE attrelid = t AND attnum > 0 AND NOT attisdropped
      AND attname NOT IN ('valid_from', 'valid_to', 'operation', 'ended_by', 'transaction_id', 'created_at', 'updated_at')
    ORDER BY attnum $$;
CREATE FUNCTION history_ddl.names(t regclass) RETURNS TABLE (trigger name, arguments text) LANGUAGE sql AS $$
    SELECT tgname, replace(encode(tgargs, 'escape'), '\000', ' ')
    FROM pg_trigger WHERE tgrelid = t AND tgname LIKE '%history%' ORDER BY tgname $$;
CREATE FUNCTION history_ddl.drift(t regclass) RETURNS jsonb LANGUAGE sql AS $$
    SELECT to_jsonb(drift) FROM dtmodel.models WHERE model = t $$;
-- rows as JSON, without what differs from run to run
CREATE FUNCTION history_ddl.shown(r jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT r - 'created_at' - 'updated_at' - 'changed_at' - 'valid_from' - 'valid_to' - 'ended_by' - 'transaction_id' $$;

-- ADD COLUMN: a version that ended before has no value, whatever the default
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, age text);
SELECT dtmodel.add_timestamps('users', clock => 'clock'), dtmodel.add_history('users');
INSERT INTO users VALUES (1, 'ann', '7'), (2, 'bob', '8');
UPDATE users SET name = 'Ann' WHERE id = 1;
SELECT moment() AS t1 \gset
UPDATE users SET name = 'ANN' WHERE id = 1;
SELECT moment() AS t2 \gset
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;
ALTER TABLE users ADD COLUMN email text NOT NULL DEFAULT 'none';
SELECT * FROM columns('users_history');
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t2') AS u ORDER BY id;
UPDATE users SET email = 'a@b.c';
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t2') AS u ORDER BY id;
-- several at once, some of which exist, with a check and a generated column
ALTER TABLE users
    ADD COLUMN a int CHECK (a > 0), ADD IF NOT EXISTS name int,
    ADD COLUMN IF NOT EXISTS b numeric(5, 2)[] DEFAULT '{1.5}', ADD COLUMN c serial,
    ADD COLUMN d text COLLATE "C" GENERATED ALWAYS AS (name || '!') STORED;
SELECT * FROM columns('users_history');
UPDATE users SET name = 'anna' WHERE id = 1;
SELECT shown(to_jsonb(h)) FROM users_history AS h ORDER BY id, valid_to;
SELECT drift('users');

-- DROP COLUMN: the past keeps it, but users_as_of does not show it any more
ALTER TABLE users DROP COLUMN b, DROP COLUMN c, DROP COLUMN d;
UPDATE users SET a = 5 WHERE id = 1;
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;
SELECT shown(to_jsonb(h)) FROM users_history AS h ORDER BY id, valid_to;

-- another column of that name does not get that past
SET client_min_messages = notice;
ALTER TABLE users ADD COLUMN d date, ADD COLUMN b text;
SET client_min_messages = warning;
SELECT * FROM columns('users_history');
UPDATE users SET b = 'x', d = '2020-01-01' WHERE id = 1;
UPDATE users SET b = 'y' WHERE id = 1;
SELECT shown(to_jsonb(h)) FROM users_history AS h WHERE id = 1 ORDER BY valid_to;
-- nor does a third one, or one that gets that name
ALTER TABLE users DROP COLUMN b;
SET client_min_messages = notice;
ALTER TABLE users RENAME COLUMN d TO b;
ALTER TABLE users DROP COLUMN b, ADD COLUMN b int;
SET client_min_messages = warning;
UPDATE users SET b = 3 WHERE id = 1;
SELECT * FROM columns('users_history');
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;

-- RENAME COLUMN, also of the key and of what mixins use
ALTER TABLE users RENAME name TO "the ""Name""";
ALTER TABLE users RENAME id TO key;
UPDATE users SET "the ""Name""" = 'x' WHERE key = 1;
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY key;
ALTER VIEW users RENAME COLUMN key TO id;
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;
ALTER TABLE users RENAME updated_at TO changed_at;
SELECT dtmodel.add_timestamps('users', updated_at => 'changed_at', clock => 'clock');
UPDATE users SET "the ""Name""" = 'y' WHERE id = 1;
SELECT id, "the ""Name""", changed_at < :'t1' AS before FROM users_as_of(:'t1') ORDER BY id;
SELECT drift('users');

-- ALTER COLUMN TYPE changes the past too: with a cast, with USING, several at once
ALTER TABLE users
    ALTER age SET DATA TYPE int USING users.age::int + length(users."the ""Name"""),
    ALTER "the ""Name""" TYPE varchar(20) COLLATE "C",
    ALTER a TYPE bigint, ADD COLUMN e int, DROP COLUMN b;
SELECT * FROM columns('users_history');
SELECT shown(to_jsonb(u)) FROM users_as_of(:'t1') AS u ORDER BY id;
UPDATE users SET age = 1, e = 2 WHERE id = 1;
-- an expression that changes values and no type
ALTER TABLE users ALTER age TYPE int USING age * 100;
SELECT id, age FROM users_as_of(:'t1') ORDER BY id;
SELECT id, age FROM users ORDER BY id;
-- the key, whose index stays
ALTER TABLE users ALTER id TYPE bigint;
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'users_history'::regclass;
UPDATE users SET age = 2 WHERE id = 1;
SELECT drift('users');

-- domains, arrays, enums, composite types
CREATE DOMAIN short AS text CHECK (length(VALUE) < 5);
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TYPE pair AS (x int, y int);
ALTER TABLE users ADD s short, ADD m mood DEFAULT 'sad', ADD ms mood[], ADD p pair;
UPDATE users SET s = 'ab', m = 'fine', ms = '{sad}', p = (1, 2) WHERE id = 1;
SELECT moment() AS t3 \gset
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
ALTER TYPE pair RENAME ATTRIBUTE x TO z;
UPDATE users SET s = NULL, m = NULL, ms = NULL, p = NULL WHERE id = 1;
SELECT s, m, ms, p FROM users_as_of(:'t3') ORDER BY id;
ALTER TABLE users ALTER s TYPE text, ALTER m TYPE text, ALTER ms TYPE text[], ALTER p TYPE text USING (p).z;
SELECT s, m, ms, p FROM users_as_of(:'t3') ORDER BY id;
UPDATE users SET s = 'abcdef' WHERE id = 1;
-- a type takes the columns along
ALTER TABLE users ALTER m TYPE mood USING m::mood;
SELECT m FROM users_as_of(:'t3') ORDER BY id;
DROP TYPE mood CASCADE;
SELECT * FROM columns('users_history');
SELECT s FROM users_as_of(:'t3') ORDER BY id;
UPDATE users SET s = 'x' WHERE id = 1;
-- so does whatever else a column depends on
CREATE TABLE part_types (a int);
CREATE VIEW view_types AS SELECT 1 AS a;
CREATE FUNCTION lowered(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT pg_catalog.lower($1)';
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
CREATE TABLE typed (id int PRIMARY KEY, t part_types, v view_types, name text,
    low text GENERATED ALWAYS AS (lowered(name)) STORED,
    words tsvector GENERATED ALWAYS AS (to_tsvector('words', name)) STORED);
SELECT dtmodel.add_timestamps('typed'), dtmodel.add_history('typed');
INSERT INTO typed (id) VALUES (1);
DROP TABLE part_types CASCADE;
SELECT count(*) FROM typed_as_of(now());
DROP VIEW view_types CASCADE;
SELECT count(*) FROM typed_as_of(now());
DROP ROUTINE lowered CASCADE;
SELECT count(*) FROM typed_as_of(now());
DROP TEXT SEARCH CONFIGURATION words CASCADE;
SELECT count(*) FROM typed_as_of(now());
DROP TABLE typed, typed_history;

-- a command that is rolled back, in a subtransaction too
BEGIN;
ALTER TABLE users DROP COLUMN s;
SAVEPOINT s;
ALTER TABLE users ADD COLUMN s int;
ALTER TABLE users RENAME TO people;
UPDATE people SET s = 1;
ROLLBACK TO s;
ALTER TABLE users ADD COLUMN s int;
UPDATE users SET s = 1;
ROLLBACK;
UPDATE users SET s = 'y' WHERE id = 1;
SELECT s FROM users_as_of(:'t3') ORDER BY id;
SELECT * FROM columns('users_history') WHERE name LIKE 's%';

-- RENAME TABLE: the history, the function and the arguments have its name
ALTER TRIGGER zz_dtmodel_history ON users RENAME TO zzz_history;
ALTER TABLE users ENABLE ALWAYS TRIGGER zzz_history;
ALTER TABLE users RENAME TO "the ""Users""";
SELECT * FROM names('"the ""Users"""');
SELECT tgenabled FROM pg_trigger WHERE tgname = 'zzz_history';
UPDATE "the ""Users""" SET s = 'z' WHERE id = 1;
SELECT s FROM "the ""Users""_as_of"(:'t3') ORDER BY id;
SELECT count(*) FROM "the ""Users""_history";
ALTER INDEX "the ""Users""" RENAME TO users;
SELECT * FROM names('users');
-- to 63 bytes, and from there
ALTER TABLE users RENAME TO tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttüa;
SELECT relname, octet_length(relname) FROM pg_class WHERE oid IN (SELECT attrelid FROM pg_attribute WHERE attname = 'valid_to') AND relkind = 'r' AND relnamespace = 'history_ddl'::regnamespace;
SELECT tgargs <> '' FROM pg_trigger WHERE tgname = 'zzz_history';
UPDATE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttü SET s = 'u' WHERE id = 1;
ALTER TABLE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttü RENAME TO users;
SELECT * FROM names('users');
-- names that are taken stay as they were
CREATE TABLE people_history (id int);
CREATE FUNCTION people_as_of(timestamptz) RETURNS int LANGUAGE sql AS 'SELECT 1';
SET client_min_messages = notice;
ALTER TABLE users RENAME TO people;
SET client_min_messages = warning;
SELECT * FROM names('people');
UPDATE people SET s = 'v' WHERE id = 1;
SELECT s FROM users_as_of(:'t3') ORDER BY id;
ALTER TABLE people RENAME TO users;
SELECT * FROM names('users');
DROP TABLE people_history;
DROP FUNCTION people_as_of;

-- SET SCHEMA, and the schema's name
CREATE SCHEMA history_ddl_other;
ALTER TABLE users SET SCHEMA history_ddl_other;
SELECT to_regclass('users_history'), to_regprocedure('users_as_of(timestamptz)'), to_regclass('history_ddl_other.users_history');
UPDATE history_ddl_other.users SET s = 'w' WHERE id = 1;
SELECT s FROM history_ddl_other.users_as_of(:'t3') ORDER BY id;
ALTER SCHEMA history_ddl_other RENAME TO history_ddl_third;
UPDATE history_ddl_third.users SET s = 'x' WHERE id = 1;
SELECT s FROM history_ddl_third.users_as_of(:'t3') ORDER BY id;
ALTER TABLE history_ddl_third.users SET SCHEMA history_ddl;
SELECT drift('users');
DROP SCHEMA history_ddl_third;

-- a column that is excluded
CREATE TABLE secrets (id int PRIMARY KEY, name text, password text, "a, ""b""" text);
SELECT dtmodel.add_timestamps('secrets', clock => 'clock'), dtmodel.add_history('secrets', exclude => ARRAY['password', 'a, "b"']::name[]);
INSERT INTO secrets VALUES (1, 'ann', 'x', 'y');
ALTER TABLE secrets RENAME password TO "pass, word";
ALTER TABLE secrets ALTER "pass, word" TYPE bytea USING "pass, word"::bytea;
SELECT * FROM names('secrets');
UPDATE secrets SET name = 'bob', "pass, word" = '\x01';
SELECT shown(to_jsonb(h)) FROM secrets_history AS h;
SELECT shown(to_jsonb(u)) FROM secrets_as_of(now()) AS u;
ALTER TABLE secrets DROP COLUMN "a, ""b""";
SELECT * FROM names('secrets');
ALTER TABLE secrets RENAME name TO password;
ALTER TABLE secrets DROP COLUMN "pass, word", ADD COLUMN name int;
SELECT * FROM names('secrets');
SELECT * FROM columns('secrets_history');
UPDATE secrets SET name = 1;
SELECT shown(to_jsonb(h)) FROM secrets_history AS h ORDER BY valid_to;

-- tables that inherit, with columns and pasts of their own
CREATE TABLE vehicles (id int PRIMARY KEY, name text);
CREATE TABLE cars (seats int, PRIMARY KEY (id)) INHERITS (vehicles);
CREATE TABLE vans (PRIMARY KEY (id), load int, color text) INHERITS (cars);
SELECT dtmodel.add_timestamps('vehicles', clock => 'clock'), dtmodel.add_history('vehicles');
INSERT INTO vehicles VALUES (1, 'v');
INSERT INTO cars (id, name, seats) VALUES (2, 'c', 5);
INSERT INTO vans (id, name, seats, load, color) VALUES (3, 't', 3, 1000, 'red');
SELECT moment() AS t4 \gset
UPDATE vehicles SET name = name || '2';
ALTER TABLE vans DROP COLUMN color;
SET client_min_messages = notice;
ALTER TABLE vehicles ADD COLUMN color int DEFAULT 7, ADD COLUMN load int;
SET client_min_messages = warning;
ALTER TABLE vehicles RENAME name TO title;
ALTER TABLE vehicles ALTER title TYPE varchar(30) USING title || '!';
ALTER TABLE cars RENAME TO autos;
UPDATE vehicles SET title = title || '3';
SELECT * FROM columns('vehicles_history');
SELECT * FROM columns('autos_history');
SELECT * FROM columns('vans_history');
SELECT shown(to_jsonb(u)) FROM vehicles_as_of(:'t4') AS u ORDER BY id;
SELECT shown(to_jsonb(u)) FROM autos_as_of(:'t4') AS u ORDER BY id;
SELECT shown(to_jsonb(u)) FROM vans_as_of(:'t4') AS u ORDER BY id;
ALTER TABLE autos NO INHERIT vehicles;
SELECT shown(to_jsonb(u)) FROM vehicles_as_of(:'t4') AS u ORDER BY id;
ALTER TABLE autos ALTER title TYPE text;
ALTER TABLE vehicles DROP COLUMN color, DROP COLUMN load;
ALTER TABLE autos ALTER title TYPE varchar(30);
ALTER TABLE autos INHERIT vehicles;
SELECT shown(to_jsonb(u)) FROM vehicles_as_of(:'t4') AS u ORDER BY id;
UPDATE vehicles SET title = 'x';
SELECT tableoid::regclass, id, title FROM vehicles_history ORDER BY id, valid_to;
SELECT model, drift FROM dtmodel.models WHERE model IN ('vehicles'::regclass, 'autos'::regclass, 'vans'::regclass) ORDER BY 1;
-- a column of the past that comes from the parent gives way too
ALTER TABLE autos DROP COLUMN color;
SET client_min_messages = notice;
ALTER TABLE vans ADD COLUMN color date;
SET client_min_messages = warning;
UPDATE vans SET color = '2020-01-01';
SELECT * FROM columns('vans_history');
-- one that is created later is not followed, and says so
CREATE TABLE bikes (PRIMARY KEY (id)) INHERITS (vehicles);
SELECT drift('vehicles');
DROP TABLE bikes;

-- a table of a type
CREATE TYPE item AS (id int, name text);
CREATE TABLE items OF item (PRIMARY KEY (id));
ALTER TYPE item ADD ATTRIBUTE created_at timestamptz CASCADE, ADD ATTRIBUTE updated_at timestamptz CASCADE;
ALTER TABLE items ALTER updated_at SET NOT NULL;
SELECT dtmodel.add_timestamps('items', clock => 'clock'), dtmodel.add_history('items');
INSERT INTO items VALUES (1, 'a');
SELECT moment() AS t5 \gset
UPDATE items SET name = 'b';
ALTER TYPE item RENAME ATTRIBUTE name TO title CASCADE;
ALTER TYPE item ADD ATTRIBUTE n int CASCADE, ALTER ATTRIBUTE title TYPE varchar(10) CASCADE;
UPDATE items SET title = 'c', n = 1;
SELECT shown(to_jsonb(u)) FROM items_as_of(:'t5') AS u;
ALTER TYPE item DROP ATTRIBUTE title CASCADE;
UPDATE items SET n = 2;
SELECT shown(to_jsonb(u)) FROM items_as_of(:'t5') AS u;
SELECT * FROM columns('items_history');

-- partitions: created, attached, with partitions of their own; and detached
CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
SELECT dtmodel.add_timestamps('events', clock => 'clock'), dtmodel.add_history('events');
CREATE TABLE events_b PARTITION OF events FOR VALUES IN ('b') PARTITION BY LIST (id);
CREATE TABLE events_b1 PARTITION OF events_b FOR VALUES IN (1);
CREATE TABLE events_c (updated_at timestamptz NOT NULL, created_at timestamptz NOT NULL, note text, junk int, region text NOT NULL, id int NOT NULL) PARTITION BY LIST (id);
ALTER TABLE events_c DROP COLUMN junk;
CREATE TABLE events_c1 PARTITION OF events_c DEFAULT;
ALTER TABLE events ATTACH PARTITION events_c FOR VALUES IN ('c');
CREATE SCHEMA history_ddl_part CREATE TABLE events_d PARTITION OF history_ddl.events FOR VALUES IN ('d');
SELECT relid, (SELECT count(*) FROM names(relid)) FROM pg_partition_tree('events');
INSERT INTO events VALUES (1, 'a', 'x'), (1, 'b', 'x'), (1, 'c', 'x'), (1, 'd', 'x');
SELECT moment() AS t6 \gset
ALTER TABLE events ADD COLUMN n int DEFAULT 1, ALTER note TYPE varchar USING note || '?';
ALTER TABLE events RENAME note TO remark;
ALTER TABLE events RENAME TO happenings;
SELECT DISTINCT (names(relid)).* FROM pg_partition_tree('happenings') ORDER BY 1;
UPDATE happenings SET n = 2;
TRUNCATE events_b1, events_c1, history_ddl_part.events_d;
SELECT operation, shown(to_jsonb(h)) - 'operation' FROM happenings_history AS h ORDER BY region, valid_to;
SELECT shown(to_jsonb(u)) FROM happenings_as_of(:'t6') AS u ORDER BY region;
ALTER TABLE happenings DETACH PARTITION events_a;
ALTER TABLE happenings DROP COLUMN n;
UPDATE events_a SET n = 3;
SELECT * FROM names('events_a');

-- row-level security is that of the model
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'users_history'::regclass;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
SELECT relrowsecurity FROM pg_class WHERE oid = 'secrets_history'::regclass;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'secrets_history'::regclass;
ALTER TABLE users DISABLE ROW LEVEL SECURITY;
UPDATE users SET s = 'rls' WHERE id = 1;

-- row-level security that is forced holds for the past, too, before and after
-- add_history
CREATE TABLE forced (id int PRIMARY KEY);
CREATE TABLE forced_before (LIKE forced INCLUDING ALL);
ALTER TABLE forced_before ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT dtmodel.add_timestamps(t), dtmodel.add_history(t) FROM unnest('{forced,forced_before}'::regclass[]) AS t;
ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname IN ('forced_history', 'forced_before_history') ORDER BY 1;
INSERT INTO forced VALUES (1);
UPDATE forced SET id = 2;
SELECT count(*) FROM forced_history;

-- an unlogged model becomes permanent, and so does its past
CREATE UNLOGGED TABLE cache (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('cache', clock => 'clock'), dtmodel.add_history('cache');
ALTER TABLE cache SET LOGGED;
SELECT relname, relpersistence FROM pg_class WHERE relname IN ('cache', 'cache_history') ORDER BY 1;

-- temporary tables
CREATE TEMPORARY TABLE scratch (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('scratch', clock => 'clock'), dtmodel.add_history('scratch');
INSERT INTO scratch VALUES (1, 1);
ALTER TABLE scratch ADD COLUMN w int, ALTER v TYPE text;
ALTER TABLE scratch RENAME TO "Scratch";
UPDATE "Scratch" SET v = 2;
SELECT shown(to_jsonb(h)) FROM "Scratch_history" AS h;
SELECT count(*) FROM pg_temp."Scratch_as_of"(now());
DROP TABLE "Scratch", "Scratch_history";

-- inside functions and DO blocks, with plans that were made before
CREATE FUNCTION change_users(c name) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    EXECUTE format('ALTER TABLE history_ddl.users ADD COLUMN %I int', c);
    EXECUTE format('UPDATE history_ddl.users SET %I = 1', c);
    EXECUTE format('UPDATE history_ddl.users SET %I = 2', c);
END $$;
PREPARE past AS SELECT shown(to_jsonb(u)) - 's' - 'p' - 'ms' - 'a' - 'e' FROM users_as_of($1) AS u WHERE id = 1;
EXECUTE past(:'t3');
SELECT change_users('f');
DO $$ BEGIN PERFORM history_ddl.change_users('F'); END $$;
EXECUTE past(:'t3');
SELECT f, "F" FROM users_history WHERE f IS NOT NULL OR "F" IS NOT NULL ORDER BY valid_to;
ALTER TABLE users DROP COLUMN f, DROP COLUMN "F";
EXECUTE past(:'t3');

-- DROP TABLE: the function goes along, the past stays, and can be gone on with
SET client_min_messages = notice;
DROP TABLE secrets;
SET client_min_messages = warning;
SELECT to_regclass('secrets_history'), to_regprocedure('secrets_as_of(timestamptz)');
CREATE TABLE secrets (id int PRIMARY KEY, name text);
SET client_min_messages = notice;
SELECT dtmodel.add_timestamps('secrets'), dtmodel.add_history('secrets');
SET client_min_messages = warning;
SELECT * FROM columns('secrets_history');
-- both at once, with those that inherit, and with the schema
DROP TABLE secrets, secrets_history;
DROP TABLE vehicles, vehicles_history CASCADE;
SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^(vehicles|autos|vans|secrets)';
-- a view on the function is another matter
CREATE VIEW yesterday AS SELECT id FROM items_as_of(now() - interval '1 day');
\set VERBOSITY terse
DROP TABLE items;
\echo :SQLSTATE
\set VERBOSITY default
DROP TABLE items CASCADE;

-- a history that is given up does not follow
SELECT dtmodel.remove_history('users');
ALTER TABLE users ADD COLUMN after int, ALTER age TYPE text;
ALTER TABLE users RENAME TO people;
SELECT count(*) FROM columns('users_history') WHERE name = 'after';
ALTER TABLE people RENAME TO users;
SET client_min_messages = notice;
SELECT dtmodel.add_history('users');
SET client_min_messages = warning;
UPDATE users SET after = 1;
SELECT age, age_1, after FROM users_history ORDER BY valid_to DESC LIMIT 1;
SELECT dtmodel.remove_history('users', drop_history => true);
DROP SCHEMA history_ddl CASCADE;
DROP SCHEMA history_ddl_part CASCADE;
