--
-- jsonb_patch: RFC 6902 beyond the public vectors, and its errors
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';

-- each operation, on members and on elements
SELECT p.patch, dtmodel.jsonb_patch('{"a": 1, "b": {"c": [1, 2, 3]}}', p.patch::jsonb) AS result
FROM (VALUES
    ('[{"op": "add", "path": "/d", "value": {"e": 1.00}}]'),
    ('[{"op": "add", "path": "/b/c/1", "value": "x"}]'),
    ('[{"op": "add", "path": "/b/c/-", "value": "x"}]'),
    ('[{"op": "remove", "path": "/a"}]'),
    ('[{"op": "remove", "path": "/b/c/0"}]'),
    ('[{"op": "replace", "path": "/b/c", "value": null}]'),
    ('[{"op": "replace", "path": "/b/c/2", "value": []}]'),
    ('[{"op": "replace", "path": "", "value": "scalar"}]'),
    ('[{"op": "move", "from": "/b/c", "path": "/a"}]'),
    ('[{"op": "move", "from": "/b/c/0", "path": "/b/c/2"}]'),
    ('[{"op": "move", "from": "/b/c/2", "path": "/b/c/0"}]'),
    ('[{"op": "move", "from": "/b", "path": ""}]'),
    ('[{"op": "move", "from": "", "path": ""}]'),
    ('[{"op": "copy", "from": "/b", "path": "/b/d"}]'),
    ('[{"op": "copy", "from": "", "path": "/all"}]'),
    ('[{"op": "copy", "from": "/b/c/0", "path": "/b/c/-"}]'),
    ('[{"op": "test", "path": "", "value": {"b": {"c": [1.0, 2, 3.00]}, "a": 1}}]')
) AS p(patch);

-- operations see the results of those before them
SELECT dtmodel.jsonb_patch('{"a": {"b": [1, 2]}}', '[
    {"op": "add",     "path": "/a/b/-",  "value": {"c": 1}},
    {"op": "replace", "path": "/a/b/2/c", "value": 2},
    {"op": "test",    "path": "/a/b",    "value": [1, 2, {"c": 2}]},
    {"op": "copy",    "from": "/a/b",    "path": "/copy"},
    {"op": "remove",  "path": "/a/b/0"},
    {"op": "add",     "path": "/copy/2/d", "value": true},
    {"op": "test",    "path": "/a",      "value": {"b": [2, {"c": 2}]}},
    {"op": "test",    "path": "/copy",   "value": [1, 2, {"c": 2, "d": true}]},
    {"op": "move",    "from": "/copy",   "path": "/a/was"},
    {"op": "remove",  "path": "/a/was/1"},
    {"op": "add",     "path": "/a/was/1", "value": "one"},
    {"op": "test",    "path": "",        "value": {"a": {"b": [2, {"c": 2}], "was": [1, "one", {"c": 2, "d": true}]}}}]');

-- a copy and its original change independently, also copies in copies, in
-- either order
SELECT dtmodel.jsonb_patch('{"a": {"l": [1, 2, 3], "m": {"x": 1, "y": 2}}}', '[
    {"op": "add",     "path": "/a/l/1",   "value": "in a"},
    {"op": "copy",    "from": "/a",       "path": "/b"},
    {"op": "remove",  "path": "/a/l/0"},
    {"op": "add",     "path": "/b/m/z",   "value": "in b"},
    {"op": "copy",    "from": "/b/m",     "path": "/b/l/-"},
    {"op": "replace", "path": "/b/l/4/x", "value": "in the copy in b"},
    {"op": "copy",    "from": "/b",       "path": "/c"},
    {"op": "remove",  "path": "/b/l/4/y"},
    {"op": "move",    "from": "/c/l",     "path": "/c/m/l"},
    {"op": "remove",  "path": "/c/m/l/0"}]');
-- a move into itself, and onto itself
SELECT dtmodel.jsonb_patch('{"a": [1]}', '[
    {"op": "add",  "path": "/a/-", "value": 2},
    {"op": "copy", "from": "/a",   "path": "/a/0"},
    {"op": "copy", "from": "/a",   "path": "/a/0"},
    {"op": "copy", "from": "",     "path": "/a/0/-"},
    {"op": "copy", "from": "/a",   "path": "/a"},
    {"op": "remove", "path": "/a/0/0"}]') AS into_itself,
       dtmodel.jsonb_patch('{"a": {"b": {"c": 1}}}', '[
    {"op": "add",  "path": "/a/b/d", "value": 2},
    {"op": "copy", "from": "/a/b",   "path": "/a"},
    {"op": "copy", "from": "/a",     "path": ""},
    {"op": "add",  "path": "/e",     "value": 3}]') AS onto_itself,
       dtmodel.jsonb_patch('{"a": {"b": {"c": 1}}}', '[
    {"op": "add",  "path": "/a/b/d", "value": 2},
    {"op": "move", "from": "/a/b",   "path": "/a"},
    {"op": "move", "from": "/a",     "path": ""},
    {"op": "add",  "path": "/e",     "value": 3}]') AS moved_onto_itself;

