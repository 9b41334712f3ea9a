
# The isolation specs once more, in sessions that preload the library.
#
# There a DELETE is planned as an UPDATE of the rows that are not deleted.
# What happens to the rows is the same, but such a DELETE does not wait for rows
# for which it does not have to wait: then the expected output is in
# expected/<spec>_preloaded.out.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The server's development files have both runners side by side.
my $tester = dirname($ENV{PG_REGRESS}) . '/../isolation/isolationtester';

# The same encoding and locale as pg_regress gives its databases.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf',
	"session_preload_libraries = 'dtmodel'");
$node->start;

my @specs = sort glob('test/specs/*.spec');

# PostgreSQL 14 has no MERGE.
@specs = grep { !/merge/ } @specs
  if $node->safe_psql('postgres', 'SHOW server_version_num') < 150000;

cmp_ok(scalar @specs, '>', 0, 'there are specs');
foreach my $file (@specs)
{
	my $spec = basename($file, '.spec');
	my $expected = "expected/${spec}_preloaded.out";
	my $result = "$PostgreSQL::Test::Utils::tmp_check/$spec.out";

	$expected = "expected/$spec.out" if !-e $expected;

	# The specs ask for the session's name, as the runner gives it.
	local $ENV{PGAPPNAME} = "isolation/$spec";
	my $ran = IPC::Run::run(
		[ $tester, $node->connstr('postgres') ],
		'<', $file, '>', $result, '2>&1');

	ok($ran, "$spec runs");
	command_ok([ 'diff', '-u', $expected, $result ],
		"$spec prints the expected output");
}

$node->stop;
done_testing();
