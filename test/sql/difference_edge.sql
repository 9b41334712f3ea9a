--
-- get_difference_between_dictionaries: errors, depth and the function's catalog entry
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';
\set VERBOSITY verbose
\set SHOW_CONTEXT never

SELECT p.provolatile, p.proisstrict, p.proparallel, p.prosecdef,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
       pg_catalog.obj_description(p.oid, 'pg_proc') IS NOT NULL AS has_comment
FROM pg_catalog.pg_proc p
WHERE p.proname = 'get_difference_between_dictionaries'
  AND p.pronamespace = 'dtmodel'::regnamespace;

-- invalid JSON is an error of the type, and a third document is not accepted
\set VERBOSITY terse
SELECT dtmodel.get_difference_between_dictionaries('{"a": 1', '{}');
SELECT dtmodel.get_difference_between_dictionaries('{}');
SELECT dtmodel.get_difference_between_dictionaries('{}'::json, '{}'::json);
SELECT dtmodel.get_difference_between_dictionaries('{}', '{}', ignore_order => 'perhaps');

-- Nested deeper than the stack allows is an error, never a crash.  A document
-- that deep takes a larger stack to be read.
CREATE TEMP TABLE deep (what text, a jsonb, b jsonb);
SET max_stack_depth = '6MB';
INSERT INTO deep
SELECT what, (repeat(opening, 10000) || '1' || repeat(closing, 10000))::jsonb,
             (repeat(opening, 10000) || '2' || repeat(closing, 10000))::jsonb
FROM (VALUES ('objects', '{"a":', '}'), ('lists', '[', ']')) AS t(what, opening, closing);
INSERT INTO deep
SELECT 'both', (repeat('{"a":[1,', 5000) || '1' || repeat(']}', 5000))::jsonb,
               (repeat('{"a":[1,', 5000) || '1.0' || repeat(']}', 5000))::jsonb;

-- with enough stack, the result is right
SELECT what, ignore_order, cardinality(paths), length(paths[1]),
       paths[1] = rtrim(repeat('a.', 10000), '.') AS all_the_way
FROM pg_temp.deep, (VALUES (false), (true)) AS o(ignore_order),
    LATERAL (SELECT dtmodel.get_difference_between_dictionaries(a, b, '', ignore_order) AS paths) d
ORDER BY what, ignore_order;

-- with less, it is an error
SET max_stack_depth = '100kB';
\set VERBOSITY sqlstate
SELECT dtmodel.get_difference_between_dictionaries(a, b) FROM pg_temp.deep WHERE what = 'objects';
SELECT dtmodel.get_difference_between_dictionaries(a, b) FROM pg_temp.deep WHERE what = 'lists';
SELECT dtmodel.get_difference_between_dictionaries(a, b) FROM pg_temp.deep WHERE what = 'both';
SELECT dtmodel.get_difference_between_dictionaries(a, b, ignore_order => true) FROM pg_temp.deep WHERE what = 'lists';
SELECT dtmodel.get_difference_between_dictionaries(a || '[]', b || '[2]', ignore_order => true) FROM pg_temp.deep WHERE what = 'lists';

-- equal bytes are equal at any depth
SELECT what, dtmodel.get_difference_between_dictionaries(a, a) FROM pg_temp.deep ORDER BY what;
RESET max_stack_depth;

DROP TABLE pg_temp.deep;
