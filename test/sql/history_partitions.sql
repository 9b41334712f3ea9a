--
-- histories that are partitioned by month
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA history_partitions;
SET search_path = history_partitions;
SET timezone = 'UTC';
-- The first of a month as the number of months from the current one.
CREATE FUNCTION month(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN date_trunc('month', t AT TIME ZONE 'UTC') = t AT TIME ZONE 'UTC' AND t > now() - interval '40 days' THEN
        (12 * (extract(year FROM t AT TIME ZONE 'UTC') - extract(year FROM now() AT TIME ZONE 'UTC'))
         + extract(month FROM t AT TIME ZONE 'UTC') - extract(month FROM now() AT TIME ZONE 'UTC'))::int::text
    ELSE to_char(t, 'YYYY-MM-DD HH24:MI') END $$;
-- The first of a month, so many months from the current one.
CREATE FUNCTION first_of(months int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + months * interval '1 month') AT TIME ZONE 'UTC' $$;
-- The name of a partition, with the month as a number.
CREATE FUNCTION named(t regclass) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN relname ~ '_2\d{3}_\d\d$' AND relname !~ '_2020_\d\d$'
        THEN regexp_replace(relname, '_\d{4}_\d\d$', '')
             || '[' || month(to_date(right(relname, 7), 'YYYY_MM')::timestamp AT TIME ZONE 'UTC') || ']'
        ELSE relname END FROM pg_class WHERE oid = t $$;
CREATE FUNCTION partitions(t regclass) RETURNS TABLE (partition text, since text, until text) LANGUAGE sql STABLE AS $$
    SELECT named(c.oid), month((bounds)[1]::timestamptz), month((bounds)[2]::timestamptz)
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid,
         regexp_match(pg_get_expr(relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS bounds
    WHERE i.inhparent = t ORDER BY (bounds)[1]::timestamptz, 1 $$;
RESET client_min_messages;

-- months of UTC, whatever the session's time zone is
CREATE TABLE users (id int PRIMARY KEY, name text, note text);
SELECT dtmodel.add_timestamps('users', clock => 'clock', on_insert => 'stamp');
SET timezone = 'Pacific/Kiritimati';
SELECT dtmodel.add_history('users', partition_by => 'month');
SET timezone = 'UTC';
SELECT * FROM partitions('users_history');
SELECT pg_get_partkeydef('users_history'::regclass);
SELECT dtmodel.describe('users') -> 'history' AS history, dtmodel.describe('users') -> 'drift' AS drift;
-- each has the index, and the identity for replication
SELECT count(*), bool_and(relreplident = 'f') AS whole,
       count(*) FILTER (WHERE EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid)) AS indexed
FROM pg_class AS c WHERE relname LIKE 'users_history%' AND relkind IN ('r', 'p');

-- again: nothing is missing
SELECT dtmodel.add_history('users');
SELECT dtmodel.add_history('users', partition_by => 'month');
SELECT dtmodel.add_history_partitions('users');
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('users', 5)) AS p;
SELECT dtmodel.add_history_partitions('users', months => 0);

-- versions go into the partition of the time when they ended
INSERT INTO users SELECT n, 'a' FROM generate_series(1, 5) AS n;
UPDATE users SET name = 'b';
UPDATE users SET name = 'c' WHERE id = 1;
DELETE FROM users WHERE id = 5;
SELECT named(tableoid), name, operation, count(*) FROM users_history GROUP BY 1, 2, 3 ORDER BY 1, 2;
-- of several months in one statement, in their order
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE users SET name = 'd', updated_at = first_of(1 + id % 3) + id * interval '1 hour';
UPDATE users SET name = 'e', updated_at = first_of(CASE id WHEN 1 THEN 3 ELSE 40 END);
COMMIT;
SELECT named(tableoid), id, name, operation, month(date_trunc('month', valid_to)) FROM users_history WHERE name >= 'c' ORDER BY valid_to, id;

-- it is read like any other history
SELECT id, name FROM users_as_of(first_of(2)) ORDER BY id;
SELECT operation, changed, (version).name FROM dtmodel.history(NULL::users, 1);
SELECT operation, key FROM dtmodel.changes(NULL::users, first_of(1)) ORDER BY time, key;
SELECT name FROM dtmodel.revert(NULL::users, 5, (SELECT min(valid_from) FROM users_history WHERE id = 5));
SELECT dtmodel.erase(NULL::users, 5);
SELECT count(*) FROM users_history WHERE id = 5;
-- the function stays a part of the query, which skips what ended before
CREATE FUNCTION scanned(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    result text[] := '{}';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
        result := result || (regexp_match(line, ' on (users\S*)'))[1];
    END LOOP;
    RETURN (SELECT string_agg(CASE WHEN r ~ '\d$' THEN named(r::regclass) ELSE r END, ' ') FROM unnest(result) AS r WHERE r IS NOT NULL);
END $$;
SELECT scanned(format('SELECT name FROM users_as_of(%L)', first_of(5)));
SET plan_cache_mode = force_generic_plan;
PREPARE at(timestamptz) AS SELECT name FROM users_as_of($1) WHERE id = 1;
EXECUTE at(first_of(3));
RESET plan_cache_mode;
DEALLOCATE at;

-- subtransactions
BEGIN;
SAVEPOINT a;
UPDATE users SET name = 'lost', updated_at = DEFAULT WHERE id = 2;
ROLLBACK TO a;
SAVEPOINT b;
UPDATE users SET note = 'kept' WHERE id = 1;
RELEASE b;
COMMIT;
SELECT named(tableoid), name, note FROM users_history WHERE id = 1 ORDER BY valid_to DESC LIMIT 1;

-- months that no partition was made for: the default partition has them until
-- one is made; versions of one moment stay in their order
CREATE TABLE late (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('late', clock => 'clock'), dtmodel.add_history('late', partition_by => 'month');
BEGIN;
SELECT set_config('dtmodel.preserve_timestamps', 'on', true);
INSERT INTO late (id, v, updated_at) SELECT n, '0', '2020-01-01' FROM generate_series(1, 3) AS n;
UPDATE late SET v = '1', updated_at = '2020-04-01 00:00+00' WHERE id < 3;
UPDATE late SET v = '2' WHERE id = 1;
UPDATE late SET v = '3' WHERE id = 1;
UPDATE late SET v = '4', updated_at = '2020-05-31 23:59+00' WHERE id = 1;
UPDATE late SET v = '5', updated_at = first_of(5) WHERE id = 1;
UPDATE late SET v = '6', updated_at = first_of(90) WHERE id = 1;
COMMIT;
SELECT named(tableoid), id, v, month(valid_to) FROM late_history ORDER BY valid_to, id, tableoid, ctid;
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('late', 5)) AS p;
SELECT named(tableoid), id, v, month(date_trunc('month', valid_to)) FROM late_history ORDER BY valid_to, id, tableoid, ctid;
SELECT * FROM partitions('late_history');
SELECT operation, (version).v FROM dtmodel.history(NULL::late, 1);

-- a version that ended at -infinity, or before all months, stays in the default partition
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
INSERT INTO late (id, v, updated_at) VALUES (7, 'a', '-infinity');
UPDATE late SET v = 'b' WHERE id = 7;
UPDATE late SET v = 'c', updated_at = '4714-11-24 00:00+00 BC' WHERE id = 7;
COMMIT;
SELECT dtmodel.add_history_partitions('late', 5);
SELECT named(tableoid), id, v, valid_to FROM late_history WHERE id = 7 ORDER BY valid_to, v;

-- old partitions are dropped as a whole, the rest is deleted
CALL dtmodel.purge_history('late', '0', dry_run => true);
SELECT count(*) FROM late_history;
CALL dtmodel.purge_history('late', '0', 1);
SELECT * FROM partitions('late_history');
SELECT named(tableoid), id, v FROM late_history;
CALL dtmodel.purge_history('late', '0');

-- partitions that were made by hand: of any length, and with partitions
CREATE TABLE notes (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('notes'), dtmodel.add_history('notes', partition_by => 'month');
DO $$
DECLARE
    p regclass;
BEGIN
    FOR p IN SELECT inhrelid FROM pg_inherits
        WHERE inhparent = 'notes_history'::regclass AND inhrelid::regclass::text !~ 'default'
    LOOP
        EXECUTE format('ALTER TABLE notes_history DETACH PARTITION %s', p);
        EXECUTE format('DROP TABLE %s', p);
    END LOOP;
END $$;
CREATE TABLE by_hand (note text, v text, transaction_id xid8 NOT NULL, ended_by text NOT NULL, operation text NOT NULL,
    valid_to timestamptz NOT NULL, valid_from timestamptz NOT NULL, id int NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL) PARTITION BY RANGE (valid_to);
ALTER TABLE by_hand DROP COLUMN note;
CREATE TABLE by_hand_1 PARTITION OF by_hand FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE by_hand_2 PARTITION OF by_hand FOR VALUES FROM ('2000-01-01') TO (MAXVALUE);
DO $$
BEGIN
    EXECUTE format('ALTER TABLE notes_history ATTACH PARTITION by_hand FOR VALUES FROM (%L) TO (%L)',
                   first_of(-1), first_of(1) + interval '1 week');
END $$;
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('notes')) AS p;
INSERT INTO notes VALUES (1, 'a'), (2, 'b');
UPDATE notes SET v = v || '!';
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE notes SET v = 'x', updated_at = first_of(1) + interval '8 days' WHERE id = 1;
COMMIT;
SELECT named(tableoid), id, v FROM notes_history ORDER BY valid_to, id;
SELECT id, v FROM notes_as_of(first_of(1)) ORDER BY id;
DROP TABLE notes_history_default;
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('notes', 0)) AS p;

-- a trigger and a generated column of the user's on the history
ALTER TABLE notes_history ADD COLUMN upper text GENERATED ALWAYS AS (upper(v)) STORED;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% on %: %', TG_OP, named(TG_RELID), NEW.v;
    RETURN NEW;
END $$;
CREATE TRIGGER tell BEFORE INSERT ON notes_history FOR EACH ROW EXECUTE FUNCTION tell();
UPDATE notes SET v = 'y';
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE notes SET updated_at = first_of(7) WHERE id = 2;
COMMIT;
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('notes', 7)) AS p;
SELECT named(tableoid), id, v, upper FROM notes_history WHERE upper = 'Y';
-- one that skips versions does not make them be lost when they move
BEGIN;
SET LOCAL dtmodel.preserve_timestamps = on;
UPDATE notes SET v = 'z', updated_at = first_of(9) WHERE id = 2;
COMMIT;
CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('notes', 9)) AS p;
SELECT named(tableoid), v FROM notes_history WHERE valid_to > first_of(8);
ALTER TABLE notes_history DISABLE TRIGGER tell;
SELECT named(p) FROM unnest(dtmodel.add_history_partitions('notes', 9)) AS p;
SELECT named(tableoid), v FROM notes_history WHERE valid_to > first_of(8);
DROP TABLE notes, notes_history;

