/* test/bench/prepare.sql: what every area uses */

CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE EXTENSION IF NOT EXISTS moddatetime;

DROP SCHEMA IF EXISTS bench, round CASCADE;
CREATE SCHEMA bench;

CREATE FUNCTION bench.nothing()
RETURNS trigger
AS :'nothing', 'bench_nothing'
LANGUAGE C;

CREATE FUNCTION bench.expect(what text, actual numeric, expected numeric)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF actual IS DISTINCT FROM expected THEN
        RAISE EXCEPTION '%: % instead of %', what, actual, expected;
    END IF;
END
$$;
