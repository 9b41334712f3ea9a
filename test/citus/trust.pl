# What a shard takes from a statement, and from whom; and databases and tables
# beside those of dtmodel on a cluster.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use Test::More;

my $citus = CitusCluster->start('trust');

$citus->sql(q(
CREATE ROLE app LOGIN;
CREATE TABLE t (tenant int, id int, n int, PRIMARY KEY (tenant, id));
SELECT create_distributed_table('t', 'tenant');
SELECT dtmodel.add_timestamps('t'), dtmodel.add_audit('t'), dtmodel.add_soft_delete('t');
GRANT SELECT, INSERT, UPDATE, DELETE ON t TO app;
SET dtmodel.actor = 'eve';
INSERT INTO t (tenant, id) VALUES (1, 1), (2, 1), (3, 1)));

# Only Citus says to a shard who acts, and when.
foreach my $forged (
	q(UPDATE %s SET n = 1 WHERE dtmodel_internal.sent(tenant, 'update/0/0/f/the boss'::text)),
	q(DELETE FROM %s WHERE dtmodel_internal.sent(tenant, 'delete/0/0/f/the boss'::text)))
{
	my ($status, $out) = $citus->coordinator->psql('postgres',
		"SELECT DISTINCT success FROM run_command_on_shards('t', \$\$$forged\$\$)", extra_params => [ '-U', 'app' ]);

	is($out, 'f', "refused: $forged");
}
is($citus->sql('SELECT count(*), count(deleted_at), count(n), min(updated_by) FROM t'), '3|0|0|eve', 'and nothing is changed');

# Nor does it get them from a plan that Citus has made of what a client sent in its name.
my ($worker) = $citus->workers;
my $shard = $citus->sql(q(SELECT min('t_' || shardid) FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
	JOIN pg_dist_node USING (groupid) WHERE logicalrelid = 't'::regclass AND nodeport = ) . $worker->port);
my $in_its_name = q(SET application_name = 'citus_internal gpid=10000000001'; SET citus.allow_nested_distributed_execution = on;);
my $forged = "UPDATE $shard AS x SET n = 1 FROM t WHERE t.tenant = x.tenant AND dtmodel_internal.sent(x.id, 'update/0/0/f/the boss'::text)";

unlike($citus->try("$in_its_name EXPLAIN $forged", node => $worker), qr/the boss/, 'a plan of Citus keeps no sender');
like($citus->try("$in_its_name $forged", node => $worker), qr/^55000: /, 'and it is refused');

