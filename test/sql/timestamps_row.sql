--
-- timestamps: all kinds of rows for the store in place
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE EXTENSION IF NOT EXISTS amcheck;
CREATE SCHEMA timestamps_row;
SET search_path = timestamps_row;

CREATE FUNCTION rewrite() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.note := coalesce(NEW.note, '') || '+'; RETURN NEW; END $$;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION indexes_hold(r regclass) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid = r;
    RETURN true;
END $$;

-- Columns behind others that are null or of any length; indexes on the times;
-- a generated column that is computed from one.
CREATE TABLE shapes (
    id int PRIMARY KEY,
    note text,
    bits bit varying,
    gone int,
    updated_at timestamptz,
    tail text,
    created_at timestamptz DEFAULT '2000-01-01',
    year int GENERATED ALWAYS AS (extract(year FROM updated_at AT TIME ZONE 'UTC')::int) STORED
);
ALTER TABLE shapes DROP COLUMN gone;
CREATE INDEX ON shapes (updated_at);
CREATE INDEX ON shapes (created_at, id);
CREATE INDEX ON shapes (year);
SELECT dtmodel.add_timestamps('shapes', on_insert => 'stamp');

INSERT INTO shapes (id, note, bits, tail)
SELECT i, CASE WHEN i % 2 = 0 THEN repeat('x', i) END,
       CASE WHEN i % 3 = 0 THEN i::bit(20) END,
       CASE WHEN i % 5 = 0 THEN repeat('y', 300 + i) END
FROM generate_series(1, 200) AS i;
SELECT count(*), count(*) FILTER (WHERE created_at = updated_at AND updated_at > '2020-01-01'
                                  AND year = extract(year FROM updated_at AT TIME ZONE 'UTC')) AS stamped
FROM shapes;
SELECT indexes_hold('shapes');

-- updated_at of every row changes, and of none if nothing changes
CREATE TABLE before AS SELECT id, updated_at FROM shapes;
UPDATE shapes SET note = note, bits = bits, tail = tail;
SELECT count(*) FROM shapes JOIN before USING (id, updated_at);
UPDATE shapes SET bits = B'1';
SELECT count(*) FROM shapes JOIN before USING (id) WHERE shapes.updated_at > before.updated_at;
SELECT indexes_hold('shapes');

-- a WHEN clause deforms the row before or between the triggers: index entries
-- must have the values that are stored later
CREATE TRIGGER a_when BEFORE INSERT OR UPDATE ON shapes
    FOR EACH ROW WHEN (NEW.updated_at IS DISTINCT FROM 'epoch') EXECUTE FUNCTION pass();
CREATE TRIGGER zzz_when BEFORE UPDATE ON shapes
    FOR EACH ROW WHEN (NEW.updated_at > '2020-01-01') EXECUTE FUNCTION pass();
INSERT INTO shapes (id, updated_at, created_at) VALUES (1001, '2001-01-01', '2001-01-01');
UPDATE shapes SET tail = 'short', updated_at = '2001-01-01' WHERE id <= 100 OR id = 1001;
SELECT indexes_hold('shapes');
SET enable_seqscan = off;
SELECT count(*) AS by_index FROM shapes WHERE updated_at > '2020-01-01';
RESET enable_seqscan;
SELECT count(*) AS by_table, count(*) FILTER (WHERE year >= 2020) AS by_year FROM shapes WHERE updated_at > '2020-01-01';
DROP TRIGGER a_when ON shapes;
DROP TRIGGER zzz_when ON shapes;

-- a trigger before ours that returns another row
CREATE TRIGGER a_rewrite BEFORE INSERT OR UPDATE ON shapes FOR EACH ROW EXECUTE FUNCTION rewrite();
INSERT INTO shapes (id) VALUES (1002) RETURNING note, created_at = now() AS created;
TRUNCATE before;
INSERT INTO before SELECT id, updated_at FROM shapes;
UPDATE shapes SET tail = tail WHERE id IN (1, 2, 1002);
SELECT id, right(note, 2) AS note, shapes.updated_at > before.updated_at AS moved
FROM shapes JOIN before USING (id) WHERE id IN (1, 2, 1002) ORDER BY id;
SELECT indexes_hold('shapes');
DROP TRIGGER a_rewrite ON shapes;

