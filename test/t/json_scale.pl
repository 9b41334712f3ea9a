# The functions on jsonb with large documents: time and memory grow with the
# document and no faster, 100 MB are no problem, and a cancel is heard.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('json_scale');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
shared_buffers = 16MB
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');

# Documents of 1,000 and of 1,000,000 of whatever may grow.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE documents (n int, what text, a jsonb, b jsonb);
ALTER TABLE documents ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;

INSERT INTO documents
SELECT n, 'keys with other values',
       (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, n) i),
       (SELECT jsonb_object_agg('key' || i, i + 1) FROM generate_series(1, n) i)
FROM (VALUES (1000), (1000000)) AS size(n);

INSERT INTO documents
SELECT n, 'other keys',
       (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, n) i),
       (SELECT jsonb_object_agg('yek' || i, i) FROM generate_series(1, n) i)
FROM (VALUES (1000), (1000000)) AS size(n);

INSERT INTO documents
SELECT n, 'elements in another order',
       (SELECT jsonb_build_object('list', jsonb_agg(i)) FROM generate_series(1, n) i),
       (SELECT jsonb_build_object('list', jsonb_agg(i ORDER BY hashint4(i))) FROM generate_series(1, n) i)
FROM (VALUES (1000), (1000000)) AS size(n);

INSERT INTO documents
SELECT n, 'elements that are often the same',
       (SELECT jsonb_build_object('list', jsonb_agg(i % 3)) FROM generate_series(1, n) i),
       (SELECT jsonb_build_object('list', jsonb_agg(hashint4(i) % 3)) FROM generate_series(1, n) i)
FROM (VALUES (1000), (1000000)) AS size(n);

ALTER TABLE documents ADD patch jsonb, ADD merge_patch jsonb;
ALTER TABLE documents ALTER patch SET STORAGE EXTERNAL, ALTER merge_patch SET STORAGE EXTERNAL;
UPDATE documents SET patch = dtmodel.jsonb_diff(a, b), merge_patch = dtmodel.jsonb_merge_diff(a, b);

-- nanoseconds for each element, of few the best of three runs
CREATE FUNCTION time_of(expression text, what text, n int) RETURNS float8
LANGUAGE plpgsql AS $$
DECLARE
    repetitions int := 100000 / n + 1;
    started timestamptz;
    best float8;
BEGIN
    FOR i IN 1..CASE WHEN n < 100000 THEN 3 ELSE 1 END LOOP
        started := clock_timestamp();
        EXECUTE format('SELECT count(%s) FROM documents d, generate_series(1, $1) WHERE d.what = $2 AND d.n = $3', expression)
        USING repetitions, what, n;
        best := least(best, extract(epoch FROM clock_timestamp() - started) * 1e9 / repetitions / n);
    END LOOP;
    RETURN best;
END
$$;
SQL

is($node->safe_psql('postgres', <<'SQL'), 't', 'patches lead where they should, however long they are');
SELECT bool_and(dtmodel.jsonb_patch(a, patch) = b AND dtmodel.jsonb_merge_patch(a, merge_patch) = b) FROM documents
SQL

# If anything was quadratic, an element of a million would take a thousand
# times as long as one of a thousand.  What is allowed here is what it costs
# that the documents do not fit into the caches any more.
my @expressions = (
	[ 'get_difference_between_dictionaries', 'dtmodel.get_difference_between_dictionaries(a, b)' ],
	[ 'the same with ignore_order', q{dtmodel.get_difference_between_dictionaries(a, b, '', true)} ],
	[ 'jsonb_changes', 'ARRAY(SELECT op FROM dtmodel.jsonb_changes(a, b, true) OFFSET 0)' ],
	[ 'jsonb_diff', 'dtmodel.jsonb_diff(a, b)' ],
	[ 'jsonb_patch', 'dtmodel.jsonb_patch(a, patch)' ],
	[ 'jsonb_merge_diff', 'dtmodel.jsonb_merge_diff(a, b)' ],
	[ 'jsonb_merge_patch', 'dtmodel.jsonb_merge_patch(a, merge_patch)' ],
	[ 'jsonb_deep_merge', 'dtmodel.jsonb_deep_merge(a, b)' ]);
my $allowed = 15;

