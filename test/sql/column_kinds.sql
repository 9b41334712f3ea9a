--
-- columns of each kind through create, update, to_dict, get_changes: a row that is
-- made of JSON is the one that SQL makes, and changes are found in it
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA column_kinds;
SET search_path = column_kinds;

CREATE TYPE mood AS ENUM ('calm', 'wild', 'it''s "odd", \');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nest AS (p pair, m mood, list pair[]);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN more AS positive CHECK (VALUE > 10);
CREATE DOMAIN my_mood AS mood CHECK (VALUE <> 'wild');
CREATE DOMAIN full_pair AS pair CHECK ((VALUE).a > 0);
CREATE DOMAIN few AS int[] CHECK (cardinality(VALUE) < 4);
CREATE DOMAIN object AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');

-- "one" is written with JSON, "two" with SQL: the two rows that a column is changed
-- from and to, and the first one again
CREATE FUNCTION try(type text, before text, after text)
RETURNS TABLE (created boolean, updated boolean, nulls boolean, dict boolean, changes boolean, same boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE one (gone int, id int PRIMARY KEY, v %s, w int GENERATED ALWAYS AS (id * 2) STORED)', type);
    ALTER TABLE one DROP COLUMN gone;
    EXECUTE format('CREATE TABLE two (id int, v %s, w int)', type);
    EXECUTE format('INSERT INTO two VALUES (1, %s, 2), (2, %s, 4), (1, %1$s, 2)', before, after);
    EXECUTE 'SELECT c::text = t::text FROM (SELECT * FROM two WHERE id = 1 LIMIT 1) AS t, dtmodel.create(NULL::one, to_jsonb(t) - ''w'') AS c' INTO created;
    EXECUTE 'SELECT u::text = ROW(1, t.v, 2)::text
             FROM two AS t, dtmodel.update(NULL::one, 1, jsonb_build_object(''v'', to_jsonb(t) -> ''v'')) AS u WHERE t.id = 2' INTO updated;
    EXECUTE 'SELECT $1 AND o::text = ROW(1, t.v, 2)::text FROM one AS o, two AS t WHERE t.id = 2' INTO updated USING updated;
    EXECUTE 'SELECT bool_and(dtmodel.to_dict(t) = to_jsonb(t)) AND (SELECT dtmodel.to_dict(o) = to_jsonb(o) FROM one AS o) FROM two AS t' INTO dict;
    EXECUTE 'SELECT bool_and(dtmodel.get_changes(a, b) = ''{id,v,w}'' AND dtmodel.get_modified_keys(b, a) = ''{id,v,w}'')
             FROM two AS a, two AS b WHERE a.id = 1 AND b.id = 2' INTO changes;
    EXECUTE 'SELECT bool_and(dtmodel.get_changes(a, b) = ''{}'') FROM two AS a, two AS b WHERE a.id = b.id' INTO same;
    EXECUTE 'SELECT u.v IS NULL AND dtmodel.get_changes(u, o) = ''{v}'' FROM one AS o, dtmodel.update(o, ''{"v": null}'') AS u' INTO nulls;
    DROP TABLE one, two;
    RETURN NEXT;
END
$$;
CREATE TABLE kinds (n int GENERATED ALWAYS AS IDENTITY, type text, before text, after text);
INSERT INTO kinds (type, before, after) VALUES
    ('boolean', 'true', 'false'),
    ('smallint', '1', '-32768'),
    ('bigint', '9223372036854775807', '-9223372036854775808'),
    ('numeric', '1.50', '123456789012345678901234567890.000000000000000000001'),
    ('numeric(8,2)', '1.50', '-999999.99'),
    ('real', '1.5', '3e38'),
    ('double precision', '0.1', '-1e-300'),
    ('text', '''''', '''x'' || chr(9) || ''"\'''),
    ('varchar(5)', '''a''', '''abcde'''),
    ('char(5)', '''a''', '''ab'''),
    ('name', '''a''', 'repeat(''n'', 63)'),
    ('"char"', '''a''', '''b'''),
    ('bytea', '''\x00ff''', '''\x''::bytea'),
    ('bit(3)', 'B''101''', 'B''110'''),
    ('bit varying', 'B''1''', 'B'''''),
    ('date', '''2001-02-03''', '''infinity'''),
    ('time', '''01:02:03.5''', '''24:00'''),
    ('timestamp', '''2001-02-03 04:05:06.789''', '''-infinity'''),
    ('timestamptz', '''2001-02-03 04:05:06.789+09''', '''infinity'''),
    ('interval', '''1 year 2 days 3.5 seconds''', '''-1 month'''),
    ('uuid', '''00112233-4455-6677-8899-aabbccddeeff''', '''ffffffff-ffff-ffff-ffff-ffffffffffff'''),
    ('inet', '''10.0.0.1/24''', '''::1'''),
    ('point', '''(1,2)''', '''(1,3)'''),
    ('int4range', '''[1,5)''', '''empty'''),
    ('int4multirange', '''{[1,5),[7,9)}''', '''{}'''),
    ('tsvector', '''a:1 b:2''', '''b'''),
    ('json', '''{"a": 1}''', '''[1, null]'''),
    ('jsonb', '''{"a": 1.0}''', '''{"a": 1.00}'''),
    ('int[]', '''{1,NULL,3}''', '''{}'''),
    ('text[]', 'ARRAY[''a,b'', ''"'', '''', ''null'']', '''{x}'''),
    ('text[][]', '''{{a,b},{c,d}}''', '''{{a,b},{c,e}}'''),
    ('mood', '''calm''', '''it''''s "odd", \'''),
    ('mood[]', '''{calm,wild}''', '''{wild,calm}'''),
    ('pair', '''(1,x)''', '''(,"a ""b"", (c)")'''),
    ('pair[]', 'ARRAY[ROW(1, ''x'')::pair, NULL]', 'ARRAY[ROW(1, ''y'')::pair]'),
    ('nest', 'ROW(ROW(1, ''x''), ''calm'', ARRAY[ROW(2, ''y'')::pair])::nest', 'ROW(ROW(1, ''x''), ''calm'', ARRAY[ROW(2, ''z'')::pair])::nest'),
    ('positive', '1', '2'),
    ('more', '11', '12'),
    ('my_mood', '''calm''', '''it''''s "odd", \'''),
    ('full_pair', '''(1,x)''', '''(1,)'''),
    ('few', '''{1,2}''', '''{}'''),
    ('positive[]', '''{1,2}''', '''{2,1}'''),
    ('object', '''{"a": []}''', '''{}'''),
    ('text', 'repeat(''compressible '', 10000)', 'repeat(''compressible '', 9999) || ''compressiblE '''),
    ('text', '(SELECT string_agg(md5(i::text), '''') FROM generate_series(1, 1000) AS i)', '(SELECT string_agg(md5(i::text), '''') FROM generate_series(2, 1001) AS i)'),
    ('jsonb', '(SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 1000) AS i)', '(SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 1001) AS i)'),
    ('text[]', '(SELECT array_agg(md5(i::text)) FROM generate_series(1, 1000) AS i)', '(SELECT array_agg(md5((i % 1000)::text)) FROM generate_series(1, 1000) AS i)');
SELECT n, k.type, t.* FROM kinds AS k, LATERAL try(k.type, k.before, k.after) AS t ORDER BY n;

-- an UPDATE to the same value does not move updated_at, one to another value does
CREATE FUNCTION stamped(type text, before text, after text) RETURNS TABLE (kept boolean, moved boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE one (id int PRIMARY KEY, v %s)', type);
    PERFORM dtmodel.add_timestamps('one');
    EXECUTE format('CREATE TABLE two (id int, v %s)', type);
    EXECUTE format('INSERT INTO two VALUES (1, %s), (2, %s)', before, after);
    INSERT INTO one SELECT id, v, '2001-01-01', '2001-01-01' FROM two WHERE id = 1;
    UPDATE one SET v = (SELECT v FROM two WHERE id = 1);
    SELECT updated_at = '2001-01-01' FROM one INTO kept;
    UPDATE one SET v = (SELECT v FROM two WHERE id = 2);
    SELECT updated_at = now() FROM one INTO moved;
    DROP TABLE one, two;
    RETURN NEXT;
END
$$;
SELECT bool_and(t.kept) AS kept, bool_and(t.moved) AS moved, count(*)
FROM kinds AS k, LATERAL stamped(k.type, k.before, k.after) AS t;

-- a value that its domain, enum or length does not allow is the type's own error
CREATE TABLE strict (id int PRIMARY KEY, p positive, m mood, my my_mood, f full_pair, few few, v varchar(3), g int GENERATED ALWAYS AS (id) STORED,
                     i int GENERATED ALWAYS AS IDENTITY);
INSERT INTO strict (id, p, m) VALUES (1, 1, 'calm');
CREATE FUNCTION fails(data jsonb) RETURNS TABLE (on_create text, on_update text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM dtmodel.create(NULL::column_kinds.strict, '{"id": 2}' || data);
        on_create := 'created';
    EXCEPTION WHEN OTHERS THEN
        on_create := SQLSTATE;
    END;
    BEGIN
        PERFORM dtmodel.update(NULL::column_kinds.strict, 1, data);
        on_update := 'updated';
    EXCEPTION WHEN OTHERS THEN
        on_update := SQLSTATE;
    END;
    RETURN NEXT;
END
$$;
SELECT data, f.* FROM unnest(ARRAY['{"p": 0}', '{"m": "sad"}', '{"my": "wild"}', '{"f": {"a": -1}}', '{"few": [1, 2, 3, 4]}', '{"v": "long"}',
                                   '{"p": "x"}', '{"few": 1}', '{"g": 1}', '{"i": 1}']::jsonb[]) AS data, fails(data) AS f;
SELECT id, p, m, my, f, few, v, g, i FROM strict;

DROP SCHEMA column_kinds CASCADE;
