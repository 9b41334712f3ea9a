--
-- get_difference_between_dictionaries: the paths at which two documents differ
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';

-- the example of the reference documents
SELECT dtmodel.get_difference_between_dictionaries(
    '{"theme": "light", "notifications": {"email": true, "sms": false}, "tags": ["python", "django"]}',
    '{"theme": "dark",  "notifications": {"email": true, "sms": true},  "tags": ["python", "fastapi"]}');

-- one row for each case: the difference, and the difference with the sides exchanged
CREATE TEMP TABLE cases (number int PRIMARY KEY, what text, a jsonb, b jsonb);
INSERT INTO cases VALUES
    (1, 'nothing differs', '{"a": 1, "b": {"c": [1, 2]}}', '{"b": {"c": [1, 2]}, "a": 1}'),
    (2, 'empty objects', '{}', '{}'),
    (3, 'a value', '{"a": 1, "b": 2}', '{"a": 1, "b": 3}'),
    (4, 'a value of another length', '{"a": "x", "b": 2, "c": 3}', '{"a": "xyz", "b": 2, "c": 3}'),
    (5, 'a value inside', '{"a": {"b": {"c": 1}}}', '{"a": {"b": {"c": 2}}}'),
    (6, 'several values', '{"a": 1, "b": 2, "c": {"d": 3, "e": 4}}', '{"a": 0, "b": 2, "c": {"d": 0, "e": 0}}'),
    (7, 'a key on one side', '{"a": 1}', '{"a": 1, "b": 2}'),
    (8, 'a key inside on one side', '{"a": {}}', '{"a": {"b": {"c": 1, "d": 2}}}'),
    (9, 'an object on one side is one path', '{}', '{"a": {"b": 1, "c": 2}}'),
    (10, 'no key in common', '{"a": 1, "b": 2}', '{"c": 1, "d": 2}'),
    (11, 'keys in between', '{"a": 1, "c": 3, "e": 5}', '{"b": 2, "c": 4, "d": 4, "e": 5}'),
    (12, 'null and missing', '{"a": null}', '{}'),
    (13, 'null and null', '{"a": null}', '{"a": null}'),
    (14, 'null and false', '{"a": null}', '{"a": false}'),
    (15, 'true and false', '{"a": true}', '{"a": false}'),
    (16, 'number and text of it', '{"a": 1}', '{"a": "1"}'),
    (17, 'number and boolean', '{"a": 1}', '{"a": true}'),
    (18, 'scalar and object', '{"a": 1}', '{"a": {"b": 1}}'),
    (19, 'scalar and list', '{"a": 1}', '{"a": [1]}'),
    (20, 'empty object and empty list', '{"a": {}}', '{"a": []}'),
    (21, 'object and null', '{"a": {"b": 1}}', '{"a": null}'),
    (22, '1.0 and 1.00', '{"a": 1.0, "b": {"c": 2}}', '{"a": 1.00, "b": {"c": 2.0}}'),
    (23, '1.0 and 1.00 beside a change', '{"a": 1.0, "z": 1}', '{"a": 1.00, "z": 2}'),
    (24, '1.0 and 1.00 in a list in a list', '{"a": [[1.0], {"b": 1e2}]}', '{"a": [[1.00], {"b": 100}]}'),
    (25, 'numbers that differ', '{"a": 1.0}', '{"a": 1.01}'),
    (26, 'numbers beyond floats', '{"a": 10000000000000000000000000000001}', '{"a": 10000000000000000000000000000002}'),
    (27, 'lists', '{"a": [1, 2, 3]}', '{"a": [1, 2, 4]}'),
    (28, 'lists of other lengths', '{"a": [1, 2]}', '{"a": [1, 2, 3]}'),
    (29, 'lists in another order', '{"a": [1, 2]}', '{"a": [2, 1]}'),
    (30, 'objects in lists', '{"a": [{"b": 1, "c": 2}]}', '{"a": [{"b": 1, "c": 3}]}'),
    (31, 'equal objects in lists', '{"a": [{"b": 1, "c": 2}]}', '{"a": [{"c": 2, "b": 1.0}]}'),
    (32, 'same length, other keys in lists', '{"a": [{"b": 1}]}', '{"a": [{"c": 1}]}'),
    (33, 'list and empty list', '{"a": [1]}', '{"a": []}'),
    (34, 'empty lists', '{"a": []}', '{"a": []}'),
    (35, 'key order: shorter first, then bytes', '{"bb": 1, "a": 1, "c": 1, "ab": 1}', '{}'),
    (36, 'an empty key', '{"": 1, "a": {"": 1}}', '{"": 2, "a": {"": 2}}'),
    (37, 'empty keys on the way', '{"": {"": {"a": 1}}}', '{"": {"": {"a": 2}}}'),
    (38, 'dots in keys', '{"a.b": 1, "a": {"b": 1}}', '{"a.b": 2, "a": {"b": 2}}'),
    (39, 'the last of two equal keys counts', '{"a": 1, "a": 2}', '{"a": 2, "a": 1}'),
    (40, 'characters of arrays', '{"a,b": 1, "c\"d": 1, "{e}": 1, "NULL": 1, " ": 1, "f\\g": 1}', '{}'),
    (41, 'scalar roots', '1', '2'),
    (42, 'equal scalar roots', '1.0', '1'),
    (43, 'roots null', 'null', 'null'),
    (44, 'null root and object', 'null', '{"a": 1}'),
    (45, 'list roots', '[1, 2]', '[1, 3]'),
    (46, 'equal list roots', '[1, {"a": 1}]', '[1.0, {"a": 1}]'),
    (47, 'list root and object', '[]', '{}'),
    (48, 'scalar root and list of it', '1', '[1]'),
    (49, 'scalar root and its text', '1', '"1"');

