
# test/README.md names every TAP test, and what it names is there.

use strict;
use warnings;

use File::Basename qw(basename);
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file('test/README.md');
my %named = map { $_ => 1 } $page =~ /`([^`\n]+)`/g;

foreach my $test (map { basename($_) } glob('test/t/*.pl'))
{
	ok($named{$test}, "the page names $test");
}
foreach my $name (sort grep { /^\w+\.pl$/ } keys %named)
{
	ok(-f "test/t/$name", "there is a TAP test $name");
}
foreach my $name (sort grep { /^\w+\.spec$/ } keys %named)
{
	ok(-f "test/specs/$name", "there is an isolation test $name");
}

# Of the regression tests only those of the last table have no suffix there.
my ($behaviours) = $page =~ /^## What must hold.*?\n(\|.*)\z/ms;
my $lines = 0;

foreach my $line (grep { /^\| (?!behaviour)[^-]/ } split(/\n/, $behaviours))
{
	my ($behaviour, $tests) = $line =~ /^\| (.*) \| (.*) \|$/;
	my @tests = $tests =~ /`([a-z]\w*(?:\.\w+)?)`/g;

	$lines++;
	cmp_ok(scalar(@tests), '>', 0, "there are tests of: $behaviour");
	foreach my $name (grep { !/\./ } @tests)
	{
		ok(-f "test/sql/$name.sql", "there is a regression test $name");
	}
}
cmp_ok($lines, '>=', 28, 'the behaviours are listed');

done_testing();
