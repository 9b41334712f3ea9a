-- drift of histories: what their event triggers would refuse or follow
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA drift;
SET search_path = pg_catalog, pg_temp;
CREATE ROLE regress_drift;

CREATE TABLE drift."my orders" (id integer, shop integer, total numeric, secret text, PRIMARY KEY (shop, id));
SELECT dtmodel.add_timestamps('drift."my orders"', clock => 'clock');
SELECT dtmodel.add_soft_delete('drift."my orders"');
SELECT dtmodel.add_history('drift."my orders"', exclude => '{secret}');

CREATE FUNCTION drift.works() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    past integer;
    shown integer;
BEGIN
    INSERT INTO drift."my orders" (id, shop, total, secret) VALUES (1, 1, 5, 'a');
    UPDATE drift."my orders" SET total = 6 WHERE id = 1;
    DELETE FROM drift."my orders" WHERE id = 1;
    SELECT count(*) INTO past FROM drift."my orders_history" WHERE id = 1 AND total IN (5, 6) AND valid_to > valid_from;
    SELECT count(*) INTO shown FROM drift."my orders_as_of"(clock_timestamp()) AS o WHERE o.id = 1 AND o.is_deleted AND o.total = 6;
    SET LOCAL dtmodel.hard_delete = on;
    DELETE FROM drift."my orders";
    SET LOCAL dtmodel.hard_delete = off;
    DELETE FROM drift."my orders_history";
    RETURN CASE WHEN past = 2 AND shown = 1 THEN 'works' ELSE 'versions are missing' END;
EXCEPTION WHEN OTHERS THEN
    RETURN sqlerrm;
END
$$;

