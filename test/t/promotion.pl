
# A standby that is promoted while eight clients write has all that was
# acknowledged, and goes on as the primary did.
#
# Replication is synchronous: what was acknowledged has reached the standby.  The
# primary is killed before, or after, when it can acknowledge nothing more.  The
# promoted server is the primary of the next cycle.

use strict;
use warnings;

use Campaign;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $campaign = Campaign->new(promotions => 2);

# Transactions before a promotion, and that each client can make.
my $enough = 200;
my $most = 1000;

$ENV{PGCTLTIMEOUT} = 24 * 60 * 60;

my $primary = PostgreSQL::Test::Cluster->new('server_0');
$primary->init(allows_streaming => 1, extra => [ '--encoding=UTF8', '--locale=C' ]);
$primary->append_conf('postgresql.conf', "log_statement = none\nclient_min_messages = warning\nwal_keep_size = '1GB'");
$primary->start;

my $ledger = Ledger->new($primary, $campaign);
my $caught = 0;

foreach my $cycle (1 .. $campaign->size)
{
	my $standby = PostgreSQL::Test::Cluster->new("server_$cycle");

	$primary->backup("backup_$cycle");
	$standby->init_from_backup($primary, "backup_$cycle", has_streaming => 1);
	$standby->start;
	$primary->append_conf('postgresql.conf', "synchronous_standby_names = '*'");
	$primary->reload;
	sleep(0.05) until $primary->safe_psql('postgres', q(SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync')) > 0;

	$ledger->begin($primary, $most);
	$ledger->wait_for($primary, $enough * (0.1 + 0.9 * rand()));
	if (rand() < 0.5)
	{
		$primary->kill9;
		$standby->promote;
	}
	else
	{
		$standby->promote;
		sleep(0.2 * rand());
		$primary->kill9;
	}
	# Until its backends have seen that the primary is gone, they wait for a standby.
	my @errors = $ledger->end;
	is(join("\n", @errors), '', "promotion $cycle: there were no errors before it");

	$standby->append_conf('postgresql.conf', "synchronous_standby_names = ''");
	$standby->reload;
	$caught += $ledger->check($standby, "promotion $cycle");
	$primary = $standby;
	$campaign->progress($cycle);
}

# It goes on.
$ledger->begin($primary, 10);
is(join("\n", $ledger->end), '', 'the last one goes on');
$ledger->check($primary, 'in the end');
$campaign->found($ledger->count($primary) . " transactions, $caught about to commit");

$primary->stop;
done_testing();
