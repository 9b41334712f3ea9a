/* test/bench/expect.sql: what each database has, also those of other servers */

DROP SCHEMA IF EXISTS bench, round CASCADE;
CREATE SCHEMA bench;

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
