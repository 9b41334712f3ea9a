--
-- history: the versions of a row, and what happened to a table
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_read;
SET search_path = history_read;
SET timezone = 'UTC';
\pset null NULL

-- every operation, with who began each version and what it changed
CREATE TABLE users (id int PRIMARY KEY, name text, settings jsonb, tags text[], n numeric,
                    doubled int GENERATED ALWAYS AS (id * 2) STORED, secret text);
SELECT dtmodel.add_timestamps('users'), dtmodel.add_audit('users'), dtmodel.add_version('users'),
       dtmodel.add_soft_delete('users', deleted_by => 'deleted_by', hide => true);
SELECT dtmodel.add_history('users', exclude => '{secret}');
SET dtmodel.actor = 'ann';
INSERT INTO users (id, name, secret) VALUES (1, 'Ann', 's1'), (2, 'Bob', 's2');
SET dtmodel.actor = 'bob';
UPDATE users SET name = 'Anna', settings = '{"a": 1, "b": {"c": 2, "d": [1]}}' WHERE id = 1;
SET dtmodel.actor = 'cid';
UPDATE users SET settings = '{"a": 1, "b": {"c": 3, "d": [1, 2], "e": 4}}', tags = '{x,y}', secret = 's3' WHERE id = 1;
UPDATE users SET settings = '{"a": 1, "b": {"d": [1, 2], "e": 4}}' WHERE id = 1;
UPDATE users SET name = name WHERE id = 1;
DELETE FROM users WHERE id = 1;
SET dtmodel.actor = 'dan';
SELECT (dtmodel.restore(NULL::users, 1)).name;
SELECT operation, actor, changed, regexp_replace(changes::text, '"2[^"]+"', '"..."') AS changes FROM dtmodel.history(NULL::users, 1);
SELECT operation, transaction_id IS NOT NULL AS has_xid, (version).name, (version).doubled, (version).secret,
       (version).is_deleted, (version).deleted_by, (version).version, (version).updated_by
FROM dtmodel.history(NULL::users, '1');

-- the changes as rows, as jsonb_changes() returns them
SELECT c.* FROM dtmodel.history(NULL::users, 1) AS h,
                jsonb_to_recordset(h.changes) AS c (path text[], op text, old_value jsonb, new_value jsonb)
WHERE h.operation = 'update' ORDER BY h.valid_from, path;
SELECT operation, h.changes = (SELECT coalesce(jsonb_agg(jsonb_build_object('op', op, 'path', path) ||
                                        CASE WHEN op <> 'add' THEN jsonb_build_object('old_value', old_value) ELSE '{}' END ||
                                        CASE WHEN op <> 'remove' THEN jsonb_build_object('new_value', new_value) ELSE '{}' END ORDER BY n), '[]')
                    FROM dtmodel.jsonb_changes(to_jsonb(old) - own, to_jsonb(h.version) - own) WITH ORDINALITY
                         AS c (path, op, old_value, new_value, n)) AS same
FROM (SELECT *, lag(version) OVER (ORDER BY valid_from) AS old FROM dtmodel.history(NULL::users, 1)) AS h,
     (VALUES ('{updated_at,updated_by,version,deleted_by,secret}'::text[])) AS own (own)
WHERE h.changes IS NOT NULL ORDER BY valid_from;

-- the versions have no gap, and one is valid at each moment; the last one until infinity
SELECT valid_from = lag(valid_to) OVER (ORDER BY valid_from) AS follows, valid_from < valid_to AS lasts, valid_to = 'infinity' AS current
FROM dtmodel.history(NULL::users, 1);
SELECT count(*) FROM dtmodel.history(NULL::users, 1) WHERE valid_from <= clock_timestamp() AND clock_timestamp() < valid_to;
SELECT count(*) FROM dtmodel.history(NULL::users, 1) AS h, LATERAL users_as_of(valid_from) AS a
WHERE a.id = 1 AND a::text IS DISTINCT FROM h.version::text AND h.valid_to < 'infinity';

-- by a row, of a hidden row too
SELECT u.id, h.operation FROM users AS u, dtmodel.history(u) AS h ORDER BY u.id, h.valid_from;
DELETE FROM users WHERE id = 2;
SELECT h.operation, (h.version).is_deleted FROM dtmodel.get_by_id(NULL::users, 2) AS u, dtmodel.history(u) AS h;
SELECT operation, changed FROM (SELECT (dtmodel.history(NULL::users, 2)).*) AS h;

