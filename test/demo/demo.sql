--
-- The main job on real data: the ISO lists of countries, subdivisions and
-- languages, as Debian's package iso-codes has them.
--
-- psql -v iso=<folder of the JSON files> -f demo.sql
--
\set ON_ERROR_STOP on
\pset footer off
\pset format wrapped
\pset columns 120
\pset null '-'
SET client_min_messages = warning;
SET timezone = 'UTC';

\set ECHO queries
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
    country text NOT NULL REFERENCES countries (code) ON DELETE CASCADE,
    parent text REFERENCES subdivisions ON DELETE CASCADE,
    type text NOT NULL,
    name text NOT NULL
);

CREATE TABLE languages (code text PRIMARY KEY, name text NOT NULL, scope text, entry jsonb);

\o /dev/null
SELECT FROM (VALUES ('countries'), ('subdivisions'), ('languages')) AS t (name),
            LATERAL dtmodel.add_model(t.name::regclass),
            LATERAL dtmodel.add_soft_delete(t.name::regclass);
\o

\o /dev/null
SELECT dtmodel.add_slug('countries', 'name'), dtmodel.add_audit('countries');
\o

-- the lists are loaded with plain INSERTs, and one call of bulk_create
\set ECHO none
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
\o /dev/null
SELECT count(*) FROM dtmodel.bulk_create(NULL::languages, (
    SELECT jsonb_agg(e || jsonb_build_object('code', e -> 'alpha_3', 'entry', e)) FROM iso('639-3') AS e));
\o
\set ECHO queries
\echo

\echo '2. What is a model here, and is anything out of order with it?'
\echo
SELECT model, class, primary_key, mixins, drift, rows
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

\echo '4. DELETE marks, and cascades as the foreign keys say. All rows of one transaction carry its one deleted_at.'
\echo
DELETE FROM subdivisions WHERE code = 'FR-PF';
DELETE FROM countries WHERE code = 'FR';
SELECT c.name, count(s.deleted_at) AS deleted, count(*) FILTER (WHERE s.deleted_at = c.deleted_at) AS with_the_country
FROM countries AS c JOIN subdivisions AS s ON s.country = c.code WHERE c.is_deleted GROUP BY c.id;

\echo '5. restore brings a row back, and exactly the rows that were deleted with it.'
\echo
SELECT r.name, r.is_deleted FROM countries AS c, dtmodel.restore(c) AS r WHERE c.code = 'FR';
SELECT code, name, is_deleted FROM subdivisions WHERE country = 'FR' AND is_deleted;

\echo '6. Where two real documents differ: German and Greek, in ISO 639-2 against ISO 639-3.'
\echo
SELECT l.name, e AS iso_639_2, l.entry AS iso_639_3,
       dtmodel.get_difference_between_dictionaries(e, l.entry) AS difference
FROM iso('639-2') AS e JOIN languages AS l ON l.code = e ->> 'alpha_3'
WHERE l.code IN ('deu', 'ell') ORDER BY l.name \gx

\echo '7. Rows from JSON and to JSON. The first call inserts the row.'
\echo
SELECT l.created, dtmodel.to_dict(l.instance, includes => '{code,name,scope}') AS language
FROM (VALUES ('Quenya'), ('Sindarin')) AS asked (name),
     LATERAL dtmodel.get_or_create(NULL::languages, '{"code": "qaa"}', jsonb_build_object('name', asked.name)) AS l;

\echo '8. Slugs are made of names, and audit keeps who changed them.'
\echo
BEGIN;
\o /dev/null
SELECT dtmodel.set_actor('ann@example.com');
\o
SELECT u.name, u.slug, u.created_by = session_user AS created_by_role, u.updated_by
FROM countries AS c, dtmodel.update(c, '{"official_name": "Ivory Coast"}') AS u WHERE c.code = 'CI';
INSERT INTO countries (code, name) VALUES ('XC', 'Cote d''Ivoire')
RETURNING name, slug, created_by = session_user AS created_by_role, updated_by;
COMMIT;

\echo
\echo '9. Versions grow with every change: who writes what has changed since it was read writes nothing.'
\echo
\o /dev/null
SELECT dtmodel.add_version('languages');
\o
WITH hers AS (UPDATE languages SET scope = 'S' WHERE code = 'qaa' AND version = 1 RETURNING version)
SELECT count(*) AS written, max(version) AS version FROM hers;
WITH his AS (UPDATE languages SET scope = 'I' WHERE code = 'qaa' AND version = 1 RETURNING version)
SELECT count(*) AS written, max(version) AS version FROM his;

\echo '10. A history keeps every version of a row: a country is renamed, deleted and restored. The past joins with the present.'
\echo
\o /dev/null
SELECT dtmodel.add_history('countries');
\o
\set ECHO none
SELECT clock_timestamp() AS before \gset
\set ECHO queries
UPDATE countries SET name = 'Czechia' WHERE code = 'CZ';
DELETE FROM countries WHERE code = 'CZ';
\o /dev/null
SELECT FROM countries AS c, dtmodel.restore(c) WHERE c.code = 'CZ';
\o
SELECT code, name, is_deleted, operation, ended_by = session_user AS ended_by_role, valid_to > valid_from AS lasted
FROM countries_history ORDER BY valid_to;
SELECT code, past.name AS was, present.name AS "is"
FROM countries_as_of(:'before') AS past JOIN countries AS present USING (code)
WHERE past.name <> present.name;

\echo 'The server of this demo is gone now. To go on: "Getting started" in README.md, with a database of your own after'
\echo '"make install" and CREATE EXTENSION dtmodel.'
