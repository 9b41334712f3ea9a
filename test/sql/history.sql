-- every version of a row, and the table as it was
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
RESET client_min_messages;
CREATE SCHEMA history;
SET search_path = history;
SET client_min_messages = warning;

CREATE TABLE users (id int PRIMARY KEY, name text, secret text, n int DEFAULT 0);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_soft_delete('users');
RESET client_min_messages;
SELECT dtmodel.add_history('users', exclude => '{secret}');
SELECT dtmodel.add_history('users', exclude => '{secret}');
\d users_history
SELECT tgname FROM pg_trigger WHERE tgrelid = 'users'::regclass AND tgname LIKE '%history%' ORDER BY 1;
SELECT d -> 'history' AS history, d -> 'past' AS past, d -> 'drift' AS drift FROM dtmodel.describe('users') AS d;
SELECT model, mixins, drift FROM dtmodel.models WHERE model::text LIKE 'users%';
SET client_min_messages = warning;

-- the versions that have ended, without their times; "length" is 0 if a
-- version begins and ends in one transaction
CREATE VIEW versions AS
SELECT id, name, n, deleted_at IS NOT NULL AS deleted, operation,
       replace(ended_by, session_user, 'session_user') AS ended_by,
       sign(extract(epoch FROM valid_to - valid_from)) AS length