-- one transaction: versions of no length where a row is deleted and restored
BEGIN;
UPDATE users SET name = 'x' WHERE id = 1;
UPDATE users SET name = 'y' WHERE id = 1;
DELETE FROM users WHERE id = 1;
SELECT (dtmodel.restore(NULL::users, 1)).name;
SAVEPOINT s;
UPDATE users SET name = 'never' WHERE id = 1;
SELECT (dtmodel.soft_delete(NULL::users, 1)).name;
SELECT count(*) FROM dtmodel.history(NULL::users, 1);
ROLLBACK TO s;
SELECT count(*) FROM dtmodel.history(NULL::users, 1);
COMMIT;
SELECT operation, changed, (version).name, valid_from = valid_to AS no_length FROM dtmodel.history(NULL::users, 1) OFFSET 6;

-- a row that is physically deleted, and inserted again; one that gets another key
SET dtmodel.actor = 'eve';
SELECT (dtmodel.delete(NULL::users, 2, soft => false)).name;
SELECT operation, actor, version IS NULL AS no_row, (version).name, valid_to = 'infinity' AS last FROM dtmodel.history(NULL::users, 2);
INSERT INTO users (id, name) VALUES (2, 'Bob II');
UPDATE users SET id = 3 WHERE id = 2;
SELECT operation, actor, version IS NULL AS no_row, (version).name, changed FROM dtmodel.history(NULL::users, 2);
SELECT operation, actor, (version).name FROM dtmodel.history(NULL::users, 3);
SELECT * FROM dtmodel.history(NULL::users, 99);
SELECT * FROM dtmodel.history(NULL::users, NULL::int);

-- what happened to the table
SELECT operation, actor, transaction_id IS NOT NULL AS has_xid, key, changed FROM dtmodel.changes(NULL::users, '-infinity');
SELECT count(*) FROM dtmodel.changes(NULL::users, NULL, NULL);
SELECT count(*) FROM dtmodel.changes(NULL::users, 'infinity');
SELECT count(*) FROM dtmodel.changes(NULL::users, '-infinity', '2000-01-01');
SELECT a.n = b.n AS all_once FROM (SELECT count(*) AS n FROM dtmodel.changes(NULL::users, NULL)) AS a,
    (SELECT sum((SELECT count(*) FROM dtmodel.changes(NULL::users, t, later))) AS n
     FROM (SELECT "time" AS t, lead("time", 1, 'infinity') OVER (ORDER BY "time") AS later
           FROM (SELECT DISTINCT "time" FROM dtmodel.changes(NULL::users, NULL)) AS times) AS parts) AS b;
-- and the same as the histories of its rows
SELECT "time", operation, actor, changed, changes, key FROM dtmodel.changes(NULL::users, NULL)
EXCEPT ALL
SELECT valid_from, operation, actor, changed, changes, jsonb_build_object('id', id)
FROM generate_series(1, 3) AS id, dtmodel.history(NULL::users, id);
SELECT valid_from < valid_to AS lasts, operation, actor, changed, id
FROM (SELECT h.*, jsonb_build_object('id', id) AS id FROM generate_series(1, 3) AS id, dtmodel.history(NULL::users, id) AS h) AS h
WHERE NOT EXISTS (SELECT FROM dtmodel.changes(NULL::users, NULL) AS c
                  WHERE c.time = h.valid_from AND c.operation = h.operation AND c.key = h.id AND c.changed IS NOT DISTINCT FROM h.changed);

-- the functions see through search_path, and their plans are used again
SET search_path = '';
SELECT count(*) FROM dtmodel.history(NULL::history_read.users, 1), dtmodel.changes(NULL::history_read.users, NULL);
SET search_path = history_read;
CREATE FUNCTION f() RETURNS TABLE (operation text) LANGUAGE sql STABLE AS 'SELECT operation FROM dtmodel.history(NULL::history_read.users, 3)';
SELECT count(*) FROM generate_series(1, 8), LATERAL (SELECT * FROM f() LIMIT 1) AS f;
DO $$ BEGIN FOR i IN 1..8 LOOP PERFORM count(*) FROM dtmodel.history(NULL::users, i), dtmodel.changes(NULL::users, now()); END LOOP; END $$;
DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT operation FROM dtmodel.history(NULL::users, 2);
FETCH LAST FROM c;
FETCH FIRST FROM c;
CLOSE c;

