-- drift of models with partitions, and of tables that inherit
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA drift;
SET search_path = pg_catalog, pg_temp;
CREATE FUNCTION drift.messages(model regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(': ', problem, repair, advice) FROM dtmodel.drift(model)
$$;
CREATE FUNCTION drift.pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN coalesce(NEW, OLD); END';

CREATE TABLE drift.events (id integer, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE drift."events a" PARTITION OF drift.events FOR VALUES IN ('a');
CREATE TABLE drift.events_b PARTITION OF drift.events FOR VALUES IN ('b', 'c') PARTITION BY LIST (region);
CREATE TABLE drift.events_bb PARTITION OF drift.events_b FOR VALUES IN ('b');
SELECT dtmodel.add_timestamps('drift.events', clock => 'clock');
SELECT dtmodel.add_audit('drift.events');
SELECT dtmodel.add_soft_delete('drift.events');
SELECT dtmodel.add_history('drift.events');

-- each mixin does its work in each partition, and where a row moves
CREATE FUNCTION drift.works(part text, part_of text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r jsonb;
    n integer;
BEGIN
    EXECUTE format('INSERT INTO drift.%I (id, region) VALUES (1, $1) RETURNING to_jsonb(%1$I)', part) INTO r USING part_of;
    IF r ->> 'created_at' IS NULL OR r ->> 'created_by' IS NULL THEN
        RAISE 'not stamped';
    END IF;
    UPDATE drift.events SET region = CASE part_of WHEN 'a' THEN 'b' ELSE 'a' END WHERE id = 1;
    UPDATE drift.events SET region = part_of, created_by = 'bob' WHERE id = 1;
    DELETE FROM drift.events WHERE id = 1;
    SELECT to_jsonb(e) INTO r FROM drift.events AS e WHERE id = 1;
    IF (r ->> 'is_deleted')::boolean IS NOT TRUE OR r ->> 'created_by' = 'bob' THEN
        RAISE 'not kept';
    END IF;
    EXECUTE format('TRUNCATE drift.%I', part);
    SELECT count(*) INTO n FROM drift.events_history WHERE id = 1;
    DELETE FROM drift.events_history;
    IF n <> 4 THEN
        RAISE 'only % versions', n;
    END IF;
    RETURN 'works';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlerrm;
END
$$;

CREATE FUNCTION drift.after(VARIADIC commands text[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    command text;
    entry record;
BEGIN
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
    RETURN NEXT '-- ' || concat_ws(', ', drift.works('events a', 'a'), drift.works('events_bb', 'b'));
    FOR look IN 1 .. 2 LOOP
        FOR entry IN SELECT * FROM dtmodel.drift('drift.events') LOOP
            RETURN NEXT concat_ws(': ', entry.problem, entry.repair);
            EXECUTE entry.repair;
        END LOOP;
    END LOOP;
    RETURN NEXT '-- ' || concat_ws(', ', drift.works('events a', 'a'), drift.works('events_bb', 'b'));
    RETURN QUERY SELECT 'still: ' || m FROM drift.messages('drift.events') AS m;
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT drift.after();
SELECT drift.after('ALTER TABLE drift."events a" DISABLE TRIGGER zz_dtmodel_history');
SELECT drift.after('ALTER TABLE drift.events_bb ENABLE REPLICA TRIGGER zz_dtmodel_stamp_audit');
SELECT drift.after('ALTER TABLE drift.events DISABLE TRIGGER zz_dtmodel_timestamps');
SELECT drift.after('DROP TRIGGER zz_dtmodel_soft_cascade_move ON drift.events');
SELECT drift.after('DROP TRIGGER zz_dtmodel_history_move ON drift.events');
SELECT drift.after('DROP TRIGGER zz_dtmodel_history_truncate ON drift."events a"', 'DROP TRIGGER zz_dtmodel_history_truncate ON drift.events_bb');
SELECT drift.after('CREATE TRIGGER zzz BEFORE UPDATE ON drift."events a" FOR EACH ROW EXECUTE FUNCTION drift.pass()',
                   'CREATE TRIGGER early BEFORE UPDATE ON drift."events a" FOR EACH ROW EXECUTE FUNCTION drift.pass()');
DROP TRIGGER zy_zzz ON drift."events a";
SELECT drift.after('CREATE TRIGGER zzz BEFORE UPDATE OR DELETE ON drift.events FOR EACH ROW EXECUTE FUNCTION drift.pass()');
SELECT drift.after('ALTER TABLE drift."events a" ALTER created_at DROP DEFAULT', 'ALTER TABLE drift.events_bb ALTER updated_at DROP DEFAULT');
SELECT drift.after('ALTER TABLE drift.events ALTER created_at DROP DEFAULT');
SELECT drift.after(regexp_replace(replace(pg_get_triggerdef(oid), 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), ' OR UPDATE| OR DELETE', ''))
FROM pg_trigger
WHERE tgrelid = 'drift.events'::regclass AND tgname IN ('zz_dtmodel_soft_delete', 'zz_dtmodel_stamp_audit')
ORDER BY tgname;
SELECT drift.after('ALTER EVENT TRIGGER dtmodel_partition_attach DISABLE', 'ALTER EVENT TRIGGER dtmodel_partition_detach DISABLE');
SELECT drift.after('ALTER TABLE drift.events DROP CONSTRAINT ck_events_soft_delete');

-- partitions that are partitioned by the flag or the time; without a primary key the server allows them
CREATE TABLE drift.visits (id integer, region text) PARTITION BY LIST (region);
SELECT dtmodel.add_soft_delete('drift.visits');
CREATE TABLE drift.visits_a PARTITION OF drift.visits FOR VALUES IN ('a') PARTITION BY LIST (is_deleted);
CREATE TABLE drift.visits_a_live PARTITION OF drift.visits_a FOR VALUES IN (false);
CREATE TABLE drift.visits_a_deleted PARTITION OF drift.visits_a FOR VALUES IN (true);
CREATE TABLE drift.visits_b (gone boolean, LIKE drift.visits INCLUDING ALL) PARTITION BY LIST ((deleted_at IS NULL));
ALTER TABLE drift.visits_b DROP gone;
ALTER TABLE drift.visits ATTACH PARTITION drift.visits_b FOR VALUES IN ('b');
SELECT * FROM drift.messages('drift.visits') AS m ORDER BY m;
SELECT * FROM drift.messages('drift.visits_b');
DROP TABLE drift.visits;

-- tables that inherit
CREATE TABLE drift.vehicles (id integer PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.vehicles', clock => 'statement');
SELECT dtmodel.add_soft_delete('drift.vehicles', flag => NULL, protect_truncate => true);
CREATE TABLE drift."my bikes" () INHERITS (drift.vehicles);
CREATE FOREIGN DATA WRAPPER regress_drift;
CREATE SERVER regress_drift FOREIGN DATA WRAPPER regress_drift;
CREATE FOREIGN TABLE drift.far () INHERITS (drift."my bikes") SERVER regress_drift;
SELECT * FROM drift.messages('drift.vehicles');
-- That takes the rows of the foreign table away, so the user decides.
ALTER FOREIGN TABLE drift.far NO INHERIT drift."my bikes";
SELECT repair FROM dtmodel.drift('drift.vehicles') \gexec
SELECT * FROM drift.messages('drift.vehicles');
SELECT * FROM drift.messages('drift."my bikes"');
INSERT INTO drift."my bikes" (id) VALUES (1);
DELETE FROM drift.vehicles;
SELECT id, deleted_at IS NOT NULL AS deleted FROM ONLY drift."my bikes";

DROP SCHEMA drift CASCADE;
DROP FOREIGN DATA WRAPPER regress_drift CASCADE;
