# The functions on jsonb with large and deep documents: steps and memory grow
# with the document and no faster, 100 MB work, and a query can be canceled.
#
# No result depends on how fast or busy the machine is: the test counts
# steps, in a library of src/json that is compiled to count them.
use strict;
use warnings;

use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($ret, $stdout, $stderr);

# The functions of dtmodel, from a library that counts.
my $folder = PostgreSQL::Test::Utils::tempdir;
my @make = ($ENV{MAKE} // 'make', '-s', '-C', $folder, '-f', abs_path('test/steps/Makefile'), 'PG_CONFIG=pg_config', 'with_llvm=no');
plan skip_all => 'there is no compiler that can count steps' if !PostgreSQL::Test::Utils::run_log([ @make, 'probe' ]);
PostgreSQL::Test::Utils::system_or_bail(@make);

my $node = PostgreSQL::Test::Cluster->new('json_scale');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
jit = off
max_parallel_workers_per_gather = 0
shared_buffers = 16MB
max_stack_depth = 6MB
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');

$node->safe_psql('postgres', <<"SQL");
CREATE SCHEMA counted;
CREATE FUNCTION counted.steps() RETURNS bigint AS '$folder/json_steps', 'json_steps' LANGUAGE C;
CREATE FUNCTION counted.uninterruptible_steps() RETURNS bigint AS '$folder/json_steps', 'json_uninterruptible_steps' LANGUAGE C;
DO LANGUAGE plpgsql \$do\$
DECLARE
    definition text;
BEGIN
    FOR definition IN SELECT replace(replace(pg_get_functiondef(oid), 'FUNCTION dtmodel.', 'FUNCTION counted.'), probin, '$folder/json_steps')
                      FROM pg_proc WHERE pronamespace = 'dtmodel'::regnamespace AND proname ~ '^jsonb_|^get_difference' LOOP
        EXECUTE definition;
    END LOOP;
END
\$do\$;
SQL

# Documents of few and of many of whatever may grow.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE documents (n int, what text, a jsonb, b jsonb, patch jsonb, merge_patch jsonb);
ALTER TABLE documents ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL,
    ALTER patch SET STORAGE EXTERNAL, ALTER merge_patch SET STORAGE EXTERNAL;

CREATE PROCEDURE make_documents(n int) LANGUAGE sql AS $$
INSERT INTO documents
SELECT n, 'keys with other values',
       (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, n) i),
       (SELECT jsonb_object_agg('key' || i, i + 1) FROM generate_series(1, n) i);
INSERT INTO documents
SELECT n, 'other keys',
       (SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, n) i),
       (SELECT jsonb_object_agg('yek' || i, i) FROM generate_series(1, n) i);
INSERT INTO documents
SELECT n, 'elements in another order',
       (SELECT jsonb_build_object('list', jsonb_agg(i)) FROM generate_series(1, n) i),
       (SELECT jsonb_build_object('list', jsonb_agg(i ORDER BY hashint4(i))) FROM generate_series(1, n) i);
INSERT INTO documents
SELECT n, 'elements that are often the same',
       (SELECT jsonb_build_object('list', jsonb_agg(i % 3)) FROM generate_series(1, n) i),
       (SELECT jsonb_build_object('list', jsonb_agg(hashint4(i) % 3)) FROM generate_series(1, n) i);
UPDATE documents AS d SET patch = dtmodel.jsonb_diff(a, b), merge_patch = dtmodel.jsonb_merge_diff(a, b)
WHERE d.n = make_documents.n;
$$;

-- Lists that differ in the signs of their numbers: their hashes must differ too.
CREATE PROCEDURE make_signs(n int) LANGUAGE sql AS $$
INSERT INTO documents
SELECT n, 'lists of 1 and -1', list, (SELECT jsonb_agg(e ORDER BY hashtext(e::text)) FROM jsonb_array_elements(list) e)
FROM (SELECT jsonb_agg(list) FROM (SELECT jsonb_agg(1 - (i >> bit & 1) * 2) FROM generate_series(1, n) i, generate_series(0, 13) bit GROUP BY i) AS l(list)) AS d(list);
UPDATE documents AS d SET patch = dtmodel.jsonb_diff(a, b), merge_patch = dtmodel.jsonb_merge_diff(a, b)
WHERE d.n = make_signs.n AND what = 'lists of 1 and -1';
$$;

-- A value below n levels, each a text that has %s for what is below it.
CREATE FUNCTION nested(level text, n int, innermost text) RETURNS jsonb
LANGUAGE sql
RETURN (SELECT string_agg(replace(split_part(level, '%s', 1), '%i', i::text), '' ORDER BY i) || innermost ||
               string_agg(replace(split_part(level, '%s', 2), '%i', i::text), '' ORDER BY i DESC)
        FROM generate_series(1, n) AS i)::jsonb;

