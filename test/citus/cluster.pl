# Operations of the cluster while clients write to models.
#
# Clients count their changes: n is one less than the version of a row, whatever
# moved meanwhile.  After each operation a checksum of all rows is that from
# before it, once the clients have stopped, and all copies are equal.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 200;
my $citus = CitusCluster->start('cluster');
my ($one, $two) = map { $_->port } $citus->workers;

$citus->sql("
	CREATE TABLE m (id int PRIMARY KEY, n int DEFAULT 0);
	CREATE TABLE r (id int PRIMARY KEY, n int DEFAULT 0);");
$citus->sql(q(SELECT create_distributed_table('m', 'id', colocate_with => 'none')));
$citus->sql(q(SELECT create_reference_table('r')));
$citus->sql("
	SELECT dtmodel.add_model('m'), dtmodel.add_version('m'), dtmodel.add_audit('m'),
		   dtmodel.add_soft_delete('m', deleted_by => 'deleted_by');
	SELECT dtmodel.add_model('r'), dtmodel.add_version('r'), dtmodel.add_audit('r'),
		   dtmodel.add_soft_delete('r', deleted_by => 'deleted_by');
	INSERT INTO m (id) SELECT generate_series(1, $rows);
	INSERT INTO r (id) SELECT generate_series(1, $rows);
	DELETE FROM m WHERE id % 10 = 0;
	DELETE FROM r WHERE id % 10 = 0;");

# Statements of one client: each live row counts its changes.
my $script = $citus->coordinator->basedir . '/load.sql';
append_to_file($script, join '', map {
	my $id = 1 + ($_ * 37) % $rows;
	my $table = $_ % 5 == 0 ? 'r' : 'm';
	"UPDATE $table SET n = version WHERE id = $id AND NOT is_deleted;\n"
} 1 .. 200_000);

# Starts a client that goes on after errors; an operation may cancel it.
sub start_client
{
	my ($node) = @_;
	my ($in, $out) = ('', '');

	return IPC::Run::start(
		[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-f', $script ],
		'<', \$in, '>', \$out, '2>', \$out);
}

sub changes { return $citus->sql('SELECT (SELECT sum(version) FROM m) + (SELECT sum(version) FROM r)'); }

# Runs an operation under load, and once more looks at the rows without it.
sub operate
{
	my ($name, @operations) = @_;
	my @clients = map { start_client($_) } $citus->coordinator, ($citus->workers)[0];
	my $before = changes();

	foreach my $operation (@operations)
	{
		my $switch = $operation =~ /^CALL/ ? '' : 'SET citus.enable_unsafe_triggers = on;';

		is($citus->try("$switch $operation") =~ /^(\w{5}: .*)/ ? $1 : '',
			'', "$name: $operation");
	}
	for (1 .. 50)
	{
		last if changes() > $before + 10;
		select undef, undef, undef, 0.1;
	}
	$_->kill_kill foreach @clients;
	cmp_ok(changes(), '>', $before, "$name: the clients have written");
	$citus->sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE $$UPDATE%$$ AND pid <> pg_backend_pid()');
	check_rows($name);
	return;
}

sub check_rows
{
	my ($name) = @_;

	foreach my $table ('m', 'r')
	{
		is($citus->sql(
				"SELECT count(*), count(*) FILTER (WHERE is_deleted), count(DISTINCT deleted_at),
						count(*) FILTER (WHERE NOT is_deleted AND n <> version - 1), count(*) FILTER (WHERE updated_at < created_at) FROM $table"),
			join('|', $rows, $rows / 10, 1, 0, 0), "$name: table $table has all rows, and all changes");
	}
	$citus->same_replicas('r', "$name: the copies are equal");
	return;
}

# What an operation does to rows that do not change meanwhile: nothing.
sub operate_at_rest
{
	my ($name, $operation, @nodes) = @_;
	my @sums = map { $citus->checksum($_) } 'm', 'r';

	is($citus->try("SET citus.enable_unsafe_triggers = on; $operation") =~ /^(\w{5}: .*)/ ? $1 : '',
		'', "$name, at rest");
	is($citus->checksum('m'), $sums[0], "$name, at rest: the rows are the same");
	is($citus->checksum('r'), $sums[1], "$name, at rest: the rows of the reference table are the same");
	check_rows("$name, at rest");
	check_writes("$name, at rest", @nodes);
	return;
}

# A statement from each server, or from these, does what it should.
sub check_writes
{
	my ($name, @nodes) = @_;

	foreach my $node (@nodes ? @nodes : $citus->nodes)
	{
		is($citus->try(
				"BEGIN; DELETE FROM m WHERE id BETWEEN 1 AND 9; DELETE FROM r WHERE id BETWEEN 1 AND 9;
				 SELECT count(*), count(DISTINCT deleted_at), bool_and(is_deleted) FROM (SELECT * FROM m UNION ALL SELECT * FROM r) AS x WHERE id BETWEEN 1 AND 9;
				 ROLLBACK", node => $node),
			'18|1|t', "$name: DELETE from " . $node->name);
	}
	return;
}

sub move
{
	my ($mode) = @_;
	return qq(SELECT citus_move_shard_placement(shardid, nodename, nodeport, nodename,
		CASE nodeport WHEN $one THEN $two ELSE $one END, shard_transfer_mode => '$mode')
		FROM citus_shards WHERE table_name = 'm'::regclass ORDER BY shardid LIMIT 1);
}

check_rows('at first');
check_writes('at first');
operate('move', move('block_writes'), move('force_logical'));
operate('isolate', q(SELECT isolate_tenant_to_new_shard('m', 5, shard_transfer_mode => 'block_writes')));
operate('split', q(SELECT citus_split_shard_by_split_points(s.shardid, ARRAY[((p.shardminvalue::bigint + p.shardmaxvalue::bigint) / 2)::text],
		ARRAY[n.nodeid, n.nodeid], shard_transfer_mode => 'block_writes')
	FROM citus_shards AS s JOIN pg_dist_shard AS p USING (shardid) JOIN pg_dist_node AS n USING (nodeport)
	WHERE s.table_name = 'm'::regclass ORDER BY s.shard_size DESC, s.shardid LIMIT 1));
operate('rebalance', q(SELECT rebalance_table_shards('m', shard_transfer_mode => 'block_writes')));
operate('remove and add a node',
	"SELECT citus_drain_node('127.0.0.1', $two, shard_transfer_mode => 'block_writes')",
	"SELECT citus_remove_node('127.0.0.1', $two)",
	"SELECT citus_add_node('127.0.0.1', $two)",
	'CALL citus_cleanup_orphaned_resources()',
	q(SELECT rebalance_table_shards('m', shard_transfer_mode => 'block_writes')));
operate('alter_distributed_table', q(SELECT alter_distributed_table('m', shard_count => 8)));

operate_at_rest('move', move('force_logical'));
operate_at_rest('alter_distributed_table', q(SELECT alter_distributed_table('m', shard_count => 4)));
operate_at_rest('undistribute_table', q(SELECT undistribute_table('m')), $citus->coordinator);
operate_at_rest('create_distributed_table', q(SELECT create_distributed_table('m', 'id')));
operate_at_rest('undistribute_table of a reference table', q(SELECT undistribute_table('r')), $citus->coordinator);
operate_at_rest('create_reference_table', q(SELECT create_reference_table('r')));

# A name that changes, and a column.
$citus->sql('ALTER TABLE m RENAME TO m2; ALTER TABLE m2 ADD COLUMN more text; ALTER TABLE m2 RENAME n TO k');
is($citus->try('UPDATE m2 SET k = k + 1 WHERE id <= 5; DELETE FROM m2 WHERE id = 6; SELECT count(*), count(*) FILTER (WHERE is_deleted), min(dtmodel.repr(m2)) FROM m2 WHERE id <= 6'),
	'6|1|<M2(id=1)>', 'a table that was renamed');

$citus->stop;
done_testing();
