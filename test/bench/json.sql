/* test/bench/json.sql: documents, and what one would write without dtmodel */

CREATE FUNCTION bench.json_leaf(i int) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE i % 5
    WHEN 0 THEN to_jsonb(md5(i::text))
    WHEN 1 THEN to_jsonb(i * 37)
    WHEN 2 THEN to_jsonb(i % 2 = 0)
    WHEN 3 THEN to_jsonb(round(i * 1.37, 2))
    ELSE to_jsonb('setting value ' || i)
END;

-- a value changed to another length
CREATE FUNCTION bench.json_other(v jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE jsonb_typeof(v)
    WHEN 'string' THEN to_jsonb((v #>> '{}') || '-changed')
    WHEN 'number' THEN to_jsonb((v #>> '{}')::numeric + 1)
    ELSE to_jsonb(v <> 'true')
END;

-- one in so many leaves changed
CREATE FUNCTION bench.json_changed(d jsonb, one_in int, path text DEFAULT '') RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT jsonb_object_agg(k, CASE WHEN jsonb_typeof(v) = 'object' THEN bench.json_changed(v, one_in, path || k)
                                    WHEN abs(hashtext(path || k)) % one_in = 0 THEN bench.json_other(v)
                                    ELSE v END)
    FROM jsonb_each(d) AS e(k, v)
$$;

-- and only those that are
CREATE FUNCTION bench.json_changes(d jsonb, one_in int, path text DEFAULT '') RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(jsonb_object_agg(k, CASE WHEN jsonb_typeof(v) = 'object' THEN bench.json_changes(v, one_in, path || k)
                                             ELSE bench.json_other(v) END), '{}')
    FROM jsonb_each(d) AS e(k, v)
    WHERE jsonb_typeof(v) = 'object' OR abs(hashtext(path || k)) % one_in = 0
$$;

CREATE FUNCTION bench.json_renamed(d jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$ SELECT jsonb_object_agg('z' || k, CASE WHEN jsonb_typeof(v) = 'object' THEN bench.json_renamed(v) ELSE v END) FROM jsonb_each(d) AS e(k, v) $$;

CREATE TABLE bench.json_documents (size text, kind text, a jsonb, b jsonb, PRIMARY KEY (size, kind));

-- 10 leaves; 200 leaves, three deep, 8 KB; 20,000 leaves, three deep, 1 MB; a
-- list of 1,000 objects
INSERT INTO bench.json_documents
SELECT 'small', 'identical', jsonb_object_agg('key_' || i, bench.json_leaf(i)) FROM generate_series(0, 9) i;
INSERT INTO bench.json_documents
SELECT 'medium', 'identical', jsonb_object_agg('group_' || g, groups)
FROM (SELECT g, jsonb_object_agg('section_' || s, sections)
      FROM (SELECT g, s, jsonb_object_agg('option_' || o, CASE WHEN o % 2 = 0 THEN to_jsonb('value ' || md5((g * 40 + s * 5 + o)::text)) ELSE bench.json_leaf(g * 40 + s * 5 + o) END)
            FROM generate_series(0, 4) g, generate_series(0, 7) s, generate_series(0, 4) o
            GROUP BY g, s) AS l(g, s, sections)
      GROUP BY g) AS l(g, groups);
INSERT INTO bench.json_documents
SELECT 'large', 'identical', jsonb_object_agg('group_' || g, groups)
FROM (SELECT g, jsonb_object_agg('section_' || s, sections)
      FROM (SELECT g, s, jsonb_object_agg('option_' || o, CASE WHEN o % 2 = 0 THEN to_jsonb('value ' || md5((g * 1000 + s * 50 + o)::text)) ELSE bench.json_leaf(g * 1000 + s * 50 + o) END)
            FROM generate_series(0, 19) g, generate_series(0, 19) s, generate_series(0, 49) o
            GROUP BY g, s) AS l(g, s, sections)
      GROUP BY g) AS l(g, groups);
INSERT INTO bench.json_documents
SELECT 'list', 'identical', jsonb_build_object('v', 1, 'items', jsonb_agg(jsonb_build_object(
           'id', i, 'name', 'item ' || i, 'on', i % 2 = 0, 'price', i * 1.5, 'tag', left(md5(i::text), 8)) ORDER BY i))
FROM generate_series(1, 1000) i;
UPDATE bench.json_documents SET b = a;

CREATE TABLE bench.json_paths AS
SELECT * FROM (VALUES ('small', '{key_5}'::text[]), ('medium', '{group_2,section_4,option_2}'),
                      ('large', '{group_10,section_10,option_24}'), ('list', '{items,500,name}')) AS t(size, path);
INSERT INTO bench.json_documents
SELECT size, 'one leaf', a, jsonb_set(a, path, bench.json_other(a #> path))
FROM bench.json_documents JOIN bench.json_paths USING (size);
INSERT INTO bench.json_documents
SELECT size, 'a tenth', a, bench.json_changed(a, 10) FROM bench.json_documents WHERE kind = 'identical' AND size <> 'list';
INSERT INTO bench.json_documents
SELECT size, 'every leaf', a, bench.json_changed(a, 1) FROM bench.json_documents WHERE kind = 'identical' AND size <> 'list';
INSERT INTO bench.json_documents
SELECT size, 'every key', a, bench.json_renamed(a) FROM bench.json_documents WHERE kind = 'identical' AND size <> 'list';

-- what is merged
INSERT INTO bench.json_documents
SELECT size, 'merge one leaf', a, dtmodel.jsonb_merge_diff(a, b) FROM bench.json_documents WHERE kind = 'one leaf' AND size <> 'list';
INSERT INTO bench.json_documents
SELECT size, 'merge a tenth', a, bench.json_changes(a, 10) FROM bench.json_documents WHERE kind = 'identical' AND size <> 'list';

-- The difference in plpgsql, as one would write it with some care.
CREATE FUNCTION bench.json_plpgsql_difference(a jsonb, b jsonb, prefix text DEFAULT '') RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    result text[] := '{}';
    k text;
    old jsonb;
    new jsonb;
BEGIN
    FOR k, old, new IN SELECT coalesce(x.key, y.key), x.value, y.value FROM jsonb_each(a) x FULL JOIN jsonb_each(b) y ON x.key = y.key
                       WHERE x.value IS DISTINCT FROM y.value LOOP
        IF jsonb_typeof(old) = 'object' AND jsonb_typeof(new) = 'object' THEN
            result := result || bench.json_plpgsql_difference(old, new, prefix || k || '.');
        ELSE
            result := result || (prefix || k);
        END IF;
    END LOOP;
    RETURN result;
END
$$;

CREATE FUNCTION bench.json_plpgsql_merge(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    k text;
    v jsonb;
BEGIN
    FOR k, v IN SELECT key, value FROM jsonb_each(b) LOOP
        IF jsonb_typeof(v) = 'object' AND jsonb_typeof(a -> k) = 'object' THEN
            v := bench.json_plpgsql_merge(a -> k, v);
        END IF;
        a := a || jsonb_build_object(k, v);
    END LOOP;
    RETURN a;
END
$$;

-- An operation in ten leaves.
INSERT INTO bench.json_documents
SELECT size, 'patch a tenth', a, jsonb_build_object('patch', dtmodel.jsonb_diff(a, b), 'to', b)
FROM bench.json_documents WHERE kind = 'a tenth';

-- Equal bytes of a document's size.
CREATE TABLE bench.json_bytes (size text PRIMARY KEY, x bytea);
ALTER TABLE bench.json_bytes ALTER x SET STORAGE EXTERNAL;
INSERT INTO bench.json_bytes
SELECT size, convert_to(left(repeat(md5(size), length / 32 + 1), length), 'UTF8')
FROM (SELECT size, pg_column_size(a || '{}') AS length FROM bench.json_documents WHERE kind = 'identical') AS d;

CREATE FUNCTION bench.json_push_merge(a jsonb, b jsonb) RETURNS jsonb
AS :'push', 'push_deep_merge'
LANGUAGE C IMMUTABLE STRICT;

-- Seconds of processor time for n evaluations of an expression on documents in memory: a and b;
-- p and v, the path of a leaf of a and a value for it; x and y, equal bytes.
CREATE FUNCTION bench.json_seconds(expression text, of_size text, of_kind text, n bigint) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    started float8 := bench.cpu();
    discarded bigint;
BEGIN
    EXECUTE format($f$
        SELECT count(%s)
        FROM (SELECT a || '{}' AS a, b || '{}' AS b, path AS p, bench.json_other(a #> path) AS v, x || '' AS x, x || '' AS y
              FROM bench.json_documents JOIN bench.json_paths USING (size) JOIN bench.json_bytes USING (size)
              WHERE size = $1 AND kind = $2 OFFSET 0) AS d,
            generate_series(1, $3)$f$, expression)
    INTO discarded USING of_size, of_kind, n;
    RETURN (bench.cpu() - started) / 1000;
END
$$;

-- Microseconds for one evaluation, without those of the loop: one with as many
-- turns, because making the documents is part of both.
CREATE FUNCTION bench.json_cost(expression text, of_size text, of_kind text) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    n bigint := 1;
    seconds float8;
BEGIN
    LOOP
        seconds := bench.json_seconds(expression, of_size, of_kind, n) - bench.json_seconds('a IS NULL', of_size, of_kind, n);
        EXIT WHEN seconds > 0.06;
        n := CASE WHEN seconds > 0.015 THEN ceil(n * 0.07 / seconds) ELSE n * 4 END;
    END LOOP;
    RETURN seconds * 1e6 / n;
END
$$;

-- What is measured must give the same result, or the comparison makes no sense.
SELECT bench.expect('differences of ' || size || ', ' || kind,
                    (SELECT count(*) FROM (SELECT unnest(dtmodel.get_difference_between_dictionaries(a, b))
                                           EXCEPT SELECT unnest(bench.json_plpgsql_difference(a, b))) AS d), 0),
       bench.expect('paths of ' || size || ', ' || kind,
                    cardinality(dtmodel.get_difference_between_dictionaries(a, b)),
                    cardinality(bench.json_plpgsql_difference(a, b)))
FROM bench.json_documents WHERE kind !~ 'merge|patch';
SELECT bench.expect('merges that agree', count(*) FILTER (WHERE m = bench.json_push_merge(a, b) AND m = bench.json_plpgsql_merge(a, b)), count(*))
FROM (SELECT a, b, dtmodel.jsonb_deep_merge(a, b) AS m FROM bench.json_documents WHERE kind ~ '^merge') AS d;
SELECT bench.expect('patches that lead there', count(*) FILTER (WHERE dtmodel.jsonb_patch(a, b -> 'patch') = b -> 'to'), count(*))
FROM bench.json_documents WHERE kind ~ '^patch';