CREATE PROCEDURE make_deep_documents(n int) LANGUAGE sql AS $$
INSERT INTO documents
SELECT n, d.what, d.a, d.b, dtmodel.jsonb_diff(d.a, d.b), dtmodel.jsonb_merge_diff(d.a, d.b)
FROM (SELECT what, nested(shape.a, n, '1'), nested(shape.b, n, '2')
      FROM (VALUES
          ('lists in lists',                                  '["%i", %s, "tail"]', '["%i", %s, "tail"]'),
          ('lists in lists, with more before them',           '["%i", %s, "tail"]', '["new", "%i", %s, "tail"]'),
          ('lists in lists that all differ',                  '["%i", %s, "%i."]', '["%i", %s, "%i!"]'),
          ('lists in lists of numbers written differently',   '[1.0, %i, %s, %i.0]', '[1.00, %i, %s, %i.000]'),
          ('lists in lists, alone',                           '[%s]', '[%s]'),
          ('lists in lists that change places',               '[%s, "%i", "x"]', '["x", "%i", %s]'),
          ('lists in objects in lists',                       '[{"k": %i, "list": %s}, %i]', '[{"k": %i, "list": %s}, %i]'),
          ('lists in objects in lists that all differ',       '[{"k": %i, "list": %s}, %i]', '[{"k": "%i", "list": %s}, "%i"]'),
          ('objects in objects',                              '{"a": 1, "b": %s, "c": %i}', '{"a": 1, "b": %s, "c": %i}'),
          ('objects in objects that all differ',              '{"a": 1, "b": %s, "c": %i}', '{"a": 1, "b": %s, "c": "%i"}'),
          ('objects in objects with other keys',              '{"a": 1, "b": %s, "c": %i}', '{"a": 1, "b": %s, "d": %i}')
      ) AS shape(what, a, b)) AS d(what, a, b);
$$;

-- Patches of n copies, with a change after each: of one value to one place; of
-- a copy of a copy; of what moves there and back.
CREATE PROCEDURE make_copies(n int) LANGUAGE sql AS $$
INSERT INTO documents (n, what, a, patch)
SELECT n, c.what, d.a, (SELECT jsonb_agg(o.operation ORDER BY i, o.number)
                        FROM generate_series(1, n) i,
                            jsonb_array_elements(replace(c.operations, '%i', i::text)::jsonb) WITH ORDINALITY AS o(operation, number))
FROM (SELECT jsonb_build_object('list', jsonb_agg(i), 'object', jsonb_object_agg(i, i)) FROM generate_series(1, n) i) AS d(a),
    (VALUES
        ('copies of a list',    '[{"op": "add", "path": "/list/0", "value": 0}, {"op": "copy", "from": "/list", "path": "/copy"}, {"op": "remove", "path": "/copy/%i"}]'),
        ('copies of an object', '[{"op": "remove", "path": "/object/%i"}, {"op": "copy", "from": "/object", "path": "/copy"}, {"op": "add", "path": "/copy/%i", "value": 0}]'),
        ('copies of copies',    '[{"op": "copy", "from": "/list", "path": "/copy"}, {"op": "replace", "path": "/copy/0", "value": %i}, {"op": "copy", "from": "/copy", "path": "/list"}]'),
        ('copies of moves',     '[{"op": "move", "from": "/list", "path": "/moved"}, {"op": "copy", "from": "/moved/0", "path": "/moved/%i"}, {"op": "move", "from": "/moved", "path": "/list"}]')
    ) AS c(what, operations);
$$;

CALL make_documents(1000);
CALL make_documents(50000);
CALL make_deep_documents(100);
CALL make_deep_documents(2000);
CALL make_signs(300);
CALL make_signs(6000);
CALL make_copies(500);
CALL make_copies(10000);

CREATE FUNCTION counted.steps_of(expression text, inputs text, what text, n int, OUT per_byte numeric, OUT uninterruptible bigint)
LANGUAGE plpgsql AS $$
DECLARE
    bytes_in bigint;
    bytes_out bigint;
BEGIN
    EXECUTE format('SELECT length(concat(%s)) FROM documents d WHERE d.what = $1 AND d.n = $2', inputs)
    INTO bytes_in USING what, n;
    PERFORM counted.steps();
    EXECUTE format('SELECT length((%s)::text) FROM documents d WHERE d.what = $1 AND d.n = $2', expression)
    INTO bytes_out USING what, n;
    uninterruptible := counted.uninterruptible_steps();
    per_byte := round(counted.steps()::numeric / (bytes_in + bytes_out), 2);
END
$$;
SQL