-- a member removed and added again, added and removed again
SELECT dtmodel.jsonb_patch('{"a": 1, "b": 2}', '[{"op": "remove", "path": "/a"}, {"op": "add", "path": "/a", "value": 3}]') AS again,
       dtmodel.jsonb_patch('{"a": 1, "b": 2}', '[{"op": "add", "path": "/c", "value": 3}, {"op": "remove", "path": "/c"}]') AS gone,
       dtmodel.jsonb_patch('{"a": 1}', '[{"op": "remove", "path": "/a"}]') AS empty_object,
       dtmodel.jsonb_patch('[1]', '[{"op": "remove", "path": "/0"}]') AS empty_array,
       dtmodel.jsonb_patch('[]', '[{"op": "add", "path": "/0", "value": 1}, {"op": "add", "path": "/0", "value": 0}]') AS filled;

-- escapes, and keys that look like escapes or indexes
SELECT p.pointer, dtmodel.jsonb_patch('{"a/b": 1, "m~n": 2, "~1": 3, "": {"": 4}, "-": 5, "0": 6, " ": 7}',
           jsonb_build_array(jsonb_build_object('op', 'replace', 'path', p.pointer, 'value', 'x'))) AS result
FROM (VALUES ('/a~1b'), ('/m~0n'), ('/~01'), ('/'), ('//'), ('/-'), ('/0'), ('/ ')) AS p(pointer);

-- scalar documents
SELECT dtmodel.jsonb_patch('1', '[{"op": "test", "path": "", "value": 1.0}, {"op": "replace", "path": "", "value": [1]}]') AS to_array,
       dtmodel.jsonb_patch('"a"', '[]') AS untouched;

-- NULL is neither a document nor a patch
SELECT dtmodel.jsonb_patch(NULL, '[]') IS NULL AS no_document, dtmodel.jsonb_patch('{}', NULL) IS NULL AS no_patch;

