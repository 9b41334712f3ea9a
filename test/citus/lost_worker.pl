# A server that is lost while a transaction commits.
#
# A transaction writes to a distributed table, to a reference table, and to a
# table of the coordinator that has a history.  Citus prepares it on both workers
# and commits it then.  A worker or the coordinator stops at once before that, in
# the middle of it, or after it.  Once it is back, and Citus has recovered what it
# had prepared, all rows have what the transaction wrote, or none has: with one
# time, one actor, and a version for each.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $citus = CitusCluster->start('lost');
my $coordinator = $citus->coordinator;
my ($one, $two) = $citus->workers;
my @tables = ('m', 'r', 'plain');
my $rows = 40;

# Citus would recover every minute by itself; here it does when it is told.
foreach my $node ($citus->nodes)
{
	$node->safe_psql('postgres', 'ALTER SYSTEM SET citus.recover_2pc_interval = -1');
	$node->reload;
}

# The trigger makes PREPARE wait for whom holds the lock on that server.
$citus->sql(q(
	CREATE TABLE gate (id int PRIMARY KEY, n int);
	SELECT create_distributed_table('gate', 'id', colocate_with => 'none');
	CREATE FUNCTION wait_in_gate() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM pg_advisory_lock_shared(1); PERFORM pg_advisory_unlock_shared(1); RETURN NULL; END';
	SET citus.enable_unsafe_triggers = on;
	CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON gate DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_in_gate();
	INSERT INTO gate SELECT generate_series(1, 20), 0;
	CREATE TABLE m (id int PRIMARY KEY, n int DEFAULT 0);
	CREATE TABLE r (id int PRIMARY KEY, n int DEFAULT 0);
	CREATE TABLE plain (id int PRIMARY KEY, n int DEFAULT 0);
	SELECT create_distributed_table('m', 'id', colocate_with => 'none');
	SELECT create_reference_table('r');));
