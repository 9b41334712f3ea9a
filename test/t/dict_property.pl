# to_dict against to_jsonb, on random rows of random tables, and of queries whose
# columns have random names, some of them the same.
use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(tables => 400);
my $tables = $campaign->size;

my $node = PostgreSQL::Test::Cluster->new('dict_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION dtmodel;

CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TYPE pair AS (x int, y text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN moods AS mood[];

CREATE TABLE kinds (type text, value text);
INSERT INTO kinds VALUES
    ('int', '42'), ('bigint', '-9000000000'), ('smallint', '0'), ('numeric', '1.50'), ('numeric', 'NaN'), ('numeric(6,2)', '1.5'),
    ('float8', '1.5e300'), ('float8', 'Infinity'), ('float4', '0.1'), ('boolean', 'true'), ('text', 'élan "quoted" \'), ('text', ''),
    ('text', repeat('long ', 1000)), ('varchar(20)', 'short'), ('char(5)', 'ab'), ('name', 'a name'), ('"char"', 'c'), ('bytea', '\x00ff'),
    ('uuid', '00112233-4455-6677-8899-aabbccddeeff'), ('timestamptz', '2024-02-29 12:00:00.000001+05:30'), ('timestamptz', '-infinity'),
    ('timestamp', '0044-03-15 12:00:00 BC'), ('date', 'infinity'), ('date', '2024-02-29'), ('time', '12:34:56.7'), ('interval', '1 mon 2 days'),
    ('jsonb', '{"b": [1, {"c": null}], "a": "x"}'), ('jsonb', '1.50'), ('jsonb', 'null'), ('jsonb', '[]'), ('json', '{"b":1, "a":2}'),
    ('int[]', '{1,NULL,3}'), ('text[]', '{{a,b},{"c d",NULL}}'), ('mood', 'wild'), ('moods', '{calm}'), ('pair', '(1,"x y")'),
    ('positive', '7'), ('inet', '10.0.0.0/8'), ('point', '(1,2)'), ('int4range', '[1,5)'), ('tsvector', 'a:1 b'), ('money', '1.5'), ('bit(3)', '101');

-- A table of up to 45 columns with a few rows, some from before its last ALTER.
CREATE PROCEDURE make_table() LANGUAGE plpgsql AS $$
DECLARE
    kind kinds;
    name text;
    names text[] := '{}';
    literals text[] := '{}';
BEGIN
    DROP TABLE IF EXISTS t;
    CREATE TABLE t ();
    FOR i IN 0..(random() * 45)::int LOOP
        SELECT * INTO kind FROM kinds ORDER BY random() LIMIT 1;
        name := left(md5(random()::text), (random() * 12)::int) || chr(97 + i % 26) || i;
        names := names || format('%I', name);
        literals := literals || CASE WHEN random() < 0.2 THEN 'NULL' ELSE format('%L::%s', kind.value, kind.type) END;
        EXECUTE format('ALTER TABLE t ADD %I %s', name, kind.type);
    END LOOP;
    EXECUTE format('INSERT INTO t (%s) SELECT %s FROM generate_series(1, 3)', array_to_string(names, ', '), array_to_string(literals, ', '));
    IF random() < 0.5 THEN
        EXECUTE format('ALTER TABLE t DROP %s', names[1 + floor(random() * cardinality(names))]);
    END IF;
    IF random() < 0.5 THEN
        ALTER TABLE t ADD added text DEFAULT 'default';
        INSERT INTO t DEFAULT VALUES;
    END IF;
END
$$;

CREATE FUNCTION some_of(names text[]) RETURNS text[] LANGUAGE sql VOLATILE
RETURN (SELECT coalesce(array_agg(name), '{}') FROM unnest(names) AS name WHERE random() < 0.4);

-- What to_dict should say.
CREATE FUNCTION plain_dict(dict jsonb, excludes text[], includes text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(dict) WHERE includes IS NULL OR key = ANY (includes)) - coalesce(excludes, '{}');

-- Is it what the server itself would have stored, and does it treat it so?
CREATE FUNCTION is_sound(dict jsonb) RETURNS boolean LANGUAGE sql STABLE
RETURN dict = dict::text::jsonb AND jsonb_hash(dict) = jsonb_hash(dict::text::jsonb) AND
       NOT EXISTS (SELECT FROM jsonb_each(dict) AS member
                   WHERE (dict -> key) IS DISTINCT FROM value OR NOT dict ? key OR (dict - key) ? key OR
                         jsonb_set(dict, ARRAY[key], '["set"]') <> (dict::text::jsonb - key || jsonb_build_object(key, '["set"]'::jsonb)));

-- Compares each row with each filter, as a query hands rows over and as PL/pgSQL does.
CREATE FUNCTION compare(query text, excludes text[], includes text[], OUT compared bigint, OUT different bigint) LANGUAGE plpgsql AS $$
DECLARE
    r record;
    dict jsonb;
BEGIN
    EXECUTE format($q$SELECT count(*), count(*) FILTER (WHERE dict::text IS DISTINCT FROM plain_dict(to_jsonb(t), $1, $2)::text OR is_sound(dict) IS NOT TRUE)
                      FROM %s AS t, LATERAL (SELECT dtmodel.to_dict(t, $1, $2) AS dict OFFSET 0) AS d$q$, query)
        INTO compared, different USING excludes, includes;
    FOR r IN EXECUTE format('SELECT * FROM %s AS t', query) LOOP
        dict := dtmodel.to_dict(r, excludes, includes);
        compared := compared + 1;
        IF dict::text IS DISTINCT FROM plain_dict(to_jsonb(r), excludes, includes)::text OR is_sound(dict) IS NOT TRUE THEN
            different := different + 1;
        END IF;
    END LOOP;
END
$$;

-- The table's columns under names that are drawn from few, with the table's own
-- at the end: what comes of joins of tables that have names in common.
CREATE FUNCTION named_alike(columns text[]) RETURNS text LANGUAGE sql VOLATILE
RETURN (SELECT format('(SELECT %s t.* FROM t)', string_agg(format('%I AS %I,', c, columns[1 + floor(random() * sqrt(cardinality(columns)))]), ' '))
        FROM unnest(columns) AS c);

CREATE TABLE findings (compared bigint, different bigint, columns text, query text, excludes text[], includes text[]);

CREATE PROCEDURE compare_tables(tables int) LANGUAGE plpgsql AS $$
DECLARE
    names text[];
    query text;
    excluded text[];
    included text[];
BEGIN
    FOR i IN 1..tables LOOP
        CALL make_table();
        SELECT coalesce(array_agg(attname::text), '{}') INTO names
        FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped;
        FOREACH query IN ARRAY ARRAY['t', named_alike(names)] LOOP
            FOR filters IN 0..3 LOOP
                excluded := CASE WHEN filters & 1 > 0 THEN some_of(names) END;
                included := CASE WHEN filters & 2 > 0 THEN some_of(names) END;
                INSERT INTO findings
                SELECT c.*, (SELECT string_agg(format('%s %s', attname, format_type(atttypid, atttypmod)), ', ') FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0),
                       query, excluded, included
                FROM compare(query, excluded, included) AS c;
            END LOOP;
        END LOOP;
    END LOOP;
END
$$;
SQL

# setseed() holds for the session.
$campaign->parts(
	100,
	sub {
		my ($first, $last) = @_;
		my $begin = 'SELECT setseed(' . $campaign->fraction . ')';

		$node->safe_psql('postgres', "$begin; CALL compare_tables($last - $first + 1)");
	});

cmp_ok($node->safe_psql('postgres', 'SELECT sum(compared) FROM findings'), '>=', 48 * $tables, 'rows were compared');
is($node->safe_psql('postgres', 'SELECT columns, query, excludes, includes FROM findings WHERE different > 0 LIMIT 3'),
    '', 'to_dict says of every row what to_jsonb says, less what the filters leave out, and it is sound');
is( $node->safe_psql('postgres', "SELECT count(DISTINCT kind.type) FROM (SELECT DISTINCT type FROM kinds) AS kind, findings WHERE columns LIKE '% ' || format_type(kind.type::regtype, NULL) || '%'"),
    $node->safe_psql('postgres', 'SELECT count(DISTINCT type) FROM kinds'), 'every type had its turn');

done_testing();
