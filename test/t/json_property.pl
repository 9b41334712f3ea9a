# The functions on jsonb compared with simple definitions, on random documents.
use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new('pairs of documents' => 200_000, least => 20_000);
my $pairs = $campaign->size;
my $seed = $campaign->seed;
my $patches = int($pairs / 50);

# Each document is made from the one before by a few changes.  So documents
# that are near each other have much in common, and others little.
my $documents = int($pairs / 20) + 100;

my $node = PostgreSQL::Test::Cluster->new('json_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "jit = off\nwork_mem = '64MB'\n");
$node->start;

$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA plain;

-- Random documents

CREATE FUNCTION plain.random_of(VARIADIC choices text[]) RETURNS text
LANGUAGE sql VOLATILE
RETURN choices[1 + floor(random() * cardinality(choices))];

CREATE FUNCTION plain.random_key() RETURNS text
LANGUAGE sql VOLATILE
RETURN plain.random_of('a', 'b', 'c', 'aa', 'ab', 'key', 'other key', 'a longer key that has some more bytes',
    '', '.', 'a.b', '/', 'a/b', '~', '~0', '~1', '~01', '0', '1', '-', '"', E'\\', E'\n', 'é', 'ö', '高', '😀', 'e' || chr(769),
    'k' || floor(random() * 40));

CREATE FUNCTION plain.random_scalar() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN CASE floor(random() * 8)
        WHEN 0 THEN 'null'
        WHEN 1 THEN to_jsonb(random() < 0.5)
        WHEN 2 THEN to_jsonb(floor(random() * 4)::int)
        -- the same number in other digits
        WHEN 3 THEN plain.random_of('1', '1.0', '1.00', '-1', '1.' || repeat('0', 70), '100', '1e2', '100.000', '0', '0.0', '-0.5', '-0.50')::jsonb
        WHEN 4 THEN plain.random_of('12345678901234567890123456789', '1e-20', '1.5e300', '-7', '0.1')::jsonb
        ELSE to_jsonb(repeat(plain.random_key(), floor(random() * random() * 6)::int))
    END;
END
$$;

CREATE FUNCTION plain.random_scalars(most int) RETURNS jsonb
LANGUAGE sql VOLATILE
RETURN (SELECT coalesce(jsonb_agg(plain.random_scalar()), '[]') FROM generate_series(1, floor(random() * (most + 1))::int));

CREATE FUNCTION plain.random_value(depth int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    choice float8 := random();
    result jsonb;
BEGIN
    IF depth <= 0 OR choice < 0.4 THEN
        RETURN plain.random_scalar();
    ELSIF choice < 0.75 THEN
        result := '{}';
        FOR i IN 1..floor(random() * 5) LOOP
            result := result || jsonb_build_object(plain.random_key(), plain.random_value(depth - 1));
        END LOOP;
    ELSE
        result := '[]';
        FOR i IN 1..floor(random() * 6) LOOP
            result := result || jsonb_build_array(plain.random_value(depth - 1));
        END LOOP;
    END IF;
    RETURN result;
END
$$;

CREATE FUNCTION plain.random_document() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    document jsonb := plain.random_value(4);
BEGIN
    IF random() < 0.7 AND jsonb_typeof(document) <> 'object' THEN
        document := jsonb_build_object(plain.random_key(), document, plain.random_key(), plain.random_value(3));
    END IF;
    -- some with more members than one stride of offsets
    IF random() < 0.03 AND jsonb_typeof(document) = 'object' THEN
        SELECT document || jsonb_object_agg('k' || i, plain.random_scalar()) INTO document
        FROM generate_series(1, 40 + floor(random() * 60)::int) i;
    END IF;
    -- and some deep ones
    IF random() < 0.05 THEN
        FOR i IN 1..40 LOOP
            document := CASE WHEN random() < 0.5 THEN jsonb_build_object(plain.random_key(), document)
                             ELSE jsonb_build_array(1.0, document) END;
        END LOOP;
    -- or lists in lists, with something before and after
    ELSIF random() < 0.1 THEN
        FOR i IN 1..10 + floor(random() * 30)::int LOOP
            document := plain.random_scalars(2) || jsonb_build_array(document) || plain.random_scalars(2);
        END LOOP;
    END IF;
    RETURN document;
END
$$;

-- A document with one change somewhere inside.
CREATE FUNCTION plain.changed(document jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    choice float8 := random();
    keys text[];
    key text;
    n int;
BEGIN
    IF jsonb_typeof(document) = 'object' THEN
        keys := ARRAY(SELECT jsonb_object_keys(document));
        IF choice < 0.15 OR keys = '{}' THEN
            RETURN document || jsonb_build_object(plain.random_key(), plain.random_value(2));
        END IF;
        key := keys[1 + floor(random() * cardinality(keys))];
        IF choice < 0.25 THEN
            RETURN document - key;
        END IF;
        RETURN document || jsonb_build_object(key, plain.changed(document -> key));
    ELSIF jsonb_typeof(document) = 'array' THEN
        n := jsonb_array_length(document);
        IF choice < 0.2 OR n = 0 THEN
            RETURN jsonb_insert(document, ARRAY[floor(random() * (n + 1))::text], plain.random_value(2));
        ELSIF choice < 0.35 THEN
            RETURN document - floor(random() * n)::int;
        ELSIF choice < 0.45 THEN
            RETURN (SELECT jsonb_agg(e ORDER BY random()) FROM jsonb_array_elements(document) e);
        ELSIF choice < 0.5 THEN
            RETURN document || document;
        END IF;
        n := floor(random() * n);
        RETURN jsonb_set(document, ARRAY[n::text], plain.changed(document -> n));
    ELSIF choice < 0.7 THEN
        RETURN plain.random_scalar();
    END IF;
    RETURN plain.random_value(2);
END
$$;

-- Plain definitions: what the functions are to do, with no thought of speed

CREATE FUNCTION plain.is_object(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(jsonb_typeof(value) = 'object', false);

-- Is it to the last byte what the server itself would have made?
CREATE FUNCTION plain.is_sound(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN record_image_eq(ROW(value), ROW(value::text::jsonb));

CREATE FUNCTION plain.same_set(a jsonb, b jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN NOT EXISTS (SELECT jsonb_array_elements(a) EXCEPT SELECT jsonb_array_elements(b))
   AND NOT EXISTS (SELECT jsonb_array_elements(b) EXCEPT SELECT jsonb_array_elements(a));

-- path is NULL at the root
CREATE FUNCTION plain.difference(a jsonb, b jsonb, path text, ignore_order boolean) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    k text;
    below text;
    result text[] := '{}';
BEGIN
    IF a = b THEN
        RETURN result;
    ELSIF NOT (plain.is_object(a) AND plain.is_object(b)) THEN
        IF ignore_order AND jsonb_typeof(a) = 'array' AND jsonb_typeof(b) = 'array' AND plain.same_set(a, b) THEN
            RETURN result;
        END IF;
        RETURN ARRAY[coalesce(path, '')];
    END IF;
    -- an object lists its keys in jsonb's order
    FOR k IN SELECT jsonb_object_keys(a || b) LOOP
        below := coalesce(path || '.', '') || k;
        IF NOT (a ? k AND b ? k) THEN
            result := result || below;
        ELSIF a -> k <> b -> k THEN
            result := result || plain.difference(a -> k, b -> k, below, ignore_order);
        END IF;
    END LOOP;
    RETURN result;
END
$$;

CREATE FUNCTION plain.deep_merge(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    k text;
    v jsonb;
BEGIN
    IF NOT (plain.is_object(a) AND plain.is_object(b)) THEN
        RETURN b;
    END IF;
    FOR k, v IN SELECT key, value FROM jsonb_each(b) LOOP
        a := a || jsonb_build_object(k, plain.deep_merge(a -> k, v));
    END LOOP;
    RETURN a;
END
$$;

-- RFC 7396, section 2, word for word
CREATE FUNCTION plain.merge_patch(target jsonb, patch jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    name text;
    value jsonb;
BEGIN
    IF NOT plain.is_object(patch) THEN
        RETURN patch;
    END IF;
    IF NOT plain.is_object(target) THEN
        target := '{}';
    END IF;
    FOR name, value IN SELECT e.key, e.value FROM jsonb_each(patch) e LOOP
        IF value = 'null' THEN
            target := target - name;
        ELSE
            target := target || jsonb_build_object(name, plain.merge_patch(target -> name, value));
        END IF;
    END LOOP;
    RETURN target;
END
$$;

-- Can a merge patch lead from a to b?  Not if it had to set a null.
CREATE FUNCTION plain.merge_patch_exists(a jsonb, b jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    k text;
    v jsonb;
BEGIN
    IF NOT plain.is_object(b) THEN
        RETURN true;
    END IF;
    FOR k, v IN SELECT key, value FROM jsonb_each(b) LOOP
        IF plain.is_object(a) AND a ? k AND a -> k = v THEN
            CONTINUE;
        ELSIF v = 'null' OR NOT plain.merge_patch_exists(CASE WHEN plain.is_object(a) THEN a -> k END, v) THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

-- RFC 6902 and RFC 6901, operation by operation; NULL if one does not apply

CREATE FUNCTION plain.tokens(pointer text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN pointer = '' THEN '{}'::text[]
            ELSE (SELECT array_agg(replace(replace(token, '~1', '/'), '~0', '~') ORDER BY n)
                  FROM unnest(regexp_split_to_array(substr(pointer, 2), '/')) WITH ORDINALITY AS t(token, n)) END;

CREATE FUNCTION plain.child(document jsonb, token text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE jsonb_typeof(document)
    WHEN 'object' THEN document -> token
    WHEN 'array' THEN CASE WHEN token ~ '^(0|[1-9][0-9]{0,8})$' THEN document -> token::int END END;

CREATE FUNCTION plain.at(document jsonb, tokens text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    token text;
BEGIN
    FOREACH token IN ARRAY tokens LOOP
        document := plain.child(document, token);
    END LOOP;
    RETURN document;
END
$$;

-- the document with "add", "remove" or "replace" done
CREATE FUNCTION plain.done(document jsonb, op text, tokens text[], value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    token text := tokens[1];
    is_last boolean := cardinality(tokens) = 1;
    old jsonb;
BEGIN
    IF cardinality(tokens) = 0 THEN
        RETURN CASE WHEN op <> 'remove' THEN value END;
    END IF;
    old := plain.child(document, token);
    IF is_last AND op = 'add' AND jsonb_typeof(document) = 'object' THEN
        RETURN document || jsonb_build_object(token, value);
    ELSIF is_last AND op = 'add' AND jsonb_typeof(document) = 'array' AND (old IS NOT NULL OR token IN ('-', jsonb_array_length(document)::text)) THEN
        RETURN jsonb_insert(document, ARRAY[CASE token WHEN '-' THEN jsonb_array_length(document)::text ELSE token END], value);
    ELSIF old IS NULL THEN
        RETURN NULL;
    ELSIF is_last AND op = 'remove' THEN
        RETURN document #- ARRAY[token];
    END IF;
    RETURN jsonb_set(document, ARRAY[token], CASE WHEN is_last THEN value ELSE plain.done(old, op, tokens[2:], value) END);
END
$$;

CREATE FUNCTION plain.operated(document jsonb, operation jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    op text := operation ->> 'op';
    path text[] := plain.tokens(operation ->> 'path');
    source text[] := plain.tokens(operation ->> 'from');
    value jsonb := CASE WHEN op IN ('move', 'copy') THEN plain.at(document, source) ELSE operation -> 'value' END;
BEGIN
    IF op = 'test' THEN
        RETURN CASE WHEN plain.at(document, path) = value THEN document END;
    ELSIF op = 'move' THEN
        IF source = path THEN
            RETURN CASE WHEN value IS NOT NULL THEN document END;
        ELSIF source = path[:cardinality(source)] THEN
            RETURN NULL;
        END IF;
        document := plain.done(document, 'remove', source, NULL);
    END IF;
    RETURN CASE WHEN value IS NOT NULL OR op = 'remove' THEN
        plain.done(document, CASE WHEN op IN ('move', 'copy') THEN 'add' ELSE op END, path, value) END;
END
$$;

-- A pointer that leads somewhere, most of the time.
CREATE FUNCTION plain.random_pointer(document jsonb) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    pointer text := '';
    token text;
BEGIN
    LOOP
        token := CASE jsonb_typeof(document)
            WHEN 'object' THEN (SELECT k FROM jsonb_object_keys(document) k ORDER BY random() LIMIT 1)
            WHEN 'array' THEN floor(random() * jsonb_array_length(document))::text END;
        EXIT WHEN token IS NULL OR random() < 0.2;
        pointer := pointer || '/' || replace(replace(token, '~', '~0'), '/', '~1');
        document := plain.child(document, token);
    END LOOP;
    IF random() < 0.2 THEN
        pointer := pointer || '/' || CASE jsonb_typeof(document) WHEN 'array' THEN plain.random_of('-', '0', '1', '5', '01')
                                     ELSE replace(replace(plain.random_key(), '~', '~0'), '/', '~1') END;
    END IF;
    RETURN pointer;
END
$$;

-- A patch, mostly of copies and of changes near them, and where it leads, or
-- NULL if its last operation does not apply.
CREATE PROCEDURE plain.make_patch(document jsonb, INOUT patch jsonb, INOUT result jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    operation jsonb;
    op text;
    pointer text;
    next jsonb;
BEGIN
    patch := '[]';
    result := document;
    FOR i IN 1..5 + floor(random() * 40)::int LOOP
        op := plain.random_of('add', 'add', 'remove', 'replace', 'replace', 'copy', 'copy', 'copy', 'copy', 'move', 'move', 'test');
        pointer := plain.random_pointer(document);
        operation := jsonb_build_object('op', op, 'path', pointer);
        IF op IN ('add', 'replace', 'test') THEN
            operation := operation || jsonb_build_object('value', CASE op WHEN 'test' THEN plain.at(document, plain.tokens(pointer)) ELSE plain.random_value(1) END);
        ELSIF op IN ('copy', 'move') THEN
            operation := operation || jsonb_build_object('from', plain.random_pointer(document));
        END IF;
        next := plain.operated(document, operation);
        -- Most of those that do not apply are left out, or patches would be short.
        CONTINUE WHEN (next IS NULL AND random() < 0.95) OR octet_length(next::text) > 3000;
        patch := patch || operation;
        result := next;
        EXIT WHEN next IS NULL;
        document := next;
    END LOOP;
END
$$;

-- A patch that doubles a document a hundred times.
CREATE FUNCTION plain.bomb(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_agg(jsonb_build_object('op', 'copy', 'from', '', 'path',
                                            CASE jsonb_typeof(document) WHEN 'array' THEN '/-' ELSE '/' || i % 2 END) ORDER BY i)
        FROM generate_series(1, 200) AS i);

CREATE FUNCTION plain.patched(document jsonb, patch jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    result jsonb;
BEGIN
    result := dtmodel.jsonb_patch(document, patch);
    RETURN CASE WHEN plain.is_sound(result) THEN result::text ELSE 'not sound' END;
EXCEPTION WHEN invalid_parameter_value OR program_limit_exceeded THEN
    RETURN SQLSTATE;
END
$$;

-- The first property that a pair of documents does not have; NULL if it has all.
CREATE FUNCTION plain.failure(a jsonb, b jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    difference text[] := dtmodel.get_difference_between_dictionaries(a, b);
    patch jsonb := dtmodel.jsonb_diff(a, b);
    deep jsonb := dtmodel.jsonb_deep_merge(a, b);
    merged jsonb := dtmodel.jsonb_merge_patch(a, b);
BEGIN
    IF NOT (plain.is_sound(patch) AND plain.is_sound(deep) AND plain.is_sound(merged) AND plain.is_sound(dtmodel.jsonb_patch(a, patch))) THEN
        RETURN 'soundness';
    ELSIF difference <> plain.difference(a, b, NULL, false) THEN
        RETURN 'difference';
    ELSIF dtmodel.get_difference_between_dictionaries(a, b, 'p.q', true) <> plain.difference(a, b, 'p.q', true) THEN
        RETURN 'difference of sets';
    ELSIF (difference = '{}') <> (a = b) THEN
        RETURN 'difference and equality';
    END IF;

    -- as text, so that the digits of numbers count
    IF deep::text <> plain.deep_merge(a, b)::text THEN
        RETURN 'deep merge';
    ELSIF merged::text <> plain.merge_patch(a, b)::text THEN
        RETURN 'merge patch';
    ELSIF plain.is_object(a) AND plain.is_object(b) AND dtmodel.merge_settings(a, b)::text <> (a || b)::text THEN
        RETURN 'settings';
    END IF;

    IF dtmodel.jsonb_patch(a, patch) <> b THEN
        RETURN 'patch of difference';
    ELSIF (patch = '[]') <> (a = b) THEN
        RETURN 'patch and equality';
    ELSIF a::text || b::text !~ '\[' AND jsonb_array_length(patch) <> cardinality(difference) THEN
        RETURN 'patch is longer than need be';
    END IF;

    BEGIN
        IF dtmodel.jsonb_merge_patch(a, dtmodel.jsonb_merge_diff(a, b)) <> b THEN
            RETURN 'merge patch of difference';
        ELSIF NOT plain.merge_patch_exists(a, b) THEN
            RETURN 'merge patch that cannot be';
        END IF;
    EXCEPTION WHEN invalid_parameter_value THEN
        IF plain.merge_patch_exists(a, b) THEN
            RETURN 'merge patch refused';
        END IF;
    END;

    IF ARRAY(SELECT array_to_string(path, '.') FROM dtmodel.jsonb_changes(a, b)) <> difference THEN
        RETURN 'paths of changes';
    ELSIF EXISTS (SELECT FROM dtmodel.jsonb_changes(a, b, true) c
                  WHERE c.old_value IS DISTINCT FROM a #> c.path OR c.new_value IS DISTINCT FROM b #> c.path
                     OR c.old_value = c.new_value
                     OR c.op <> CASE WHEN c.old_value IS NULL THEN 'add' WHEN c.new_value IS NULL THEN 'remove' ELSE 'replace' END) THEN
        RETURN 'values of changes';
    ELSIF (SELECT count(*) = 0 FROM dtmodel.jsonb_changes(a, b, true)) <> (a = b) THEN
        RETURN 'changes and equality';
    END IF;
    RETURN NULL;
END
$$;
SQL

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE documents (n int PRIMARY KEY, d jsonb NOT NULL);
CREATE PROCEDURE plain.make_documents(first int, last int) LANGUAGE plpgsql AS $$
DECLARE
    document jsonb;
BEGIN
    FOR i IN first..last LOOP
        IF i % 25 = 1 OR octet_length(document::text) > 700 THEN
            document := plain.random_document();
        ELSE
            FOR k IN 1..1 + floor(random() * 3) LOOP
                document := plain.changed(document);
            END LOOP;
        END IF;
        INSERT INTO documents VALUES (i, document);
    END LOOP;
END
$$;
CREATE TABLE failures (failure text, a jsonb, b jsonb);
CREATE TABLE patches (document jsonb, patch jsonb, result jsonb);
CREATE PROCEDURE plain.make_patches(first int, last int) LANGUAGE plpgsql AS $$
DECLARE
    p patches;
BEGIN
    FOR p.document IN SELECT d FROM documents WHERE n BETWEEN first AND last ORDER BY n LOOP
        CALL plain.make_patch(p.document, p.patch, p.result);
        INSERT INTO patches VALUES (p.document, p.patch, p.result);
    END LOOP;
END
$$;
SQL

# Says SQL with what is random in it from a seed of its own.
sub query
{
	my ($sql) = @_;
	my $output = $node->safe_psql('postgres', 'SELECT setseed(' . $campaign->fraction . ");\n$sql", timeout => 3600);

	return $output =~ s/^\n//r;
}

$campaign->parts(10_000, sub { query("CALL plain.make_documents($_[0], $_[1])") }, $documents);
query('VACUUM ANALYZE documents');

# Is this what the documents are meant to be?
my $missing = $node->safe_psql('postgres', <<'SQL');
SELECT k.kind
FROM (VALUES ('empty keys', '"": '), ('dotted keys', '[.][^"]*": '), ('slashed keys', '/[^"]*": '),
             ('unicode', '😀'), ('digits after the point', '1[.]00'), ('lists of objects', '\[{"'),
             ('nulls', 'null'), ('deep documents', '[]}]{30}$'), ('deep lists', '(\][^][{}]*){10}$'), ('lists as roots', '^\['), ('scalars as roots', '^[^{[]')) AS k(kind, pattern)
WHERE NOT EXISTS (SELECT FROM documents WHERE d::text ~ k.pattern);
SELECT 'half of them objects' FROM documents HAVING count(*) FILTER (WHERE jsonb_typeof(d) = 'object') < count(*) / 2;
SELECT 'different ones' FROM documents HAVING count(DISTINCT d) < count(*) / 2;
SQL
is($missing, '', 'documents of all kinds were made');

# Partners are up to 30 documents away, to either side.
my $checked = 0;
$campaign->parts(
	10_000,
	sub {
		my ($first, $last) = @_;

		$checked += query(<<"SQL");
WITH pairs AS MATERIALIZED (
    SELECT 1 + (k % $documents) AS a, 1 + ((k + floor(random() * 61)::int - 30 + $documents) % $documents) AS b
    FROM generate_series($first, $last) AS k),
compared AS MATERIALIZED (
    SELECT plain.failure(a.d, b.d) AS failure, a.d AS a, b.d AS b
    FROM pairs AS p JOIN documents AS a ON a.n = p.a JOIN documents AS b ON b.n = p.b),
failed AS (INSERT INTO failures SELECT * FROM compared WHERE failure IS NOT NULL)
SELECT count(*) FROM compared;
SQL
	});
my $result = query(<<'SQL');
SELECT count(*) FROM failures;
SELECT format('%s: %s, %s', failure, a, b)
FROM failures ORDER BY octet_length(a::text || b::text) LIMIT 3;
SQL

my ($failures, @examples) = split /\n/, $result;
is($checked, $pairs, 'all pairs were checked');
is($failures, 0, "functions agree with their plain definitions, seed $seed")
  or diag(@examples);

# Patches on some of the documents.
$campaign->parts(1000, sub { query("CALL plain.make_patches($_[0], $_[1])") }, $patches);
$result = query(<<"SQL");
SELECT count(*) FROM patches WHERE result IS NULL;
SELECT count(*) FROM patches, jsonb_array_elements(patch) AS o WHERE o ->> 'op' IN ('copy', 'move');
SELECT format('%s: %s', document, patch) FROM patches
WHERE plain.patched(document, patch) <> coalesce(result::text, '22023') ORDER BY octet_length(patch::text) LIMIT 3;
SELECT format('bomb: %s', d) FROM (SELECT d FROM documents WHERE jsonb_typeof(d) IN ('object', 'array') ORDER BY n LIMIT $patches / 10) AS d
WHERE plain.patched(d, plain.bomb(d)) <> '54000' LIMIT 3;
SQL

(my $refused, my $copies, @examples) = split /\n/, $result;
cmp_ok($refused, '>', $patches / 100, 'patches that do not apply were made');
cmp_ok($copies, '>', 3 * $patches, 'patches that copy and move were made');
is(join("\n", @examples), '', "patches give the result of RFC 6902, seed $seed");

$node->stop;
done_testing();