-- columns that come and go
ALTER TABLE users DROP COLUMN tags, ADD COLUMN "New col" int DEFAULT 7;
SELECT dtmodel.add_history('users', exclude => '{secret}');
UPDATE users SET "New col" = 8 WHERE id = 3;
SELECT operation, changed, (version)."New col" FROM dtmodel.history(NULL::users, 3);
SELECT operation, changed, changes FROM dtmodel.changes(NULL::users, NULL) WHERE key = '{"id": 3}';
ALTER TABLE users RENAME TO people;
SELECT count(*) FROM dtmodel.history(NULL::people, 3);

-- a composite key, of a domain; columns with the names of our aliases
CREATE DOMAIN code AS text CHECK (VALUE <> '');
CREATE TABLE pairs (b code, a int, h int, t int, v int, e int, n int, PRIMARY KEY (b, a));
SELECT dtmodel.add_timestamps('pairs'), dtmodel.add_history('pairs');
INSERT INTO pairs VALUES ('x', 1, 1, 1, 1, 1, 1), ('x', 2, 2, 2, 2, 2, 2);
UPDATE pairs SET h = 3, t = 3 WHERE a = 1;
DELETE FROM pairs WHERE a = 2;
SELECT operation, changed, (version).h, (version).t FROM dtmodel.history(NULL::pairs, '{"a": 1, "b": "x"}'::jsonb);
SELECT operation, version FROM dtmodel.history(NULL::pairs, '{"a": 2, "b": "x"}') WHERE version IS NULL;
SELECT operation, key, changes FROM dtmodel.changes(NULL::pairs, NULL);
BEGIN;
DELETE FROM pairs;
INSERT INTO pairs (b, a, h) VALUES ('x', 1, 9);
COMMIT;
SELECT operation, changed, (version).h, valid_from <= valid_to AS ordered FROM dtmodel.history(NULL::pairs, '{"a": 1, "b": "x"}');
TRUNCATE pairs;
SELECT operation, (version).h FROM dtmodel.history(NULL::pairs, '{"a": 1, "b": "x"}');
SELECT operation, key FROM dtmodel.changes(NULL::pairs, NULL);