-- invalid patches
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.refused(doc jsonb, patch jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    RETURN 'accepted: ' || dtmodel.jsonb_patch(doc, patch)::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format(E'%s %s\n%s\n%s', state, message, detail, hint);
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT p.patch, pg_temp.refused('{"a": {"b": [1, 2]}, "c": 1}', p.patch::jsonb)
FROM (VALUES
    -- no patch at all
    ('{}'), ('null'), ('"[]"'), ('[1]'), ('[[]]'), ('[{}]'),
    -- elements that are not operations
    ('[{"op": "test", "path": "/c", "value": 1}, {"op": 1, "path": ""}]'),
    ('[{"op": "Add", "path": "/x", "value": 1}]'),
    ('[{"op": "add"}]'),
    ('[{"op": "add", "path": 1, "value": 1}]'),
    ('[{"op": "add", "path": "c", "value": 1}]'),
    ('[{"op": "add", "path": "/~2", "value": 1}]'),
    ('[{"op": "add", "path": "/~", "value": 1}]'),
    ('[{"op": "add", "path": "/x"}]'),
    ('[{"op": "replace", "path": "/c"}]'),
    ('[{"op": "test", "path": "/c"}]'),
    ('[{"op": "move", "path": "/x"}]'),
    ('[{"op": "copy", "path": "/x", "from": null}]'),
    ('[{"op": "copy", "path": "/x", "from": "c"}]'),
    -- operations that do not apply
    ('[{"op": "add", "path": "/x/y", "value": 1}]'),
    ('[{"op": "add", "path": "/c/y", "value": 1}]'),
    ('[{"op": "add", "path": "/c/y/z", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/3", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/4294967296", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/18446744073709551616", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/01", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/+1", "value": 1}]'),
    ('[{"op": "add", "path": "/a/b/-/x", "value": 1}]'),
    ('[{"op": "remove", "path": ""}]'),
    ('[{"op": "remove", "path": "/x"}]'),
    ('[{"op": "remove", "path": "/a/b/2"}]'),
    ('[{"op": "remove", "path": "/a/b/-"}]'),
    ('[{"op": "remove", "path": "/a/b/4294967295"}]'),
    ('[{"op": "replace", "path": "/a/x", "value": 1}]'),
    ('[{"op": "replace", "path": "/a/b/-", "value": 1}]'),
    ('[{"op": "test", "path": "/a/b/-", "value": 1}]'),
    ('[{"op": "test", "path": "/a/b", "value": [2, 1]}]'),
    ('[{"op": "test", "path": "/c", "value": "1"}]'),
    ('[{"op": "move", "from": "/a", "path": "/a/x"}]'),
    ('[{"op": "move", "from": "", "path": "/a"}]'),
    ('[{"op": "move", "from": "/x", "path": "/x"}]'),
    ('[{"op": "copy", "from": "/a/b/2", "path": "/x"}]')
) AS p(patch);

-- "/ab" is not inside "/a"
SELECT dtmodel.jsonb_patch('{"a": 1}', '[{"op": "move", "from": "/a", "path": "/ab"}]');

-- patches that enlarge a document: one that doubles a value again and again fails
-- as soon as jsonb cannot hold it, before it takes much memory or time
CREATE FUNCTION pg_temp.repeated(times int, VARIADIC operations jsonb[]) RETURNS jsonb
LANGUAGE sql
RETURN (SELECT jsonb_agg(o ORDER BY i, n) FROM generate_series(1, times) AS i, unnest(operations) WITH ORDINALITY AS u(o, n));
SELECT b.what, pg_temp.refused(b.doc, b.patch)
FROM (VALUES
    ('a member',           '{"a": 1}'::jsonb, pg_temp.repeated(10000, '{"op": "copy", "from": "", "path": "/a"}', '{"op": "copy", "from": "", "path": "/b"}')),
    ('an element',         '[1]',             pg_temp.repeated(100, '{"op": "copy", "from": "", "path": "/-"}')),
    ('into each other',    '{"a": ["x"], "b": ["x"]}', pg_temp.repeated(100, '{"op": "copy", "from": "/a", "path": "/b/-"}', '{"op": "copy", "from": "/b", "path": "/a/-"}')),
    ('a long string',      jsonb_build_array(repeat('x', 1000000)), pg_temp.repeated(1000, '{"op": "copy", "from": "/0", "path": "/-"}')),
    ('removed in the end', '{"a": {"x": 1}}', pg_temp.repeated(100, '{"op": "copy", "from": "/a", "path": "/a/b"}', '{"op": "copy", "from": "/a", "path": "/a/c"}') || '[{"op": "remove", "path": "/a"}]')
) AS b(what, doc, patch);
-- values that are replaced or removed do not count
SELECT octet_length(dtmodel.jsonb_patch(jsonb_build_object('a', repeat('x', 1000000)),
           pg_temp.repeated(1000, '{"op": "copy", "from": "/a", "path": "/b"}', '{"op": "add", "path": "/c", "value": [1]}', '{"op": "copy", "from": "/a", "path": "/c/0"}', '{"op": "remove", "path": "/b"}')) ->> 'a');
-- one level for each copy: many more levels than the stack allows are added and removed
SELECT dtmodel.jsonb_patch('{"a": {"x": 1}}', pg_temp.repeated(50000, '{"op": "add", "path": "/b", "value": {}}', '{"op": "move", "from": "/a", "path": "/b/a"}', '{"op": "move", "from": "/b", "path": "/a"}')
           || '[{"op": "replace", "path": "/a", "value": 2}]');

-- all or nothing: the document is unchanged
CREATE TEMP TABLE doc (d jsonb);
INSERT INTO doc VALUES ('{"a": 1}');
\set VERBOSITY sqlstate
UPDATE pg_temp.doc SET d = dtmodel.jsonb_patch(d, '[{"op": "remove", "path": "/a"}, {"op": "remove", "path": "/a"}]');
SELECT d FROM pg_temp.doc;
DROP TABLE pg_temp.doc;

-- a long pointer is cut in the message
SELECT length(pg_temp.refused('{}', jsonb_build_array(jsonb_build_object('op', 'remove', 'path', '/' || repeat('x', 100000))))) < 1000 AS is_short;

-- changes in many places of long lists
\pset tuples_only off
-- "test" of what the patch itself has changed
SELECT dtmodel.jsonb_patch('{"a": [1, 2, 3]}', '[{"op": "add", "path": "/a/1", "value": 9}, {"op": "test", "path": "/a", "value": [1, 9, 2, 3.0]}]');
SELECT dtmodel.jsonb_patch('{"a": {"b": 1, "c": {"d": 2}}}', '[{"op": "replace", "path": "/a/c/d", "value": 9}, {"op": "test", "path": "/a", "value": {"c": {"d": 9}, "b": 1}}]');
SELECT value AS other, pg_temp.refused('{"a": [1, 2, 3]}', ('[{"op": "add", "path": "/a/1", "value": 9}, {"op": "test", "path": "/a", "value": ' || value || '}]')::jsonb)
FROM unnest(ARRAY['[0, 9, 2, 3]', '[1, 9, 0, 3]', '[1, 9, 2, 4]', '[1, 8, 2, 3]', '[1, 9, 2]', '[[1, 9, 2, 3]]', '3', '{}']) AS value;
SELECT value AS other, pg_temp.refused('{"a": {"b": 1, "c": 2, "d": 3}}', ('[{"op": "replace", "path": "/a/c", "value": 9}, {"op": "test", "path": "/a", "value": ' || value || '}]')::jsonb)
FROM unnest(ARRAY['{"b": 1, "c": 9, "e": 3}', '{"b": 1, "x": 9, "d": 3}', '{"b": 1, "c": 2, "d": 3}', '{"b": 1, "c": 9}', '[1, 9, 3]']) AS value;

CREATE TEMP TABLE long_list AS
SELECT n, (SELECT jsonb_agg(i) FROM generate_series(1, n) i) AS list
FROM (VALUES (1), (2), (1023), (1024), (1025), (5000)) AS t(n);

SELECT l.n,
       dtmodel.jsonb_patch(l.list, (SELECT jsonb_agg(jsonb_build_object('op', 'remove', 'path', '/0')) FROM generate_series(1, n))) = '[]' AS removed_from_front,
       dtmodel.jsonb_patch(l.list, (SELECT jsonb_agg(jsonb_build_object('op', 'remove', 'path', '/' || n - i)) FROM generate_series(1, n) i)) = '[]' AS removed_from_back,
       dtmodel.jsonb_patch('[]', (SELECT jsonb_agg(jsonb_build_object('op', 'add', 'path', '/-', 'value', i)) FROM generate_series(1, n) i)) = l.list AS appended,
       dtmodel.jsonb_patch('[]', (SELECT jsonb_agg(jsonb_build_object('op', 'add', 'path', '/0', 'value', n + 1 - i)) FROM generate_series(1, n) i)) = l.list AS put_before
FROM pg_temp.long_list l
ORDER BY l.n;

-- inserts in the middle, compared with the server's own jsonb_insert
CREATE FUNCTION pg_temp.inserted(list jsonb, times int) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        list := jsonb_insert(list, ARRAY[(i * 7 % (i + 1))::text], to_jsonb(-i));
    END LOOP;
    RETURN list;
END
$$;
SELECT l.n,
       dtmodel.jsonb_patch(l.list, (SELECT jsonb_agg(jsonb_build_object(
           'op', 'add', 'path', '/' || i * 7 % (i + 1), 'value', -i) ORDER BY i) FROM generate_series(1, 1500) i)) =
           pg_temp.inserted(l.list, 1500) AS inserted_inside
FROM pg_temp.long_list l
WHERE l.n <= 1025
ORDER BY l.n;
DROP TABLE pg_temp.long_list;

-- members before, between and after those that changed
SELECT dtmodel.jsonb_patch('{"b": 1, "d": 2, "f": 3, "h": 4}', p::jsonb) FROM (VALUES
    ('[{"op": "remove", "path": "/f"}, {"op": "add", "path": "/g", "value": 1}, {"op": "add", "path": "/e", "value": 1}, {"op": "add", "path": "/c", "value": 1}, {"op": "replace", "path": "/d", "value": 7}]'),
    ('[{"op": "replace", "path": "/f", "value": 8}, {"op": "test", "path": "/d", "value": 2}, {"op": "test", "path": "/b", "value": 1}, {"op": "test", "path": "/h", "value": 4}, {"op": "add", "path": "/i", "value": 1}]'),
    ('[{"op": "remove", "path": "/d"}, {"op": "remove", "path": "/f"}, {"op": "add", "path": "/d", "value": 1}, {"op": "test", "path": "/h", "value": 4}, {"op": "add", "path": "/a", "value": 1}]')) AS v (p);
SELECT dtmodel.jsonb_patch('{"b": 1, "d": 2, "f": 3, "h": 4}', '[{"op": "remove", "path": "/d"}, {"op": "test", "path": "/d", "value": 2}]');
-- containers that were copied while they were empty
SELECT dtmodel.jsonb_patch('{"a": {}}', '[{"op": "add", "path": "/a/x", "value": 1}, {"op": "remove", "path": "/a/x"}, {"op": "copy", "from": "/a", "path": "/b"},
    {"op": "add", "path": "/a/y", "value": 2}, {"op": "add", "path": "/b/z", "value": 3}]');
-- members that were removed behind a run of others, and are added again
SELECT dtmodel.jsonb_patch('{"a": 1, "b": 2, "c": 3, "d": 4}', '[{"op": "remove", "path": "/d"}, {"op": "add", "path": "/d", "value": 5}]');
SELECT dtmodel.jsonb_patch('{"a": 1, "b": 2, "c": 3, "d": 4}', '[{"op": "remove", "path": "/c"}, {"op": "test", "path": "/c", "value": 3}]');
