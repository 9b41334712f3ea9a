--
-- triggers that are created, dropped or disabled by hand: an error that says so, or no effect, but no crash
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA triggers_by_hand;
SET search_path = triggers_by_hand;

-- the guard of a table from which others inherit, when the table is no longer a soft-delete model
CREATE TABLE animals (id int PRIMARY KEY);
CREATE TABLE cats () INHERITS (animals);
SELECT dtmodel.add_soft_delete('animals');
INSERT INTO animals VALUES (1);
INSERT INTO cats VALUES (2);
DROP TRIGGER zz_dtmodel_soft_delete ON animals;
DELETE FROM animals WHERE id = 1;
SELECT id, is_deleted FROM animals;
DROP TABLE animals CASCADE;

-- each trigger function in each kind of trigger, on tables that are not models, with statements that fire it
CREATE TABLE parents (id int PRIMARY KEY);
SELECT dtmodel.add_soft_delete('parents');
CREATE TABLE plain (id int PRIMARY KEY, p int REFERENCES parents ON DELETE CASCADE, name text, n int, flag boolean, at timestamptz, doc jsonb);
CREATE TABLE inheritor () INHERITS (plain);
CREATE TABLE parted (id int, p int REFERENCES parents, name text, n int, flag boolean, at timestamptz, doc jsonb) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF parted FOR VALUES IN (2, 3, 4);
INSERT INTO parents VALUES (1), (2);
CREATE FUNCTION try(function text, trigger text, query text, OUT failed text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
EXCEPTION WHEN internal_error OR data_corrupted OR index_corrupted THEN
    failed := format('%s as %s: %s: %s', function, trigger, query, SQLERRM);
WHEN OTHERS THEN
    NULL;
END $$;
CREATE FUNCTION try_trigger(function text, trigger text, model text, arguments text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER by_hand ' || trigger || ' EXECUTE FUNCTION dtmodel_internal.%I(%s)', model, function, arguments);
    RETURN QUERY SELECT try(function, trigger, format(query, model)) FROM unnest(ARRAY[
        'INSERT INTO %I VALUES (1, 1, ''a'', 1, false, NULL, ''{"z": 1}''), (3, 2, ''b'', 2, true, now(), NULL)', 'UPDATE %I SET p = 2, n = 5, name = ''c''',
        'UPDATE %I SET flag = NOT flag', 'UPDATE %I SET id = id + 1', 'SELECT dtmodel.describe(%L)', 'SELECT dtmodel.get_all(NULL::%I)',
        'SELECT dtmodel.soft_delete(NULL::%I, 2)', 'SELECT dtmodel.restore(NULL::%I, 2)', 'DELETE FROM %I WHERE n = 5', 'DELETE FROM parents',
        'SELECT dtmodel.restore(NULL::parents, 1)', 'TRUNCATE %I']) AS query;
    RAISE EXCEPTION USING ERRCODE = 'TH000';
EXCEPTION WHEN SQLSTATE 'TH000' OR invalid_object_definition OR feature_not_supported OR wrong_object_type THEN
    NULL;
END $$;
SELECT failed FROM pg_proc, unnest(ARRAY['plain', 'parted']) AS model,
    unnest(ARRAY['BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW', 'AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW', 'AFTER UPDATE OF flag ON %I FOR EACH ROW',
                 'BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT', 'BEFORE TRUNCATE ON %I FOR EACH STATEMENT']) AS trigger,
    unnest(ARRAY['', $$'flag=flag','deleted_at=at','settings=doc','source=name','slug=name','created_at=at','created_by=name'$$]) AS arguments,
    try_trigger(proname, trigger, model, arguments) AS failed
WHERE pronamespace = 'dtmodel_internal'::regnamespace AND prorettype = 'trigger'::regtype AND failed IS NOT NULL;


-- functions that somebody has renamed are not recognized
CREATE TABLE models (id int PRIMARY KEY, title text);
SELECT dtmodel.add_timestamps('models', on_insert => 'stamp'), dtmodel.add_audit('models'), dtmodel.add_version('models'), dtmodel.add_slug('models', 'title'),
       dtmodel.add_settings('models', '{a}'), dtmodel.add_soft_delete('models', deleted_by => 'deleted_by'), dtmodel.add_history('models');
INSERT INTO models (id, title) VALUES (1, 'one');
CREATE FUNCTION try_renamed(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER FUNCTION dtmodel_internal.%I() RENAME TO renamed', name);
    -- as a session that begins now, it has to read the triggers
    ALTER TABLE triggers_by_hand.models ALTER title SET STATISTICS 10;
    INSERT INTO triggers_by_hand.models (id, title, settings) VALUES (2, 'two', '{"a": 1}');
    UPDATE triggers_by_hand.models SET title = 'changed', is_deleted = true;
    RAISE EXCEPTION 'nothing';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
SELECT f, try_renamed(f) FROM unnest('{timestamps_trigger,audit_trigger,version_trigger,slug_trigger,settings_trigger,soft_delete_flag_trigger,history_trigger}'::text[]) AS f;
-- functions for other events
CREATE TABLE public.triggers_by_hand_events (id int);
CREATE TRIGGER t BEFORE INSERT ON public.triggers_by_hand_events FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.soft_delete_guard_trigger();
INSERT INTO public.triggers_by_hand_events VALUES (1);
\echo :SQLSTATE
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON public.triggers_by_hand_events FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.protect_truncate_trigger();
INSERT INTO public.triggers_by_hand_events VALUES (1);
\echo :SQLSTATE
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON public.triggers_by_hand_events FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.history_truncate_trigger();
INSERT INTO public.triggers_by_hand_events VALUES (1);
\echo :SQLSTATE
CREATE OR REPLACE TRIGGER t AFTER TRUNCATE ON public.triggers_by_hand_events FOR EACH STATEMENT EXECUTE FUNCTION dtmodel_internal.history_truncate_trigger();
TRUNCATE public.triggers_by_hand_events;
\echo :SQLSTATE
DROP TRIGGER t ON public.triggers_by_hand_events;
INSERT INTO public.triggers_by_hand_events VALUES (1);
CREATE TRIGGER t BEFORE DELETE ON public.triggers_by_hand_events FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.soft_delete_guard_trigger();
DELETE FROM public.triggers_by_hand_events;
\echo :SQLSTATE
DROP TABLE public.triggers_by_hand_events;

DROP SCHEMA triggers_by_hand CASCADE;