SELECT c.number, c.what, d.there, CASE WHEN d.back = d.there THEN 'same' ELSE d.back::text END AS back
FROM pg_temp.cases c,
    LATERAL (SELECT dtmodel.get_difference_between_dictionaries(c.a, c.b) AS there,
                    dtmodel.get_difference_between_dictionaries(c.b, c.a) AS back) d
ORDER BY c.number;

-- there is no difference exactly where jsonb values are equal
SELECT c.number, c.what
FROM pg_temp.cases c
WHERE (c.a = c.b) <> (dtmodel.get_difference_between_dictionaries(c.a, c.b) = '{}')
   OR dtmodel.get_difference_between_dictionaries(c.a, c.a) <> '{}'
   OR dtmodel.get_difference_between_dictionaries(c.b, c.b) <> '{}';

-- path is put before each path, with a dot; NULL or an empty path is not
SELECT c.number, c.what,
       dtmodel.get_difference_between_dictionaries(c.a, c.b, 'settings') AS settings,
       dtmodel.get_difference_between_dictionaries(c.a, c.b, NULL) AS no_path
FROM pg_temp.cases c
WHERE c.number IN (1, 6, 36, 37, 41, 45, 47)
ORDER BY c.number;
SELECT dtmodel.get_difference_between_dictionaries('{"b": {"c": 1}}', '{"b": {"c": 2}}', path => 'a.');

-- ignore_order compares lists as sets of elements
SELECT t.a, t.b,
       dtmodel.get_difference_between_dictionaries(t.a, t.b, ignore_order => true) AS as_sets,
       dtmodel.get_difference_between_dictionaries(t.a, t.b, ignore_order => NULL) AS as_lists
FROM (VALUES
    ('{"a": [1, 2, 3]}'::jsonb,            '{"a": [3, 1, 2]}'::jsonb),
    ('{"a": [1, 1, 2]}',                   '{"a": [2, 1]}'),
    ('{"a": [1, 2]}',                      '{"a": [1, 2, 3]}'),
    ('{"a": [1, 2, 3]}',                   '{"a": [1, 2]}'),
    ('{"a": [1, 2]}',                      '{"a": [1, 3]}'),
    ('{"a": [1, 1]}',                      '{"a": [1, 2]}'),
    ('{"a": [1, "1", true, null, "true"]}', '{"a": ["true", null, true, "1", 1.0]}'),
    ('{"a": [1, "1"]}',                    '{"a": ["1", "1"]}'),
    ('{"a": [null]}',                      '{"a": [false]}'),
    ('{"a": []}',                          '{"a": []}'),
    ('{"a": []}',                          '{"a": [1]}'),
    ('{"a": [1]}',                         '{"a": []}'),
    ('{"a": [{"b": 1, "c": 2.0}, 5]}',     '{"a": [5, {"c": 2, "b": 1.00}]}'),
    ('{"a": [{"b": 1}, {"b": 2}]}',        '{"a": [{"b": 2}, {"b": 3}]}'),
    ('{"a": [[1, 2], [3]]}',               '{"a": [[3], [1, 2]]}'),
    ('{"a": [[1, 2]]}',                    '{"a": [[2, 1]]}'),
    ('{"a": [{"b": [1, 2]}]}',             '{"a": [{"b": [2, 1]}]}'),
    ('{"a": {"b": [1, 2], "c": [1]}}',     '{"a": {"b": [2, 1], "c": [2]}}'),
    ('{"a": [{}, []]}',                    '{"a": [[], {}]}'),
    ('{"a": [1]}',                         '{"a": {"1": 1}}'),
    ('[1, 2]',                             '[2, 1, 2]'),
    ('[1, 2]',                             '[2, 1, 3]')
) AS t(a, b);

