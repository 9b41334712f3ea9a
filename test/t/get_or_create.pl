
# Many clients that all want one row, at once, without a unique index and with
# one, of all rows or of live rows: they get one row, one of them created it, and
# there is no error.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 16;
my $campaign = Campaign->new(keys => 40);
my $keys = $campaign->size;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_connections = 40');
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION dtmodel;
CREATE TABLE plain (id uuid PRIMARY KEY DEFAULT dtmodel.uuidv7(), key int, hits int);
CREATE TABLE keyed (LIKE plain INCLUDING ALL, UNIQUE (key));
CREATE TABLE live (LIKE plain INCLUDING ALL, LIKE dtmodel.soft_delete_mixin INCLUDING ALL);
SELECT dtmodel.add_soft_delete('live');
CREATE UNIQUE INDEX ON live (key) WHERE NOT is_deleted;
CREATE TABLE beside (LIKE live INCLUDING ALL);
SELECT dtmodel.add_soft_delete('beside');
CREATE TABLE got (relation text, key int, id uuid, created boolean);
SQL

# Every client asks for the same keys in the same order, one after the other,
# so that they often conflict.
sub script
{
	my ($table, $call) = @_;

	return <<"SQL";
\\set key :turn % $keys
INSERT INTO got
SELECT '$table', :key, (r.instance).id, r.created
FROM $call AS r;
\\set turn :turn + 1
SQL
}

my %calls = (
	plain => q(dtmodel.get_or_create(NULL::plain, jsonb_build_object('key', :key))),
	keyed => q(dtmodel.get_or_create(NULL::keyed, jsonb_build_object('key', :key))),
	beside => q(dtmodel.get_or_create(NULL::beside, jsonb_build_object('key', :key))),
	live => q(dtmodel.get_or_create(NULL::live, jsonb_build_object('key', :key), on_deleted => 'restore')));

foreach my $table (sort keys %calls)
{
	my $file = $node->basedir . "/$table.sql";

	append_to_file($file, script($table, $calls{$table}));
	$node->command_ok(
		[
			'pgbench', '-n', '-c', $clients, '-j', 4, '-t', $keys,
			'-D', 'turn=0', '-f', $file, $node->connstr('postgres')
		],
		"$clients clients ask for rows of \"$table\"");
	is( $node->safe_psql(
			'postgres', qq(
			SELECT count(*), count(DISTINCT key), count(DISTINCT id),
			       count(*) FILTER (WHERE created), bool_and(id IN (SELECT id FROM $table)),
			       (SELECT count(*) FROM $table)
			FROM got WHERE relation = '$table')),
		join('|', $clients * $keys, $keys, $keys, $keys, 't', $keys),
		"they get one row for each key, and one of them created it");
}

# Rows that are deleted as soon as they exist: each call may insert a new one
# beside the deleted ones, find a live one, or restore one.
append_to_file($node->basedir . "/$_.sql", <<"SQL") foreach qw(ignore restore);
\\set key random(1, 2)
SELECT dtmodel.get_or_create(NULL::beside, jsonb_build_object('key', 5000000 + :key), on_deleted => '$_');
DELETE FROM beside WHERE key = 5000000 + :key AND NOT is_deleted;
SQL
$node->command_ok(
	[
		'pgbench', '-n', '-c', $clients, '-j', 4, '-t', 100,
		'-f', $node->basedir . '/ignore.sql@2', '-f', $node->basedir . '/restore.sql@1',
		$node->connstr('postgres')
	],
	"$clients clients make, restore and delete the same rows");
is( $node->safe_psql(
		'postgres',
		'SELECT count(*) FILTER (WHERE NOT is_deleted), count(DISTINCT key) FROM beside WHERE key > 5000000'),
	'0|2', 'and all are deleted in the end');

# upsert: each client adds its hits; whether the row was created is returned.
append_to_file($node->basedir . '/upsert.sql', <<"SQL");
\\set key 1000000 + :turn % $keys
INSERT INTO got
SELECT 'upsert', :key, (r.instance).id, r.created
FROM dtmodel.upsert(NULL::keyed, jsonb_build_object('key', :key, 'hits', :client_id), '{key}') AS r;
\\set turn :turn + 1
SQL
$node->command_ok(
	[
		'pgbench', '-n', '-c', $clients, '-j', 4, '-t', $keys,
		'-D', 'turn=0', '-f', $node->basedir . '/upsert.sql',
		$node->connstr('postgres')
	],
	"$clients clients upsert the same rows");
is( $node->safe_psql(
		'postgres', q(
		SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE created)
		FROM got WHERE relation = 'upsert')),
	join('|', $clients * $keys, $keys, $keys),
	'each row is made once, and updated by all others');

$node->stop;
done_testing();