-- rows that were written before columns were added
CREATE TABLE grown (id int, created_at timestamptz, updated_at timestamptz);
INSERT INTO grown VALUES (1), (2), (3);
SELECT dtmodel.add_timestamps('grown');
ALTER TABLE grown ADD COLUMN extra int DEFAULT 7, ADD COLUMN more text;
UPDATE grown SET extra = 7, more = NULL;
SELECT id, updated_at FROM grown ORDER BY id;
UPDATE grown SET extra = 8 WHERE id = 2;
UPDATE grown SET more = '' WHERE id = 3;
SELECT id, extra, more, updated_at IS NOT NULL AS moved FROM grown ORDER BY id;

-- values that are compressed or out of line: equal content is not a change
CREATE TABLE large (id int, doc text, plain text);
ALTER TABLE large ALTER plain SET STORAGE EXTERNAL;
SELECT dtmodel.add_timestamps('large');
INSERT INTO large VALUES (1, repeat('compressible ', 1000),
                          (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i));
SELECT updated_at AS t FROM large \gset
UPDATE large SET id = id;
UPDATE large SET doc = repeat('compressible ', 1000);
UPDATE large SET plain = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i);
SELECT updated_at = :'t' AS kept FROM large;
UPDATE large SET plain = reverse(plain);
SELECT updated_at > :'t' AS moved FROM large;

-- equal values with different bytes are a change, since a reader sees the difference
CREATE TABLE numbers (n numeric, f float8);
SELECT dtmodel.add_timestamps('numbers');
INSERT INTO numbers VALUES (1.0, 0);
SELECT updated_at AS t FROM numbers \gset
UPDATE numbers SET n = 1.00;
SELECT n, updated_at > :'t' AS moved FROM numbers;

-- composites, arrays, domains, enums and a wide row
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE types (m mood, p positive, c pair, a text[], j jsonb, u uuid, i inet);
SELECT dtmodel.add_timestamps('types');
INSERT INTO types VALUES ('calm', 1, (1, 'x'), '{a,b}', '{"a": 1}', dtmodel.uuidv4(), '10.0.0.1');
SELECT updated_at AS t FROM types \gset
UPDATE types SET m = 'calm', p = 1, c = (1, 'x'), a = '{a,b}', j = '{"a":1}', i = '10.0.0.1';
SELECT updated_at = :'t' AS kept FROM types;
UPDATE types SET c = (1, 'y');
SELECT updated_at > :'t' AS moved FROM types;

-- INSERT ... SELECT, a CTE, a rule's view, ON CONFLICT, MERGE
CREATE TABLE target (id int PRIMARY KEY, v int);
SELECT dtmodel.add_timestamps('target', on_insert => 'stamp');
CREATE VIEW window_on AS SELECT * FROM target;
WITH a AS (INSERT INTO target VALUES (1, 1) RETURNING created_at)
SELECT created_at = now() AS created FROM a;
INSERT INTO window_on (id, v, created_at) VALUES (2, 2, '2001-01-01') RETURNING created_at = now() AS created;
SELECT current_setting('server_version_num')::int >= 150000 AS has_merge \gset
\if :has_merge
MERGE INTO target USING (VALUES (1, 10), (3, 30)) AS s (id, v) ON target.id = s.id
    WHEN MATCHED THEN UPDATE SET v = s.v, created_at = '2001-01-01'
    WHEN NOT MATCHED THEN INSERT (id, v, created_at) VALUES (s.id, s.v, '2001-01-01');
\else
INSERT INTO target (id, v, created_at) VALUES (1, 10, '2001-01-01'), (3, 30, '2001-01-01')
    ON CONFLICT (id) DO UPDATE SET v = excluded.v, created_at = '2001-01-01';
\endif
SELECT id, v, created_at > '2020-01-01' AS created, updated_at >= created_at AS updated FROM target ORDER BY id;

-- the trigger does not fire on a replica
SET session_replication_role = replica;
INSERT INTO target VALUES (4, 4, '2001-01-01 00:00+00', '2001-01-01 00:00+00');
SELECT created_at = '2001-01-01 00:00+00' AS kept FROM target WHERE id = 4;
RESET session_replication_role;

SET client_min_messages = warning;
DROP SCHEMA timestamps_row CASCADE;
