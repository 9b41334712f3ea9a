
# Statements that meet a full disk fail, and leave nothing half done.
#
# Eight clients write, while tables and indexes now and then cannot grow
# (test/full/full_disk.c).  What was acknowledged is there, the rest is not, and
# the server goes on.

use strict;
use warnings;

use Campaign;
use Cwd qw(abs_path);
use Ledger;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $campaign = Campaign->new(rounds => 2);

# Transactions of each client in a round.
my $length = 100;

my $folder = PostgreSQL::Test::Utils::tempdir();
my $source = abs_path('test/full/full_disk.c');

plan skip_all => 'only Linux has LD_PRELOAD and /proc' if $^O ne 'linux';
plan skip_all => 'there is no compiler'
  if !PostgreSQL::Test::Utils::run_log([ $ENV{CC} // 'cc', '-shared', '-fPIC', '-o', "$folder/full_disk.so", $source, '-ldl' ]);

my $node = PostgreSQL::Test::Cluster->new('disk_full');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "log_statement = none\nclient_min_messages = warning");
{
	local $ENV{LD_PRELOAD} = "$folder/full_disk.so";
	local $ENV{FULL_DISK} = "$folder/full";

	$node->start;
}

my $ledger = Ledger->new($node, $campaign);
my %errors;

foreach my $round (1 .. $campaign->size)
{
	$ledger->begin($node, $length);
	while ($ledger->is_running)
	{
		sleep(0.3 * rand());
		append_to_file("$folder/full", '');
		sleep(0.3 * rand());
		unlink("$folder/full");
	}
	$errors{ substr($_, 0, 5) }++ foreach $ledger->end;
	$ledger->check($node, "round $round");
	$campaign->progress($round);
}

cmp_ok($errors{53100} // 0, '>', 0, 'the disk was full');
is(join(' ', grep { !/^(53100|25P02)$/ } sort keys %errors), '', 'and nothing else was wrong');
is(join("\n", slurp_file($node->logfile) =~ /^(.*(?:PANIC|terminated by signal|leak).*)$/mg), '', 'the server took it well');
$campaign->found($ledger->count($node) . " transactions, the disk was full for $errors{53100} statements");

$node->stop;
done_testing();
