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

# Where a subquery is in the place of the table, it has no system columns.
$citus->sql(q(CREATE TABLE here (id int PRIMARY KEY); SELECT dtmodel.add_soft_delete('here', hide => true); INSERT INTO here VALUES (4), (5); DELETE FROM here WHERE id = 5));
foreach my $table ('t', 'here')
{
	like($citus->try("SELECT $table.ctid FROM u $_"), qr/^0A000: cannot read system columns of table "$table" here/, "ctid, $_")
	  foreach "LEFT JOIN $table USING (id)", "FULL JOIN $table USING (id)";
	is($citus->try("SELECT x.id FROM $table AS x LEFT JOIN $table ON $table.id = x.id AND $table.ctid IS NOT NULL WHERE x.id = 4 AND $table.tableoid IS NOT NULL"),
		'4', "$table: system columns in a join with ON");
}

# A hidden row of the source of a MERGE is none that does not match.
$citus->sql(q(CREATE TABLE merged (id int PRIMARY KEY); CREATE TABLE merged_here (LIKE merged)));
$citus->sql(q(SELECT create_distributed_table('merged', 'id', colocate_with => 't')));
foreach my $merge ([ 'merged', 't', '4,5,6,7,8,9,10' ], [ 'merged_here', 'here', '4' ])
{
	my ($target, $source, $rows) = @$merge;

	$citus->sql("MERGE INTO $target USING $source AS s ON $target.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id)");
	is($citus->sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM $target"), $rows, "MERGE from $source");
}

# The policies of the table are in that subquery too.
$citus->sql($_) foreach 'CREATE ROLE app LOGIN', 'GRANT SELECT ON t, u, here TO app',
  'ALTER TABLE t ENABLE ROW LEVEL SECURITY', 'CREATE POLICY p ON t USING (id <> 6)',
  'ALTER TABLE here ENABLE ROW LEVEL SECURITY', 'CREATE POLICY p ON here USING (id <> (SELECT 6))';
is($citus->try('SET ROLE app; SELECT count(t.id) FROM t'), '6', 'policies without a join');
is($citus->try("SET ROLE app; SELECT count(u.id), count(t.id) FROM u $_"), '10|6', "policies, $_")
  foreach 'FULL JOIN t USING (id)', 'LEFT JOIN (u AS v JOIN t USING (id)) USING (id)';
is($citus->try('SET ROLE app; SELECT count(a.id), count(b.id) FROM here AS a FULL JOIN here AS b USING (id)'), '1|1',
	'policies of a table of one server');
$citus->sql('ALTER TABLE t DISABLE ROW LEVEL SECURITY; DROP POLICY p ON t');
like($citus->try('INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET n = 1'),
	qr/^23505: ON CONFLICT found a deleted row of table "t", which is hidden$/, 'ON CONFLICT with a hidden row');

# Citus copies the table by a query of its own.
foreach my $change (q(alter_distributed_table('t', shard_count := 3, cascade_to_colocated := false)), q(undistribute_table('t')))
{
	$citus->sql("SET citus.enable_unsafe_triggers = on; SELECT $change");
	is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*), count(DISTINCT deleted_at) FROM t'), '10|1', "$change keeps hidden rows");
}
$citus->sql(q(SET citus.enable_unsafe_triggers = on; SELECT create_distributed_table('t', 'id')));

###
# Elements
###
# Citus evaluates every UPDATE of a model, and of several elements that one
# assigns it would then send the last one.
$citus->sql('CREATE TABLE a (id int PRIMARY KEY, e int[], j jsonb)');
$citus->sql(q(SELECT create_distributed_table('a', 'id', colocate_with => 'none'); SELECT dtmodel.add_model('a');
	INSERT INTO a (id, e, j) SELECT g, '{1,2}', '{"a": 1}' FROM generate_series(1, 8) AS g));
like($citus->try($_), qr/^0A000: cannot assign several elements of column "[ej]" of table "a"/, $_) foreach
  'UPDATE a SET e[1] = 5, e[2] = 6 WHERE id = 1',
  'UPDATE a SET e[1] = 5, e[2] = 6',
  q(UPDATE a SET j['a'] = '5', j['b'] = '6'),
  'INSERT INTO a (id, e[1], e[2]) VALUES (9, 1, 2)',
  'INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET e[1] = 5, e[2] = 6';
is($citus->try(q(UPDATE a SET e[1] = 5, j['b'] = '6' WHERE id = 1; UPDATE a SET e[2] = id + 6; UPDATE a SET e[1] = 7 WHERE id = 2;
		INSERT INTO a (id) VALUES (3) ON CONFLICT (id) DO UPDATE SET e[1] = 8;
		SELECT e, j FROM a WHERE id <= 4 ORDER BY id)),
	qq({5,7}|{"a": 1, "b": 6}\n{7,8}|{"a": 1}\n{8,9}|{"a": 1}\n{1,10}|{"a": 1}), 'one element is assigned');

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

# A soft DELETE does not become a hard one on a shard that has lost its soft delete.
foreach my $node ($citus->nodes)
{
	$node->safe_psql('postgres', q(SET citus.enable_ddl_propagation = off; SET citus.override_table_visibility = off;
		DO $$ DECLARE r record; BEGIN
			FOR r IN SELECT tgrelid::regclass AS shard, tgname FROM pg_trigger
				WHERE tgrelid::regclass::text ~ '^t_\d+$' AND tgfoid = 'dtmodel_internal.soft_delete_trigger'::regproc
			LOOP
				EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.shard);
			END LOOP;
		END $$));
}
like($citus->try('DELETE FROM t WHERE id = 9'), qr/^55000: a shard of table "t" has no soft delete$/, 'a shard without soft delete');
is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*) FROM t'), '10', 'and still nothing is deleted');

$citus->stop;
done_testing();