-- the partitions follow the model: columns, names, schema, owner, policies
CREATE SCHEMA history_partitions_other;
CREATE ROLE history_partitions_ann;
CREATE ROLE history_partitions_bob;
GRANT USAGE, CREATE ON SCHEMA history_partitions, history_partitions_other TO history_partitions_ann, history_partitions_bob;
ALTER TABLE users ADD COLUMN age int, ALTER name TYPE varchar USING name || '!';
ALTER TABLE users RENAME note TO remark;
ALTER TABLE users DROP COLUMN age;
ALTER TABLE users ADD COLUMN age text;
UPDATE users SET age = 'x';
SELECT id, name, remark, age_1, age FROM users_history WHERE id = 1 ORDER BY valid_to DESC LIMIT 2;
-- 'postgres' stands for the user who runs the test.
CREATE FUNCTION tables(name text) RETURNS TABLE (tables text, schema regnamespace, owner text, secured text) LANGUAGE sql STABLE AS $$
    SELECT string_agg(named(c.oid), ' ' ORDER BY named(c.oid) COLLATE "C"), relnamespace::regnamespace,
           CASE pg_get_userbyid(relowner) WHEN session_user THEN 'postgres' ELSE relowner::regrole::text END,
           concat(relrowsecurity, relforcerowsecurity)
    FROM pg_class AS c WHERE relkind IN ('r', 'p') AND relname LIKE name || '%' GROUP BY 2, 3, 4 ORDER BY 2, 3, 4 $$;