# A plan that is kept for a shard on the same server takes them each time.
$citus->sql(q(CREATE TABLE names (id int PRIMARY KEY, name text); SELECT create_reference_table('names');
SELECT dtmodel.add_model('names'), dtmodel.add_audit('names')));
is($citus->sql(q(SET plan_cache_mode = force_generic_plan;
PREPARE p (int, text) AS INSERT INTO names (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
SET dtmodel.actor = 'eve';
EXECUTE p(1, 'a');
SET dtmodel.actor = 'ann';
EXECUTE p(1, 'b');
SET dtmodel.actor = 'bob';
EXECUTE p(1, 'c');
SELECT name, created_by, updated_by, updated_at > created_at FROM names)), 'c|eve|bob|t', 'ON CONFLICT with a generic plan');
$citus->same_replicas('names', 'the copies are equal');

# So does that of an UPDATE or DELETE for one shard, on each server that a client
# connects to, and Citus keeps that plan.
$citus->sql(q(CREATE TABLE kept (tenant int, id int, n int DEFAULT 0, PRIMARY KEY (tenant, id));
SELECT create_distributed_table('kept', 'tenant');
SELECT dtmodel.add_timestamps('kept'), dtmodel.add_audit('kept'), dtmodel.add_soft_delete('kept', deleted_by => 'deleted_by')));
my $id = 0;
foreach my $node ($citus->nodes)
{
	my $name = $node->name;
	my $all = sub { return join ' ', map { "EXECUTE $_[0] ($_);" } 1 .. 12 };
	my $round = sub {
		my ($actor) = @_;
		return "SET dtmodel.actor = '$actor'; BEGIN; SELECT now() AS now \\gset\n" . $all->('u') . $all->('d') . qq(COMMIT;
			SELECT count(*), min(n), count(*) FILTER (WHERE deleted_at = :'now' AND updated_at = :'now'), min(deleted_by), min(updated_by)
			FROM kept WHERE id = $id; UPDATE kept SET is_deleted = false WHERE id = $id;);
	};

	$id++;
	$citus->sql("INSERT INTO kept (tenant, id) SELECT g, $id FROM generate_series(1, 12) AS g");
	is($citus->try("PREPARE u (int) AS UPDATE kept SET n = n + 1 WHERE tenant = \$1 AND id = $id;
			PREPARE d (int) AS DELETE FROM kept WHERE tenant = \$1 AND id = $id;"
			. join('', map { $round->($_) } qw(eve ann bob))
			. 'SELECT DISTINCT custom_plans, generic_plans FROM pg_prepared_statements', node => $node),
		"12|1|12|eve|eve\n12|2|12|ann|ann\n12|3|12|bob|bob\n5|31", "$name: UPDATE and DELETE with a generic plan");
}
is($citus->sql('SELECT count(*), min(n), max(n), count(deleted_at) FROM kept'), '36|3|3|0', 'and nothing else is changed');

# What a statement on a shard has brought ends with it, also where the memory of
# the executor lasts as long as the transaction.
$citus->sql(q(CREATE TABLE near (id int PRIMARY KEY, n int); SELECT citus_add_local_table_to_metadata('near'); SELECT dtmodel.add_audit('near');
CREATE TABLE plain (id int PRIMARY KEY, n int); SELECT dtmodel.add_audit('plain');
INSERT INTO near VALUES (1, 1); INSERT INTO plain VALUES (1, 1);
CREATE FUNCTION fail() RETURNS int LANGUAGE sql AS 'UPDATE near SET n = 1 / (n - 1) RETURNING n'));
is($citus->sql(q(SET dtmodel.actor = 'eve';
DO $$
DECLARE x int;
BEGIN
	BEGIN x := fail() + 1; EXCEPTION WHEN division_by_zero THEN x := 2; END;
	PERFORM dtmodel.set_actor('ann');
	UPDATE plain SET n = x;
END $$;
SELECT n, updated_by FROM plain)), '2|ann', 'an actor after an UPDATE of a shard that failed');

# Tables of one server that hide rows, beside those of Citus.
$citus->sql(q(CREATE TABLE here (id int PRIMARY KEY); SELECT dtmodel.add_soft_delete('here', hide => true);
INSERT INTO here VALUES (1), (2); DELETE FROM here WHERE id = 2));
is($citus->sql('SELECT count(*) FROM t JOIN here ON t.tenant = here.id'), '1', 'a join hides rows of a table that is not distributed');
is($citus->sql('SELECT count(*), count(here.id) FROM t LEFT JOIN here ON t.tenant = here.id'), '3|1', 'an outer join too');

# A name with a number is not that of a copy which Citus makes.
$citus->sql(q(CREATE TABLE here_2024 (LIKE here)));
$citus->sql(q(DO 'BEGIN EXECUTE ''INSERT INTO here_2024 SELECT * FROM here''; END'));
is($citus->sql('SELECT count(*) FROM here_2024'), '1', 'hidden rows are not copied');

# The library is preloaded in every database, also in one that has only Citus.
foreach my $node ($citus->nodes)
{
	$node->safe_psql('postgres', 'CREATE DATABASE other');
	$node->safe_psql('other', 'CREATE EXTENSION citus');
}
my $port = $citus->coordinator->port;
my $other = sub { return $citus->coordinator->safe_psql('other', $_[0]); };

$other->("SELECT citus_set_coordinator_host('127.0.0.1', $port)");
$other->("SELECT citus_add_node('127.0.0.1', " . $_->port . ')') foreach $citus->workers;
$other->(q(CREATE TABLE parents (id int PRIMARY KEY); SELECT create_reference_table('parents');
CREATE TABLE children (id int REFERENCES parents, n int); SELECT create_distributed_table('children', 'id');
INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1)));
is($other->('UPDATE children SET n = 2; SELECT n FROM children'), '2', 'without the extension a shard is updated');
is($other->('DELETE FROM children; SELECT count(*) FROM children'), '0', 'and its rows are deleted');

$citus->stop;
done_testing();
