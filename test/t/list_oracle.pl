
# get_all in the plan of its caller against the function that runs by itself:
# the same rows for random queries, with joins, subqueries, views, limits and
# hidden rows.
#
# The function runs by itself when ALTER FUNCTION has set anything for it.
use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $campaign = Campaign->new(queries => 1000);
my $queries = $campaign->size;

my $node = PostgreSQL::Test::Cluster->new('list_oracle');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf',
	"session_preload_libraries = 'dtmodel'\nclient_min_messages = warning");
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION dtmodel;
CREATE TABLE a (gone int, id int PRIMARY KEY, b int, v text);
ALTER TABLE a DROP gone;
SELECT dtmodel.add_soft_delete('a');
INSERT INTO a SELECT i, i % 7, 'v' || i % 5 FROM generate_series(1, 40) AS i ORDER BY i % 11;
DELETE FROM a WHERE id % 6 = 0;
CREATE TABLE b (k text, id int, v text, PRIMARY KEY (k, id));
SELECT dtmodel.add_soft_delete('b', hide => true);
INSERT INTO b SELECT chr(97 + i % 3), i % 7, 'v' || i % 5 FROM generate_series(1, 20) AS i ORDER BY i % 11;
DELETE FROM b WHERE id = 3;
CREATE VIEW columns_of_a AS SELECT id, b, v FROM dtmodel.get_all(NULL::a);
CREATE VIEW rows_of_a AS SELECT x.id, x.b, x.v, x AS row FROM dtmodel.get_all(NULL::a) AS x;
ALTER TABLE a ADD COLUMN late int;
CREATE FUNCTION of_b(int) RETURNS TABLE (id int, b int, v text) LANGUAGE sql STABLE AS 'SELECT id, b, v FROM dtmodel.get_all(NULL::a) WHERE b = $1';
ANALYZE;

CREATE FUNCTION pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql AS 'SELECT choices[1 + floor(random() * cardinality(choices))::int]';

-- What a query can read from: each has id and v.  "one" is a number that is known there.
CREATE FUNCTION source(alias text, one text) RETURNS text LANGUAGE sql AS $$
    SELECT format(pick('dtmodel.get_all(NULL::a) AS %1$s', 'dtmodel.get_all(NULL::a, %2$s) AS %1$s',
                       'dtmodel.get_all(NULL::a, 5, %2$s, 7) AS %1$s', 'dtmodel.get_all(NULL::a, NULL, NULL, %3$s, %4$s) AS %1$s',
                       'dtmodel.get_all(NULL::b) AS %1$s', 'dtmodel.get_all(NULL::b, %2$s, include_deleted => %4$s) AS %1$s',
                       'dtmodel.get_all(NULL::b, after_id => ''{"k": "b", "id": 2}'') AS %1$s',
                       'columns_of_a AS %1$s', 'rows_of_a AS %1$s', 'of_b(%5$s) AS %1$s', 'a AS %1$s', 'b AS %1$s',
                       '(SELECT * FROM dtmodel.get_all(NULL::a) AS s WHERE s.id > %5$s) AS %1$s',
                       '(SELECT * FROM dtmodel.get_all(NULL::a) AS s ORDER BY s.id DESC LIMIT 3) AS %1$s',
                       '(SELECT * FROM dtmodel.get_all(NULL::a) LIMIT 4) AS %1$s',
                       '(SELECT DISTINCT ON (v) v, id FROM dtmodel.get_all(NULL::a)) AS %1$s',
                       '(SELECT v, max(id) AS id FROM dtmodel.get_all(NULL::a) GROUP BY v) AS %1$s',
                       '(SELECT id, v FROM dtmodel.get_all(NULL::a, 4) UNION ALL SELECT id, v FROM dtmodel.get_all(NULL::b)) AS %1$s'),
                  alias, one, pick('3', '''8''', 'NULL', '12::bigint'), pick('true', 'false', 'NULL'), pick('1', '2', '3'))
$$;
CREATE FUNCTION condition(x text, y text) RETURNS text LANGUAGE sql AS $$
    SELECT format(pick('%1$s.id = %2$s.id', '%1$s.v = %2$s.v', '%1$s.id < %2$s.id AND %1$s.v = %2$s.v'), x, y)