CREATE FUNCTION drift.without_event_triggers(command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
    ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
    ALTER EVENT TRIGGER dtmodel_history_drop DISABLE;
    EXECUTE command;
    ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
    ALTER EVENT TRIGGER dtmodel_history_follow ENABLE ALWAYS;
    ALTER EVENT TRIGGER dtmodel_history_drop ENABLE ALWAYS;
END
$$;

-- Shows how it works after the command, what drift says, and how it works
-- after the statements of drift.
CREATE FUNCTION drift.after(command text, looks boolean DEFAULT true) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    entry record;
BEGIN
    PERFORM drift.without_event_triggers(command);
    IF looks THEN
        RETURN NEXT '-- ' || drift.works();
    END IF;
    FOR entry IN SELECT * FROM dtmodel.drift('drift."my orders"') LOOP
        RETURN NEXT concat_ws(': ', entry.problem, entry.repair, entry.advice);
        EXECUTE coalesce(entry.repair, substring(entry.advice FROM '((?:SELECT|ALTER) .*)'));
    END LOOP;
    RETURN NEXT '-- ' || drift.works();
    RETURN QUERY SELECT concat_ws(': ', 'still', problem, repair, advice) FROM dtmodel.drift('drift."my orders"');
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT drift.after('SELECT');

-- the table
SELECT drift.after('ALTER TABLE drift."my orders_history" DROP total');
SELECT drift.after('ALTER TABLE drift."my orders_history" ALTER total TYPE text');
SELECT drift.after('ALTER TABLE drift."my orders_history" DROP operation');
SELECT drift.after('ALTER TABLE drift."my orders_history" SET UNLOGGED');
SELECT drift.after('DROP TABLE drift."my orders_history"');

-- What belongs to another role may not be the history: no statement changes its owner.
SELECT drift.without_event_triggers('ALTER TABLE drift."my orders_history" OWNER TO regress_drift');
SELECT drift.without_event_triggers('ALTER FUNCTION drift."my orders_as_of"(timestamptz) OWNER TO regress_drift');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift."my orders"');
SELECT drift.without_event_triggers(format('ALTER TABLE drift."my orders_history" OWNER TO %I', current_user));
SELECT drift.without_event_triggers(format('ALTER FUNCTION drift."my orders_as_of"(timestamptz) OWNER TO %I', current_user));
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift."my orders"');

-- the primary key, and the index that finds its versions
SELECT drift.after(format('DROP INDEX %s', indexrelid::regclass))
FROM pg_index WHERE indrelid = 'drift."my orders_history"'::regclass;
SELECT drift.after('ALTER TABLE drift."my orders" DROP CONSTRAINT "my orders_pkey"');
SELECT drift.after('ALTER TABLE drift."my orders" DROP CONSTRAINT "my orders_pkey", ADD PRIMARY KEY (shop, id, secret)');
ALTER TABLE drift."my orders" DROP CONSTRAINT "my orders_pkey", ADD PRIMARY KEY (shop, id), ALTER secret DROP NOT NULL;

-- the function
SELECT drift.after('DROP FUNCTION drift."my orders_as_of"(timestamptz)');
SELECT drift.after('CREATE OR REPLACE FUNCTION drift."my orders_as_of"(at timestamptz)
                    RETURNS SETOF drift."my orders" LANGUAGE sql AS ''SELECT * FROM drift."my orders"''');
SELECT drift.after('ALTER TABLE drift."my orders" ADD note text');
SELECT drift.after('DROP TRIGGER zz_dtmodel_history ON drift."my orders"; DROP TRIGGER zz_dtmodel_history_truncate ON drift."my orders"');

-- row-level security
SELECT drift.after('ALTER TABLE drift."my orders" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                    CREATE POLICY "own shop" ON drift."my orders" USING (shop = 1);
                    CREATE POLICY cheap ON drift."my orders" AS RESTRICTIVE FOR SELECT TO regress_drift, current_user USING (total < 9)');
SELECT polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid)
FROM pg_policy WHERE polrelid = 'drift."my orders_history"'::regclass ORDER BY polname;
SELECT drift.after('ALTER TABLE drift."my orders_history" DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY cheap ON drift."my orders_history"');

-- timestamps
SELECT drift.after('ALTER TABLE drift."my orders" ALTER updated_at DROP NOT NULL');
SELECT drift.after('ALTER TABLE drift."my orders" ALTER updated_at TYPE timestamptz(3)', looks => false);

-- the event triggers
SELECT drift.after('SELECT');
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
ALTER EVENT TRIGGER dtmodel_history_follow DISABLE;
ALTER EVENT TRIGGER dtmodel_history_drop ENABLE REPLICA;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift."my orders"');
SELECT repair FROM dtmodel.drift('drift."my orders"') \gexec
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift."my orders"');

-- 17 and later can switch all of them off
SELECT current_setting('server_version_num')::integer < 170000 AS "old" \gset
\if :old
SELECT 'event trigger "dtmodel_history_drop" is not fired in this session, so a history does not follow what its model loses: SET event_triggers = on' AS session,
       'SELECT' AS repair, '[]' AS drift \gset
\else
SET event_triggers = off;
SELECT session[3] AS session FROM dtmodel.models WHERE model = 'drift."my orders"'::regclass \gset
SELECT d -> 'session' -> 2 ->> 'repair' AS repair, d ->> 'drift' AS drift FROM dtmodel.describe('drift."my orders"') AS d \gset
\endif
SELECT :'session';
SELECT :'drift';
\o /dev/null
:repair;
\o
SELECT dtmodel.describe('drift."my orders"') -> 'session';

-- a history with partitions
CREATE TABLE drift.months (id integer PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.months');
SELECT dtmodel.add_history('drift.months', partition_by => 'month');
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift.months');
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT relid FROM pg_partition_tree('drift.months_history') WHERE isleaf LOOP
        EXECUTE format('DROP TABLE %s', partition);
    END LOOP;
END
$$;
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift.months');
SELECT repair || ' IS NOT NULL' FROM dtmodel.drift('drift.months') \gexec
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift.months');
ALTER TABLE drift.months ENABLE ROW LEVEL SECURITY;
SELECT format('ALTER TABLE %s SET UNLOGGED', p.relid) FROM pg_partition_tree('drift.months_history') AS p
WHERE p.isleaf AND p.relid::text ~ 'default' \gexec
SELECT format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', p.relid) FROM pg_partition_tree('drift.months_history') AS p
WHERE p.isleaf AND p.relid::text ~ 'default' \gexec
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift.months');
SELECT repair FROM dtmodel.drift('drift.months') \gexec
SELECT concat_ws(': ', problem, repair, advice) AS drift FROM dtmodel.drift('drift.months');

-- no primary key, and no index that tells what it was
CREATE TABLE drift.unkeyed (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.unkeyed'), dtmodel.add_history('drift.unkeyed');
ALTER TABLE drift.unkeyed DROP CONSTRAINT unkeyed_pkey;
SELECT problem, repair, advice FROM dtmodel.drift('drift.unkeyed');
DROP INDEX drift.unkeyed_history_id_valid_to_idx;
SELECT problem, repair, advice FROM dtmodel.drift('drift.unkeyed');

-- a function of the user that has the name of one of ours is not taken for it
CREATE TABLE drift.own (id integer PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.own');
CREATE FUNCTION drift.own_as_of(timestamptz) RETURNS SETOF drift.own LANGUAGE sql AS 'SELECT * FROM drift.own';
SELECT problem, repair, advice FROM dtmodel.drift('drift.own');
DROP FUNCTION drift.own_as_of;
CREATE FUNCTION drift.own_as_of(timestamptz) RETURNS SETOF drift.own LANGUAGE plpgsql AS 'BEGIN END';
SELECT problem, repair, advice FROM dtmodel.drift('drift.own');
SELECT dtmodel.add_history('drift.own');
\echo :SQLSTATE
DROP FUNCTION drift.own_as_of;
CREATE FUNCTION drift.own_as_of(timestamptz) RETURNS integer LANGUAGE sql AS 'SELECT 1';
SELECT problem, repair, advice FROM dtmodel.drift('drift.own');
DROP FUNCTION drift.own_as_of;

-- nor is a table with columns of the same names, or a type with the name of the table
CREATE TABLE drift.own_history (valid_from int, valid_to int, operation int, ended_by int, transaction_id int);
SET client_min_messages = notice;
SELECT dtmodel.remove_history('drift.own');
SET client_min_messages = warning;
SELECT dtmodel.add_history('drift.own');
\echo :SQLSTATE
DROP TABLE drift.own_history;
CREATE TYPE drift.own_history AS ENUM ();
SELECT dtmodel.add_history('drift.own');
\echo :SQLSTATE
DROP TYPE drift.own_history;

-- row-level security that holds for the owner, without an event trigger
ALTER TABLE drift.own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT dtmodel.add_history('drift.own');
SELECT drift.without_event_triggers('ALTER TABLE drift.own_history NO FORCE ROW LEVEL SECURITY');
SELECT problem, repair, advice FROM dtmodel.drift('drift.own');
SELECT dtmodel.add_history('drift.own');
SELECT problem, repair, advice FROM dtmodel.drift('drift.own');

-- indexes on other columns than the key and valid_to do not find versions
CREATE TABLE drift.indexed (id integer PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('drift.indexed'), dtmodel.add_history('drift.indexed');
CREATE INDEX ON drift.indexed_history (operation, valid_to);
CREATE INDEX ON drift.indexed_history (lower(name), valid_to);
CREATE INDEX ON drift.indexed_history (valid_to);
CREATE INDEX ON drift.indexed_history (id, valid_from);
DROP INDEX drift.indexed_history_id_valid_to_idx;
SELECT problem, repair, advice FROM dtmodel.drift('drift.indexed');
ALTER TABLE drift.indexed DROP CONSTRAINT indexed_pkey;
SELECT problem, repair, advice FROM dtmodel.drift('drift.indexed');

-- without updated_at, the history keeps nothing, and an error says so
CREATE TABLE drift.untimed (id integer PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.untimed'), dtmodel.add_history('drift.untimed');
INSERT INTO drift.untimed VALUES (1);
ALTER TABLE drift.untimed DROP updated_at;
SELECT problem, repair, advice FROM dtmodel.drift('drift.untimed');
DELETE FROM drift.untimed;
\echo :SQLSTATE
SELECT id FROM drift.untimed;

-- an updated_at of another type, and a model that has lost its timestamps
CREATE TABLE drift.retyped (id integer PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('drift.retyped'), dtmodel.add_history('drift.retyped');
INSERT INTO drift.retyped VALUES (1, 'a');
SELECT drift.without_event_triggers('ALTER TABLE drift.retyped ALTER updated_at DROP DEFAULT, ALTER updated_at TYPE text');
SELECT problem, repair, advice FROM dtmodel.drift('drift.retyped');
DELETE FROM drift.retyped;
\echo :SQLSTATE
SELECT id FROM drift.retyped;
CREATE TABLE drift.timeless (id integer PRIMARY KEY, name text);
SELECT dtmodel.add_timestamps('drift.timeless'), dtmodel.add_history('drift.timeless');
INSERT INTO drift.timeless VALUES (1, 'a');
DROP TRIGGER zz_dtmodel_timestamps ON drift.timeless;
ALTER TABLE drift.timeless ALTER name TYPE varchar;
SELECT problem, repair, advice FROM dtmodel.drift('drift.timeless');
DELETE FROM drift.timeless;
\echo :SQLSTATE
SELECT id FROM drift.timeless;

-- the function that shows the past, replaced by one with a parsed body
CREATE TABLE drift.parsed (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.parsed'), dtmodel.add_history('drift.parsed');
CREATE OR REPLACE FUNCTION drift.parsed_as_of(at timestamptz) RETURNS SETOF drift.parsed LANGUAGE sql
BEGIN ATOMIC SELECT * FROM drift.parsed; END;
SELECT problem, repair, advice FROM dtmodel.drift('drift.parsed');
ALTER TABLE drift.parsed ADD name text;
SELECT repair FROM dtmodel.drift('drift.parsed') \gexec
SELECT problem, repair, advice FROM dtmodel.drift('drift.parsed');
-- names are quoted as the session has it
SET quote_all_identifiers = on;
SELECT problem, repair, advice FROM dtmodel.drift('drift.parsed');
RESET quote_all_identifiers;

-- an index that has no partition yet, and a history that is partitioned by something else
CREATE TABLE drift.wrong (id int PRIMARY KEY);
SELECT dtmodel.add_timestamps('drift.wrong'), dtmodel.add_history('drift.wrong', partition_by => 'month');
DROP INDEX drift.wrong_history_id_valid_to_idx;
CREATE INDEX ON ONLY drift.wrong_history (id, valid_to);
SELECT problem, repair, advice FROM dtmodel.drift('drift.wrong');
SELECT repair FROM dtmodel.drift('drift.wrong') \gexec
SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'drift.wrong_history'::regclass ORDER BY indexrelid::regclass::text;
SELECT problem, repair, advice FROM dtmodel.drift('drift.wrong');
ALTER EVENT TRIGGER dtmodel_history_protect DISABLE;
DROP TABLE drift.wrong_history;
CREATE TABLE drift.wrong_history (valid_from timestamptz NOT NULL, valid_to timestamptz NOT NULL, operation text NOT NULL, ended_by text NOT NULL,
                                   transaction_id xid8 NOT NULL, id int, created_at timestamptz, updated_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE drift.wrong_history_1 PARTITION OF drift.wrong_history DEFAULT;
ALTER EVENT TRIGGER dtmodel_history_protect ENABLE ALWAYS;
INSERT INTO drift.wrong VALUES (1);
DELETE FROM drift.wrong;
\echo :SQLSTATE
SELECT problem, repair, advice FROM dtmodel.drift('drift.wrong');
SELECT repair FROM dtmodel.drift('drift.wrong') \gexec
DELETE FROM drift.wrong;
SELECT operation, id FROM drift.wrong_history;
SELECT problem, repair, advice FROM dtmodel.drift('drift.wrong');

DROP SCHEMA drift CASCADE;
DROP ROLE regress_drift;
