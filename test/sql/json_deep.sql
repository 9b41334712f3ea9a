--
-- documents of 10,000 levels: the right result or 54001, never a crash
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
SET search_path = '';

-- Reading them takes a larger stack.
SET max_stack_depth = '7MB';
CREATE TEMP TABLE deep AS
SELECT what, (repeat(opening, 10000) || '1' || repeat(closing, 10000))::jsonb AS a,
             (repeat(opening, 10000) || '2' || repeat(closing, 10000))::jsonb AS b
FROM (VALUES ('objects', '{"a":', '}'), ('lists', '[', ']')) AS t(what, opening, closing);
ALTER TABLE pg_temp.deep ADD pointer text;
UPDATE pg_temp.deep SET pointer = repeat(CASE what WHEN 'objects' THEN '/a' ELSE '/0' END, 10000);

CREATE FUNCTION pg_temp.outcome(expression text, what text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT CASE WHEN %s THEN ''right'' ELSE ''WRONG'' END FROM pg_temp.deep WHERE what = $1', expression)
    INTO result USING what;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;

CREATE TEMP TABLE expressions (number int PRIMARY KEY, expression text);
INSERT INTO expressions VALUES
    (1, $$ dtmodel.get_difference_between_dictionaries(a, b) = ARRAY[CASE what WHEN 'objects' THEN rtrim(repeat('a.', 10000), '.') ELSE '' END] $$),
    (2, $$ dtmodel.get_difference_between_dictionaries(a, b, ignore_order => true) <> '{}' $$),
    (3, $$ (SELECT cardinality(path) = 10000 AND old_value = '1' AND new_value = '2' FROM dtmodel.jsonb_changes(a, b, true)) $$),
    (4, $$ dtmodel.jsonb_diff(a, b) = jsonb_build_array(jsonb_build_object('op', 'replace', 'path', pointer, 'value', 2)) $$),
    (5, $$ dtmodel.jsonb_patch(a, jsonb_build_array(jsonb_build_object('op', 'replace', 'path', pointer, 'value', 2)))::text = b::text $$),
    (6, $$ dtmodel.jsonb_patch(a, jsonb_build_array(jsonb_build_object('op', 'test', 'path', '', 'value', b))) IS NULL $$),
    (7, $$ dtmodel.jsonb_patch(a, jsonb_build_array(jsonb_build_object('op', 'test', 'path', pointer, 'value', 1)))::text = a::text $$),
    (8, $$ dtmodel.jsonb_merge_diff(a, b)::text = b::text $$),
    (9, $$ dtmodel.jsonb_merge_patch(a, b)::text = b::text $$),
    (10, $$ dtmodel.jsonb_deep_merge(a, b)::text = b::text $$),
    (11, $$ dtmodel.jsonb_merge_patch('1', b)::text = b::text $$),
    (12, $$ what = 'lists' OR dtmodel.merge_settings(a, b)::text = b::text $$);

-- The ERROR of test 6 is that the documents differ.
SELECT e.number, d.what, pg_temp.outcome(e.expression, d.what)
FROM pg_temp.expressions e, pg_temp.deep d
ORDER BY e.number, d.what;

-- With little stack left, only functions that compare bytes give a result.
SET max_stack_depth = '100kB';
SELECT e.number, d.what, pg_temp.outcome(e.expression, d.what)
FROM pg_temp.expressions e, pg_temp.deep d
ORDER BY e.number, d.what;
RESET max_stack_depth;

DROP TABLE pg_temp.deep, pg_temp.expressions;
