--
-- jsonb_diff and jsonb_changes: differences as a patch and as rows
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';
\pset null (null)

CREATE TEMP TABLE cases (number int PRIMARY KEY, old jsonb, new jsonb);
INSERT INTO cases VALUES
    (1, '{"a": 1}', '{"a": 1.0}'),
    (2, '{"a": 1, "b": {"c": 1, "d": 2}}', '{"a": 2, "b": {"d": 2, "e": null}}'),
    (3, '{"a": null}', '{}'),
    (4, '{}', '{"a": null}'),
    (5, '{"a": {"b": 1}}', '{"a": [1]}'),
    (6, '{"": {"": 1}, "a.b": 1, "c/d": 1, "e~f": 1, "~1": 1}', '{"": {"": 2}, "a.b": 2, "c/d": 2, "e~f": 2, "~1": 2}'),
    (7, '{"a": {"b": {"c": {"d": [1]}}}}', '{"a": {"b": {"c": {"d": [1, 2]}}}}'),
    (8, '1', '2'),
    (9, '1', '1.00'),
    (10, 'null', '{}'),
    (11, '[]', '[1]'),
    (12, '{"a": "x"}', '"x"'),
    -- lists: one element
    (20, '[1, 2, 3]', '[1, 3]'),
    (21, '[1, 3]', '[1, 2, 3]'),
    (22, '[1, 2, 3]', '[1, 4, 3]'),
    (23, '[1, 2, 3]', '[]'),
    (24, '[1, 2, 3]', '[0, 1, 2, 3]'),
    (25, '[1, 2, 3]', '[1, 2, 3, 4]'),
    (26, '[1.0, 2, 3.0]', '[1, 2, 3]'),
    -- several
    (30, '[1, 2, 3, 4, 5, 6]', '[1, 3, 4, 6]'),
    (31, '[1, 3, 4, 6]', '[1, 2, 3, 4, 5, 6]'),
    (32, '[1, 2, 3, 4]', '[4, 1, 2, 3]'),
    (33, '[1, 2, 3, 4]', '[4, 3, 2, 1]'),
    (34, '[1, 1, 2, 1]', '[1, 2, 1, 1]'),
    (35, '[true, false, true]', '[false, true, false, true]'),
    (36, '[1, 2, 3, 4, 5]', '["a", 2, "b", "c", 4, 5, 6]'),
    -- objects and lists in lists
    (40, '[{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 3}]', '[{"id": 1, "v": 1}, {"id": 2, "v": 20}, {"id": 3, "v": 3}]'),
    (41, '[{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 3}]', '[{"id": 2, "v": 2}, {"id": 3, "v": 30}]'),
    (42, '[[1, 2], [3, 4]]', '[[1, 2, 3], [3, 4]]'),
    (43, '{"a": [{"b": [1, {"c": 1}]}]}', '{"a": [0, {"b": [1, {"c": 2}]}]}'),
    (44, '[{"a": 1}, 1]', '[[1], {"a": 2}]');

SELECT c.number, c.old, c.new, dtmodel.jsonb_diff(c.old, c.new) AS patch
FROM pg_temp.cases c
ORDER BY c.number;

-- the patch changes the old document to the new one, and back
SELECT c.number
FROM pg_temp.cases c
WHERE dtmodel.jsonb_patch(c.old, dtmodel.jsonb_diff(c.old, c.new)) <> c.new
   OR dtmodel.jsonb_patch(c.new, dtmodel.jsonb_diff(c.new, c.old)) <> c.old;

-- from each document to each other document
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE dtmodel.jsonb_patch(a.old, dtmodel.jsonb_diff(a.old, b.new)) = b.new) AS led_there
FROM pg_temp.cases a, pg_temp.cases b;

SELECT c.number, j.path, j.op, j.old_value, j.new_value
FROM pg_temp.cases c, dtmodel.jsonb_changes(c.old, c.new) WITH ORDINALITY j
WHERE c.number < 30
ORDER BY c.number, j.ordinality;

-- inside lists element by element
SELECT c.number, j.path, j.op, j.old_value, j.new_value
FROM pg_temp.cases c, dtmodel.jsonb_changes(c.old, c.new, arrays => true) WITH ORDINALITY j
WHERE c.number >= 20
ORDER BY c.number, j.ordinality;

