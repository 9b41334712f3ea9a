# Statements that wait for each other on a shard.
#
# What waits for a row and then finds a newer version of it does to that one what
# it would have done to the old one: a row that is deleted for good, or softly,
# or changed, whatever the rest of the statement does.

use strict;
use warnings;

use lib 'test/citus';
use lib 'test/lib';
use CitusCluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep);

my $citus = CitusCluster->start('concurrent');

sub create
{
	$citus->sql(q(DROP TABLE IF EXISTS beside, t;
		CREATE TABLE t (id int PRIMARY KEY, n int);
		SELECT create_distributed_table('t', 'id', colocate_with => 'none');
		CREATE TABLE beside (id int, n int, v int DEFAULT 0, PRIMARY KEY (id, n));
		SELECT create_distributed_table('beside', 'id', colocate_with => 't');
		SELECT dtmodel.add_model(t), dtmodel.add_soft_delete(t), dtmodel.add_audit(t) FROM unnest('{t,beside}'::regclass[]) AS t;
		INSERT INTO t SELECT g, g FROM generate_series(1, 3) AS g;
		INSERT INTO beside SELECT 1, g FROM generate_series(1, 3) AS g));
	return;
}

# Whether a backend of a server waits for a lock of a transaction.
sub waits
{
	return $citus->sql(q(SELECT bool_or(result = 't') FROM run_command_on_all_nodes(
		$$SELECT count(*) > 0 FROM pg_locks WHERE NOT granted$$))) eq 't';
}

my ($first, $second) = map { Session->new($citus->coordinator, preload => 1) } 1, 2;

# What the second session does while the first has a row, and what there is then.
sub beside
{
	my ($name, $holds, $does, $result, $rows, $others) = @_;

	create();
	$first->ask("BEGIN; $holds;");
	$second->begin($does);
	sleep(0.02) until waits() || $second->has_ended;
	ok(!$second->has_ended, "$name: waits");
	$first->ask('COMMIT;');
	my ($out, $state) = $second->end;
	is(join(', ', $state, sort split(/\n/, $out)), join(', ', '00000', @$result), "$name: its result");
	is($citus->sql(q(SELECT string_agg(concat_ws(' ', n, v, is_deleted, deleted_at = updated_at), ', ' ORDER BY n) FROM beside)),
		join(', ', @$rows), "$name: beside");
	is($citus->sql(q(SELECT string_agg(concat_ws(' ', id, n, is_deleted), ', ' ORDER BY id) FROM t)), join(', ', @$others), "$name: t");
	return;
}

# A DELETE and an UPDATE in one statement, which the shard runs row by row in turn.
my $two = 'WITH a AS (DELETE FROM beside WHERE id = 1 RETURNING n), b AS (UPDATE t SET n = n + 10 WHERE id = 1 RETURNING id)
	SELECT count(*) FROM a, b WHERE a.n > b.id - 10;';
my $for_good = 'BEGIN; SET LOCAL dtmodel.hard_delete = on;';
my $row = 'UPDATE beside SET v = 7 WHERE id = 1 AND n = 2';
my $row_of_t = 'UPDATE t SET n = 5 WHERE id = 1';
my $deleted = 'DELETE FROM beside WHERE id = 1 AND n = 2';
my $returning = 'RETURNING n, v, is_deleted';
my @t = ('1 1 f', '2 2 f', '3 3 f');
my @soft = ('1 0 t t', '2 7 t t', '3 0 t t');

beside('two parts, the row of the DELETE', $row, $two, ['3'], \@soft, [ '1 11 f', @t[ 1, 2 ] ]);
beside('two parts, the row of the UPDATE', $row_of_t, $two, ['3'], [ '1 0 t t', '2 0 t t', '3 0 t t' ], [ '1 15 f', @t[ 1, 2 ] ]);
beside('two parts for good, the row of the DELETE', $row, "$for_good $two COMMIT;", ['3'], [], [ '1 11 f', @t[ 1, 2 ] ]);
beside('two parts for good, the row of the UPDATE', $row_of_t, "$for_good $two COMMIT;", ['3'], [], [ '1 15 f', @t[ 1, 2 ] ]);
foreach my $where ('', ' WHERE id = 1')
{
	my $delete = "DELETE FROM beside$where";

	beside($delete, $row, "$delete $returning;", [ '1|0|t', '2|7|t', '3|0|t' ], \@soft, \@t);
	beside("$delete, for good", $row, "$for_good $delete $returning; COMMIT;", [ '1|0|f', '2|7|f', '3|0|f' ], [], \@t);
	beside("$delete, deleted", $deleted, "$delete $returning;", [ '1|0|t', '3|0|t' ], [ '1 0 t t', '2 0 t t', '3 0 t t' ], \@t);
	beside("UPDATE$where", $row, "UPDATE beside SET v = v + 1$where $returning;", [ '1|1|f', '2|8|f', '3|1|f' ], [ '1 1 f', '2 8 f', '3 1 f' ], \@t);
	beside("UPDATE$where, deleted", $deleted, "UPDATE beside SET v = v + 1$where $returning;", [ '1|1|f', '2|1|t', '3|1|f' ], [ '1 1 f', '2 1 t f', '3 1 f' ], \@t);
	beside("restore$where, deleted", $deleted, "UPDATE beside SET is_deleted = false$where $returning;", [ '1|0|f', '2|0|f', '3|0|f' ], [ '1 0 f', '2 0 f', '3 0 f' ], \@t);
}

$_->quit foreach $first, $second;
$citus->stop;
done_testing();
