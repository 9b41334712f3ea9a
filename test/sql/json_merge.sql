--
-- jsonb_merge_patch, jsonb_merge_diff, jsonb_deep_merge, merge_settings
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';

-- RFC 7396, appendix A: every test case, in its order
SELECT t.original, t.patch, t.result, dtmodel.jsonb_merge_patch(t.original, t.patch) = t.result AS passes
FROM (VALUES
    ('{"a":"b"}'::jsonb,          '{"a":"c"}'::jsonb,            '{"a":"c"}'::jsonb),
    ('{"a":"b"}',                 '{"b":"c"}',                   '{"a":"b","b":"c"}'),
    ('{"a":"b"}',                 '{"a":null}',                  '{}'),
    ('{"a":"b","b":"c"}',         '{"a":null}',                  '{"b":"c"}'),
    ('{"a":["b"]}',               '{"a":"c"}',                   '{"a":"c"}'),
    ('{"a":"c"}',                 '{"a":["b"]}',                 '{"a":["b"]}'),
    ('{"a":{"b":"c"}}',           '{"a":{"b":"d","c":null}}',    '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}',         '{"a":[1]}',                   '{"a":[1]}'),
    ('["a","b"]',                 '["c","d"]',                   '["c","d"]'),
    ('{"a":"b"}',                 '["c"]',                       '["c"]'),
    ('{"a":"foo"}',               'null',                        'null'),
    ('{"a":"foo"}',               '"bar"',                       '"bar"'),
    ('{"e":null}',                '{"a":1}',                     '{"e":null,"a":1}'),
    ('[1,2]',                     '{"a":"b","c":null}',          '{"a":"b"}'),
    ('{}',                        '{"a":{"bb":{"ccc":null}}}',   '{"a":{"bb":{}}}')
) AS t(original, patch, result);

-- and the example of its section 3
SELECT dtmodel.jsonb_merge_patch(
    '{"title": "Goodbye!", "author": {"givenName": "John", "familyName": "Doe"}, "tags": ["example", "sample"], "content": "This will be unchanged"}',
    '{"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": null}, "tags": ["example"]}')
    = '{"title": "Hello!", "author": {"givenName": "John"}, "tags": ["example"], "content": "This will be unchanged", "phoneNumber": "+01-123-456-7890"}' AS passes;

-- how the three merges differ
SELECT t.a, t.b,
       dtmodel.jsonb_merge_patch(t.a, t.b) AS merge_patch,
       dtmodel.jsonb_deep_merge(t.a, t.b) AS deep_merge,
       CASE WHEN jsonb_typeof(t.a) = 'object' AND jsonb_typeof(t.b) = 'object'
            THEN dtmodel.merge_settings(t.a, t.b) END AS merge_settings
FROM (VALUES
    ('{"a": {"b": 1, "c": 2}}'::jsonb, '{"a": {"b": 3}}'::jsonb),
    ('{"a": {"b": 1, "c": 2}}',   '{"a": {"b": null}}'),
    ('{"a": {"b": 1}}',           '{"a": null}'),
    ('{"a": null}',               '{"a": null}'),
    ('{"a": 1}',                  '{"b": null}'),
    ('{"a": 1}',                  '{"b": {"c": null, "d": {"e": null, "f": 1}}}'),
    ('{"a": 1}',                  '{"a": {}}'),
    ('{"a": {"b": 1}}',           '{"a": {}}'),
    ('{"a": {"b": 1}}',           '{"a": []}'),
    ('{"a": [1, {"b": 1}]}',      '{"a": [{"b": null}, null]}'),
    ('{"b": 1, "dd": 1}',         '{"a": 2, "c": 2, "aa": 2, "eee": 2}'),
    ('{"": 1, "a.b": {"": 1}}',   '{"": 2, "a.b": {"": {"": 2}}}'),
    ('{"a": 1.0}',                '{"a": 1.00}'),
    ('{}',                        '{}'),
    ('[1]',                       '{"a": {"b": null}}'),
    ('1',                         '{"a": null}'),
    ('{"a": 1}',                  '[1]'),
    ('{"a": 1}',                  '"x"'),
    ('"x"',                       '"x"')
) AS t(a, b);

-- NULL is not a document for the merges, and no settings for merge_settings
SELECT dtmodel.jsonb_merge_patch(NULL, '{}') IS NULL AS merge_patch_null,
       dtmodel.jsonb_deep_merge('{}', NULL) IS NULL AS deep_merge_null,
       dtmodel.merge_settings(NULL, '{"a": null}') AS no_settings,
       dtmodel.merge_settings('{"a": 1}', NULL) AS no_patch,
       dtmodel.merge_settings(NULL, NULL) AS neither;

-- both have to be objects
\set SHOW_CONTEXT never
DO $$
DECLARE
    settings jsonb;
    patch jsonb;
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    FOR settings, patch IN VALUES ('[]'::jsonb, '{}'::jsonb), ('1', '{}'), ('null', NULL), ('{}', '[1]'), ('{}', 'null'), (NULL, '"x"'), ('{}', 'true') LOOP
        BEGIN
            RAISE INFO 'accepted: %', dtmodel.merge_settings(settings, patch);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            RAISE INFO '% % | % | %', state, message, detail, hint;
        END;
    END LOOP;
