--
-- get_or_create by columns whose index compares in another way than the criteria
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA get_or_create_equality;
SET search_path = get_or_create_equality;

-- whether a lock, rather than the index, excludes other sessions
CREATE FUNCTION is_locked(model anyelement, criteria jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    locked text;
BEGIN
    PERFORM dtmodel.get_or_create(model, criteria);
    SELECT count(*) > 0 INTO locked FROM pg_locks
    WHERE pid = pg_backend_pid() AND locktype = 'object' AND classid = 'pg_class'::regclass AND objid = pg_typeof(model)::text::regclass;
    RAISE EXCEPTION USING MESSAGE = locked;
EXCEPTION WHEN raise_exception THEN
    RETURN SQLERRM;
END
$$;

-- an operator class for which 1.0 differs from 1.00
CREATE TYPE pair AS (a numeric, b text);
CREATE TABLE exact (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p pair);
CREATE UNIQUE INDEX ON exact (p record_image_ops);
SELECT is_locked(NULL::exact, '{"p": {"a": 1.0}}');
SELECT (instance).p, created FROM dtmodel.get_or_create(NULL::exact, '{"p": {"a": 1.0}}');
SELECT (instance).p, created FROM dtmodel.get_or_create(NULL::exact, '{"p": {"a": 1.00}}');
CREATE UNIQUE INDEX ON exact (p);
SELECT is_locked(NULL::exact, '{"p": {"a": 2.0}}');
-- null differs from a row whose fields are all null
INSERT INTO exact (p) VALUES (ROW(NULL, NULL));
SELECT (instance).p IS NOT DISTINCT FROM NULL AS is_null, created FROM dtmodel.get_or_create(NULL::exact, '{"p": null}');
SELECT (instance).p IS NOT DISTINCT FROM NULL AS is_null, created FROM dtmodel.get_or_create(NULL::exact, '{"p": null}');

-- types that use the operator class of another type
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN word AS varchar(20);
CREATE TABLE kinds (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood UNIQUE, v varchar(9) UNIQUE, w word UNIQUE, a int[] UNIQUE, r int4range UNIQUE,
                    t text, CONSTRAINT t UNIQUE (t));
SELECT c, is_locked(NULL::kinds, c) FROM unnest(ARRAY['{"m": "bad"}', '{"v": "x"}', '{"w": "x"}', '{"a": [1]}', '{"r": "[1,2)"}', '{"t": "x"}', '{"t": "x", "m": "good"}', '{"t": null}']::jsonb[]) AS c;
CREATE UNIQUE INDEX ON kinds (t text_pattern_ops);
ALTER TABLE kinds DROP CONSTRAINT t;
SELECT is_locked(NULL::kinds, '{"t": "x"}');

-- a collation for which a equals A, and an index for which it does not; if there is ICU
DO $$
BEGIN
    IF getdatabaseencoding() <> 'UTF8' OR NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        RETURN;
    END IF;
    CREATE COLLATION get_or_create_equality.ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE get_or_create_equality.names (name text COLLATE get_or_create_equality.ignore_case);
    CREATE UNIQUE INDEX names_c ON get_or_create_equality.names (name COLLATE "C");
    ASSERT get_or_create_equality.is_locked(NULL::get_or_create_equality.names, '{"name": "a"}');
    DROP INDEX get_or_create_equality.names_c;
    CREATE UNIQUE INDEX ON get_or_create_equality.names (name);
    ASSERT NOT get_or_create_equality.is_locked(NULL::get_or_create_equality.names, '{"name": "a"}');
    PERFORM dtmodel.get_or_create(NULL::get_or_create_equality.names, '{"name": "a"}');
    ASSERT (dtmodel.get_or_create(NULL::get_or_create_equality.names, '{"name": "A"}')).created = false;
END
$$;

-- an index for which a equals A, where a column distinguishes them
DO $$
BEGIN
    IF getdatabaseencoding() <> 'UTF8' OR NOT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        RETURN;
    END IF;
    CREATE TABLE get_or_create_equality.letters (name text COLLATE "C");
    CREATE UNIQUE INDEX ON get_or_create_equality.letters (name COLLATE get_or_create_equality.ignore_case);
    PERFORM dtmodel.get_or_create(NULL::get_or_create_equality.letters, '{"name": "a"}');
    ASSERT NOT (dtmodel.get_or_create(NULL::get_or_create_equality.letters, '{"name": "a"}')).created;
    BEGIN
        PERFORM dtmodel.get_or_create(NULL::get_or_create_equality.letters, '{"name": "A"}');
        RAISE 'the index should refuse it';
    EXCEPTION WHEN unique_violation THEN
        NULL;
    END;
END
$$;

DROP SCHEMA get_or_create_equality CASCADE;
