# The examples of docs/citus.md work, in their order and in one database.

use strict;
use warnings;

use lib 'test/citus';
use CitusCluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file('docs/citus.md');
my $citus = CitusCluster->start('docs');
my $blocks = 0;

$citus->sql('DROP EXTENSION dtmodel');
while ($text =~ /^```pgsql\n(.*?)^```$/msg)
{
	my $sql = $1;
	my ($first) = split /\n/, $sql;

	unlike($citus->try($sql), qr/^\w{5}: /, "block that begins with $first");
	$blocks++;
}
cmp_ok($blocks, '>', 4, 'there are blocks');

# What they have left.
is($citus->sql('SELECT count(*), count(*) FILTER (WHERE is_deleted) FROM tickets'),
	'3|0', 'all rows were restored');

# Every function that takes a model or a row is on the page.
my $functions = $citus->sql(
	q(SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'dtmodel'::regnamespace
	  AND (proargtypes[0] = 'anyelement'::regtype OR proargtypes[0] = 'regclass'::regtype) ORDER BY 1));
foreach my $function (split /\n/, $functions)
{
	next if $function =~ /^(remove_\w+|add_history_partitions|class_name|get_fields|mixins|get|get_modified_keys)$/;
	like($text, qr/`$function`/, "$function is on the page");
}

$citus->stop;
done_testing();
