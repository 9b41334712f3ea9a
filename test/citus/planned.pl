# What is done where Citus plans a statement: hidden rows, marks, and what a user
# cannot pretend.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('planned');

# The first column of the table was dropped.
$citus->sql(q(
	CREATE TABLE t (gone int, id int PRIMARY KEY, n int);
	ALTER TABLE t DROP COLUMN gone;
	SELECT dtmodel.add_timestamps('t'), dtmodel.add_soft_delete('t', hide => true);
	SET citus.enable_unsafe_triggers = on;
	SELECT create_distributed_table('t', 'id');
	CREATE TABLE u (id int PRIMARY KEY);
	SELECT create_distributed_table('u', 'id', colocate_with => 't');
	INSERT INTO t (id, n) SELECT g, g FROM generate_series(1, 10) AS g;
	INSERT INTO u SELECT generate_series(1, 10);
	DELETE FROM t WHERE id <= 3;
	UPDATE t SET n = n + 1 WHERE id = 4));

###
# Hidden rows
###
foreach my $join (
	[ 'JOIN', '7|7' ],
	[ 'LEFT JOIN', '10|7' ],
	[ 'RIGHT JOIN', '7|7' ],
	[ 'FULL JOIN', '10|7' ])
{
	is($citus->try("SELECT count(u.id), count(t.id) FROM u $join->[0] t ON t.id = u.id"), $join->[1], "hidden below $join->[0]");
}
is($citus->try('SELECT id FROM t WHERE id = 1'), '', 'hidden in a query of one shard');
is($citus->try('SELECT id, n FROM t WHERE id = 4'), '4|5', 'a live row is not');
is($citus->try('WITH x AS (UPDATE t SET n = 0 RETURNING id) SELECT count(*) FROM x'), '7', 'hidden from an UPDATE in a CTE');
is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*), count(u.id) FROM t FULL JOIN u USING (id)'), '10|10', 'shown by with_deleted');

# Citus copies the table by a query of its own.
foreach my $change (q(alter_distributed_table('t', shard_count := 3, cascade_to_colocated := false)), q(undistribute_table('t')))
{
	$citus->sql("SET citus.enable_unsafe_triggers = on; SELECT $change");
	is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*), count(DISTINCT deleted_at) FROM t'), '10|1', "$change keeps hidden rows");
}
$citus->sql(q(SET citus.enable_unsafe_triggers = on; SELECT create_distributed_table('t', 'id')));

###
# Plans
###
# What a statement takes to a shard is no node of the plan there.
foreach my $sql ('UPDATE t SET n = 1', 'DELETE FROM t')
{
	unlike($citus->sql("EXPLAIN (VERBOSE, COSTS OFF) $sql"), qr/One-Time Filter|received/, "no node more: $sql");
}
like($citus->sql('EXPLAIN (VERBOSE, COSTS OFF) WITH x AS (UPDATE t SET n = 1 WHERE id = 1 RETURNING id) SELECT * FROM x'),
	qr/One-Time Filter: .*received/, 'in a part of a statement it is');

###
# Marks
###
my $marked = q(dtmodel_internal.sent(id, 'delete for good/0/0/f/mallory'));
foreach my $sql (
	"UPDATE t SET n = 1 WHERE $marked",
	"DELETE FROM t WHERE $marked",
	"DELETE FROM t WHERE id IN (SELECT id FROM t WHERE $marked)",
	"CREATE VIEW v AS SELECT * FROM t WHERE $marked; DELETE FROM v",
	q(UPDATE t SET n = 1 WHERE dtmodel_internal.received('update/0/0/f/mallory')))
{
	like($citus->try($sql), qr/^42501: /, "a mark that a user writes is refused: $sql");
}
is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*) FROM t'), '10', 'and nothing is deleted');

$citus->stop;
done_testing();
