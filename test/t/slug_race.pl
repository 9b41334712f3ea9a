
# Sixteen clients give one title to their rows: all of them succeed, every row
# has a slug of its own, and none is left over.

use strict;
use warnings;

use Campaign;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 16;
my $campaign = Campaign->new('transactions by each client' => 100);
my $transactions = $campaign->size;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', 'deadlock_timeout = 10ms');
$node->start;

sub query
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

plan skip_all => 'the server was built without ICU'
  if query(q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i')) == 0;

query(
	q(
	CREATE EXTENSION dtmodel;
	CREATE TABLE one (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text);
	CREATE TABLE many (LIKE one INCLUDING ALL);
	CREATE TABLE every (LIKE one INCLUDING ALL);
	SELECT dtmodel.add_slug('one', 'title'), dtmodel.add_slug('many', 'title'),
		   dtmodel.add_slug('every', 'title', on_update => true);
	SELECT dtmodel.add_soft_delete('every');));

sub race
{
	my ($name, %scripts) = @_;

	$node->pgbench(
		"--no-vacuum --client=$clients --transactions=$transactions",
		0,
		[qr{actually processed: (\d+)/\1\b}],
		[qr{^$}],
		"$name: no client fails",
		\%scripts);
	return;
}

# Statements of one row, each committed by itself.
race('one row', slug_race_one => q(INSERT INTO one (title) VALUES ('One title');));
is( query(
		q(
		SELECT count(*), count(DISTINCT slug),
			   count(*) FILTER (WHERE slug !~ '^one-title(-([2-9]|[1-9][0-9]+))?$')
		FROM one)),
	join('|', $clients * $transactions, $clients * $transactions, 0),
	'one row: each has a slug of its own');

# Transactions of many rows whose titles come in different orders, some of
# which are rolled back.
race(
	'many rows',
	slug_race_many => q(
		BEGIN;
		INSERT INTO many (title) VALUES ('A'), ('B'), ('A'), ('C');
		INSERT INTO many (title) VALUES ('C'), ('B'), ('B'), ('A');
		COMMIT;),
	slug_race_undone => q(
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		INSERT INTO many (title) VALUES ('C'), ('A'), ('B');
		ROLLBACK;));
is( query(q(SELECT count(*) = count(DISTINCT slug), count(*) % 8, count(*) > 0 FROM many)),
	't|0|t', 'many rows: each has a slug of its own');

# All ways in which a row can get a slug.  One that is not of its source,
# such as the "title" of a row called "x", is the base when the row is restored
# while another row has it: "title-2", and then "title-2-2".
race(
	'every way',
	slug_race_insert => q(INSERT INTO every (title) VALUES ('Title'), ('Other');),
	slug_race_update => q(
		UPDATE every SET title = CASE title WHEN 'Title' THEN 'Other' ELSE 'Title' END
		WHERE id = (SELECT id FROM every WHERE NOT is_deleted ORDER BY random() LIMIT 1
					FOR UPDATE SKIP LOCKED);),
	slug_race_delete => q(
		UPDATE every SET is_deleted = true
		WHERE id = (SELECT id FROM every WHERE NOT is_deleted ORDER BY random() LIMIT 1
					FOR UPDATE SKIP LOCKED);),
	slug_race_restore => q(
		UPDATE every SET is_deleted = false
		WHERE id = (SELECT id FROM every WHERE is_deleted ORDER BY random() LIMIT 1
					FOR UPDATE SKIP LOCKED);),
	slug_race_give => q(
		INSERT INTO every (title, slug) VALUES ('x', 'title') ON CONFLICT DO NOTHING;));
is( query(
		q(
		SELECT count(*) > 0, count(*) = count(DISTINCT slug), bool_and(slug ~ '^(title|other|x)(-[0-9]+)*$')
		FROM every WHERE NOT is_deleted)),
	't|t|t',
	'every way: each live row has a slug of its own');

is(query(q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')),
	'0', 'no reservation is left');

done_testing();