-- partitions, and a row that moves
CREATE TABLE parted (id int, k int, name text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE parted_1 (name text, k int NOT NULL, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('parted'), dtmodel.add_soft_delete('parted'), dtmodel.add_history('parted');
INSERT INTO parted (id, k, name) VALUES (1, 1, 'a'), (2, 2, 'b');
UPDATE parted SET name = name || '!';
DELETE FROM parted WHERE id = 1;
UPDATE parted SET k = 2 WHERE id = 1;
SELECT operation, changed, (version).name, (version).is_deleted FROM dtmodel.history(NULL::parted, '{"id": 1, "k": 1}');
SELECT p.id, h.operation, (h.version).k FROM parted AS p, dtmodel.history(p) AS h ORDER BY p.id, h.valid_from;
SELECT operation, key, changed FROM dtmodel.changes(NULL::parted, NULL);

-- tables that inherit
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (base);
SELECT dtmodel.add_timestamps('base'), dtmodel.add_history('base');
INSERT INTO base (id, name) VALUES (1, 'base');
INSERT INTO child (id, name, extra) VALUES (2, 'child', 'e');
UPDATE base SET name = name || '!';
UPDATE child SET extra = 'f';
SELECT operation, changed, version IS NULL AS no_row FROM dtmodel.history(NULL::base, 2);
SELECT operation, changed, (version).extra FROM dtmodel.history(NULL::child, 2);
SELECT operation, key, changed FROM dtmodel.changes(NULL::base, NULL);
SELECT operation, key, changed FROM dtmodel.changes(NULL::child, NULL);

-- a row of a live view, a domain over rows
CREATE TABLE items (gone int, id int PRIMARY KEY, name text);
ALTER TABLE items DROP gone;
SELECT dtmodel.add_timestamps('items'), dtmodel.add_soft_delete('items'), dtmodel.add_history('items');
SELECT dtmodel.create_live_view('items');
INSERT INTO items VALUES (1, 'one');
UPDATE items SET name = 'two';
SELECT pg_typeof(version), operation, (version).id, (version).name FROM live_items AS i, dtmodel.history(i);
CREATE DOMAIN item AS items;
SELECT operation, (version).name FROM dtmodel.history(NULL::item, 1);

-- without created_at, an INSERT is known only after a physical deletion
CREATE TABLE bare (id int PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('bare', created_at => NULL), dtmodel.add_history('bare');
INSERT INTO bare VALUES (1, 'a');
UPDATE bare SET name = 'b';
DELETE FROM bare;
INSERT INTO bare VALUES (1, 'c');
SELECT operation, (version).name FROM dtmodel.history(NULL::bare, 1);
SELECT operation, changed FROM dtmodel.changes(NULL::bare, NULL);

-- created_at of another type, or excluded
CREATE TABLE rounded (id int PRIMARY KEY, created_at timestamp(0) NOT NULL DEFAULT timezone('UTC', now()));
SELECT dtmodel.add_timestamps('rounded'), dtmodel.add_history('rounded');
INSERT INTO rounded VALUES (1);
DELETE FROM rounded;
SELECT operation FROM dtmodel.history(NULL::rounded, 1);
SELECT operation FROM dtmodel.changes(NULL::rounded, NULL);
SELECT dtmodel.add_history('rounded', exclude => '{created_at}');
INSERT INTO rounded VALUES (2);
DELETE FROM rounded;
SELECT operation FROM dtmodel.history(NULL::rounded, 2);
SELECT operation FROM dtmodel.changes(NULL::rounded, NULL) WHERE key = '{"id": 2}';

-- each DEFAULT reads the clock
CREATE TABLE clocked (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('clocked', clock => 'clock'), dtmodel.add_history('clocked');
INSERT INTO clocked (id, created_at, updated_at) VALUES
    (1, '2020-01-01 00:00:00.000001+00', '2020-01-01 00:00:00.000003+00'),
    (2, '2020-01-01 00:00:00.000003+00', '2020-01-01 00:00:00.000001+00'),
    (3, '2020-01-01 00:00:00+00', '2020-01-01 00:00:01+00'),
    (4, '-infinity', 'infinity');
DELETE FROM clocked WHERE id = 2;
SELECT id, (SELECT array_agg(operation) FROM dtmodel.history(NULL::clocked, id)) FROM generate_series(1, 4) AS id;
SELECT operation, key FROM dtmodel.changes(NULL::clocked, NULL) ORDER BY key::text, time;

-- large values and many changes
CREATE TABLE docs (id int PRIMARY KEY, body text, n int);
SELECT dtmodel.add_timestamps('docs'), dtmodel.add_history('docs');
INSERT INTO docs SELECT i, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 300) AS j), 0 FROM generate_series(1, 20) AS i;
UPDATE docs SET n = n + 1;
UPDATE docs SET n = n + 1, body = body || '!' WHERE id % 2 = 0;
SELECT changed, count(*), min(length((version).body)), max(length((version).body)) FROM docs, dtmodel.history(docs) GROUP BY changed ORDER BY changed;
SET work_mem = '64kB';
SELECT operation, changed, count(*), max(length(changes::text)) > 19000 AS has_body FROM dtmodel.changes(NULL::docs, NULL) GROUP BY 1, 2 ORDER BY 1, 2;
RESET work_mem;

-- a query sees the past as it sees the row: not what a function in it changes
CREATE TABLE notes (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
INSERT INTO notes VALUES (1, 1);
CREATE FUNCTION change(id int) RETURNS int LANGUAGE sql AS 'UPDATE notes AS n SET v = v + 1 WHERE n.id = $1 RETURNING v';
SELECT change(1) AS v, (SELECT string_agg((version).v::text, ' ') FROM dtmodel.history(NULL::notes, 1)) AS history;
SELECT string_agg((version).v::text, ' ') AS history FROM dtmodel.history(NULL::notes, 1);

-- a row that was removed by TRUNCATE, and then is there again, is a new one, whatever its created_at
CREATE TABLE again (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('again', clock => 'clock'), dtmodel.add_soft_delete('again'), dtmodel.add_history('again');
INSERT INTO again VALUES (1, 1);
TRUNCATE again;
INSERT INTO again (id, v, created_at) VALUES (1, 2, '2001-01-01');
DELETE FROM again;
SELECT dtmodel.delete(NULL::again, 1, soft => false) IS NOT NULL AS deleted;
INSERT INTO again (id, v, created_at) VALUES (1, 3, '2001-01-01');
SELECT operation, (version).v FROM dtmodel.history(NULL::again, 1);

-- rows that were deleted before there was soft delete, and the live flag of their versions
CREATE TABLE later (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('later', clock => 'clock'), dtmodel.add_history('later');
INSERT INTO later VALUES (1, 1), (2, 1);
DELETE FROM later WHERE id = 2;
INSERT INTO later (id, v, created_at) VALUES (2, 2, '2001-01-01');
SELECT clock_timestamp() AS t, pg_sleep(0.01) \gset
UPDATE later SET v = v + 1;
SELECT dtmodel.add_soft_delete('later', flag => 'is_active', flag_means => 'live');
DELETE FROM later WHERE id = 1;
SELECT id, v, is_active, deleted_at FROM later_as_of(:'t') ORDER BY id;
SELECT operation, (version).v, (version).is_active FROM dtmodel.history(NULL::later, 1);
SELECT operation, (version).v, (version).is_active FROM dtmodel.history(NULL::later, 2);

-- many columns at once
CREATE TABLE wide (id int PRIMARY KEY, a int, b int, c int, d int, e int, f int, g int, h int, i int, j int, k int, l int, m int, n int, o int, p int, q int, r int);
SELECT dtmodel.add_timestamps('wide', clock => 'clock'), dtmodel.add_history('wide');
INSERT INTO wide VALUES (1);
UPDATE wide SET (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r) = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
SELECT operation, changed, jsonb_array_length(changes), changes -> 17 AS last FROM dtmodel.changes(NULL::wide, '-infinity') WHERE operation = 'update';

-- a row that does not say who inserted it
CREATE TABLE unsigned (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('unsigned'), dtmodel.add_audit('unsigned', type => 'integer'), dtmodel.add_history('unsigned');
RESET dtmodel.actor;
INSERT INTO unsigned VALUES (1, 'a');
SET dtmodel.actor = '7';
UPDATE unsigned SET v = 'b';
RESET dtmodel.actor;
SELECT operation, actor, changed FROM dtmodel.history(NULL::unsigned, 1);

-- a row that was deleted and inserted again with an earlier time
CREATE TABLE earlier (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('earlier'), dtmodel.add_history('earlier');
SET dtmodel.preserve_timestamps = on;
INSERT INTO earlier VALUES (1, 'a', '2020-01-01', '2020-01-01');
UPDATE earlier SET v = 'b', updated_at = '2020-01-02';
INSERT INTO earlier_history (valid_from, valid_to, operation, ended_by, transaction_id, id, v, created_at, updated_at)
VALUES ('2020-01-02', '2020-01-03', 'delete', 'eve', '3', 1, 'b', '2020-01-01', '2020-01-02');
UPDATE earlier SET v = 'c', updated_at = '2020-01-04';
RESET dtmodel.preserve_timestamps;
SELECT (h.version).v, valid_from, operation, changed FROM dtmodel.history(NULL::earlier, 1) AS h;

-- what a disabled trigger has left out: it is not known what began the next version
CREATE TABLE gaps (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('gaps'), dtmodel.add_history('gaps');
INSERT INTO gaps VALUES (1, 'a');
UPDATE gaps SET v = 'b';
ALTER TABLE gaps DISABLE TRIGGER zz_dtmodel_history;
UPDATE gaps SET v = 'c';
ALTER TABLE gaps ENABLE TRIGGER zz_dtmodel_history;
UPDATE gaps SET v = 'd';
SELECT (h.version).v, operation, actor IS NOT NULL AS has_actor, changed FROM dtmodel.history(NULL::gaps, 1) AS h;
SELECT operation, changed FROM dtmodel.changes(NULL::gaps, '-infinity');

-- a row with a time of creation, but no first change
SET dtmodel.preserve_timestamps = on;
INSERT INTO gaps (id, v, created_at, updated_at) VALUES (2, 'a', '2020-01-01', '-infinity');
RESET dtmodel.preserve_timestamps;
SELECT (h.version).v, valid_from, operation FROM dtmodel.history(NULL::gaps, 2) AS h;

\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA history_read CASCADE;