FROM users_history ORDER BY id, valid_to, valid_from, operation;
CREATE TABLE moments (moment text PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION at(moment text) RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM history.moments WHERE moments.moment = $1';

-- an INSERT writes nothing, nor does an UPDATE that changes nothing
INSERT INTO users VALUES (1, 'ann', 's1'), (2, 'bob', 's2'), (3, 'cid', 's3'), (4, 'dan', 's4');
UPDATE users SET name = name;
TABLE versions;
INSERT INTO moments VALUES ('inserted');

-- an UPDATE, a soft DELETE and a restore
SET dtmodel.actor = 'alice';
UPDATE users SET name = upper(name), secret = 'new' WHERE id IN (1, 2);
INSERT INTO moments VALUES ('updated');
RESET dtmodel.actor;
SELECT name FROM dtmodel.soft_delete(NULL::users, 1);
INSERT INTO moments VALUES ('deleted');
SELECT name FROM dtmodel.restore(NULL::users, 1);
TABLE versions;

-- the table as it was; the past of an excluded column is null
SELECT moment, u.id, u.name, u.secret, u.deleted_at IS NOT NULL AS deleted
FROM moments, users_as_of(at) AS u WHERE u.id < 3 ORDER BY moments.at, u.id;
SELECT count(*) FROM users_as_of('2000-01-01');
SELECT count(*) FROM users_as_of(NULL);
SELECT count(*) FROM users_as_of('infinity');
SELECT id, name FROM users_as_of(clock_timestamp()) ORDER BY id;
-- its conditions use the indexes of both tables
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM users_as_of('2026-01-01') WHERE id = 1;
RESET enable_seqscan;

-- several changes in one transaction leave one version, with the operation that ended it
DELETE FROM users_history;
BEGIN;
UPDATE users SET n = 1 WHERE id = 2;
UPDATE users SET n = 2 WHERE id = 2;
TABLE versions;
SELECT 'deleted' FROM dtmodel.soft_delete(NULL::users, 2);
INSERT INTO users VALUES (5, 'eve');
UPDATE users SET n = 1 WHERE id = 5;
COMMIT;
TABLE versions;

-- what is rolled back leaves nothing
DELETE FROM users_history;
BEGIN;
UPDATE users SET n = 3 WHERE id = 3;
SAVEPOINT a;
UPDATE users SET n = 4 WHERE id = 4;
SAVEPOINT b;
UPDATE users SET n = 5 WHERE id = 1;
RELEASE b;
ROLLBACK TO a;
SAVEPOINT c;
UPDATE users SET n = 6 WHERE id = 5;
RELEASE c;
COMMIT;
TABLE versions;
DELETE FROM users_history;
DO $$
BEGIN
    UPDATE history.users SET n = 7 WHERE id = 3;
    BEGIN
        UPDATE history.users SET n = 8 WHERE id = 4;
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN
        UPDATE history.users SET n = 9 WHERE id = 5;
    END;
END $$;
TABLE versions;

-- other statements that change rows
DELETE FROM users_history;
INSERT INTO users AS u VALUES (3, 'again') ON CONFLICT (id) DO UPDATE SET n = u.n + 1;
WITH u AS (UPDATE users SET n = n + 1 WHERE id = 4 RETURNING id)
UPDATE users SET n = users.n + 1 FROM u WHERE users.id = 5;
SELECT name FROM dtmodel.update(NULL::users, 1, '{"name": "Ann"}');
SET dtmodel.hard_delete = on;
DELETE FROM users WHERE id = 5;
RESET dtmodel.hard_delete;
TABLE versions;
SELECT id, name, n FROM users_as_of(at('deleted')) ORDER BY id;

-- TRUNCATE ends the versions of all rows
INSERT INTO moments VALUES ('before TRUNCATE');
DELETE FROM users_history;
TRUNCATE users;
TABLE versions;
SELECT id, name, n FROM users_as_of(at('before TRUNCATE')) ORDER BY id;
SELECT count(*) FROM users_as_of(clock_timestamp());

-- an imported time begins the version; a change that keeps the time leaves a
-- version of no length; the time cannot go back
DELETE FROM users_history;
INSERT INTO users (id, name, updated_at) VALUES (1, 'old', '2020-01-01');
SET dtmodel.preserve_timestamps = on;
UPDATE users SET name = 'corrected';
UPDATE users SET name = name;
UPDATE users SET updated_at = '2019-01-01';
UPDATE users SET name = 'later', updated_at = '2021-01-01';
RESET dtmodel.preserve_timestamps;
TABLE versions;
SELECT at, name FROM (VALUES ('2020-06-01'::timestamptz), ('2021-06-01')) AS m (at), users_as_of(at) ORDER BY at;

-- updated_at becomes later than what another transaction has written, and so
-- does the end of a version
SET dtmodel.preserve_timestamps = on;
UPDATE users SET updated_at = '2999-01-01' RETURNING updated_at = '2999-01-01' AS kept;
RESET dtmodel.preserve_timestamps;
UPDATE users SET name = 'future' RETURNING updated_at - '2999-01-01' AS later;
SET dtmodel.hard_delete = on;
DELETE FROM users;
RESET dtmodel.hard_delete;
SELECT name, valid_to - '2999-01-01' AS later FROM users_history WHERE valid_to > '2999-01-01' ORDER BY 2;

-- a clock that moves inside a transaction leaves a version for each time
SELECT dtmodel.add_timestamps('users', clock => 'clock');
DELETE FROM users_history;
BEGIN;
INSERT INTO users VALUES (1, 'a');
UPDATE users SET name = 'b';
UPDATE users SET name = 'c';
COMMIT;
TABLE versions;
SELECT bool_and(v.valid_to = w.valid_from) AS gapless
FROM users_history AS v JOIN users_history AS w ON v.name = 'a' AND w.name = 'b';

-- removing the history keeps the past; adding it again continues it
SELECT dtmodel.remove_history('users');
UPDATE users SET name = 'unseen';
SELECT count(*) FROM users_history;
SELECT to_regprocedure('users_as_of(timestamptz)') AS as_of;
SELECT dtmodel.add_history('users');
UPDATE users SET name = 'seen';
SELECT name, secret FROM users_history ORDER BY valid_from;
DROP VIEW versions;
SELECT dtmodel.remove_history('users', drop_history => true);
SELECT to_regclass('users_history') AS history;
SELECT dtmodel.remove_history('users', drop_history => true);
SELECT tgname FROM pg_trigger WHERE tgrelid = 'users'::regclass AND tgname LIKE '%history%';

-- the history of a partitioned table; a row that moves was not deleted
CREATE TABLE parts (id int, region text, name text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us (gone int, name text, region text NOT NULL, id int NOT NULL);
ALTER TABLE parts_us DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_us FOR VALUES IN ('us');
SELECT dtmodel.add_timestamps('parts'), dtmodel.add_history('parts');
INSERT INTO parts (id, region, name) VALUES (1, 'eu', 'a'), (2, 'us', 'b'), (3, 'us', 'c');
UPDATE parts SET name = upper(name);
UPDATE parts_us SET name = 'B2' WHERE id = 2;
UPDATE parts SET region = 'us' WHERE id = 1;
UPDATE parts SET region = 'eu', name = 'moved' WHERE id = 2;
DELETE FROM parts WHERE id = 3;
SELECT id, region, name, operation, valid_to > valid_from AS lasted FROM parts_history ORDER BY id, valid_to;
SELECT h.id, h.name, count(p) AS rows FROM parts_history AS h LEFT JOIN parts_as_of(h.valid_from) AS p USING (id) GROUP BY 1, 2 ORDER BY 1, 2;
TRUNCATE parts_eu;
TRUNCATE parts;
SELECT id, region, name, operation FROM parts_history WHERE operation = 'truncate' ORDER BY id;
INSERT INTO parts (id, region, name) VALUES (9, 'eu', 'z');
RESET client_min_messages;
ALTER TABLE parts DETACH PARTITION parts_eu;
SET client_min_messages = warning;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'parts_eu'::regclass ORDER BY 1;
UPDATE parts_eu SET name = 'outside';
TRUNCATE parts_eu;
SELECT count(*) FROM parts_history WHERE id = 9;
SELECT dtmodel.add_history('parts_eu');
ALTER TABLE parts ATTACH PARTITION parts_eu FOR VALUES IN ('eu');
SELECT dtmodel.remove_history('parts_eu', true);
ALTER TABLE parts ATTACH PARTITION parts_eu FOR VALUES IN ('eu');

-- tables that inherit have a history that inherits
CREATE TABLE animals (id int PRIMARY KEY, name text);
CREATE TABLE dogs (breed text, PRIMARY KEY (id)) INHERITS (animals);
SELECT dtmodel.add_timestamps('animals'), dtmodel.add_history('animals');
SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = 'dogs_history'::regclass;
SELECT attname, attislocal FROM pg_attribute WHERE attrelid = 'dogs_history'::regclass AND attnum > 5 ORDER BY attnum;
INSERT INTO animals (id, name) VALUES (1, 'cat');
INSERT INTO dogs (id, name, breed) VALUES (2, 'dog', 'pug');
INSERT INTO moments VALUES ('animals');
UPDATE animals SET name = upper(name);
UPDATE dogs SET breed = 'lab';
SELECT tableoid::regclass, id, name, operation FROM animals_history ORDER BY id, valid_to;
SELECT id, name, breed, operation FROM dogs_history ORDER BY valid_to;
SELECT id, name FROM animals_as_of(at('animals')) ORDER BY id;
SELECT id, name, breed FROM dogs_as_of(at('animals')) ORDER BY id;
SELECT dtmodel.remove_history('animals', true);
SELECT count(*) FROM pg_class WHERE relname IN ('animals_history', 'dogs_history');

-- cascades of foreign keys, soft and physical
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE TABLE members (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE ON UPDATE CASCADE, name text);
SELECT dtmodel.add_timestamps(t), dtmodel.add_soft_delete(t), dtmodel.add_history(t) FROM unnest('{teams,members}'::regclass[]) AS t;
INSERT INTO teams (id, name) VALUES (1, 'red'), (2, 'blue');
INSERT INTO members (id, team, name) VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');
UPDATE teams SET id = 10 WHERE id = 1;
SELECT 'deleted' FROM dtmodel.soft_delete(NULL::teams, 10);
SELECT 'restored' FROM dtmodel.restore(NULL::teams, 10);
SET dtmodel.hard_delete = on;
DELETE FROM teams WHERE id = 2;
RESET dtmodel.hard_delete;
SELECT id, name, operation FROM teams_history ORDER BY valid_to, id;
SELECT id, team, name, operation FROM members_history ORDER BY valid_to, id;

-- many versions in one statement, and wide ones
CREATE TABLE many (id int PRIMARY KEY, v int, t text);
ALTER TABLE many ALTER COLUMN t SET STORAGE EXTERNAL;
SELECT dtmodel.add_timestamps('many'), dtmodel.add_history('many');
INSERT INTO many (id, v, t) SELECT g, g, CASE g % 100 WHEN 0 THEN repeat(chr(97 + g % 26), 10000) END FROM generate_series(1, 5000) AS g;
UPDATE many SET v = -v;
UPDATE many SET t = 'short' WHERE t IS NOT NULL;
SELECT count(*), sum(v), count(t), sum(length(t)), count(DISTINCT id) FROM many_history;

-- triggers and generated columns of the user on the history table
CREATE TABLE audited (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('audited'), dtmodel.add_history('audited');
ALTER TABLE audited_history ADD COLUMN twice int GENERATED ALWAYS AS (v * 2) STORED, ADD CHECK (v < 100);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'version % %', NEW.v, NEW.operation; RETURN NEW; END$$;
CREATE TRIGGER tell AFTER INSERT ON audited_history FOR EACH ROW EXECUTE FUNCTION tell();
INSERT INTO audited (id, v) VALUES (1, 1), (2, 2);
UPDATE audited SET v = v + 99;
SELECT id, v, twice FROM audited_history ORDER BY id;
UPDATE audited SET v = 0;
SELECT id, v FROM audited ORDER BY id;

-- the first statement of a session
SELECT dtmodel.add_timestamps('moments', created_at => NULL), dtmodel.add_history('moments');
\c -
SET search_path = history;
SET client_min_messages = warning;
BEGIN;
DELETE FROM moments WHERE moment = 'inserted';
SELECT moment, operation FROM moments_history;
ROLLBACK;

-- a name of 63 bytes, and names that need quotes
CREATE TABLE "Tab le_56789_123456789_123456789_123456789_123456789_123456789_" ("I d" int PRIMARY KEY, "select" text COLLATE "C");
SELECT dtmodel.add_timestamps('"Tab le_56789_123456789_123456789_123456789_123456789_123456789_"', updated_at => 'Updated At');
SELECT dtmodel.add_history('"Tab le_56789_123456789_123456789_123456789_123456789_123456789_"');
INSERT INTO "Tab le_56789_123456789_123456789_123456789_123456789_123456789_" VALUES (1, 'x');
INSERT INTO moments VALUES ('quoted');
UPDATE "Tab le_56789_123456789_123456789_123456789_123456789_123456789_" SET "select" = 'y';
SELECT d -> 'past' AS past FROM dtmodel.describe('"Tab le_56789_123456789_123456789_123456789_123456789_123456789_"') AS d;
SELECT t."I d", t."select" FROM "Tab le_56789_123456789_123456789_123456789_123456789_1234_as_of"(at('quoted')) AS t;

-- unlogged and temporary models
CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
CREATE TEMPORARY TABLE brief (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('fast'), dtmodel.add_history('fast'), dtmodel.add_timestamps('brief'), dtmodel.add_history('brief');
SELECT relname, relpersistence FROM pg_class WHERE relname IN ('fast_history', 'brief_history') ORDER BY 1;
INSERT INTO brief (id, v) VALUES (1, 1);
UPDATE brief SET v = 2;
SELECT v FROM brief_history;

-- without an index, many versions at once are kept too
CREATE TABLE unindexed (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('unindexed'), dtmodel.add_history('unindexed');
DROP INDEX unindexed_history_id_valid_to_idx;
INSERT INTO unindexed SELECT i, 'a' FROM generate_series(1, 3) AS i;
UPDATE unindexed SET v = 'b';
SELECT id, v, operation FROM unindexed_history ORDER BY id;

-- times that are infinite, or that a deletion leaves as they were
CREATE TABLE endless (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('endless'), dtmodel.add_soft_delete('endless'), dtmodel.add_history('endless');
SET dtmodel.preserve_timestamps = on;
INSERT INTO endless VALUES (1, 'a', '-infinity', '-infinity'), (2, 'a', 'infinity', 'infinity'),
    (3, 'a', '2020-01-01', 'infinity'), (4, 'a', 'infinity', '2020-01-01'), (5, 'a', '2020-01-01', '2020-01-01');
UPDATE endless SET v = 'b' WHERE id < 5;
UPDATE endless SET v = 'c' WHERE id IN (2, 3);
UPDATE endless SET v = 'c' WHERE id IN (2, 3);
UPDATE endless SET is_deleted = true, deleted_at = '2020-01-02' WHERE id = 5;
RESET dtmodel.preserve_timestamps;
UPDATE endless SET v = 'd' WHERE id IN (1, 2);
SELECT id, v, operation FROM endless_history ORDER BY id, v;
SELECT e.id, h.operation, (h.version).v FROM endless AS e, LATERAL dtmodel.history(NULL::endless, e.id) AS h ORDER BY e.id, h.valid_from, h.valid_to;

-- a change of nothing, after which the time is still that of no first change
SET dtmodel.preserve_timestamps = on;
INSERT INTO endless (id, v, updated_at) VALUES (6, 'a', '-infinity');
RESET dtmodel.preserve_timestamps;
UPDATE endless SET v = v WHERE id = 6;
SELECT v, updated_at FROM endless WHERE id = 6;
SELECT id, v, operation FROM endless_history WHERE id = 6;

DROP SCHEMA history CASCADE;