is($node->safe_psql('postgres', <<'SQL'), '', 'patches give the right result, however long or deep they are');
SELECT n, what FROM documents
WHERE NOT (dtmodel.jsonb_patch(a, patch) = b AND dtmodel.jsonb_merge_patch(a, merge_patch) = b)
SQL

# Names, expressions, and what goes into them.
my @expressions = (
	[ 'get_difference_between_dictionaries', 'get_difference_between_dictionaries(a, b)', 'a, b' ],
	[ 'the same with ignore_order', q{get_difference_between_dictionaries(a, b, '', true)}, 'a, b' ],
	[ 'jsonb_changes', 'ARRAY(SELECT c::text FROM jsonb_changes(a, b, true) c OFFSET 0)', 'a, b' ],
	[ 'jsonb_diff', 'jsonb_diff(a, b)', 'a, b' ],
	[ 'jsonb_patch', 'jsonb_patch(a, patch)', 'a, patch' ],
	[ 'jsonb_merge_diff', 'jsonb_merge_diff(a, b)', 'a, b' ],
	[ 'jsonb_merge_patch', 'jsonb_merge_patch(a, merge_patch)', 'a, merge_patch' ],
	[ 'jsonb_deep_merge', 'jsonb_deep_merge(a, b)', 'a, b' ]);

# Documents grow 20 or 50 times. If anything was quadratic, so would the steps
# for each byte of what goes in and comes out; a logarithm makes them 1.6 times
# as many. A step is a branch of the code or 16 bytes that are compared or
# moved, and takes about a nanosecond.
my $allowed = 3;
my $most_uninterruptible = 5_000_000;

foreach my $row (@expressions)
{
	my ($name, $expression, $inputs) = @$row;
	my (@slow, @uninterruptible);
	my $result = $node->safe_psql('postgres', <<"SQL");
SET search_path = counted, public;
SELECT d.what, few.per_byte, many.per_byte, many.uninterruptible
FROM (SELECT what, min(n), max(n) FROM documents WHERE num_nulls($inputs) = 0 GROUP BY what) AS d(what, few, many),
    steps_of(\$e\$$expression\$e\$, '$inputs', what, d.few) AS few, steps_of(\$e\$$expression\$e\$, '$inputs', what, d.many) AS many
ORDER BY what
SQL

	foreach my $line (split /\n/, $result)
	{
		my ($what, $few, $many, $unchecked) = split /\|/, $line;

		note("$name, $what: $few and $many steps a byte, $unchecked between two checks for interrupts");
		# What takes less than this is the reading of the document.
		push @slow, "$what: $few, $many" if $many > $allowed * ($few > 0.5 ? $few : 0.5);
		push @uninterruptible, "$what: $unchecked" if $unchecked > $most_uninterruptible;
	}
	cmp_ok(split(/\n/, $result), '>=', 15, "$name: documents of all shapes");
	is(join("\n", @slow), '', "$name: a byte of many takes no more steps than one of few");
	is(join("\n", @uninterruptible), '', "$name: checks for interrupts often enough");
}

# The most memory that a backend has had, in times of the documents that go in
# and come out.
$node->safe_psql('postgres', 'CALL make_documents(150000)');

sub memory
{
	my ($expression, $inputs, $what) = @_;
	my $bytes = join(' + ', map { "pg_column_size($_)" } split /, /, $inputs);
	my ($before, $after, $size) = split /\n/, $node->safe_psql('postgres', <<"SQL");
SET search_path = dtmodel, public;
CREATE TEMP VIEW peak AS SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+) kB')::int AS kb;
CREATE TEMP VIEW sizes AS SELECT * FROM documents WHERE what = '$what';
SELECT kb FROM (SELECT num_nulls($expression) FROM sizes WHERE n = (SELECT min(n) FROM sizes)) warm, peak;
CREATE TEMP TABLE result AS SELECT $expression AS r FROM sizes WHERE n = (SELECT max(n) FROM sizes);
SELECT kb FROM peak;
SELECT ($bytes + length(r::text)) / 1024 FROM sizes, result WHERE n = (SELECT max(n) FROM sizes);
SQL
	my $times = ($after - $before) / $size;

	note(sprintf('%s, %s: %.1f times the documents', $expression, $what, $times));
	return $times;
}

SKIP:
{
	skip 'no /proc to read the memory from', @expressions + 4 unless -e '/proc/self/status';

	foreach my $row (@expressions)
	{
		my ($name, $expression, $inputs) = @$row;
		my $worst = 0;

		foreach my $what ('keys with other values', 'other keys', 'elements in another order')
		{
			my $times = memory($expression, $inputs, $what);
			$worst = $times if $times > $worst;
		}
		cmp_ok($worst, '<', 6, "$name: memory is a few times the documents'");
	}
	foreach my $what ('copies of a list', 'copies of an object', 'copies of copies', 'copies of moves')
	{
		cmp_ok(memory('jsonb_patch(a, patch)', 'a, patch', $what), '<', 6, "$what: memory is a few times the documents'");
	}
}

