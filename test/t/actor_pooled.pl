
# Behind a pooler that gives each transaction any connection, the actor of
# one transaction is not that of the next.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my ($pgbouncer) =
  grep { -x $_ } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'pgbouncer is not installed' if !$pgbouncer;
plan skip_all => 'the pooler is reached by a Unix socket'
  if !$PostgreSQL::Test::Utils::use_unix_sockets;

my $clients = 8;
my $transactions = 100;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION dtmodel;
	CREATE ROLE app LOGIN;
	CREATE TABLE post (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, expected text);
	SELECT dtmodel.add_audit('post');
	GRANT ALL ON post TO app;));

###
# The pooler: two connections at most, for however many clients
###
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $socket = $node->host;
my $server_port = $node->port;

append_to_file(
	"$dir/pgbouncer.ini", qq(
[databases]
one = host=$socket port=$server_port dbname=postgres user=app pool_size=1
two = host=$socket port=$server_port dbname=postgres user=app pool_size=2

[pgbouncer]
pool_mode = transaction
listen_port = $port
unix_socket_dir = $dir
auth_type = any
logfile = $dir/log
pidfile = $dir/pid
));
system_or_bail($pgbouncer, '--daemon', '--quiet', "$dir/pgbouncer.ini");
END
{
	my $status = $?;
	if ($dir && -e "$dir/pid")
	{
		kill 'INT', slurp_file("$dir/pid") + 0;
	}
	$? = $status;
}

# Runs SQL on a connection of a client's own.
sub pooled
{
	my ($sql) = @_;
	my ($stdout, $stderr);

	IPC::Run::run [
		'psql', '-XAtq', '-h', $dir, '-p', $port, '-U', 'app', '-f', '-', 'one'
	  ],
	  '<', \$sql, '>', \$stdout, '2>', \$stderr;
	chomp $stdout;
	return $stdout;
}

# It goes into the background before it listens.
my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;
usleep(100_000) while pooled('SELECT 1') ne '1' && $tries-- > 0;
my $backend = pooled('SELECT pg_backend_pid()');
like($backend, qr/^\d+$/, 'the pooler serves a client');

# Each of these ends with the connection in the pool again; the next client
# gets the same one, and has no actor of its own.
my %ways = (
	'a transaction that is committed' =>
	  "BEGIN; SELECT dtmodel.set_actor('ann'); INSERT INTO post DEFAULT VALUES RETURNING created_by; COMMIT;",
	'one that is rolled back' =>
	  "BEGIN; SELECT dtmodel.set_actor('ann'); INSERT INTO post DEFAULT VALUES RETURNING created_by; ROLLBACK;",
	'one that fails' =>
	  "BEGIN; SELECT dtmodel.set_actor('ann'); INSERT INTO post DEFAULT VALUES RETURNING created_by; SELECT 1 / 0; COMMIT;",
	'one whose client goes away' =>
	  "BEGIN; SELECT dtmodel.set_actor('ann'); INSERT INTO post DEFAULT VALUES RETURNING created_by;",
	'SET LOCAL' =>
	  "BEGIN; SET LOCAL dtmodel.actor = 'ann'; INSERT INTO post DEFAULT VALUES RETURNING created_by; COMMIT;",
	'a savepoint' =>
	  "BEGIN; SAVEPOINT s; SELECT dtmodel.set_actor('ann'); INSERT INTO post DEFAULT VALUES RETURNING created_by; RELEASE s; COMMIT;",
	'a statement by itself' =>
	  "WITH a AS MATERIALIZED (SELECT dtmodel.set_actor('ann')) INSERT INTO post (expected) SELECT 'ann' FROM a RETURNING created_by;",
);

foreach my $way (sort keys %ways)
{
	like(pooled($ways{$way}), qr/^\s*ann$/m, "$way: the actor is recorded");
	my $after = pooled(
		'BEGIN; INSERT INTO post DEFAULT VALUES RETURNING created_by; SELECT pg_backend_pid(); COMMIT;');
	my ($who, $pid) = split /\n/, $after;
	is($who, 'app', "$way: but not in the next transaction");

	# When a client disconnects in a transaction, its connection is closed too.
	is($pid, $backend, "$way: which had the same connection")
	  unless $way =~ /goes away/;
	$backend = $pid;
}

###
# Many clients that share two connections, each with its own actor or with none
###
append_to_file(
	"$dir/named", q(
BEGIN;
SELECT dtmodel.set_actor('client ' || :client_id);
INSERT INTO post (expected) VALUES ('client ' || :client_id);
COMMIT;
));
append_to_file("$dir/nameless",
	"INSERT INTO post (expected) VALUES ('app');\n");
$node->safe_psql('postgres', 'TRUNCATE post');
command_ok(
	[
		'pgbench', '-h', $dir, '-p', $port, '-U', 'app', '--no-vacuum',
		"--client=$clients", "--transactions=$transactions",
		"--file=$dir/named", "--file=$dir/nameless", 'two'
	],
	"$clients clients");
is( $node->safe_psql(
		'postgres', q(
		SELECT count(*), count(*) FILTER (WHERE created_by IS DISTINCT FROM expected),
			   count(DISTINCT created_by)
		FROM post)),
	join('|', $clients * $transactions, 0, $clients + 1),
	'no transaction has the actor of another');

done_testing();
