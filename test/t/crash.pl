
# kill -9 of a server at work loses nothing that was acknowledged, and leaves
# nothing half done.
#
# Eight clients write, and a ledger outside of the server has what was
# acknowledged (test/lib/Ledger.pm).  No time is limited, as the machine may
# have other work.

use strict;
use warnings;

use Campaign;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $campaign = Campaign->new(cycles => 10);

# Transactions that a crash waits for, at most, and that each client can make.
my $enough = 300;
my $most = 1000;

# pg_ctl may wait for recovery, and for the machine, as long as it takes.
$ENV{PGCTLTIMEOUT} = 24 * 60 * 60;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf(
	'postgresql.conf', qq(
fsync = on
log_statement = none
autovacuum_naptime = 1s
checkpoint_timeout = 30s
client_min_messages = warning
));
$node->start;

###
# The crash
###

# The processes whose parent this is, and of these those that are no zombies.
sub children_of
{
	my ($parent) = @_;
	my @pairs;

	if (-d '/proc/self')
	{
		foreach my $file (glob('/proc/[0-9]*/stat'))
		{
			open(my $stat, '<', $file) or next;
			my $line = <$stat> // '';
			push @pairs, [ $1, $2 ] if $line =~ /^(\d+) \(.*\) [^Z] (\d+)/s;
		}
	}
	else
	{
		@pairs = map { [ split ] } split(/\n/, `ps -A -o pid= -o ppid=`);
	}
	return map { $_->[0] } grep { $_->[1] == $parent } @pairs;
}

# A process that was killed but not waited for still has its id, and a
# container may have no init that waits.
sub is_running
{
	my ($pid) = @_;
	my $stat = "/proc/$pid/stat";

	return 0 if !kill(0, $pid);
	return 1 if !open(my $file, '<', $stat);
	return (<$file> // '') !~ /^\d+ \(.*\) Z/s;
}

# SIGKILL to the postmaster, which is stopped before so that it starts no more
# children and sees none die, and to all its children.
sub kill_server
{
	my $pid_file = $node->data_dir . '/postmaster.pid';
	my ($postmaster) = split(/\n/, slurp_file($pid_file));

	kill('STOP', $postmaster);
	my @children = children_of($postmaster);
	kill('KILL', @children);
	$node->kill9;
	sleep(0.02) while grep { is_running($_) } $postmaster, @children;

	# The next postmaster takes a lock file for its own only if the process
	# that it names no longer exists.
	if (kill(0, $postmaster))
	{
		unlink($pid_file, $node->host . '/.s.PGSQL.' . $node->port . '.lock');
	}
	return;
}

###
# Load, crash, recover, look
###
my $ledger = Ledger->new($node, $campaign);

# Other activity before the crash.
my @meanwhile = ('SELECT 1', 'CHECKPOINT', 'VACUUM');
my $caught = 0;

foreach my $cycle (1 .. $campaign->size)
{
	my $wanted = $enough * (0.1 + 0.9 * rand());

	$ledger->begin($node, $most);
	$ledger->wait_for($node, $wanted / 2);
	$node->safe_psql('postgres', $meanwhile[ rand @meanwhile ]);
	$ledger->wait_for($node, $wanted);
	sleep(0.03 * rand());
	kill_server();
	is(join("\n", $ledger->end), '', "cycle $cycle: there were no errors before the crash");
	$node->start;
	$caught += $ledger->check($node, "cycle $cycle");
	$campaign->progress($cycle);
}
$campaign->found($ledger->count($node) . " transactions, $caught about to commit");

$node->stop;
done_testing();
