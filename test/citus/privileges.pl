# Privileges and policies on tables that Citus distributes: those of the statement
# that the user has sent, on every server.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('privileges');

$citus->sql('CREATE ROLE app LOGIN; GRANT USAGE ON SCHEMA dtmodel TO app');

my %kinds = CitusCluster::kinds('t');

sub as_app
{
	my ($sql) = @_;
	my ($status, $out, $err) =
	  $citus->coordinator->psql('postgres', "\\set VERBOSITY verbose\n$sql", extra_params => [ '-U', 'app' ]);

	return $out if $status == 0;
	return "$1: $2" if $err =~ /ERROR:  (\w{5}): (.*)/;
	return $err;
}

sub create
{
	my ($kind) = @_;

	$citus->sql('DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id int PRIMARY KEY, n int, owner text)');
	$citus->sql($kinds{$kind});
	$citus->sql(q(SELECT dtmodel.add_model('t'), dtmodel.add_audit('t'), dtmodel.add_version('t'), dtmodel.add_soft_delete('t', deleted_by => 'deleted_by');
		INSERT INTO t (id, n, owner) SELECT g, g, CASE WHEN g % 2 = 0 THEN 'app' ELSE 'x' END FROM generate_series(1, 20) AS g));
	return;
}

foreach my $kind (sort keys %kinds)
{
	create($kind);
	like(as_app('SELECT * FROM t'), qr/^42501: permission denied for table t(_\d+)?$/, "$kind: no privileges");
	like(as_app('DELETE FROM t'), qr/^42501: permission denied for table t(_\d+)?$/, "$kind: no DELETE");
	like(as_app(q(SELECT dtmodel.get_by_id(NULL::t, 1))), qr/^42501: /, "$kind: no get_by_id");
	$citus->sql('GRANT SELECT, DELETE ON t TO app');
	is(as_app('DELETE FROM t WHERE id <= 3; SELECT count(*), count(DISTINCT deleted_at), min(deleted_by) FROM t WHERE is_deleted'),
		'3|1|app', "$kind: DELETE needs no other privilege");
	like(as_app('UPDATE t SET n = 0'), qr/^42501: permission denied for table t(_\d+)?$/, "$kind: no UPDATE");
	like(as_app('SELECT dtmodel.restore(NULL::t, 1)'), qr/^42501: /, "$kind: no restore");
	like(as_app('SET dtmodel.hard_delete = on; DELETE FROM t WHERE id = 4'), qr/^42501: /, "$kind: no hard delete");
	is($citus->sql('SELECT count(*) FROM t'), '20', "$kind: all rows are there");
	$citus->sql('GRANT UPDATE (n) ON t TO app');
	is(as_app('UPDATE t SET n = 0 WHERE id IN (5, 6); SELECT count(*), min(updated_by), min(version) FROM t WHERE n = 0'),
		'2|app|2', "$kind: UPDATE of a column that was granted");
	like(as_app('UPDATE t SET owner = 0'), qr/^42501: permission denied for table t(_\d+)?$/, "$kind: no UPDATE of another one");
	$citus->same_replicas('t', "$kind: the copies are equal");

	# Policies
	create($kind);
	$citus->sql('GRANT SELECT, UPDATE, DELETE ON t TO app; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		CREATE POLICY reads ON t FOR SELECT USING (true);
		CREATE POLICY deletes ON t FOR DELETE USING (owner = current_user)');
	is(as_app('DELETE FROM t; SELECT count(*), count(*) FILTER (WHERE owner <> $$app$$) FROM t WHERE is_deleted'),
		'10|0', "$kind: the policy of DELETE");
	is(as_app('UPDATE t SET n = 0; SELECT count(*) FROM t WHERE n = 0'), '0', "$kind: no policy of UPDATE");
	is(as_app('SELECT dtmodel.restore(NULL::t, 2) IS NULL OR (dtmodel.restore(NULL::t, 2)).is_deleted; SELECT count(*) FROM t WHERE is_deleted'),
		"t\n10", "$kind: restore is an UPDATE");
	$citus->sql('CREATE POLICY updates ON t FOR UPDATE USING (owner = current_user)');
	is(as_app('UPDATE t SET n = 0; SELECT count(*), count(*) FILTER (WHERE owner <> $$app$$) FROM t WHERE n = 0'),
		'10|0', "$kind: the policy of UPDATE");
	$citus->sql('DROP POLICY reads ON t; CREATE POLICY reads ON t FOR SELECT USING (NOT is_deleted)');
	is(as_app('SELECT count(*) FROM t'), '10', "$kind: a policy that hides deleted rows");
	$citus->sql('UPDATE t SET is_deleted = false');
	like(as_app('DELETE FROM t WHERE id <= 4'), qr/^$|^42501: /, "$kind: DELETE under it does what it can, or says that it cannot");
	is($citus->sql('SELECT count(*), count(*) FILTER (WHERE is_deleted AND owner <> $$app$$) FROM t'), '20|0', "$kind: and no more");
	$citus->same_replicas('t', "$kind: the copies are equal under policies");
}

$citus->stop;
done_testing();
