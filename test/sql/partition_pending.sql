--
-- a partition whose DETACH CONCURRENTLY is not finished; hints name the table that it is a partition of
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA partition_pending;
SET search_path = partition_pending;
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE query;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || hint;
END
$$;
CREATE TABLE events (day int, id int, title text, settings jsonb, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE events_2_1 PARTITION OF events_2 FOR VALUES IN (1, 2, 3);
DO $$ BEGIN PERFORM dtmodel.add_timestamps('events'), dtmodel.add_soft_delete('events'), dtmodel.add_settings('events', '{theme}'); END $$;
INSERT INTO events SELECT d, i, 'x', '{"theme": "dark"}' FROM generate_series(1, 2) AS d, generate_series(1, 3) AS i;
DO $$ BEGIN DELETE FROM events WHERE id = 1; END $$;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER pass BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION pass();
CREATE VIEW calls AS
SELECT p AS partition, f AS function, outcome(format('SELECT dtmodel.%s(%L%s)', f, p, a)) AS reported
FROM unnest('{events_1,events_2,events_2_1}'::text[]) AS p,
     (VALUES ('add_model', ''), ('add_timestamps', ''), ('add_soft_delete', ''), ('add_settings', ', ''{theme}'''), ('add_audit', ''), ('add_slug', ', ''title''')) AS v (f, a)
WHERE f <> 'add_timestamps' OR p = 'events_1' ORDER BY p, f;
CREATE VIEW writes AS
SELECT outcome($$UPDATE events_1 SET settings = '{"other": 1}' WHERE id = 2$$) AS of_a_partition, outcome($$UPDATE events_2_1 SET settings = '{"other": 1}' WHERE id = 2$$) AS of_a_partition_of_it;

-- partitions: the functions must be called for their table
SELECT * FROM calls;
SELECT * FROM writes;

-- an error in the second transaction of DETACH CONCURRENTLY leaves the detach unfinished
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE EVENT TRIGGER partition_pending_refuse ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION refuse();
\set VERBOSITY terse
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
ALTER EVENT TRIGGER partition_pending_refuse DISABLE;
SELECT inhrelid::regclass FROM pg_inherits WHERE inhdetachpending;
SELECT * FROM calls WHERE partition = 'events_1';
SELECT * FROM writes;
-- its rows are unchanged
SELECT (dtmodel.restore(e)).is_deleted, dtmodel.settings(e), dtmodel.repr(e) FROM events_1 AS e WHERE id = 1;
SELECT (dtmodel.update(e, '{"theme": "light"}')).settings FROM events_1 AS e WHERE id = 1;
SELECT dtmodel.describe('events_1') -> 'drift' AS drift;
ALTER TABLE events DETACH PARTITION events_1 FINALIZE;
SELECT * FROM calls WHERE partition = 'events_1' AND function = 'add_slug';

-- the same for a partitioned table that is a partition
ALTER EVENT TRIGGER partition_pending_refuse ENABLE;
ALTER TABLE events DETACH PARTITION events_2 CONCURRENTLY;
DROP EVENT TRIGGER partition_pending_refuse;
SELECT * FROM calls WHERE partition <> 'events_1';
SELECT of_a_partition_of_it FROM writes;
SELECT (dtmodel.restore(e)).is_deleted FROM events_2_1 AS e WHERE id = 1;
ALTER TABLE events DETACH PARTITION events_2 FINALIZE;
SELECT reported FROM calls WHERE partition = 'events_2_1' AND function = 'add_slug';

DROP SCHEMA partition_pending CASCADE;
