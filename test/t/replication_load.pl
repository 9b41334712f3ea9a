
# What eight clients write with all mixins arrives at a standby and at a
# subscriber as it is: no column is stamped again, and no row has another past.

use strict;
use warnings;

use Campaign;
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = 8;
my $campaign = Campaign->new('transactions by each client' => 50, least => 20);

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical', extra => [ '--encoding=UTF8', '--locale=C' ]);
$primary->append_conf('postgresql.conf', "log_statement = none\nclient_min_messages = warning");
$primary->start;

my $standby = PostgreSQL::Test::Cluster->new('standby');
$primary->backup('backup');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# The subscriber has the same models.  Their rows come from the primary.
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$subscriber->append_conf('postgresql.conf', "session_preload_libraries = 'dtmodel'");
$subscriber->start;

my $ledger = Ledger->new($primary, $campaign, clients => $clients);
Ledger::make_tables($subscriber, $clients);
$subscriber->safe_psql('postgres', 'SET session_replication_role = replica; DELETE FROM progress; DELETE FROM tally;');
$primary->safe_psql('postgres', 'CREATE PUBLICATION pub FOR ALL TABLES');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '" . $primary->connstr . " dbname=postgres' PUBLICATION pub");
$subscriber->wait_for_subscription_sync($primary, 'sub');

# Each table with the hash of its rows.
sub tables_of
{
	my ($node) = @_;
	my $tables = $node->safe_psql('postgres', q(
		SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname COLLATE "C"));

	return join("\n",
		map { $node->safe_psql('postgres', qq(SELECT '$_', count(*), md5(string_agg(t::text, ';' ORDER BY t::text COLLATE "C")) FROM $_ AS t)) } split(/\n/, $tables));
}

$campaign->parts(
	50,
	sub {
		my ($first, $last) = @_;

		$ledger->begin($primary, $last - $first + 1);
		is(join("\n", $ledger->end), '', "transactions $first to $last: no errors");
		$primary->wait_for_catchup($standby);
		$primary->wait_for_catchup('sub');

		my $tables = tables_of($primary);
		is(tables_of($standby), $tables, 'the standby has the same rows');
		is(tables_of($subscriber), $tables, 'the subscriber has the same rows');
		$ledger->check($subscriber, 'the subscriber');
	});
is($subscriber->safe_psql('postgres', 'SELECT EXISTS (SELECT FROM doc_history) AND EXISTS (SELECT FROM piece_history)'), 't', 'there is a past');
$campaign->found($ledger->count($primary) . ' transactions');

$subscriber->stop;
$standby->stop;
$primary->stop;
done_testing();