ALTER TABLE users RENAME TO people;
SELECT * FROM tables('people');
SELECT * FROM tables('users');
ALTER TABLE people SET SCHEMA history_partitions_other;
ALTER TABLE history_partitions_other.people OWNER TO history_partitions_ann;
ALTER TABLE history_partitions_other.people ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT * FROM tables('people');
-- new partitions are like the others, whichever role makes them
SELECT cardinality(dtmodel.add_history_partitions('history_partitions_other.people', 6));
SET ROLE history_partitions_ann;
SELECT cardinality(dtmodel.add_history_partitions('history_partitions_other.people', 7));
RESET ROLE;
SELECT * FROM tables('people');
REASSIGN OWNED BY history_partitions_ann TO history_partitions_bob;
SELECT owner, count(*) FROM tables('people') GROUP BY 1;

-- a reader needs privileges only on the model and its history, and gets none on
-- the partitions
GRANT SELECT ON history_partitions_other.people, history_partitions_other.people_history TO history_partitions_ann;
GRANT USAGE ON SCHEMA history_partitions TO history_partitions_ann;
ALTER TABLE history_partitions_other.people NO FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON history_partitions_other.people FOR SELECT USING (id < 3);
SET ROLE history_partitions_ann;
SELECT id, count(*) FROM dtmodel.changes(NULL::history_partitions_other.people, NULL),
    LATERAL (SELECT key ->> 'id' AS id) AS i GROUP BY 1 ORDER BY 1;
