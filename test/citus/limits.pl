# What a model cannot do once Citus distributes it: it refuses, and loses nothing.
#
# Here the servers preload the library, not the sessions.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('limits', shared => 1);

my %kinds = CitusCluster::kinds('%s');

sub create
{
	my ($kind, $models) = @_;

	my $old = $citus->sql(q(SET citus.override_table_visibility = off; SELECT coalesce(string_agg(relname, ', '), 'no_table') FROM pg_class WHERE relname ~ '^t(_[0-9]+)?_history$'));

	$citus->sql("SET client_min_messages = error; DROP TABLE IF EXISTS t CASCADE; DROP TABLE IF EXISTS $old CASCADE;
		CREATE TABLE t (id int PRIMARY KEY, n int, title text); $models");
	$citus->sql('SET citus.enable_unsafe_triggers = on; ' . sprintf $kinds{$kind}, 't');
	return;
}

sub is_refused
{
	my ($kind, $sql, $function) = @_;

	like($citus->try($sql), qr/^0A000: dtmodel\.$function does not support table "t", which Citus distributes$/,
		"$kind, $function: $sql");
	return;
}

foreach my $kind (sort keys %kinds)
{
	# A history
	create($kind, q(SELECT dtmodel.add_model('t'), dtmodel.add_soft_delete('t'), dtmodel.add_history('t');
		INSERT INTO t SELECT generate_series(1, 10); UPDATE t SET n = 1;));
	my $sum = $citus->checksum('t');
	is_refused($kind, $_, 'add_history') foreach
	  'UPDATE t SET n = 2', 'UPDATE t SET n = 2 WHERE id = 1', 'DELETE FROM t', 'TRUNCATE t',
	  'SELECT dtmodel.update(NULL::t, 1, $${"n": 2}$$)', 'SELECT dtmodel.soft_delete(NULL::t, 1)',
	  'SELECT * FROM dtmodel.history(NULL::t, 1)', 'SELECT * FROM dtmodel.changes(NULL::t, now())',
	  'SELECT dtmodel.revert(NULL::t, 1, now())', 'SELECT dtmodel.revert_transaction(NULL::t, $$5$$)',
	  'SELECT dtmodel.erase(NULL::t, 1)', q(CALL dtmodel.purge_history('t', '1 day')),
	  q(SET dtmodel.as_of = '2026-01-01'; SELECT count(*) FROM t), q(SELECT dtmodel.add_history('t'));
	is($citus->checksum('t'), $sum, "$kind: nothing was written");
	# To Citus, a local table is renamed, and its history follows it.
	my $history = $citus->sql(q(SET citus.override_table_visibility = off; SELECT relname FROM pg_class WHERE relname ~ '^t(_[0-9]+)?_history$'));
	is($citus->sql("SELECT count(*) FROM $history"), '10', "$kind: the history is there");
	is($citus->try(q(SELECT dtmodel.remove_history('t'); UPDATE t SET n = 3; SELECT count(*) FROM t WHERE n = 3)),
		"\n10", "$kind: without the history it can be written");

	# Slugs
	if ($kind ne 'distributed')
	{
		create($kind, q(SELECT dtmodel.add_slug('t', 'title'); INSERT INTO t (id, title) VALUES (1, 'Hello'), (2, 'Hello')));
		is_refused($kind, $_, 'add_slug') foreach
		  q(INSERT INTO t (id, title) VALUES (3, 'Hello')), q(UPDATE t SET slug = '' WHERE id = 1),
		  q(SELECT dtmodel.create(NULL::t, '{"id": 3, "title": "x"}')), q(CALL dtmodel.fill_slugs('t')),
		  q(DO $$ DECLARE r t; BEGIN SELECT * INTO r FROM t WHERE id = 1; r := dtmodel.new_slug(r); END $$);
		is($citus->try(q(INSERT INTO t (id, title, slug) VALUES (4, 'Hello', 'mine'); UPDATE t SET title = 'x' WHERE id = 1;
				SELECT id, slug FROM t ORDER BY 1)),
			"1|hello\n2|hello-2\n4|mine", "$kind: a slug can be given, and stays");
		like($citus->try(q(INSERT INTO t (id, slug) VALUES (5, 'mine'))), qr/^23505: /, "$kind: and is unique");
		$citus->same_replicas('t', "$kind: the copies are equal");
	}

	# A view of live rows can be read.
	create($kind, q(SELECT dtmodel.add_soft_delete('t'), dtmodel.create_live_view('t'); INSERT INTO t SELECT generate_series(1, 10)));
	$citus->sql('DELETE FROM t WHERE id <= 3');
	is($citus->try('SELECT count(*) FROM live_t'), '7', "$kind: a live view");
	like($citus->try($_), qr/^0A000: cannot (write to|modify) view/, "$kind: $_ is an error") foreach
	  'DELETE FROM live_t WHERE id = 4', 'DELETE FROM live_t', 'UPDATE live_t SET n = 1', 'INSERT INTO live_t (id) VALUES (11)';
	is($citus->sql('SELECT count(*), count(*) FILTER (WHERE is_deleted), count(n) FROM t'), '10|3|0', "$kind: nothing was written");
	like($citus->try(q(SELECT dtmodel.create_live_view('t'))), qr/^0A000: /, "$kind: the view is not made again");

	# The shards themselves are no models of their own.
	my ($shard) = split /\n/, $citus->sql(q(SELECT shard_name FROM citus_shards WHERE table_name = 't'::regclass ORDER BY 1));
	my $calls = join ' UNION ALL ', map { "SELECT result FROM run_command_on_placements('t', \$c\$$_\$c\$)" }
	  q(CALL dtmodel.purge('%s', '0')), q(SELECT dtmodel.count(x) FROM %s AS x), q(SELECT dtmodel.soft_delete(x) FROM %s AS x);
	is($citus->sql("SELECT count(*) FROM ($calls) AS q WHERE result NOT LIKE 'ERROR:%' AND result <> ''"), '0',
		"$kind: no function works on a shard");
	is($citus->sql('SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM t'), '10|3', "$kind: nothing was deleted");

	# Functions by key, from every server
	next if $kind eq 'local';
	foreach my $node ($citus->workers)
	{
		is($citus->try(q(SELECT (dtmodel.restore(NULL::t, 1)).is_deleted; SELECT (dtmodel.soft_delete(NULL::t, 1)).is_deleted;
				SELECT n FROM dtmodel.update(NULL::t, 5, '{"n": 5}'); SELECT dtmodel.count(NULL::t);
				SELECT id FROM dtmodel.bulk_create(NULL::t, '[{"id": 22}, {"id": 21}]'); SELECT (dtmodel.delete(NULL::t, id, soft => false)).id FROM unnest(ARRAY[21, 22]) AS id), node => $node),
			"f\nt\n5\n7\n22\n21\n21\n22", "$kind: functions from " . $node->name);
	}
	$citus->same_replicas('t', "$kind: the copies are equal after functions from all servers");
}

$citus->stop;
done_testing();
