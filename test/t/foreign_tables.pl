# Foreign tables cannot be models: not as partitions of one, and not by a
# trigger of ours that their owner creates.  A statement that would need it is
# an error that says so, no row is lost, and the server does not crash.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('foreign_tables');
$node->init;
$node->append_conf('postgresql.conf', 'client_min_messages = warning');
$node->start;

if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") == 0)
{
	$node->stop;
	plan skip_all => 'postgres_fdw is not installed';
}

my ($host, $port) = ($node->host, $node->port);
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION dtmodel;
CREATE EXTENSION postgres_fdw;
CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR CURRENT_USER SERVER loopback;
CREATE ROLE low;
GRANT CREATE, USAGE ON SCHEMA public TO low;
GRANT USAGE ON FOREIGN SERVER loopback TO low;

CREATE TABLE remote_part (id int, k int, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TABLE parted (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT dtmodel.add_soft_delete('parted');
CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) SERVER loopback OPTIONS (table_name 'remote_part');

CREATE TABLE remote (id int, is_deleted boolean, deleted_at timestamptz);
INSERT INTO remote VALUES (1, false);
SET ROLE low;
CREATE FOREIGN TABLE owned (id int, is_deleted boolean, deleted_at timestamptz) SERVER loopback OPTIONS (table_name 'remote');
SQL

# The SQLSTATE that a statement ends with.
sub sqlstate
{
	my ($sql) = @_;
	my ($result, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-v', 'VERBOSITY=verbose', '-v', 'ON_ERROR_STOP=1' ]);
	return $result == 0 ? '00000' : $err =~ /^psql:.*?: ERROR:  (\w{5}): /m ? $1 : $err;
}

sub is_query
{
	my ($sql, $expected, $name) = @_;
	is($node->safe_psql('postgres', $sql), $expected, $name);
	return;
}

is(sqlstate("SELECT dtmodel.add_soft_delete('owned')"), '42809', 'a foreign table cannot be a model');
is(sqlstate("SELECT dtmodel.add_soft_delete('parted_2')"), '42809', 'nor can a foreign partition');

# Nor a table that has one, for any mixin; existing mixins can be removed.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE mixed (id int, k int) PARTITION BY LIST (k);
CREATE FOREIGN TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1) SERVER loopback OPTIONS (table_name 'remote');
SQL
foreach my $mixin ('soft_delete', 'timestamps', 'audit')
{
	is(sqlstate("SELECT dtmodel.add_$mixin('mixed')"), '42809', "a table with a foreign partition is refused $mixin");
}
is(sqlstate("BEGIN; SELECT dtmodel.remove_soft_delete('parted', drop_columns => true); ROLLBACK"), '00000', 'and soft delete can be removed');

foreach my $preload ('', 'dtmodel')
{
	my $tier = $preload ? 'preloaded' : 'trigger';
	local $ENV{PGOPTIONS} = "-c session_preload_libraries=$preload";

	$node->safe_psql('postgres', 'TRUNCATE parted_1, remote_part; INSERT INTO parted VALUES (1, 1), (2, 2), (3, 1)');

	# A foreign partition: the others work, and it is never deleted from.
	is(sqlstate('DELETE FROM parted WHERE id = 1 AND k = 1'), '00000', "$tier: other partitions work");
	is(sqlstate('DELETE FROM parted WHERE id = 2'), '42809', "$tier: a DELETE that reaches the foreign one is refused");
	is(sqlstate('DELETE FROM parted_2'), '42809', "$tier: also where it names it");
	is(sqlstate('DELETE FROM parted'), '42809', "$tier: and as a whole");
	is_query('SELECT id, is_deleted FROM parted ORDER BY id', "1|t\n2|f\n3|f", "$tier: no row is lost");

	# Each of our trigger functions, on a table that a role without any
	# privileges owns, for each event.
	my @functions = split /\n/, $node->safe_psql('postgres',
		"SELECT proname FROM pg_proc WHERE pronamespace = 'dtmodel_internal'::regnamespace AND prorettype = 'trigger'::regtype ORDER BY 1");
	cmp_ok(scalar @functions, '>', 5, "$tier: there are trigger functions");
	my @events = (
		[ 'DELETE', 'DELETE FROM owned' ],
		[ 'UPDATE', 'UPDATE owned SET is_deleted = NOT is_deleted' ],
		[ 'INSERT', 'INSERT INTO owned VALUES (2, false)' ]);
	my @wrong;
	foreach my $function (@functions)
	{
		foreach my $event (@events)
		{
			foreach my $when ('BEFORE', 'AFTER')
			{
				foreach my $arguments ('', "'flag=is_deleted', 'deleted_at=deleted_at'")
				{
					my ($name, $statement) = @$event;
					my $sqlstate = sqlstate(<<"SQL");
BEGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON remote TO low;
SET LOCAL ROLE low;
CREATE TRIGGER x $when $name ON owned FOR EACH ROW EXECUTE FUNCTION dtmodel_internal.$function($arguments);
RESET ROLE;
$statement;
ROLLBACK;
SQL
					push @wrong, "$when $name $function($arguments): $sqlstate"
					  if $sqlstate !~ /^(42809|39P01|55000|22023)$/;
				}
			}
		}
	}
	is(join("\n", @wrong), '', "$tier: no trigger function works on a foreign table");
	is_query('SELECT id, is_deleted FROM remote', '1|f', "$tier: its row is unchanged");
}

is(join("\n", slurp_file($node->logfile) =~ /^(.*(?:terminated by signal|Failed process was running).*)$/mg),
	'', 'no server process has ended');

$node->stop;
done_testing();