$$;
CREATE FUNCTION random_query() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    tables text := source('x', '6');
    has_y boolean := true;
BEGIN
    CASE pick('one', 'join', 'lateral', 'page')
    WHEN 'one' THEN
        has_y := false;
    WHEN 'join' THEN
        tables := tables || pick(' JOIN ', ' LEFT JOIN ', ' FULL JOIN ', ' RIGHT JOIN ') || source('y', '4') || pick(' ON x.id = y.id', ' ON x.v = y.v');
    WHEN 'lateral' THEN
        tables := tables || ', LATERAL (SELECT * FROM ' || source('z', 'x.id') || ' WHERE ' || condition('x', 'z') || ') AS y';
    WHEN 'page' THEN
        tables := tables || pick(', ', ' CROSS JOIN LATERAL ') || pick('dtmodel.get_all(NULL::a, x.id, 1)', 'dtmodel.get_all(NULL::b, 2, x.id)') || ' AS y';
    END CASE;
    RETURN format('SELECT %s FROM %s WHERE %s',
        pick('x.id, x.v', 'x.*', 'x.v', 'x', CASE WHEN has_y THEN 'x.id, y.id, y.v' ELSE 'x.id' END, CASE WHEN has_y THEN 'x, y' ELSE 'x.v, x' END),
        tables,
        pick('true', 'x.id > 4', 'x.v = ''v2''', 'EXISTS (SELECT FROM ' || source('e', '9') || ' WHERE ' || condition('e', 'x') || ')',
             'x.id IN (SELECT id FROM ' || source('e', '9') || ')', 'x.id = ANY (ARRAY(SELECT id FROM ' || source('e', '9') || '))',
             'x.v <> ALL (SELECT v FROM ' || source('e', '2') || ' WHERE e.id < 4)',
             '(SELECT count(*) FROM ' || source('e', 'x.id') || ' WHERE ' || condition('e', 'x') || ') > 1'));
END $$;

-- A query's rows, sorted, and whether the function runs by itself in it.
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT string_agg(row, '' '' ORDER BY row) FROM (SELECT q::text AS row FROM (%s) AS q) AS r', query) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || SQLERRM;
END $$;
CREATE FUNCTION calls(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
        IF line ~ 'Function Scan on get_all' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;
CREATE TABLE queries (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, query text, planned text, called text, calls_planned boolean, calls_called boolean);
SQL

$node->safe_psql('postgres',
	'SELECT setseed(' . $campaign->fraction
	  . "); INSERT INTO queries (query) SELECT random_query() FROM generate_series(1, $queries)"
);
foreach my $way (
	[ 'RESET ALL', 'planned = rows_of(query), calls_planned = calls(query)' ],
	[ q(SET work_mem = '4MB'), 'called = rows_of(query), calls_called = calls(query)' ])
{
	my ($setting, $result) = @$way;

	$node->safe_psql('postgres', "ALTER FUNCTION dtmodel.get_all $setting");
	$campaign->parts(500,
		sub { $node->safe_psql('postgres', "UPDATE queries SET $result WHERE n BETWEEN $_[0] AND $_[1]") });
}

is( $node->safe_psql('postgres',
		'SELECT query FROM queries WHERE planned IS DISTINCT FROM called LIMIT 5'
	),
	'',
	'the same rows');
is( $node->safe_psql('postgres',
		"SELECT query, called FROM queries WHERE called ~ '^[0-9A-Z]{5}[a-z]' LIMIT 5"
	),
	'',
	'no query fails');
is( $node->safe_psql('postgres',
		'SELECT count(*) * 2 > (SELECT count(*) FROM queries), count(called) * 2 > count(*) FROM queries WHERE calls_called'
	),
	't|t',
	'most queries call the function, and have rows');
is( $node->safe_psql('postgres',
		"SELECT query FROM queries WHERE calls_planned AND query !~ 'rows_of_a' LIMIT 5"
	),
	'',
	'only a view of whole rows that is older than a column runs it by itself');

done_testing();