SELECT DISTINCT id FROM history_partitions_other.people_as_of(first_of(2)) ORDER BY 1;
SELECT count(*) FROM history_partitions_other.people_history_default;
\echo :SQLSTATE
SELECT dtmodel.add_history_partitions('history_partitions_other.people');
\echo :SQLSTATE
RESET ROLE;
-- a role that may write the model writes its history, in any partition
GRANT SELECT, UPDATE ON history_partitions_other.people TO history_partitions_ann;
CREATE POLICY all_rows ON history_partitions_other.people FOR UPDATE USING (true);
SET ROLE history_partitions_ann;
UPDATE history_partitions_other.people SET age = 'y' WHERE id = 1;
RESET ROLE;
SELECT named(tableoid), age FROM history_partitions_other.people_history WHERE id = 1 ORDER BY valid_to DESC LIMIT 1;

-- names that are too long, or taken
CREATE TABLE a_table_with_a_name_that_is_as_long_as_it_may_be_in_postgresql_ (id int PRIMARY KEY);
CREATE TABLE a_table_with_a_name_that_is_as_long_as_it_may_be_in_pos_default ();
SELECT dtmodel.add_timestamps('a_table_with_a_name_that_is_as_long_as_it_may_be_in_postgresql_');
SELECT dtmodel.add_history('a_table_with_a_name_that_is_as_long_as_it_may_be_in_postgresql_', partition_by => 'month');
SELECT partition FROM partitions('a_table_with_a_name_that_is_as_long_as_it_may_be_in_pos_history');

