
# kill -9 of a server at work loses nothing that was acknowledged, and leaves
# nothing half done.
#
# Each client works on its own rows, so their content after any
# number of its transactions is known beforehand.  Each transaction also counts
# itself, in a row of the client and in rows that all clients update.  After
# the crash the client's count must be that of its last acknowledged
# transaction, or one more (which was committed, but not acknowledged
# before the crash), and everything else has to agree with that count.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 4;
my $cycles = 3;

# Transactions that a crash waits for, and that a client can make at most.
my $enough = 800;
my $most = 4000;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', qq(
fsync = on
log_statement = none
autovacuum_naptime = 1s
checkpoint_timeout = 30s
));
$node->start;

# Each "doc" has a "note" that is deleted and restored along with it, and a
# "box" with two "parts".  The box has no soft delete, so its DELETE takes the
# parts too, physically.  "tally" is the row that all clients update.
$node->safe_psql(
	'postgres', qq(
	CREATE EXTENSION dtmodel;
	CREATE EXTENSION amcheck;
	CREATE TABLE doc (id int PRIMARY KEY, client int NOT NULL, v int NOT NULL);
	CREATE TABLE note (id int PRIMARY KEY REFERENCES doc ON DELETE CASCADE);
	CREATE TABLE box (id int PRIMARY KEY);
	CREATE TABLE part (
		id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		box_id int NOT NULL REFERENCES box ON DELETE CASCADE
	);
	CREATE TABLE progress (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
	CREATE TABLE tally (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
	SELECT dtmodel.add_model(t), dtmodel.add_soft_delete(t)
	FROM unnest('{doc,note,part,progress,tally}'::regclass[]) AS t;
	CREATE INDEX ON doc (client, v) WHERE NOT is_deleted;
	CREATE INDEX ON doc (deleted_at);
	CREATE INDEX ON doc (updated_at);
	CREATE INDEX ON part (box_id);
	CREATE INDEX ON tally (deleted_at);
	INSERT INTO progress SELECT generate_series(1, $clients);
	INSERT INTO tally SELECT generate_series(0, 2);));

###
# What the clients do
###

# Each kind of work: its SQL, and what it does to a row.  The last one deletes
# the row.
my %work = (
	'UPDATE' =>
	  [ 'UPDATE doc SET v = v + 1 WHERE id = %d;', sub { $_[0]{v}++ } ],
	'DELETE' =>
	  [ 'DELETE FROM doc WHERE id = %d;', sub { $_[0]{deleted} = 't' } ],
	'set flag' => [
		'UPDATE doc SET is_deleted = true WHERE id = %d;',
		sub { $_[0]{deleted} = 't' }
	],
	'soft_delete(row)' => [
		'SELECT FROM doc AS d, dtmodel.soft_delete(d) WHERE d.id = %d;',
		sub { $_[0]{deleted} = 't' }
	],
	'soft_delete(model, id)' => [
		'SELECT FROM dtmodel.soft_delete(NULL::doc, %d);',
		sub { $_[0]{deleted} = 't' }
	],
	'clear flag' => [
		'UPDATE doc SET is_deleted = false WHERE id = %d;',
		sub { $_[0]{deleted} = 'f' }
	],
	'restore(row)' => [
		'SELECT FROM doc AS d, dtmodel.restore(d) WHERE d.id = %d;',
		sub { $_[0]{deleted} = 'f' }
	],
	'DELETE, undone' => [
		'SAVEPOINT s; DELETE FROM doc WHERE id = %d; ROLLBACK TO s;',
		sub { }
	],
	'physical DELETE' => [
		'SET LOCAL dtmodel.hard_delete = on; DELETE FROM doc WHERE id = %1$d;'
		  . ' SET LOCAL dtmodel.hard_delete = off; DELETE FROM box WHERE id = %1$d;',
		undef
	]);
my @kinds = sort keys %work;
my @tally_work = (
	'DELETE FROM tally WHERE id = %d;',
	'SELECT FROM dtmodel.restore(NULL::tally, %d);',
	'');

# The state of each client: the rows that it has, by id, the number of its
# transactions, and the next id.
my @state =
  map { { rows => {}, n => 0, next => $_ * 1_000_000 } } (0 .. $clients);

# Chooses the client's next transaction: its SQL, the row that it is about,
# and what it does to the client's rows.
sub next_transaction
{
	my ($rows, $next) = @_;
	my @ids = sort { $a <=> $b } keys %$rows;

	if (@ids < 5 || (@ids < 40 && rand() < 0.3))
	{
		my $id = $$next++;

		return (
			$id,
			"INSERT INTO doc (id, client, v) VALUES ($id, $id / 1000000, 0);"
			  . " INSERT INTO note VALUES ($id); INSERT INTO box VALUES ($id);"
			  . " INSERT INTO part (box_id) VALUES ($id), ($id);",
			sub { $_[0]{$id} = { v => 0, deleted => 'f' } });
	}

	my $id = $ids[ rand @ids ];
	my ($sql, $change) = @{ $work{ $kinds[ rand @kinds ] } };

	return ($id, sprintf($sql, $id),
		sub { $change ? $change->($_[0]{$id}) : delete $_[0]{$id} });
}

sub copy_of
{
	my ($rows) = @_;
	return { map { $_ => { %{ $rows->{$_} } } } keys %$rows };
}

# Writes the client's script, which after each COMMIT prints its number and
# what the row looked like, and returns the transactions that it has.
sub write_script
{
	my ($client, $file) = @_;
	my $rows = copy_of($state[$client]{rows});
	my $next = $state[$client]{next};
	my @transactions;
	my $script = '';

	foreach my $n ($state[$client]{n} + 1 .. $state[$client]{n} + $most)
	{
		my ($id, $sql, $change) = next_transaction($rows, \$next);
		my $tally = int(rand 3);

		$change->($rows);
		push @transactions, { id => $id, change => $change };
		$script .= join("\n",
			'BEGIN;',
			$sql,
			"UPDATE tally SET n = n + 1 WHERE id = $tally;",
			sprintf($tally_work[ rand @tally_work ], $tally),
			"UPDATE progress SET n = n + 1 WHERE id = $client;",
			q(SELECT coalesce(string_agg(concat_ws(' ', created_at, updated_at, deleted_at), ''), 'gone') AS row)
			  . " FROM doc WHERE id = $id \\gset",
			'COMMIT;',
			"\\echo $n :row",
			'');
	}
	PostgreSQL::Test::Utils::append_to_file($file, $script);
	return @transactions;
}

# Waits until the clients have made so many transactions.
sub wait_for_work
{
	my ($transactions, @errors) = @_;
	my $tries = 20 * $PostgreSQL::Test::Utils::timeout_default;

	until ($node->safe_psql('postgres', 'SELECT sum(n) FROM progress') >=
		$transactions)
	{
		foreach my $file (@errors)
		{
			die slurp_file($file) if -s $file;
		}
		die 'the clients do not get on' if --$tries == 0;
		select(undef, undef, undef, 0.05);
	}
	return;
}

###
# The crash
###

# A process that was killed but not waited for still has its id, and a
# container may have no init that waits.
sub is_running
{
	my ($pid) = @_;
	my $stat = "/proc/$pid/stat";

	return 0 if !kill(0, $pid);
	return !(-r $stat && slurp_file($stat) =~ /^\d+ \(.*\) Z/s);
}

# SIGKILL to the postmaster, before it sees its children die, and to all its
# children.
sub kill_server
{
	my $pid_file = $node->data_dir . '/postmaster.pid';
	my ($postmaster) = split(/\n/, slurp_file($pid_file));
	my @children = split(/\n/,
		$node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity'));

	$node->kill9;
	kill('KILL', @children);
	foreach my $pid ($postmaster, @children)
	{
		my $tries = 10 * $PostgreSQL::Test::Utils::timeout_default;

		while (is_running($pid) && $tries-- > 0)
		{
			select(undef, undef, undef, 0.1);
		}
	}

	# The next postmaster takes a lock file for its own only if the process
	# that it names no longer exists.
	if (kill(0, $postmaster))
	{
		unlink($pid_file, $node->host . '/.s.PGSQL.' . $node->port . '.lock');
	}
	return;
}

# A child that was started just now, such as a worker of autovacuum, may hold
# shared memory for a moment longer.
sub start_server
{
	my $tries = 50;

	until ($node->start(fail_ok => 1))
	{
		die 'the server did not start again' if --$tries == 0;
		select(undef, undef, undef, 0.2);
	}
	return;
}

###
# What must be true afterwards
###

# What the table has of a client, as the client's state has it.
sub stored_rows
{
	my ($client) = @_;
	return $node->safe_psql('postgres',
		"SELECT id, v, is_deleted FROM doc WHERE client = $client ORDER BY id");
}

sub expected_rows
{
	my ($rows) = @_;
	return
	  join("\n", map { "$_|$rows->{$_}{v}|$rows->{$_}{deleted}" }
		sort { $a <=> $b } keys %$rows);
}

# The numbers of the transactions that were acknowledged to the client, and the row as
# each of them left it.
sub read_acknowledged
{
	my ($file) = @_;
	return map { [ split(/ /, $_, 2) ] } split(/\n/, slurp_file($file));
}

# The times that were last acknowledged to the client, except for the one row that the
# unacknowledged transaction may have touched.
sub check_times
{
	my ($cycle, $client, $transactions, $acknowledged) = @_;
	my $first = $state[$client]{n} + 1;
	my %expected;

	$expected{ $transactions->[ $_->[0] - $first ]{id} } = $_->[1]
	  foreach @$acknowledged;
	delete $expected{ $transactions->[ scalar @$acknowledged ]{id} };

	my $stored = $node->safe_psql('postgres',
		"SELECT id, concat_ws(' ', created_at, updated_at, deleted_at) FROM doc WHERE client = $client"
	);
	my %stored = map { split(/\|/, $_, 2) } split(/\n/, $stored);
	my @wrong =
	  grep { ($stored{$_} // 'gone') ne $expected{$_} } sort keys %expected;

	is("@wrong", '', "cycle $cycle: the rows of client $client have the acknowledged times");
	return;
}

sub check_client
{
	my ($cycle, $client, $transactions, $file) = @_;
	my @acknowledged = read_acknowledged($file);
	my $acknowledged_count = $state[$client]{n} + @acknowledged;
	my $done = $node->safe_psql('postgres',
		"SELECT n FROM progress WHERE id = $client");

	ok( $done == $acknowledged_count || $done == $acknowledged_count + 1,
		"cycle $cycle: client $client made $done transactions, of which $acknowledged_count were acknowledged"
	);
	check_times($cycle, $client, $transactions, \@acknowledged);

	# Go on from what was done.
	$_->{change}->($state[$client]{rows})
	  foreach @{$transactions}[ 0 .. $done - $state[$client]{n} - 1 ];
	$state[$client]{n} = $done;
	$state[$client]{next} += $most;
	is( stored_rows($client),
		expected_rows($state[$client]{rows}),
		"cycle $cycle: client $client has the rows that these make");
	return;
}

sub check_database
{
	my ($cycle) = @_;
	my $disagree = join(' UNION ALL ',
		map { "SELECT '$_', id FROM $_ WHERE is_deleted <> (deleted_at IS NOT NULL) OR updated_at < created_at" }
		  qw(doc note part progress tally));

	is($node->safe_psql('postgres', $disagree),
		'', "cycle $cycle: flags and times agree in every row");
	is( $node->safe_psql(
			'postgres',
			'SELECT (SELECT sum(n) FROM tally) = (SELECT sum(n) FROM progress)'),
		't',
		"cycle $cycle: no transaction is half done");
	is( $node->safe_psql(
			'postgres', q(
			SELECT d.id, b.id, p.box_id, count(*)
			FROM doc AS d
			FULL JOIN box AS b ON b.id = d.id
			FULL JOIN part AS p ON p.box_id = b.id
			GROUP BY d.id, b.id, p.box_id
			HAVING count(d.id) <> 2 OR count(b.id) <> 2 OR count(p.id) <> 2)),
		'',
		"cycle $cycle: each row has its box and parts, and no part is left alone");
	is( $node->safe_psql(
			'postgres', q(
			SELECT d.id, n.id FROM doc AS d FULL JOIN note AS n ON n.id = d.id
			WHERE d.id IS NULL OR n.id IS NULL
			   OR n.is_deleted <> d.is_deleted
			   OR n.deleted_at IS DISTINCT FROM d.deleted_at)),
		'',
		"cycle $cycle: no cascade is half done");
	is( $node->safe_psql(
			'postgres', q(
			SELECT bt_index_check(c.oid, true)
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind = 'i' AND n.nspname = 'public'
			  AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree'))) =~
		  s/\n//gr,
		'',
		"cycle $cycle: amcheck finds the indexes clean");
	is( $node->safe_psql(
			'postgres', q(
			SELECT c.relname, v.*
			FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace,
				 LATERAL verify_heapam(c.oid) AS v
			WHERE c.relkind = 'r' AND n.nspname = 'public')),
		'',
		"cycle $cycle: amcheck finds the tables clean");
	return;
}

###
# Load, crash, recover, look
###
srand(42);

# Other activity before the crash, different each time.
my @meanwhile = ('SELECT 1', 'CHECKPOINT', 'VACUUM');

foreach my $cycle (1 .. $cycles)
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my (@transactions, @psql);
	my $before = $node->safe_psql('postgres', 'SELECT sum(n) FROM progress');

	foreach my $client (1 .. $clients)
	{
		$transactions[$client] =
		  [ write_script($client, "$dir/$client.sql") ];
	}
	foreach my $client (1 .. $clients)
	{
		# Half of them preload the library, which plans DELETE otherwise.
		local $ENV{PGOPTIONS} = '-c session_preload_libraries=dtmodel'
		  if $client % 2 == 0;

		push @psql,
		  IPC::Run::start(
			[
				'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
				'-f', "$dir/$client.sql"
			],
			'>', "$dir/$client.out",
			'2>', "$dir/$client.err");
	}
	foreach my $part (1, 2)
	{
		wait_for_work($before + $enough * $part / 2,
			map { "$dir/$_.err" } (1 .. $clients));
		$node->safe_psql('postgres', $meanwhile[ $cycle - 1 ]) if $part == 1;
	}
	kill_server();

	my @ended = grep { $_->finish } @psql;

	is(scalar @ended, 0, "cycle $cycle: the crash caught all clients at work");
	start_server();
	check_client($cycle, $_, $transactions[$_], "$dir/$_.out")
	  foreach (1 .. $clients);
	check_database($cycle);
}

is( $node->safe_psql(
		'postgres',
		q(SELECT count(*) FROM dtmodel.models WHERE mixins = '{timestamps,soft_delete}' AND drift = '{}')
	),
	'5',
	'the models are unchanged');
my @transactions = map { $_->{n} } @state[ 1 .. $clients ];
note("transactions of each client: @transactions");

$node->stop;
done_testing();