foreach my $t (@tables)
{
	$citus->sql("SELECT dtmodel.add_model('$t'), dtmodel.add_audit('$t'), dtmodel.add_version('$t'), dtmodel.add_soft_delete('$t', deleted_by => 'deleted_by')");
}
$citus->sql("SELECT dtmodel.add_history('plain');
	SET dtmodel.actor = 'actor 1'; BEGIN; @{[ join '', map { qq(INSERT INTO $_ (id) SELECT generate_series(1, $rows);) } @tables ]} COMMIT");

# What every table has to have, as summary() shows it: the transactions that were
# committed, and those of them that changed n; whether the rows are deleted.
my %is = (version => 1, n => 0, deleted => 0);

sub summary
{
	my ($t) = @_;

	return $citus->sql(
		"SELECT count(*), min(version), max(version), min(n), max(n), count(*) FILTER (WHERE is_deleted), count(DISTINCT updated_by), min(updated_by),
				count(DISTINCT deleted_by), min(updated_at), max(updated_at), min(deleted_at), max(deleted_at), count(deleted_at) FROM $t");
}

sub check_rows
{
	my ($name) = @_;
	my @summaries = map { summary($_) } @tables;
	my ($start, $first, $last, $first_deleted, $last_deleted) = $summaries[0] =~ /^(.*)\|(.+)\|(.+)\|(.*)\|(.*)\|\d+$/;

	is($start,
		join('|', $rows, ($is{version}) x 2, ($is{n}) x 2, $is{deleted} ? $rows : 0, 1, "actor $is{version}", $is{deleted}),
		"$name: all rows have the same");
	is("$first $first_deleted", "$last $last_deleted", "$name: and the same times");
	is($summaries[$_], $summaries[0], "$name: $tables[$_] too") foreach 1, 2;
	is($citus->sql('SELECT count(*), count(DISTINCT valid_to), count(DISTINCT ended_by) FROM plain_history'),
		join('|', $rows * ($is{version} - 1), ($is{version} - 1) x 2), "$name: the history has what was committed");
	$citus->same_replicas($_, "$name: the copies of $_ are equal") foreach 'm', 'r';
	return;
}

sub prepared
{
	return join ' ', map { $_->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts') } @_;
}

# Begins to commit a statement on each table.
sub commit
{
	my ($statement) = @_;
	my $actor = 'actor ' . ($is{version} + 1);
	my @statements = ("SET dtmodel.actor = '$actor'", 'BEGIN',
		(map { $statement =~ s/%s/$_/gr } @tables), 'UPDATE gate SET n = n + 1', 'COMMIT');
	my $out = '';
	my $client = IPC::Run::start(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $coordinator->connstr('postgres'), map { ('-c', $_) } @statements ],
		'>', \$out, '2>', \$out);

	return { client => $client, out => \$out };
}

# Whether it was committed, as far as its client knows.
sub finish
{
	my ($commit) = @_;

	return $commit->{client}->finish;
}

sub wait_until
{
	my ($node, $condition) = @_;

	$node->poll_query_until('postgres', "SELECT $condition") or die "waited in vain until $condition";
	return;
}

# A session that holds the lock, so that PREPARE waits on that worker.
sub close_gate
{
	my ($node) = @_;
	my $keeper = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', 'SELECT pg_advisory_lock(1), pg_sleep(600)' ],
		'>', \my $out, '2>', \my $err);

	wait_until($node, q((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted) > 0));
	return $keeper;
}

sub open_gate
{
	my ($node, $keeper) = @_;

	$node->safe_psql('postgres', q(SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted));
	$keeper->finish;
	return;
}

sub wait_at_gate
{
	my ($node) = @_;

	wait_until($node, q((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted) > 0));
	return;
}

# Until one worker has prepared the transaction, and the other one waits for a
# session that holds the lock.
sub commit_until_prepare
{
	my ($statement) = @_;
	my $keeper = close_gate($two);
	my $commit = commit($statement);

	wait_until($one, '(SELECT count(*) FROM pg_prepared_xacts) > 0');
	wait_at_gate($two);
	return ($commit, $keeper);
}

# The coordinator, once it has committed, waits for a standby that does not exist
# before it tells the workers.
sub hold_commits
{
	my ($standby) = @_;

	$coordinator->safe_psql('postgres', "ALTER SYSTEM SET synchronous_standby_names = '$standby'");
	$coordinator->reload;
	return;
}

sub commit_until_held
{
	my ($statement) = @_;

	hold_commits('none');
	my $commit = commit($statement);
	wait_until($coordinator, q((SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep') > 0));
	return $commit;
}

# Each of them loses a server while a statement commits, has it back, and says
# whether the transaction has to be committed.
my %losses = (
	'a worker before PREPARE' => sub {
		my ($statement) = @_;
		my $gate = close_gate($one);
		my $keeper = close_gate($two);
		my $commit = commit($statement);

		wait_at_gate($_) foreach $one, $two;
		$two->stop('immediate');
		$keeper->finish;
		open_gate($one, $gate);
		ok(!finish($commit), 'the client has an error');
		$two->start;
		return 0;
	},
	'a worker in PREPARE' => sub {
		my ($statement) = @_;
		my ($commit, $keeper) = commit_until_prepare($statement);

		$two->stop('immediate');
		$keeper->finish;
		ok(!finish($commit), 'the client has an error');
		$two->start;
		return 0;
	},
	'a worker after PREPARE' => sub {
		my ($statement) = @_;
		my $commit = commit_until_held($statement);

		$two->stop('immediate');
		hold_commits('');
		ok(finish($commit), 'the client has no error');
		like(${ $commit->{out} }, qr/WARNING/, 'but a warning');
		$two->start;
		cmp_ok(prepared($two), '>', 0, 'the transaction is prepared there');
		is($citus->sql('SELECT count(DISTINCT version) FROM m'), 2, 'and until it is recovered, the rows there are as before');
		return 1;
	},
	'the coordinator in PREPARE' => sub {
		my ($statement) = @_;
		my ($commit, $keeper) = commit_until_prepare($statement);

		$coordinator->stop('immediate');
		ok(!finish($commit), 'the client has an error');
		open_gate($two, $keeper);
		wait_until($two, q(NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend')));
		$coordinator->start;
		return 0;
	},
	'the coordinator after its COMMIT' => sub {
		my ($statement) = @_;
		my $commit = commit_until_held($statement);

		$coordinator->stop('immediate');
		ok(!finish($commit), 'the client has an error');
		$coordinator->start;
		hold_commits('');
		unlike(prepared($one, $two), qr/\b0\b/, 'the transaction is prepared on both workers');
		return 1;
	});

# Statements for each table, and what a committed one changes; the last one undoes
# it, if its rows must not be so before.
my @delete = ('DELETE FROM %s', sub { $is{deleted} = 1 });
my @restore = (q(SELECT dtmodel.restore_deletion(NULL::%s, (SELECT max(deleted_at) FROM %s))), sub { $is{deleted} = 0 });
my @statements = (
	[ 'UPDATE', 'UPDATE %s SET n = n + 1', sub { $is{n}++ } ],
	[ 'DELETE', @delete, sub { $is{deleted} ? @restore : () } ],
	[ 'restore', @restore, sub { $is{deleted} ? () : @delete } ]);

sub committed
{
	my ($change) = @_;

	$is{version}++;
	$change->();
	return;
}

check_rows('at first');
foreach my $loss (sort keys %losses)
{
	foreach (@statements)
	{
		my ($kind, $statement, $change, $before) = @$_;
		my $name = "$loss, $kind";
		my ($first, $changed_first) = $before ? $before->() : ();

		note($name);
		if ($first)
		{
			ok(finish(commit($first)), "$name: the rows are as it needs them");
			committed($changed_first);
		}
		committed($change) if $losses{$loss}->($statement);
		$citus->sql('SELECT recover_prepared_transactions()');
		is(prepared($citus->nodes), '0 0 0', "$name: nothing is prepared any more");
		check_rows($name);
	}
}

$citus->stop;
done_testing();