-- NULL is not a document, and arrays => NULL is false
SELECT * FROM dtmodel.jsonb_changes(NULL, NULL);
SELECT * FROM dtmodel.jsonb_changes(NULL, '{"a": 1}');
SELECT * FROM dtmodel.jsonb_changes('1', NULL, NULL);
SELECT * FROM dtmodel.jsonb_changes('[1]', '[2]', NULL);
SELECT dtmodel.jsonb_diff(NULL, '{}') IS NULL AS no_old, dtmodel.jsonb_diff('{}', NULL) IS NULL AS no_new,
       dtmodel.jsonb_merge_diff(NULL, '{}') IS NULL AS no_old_merge;

-- called in the select list, it returns rows too
SELECT (dtmodel.jsonb_changes('{"a": 1, "b": 1}', '{"a": 2}')).*;

-- values are jsonb documents
SELECT path, jsonb_typeof(old_value), jsonb_typeof(new_value), old_value = '1', new_value -> 'x'
FROM dtmodel.jsonb_changes('{"a": 1, "b": 1.50}', '{"a": {"x": [null, 1.50]}, "b": null}');

-- the paths are those of get_difference_between_dictionaries
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE dtmodel.get_difference_between_dictionaries(a.old, b.new)
                            = ARRAY(SELECT array_to_string(path, '.') FROM dtmodel.jsonb_changes(a.old, b.new))) AS same_paths
FROM pg_temp.cases a, pg_temp.cases b;

-- one element removed from many, one added, one changed: one operation
SELECT n, jsonb_array_length(dtmodel.jsonb_diff(l, l - (n / 2))) AS removed,
       jsonb_array_length(dtmodel.jsonb_diff(l, jsonb_insert(l, ARRAY[(n / 2)::text], '"new"'))) AS added,
       jsonb_array_length(dtmodel.jsonb_diff(l, jsonb_set(l, ARRAY[(n / 2)::text, 'v'], '"changed"'))) AS changed,
       dtmodel.jsonb_patch(l, dtmodel.jsonb_diff(l, l - (n / 2))) = l - (n / 2) AS leads_there
FROM (VALUES (10), (1000)) AS t(n),
    LATERAL (SELECT jsonb_agg(jsonb_build_object('id', i, 'v', 'value ' || i)) AS l FROM generate_series(1, n) i) d;

-- every third removed, every fifth changed, new ones in between
SELECT jsonb_array_length(p.patch) AS operations,
       dtmodel.jsonb_patch(d.old, p.patch) = d.new AS leads_there
FROM (SELECT jsonb_agg(jsonb_build_object('id', i, 'v', i)) AS old,
             jsonb_agg(CASE WHEN i % 5 = 0 THEN jsonb_build_object('id', i, 'v', -i)
                            WHEN i % 50 = 1 THEN to_jsonb('new'::text)
                            ELSE jsonb_build_object('id', i, 'v', i) END) FILTER (WHERE i % 3 <> 0) AS new
      FROM generate_series(1, 3000) i) d,
    LATERAL (SELECT dtmodel.jsonb_diff(d.old, d.new) AS patch) p;

-- lists in lists: differences are found at every level, and no others
SELECT d.n, d.what, jsonb_array_length(p.patch) AS operations, dtmodel.jsonb_patch(d.old, p.patch)::text = d.new::text AS same_text,
       dtmodel.jsonb_patch(d.old, p.patch) = d.new AS leads_there
FROM (SELECT n, what, (repeat(old_before, n) || '1' || repeat(old_after, n))::jsonb AS old,
             (repeat(new_before, n) || '2' || repeat(new_after, n))::jsonb AS new
      FROM (VALUES (1), (2), (50)) AS levels(n),
          (VALUES ('innermost',      '["a", ',      ', "z"]',      '["a", ',      ', "z"]'),
                  ('one more',       '["a", ',      ', "z"]',      '["new", "a", ', ', "z"]'),
                  ('one less',       '["a", "b", ', ', "z"]',      '["b", ',      ', "z"]'),
                  ('other digits',   '[1.0, 1.0, ', ', 3.0]',      '[1.00, 1, ',  ', 3]'),
                  ('before, after',  '[["x", "y"], ', ']',         '[',           ', ["x", "y"]]')
          ) AS l(what, old_before, old_after, new_before, new_after)) AS d,
    LATERAL (SELECT dtmodel.jsonb_diff(d.old, d.new) AS patch OFFSET 0) AS p
ORDER BY d.what, d.n;

DROP TABLE pg_temp.cases;
