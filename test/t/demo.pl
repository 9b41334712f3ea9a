
# The demo runs, and prints what the README shows of it in its ```console
# block, in one piece.  How many subdivisions a country has is up to the version
# of iso-codes: numbers, and how wide they make a column, do not count.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $iso = '/usr/share/iso-codes/json';

plan skip_all => "there are no ISO lists in $iso" if !-d $iso;

my ($shown) = slurp_file('README.md') =~ /^```console\n(.*?)^```/ms;
my $node = PostgreSQL::Test::Cluster->new('main');

$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;

my ($stdout, $stderr) = ('', '');
my $ran = IPC::Run::run(
	[
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "iso=$iso",
		'-d', $node->connstr('postgres'), '-f', 'test/demo/demo.sql'
	],
	'>', \$stdout, '2>', \$stderr);

ok($ran, 'the demo runs');
is($stderr, '', 'with nothing on stderr');

sub without_numbers
{
	my ($text) = @_;

	$text =~ s/\d+/0/g;
	$text =~ s/-{2,}/--/g;
	$text =~ s/ +/ /g;
	$text =~ s/\s*\n+/\n/g;
	return $text;
}

like(without_numbers($stdout), qr/\Q@{[without_numbers($shown)]}\E/,
	'it prints what the README shows');

$node->stop;
done_testing();
