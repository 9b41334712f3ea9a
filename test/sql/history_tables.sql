--
-- history: another primary key, copies of tables, temporary tables, detached
-- partitions, and what was left without the extension or its event triggers
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_tables;
SET search_path = history_tables;
CREATE FUNCTION drift(t regclass) RETURNS jsonb LANGUAGE sql AS $$
    SELECT to_jsonb(drift) FROM dtmodel.models WHERE model = t $$;
CREATE FUNCTION indexes(t regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT substring(pg_get_indexdef(indexrelid) FROM '\(.*') FROM pg_index WHERE indrelid = t ORDER BY 1 $$;

-- another primary key: the history gets its index, by each way to add one
CREATE TABLE users (id int PRIMARY KEY, code text NOT NULL, k int NOT NULL, secret text NOT NULL DEFAULT 'x');
SELECT dtmodel.add_timestamps('users'), dtmodel.add_history('users', exclude => '{secret}');
INSERT INTO users VALUES (1, 'a', 1), (2, 'b', 2);
UPDATE users SET k = k + 1;
ALTER TABLE users DROP CONSTRAINT users_pkey;
SELECT drift('users');
SELECT * FROM dtmodel.history(NULL::users, 1);
\echo :SQLSTATE
ALTER TABLE users ADD PRIMARY KEY (k, code);
SELECT indexes('users_history');
SELECT drift('users');
SELECT operation, (version).k FROM dtmodel.history(NULL::users, '{"k": 2, "code": "a"}'::jsonb);
ALTER TABLE users DROP CONSTRAINT users_pkey;
CREATE UNIQUE INDEX by_code ON users (code);
ALTER TABLE users ADD CONSTRAINT users_key PRIMARY KEY USING INDEX by_code;
SELECT indexes('users_history');
SET enable_seqscan = off;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT count(*) FROM plan($$SELECT * FROM users_as_of(now()) WHERE code = 'a'$$) AS p WHERE p ~ 'users_history_code_valid_to_idx';
RESET enable_seqscan;
-- one that is there serves, and so does one whose columns are in another order
ALTER TABLE users DROP CONSTRAINT users_key;
ALTER TABLE users ADD CONSTRAINT users_key PRIMARY KEY (code, k);
SELECT count(*) FROM indexes('users_history');
-- with a new column
ALTER TABLE users DROP CONSTRAINT users_key, ADD COLUMN n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
SELECT indexes('users_history');
-- an index that was dropped stays dropped, and is named, until the mixin is added again
DROP INDEX users_history_n_valid_to_idx;
ALTER TABLE users ADD COLUMN other int;
SELECT drift('users');
CREATE INDEX part ON users_history (n, valid_to) WHERE k = 2;
CREATE INDEX hashed ON users_history USING hash (n);
CREATE INDEX expression ON users_history ((n), valid_to, k);
DROP INDEX expression;
CREATE INDEX expression ON users_history ((n + 1), valid_to);
SELECT drift('users');
SET client_min_messages = notice;
SELECT dtmodel.add_history('users', exclude => '{secret}');
SELECT dtmodel.add_history('users', exclude => '{secret}');
SET client_min_messages = warning;
SELECT drift('users');
-- a key without a past
ALTER TABLE users DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (id, secret);
SELECT drift('users');
DROP TABLE users, users_history;

-- copies of a model, and of a history, are neither
CREATE TABLE notes (id int PRIMARY KEY, body text);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
INSERT INTO notes VALUES (1, 'a');
UPDATE notes SET body = 'b';
CREATE TABLE copies (LIKE notes INCLUDING ALL);
CREATE TABLE notes_history_copy (LIKE notes_history INCLUDING ALL);
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('copies'::regclass, 'notes_history_copy'::regclass);
SELECT model, mixins, drift FROM dtmodel.models WHERE model::text IN ('copies', 'notes', 'notes_history', 'notes_history_copy') ORDER BY 1;
SELECT dtmodel.describe('copies') -> 'history' AS history;
INSERT INTO copies TABLE notes;
UPDATE copies SET body = 'c';
SELECT count(*) FROM notes_history;
INSERT INTO notes_history_copy TABLE notes_history;
UPDATE notes_history_copy SET body = 'd';
ALTER TABLE notes_history_copy RENAME body TO text;
ALTER TABLE notes_history_copy DROP COLUMN valid_to;
DROP TABLE notes_history_copy;
SELECT dtmodel.add_timestamps('copies'), dtmodel.add_history('copies');
UPDATE copies SET body = 'd';
SELECT body FROM copies_history;
SELECT count(*) FROM notes_history;
DROP TABLE copies, copies_history;

-- what DROP EXTENSION leaves is continued; a function of the user, or of another role, is not replaced
BEGIN;
CREATE ROLE history_tables_mallory;
CREATE FUNCTION notes_as_of(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
DROP EXTENSION dtmodel CASCADE;
CREATE EXTENSION dtmodel;
SELECT count(*) FROM notes_as_of(now());
UPDATE notes SET body = 'unknown';
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes');
UPDATE notes SET body = 'c';
SELECT body, operation FROM notes_history ORDER BY valid_to;
SELECT drift('notes');
SELECT dtmodel.remove_history('notes');
SAVEPOINT s;
CREATE FUNCTION notes_as_of(at timestamptz) RETURNS SETOF notes LANGUAGE sql AS 'TABLE history_tables.notes';
SELECT dtmodel.add_history('notes');
\echo :SQLSTATE
ROLLBACK TO s;
CREATE FUNCTION notes_as_of(at timestamptz) RETURNS SETOF notes LANGUAGE sql AS '/* dtmodel */ TABLE history_tables.notes';
ALTER FUNCTION notes_as_of(timestamptz) OWNER TO history_tables_mallory;
SELECT dtmodel.add_history('notes');
\echo :SQLSTATE
ROLLBACK;
SELECT drift('notes');

-- while event triggers do not fire: drift says so, and add_history repairs it
CREATE TABLE offers (id int PRIMARY KEY, item text);
SELECT dtmodel.add_timestamps('offers', clock => 'clock'), dtmodel.add_history('offers');
INSERT INTO offers VALUES (1, 'a');
UPDATE offers SET item = 'b';
CREATE FUNCTION fire(fires boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        PERFORM set_config('event_triggers', fires::text, false);
    ELSE
        EXECUTE format('ALTER EVENT TRIGGER dtmodel_history_follow %s',
                       CASE WHEN fires THEN 'ENABLE ALWAYS' ELSE 'DISABLE' END);
    END IF;
END $$;
SELECT fire(false);
ALTER TABLE offers ADD COLUMN price int DEFAULT 5;
CREATE POLICY cheap ON offers USING (price < 9);
ALTER TABLE offers ENABLE ROW LEVEL SECURITY;
SELECT fire(true);
UPDATE offers SET price = 6;
\echo :SQLSTATE
SELECT drift('offers');
SET client_min_messages = notice;
SELECT dtmodel.add_history('offers');
SET client_min_messages = warning;
SELECT polname FROM pg_policy WHERE polrelid = 'offers_history'::regclass;
SELECT relrowsecurity FROM pg_class WHERE oid = 'offers_history'::regclass;
UPDATE offers SET price = 6;
SELECT item, price FROM offers_history ORDER BY valid_to;
SELECT drift('offers');
DROP TABLE offers, offers_history;

-- temporary tables that lose their rows at the end of the transaction: these do not become versions
BEGIN;
CREATE TEMPORARY TABLE emptied (id int PRIMARY KEY, v int) ON COMMIT DELETE ROWS;
SELECT dtmodel.add_timestamps('emptied', clock => 'clock'), dtmodel.add_history('emptied');
INSERT INTO emptied VALUES (1, 1);
UPDATE emptied SET v = 2;
COMMIT;
SELECT count(*) FROM emptied;
SELECT v, operation FROM emptied_history;
INSERT INTO emptied VALUES (1, 3);
SELECT v, operation FROM emptied_history;
DROP TABLE emptied, emptied_history;
BEGIN;
CREATE TEMPORARY TABLE dropped (id int PRIMARY KEY, v int) ON COMMIT DROP;
SELECT dtmodel.add_timestamps('dropped', clock => 'clock'), dtmodel.add_history('dropped');
INSERT INTO dropped VALUES (1, 1);
UPDATE dropped SET v = 2;
COMMIT;
SELECT to_regclass('dropped'), to_regprocedure('pg_temp.dropped_as_of(timestamptz)');
SELECT v FROM dropped_history;
DROP TABLE dropped_history;

-- a partition that is detached or dropped takes its current rows, not their past
CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3);
SELECT dtmodel.add_timestamps('parts', clock => 'clock'), dtmodel.add_history('parts');
INSERT INTO parts VALUES (1, 'a'), (2, 'a'), (3, 'a');
SELECT clock_timestamp() AS t1, pg_sleep(0.01) \gset
UPDATE parts SET v = 'b';
SELECT clock_timestamp() AS t2, pg_sleep(0.01) \gset
DELETE FROM parts_3;
ALTER TABLE parts DETACH PARTITION parts_1;
DROP TABLE parts_2, parts_3;
SELECT id, v FROM parts_as_of(:'t1') ORDER BY id;
SELECT id, v FROM parts_as_of(:'t2') ORDER BY id;
SELECT id, v, operation FROM parts_history ORDER BY id, valid_to;

\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA history_tables CASCADE;
