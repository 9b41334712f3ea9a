
# add_* and remove_* on a table that is in use: no transaction fails, and on a
# table of a million rows they take milliseconds.  The times are only printed.
#
# DTMODEL_ROWS is the number of those rows (1000000).
#
# The examples of docs/locks.md run too.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $clients = 4;
my $seconds = 12;
my $rows = $ENV{DTMODEL_ROWS} // 1_000_000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf',
	"deadlock_timeout = 100ms\nautovacuum = off\nclient_min_messages = warning");
$node->start;
my $has_icu = $node->safe_psql('postgres',
	q(SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i')) eq 't';
my $counts_failures =
  $node->safe_psql('postgres', 'SHOW server_version_num') >= 150000;

$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION dtmodel;
	CREATE TABLE users (id text PRIMARY KEY);
	INSERT INTO users VALUES (current_user);
	CREATE TABLE busy (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL DEFAULT 0, title text);
	INSERT INTO busy (title) SELECT 'Title ' || i FROM generate_series(1, 2000) AS i;
	CREATE VIEW sum_of_busy AS SELECT sum(n) FROM busy;));

# What a table can become, and back.
my @calls = (
	q(add_model('busy')),
	q(add_soft_delete('busy', deleted_by => 'deleted_by')),
	q(add_settings('busy', '{theme}')),
	q(add_audit('busy', 'made_by', 'changed_by', "references" => 'users')),
	q(add_audit('busy')),
	q(add_version('busy')),
	q(add_history('busy')),
	q(create_live_view('busy')),
	q(add_soft_delete('busy', deleted_by => 'deleted_by', hide => true)),
	q(add_timestamps('busy', clock => 'clock')),
	q(add_history('busy', '{title}')));
push @calls, q(add_slug('busy', 'title')) if $has_icu;
push @calls, q(remove_slug('busy', true)) if $has_icu;
push @calls,
  (
	q(remove_history('busy', true)),
	q(remove_version('busy')),
	q(remove_audit('busy')),
	q(remove_settings('busy')),
	q(remove_timestamps('busy')),
	q(remove_soft_delete('busy')));

###
# A table in use
###

my $script = "$PostgreSQL::Test::Utils::tmp_check/locks.sql";
append_to_file(
	$script, q(
\set id random(1, 1000)
\set other random(1001, 2000)
BEGIN;
SELECT n FROM busy WHERE id = :id;
SELECT count(*) FROM sum_of_busy;
UPDATE busy SET n = n + 1 WHERE id = :id;
DELETE FROM busy WHERE id = :other;
INSERT INTO busy (title) VALUES ('Title ' || :id) RETURNING id;
COMMIT;
));

my ($stdout, $stderr) = ('', '');
my $pgbench = IPC::Run::start(
	[
		'pgbench', '--no-vacuum', "--client=$clients", '--protocol=prepared',
		"--time=$seconds", "--file=$script", $node->connstr('postgres')
	],
	'>', \$stdout,
	'2>', \$stderr);

# Whole rounds, as long as there is time for another one.
my $until = time + $seconds * 0.7;
my $rounds = 0;
my @errors;
while (time < $until && !@errors)
{
	foreach my $call (@calls)
	{
		my ($code, undef, $error) =
		  $node->psql('postgres', "SELECT dtmodel.$call");

		push @errors, "$call: $error" if $code != 0;
	}
	$node->psql('postgres', 'DROP VIEW live_busy');
	$rounds++;
}
$pgbench->pump_nb if $pgbench->pumpable;
ok($pgbench->pumpable, 'the table was in use all the time');
$pgbench->finish;
note("$rounds rounds of " . @calls . " calls");
note($stdout);

is("@errors", '', 'no call fails');
cmp_ok($rounds, '>', 0, 'there was time for a round');
is($stderr =~ s/^pgbench \(.*\n//r, '', 'no transaction reports an error');
like($stdout, qr/transactions actually processed: [1-9]/, 'transactions were made');
like($stdout, qr/failed transactions: 0 /, 'none of them failed')
  if $counts_failures;

###
# A large table
###

$node->safe_psql(
	'postgres', qq(
	CREATE TABLE big (id int PRIMARY KEY, title text);
	INSERT INTO big SELECT i, 'Title ' || i FROM generate_series(1, $rows) AS i;
	ANALYZE big;));
foreach my $call (map { s/busy/big/r } @calls)
{
	my $start = time;

	$node->safe_psql('postgres', "SELECT dtmodel.$call");
	note(sprintf('%6.0f ms for %s', (time - $start) * 1000, $call));
}

###
# The examples
###

my $page = slurp_file('docs/locks.md');
my $examples = join('', $page =~ /^```sql\n(.*?)^```$/msg);
my $file = "$PostgreSQL::Test::Utils::tmp_check/examples.sql";

append_to_file($file, $examples);
$node->safe_psql('postgres', 'CREATE DATABASE examples');
$node->safe_psql('examples', 'CREATE EXTENSION dtmodel');
SKIP:
{
	skip 'the server was built without ICU', 1 if !$has_icu;
	$node->command_ok(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d',
			$node->connstr('examples'), '-f', $file
		],
		'the examples of docs/locks.md run');
}

$node->stop;
done_testing();
