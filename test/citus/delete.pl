# Deletions on several servers.
#
# A DELETE of rows on several servers is one deletion: it counts and returns its
# rows, and they have one time.  No statement deletes for good what it should
# not, whichever session and server sends it.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $citus = CitusCluster->start('delete');

my %kinds = CitusCluster::kinds('%s');

my $count = 'count(*), count(*) FILTER (WHERE is_deleted), count(DISTINCT deleted_at)';

sub create
{
	my ($kind, $options, $rows) = @_;

	$citus->sql("DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int PRIMARY KEY, n int)");
	$citus->sql(sprintf $kinds{$kind}, 't');
	$citus->sql("SELECT dtmodel.add_model('t'), dtmodel.add_audit('t'), dtmodel.add_soft_delete('t', deleted_by => 'deleted_by'$options);
		INSERT INTO t (id, n) SELECT g, g FROM generate_series(1, $rows) AS g");
	return;
}

foreach my $kind (sort keys %kinds)
{
	create($kind, '', 60);

	# With the tag, which says how many rows were deleted.
	my $counted = sub {
		my ($sql) = @_;
		my ($out) = run_command([ 'psql', '-X', '-d', $citus->coordinator->connstr('postgres'), '-c', $sql ]);
		return $out;
	};
	is($counted->('DELETE FROM t WHERE id <= 10'), 'DELETE 10', "$kind: DELETE counts its rows");
	is($counted->('DELETE FROM t WHERE id <= 10'), 'DELETE 0', "$kind: deleted rows are not deleted again");
	is($counted->('DELETE FROM t WHERE id = 11'), 'DELETE 1', "$kind: DELETE of one row");
	is($citus->try("SELECT $count FROM t"), '60|11|2', "$kind: two deletions have two times");
	is($citus->try('WITH d AS (DELETE FROM t WHERE id IN (12, 13) RETURNING *) SELECT id, is_deleted FROM d ORDER BY 1'),
		"12|t\n13|t", "$kind: RETURNING in a CTE");
	is($citus->try('DELETE FROM t WHERE id = 14 RETURNING id, is_deleted, deleted_at IS NOT NULL'),
		'14|t|t', "$kind: RETURNING");
	is($citus->try("DELETE FROM t WHERE id = (SELECT max(id) FROM t WHERE id < 16); SELECT is_deleted FROM t WHERE id = 15"),
		't', "$kind: a subquery");
	is($citus->try("PREPARE p (int) AS DELETE FROM t WHERE id = \$1;
			@{[ join ' ', map { qq(EXECUTE p ($_);) } 16 .. 27 ]}
			SELECT $count FROM t WHERE id BETWEEN 16 AND 27"),
		'12|12|12', "$kind: prepared, a time for each transaction");
	is($citus->try("BEGIN; DELETE FROM t WHERE id = 28; DELETE FROM t WHERE id IN (29, 30); COMMIT;
			SELECT $count FROM t WHERE id BETWEEN 28 AND 30"),
		'3|3|1', "$kind: one transaction is one deletion");
	is($citus->try("BEGIN; DELETE FROM t WHERE id > 30; ROLLBACK; SELECT $count FROM t WHERE id > 30"),
		'30|0|0', "$kind: rolled back");
	is($citus->try("BEGIN; SET LOCAL dtmodel.actor = 'eve'; DELETE FROM t WHERE id IN (31, 32); COMMIT;
			SELECT deleted_by, updated_by, count(*) FROM t WHERE id IN (31, 32) GROUP BY 1, 2"),
		'eve|eve|2', "$kind: who deleted a row");
	is($citus->try("UPDATE t SET is_deleted = true WHERE id BETWEEN 33 AND 36;
			SELECT $count FROM t WHERE id BETWEEN 33 AND 36"),
		'4|4|1', "$kind: the flag written by hand");
	is($citus->try("UPDATE t SET is_deleted = false WHERE id BETWEEN 33 AND 36;
			SELECT $count FROM t WHERE id BETWEEN 33 AND 36"),
		'4|0|0', "$kind: and back");
	$citus->same_replicas('t', "$kind: the copies are equal");

	# For good
	is($citus->try("BEGIN; SET LOCAL dtmodel.hard_delete = on; DELETE FROM t WHERE id IN (1, 40, 41); COMMIT;
			SELECT count(*) FROM t WHERE id IN (1, 40, 41)"),
		'0', "$kind: hard_delete is physical");
	is($citus->try("SELECT (dtmodel.delete(NULL::t, 42, soft => false)).id; SELECT count(*) FROM t WHERE id = 42"),
		"42\n0", "$kind: delete(…, soft => false) is physical");
	is($citus->try("SELECT (dtmodel.delete(NULL::t, 43)).is_deleted; SELECT count(*) FROM t WHERE id = 43"),
		"t\n1", "$kind: delete is soft");
	is($citus->try("BEGIN; SET LOCAL dtmodel.hard_delete = on; DELETE FROM t WHERE is_deleted; COMMIT;
			SELECT count(*) FILTER (WHERE is_deleted), count(*) FROM t"),
		'0|' . $citus->sql('SELECT count(*) FROM t WHERE NOT is_deleted'), "$kind: deleted rows purged");
	$citus->same_replicas('t', "$kind: the copies are equal after hard deletes");

	# From other sessions and servers
	my $rows = $citus->sql('SELECT count(*) FROM t');
	{
		local $ENV{PGOPTIONS} = '-c session_preload_libraries=';
		like($citus->try($_), qr/^(0A000|55000): /, "$kind, not preloaded: $_ is refused")
		  foreach 'DELETE FROM t WHERE id = 50', 'DELETE FROM t',
		  'SELECT dtmodel.soft_delete(NULL::t, 50)', 'SELECT dtmodel.delete(NULL::t, 50)';
	}
	foreach my $worker ($citus->workers)
	{
		my $name = $worker->name;
		is($citus->try("DELETE FROM t WHERE id IN (50, 51); SELECT $count FROM t WHERE id IN (50, 51)", node => $worker),
			'2|2|1', "$kind: DELETE from $name");
		is($citus->try("UPDATE t SET is_deleted = false WHERE id IN (50, 51); SELECT $count FROM t WHERE id IN (50, 51)", node => $worker),
			'2|0|0', "$kind: UPDATE from $name");
	}
	is($citus->sql('SELECT count(*) FROM t'), $rows, "$kind: every row is still there");
	$citus->same_replicas('t', "$kind: the copies are equal in the end");

	# A mark that was made by hand is not ours.
	is($citus->sql('SELECT count(*) FROM t'), $rows, "$kind: nothing was deleted for good");
}

# In a statement of several parts, which the shard runs row by row in turn.
create('distributed', '', 9);
$citus->sql(q(CREATE TABLE beside (id int, n int, PRIMARY KEY (id, n)); SELECT create_distributed_table('beside', 'id', colocate_with => 't');
SELECT dtmodel.add_soft_delete('beside'); INSERT INTO beside SELECT 1, g FROM generate_series(1, 3) AS g));
is($citus->try(q(BEGIN; SET LOCAL dtmodel.hard_delete = on;
		WITH a AS (DELETE FROM beside WHERE id = 1 RETURNING n), b AS (UPDATE t SET is_deleted = false WHERE id = 1 RETURNING id)
		SELECT count(*) FROM a, b WHERE a.n > b.id - 10;
		COMMIT; SELECT count(*) FROM beside)),
	"3\n0", 'hard_delete beside an UPDATE');
$citus->sql('DROP TABLE beside');

###
# Hidden rows
###
foreach my $kind (sort keys %kinds)
{
	create($kind, ', hide => true', 20);
	$citus->sql('DROP TABLE IF EXISTS o; CREATE TABLE o (id int PRIMARY KEY)');
	(my $beside = sprintf $kinds{$kind}, 'o') =~ s/'none'/'t'/;
	$citus->sql($beside);
	$citus->sql('INSERT INTO o SELECT generate_series(1, 20); DELETE FROM t WHERE id <= 5');
	is($citus->try('SELECT count(*) FROM t'), '15', "$kind: hidden");
	is($citus->try('SELECT id FROM t WHERE id = 1'), '', "$kind: hidden from one shard");
	is($citus->try('SELECT id FROM t WHERE id = 7'), '7', "$kind: a live row is shown");
	foreach my $on ('USING (id)', 'ON o.id = t.id')
	{
		is($citus->try("SELECT count(*) FROM t JOIN o $on"), '15', "$kind: hidden in a join, $on");
		is($citus->try("SELECT count(*) FROM o JOIN t $on"), '15', "$kind: hidden in a join from the right, $on");
		is($citus->try("SELECT count(t.id), count(*) FROM o LEFT JOIN t $on"), '15|20', "$kind: hidden under an outer join, $on");
		is($citus->try("SELECT count(t.id), count(*) FROM t RIGHT JOIN o $on"), '15|20', "$kind: hidden under an outer join from the left, $on");
		is($citus->try("SELECT count(o.id), count(*) FROM t LEFT JOIN o $on"), '15|15', "$kind: hidden above an outer join, $on");
		is($citus->try("SELECT count(t.id), count(*) FROM t FULL JOIN o $on"), '15|20', "$kind: hidden in a full join, $on");
		is($citus->try("SELECT count(t.id), count(*) FROM o LEFT JOIN (t JOIN o AS p USING (id)) $on"), '15|20', "$kind: hidden in a join under an outer join, $on");
	}
	is($citus->try('SELECT count(*) FROM o WHERE id IN (SELECT id FROM t)'), '15', "$kind: hidden in subqueries");
	is($citus->try('WITH x AS (SELECT t FROM t) SELECT count(*) FROM x'), '15', "$kind: hidden in a CTE");
	is($citus->try('UPDATE t SET n = n + 100; SET dtmodel.with_deleted = on; SELECT count(*) FROM t WHERE n > 100'), '15', "$kind: hidden from UPDATE");
	is($citus->try('SET dtmodel.with_deleted = on; SELECT count(*) FROM t'), '20', "$kind: shown with with_deleted");
	is($citus->try('SELECT dtmodel.count(NULL::t), dtmodel.count(NULL::t, true)'), '15|20', "$kind: count");
	is($citus->try('SELECT (dtmodel.restore(NULL::t, 1)).is_deleted; SELECT count(*) FROM t'), "f\n16", "$kind: restore");
	is($citus->try('SELECT string_agg(id::text, $$,$$ ORDER BY id) FROM dtmodel.get_deleted(NULL::t)'), '2,3,4,5', "$kind: get_deleted");
}

$citus->stop;
done_testing();