foreach my $pair (@expressions)
{
	my ($name, $expression) = @$pair;
	my $result = $node->safe_psql('postgres', <<"SQL");
SELECT what, round(time_of(\$\$$expression\$\$, what, 1000)::numeric, 1), round(time_of(\$\$$expression\$\$, what, 1000000)::numeric, 1)
FROM documents WHERE n = 1000
SQL
	my $slow = 0;
	foreach my $line (split /\n/, $result)
	{
		my ($what, $small, $large) = split /\|/, $line;

		note(sprintf('%s, %s: %.1f and %.1f ns an element', $name, $what, $small, $large));
		# What takes less than this is the reading of the document.
		$slow++ if $large > $allowed * ($small > 20 ? $small : 20);
	}
	is($slow, 0, "$name: time per element is flat from 1,000 to 1,000,000");
}

# The most memory that a backend has had, in times of the documents that go in
# and come out.
SKIP:
{
	skip 'no /proc to read the memory from', scalar(@expressions) unless -e '/proc/self/status';

	foreach my $pair (@expressions)
	{
		my ($name, $expression) = @$pair;
		my $worst = 0;

		foreach my $what ('keys with other values', 'other keys', 'elements in another order')
		{
			my ($before, $after, $size) = split /\n/, $node->safe_psql('postgres', <<"SQL");
CREATE TEMP VIEW peak AS SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+) kB')::int AS kb;
SELECT kb FROM (SELECT count($expression) FROM documents WHERE n = 1000 AND what = '$what') warm, peak;
CREATE TEMP TABLE result AS SELECT $expression AS r FROM documents WHERE n = 1000000 AND what = '$what';
SELECT kb FROM peak;
SELECT (pg_column_size(a) + pg_column_size(CASE WHEN '$expression' ~ 'merge_patch' THEN merge_patch WHEN '$expression' ~ 'patch' THEN patch ELSE b END)
        + octet_length(r::text)) / 1024
FROM documents, result WHERE n = 1000000 AND what = '$what';
SQL
			my $times = ($after - $before) / $size;
			note(sprintf('%s, %s: %.1f times the documents', $name, $what, $times));
			$worst = $times if $times > $worst;
		}
		cmp_ok($worst, '<', 6, "$name: memory is a few times the documents'");
	}
}

# 100 MB
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE huge (a jsonb, b jsonb);
ALTER TABLE huge ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
INSERT INTO huge
SELECT a, jsonb_set(a, '{k500000,v}', '"changed"')
FROM (SELECT jsonb_object_agg('k' || i, jsonb_build_object('v', repeat(md5(i::text), 3))) AS a FROM generate_series(1, 1000000) i) d;
SQL
is($node->safe_psql('postgres', 'SELECT pg_column_size(a) > 100000000 FROM huge'), 't', 'the document has 100 MB');
is($node->safe_psql('postgres', <<'SQL'), '{k500000.v}|{}|["/k500000/v"]|t|t|t', '100 MB: right answers');
SELECT dtmodel.get_difference_between_dictionaries(a, b),
       dtmodel.get_difference_between_dictionaries(a, a),
       jsonb_path_query_array(dtmodel.jsonb_diff(a, b), '$[*].path'),
       dtmodel.jsonb_patch(a, dtmodel.jsonb_diff(a, b)) = b,
       dtmodel.jsonb_merge_patch(a, dtmodel.jsonb_merge_diff(a, b)) = b,
       dtmodel.jsonb_deep_merge(a, '{"k500000": {"v": "changed"}}') = b
FROM huge
SQL

# What jsonb cannot hold is an error that says so.
my ($ret, $stdout, $stderr) = $node->psql('postgres', <<'SQL');
\set VERBOSITY verbose
SELECT dtmodel.jsonb_deep_merge(jsonb_build_object('a', repeat('x', 150000000)), jsonb_build_object('b', repeat('x', 150000000))) IS NULL;
SQL
like($stderr, qr/ERROR:  54000: document is too large/, 'a result beyond what jsonb can hold');

# Cancel, at moments all over the run of each function
foreach my $pair (@expressions)
{
	my ($name, $expression) = @$pair;
	my ($worst, $canceled) = (0, 0);

	foreach my $timeout (20, 60, 150, 400)
	{
		my $started = time();
		($ret, $stdout, $stderr) = $node->psql('postgres', <<"SQL");
SET statement_timeout = ${timeout};
SELECT count($expression) FROM documents WHERE n = 1000000;
SQL
		my $late = time() - $started - $timeout / 1000;
		$canceled++ if $stderr =~ /canceling statement/;
		$worst = $late if $stderr =~ /canceling statement/ && $late > $worst;
	}
	cmp_ok($canceled, '>', 0, "$name: can be canceled");
	cmp_ok($worst, '<', 1, sprintf('%s: canceled %d times, heard within %.2f s', $name, $canceled, $worst));
}

$node->stop;
done_testing();