-- a model that is partitioned, and unlogged and temporary ones
CREATE TABLE events (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2);
SELECT dtmodel.add_timestamps('events', clock => 'clock'), dtmodel.add_history('events', partition_by => 'month');
INSERT INTO events VALUES (1, 1, 'a'), (2, 2, 'b');
UPDATE events SET k = 3 - k;
TRUNCATE events_1;
SELECT named(tableoid), id, k, operation FROM events_history ORDER BY valid_to, id;
CREATE UNLOGGED TABLE quick (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('quick'), dtmodel.add_history('quick', partition_by => 'month');
SELECT relkind, relpersistence, count(*) FROM pg_class WHERE relname LIKE 'quick_history%' AND relkind IN ('p', 'r') GROUP BY 1, 2 ORDER BY 1;
ALTER TABLE quick SET LOGGED;
SELECT relkind, relpersistence, count(*) FROM pg_class WHERE relname LIKE 'quick_history%' AND relkind IN ('p', 'r') GROUP BY 1, 2 ORDER BY 1;
CREATE TEMPORARY TABLE passing (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('passing'), dtmodel.add_history('passing', partition_by => 'month');
INSERT INTO passing VALUES (1);
DELETE FROM passing;
SELECT named(tableoid), id, operation FROM passing_history;

-- the past stays unless it is dropped, and is continued
SELECT dtmodel.remove_history('events');
SELECT dtmodel.add_history('events');
UPDATE events SET v = 'c';
SELECT count(*) FROM events_history;
DROP TABLE events;
SELECT dtmodel.add_history_partitions('events_history');
\echo :SQLSTATE
SELECT dtmodel.remove_history('quick', drop_history => true);
SELECT relname FROM pg_class WHERE relname LIKE 'quick%history%';
DROP TABLE quick;
SELECT count(*) FROM dtmodel.models WHERE model::text ~ '_history';

-- a name that is taken, and one that its owner has chosen
SET client_min_messages = warning;
CREATE TABLE named_once (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('named_once'), dtmodel.add_history('named_once', partition_by => 'month');
ALTER TABLE named_once_history_default RENAME TO rest_of_the_past;
SELECT string_agg(format('CREATE TABLE %s (id int)', replace(inhrelid::regclass::text, 'named_once', 'named_twice')), ';') AS taking
FROM pg_inherits WHERE inhparent = 'named_once_history'::regclass AND inhrelid::regclass::text <> 'rest_of_the_past' \gset
:taking;
ALTER TABLE named_once RENAME TO named_twice;
SELECT named(inhrelid) AS partition, count(*) FROM pg_inherits WHERE inhparent = 'named_twice_history'::regclass GROUP BY 1 ORDER BY 1;

-- where the history says that its partitions are
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE history_partitions_space LOCATION '';
ALTER TABLE named_twice_history SET TABLESPACE history_partitions_space;
SELECT cardinality(dtmodel.add_history_partitions('named_twice', 4));
SELECT count(*) FROM pg_class JOIN pg_tablespace AS t ON t.oid = reltablespace
WHERE spcname = 'history_partitions_space' AND relkind = 'r' AND relispartition;
SELECT dtmodel.remove_history('named_twice', drop_history => true);
DROP TABLESPACE history_partitions_space;

-- partitions that their owner has made: a purge drops none that has no end
CREATE TABLE gaps (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('gaps'), dtmodel.add_history('gaps', partition_by => 'month');
SELECT string_agg(inhrelid::regclass::text, ', ') AS partitions FROM pg_inherits WHERE inhparent = 'gaps_history'::regclass \gset
DROP TABLE :partitions;
CALL dtmodel.purge_history('gaps', '0');
CREATE TABLE gaps_first PARTITION OF gaps_history FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
CREATE TABLE gaps_last PARTITION OF gaps_history FOR VALUES FROM ('2021-01-01') TO (MAXVALUE);
SET dtmodel.preserve_timestamps = on;
INSERT INTO gaps SELECT i, 'a', '2019-01-01', '2019-01-01' FROM generate_series(1, 2) AS i;
UPDATE gaps SET v = 'b', updated_at = '2020-01-05' WHERE id = 1;
UPDATE gaps SET v = 'b', updated_at = '2020-06-05' WHERE id = 2;
\echo :SQLSTATE
UPDATE gaps SET v = 'c', updated_at = 'infinity' WHERE id = 2;
RESET dtmodel.preserve_timestamps;
SELECT tableoid::regclass, id, v FROM gaps_history ORDER BY id, valid_to;
CALL dtmodel.purge_history('gaps', '0');
SELECT tableoid::regclass, id, v FROM gaps_history ORDER BY id, valid_to;
SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'gaps_history'::regclass;

-- a history that is partitioned by other columns is not continued
CREATE TABLE others (id int PRIMARY KEY, v text);
SELECT dtmodel.add_timestamps('others'), dtmodel.add_history('others'), dtmodel.remove_history('others');
ALTER TABLE others_history RENAME TO others_before;
CREATE TABLE others_history (LIKE others_before) PARTITION BY RANGE (valid_to, id);
SELECT dtmodel.add_history('others');
\echo :SQLSTATE
DROP TABLE others_history;
CREATE TABLE others_history (LIKE others_before) PARTITION BY RANGE (valid_from);
SELECT dtmodel.add_history('others');
\echo :SQLSTATE

-- versions move out of the default partition of a history that has lost a column
CREATE TABLE dropping (id int PRIMARY KEY, v text, gone int);
SELECT dtmodel.add_timestamps('dropping'), dtmodel.add_history('dropping', '{gone}', partition_by => 'month');
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
ALTER TABLE dropping_history ADD lost int;
ALTER TABLE dropping_history DROP lost;
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
SET dtmodel.preserve_timestamps = on;
INSERT INTO dropping VALUES (1, 'a', 1, now() + interval '1 year', now() + interval '1 year');
UPDATE dropping SET v = 'b', updated_at = now() + interval '1 year 1 day';
RESET dtmodel.preserve_timestamps;
SELECT tableoid = 'dropping_history_default'::regclass AS is_default, v FROM dropping_history;
SELECT cardinality(dtmodel.add_history_partitions('dropping', 14));
SELECT tableoid = 'dropping_history_default'::regclass AS is_default, v FROM dropping_history;

DROP SCHEMA history_partitions, history_partitions_other CASCADE;
DROP ROLE history_partitions_ann, history_partitions_bob;
