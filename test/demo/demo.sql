--
-- The main job on real data: the ISO lists of countries, subdivisions and
-- languages, as Debian's package iso-codes has them.
--
-- psql -v iso=<folder of the JSON files> -f demo.sql
--
\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
SET client_min_messages = warning;
SET timezone = 'UTC';

\echo
\echo '1. Models are ordinary tables. Templates give them their columns; add_* the behaviour.'
\echo
CREATE EXTENSION dtmodel;
CREATE TABLE countries (
    LIKE dtmodel.model_base INCLUDING ALL,          -- id, created_at, updated_at
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,   -- is_deleted, deleted_at
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    official_name text
);
CREATE TABLE subdivisions (
    code text PRIMARY KEY,                          -- a key of one's own is fine
    country text NOT NULL REFERENCES countries (code),
    parent text REFERENCES subdivisions,
    type text NOT NULL,
    name text NOT NULL
);
CREATE TABLE languages (code text PRIMARY KEY, name text NOT NULL, scope text, entry jsonb);

SELECT FROM (VALUES ('countries'), ('subdivisions'), ('languages')) AS t (name),
            LATERAL dtmodel.add_model(t.name::regclass),
            LATERAL dtmodel.add_soft_delete(t.name::regclass) \g /dev/null
\d subdivisions

CREATE FUNCTION iso(list text) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT entry FROM jsonb_each(pg_read_file(current_setting('demo.iso') || '/iso_' || list || '.json')::jsonb) AS f (key, value),
                      jsonb_array_elements(f.value) AS entry
$$;
SET demo.iso = :'iso';

INSERT INTO countries (code, name, official_name)
SELECT e ->> 'alpha_2', e ->> 'name', e ->> 'official_name' FROM iso('3166-1') AS e;
-- parents come first: most are written without their country
INSERT INTO subdivisions (code, country, parent, type, name)
SELECT e ->> 'code', split_part(e ->> 'code', '-', 1),
       CASE WHEN e ->> 'parent' LIKE '%-%' THEN e ->> 'parent'
            ELSE split_part(e ->> 'code', '-', 1) || '-' || (e ->> 'parent') END,
       e ->> 'type', e ->> 'name'
FROM iso('3166-2') AS e ORDER BY e ->> 'parent' NULLS FIRST;
INSERT INTO languages SELECT e ->> 'alpha_3', e ->> 'name', e ->> 'scope', e FROM iso('639-3') AS e;

\echo '2. What is a model here, and is anything out of order with it?'
\echo
SELECT m.*, c.rows
FROM dtmodel.models AS m
JOIN (SELECT 'countries'::regclass AS model, count(*) AS rows FROM countries
      UNION ALL SELECT 'subdivisions', count(*) FROM subdivisions
      UNION ALL SELECT 'languages', count(*) FROM languages) AS c USING (model)
ORDER BY rows;

\echo '3. updated_at moves when a row changes; created_at cannot; an UPDATE that changes nothing moves nothing.'
\echo
UPDATE countries SET name = name;
UPDATE countries SET name = 'Czech Republic', created_at = '1993-01-01' WHERE code = 'CZ';
SELECT count(*) AS countries, count(*) FILTER (WHERE updated_at > created_at) AS changed,
       string_agg(name, ', ') FILTER (WHERE updated_at > created_at) AS which,
       min(created_at)::date = current_date AS created_today
FROM countries;

\echo '4. DELETE marks. All rows of one statement carry its one deleted_at.'
\echo
DELETE FROM subdivisions WHERE country = 'FR';
DELETE FROM languages WHERE scope = 'S';
SELECT 'subdivisions' AS model, count(*) FILTER (WHERE NOT is_deleted) AS live, count(deleted_at) AS deleted,
       count(DISTINCT deleted_at) AS deletions FROM subdivisions
UNION ALL
SELECT 'languages', count(*) FILTER (WHERE NOT is_deleted), count(deleted_at),
       count(DISTINCT deleted_at) FROM languages;

\echo '5. restore brings a row back, given as a row or by its key.'
\echo
SELECT (dtmodel.restore(NULL::languages, 'mul')).name;
SELECT type, count(dtmodel.restore(s)) AS restored
FROM subdivisions AS s WHERE is_deleted AND parent IS NULL GROUP BY type ORDER BY 2 DESC, 1 LIMIT 3;

\echo '6. Where two real documents differ: German and Greek, in ISO 639-2 against ISO 639-3.'
\echo
SELECT l.name, e AS iso_639_2, l.entry AS iso_639_3,
       dtmodel.get_difference_between_dictionaries(e, l.entry) AS difference
FROM iso('639-2') AS e JOIN languages AS l ON l.code = e ->> 'alpha_3'
WHERE l.code IN ('deu', 'ell') ORDER BY l.name \gx