-- SQL NULL is not a document
SELECT dtmodel.get_difference_between_dictionaries(NULL, NULL) AS both,
       dtmodel.get_difference_between_dictionaries(NULL, '{"a": 1}') AS old,
       dtmodel.get_difference_between_dictionaries('{}', NULL, 'p') AS new,
       dtmodel.get_difference_between_dictionaries(NULL, 'null') AS json_null,
       dtmodel.get_difference_between_dictionaries(NULL, NULL, NULL, NULL) AS all;

-- many members: beyond the 32nd an entry holds an offset in place of a length
SELECT n, changed, dtmodel.get_difference_between_dictionaries(a, b) AS difference
FROM (VALUES (31), (32), (33), (64), (65), (1000)) AS size(n),
    (VALUES (0), (1), (30), (31), (32), (33), (63), (64), (999)) AS at(changed),
    LATERAL (SELECT jsonb_object_agg('k' || i, i) AS a,
                    jsonb_object_agg('k' || i, CASE WHEN i = changed THEN to_jsonb('value'::text) ELSE to_jsonb(i) END) AS b
             FROM generate_series(0, n - 1) i) d
WHERE changed < n
ORDER BY n, changed;

-- the same with changes that keep the length, and one more key on either side
SELECT n, dtmodel.get_difference_between_dictionaries(a, a || '{"k7": "X007", "k29": "X029"}') AS same_length,
       dtmodel.get_difference_between_dictionaries(a - 'k3', a - 'k17') AS one_more
FROM (VALUES (30), (33), (100)) AS size(n),
    LATERAL (SELECT jsonb_object_agg('k' || i, 'v' || to_char(i, 'FM000')) AS a
             FROM generate_series(0, n - 1) i) d
ORDER BY n;

-- a long array is built in several pieces
SELECT cardinality(d.paths), d.paths[1], d.paths[20000],
       d.paths = (SELECT array_agg('group.' || k ORDER BY length(k), k COLLATE "C")
                  FROM jsonb_object_keys(d.a -> 'group') AS k) AS all_there
FROM (SELECT a, dtmodel.get_difference_between_dictionaries(a, '{"group": {}}') AS paths
      FROM (SELECT jsonb_build_object('group', jsonb_object_agg('key ' || i, i)) AS a
            FROM generate_series(1, 20000) i) big) d;

-- and so is a long path
SELECT count(*), count(*) FILTER (WHERE d.paths = ARRAY[repeat('k', n), repeat('k', n) || 'z'])
FROM generate_series(0, 3000) n,
    LATERAL (SELECT dtmodel.get_difference_between_dictionaries(
                 jsonb_build_object(repeat('k', n), 1, repeat('k', n) || 'z', 1), '{}') AS paths) d;

-- the result is an ordinary array
SELECT d.paths || 'c'::text AS appended, array_ndims(d.paths), array_lower(d.paths, 1), array_upper(d.paths, 1),
       pg_typeof(d.paths), pg_column_size(d.paths) = pg_column_size(ARRAY['a', 'b.c']::text[]) AS as_usual
FROM (SELECT dtmodel.get_difference_between_dictionaries('{"a": 1, "b": {"c": 1}}', '{"b": {"c": 2}}') AS paths) d;

-- stored documents: short, compressed, out of line
SET default_toast_compression = pglz;
CREATE TEMP TABLE stored (a jsonb, b jsonb);
INSERT INTO stored VALUES ('{"a": 1}', '{"a": 2}');
INSERT INTO stored
SELECT d, jsonb_set(d, '{k500}', '"changed"')
FROM (SELECT jsonb_object_agg('k' || i, repeat('value ', 20)) AS d FROM generate_series(1, 1000) i) t;
INSERT INTO stored
SELECT d, d || '{"a": 1}'
FROM (SELECT jsonb_object_agg('k' || i, md5(i::text)) AS d FROM generate_series(1, 1000) i) t;
SELECT dtmodel.get_difference_between_dictionaries(a, b) AS difference,
       dtmodel.get_difference_between_dictionaries(a, a) AS none,
       pg_column_size(a) < length(a::text) AS smaller
FROM pg_temp.stored;

DROP TABLE pg_temp.cases, pg_temp.stored;
