
# add_* and remove_* on a table that is in use: no transaction fails, and on a
# table of a million rows they take milliseconds, since they neither read it nor
# write it again.  The times are only printed.
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
my $seconds = 6;
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
	CREATE VIEW sum_of_busy AS SELECT sum(n) FROM busy;
	CREATE TABLE kept (LIKE busy INCLUDING ALL);
	INSERT INTO kept (title) SELECT title FROM busy;
	SELECT dtmodel.add_timestamps('kept'), dtmodel.add_history('kept');));

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

# Runs a script in several sessions while the calls are made one after another,
# in whole rounds, as long as there is time for another one.
sub use_table
{
	my ($name, $sql, @rounds) = @_;
	my $script = "$PostgreSQL::Test::Utils::tmp_check/locks.sql";
	my ($stdout, $stderr) = ('', '');
	my $until = time + $seconds * 0.7;
	my $made = 0;
	my @errors;

	unlink $script;
	append_to_file($script, $sql);
	# Each client has a thread, since it waits for a lock while it prepares a
	# statement, and others of its thread would keep theirs.
	my $pgbench = IPC::Run::start(
		[
			'pgbench', '--no-vacuum', "--client=$clients", "--jobs=$clients",
			'--protocol=prepared', "--time=$seconds", "--file=$script",
			$node->connstr('postgres')
		],
		'>', \$stdout,
		'2>', \$stderr);
	while (time < $until && !@errors)
	{
		foreach my $call (@rounds)
		{
			my ($code, undef, $error) = $node->psql('postgres', $call);

			push @errors, "$call: $error" if $code != 0;
			$pgbench->pump_nb if $pgbench->pumpable;
			$made++ if $pgbench->pumpable;
		}
	}
	$pgbench->finish;
	note($stdout);

	is("@errors", '', "$name: no call fails");
	cmp_ok($made, '>', 0, "$name: $made calls are made while the table is in use");
	is($stderr =~ s/^pgbench \(.*\n//r, '', "$name: no transaction reports an error");
	like($stdout, qr/transactions actually processed: [1-9]/,
		"$name: transactions are made");
	like($stdout, qr/failed transactions: 0 /, "$name: none of them fails")
	  if $counts_failures;
	return;
}

foreach my $tier ('trigger', 'preloaded')
{
	local $ENV{PGOPTIONS} =
	  $tier eq 'trigger' ? '' : '-c session_preload_libraries=dtmodel';

	use_table(
		"all mixins, $tier", q(
\set id random(1, 1000)
\set other random(1001, 2000)
BEGIN;
SELECT n FROM busy WHERE id = :id;
SELECT count(*) FROM sum_of_busy;
UPDATE busy SET n = n + 1 WHERE id = :id;
DELETE FROM busy WHERE id = :other;
INSERT INTO busy (title) VALUES ('Title ' || :id) RETURNING id;
COMMIT;
),
		(map { "SELECT dtmodel.$_" } @calls),
		'DROP VIEW live_busy');

	# The history table is changed with its model, in the same order in which
	# queries of the past read the two.
	use_table(
		"history, $tier", q(
\set id random(1, 1000)
BEGIN;
SELECT count(*) FROM kept LEFT JOIN kept_history USING (id) WHERE id = :id;
UPDATE kept SET n = n + 1 WHERE id = :id;
COMMIT;
),
		map { "SELECT dtmodel.$_" } (
			q(add_version('kept')),
			q(add_settings('kept', '{theme}')),
			q(add_history('kept', '{title}')),
			q(add_history('kept')),
			q(remove_settings('kept', true)),
			q(remove_version('kept', true))));
}

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
	my $cost = $node->safe_psql(
		'postgres', qq(
		BEGIN;
		SELECT pg_relation_filenode('big') AS file \\gset
		SELECT dtmodel.$call AS called \\gset
		SELECT pg_relation_filenode('big') <> :file, pg_stat_get_xact_numscans('big'::regclass) > 0;
		COMMIT;));

	note(sprintf('%6.0f ms for %s', (time - $start) * 1000, $call));
	if ($call =~ /^add_slug/)
	{
		is($cost, 'f|t', "$call reads the table for the index, and does not write it again");
	}
	else
	{
		is($cost, 'f|f', "$call neither reads the table nor writes it again");
	}
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