# A patch that doubles a value again and again is refused when jsonb cannot hold
# it any more, having taken hardly any memory or time.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE bombs AS
SELECT what, jsonb_build_object('a', jsonb_build_array(repeat('x', 100000)), 'b', jsonb_build_object('x', repeat('x', 100000))) AS a,
       (SELECT jsonb_agg(o ORDER BY i, n) FROM generate_series(1, 10000) i, jsonb_array_elements(operations) WITH ORDINALITY AS u(o, n)) AS patch
FROM (VALUES
    ('into itself',     '[{"op": "copy", "from": "", "path": "/c"}]'::jsonb),
    ('in an object',    '[{"op": "copy", "from": "/b", "path": "/b/c"}, {"op": "copy", "from": "/b", "path": "/b/d"}]'),
    ('in an array',     '[{"op": "copy", "from": "/a", "path": "/a/0"}]'),
    ('into each other', '[{"op": "copy", "from": "/a", "path": "/b/a"}, {"op": "copy", "from": "/b", "path": "/a/-"}]'),
    ('one by one',      '[{"op": "copy", "from": "/a/0", "path": "/a/-"}, {"op": "add", "path": "/b/y", "value": 1}, {"op": "copy", "from": "/b", "path": "/a/-"}]')
) AS bomb(what, operations);
SQL
foreach my $what (split /\n/, $node->safe_psql('postgres', 'SELECT what FROM bombs'))
{
	($ret, $stdout, $stderr) = $node->psql('postgres', <<"SQL", on_error_stop => 0);
\\set VERBOSITY sqlstate
SET search_path = counted, public;
CREATE TEMP VIEW peak AS SELECT coalesce(substring(pg_read_file('/proc/self/status', 0, 10000, true) FROM 'VmHWM:\\s+(\\d+) kB')::int, 0) AS kb;
SELECT num_nulls(jsonb_patch(a, '[{"op": "test", "path": "", "value": 1}]')) FROM bombs WHERE what = '$what';
SELECT kb FROM peak;
SELECT steps();
SELECT num_nulls(jsonb_patch(a, patch)) FROM bombs WHERE what = '$what';
SELECT steps();
SELECT kb FROM peak;
SQL
	note("$what: $stdout");
	my ($before, $steps, $after) = (split /\n/, $stdout)[0, 2, 3];

	is($stderr =~ s/^.*ERROR: +//gmr, "22023\n54000", "copied $what: refused");
	cmp_ok($steps, '<', 10_000_000, "copied $what: in few steps");
	cmp_ok($after - $before, '<', 5000, "copied $what: with little memory");
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

# What jsonb cannot hold is an error that says so, and it is what the server cannot
# hold either: or a dump could not be restored.
foreach my $limit ([ 'the largest document', 0, qr/^$/ ], [ 'a byte more', 1, qr/ERROR:  54000: document is too large.*ERROR:  54000: total size/s ])
{
	my ($what, $more, $expected) = @$limit;
	my $length = (268435455 - length('ab') - 5 * 4) / 2;

	($ret, $stdout, $stderr) = $node->psql('postgres', <<"SQL", on_error_stop => 0);
\\set VERBOSITY verbose
CREATE TEMP TABLE halves AS SELECT jsonb_build_object('a', repeat('x', floor($length)::int)) AS a, jsonb_build_object('b', repeat('x', ceil($length)::int + $more)) AS b;
SELECT num_nulls(dtmodel.jsonb_deep_merge(a, b)) FROM halves;
SELECT num_nulls(a || b) FROM halves;
SQL
	like($stderr, $expected, "$what that jsonb can hold");
}

# Cancel, at moments all over the run of each function, which is called again and
# again: that takes longer than any timeout, on any machine. How soon a cancel
# takes effect is counted in steps above.
foreach my $row (@expressions)
{
	my ($name, $expression) = @$row;
	my $canceled = 0;

	foreach my $timeout (20, 60, 150, 400)
	{
		($ret, $stdout, $stderr) = $node->psql('postgres', <<"SQL");
SET search_path = dtmodel, public;
SET statement_timeout = ${timeout};
SELECT count(*) FROM documents, generate_series(1, 1000000) AS i WHERE n = 150000 AND num_nulls($expression, i) = 0;
SQL
		$canceled++ if $stderr =~ /canceling statement/;
	}
	is($canceled, 4, "$name: can be canceled");
}

$node->stop;
done_testing();