END
$$;

-- merge patches from differences
SELECT t.old, t.new, d.patch,
       CASE WHEN dtmodel.jsonb_merge_patch(t.old, d.patch) = t.new THEN 'leads there' END AS applied
FROM (VALUES
    ('{"a": 1}'::jsonb,                '{"a": 1}'::jsonb),
    ('{"a": 1, "b": {"c": 1, "d": 2}}', '{"a": 2, "b": {"c": 1}}'),
    ('{"a": {"b": {"c": {"d": 1}}}}',  '{"a": {"b": {"c": {"d": 2}}}}'),
    ('{"a": 1}',                       '{}'),
    ('{}',                             '{"a": {"b": {}}}'),
    ('{"a": 1}',                       '{"a": {}}'),
    ('{"a": {"b": 1}}',                '{"a": {}}'),
    ('{"a": {"b": 1}}',                '{"a": [null, {"b": null}]}'),
    ('{"a": [1, 2], "b": [1.0]}',      '{"a": [2, 1], "b": [1]}'),
    ('{"a": null, "b": 1}',            '{"a": null, "b": 2}'),
    ('{"": {"": 1}}',                  '{"": {"": 2}}'),
    ('1',                              '1'),
    ('[1]',                            '[1]'),
    ('{"a": 1}',                       'null'),
    ('[1]',                            '{"a": 1}')
) AS t(old, new), LATERAL (SELECT dtmodel.jsonb_merge_diff(t.old, t.new) AS patch) d;

-- a merge patch cannot set a null
SELECT dtmodel.jsonb_merge_diff('{"a": {"b": 1}}', '{"a": {"b": null}}');
SELECT dtmodel.jsonb_merge_diff('{}', '{"a/b": {"c": [1], "d": {"e": null}}}');
SELECT dtmodel.jsonb_merge_diff('1', '{"a": null}');

-- A merge that changes nothing returns the first argument itself, still
-- compressed; one that changes something does not.
CREATE TEMP TABLE toasted (d jsonb);
INSERT INTO toasted SELECT jsonb_build_object('a', jsonb_build_object('b', repeat('x', 10000), 'c', 1), 'n', null);
SELECT pg_column_size(d) < 1000 AS is_compressed,
       pg_column_size(dtmodel.jsonb_deep_merge(d, '{"a": {"c": 1}}')) = pg_column_size(d) AS deep_merge,
       pg_column_size(dtmodel.jsonb_merge_patch(d, '{"a": {"c": 1}, "z": null}')) = pg_column_size(d) AS merge_patch,
       pg_column_size(dtmodel.merge_settings(d, '{"n": null}')) = pg_column_size(d) AS merge_settings,
       pg_column_size(dtmodel.merge_settings(d, NULL)) = pg_column_size(d) AS no_settings,
       pg_column_size(dtmodel.jsonb_patch(d, '[{"op": "test", "path": "/a/c", "value": 1}]')) = pg_column_size(d) AS patch_test,
       pg_column_size(dtmodel.jsonb_patch(d, '[{"op": "replace", "path": "/a/c", "value": 1}]')) = pg_column_size(d) AS patch_replace,
       pg_column_size(dtmodel.jsonb_patch(d, '[{"op": "add", "path": "/z", "value": 1}, {"op": "remove", "path": "/z"}]')) = pg_column_size(d) AS patch_back
FROM pg_temp.toasted;
SELECT pg_column_size(dtmodel.jsonb_deep_merge(d, '{"a": {"c": 2}}')) > 10000 AS deep_merge,
       pg_column_size(dtmodel.jsonb_merge_patch(d, '{"n": null}')) > 10000 AS merge_patch,
       pg_column_size(dtmodel.merge_settings(d, '{"n": 1}')) > 10000 AS merge_settings,
       pg_column_size(dtmodel.jsonb_patch(d, '[{"op": "remove", "path": "/n"}]')) > 10000 AS patch
FROM pg_temp.toasted;
DROP TABLE pg_temp.toasted;

-- the result has the same bytes as the server would write, for any number of
-- members and any alignment
SELECT count(*) AS documents,
       count(*) FILTER (WHERE m = j AND m::text = j::text AND pg_column_size(m) = pg_column_size(j)) AS as_the_server
FROM (SELECT dtmodel.jsonb_deep_merge(a, b) AS m, a || b AS j
      FROM generate_series(0, 100) n, generate_series(0, 100, 7) k,
           LATERAL (SELECT coalesce(jsonb_object_agg(repeat('k', i % 5) || i, CASE i % 4 WHEN 0 THEN to_jsonb(i / 3.0) WHEN 1 THEN to_jsonb(repeat('v', i % 6)) WHEN 2 THEN 'null' ELSE '[1, "x"]' END), '{}') AS a
                    FROM generate_series(1, n) i) a,
           LATERAL (SELECT coalesce(jsonb_object_agg(repeat('k', i % 5) || i, CASE i % 3 WHEN 0 THEN to_jsonb(i * 2) WHEN 1 THEN to_jsonb(repeat('w', i % 7)) ELSE 'true' END), '{}') AS b
                    FROM generate_series(k, k + n / 2) i) b) d;
